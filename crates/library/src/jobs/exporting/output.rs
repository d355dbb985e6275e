//! A file that is written from its beginning to its end.

use std::io::IoSlice;
use std::path::{Path, PathBuf};

use capstan_disk::{Disk, File, Mode, write_all_at};

use crate::jobs::transfer::{Context, TransferError};

/// What is gathered before it is written.
const GATHERED: usize = 1 << 20;

/// A file.
pub(super) struct Output {
    path: PathBuf,
    file: Box<dyn File>,
    written: u64,
    gathered: Vec<u8>,
}

impl Output {
    /// A new one.
    pub(super) fn create(disk: &dyn Disk, path: &Path) -> Result<Self, TransferError> {
        let file = disk.open(path, Mode::Create).context("create", path)?;
        Ok(Self { path: path.to_owned(), file, written: 0, gathered: Vec::new() })
    }

    /// Appends bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        if self.gathered.len().saturating_add(bytes.len()) <= GATHERED {
            self.gathered.extend_from_slice(bytes);
            return Ok(());
        }
        let parts = &mut [IoSlice::new(&self.gathered), IoSlice::new(bytes)];
        let written = write_all_at(self.file.as_ref(), parts, self.written);
        written.map_err(|stop| stop.error).context("write", &self.path)?;
        let length = self.gathered.len().saturating_add(bytes.len());
        self.written = self.written.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        self.gathered.clear();
        Ok(())
    }

    /// Puts all of it on stable storage.
    pub(super) fn finish(&mut self) -> Result<(), TransferError> {
        let written = write_all_at(self.file.as_ref(), &mut [IoSlice::new(&self.gathered)], self.written);
        written.map_err(|stop| stop.error).context("write", &self.path)?;
        self.gathered = Vec::new();
        self.file.sync_data().context("synchronise", &self.path)
    }
}
