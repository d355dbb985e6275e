//! A segment on its way back from a tier.

use std::io::IoSlice;
use std::path::PathBuf;
use std::sync::Arc;

use capstan_disk::{File, write_all_at};

use crate::StoreError;
use crate::cache::CachedSegment;
use crate::error::Context;
use crate::store::Shared;

/// A file in the second area that becomes a segment once all of it is there. Dropped before, it is removed.
#[derive(Debug)]
pub struct Arrival {
    segment: CachedSegment,
    path: PathBuf,
    file: Box<dyn File>,
    store: Arc<Shared>,
    adopted: bool,
}

impl Arrival {
    pub(crate) fn new(segment: CachedSegment, path: PathBuf, file: Box<dyn File>, store: Arc<Shared>) -> Self {
        Self { segment, path, file, store, adopted: false }
    }

    /// Writes some of it, in any order.
    ///
    /// # Errors
    /// The disk failed or is full.
    pub fn write(&self, bytes: &[u8], offset: u64) -> Result<(), StoreError> {
        let written = write_all_at(self.file.as_ref(), &mut [IoSlice::new(bytes)], offset);
        written.map_err(|stop| stop.error).context("write", &self.path)
    }

    /// All of it is there: from now on it is read from here. It is not synchronised: what a loss of power leaves of it
    /// does not prove itself, and is fetched again.
    ///
    /// # Errors
    /// The disk failed.
    pub fn adopt(mut self) -> Result<u64, StoreError> {
        let Some(cache) = self.store.cache.get() else { return Ok(0) };
        let length = self.file.length().context("ask the length of", &self.path)?;
        cache.adopt(self.segment, &self.path, length)?;
        self.adopted = true;
        Ok(length)
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        if let (false, Some(cache)) = (self.adopted, self.store.cache.get()) {
            cache.discard(&self.path);
        }
    }
}
