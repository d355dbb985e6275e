//! A tape as a SIMH `.tap` image.

use std::path::Path;

use capstan_disk::Disk;
use capstan_image::tap::{END_OF_MEDIUM, FILEMARK, Frame, UNREADABLE};

use super::Image;
use super::output::Output;
use crate::jobs::transfer::TransferError;

/// An image that is written.
pub(super) struct TapFile(Output);

impl TapFile {
    pub(super) fn create(disk: &dyn Disk, path: &Path) -> Result<Self, TransferError> {
        Ok(Self(Output::create(disk, path)?))
    }
}

impl Image for TapFile {
    fn blocks(&mut self, data: &[u8], length: u32) -> Result<(), TransferError> {
        let frame = Frame::new(length);
        for block in data.chunks(usize::try_from(length).unwrap_or(usize::MAX).max(1)) {
            self.0.push(frame.before())?;
            self.0.push(block)?;
            self.0.push(frame.after())?;
        }
        Ok(())
    }

    fn unreadable(&mut self) -> Result<(), TransferError> {
        self.0.push(&UNREADABLE)
    }

    fn filemark(&mut self) -> Result<(), TransferError> {
        self.0.push(&FILEMARK)
    }

    fn finish(&mut self) -> Result<(), TransferError> {
        self.0.push(&END_OF_MEDIUM)?;
        self.0.finish()
    }
}
