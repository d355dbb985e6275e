//! A directory as a tier: on a network file system, a second RAID, a disk that is carried away.
//!
//! An object is a file below the root whose path is its key. It is written and synchronised under a name in `.new`,
//! then linked to its own, which fails if that is taken: so it is there as a whole or not at all, and of several who
//! create it at a time one does, also when they are on several machines. No lock is taken. What a crash leaves in
//! `.new` is no object, and is removed by a later start. A root without `.new` is no tier: it is what a file system is
//! mounted on, and nothing in it is believed.

mod files;
mod place;
mod probe;
mod walk;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use crate::{Body, Created, Listing, ObjectInfo, Pending, Tier, TierError, TierErrorKind};
use files::Files;
pub use place::SharedWith;
pub use probe::DirProbe;

/// A directory as a tier. Its calls block a thread of tokio's pool for blocking work, never the caller's.
#[derive(Clone, Debug)]
pub struct DirTier {
    name: String,
    files: Arc<Files>,
}

impl DirTier {
    /// The directory `root` as a tier that may be there or not: nothing is looked at or made. Until it is there every call
    /// fails as [`TierErrorKind::Unavailable`].
    #[must_use]
    pub fn existing(name: &str, root: &Path) -> Self {
        Self { name: name.to_owned(), files: Arc::new(Files::new(root)) }
    }

    /// Makes the directory `root` a tier, if the one above it is there; for who has never used it.
    ///
    /// Blocks: meant for the start.
    ///
    /// # Errors
    /// The directory cannot be made or written.
    pub fn open(name: &str, root: &Path) -> Result<Self, TierError> {
        let tier = Self::existing(name, root);
        tier.files.make()?;
        tier.files.tidy()?;
        Ok(tier)
    }

    /// The directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.files.root()
    }

    /// Whether the tier lies on the same file system as `path`, so that a copy in it is no copy on another disk.
    ///
    /// # Errors
    /// One of the two cannot be looked at.
    pub fn shares_file_system(&self, path: &Path) -> Result<SharedWith, TierError> {
        place::compare(self.files.root(), path)
    }

    /// Does blocking work where blocking does no harm.
    fn blocking<T: Send + 'static>(
        &self,
        operation: &'static str,
        key: &str,
        work: impl FnOnce(&Files, &str) -> Result<T, TierError> + Send + 'static,
    ) -> Pending<'_, T> {
        let (files, key) = (Arc::clone(&self.files), key.to_owned());
        Box::pin(async move {
            let named = key.clone();
            match tokio::task::spawn_blocking(move || work(&files, &key)).await {
                Ok(result) => result,
                Err(error) => Err(TierError::new(TierErrorKind::Unavailable, operation, &named, error.to_string())),
            }
        })
    }
}

impl Tier for DirTier {
    fn name(&self) -> &str {
        &self.name
    }

    fn create<'a>(&'a self, key: &'a str, body: Body) -> Pending<'a, Created> {
        self.blocking("create", key, move |files, key| files.create(key, &body))
    }

    fn read<'a>(&'a self, key: &'a str, range: Range<u64>) -> Pending<'a, Bytes> {
        self.blocking("read", key, move |files, key| files.read(key, range))
    }

    fn head<'a>(&'a self, key: &'a str) -> Pending<'a, ObjectInfo> {
        self.blocking("head", key, |files, key| files.head(key))
    }

    fn list<'a>(&'a self, prefix: &'a str, after: Option<&'a str>) -> Pending<'a, Listing> {
        let after = after.map(str::to_owned);
        self.blocking("list", prefix, move |files, prefix| {
            files.is_there("list", prefix)?;
            walk::page(files.root(), prefix, after.as_deref())
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Pending<'a, ()> {
        self.blocking("delete", key, |files, key| files.delete(key))
    }
}

/// What a file system's answer means for a tier.
pub(crate) fn failure(operation: &'static str, key: &str, path: &Path, error: &std::io::Error) -> TierError {
    use std::io::ErrorKind;
    let (kind, next) = match error.kind() {
        _ if capstan_disk::is_no_space(error) => {
            (TierErrorKind::NoSpace, "; enlarge the file system or the quota, or delete from it")
        }
        ErrorKind::NotFound => (TierErrorKind::NotFound, ""),
        ErrorKind::PermissionDenied => (TierErrorKind::Denied, "; let the daemon's user read and write there"),
        ErrorKind::ReadOnlyFilesystem => (
            TierErrorKind::Denied,
            "; mount it for writing, and if it was, look for errors of the disk in the kernel's log",
        ),
        ErrorKind::FileTooLarge => {
            (TierErrorKind::Misconfigured, "; the file system or a limit has no room for such a file")
        }
        ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::InvalidFilename
        | ErrorKind::Unsupported
        | ErrorKind::InvalidInput => (TierErrorKind::Misconfigured, "; use another directory or file system"),
        // EIO, a stale handle, a server of a network file system that is away: it may come back.
        _ => (
            TierErrorKind::Unavailable,
            "; it is tried again: if it stays so, look for errors of the disk or the network in the kernel's log",
        ),
    };
    TierError::new(kind, operation, key, format!("{}: {error}{next}", path.display()))
}

/// Where in the file system an object lies.
///
/// # Errors
/// The key is none that [`crate::names`] makes: it could lead out of the root or be one of the tier's own files.
pub(crate) fn path_of(root: &Path, operation: &'static str, key: &str) -> Result<PathBuf, TierError> {
    if key.split('/').all(crate::names::is_part) {
        return Ok(root.join(key));
    }
    let message = "keys are parts of A-Z a-z 0-9 - _ . $ + between slashes, none beginning with a dot";
    Err(TierError::new(TierErrorKind::Misconfigured, operation, key, message))
}

#[cfg(test)]
mod tests;
