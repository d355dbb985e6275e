//! Objects as files: created durably and at most once.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, IoSlice, Write};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{failure, path_of};
use crate::{Body, Created, ObjectInfo, TierError, TierErrorKind};

/// Where files are written that are no objects yet.
const NEW: &str = ".new";

/// Only the owner may read what hosts back up.
const FILE_MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o700;

/// A file in [`NEW`] that nobody has written to for so long was left by a crash. Removing one that is still wanted
/// makes its `create` fail and be repeated; it harms nothing.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// Directories whose names are remembered to be durable.
const REMEMBERED: usize = 10_000;

/// The files of a tier.
#[derive(Debug)]
pub(super) struct Files {
    root: PathBuf,
    /// Directories whose own names, and those of all above them up to the root, this process has synchronised.
    durable: Mutex<HashSet<PathBuf>>,
}

impl Files {
    /// Files below a root of which nothing is known yet.
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), durable: Mutex::default() }
    }

    /// Makes the root, if the directory above it is there.
    pub(super) fn make(&self) -> Result<(), TierError> {
        let root = &self.root;
        let made = || -> io::Result<()> {
            let was_there = root.is_dir();
            make_directory(root)?;
            make_directory(&root.join(NEW))?;
            sync_directory(root)?;
            // Also of a directory that was there: a start before this one may have ended before it got here.
            match root.parent().filter(|parent| !parent.as_os_str().is_empty()).map(sync_directory) {
                // A directory that others made for us, in one that we may not look at.
                Some(Err(error)) if was_there && error.kind() == ErrorKind::PermissionDenied => Ok(()),
                Some(synchronised) => synchronised,
                None => Ok(()),
            }
        };
        made().map_err(|error| {
            let mut failure = failure("open", "the directory", root, &error);
            if failure.kind == TierErrorKind::NotFound {
                failure.kind = TierErrorKind::Misconfigured;
                failure.message.push_str("; make the directory above it, or mount its file system");
            }
            failure
        })
    }

    /// Removes what crashes have left.
    pub(super) fn tidy(&self) -> Result<(), TierError> {
        self.is_there("open", "the directory")?;
        remove_abandoned(&self.root.join(NEW), SystemTime::now())
            .map_err(|error| failure("open", "the directory", &self.root, &error))
    }

    /// Whether the root is there and is the one of a tier, rather than the directory that a file system is mounted on:
    /// then nothing that is missing in it is an object that is missing.
    pub(super) fn is_there(&self, operation: &'static str, key: &str) -> Result<(), TierError> {
        let mark = self.root.join(NEW);
        match fs::metadata(&mark) {
            Ok(state) if state.is_dir() => return Ok(()),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failure(operation, key, &mark, &error)),
            _ => {}
        }
        let root = self.root.display();
        let message = format!("there is no tier at {root}, which would have a directory {NEW}; mount its file system");
        Err(TierError::new(TierErrorKind::Unavailable, operation, key, message))
    }

    /// What an error means where it could be that the root is gone.
    fn failure(&self, operation: &'static str, key: &str, path: &Path, error: &io::Error) -> TierError {
        let failure = failure(operation, key, path, error);
        if failure.kind != TierErrorKind::NotFound {
            return failure;
        }
        self.is_there(operation, key).err().unwrap_or(failure)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn create(&self, key: &str, body: &Body) -> Result<Created, TierError> {
        let path = path_of(&self.root, "create", key)?;
        let context = |error: io::Error| self.during_create(key, &path, &error);
        let exists = path.try_exists().map_err(context)?;
        let created = if exists { Created::Exists } else { self.write_and_link(&path, body).map_err(context)? };
        // Also when it was there: whoever created it may not have got as far.
        self.make_name_durable(&path).map_err(context)?;
        Ok(created)
    }

    /// A directory or the temporary file that is missing is not an object that is missing: somebody removes things here.
    fn during_create(&self, key: &str, path: &Path, error: &io::Error) -> TierError {
        let mut failure = self.failure("create", key, path, error);
        if failure.kind == TierErrorKind::NotFound {
            failure.kind = TierErrorKind::Unavailable;
        }
        failure
    }

    fn write_and_link(&self, path: &Path, body: &Body) -> io::Result<Created> {
        let temporary = self.root.join(NEW).join(format!("{:032x}", random()?));
        let result = write_durably(&temporary, body)
            .and_then(|()| self.make_directories(path))
            .and_then(|()| link_once(&temporary, path));
        // If it was renamed it is gone already; if it stays, a later start removes it.
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != ErrorKind::NotFound => result.and(Err(error)),
            _ => result,
        }
    }

    /// Makes the directories above `path`; each that may be new has its name synchronised with [`Files::create`].
    fn make_directories(&self, path: &Path) -> io::Result<()> {
        let Some(parent) = path.parent() else { return Ok(()) };
        if parent.is_dir() {
            return Ok(());
        }
        self.make_directories(parent)?;
        make_directory(parent)
    }

    /// The name of a file, and those of the directories above it up to the root.
    fn make_name_durable(&self, path: &Path) -> io::Result<()> {
        let Some(parent) = path.parent() else { return Ok(()) };
        sync_directory(parent)?;
        if parent == self.root || self.is_durable(parent) {
            return Ok(());
        }
        self.make_name_durable(parent)?;
        let mut durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        if durable.len() >= REMEMBERED {
            durable.clear();
        }
        durable.insert(parent.to_owned());
        Ok(())
    }

    fn is_durable(&self, directory: &Path) -> bool {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner).contains(directory)
    }

    pub(super) fn read(&self, key: &str, range: Range<u64>) -> Result<Bytes, TierError> {
        let path = path_of(&self.root, "read", key)?;
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let context = |error: io::Error| self.failure("read", key, &path, &error);
        let file = File::open(&path).map_err(context)?;
        let state = file.metadata().map_err(context)?;
        if !state.is_file() {
            return Err(no_object("read", key));
        }
        let length = state.len();
        let wanted = usize::try_from(range.end - range.start);
        let (true, Ok(wanted)) = (range.end <= length, wanted) else {
            let message = format!("{length} bytes are there, {} to {} were asked for", range.start, range.end);
            return Err(TierError::new(TierErrorKind::Corrupt, "read", key, message));
        };
        let mut bytes = vec![0; wanted];
        file.read_exact_at(&mut bytes, range.start).map_err(context)?;
        Ok(bytes.into())
    }

    pub(super) fn head(&self, key: &str) -> Result<ObjectInfo, TierError> {
        let path = path_of(&self.root, "head", key)?;
        let state = fs::metadata(&path).map_err(|error| self.failure("head", key, &path, &error))?;
        if !state.is_file() {
            return Err(no_object("head", key));
        }
        Ok(ObjectInfo { length: state.len(), etag: None, class: None, last_modified: state.modified().ok() })
    }

    pub(super) fn delete(&self, key: &str) -> Result<(), TierError> {
        let path = path_of(&self.root, "delete", key)?;
        let removed = match fs::remove_file(&path) {
            Ok(()) => path.parent().map_or(Ok(()), sync_directory),
            Err(error) if error.kind() == ErrorKind::NotFound => return self.is_there("delete", key),
            Err(error) => Err(error),
        };
        removed.map_err(|error| self.failure("delete", key, &path, &error))
    }
}

