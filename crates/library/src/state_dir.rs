//! The state directory: made if missing, and held by one daemon at a time.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capstan_disk::{Disk, Lock, Mode};

use crate::LibraryError;

/// Name of the file that is locked.
const LOCK: &str = "lock";

/// Name of the catalog.
const CATALOG: &str = "catalog.redb";

/// Name of the directory of segments that are in a tier too.
const CACHE: &str = "cache";

/// Name of the directory of cartridges.
const CARTRIDGES: &str = "cartridges";

/// Name of the file that is there as long as a recovery from a tier has not come to its end.
pub(crate) const MARK: &str = "recovering";

/// Name of the file that is there until the first start after a library was carried here: a recovery from a tier may
/// take its place, since nothing was done with it.
pub(crate) const CARRIED: &str = "carried";

/// Name of the directory in which whoever ships cartridges remembers tiers.
pub(crate) const MOVER: &str = "tiers";

/// A state directory that is ours until this is dropped.
#[derive(Debug)]
pub(crate) struct StateDir {
    path: PathBuf,
    _lock: Box<dyn Lock>,
}

impl StateDir {
    /// Makes the directory if it is missing, and locks it.
    pub(crate) fn open(path: &Path, disk: &Arc<dyn Disk>) -> Result<Self, LibraryError> {
        create_all(path, disk.as_ref())?;
        let state_dir = Self::existing(path, disk)?;
        // A process that died may have made names that are not durable yet.
        state_dir.sync(disk.as_ref())?;
        Ok(state_dir)
    }

    /// Locks a directory that is there.
    pub(crate) fn existing(path: &Path, disk: &Arc<dyn Disk>) -> Result<Self, LibraryError> {
        let file = path.join(LOCK);
        let lock = disk.lock(&file).map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => LibraryError::Locked(path.to_owned()),
            _ => LibraryError::Io { what: "lock", path: file.clone(), source },
        })?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Marks it as one that is being recovered, durably.
    pub(crate) fn mark(&self, disk: &dyn Disk) -> Result<(), LibraryError> {
        let path = self.path.join(MARK);
        match disk.open(&path, Mode::Create) {
            Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
                return Err(LibraryError::Io { what: "create", path, source });
            }
            Ok(_) | Err(_) => {}
        }
        self.sync(disk)
    }

    /// It is whole.
    pub(crate) fn unmark(&self, disk: &dyn Disk) -> Result<(), LibraryError> {
        let path = self.path.join(MARK);
        disk.remove_file(&path).map_err(|source| LibraryError::Io { what: "remove", path, source })?;
        self.sync(disk)
    }

    /// Refuses one that a recovery or an import has not made whole.
    pub(crate) fn check_whole(&self, disk: &dyn Disk) -> Result<(), LibraryError> {
        let is_there = |name: &str| disk.length(&self.path.join(name)).is_ok();
        if is_there(MARK) {
            return Err(LibraryError::RecoveryUnfinished(self.path.clone()));
        }
        let has_state = [CATALOG, "library.state.0", "library.state.1"].into_iter().any(is_there);
        if is_there(CARRIED) && !has_state {
            return Err(LibraryError::ImportUnfinished(self.path.clone()));
        }
        Ok(())
    }

    /// Notes that a library was carried here and nothing was done with it, durably.
    pub(crate) fn mark_carried(&self, disk: &dyn Disk) -> Result<(), LibraryError> {
        let path = self.path.join(CARRIED);
        disk.open(&path, Mode::Create).map_err(|source| LibraryError::Io { what: "create", path, source })?;
        self.sync(disk)
    }

    /// Something is done with it from now on.
    pub(crate) fn unmark_carried(&self, disk: &dyn Disk) -> Result<(), LibraryError> {
        let path = self.path.join(CARRIED);
        match disk.remove_file(&path) {
            Ok(()) => self.sync(disk),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(LibraryError::Io { what: "remove", path, source }),
        }
    }

    fn sync(&self, disk: &dyn Disk) -> Result<(), LibraryError> {
        disk.sync_directory(&self.path).map_err(|source| LibraryError::Io {
            what: "synchronise the directory",
            path: self.path.clone(),
            source,
        })
    }

    pub(crate) fn mover(&self) -> PathBuf {
        self.path.join(MOVER)
    }

    pub(crate) fn catalog(&self) -> PathBuf {
        self.path.join(CATALOG)
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.path.join(CACHE)
    }

    pub(crate) fn cartridges(&self) -> PathBuf {
        self.path.join(CARTRIDGES)
    }
}

/// Makes a directory and those above it, durably. One that is there may have been made by a process that died before
/// it could synchronise the name.
pub(crate) fn create_all(path: &Path, disk: &dyn Disk) -> Result<(), LibraryError> {
    let failed = |what, source| LibraryError::Io { what, path: path.to_owned(), source };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match disk.create_directory(path) {
        Ok(()) => disk.sync_directory(parent).map_err(|source| failed("synchronise the directory of", source)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match disk.sync_directory(parent) {
            // A directory whose names we may not even read is not one in which we have made anything.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            synchronised => synchronised.map_err(|source| failed("synchronise the directory of", source)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound && parent != Path::new(".") => {
            create_all(parent, disk)?;
            disk.create_directory(path).map_err(|source| failed("create", source))?;
            disk.sync_directory(parent).map_err(|source| failed("synchronise the directory of", source))
        }
        Err(source) => Err(failed("create", source)),
    }
}
