//! `shipped`: what of a cartridge is elsewhere. The cartridge knows what it says.

use std::io::IoSlice;

use capstan_disk::{Mode, read_up_to, write_all_at};

use crate::error::Context;
use crate::{CartridgeDirectory, StoreError, directory, names};

/// Longest log that is read: some four million segments.
const LIMIT: u64 = 1 << 30;

impl CartridgeDirectory {
    /// The file, for messages.
    #[must_use]
    pub fn shipped_path(&self) -> std::path::PathBuf {
        self.path().join(names::SHIPPED)
    }

    /// Reads it; nothing if there is none.
    ///
    /// # Errors
    /// The disk failed.
    pub fn read_shipped(&self) -> Result<Vec<u8>, StoreError> {
        let path = self.shipped_path();
        let read = self.disk().open(&path, Mode::Read).and_then(|file| read_up_to(file.as_ref(), 0, LIMIT));
        match read.context("read", &path) {
            Err(error) if error.is_missing() => Ok(Vec::new()),
            read => read,
        }
    }

    /// Appends to the first `length` bytes of it, durably. What followed them is gone.
    ///
    /// # Errors
    /// There is none, or the disk failed: then the bytes may be there or not.
    pub fn append_shipped(&self, length: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.shipped_path();
        let file = self.disk().open(&path, Mode::Write).context("open", &path)?;
        let before = file.length().context("ask the length of", &path)?;
        if before > length {
            file.truncate(length).context("truncate", &path)?;
        }
        let written = write_all_at(file.as_ref(), &mut [IoSlice::new(bytes)], length);
        self.store().shrink(before);
        self.store().grow(file.length().unwrap_or(before));
        written.map_err(|stop| stop.error).context("write", &path)?;
        file.sync_data().context("synchronise", &path)
    }

    /// Replaces it, durably and as a whole.
    ///
    /// # Errors
    /// The disk failed or is full. Either content may be the durable one then; reading gives one of them.
    pub fn replace_shipped(&self, bytes: &[u8]) -> Result<(), StoreError> {
        directory::change(self.store(), self.path(), (names::SHIPPED, names::SHIPPED_NEW), bytes)
    }
}
