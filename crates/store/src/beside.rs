//! Small files beside the segments: the wrapped key of a cartridge, and the mark that keeps it in the second area.

use std::io::ErrorKind;

use capstan_disk::{Mode, read_up_to};

use crate::error::Context;
use crate::{CartridgeDirectory, StoreError, directory, names};

/// More than any version of a wrapped key has.
const KEY_LIMIT: u64 = 4096;

/// What lies beside the segments of a cartridge.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a> {
    /// `cartridge.meta`.
    pub meta: &'a [u8],
    /// The log of what is in the tier.
    pub shipped: &'a [u8],
    /// The wrapped keys, if it has any.
    pub key: Option<&'a [u8]>,
}

impl CartridgeDirectory {
    /// Reads the wrapped key; nothing if there is none.
    ///
    /// # Errors
    /// The disk failed.
    pub fn read_key(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path().join(names::KEY);
        let read = self.disk().open(&path, Mode::Read).and_then(|file| read_up_to(file.as_ref(), 0, KEY_LIMIT));
        match read.context("read", &path) {
            Err(error) if error.is_missing() => Ok(None),
            read => read.map(Some),
        }
    }

    /// Replaces the wrapped key, durably and as a whole.
    ///
    /// # Errors
    /// The disk failed or is full. Either content may be the durable one then; reading gives one of them.
    pub fn write_key(&self, bytes: &[u8]) -> Result<(), StoreError> {
        directory::change(self.store(), self.path(), (names::KEY, names::KEY_NEW), bytes)
    }

    /// Whether somebody else goes on with it.
    ///
    /// # Errors
    /// The disk failed.
    pub fn is_fenced(&self) -> Result<bool, StoreError> {
        self.has(names::FENCED)
    }

    /// Somebody else goes on with it, for good; durably.
    ///
    /// # Errors
    /// The disk failed: it may be so or not.
    pub fn set_fenced(&self) -> Result<(), StoreError> {
        self.put(names::FENCED, true)
    }

    /// Whether it is kept in the second area.
    ///
    /// # Errors
    /// The disk failed.
    pub fn is_pinned(&self) -> Result<bool, StoreError> {
        self.has(names::PINNED)
    }

    /// Keeps it in the second area, or no longer; durably.
    ///
    /// # Errors
    /// The disk failed: it may be so or not.
    pub fn set_pinned(&self, pinned: bool) -> Result<(), StoreError> {
        self.put(names::PINNED, pinned)
    }

    fn has(&self, name: &str) -> Result<bool, StoreError> {
        let path = self.path().join(name);
        match self.disk().length(&path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).context("look at", &path),
        }
    }

    fn put(&self, name: &str, there: bool) -> Result<(), StoreError> {
        let path = self.path().join(name);
        let changed = match there {
            true => self.disk().open(&path, Mode::Create).map(drop),
            false => self.disk().remove_file(&path),
        };
        match changed {
            Err(error) if !matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => {
                return Err(error).context("change", &path);
            }
            Ok(()) | Err(_) => {}
        }
        self.disk().sync_directory(self.path()).context("synchronise", self.path())
    }
}