/// What has that name is a directory, in which objects may be.
fn no_object(operation: &'static str, key: &str) -> TierError {
    TierError::new(TierErrorKind::NotFound, operation, key, "there is no such object")
}

fn write_durably(path: &Path, body: &Body) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
    let mut parts: Vec<IoSlice<'_>> = body.parts().iter().map(|part| IoSlice::new(part)).collect();
    let mut rest = parts.as_mut_slice();
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match file.write_vectored(rest) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => IoSlice::advance_slices(&mut rest, count),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    // Never repeated: the caller writes another file.
    file.sync_data()?;
    let length = file.metadata()?.len();
    if length == body.length() {
        return Ok(());
    }
    Err(io::Error::other(format!("the file has {length} bytes after {} were written", body.length())))
}

/// Gives a file its name if nothing has it: by a second name, or on file systems without such by a rename that does
/// not replace.
fn link_once(from: &Path, to: &Path) -> io::Result<Created> {
    let linked = match fs::hard_link(from, to) {
        Err(error) if is_unsupported(&error) => rename_once(from, to),
        linked => linked,
    };
    match linked {
        Ok(()) => Ok(Created::New),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Created::Exists),
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            let message = "the file system can neither link files nor rename them without replacing others";
            Err(io::Error::new(ErrorKind::Unsupported, message))
        }
        Err(error) => Err(error),
    }
}

pub(super) fn rename_once(from: &Path, to: &Path) -> io::Result<()> {
    renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE).map_err(io::Error::from)
}

/// `link` answers EPERM where the file system has no hard links.
fn is_unsupported(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied)
        || error.raw_os_error() == Some(rustix::io::Errno::NOSYS.raw_os_error())
}

/// That there is one is fine.
fn make_directory(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(DIRECTORY_MODE).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(ErrorKind::NotADirectory.into()),
        made => made,
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn remove_abandoned(directory: &Path, now: SystemTime) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let gone = |error: io::Error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) };
        let modified = match fs::symlink_metadata(&path) {
            Ok(state) => state.modified()?,
            Err(error) => {
                gone(error)?;
                continue;
            }
        };
        if now.duration_since(modified).is_ok_and(|age| age >= ABANDONED) {
            fs::remove_file(&path).or_else(gone)?;
        }
    }
    Ok(())
}

fn random() -> io::Result<u128> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(u128::from_le_bytes(bytes))
}

#[cfg(test)]
pub(super) fn remove_abandoned_at(root: &Path, now: SystemTime) -> io::Result<()> {
    remove_abandoned(&root.join(NEW), now)
}
