//! A file that is read from its beginning to its end.

use std::io::IoSliceMut;
use std::path::{Path, PathBuf};

use capstan_disk::{Disk, File, Mode, read_exact_at};

use crate::jobs::transfer::{Context, TransferError};

/// What is read at least, if there is as much.
const WINDOW: u64 = 1 << 20;

/// A file, and the part of it that was read last.
pub(super) struct Input {
    path: PathBuf,
    file: Box<dyn File>,
    length: u64,
    begin: u64,
    window: Vec<u8>,
}

impl Input {
    pub(super) fn open(disk: &dyn Disk, path: &Path) -> Result<Self, TransferError> {
        let file = disk.open(path, Mode::Read).context("open", path)?;
        let length = file.length().context("ask the length of", path)?;
        Ok(Self { path: path.to_owned(), file, length, begin: 0, window: Vec::new() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes in it, as it was opened.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Some bytes of it. A caller that wants more than it has, or more than memory should hold, has not looked.
    pub(super) fn bytes(&mut self, offset: u64, length: u32) -> Result<&[u8], TransferError> {
        let end = offset.saturating_add(u64::from(length));
        let window_end = self.begin.saturating_add(u64::try_from(self.window.len()).unwrap_or(u64::MAX));
        if offset < self.begin || end > window_end {
            let wanted = u64::from(length).max(WINDOW).min(self.length.saturating_sub(offset)).max(u64::from(length));
            self.window.resize(usize::try_from(wanted).unwrap_or(usize::MAX), 0);
            self.begin = offset;
            let read = read_exact_at(self.file.as_ref(), &mut [IoSliceMut::new(&mut self.window)], offset);
            if read.is_err() {
                self.window.clear();
            }
            read.context("read", &self.path)?;
        }
        let begin = usize::try_from(offset.saturating_sub(self.begin)).unwrap_or(usize::MAX);
        let end = begin.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(self.window.get(begin..end).unwrap_or_default())
    }
}
