//! The directory of all cartridges.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use capstan_disk::Disk;

use crate::StoreError;

/// The directory in which all cartridges live. Clones share it.
#[derive(Clone, Debug)]
pub struct Store(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    #[expect(dead_code)]
    root: PathBuf,
    #[expect(dead_code)]
    disk: Arc<dyn Disk>,
}

impl Store {
    /// Opens the store in the directory `root`, which is created if missing and locked against other processes.
    ///
    /// # Errors
    /// Another process has it, or the disk failed.
    pub fn open(root: &Path, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        Ok(Self(Arc::new(Shared { root: root.to_owned(), disk })))
    }
}
