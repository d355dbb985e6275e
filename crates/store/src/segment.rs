//! One segment file.

use std::io::{IoSlice, IoSliceMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capstan_disk::{File, WriteStopped, read_exact_at, read_up_to, write_all_at};

use crate::error::Context;
use crate::store::Shared;
use crate::{AppendStopped, StoreError};

/// An open segment file.
///
/// One that has been written must stay open until [`Segment::sync`] has succeeded: the kernel reports a failed
/// write-back only to descriptors that were open when it happened.
#[derive(Debug)]
pub struct Segment {
    sequence: u64,
    path: PathBuf,
    file: Box<dyn File>,
    /// Bytes of it that the store counts.
    counted: u64,
    local: bool,
    store: Arc<Shared>,
}

impl Segment {
    pub(crate) fn new(
        sequence: u64,
        path: PathBuf,
        file: Box<dyn File>,
        store: Arc<Shared>,
    ) -> Result<Self, StoreError> {
        let counted = file.length().context("ask the length of", &path)?;
        Ok(Self { sequence, path, file, counted, local: true, store })
    }

    /// Whether it can be read without waiting for another store.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.local
    }

    /// Whether that range can be read without waiting for another store.
    #[must_use]
    pub fn is_at_hand(&self, offset: u64, length: u64) -> bool {
        self.local || self.file.is_at_hand(offset, length)
    }

    pub(crate) fn recalled(self) -> Self {
        Self { local: false, ..self }
    }

    /// Its number.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Its file, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes in it when it was opened, and those written through this since.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.counted
    }

    /// Writes `parts` one after the other at `offset`.
    ///
    /// # Errors
    /// How much was written before the disk failed or was full.
    pub fn write(&mut self, parts: &mut [IoSlice<'_>], offset: u64) -> Result<(), AppendStopped> {
        let wanted: usize = parts.iter().map(|part| part.len()).sum();
        let outcome = write_all_at(self.file.as_ref(), parts, offset);
        let written = outcome.as_ref().err().map_or(u64::try_from(wanted).unwrap_or(u64::MAX), |stop| stop.written);
        let end = offset.saturating_add(written);
        if written > 0 && end > self.counted {
            self.store.grow(end - self.counted);
            self.counted = end;
        }
        outcome.map_err(|WriteStopped { written, error }| AppendStopped {
            written,
            error: StoreError::Io { what: "write", path: self.path.clone(), source: error },
        })
    }

    /// Fills `parts` one after the other from `offset`.
    ///
    /// # Errors
    /// The file ends before, or the disk failed.
    pub fn read(&self, parts: &mut [IoSliceMut<'_>], offset: u64) -> Result<(), StoreError> {
        read_exact_at(self.file.as_ref(), parts, offset).context("read", &self.path)
    }

    /// Reads what there is at `offset`, at most as much as fits; 0 bytes only at the end.
    ///
    /// # Errors
    /// The disk failed.
    pub fn read_at(&self, into: &mut [u8], offset: u64) -> std::io::Result<usize> {
        self.file.read_at(&mut [IoSliceMut::new(into)], offset)
    }

    /// Reads from `offset` to the end, at most `limit` bytes.
    ///
    /// # Errors
    /// The disk failed.
    pub fn read_from(&self, offset: u64, limit: u64) -> Result<Vec<u8>, StoreError> {
        read_up_to(self.file.as_ref(), offset, limit).context("read", &self.path)
    }

    /// Cuts the file to `length` bytes.
    ///
    /// # Errors
    /// The disk failed.
    pub fn truncate(&mut self, length: u64) -> Result<(), StoreError> {
        self.file.truncate(length).context("truncate", &self.path)?;
        self.store.shrink(self.counted.saturating_sub(length));
        self.counted = self.counted.min(length);
        Ok(())
    }

    /// Makes the content durable. The name is durable after [`crate::CartridgeDirectory::sync_names`].
    ///
    /// # Errors
    /// The disk failed: what was written since the last success is untrusted, and another call proves nothing.
    pub fn sync(&self) -> Result<(), StoreError> {
        self.file.sync_data().context("synchronise", &self.path)
    }

    /// The next read shows what the disk holds, as far as the kernel allows.
    ///
    /// # Errors
    /// The disk failed.
    pub fn forget_cache(&self) -> Result<(), StoreError> {
        self.file.forget_cache().context("drop the cache of", &self.path)
    }
}
