//! The same state once more, in two plain files beside the catalog, so that a lost catalog costs nothing.
//!
//! Each change is committed to the catalog first and written here second, and only then answered. So what is here is
//! never newer than the catalog, unless the catalog has lost a commit; and it is what was answered, or one change more.
//! The two files are written in turns, in place: a write that is cut short damages the older one, and a full disk
//! does not stop it. Each holds the state twice, so that a damaged byte costs nothing either.

use std::fmt;
use std::io::{self, ErrorKind, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capstan_disk::{Disk, Mode, read_up_to, write_all_at};

use crate::image::{self, ImageError};
use crate::{CatalogError, State};

/// Each half of a file is a multiple of this long, so that the files seldom grow.
const ROOM: usize = 16 << 10;

/// More than any library needs.
const LIMIT: u64 = 1 << 30;

/// One of the two files as it was found.
#[derive(Debug)]
pub enum MirrorFile {
    /// It is not there.
    Missing,
    /// It does not prove itself.
    Damaged(String),
    /// The state, and the number of the change that it was written after.
    Good {
        /// The number.
        revision: u64,
        /// The state, not checked for contradictions.
        state: State,
    },
}

/// The two files.
pub(crate) struct Mirror {
    paths: [PathBuf; 2],
    disk: Arc<dyn Disk>,
    /// The one that holds the newest good state. The other is written next.
    newest: Option<usize>,
}

impl fmt::Debug for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirror").field("paths", &self.paths).field("newest", &self.newest).finish_non_exhaustive()
    }
}

/// Where the two files are, for a catalog.
pub(crate) fn paths(catalog: &Path) -> [PathBuf; 2] {
    ["library.state.0", "library.state.1"].map(|name| catalog.with_file_name(name))
}

/// Both files as they are.
pub(crate) fn read(catalog: &Path, disk: &dyn Disk) -> Result<[MirrorFile; 2], CatalogError> {
    let [first, second] = paths(catalog);
    Ok([read_one(&first, disk)?, read_one(&second, disk)?])
}

fn read_one(path: &Path, disk: &dyn Disk) -> Result<MirrorFile, CatalogError> {
    let bytes = disk.open(path, Mode::Read).and_then(|file| read_up_to(file.as_ref(), 0, LIMIT));
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(MirrorFile::Missing),
        Err(error) => return Ok(MirrorFile::Damaged(error.to_string())),
    };
    let half = bytes.get(bytes.len() / 2..).unwrap_or_default();
    match image::decode(&bytes).or_else(|first| image::decode(half).map_err(|_| first)) {
        Ok((revision, state)) => Ok(MirrorFile::Good { revision, state }),
        Err(ImageError::NewerVersion(version)) => Err(CatalogError::NewerState { path: path.to_owned(), version }),
        Err(error) => Ok(MirrorFile::Damaged(error.to_string())),
    }
}

/// The newest of two, and which it is.
pub(crate) fn newest(copies: &[MirrorFile; 2]) -> Option<(usize, u64, &State)> {
    let good = copies.iter().enumerate().filter_map(|(index, copy)| match copy {
        MirrorFile::Good { revision, state } => Some((index, *revision, state)),
        MirrorFile::Missing | MirrorFile::Damaged(_) => None,
    });
    good.max_by_key(|(_, revision, _)| *revision)
}

impl Mirror {
    pub(crate) fn new(catalog: &Path, disk: Arc<dyn Disk>, copies: &[MirrorFile; 2]) -> Self {
        Self { paths: paths(catalog), disk, newest: newest(copies).map(|(index, ..)| index) }
    }

    /// Writes a state, durably.
    pub(crate) fn write(&mut self, state: &State, revision: u64) -> Result<(), CatalogError> {
        let next = if self.newest == Some(0) { 1 } else { 0 };
        let Some(path) = self.paths.get(next).cloned() else { return Ok(()) };
        let io = |what, source| CatalogError::Io { what, path: path.clone(), source };
        self.write_file(&path, &image::encode(state, revision, [0; 8])).map_err(|error| io("write", error))?;
        self.newest = Some(next);
        Ok(())
    }

    fn write_file(&self, path: &Path, image: &[u8]) -> io::Result<()> {
        let (file, made) = match self.disk.open(path, Mode::Write) {
            Err(error) if error.kind() == ErrorKind::NotFound => (self.disk.open(path, Mode::Create)?, true),
            opened => (opened?, false),
        };
        // The second copy begins in the middle of the file, however long that is.
        let before = usize::try_from(file.length()?).unwrap_or(usize::MAX) / 2;
        let half = image.len().max(before).next_multiple_of(ROOM);
        let room = vec![0; half.saturating_sub(image.len())];
        let mut parts = [image, &room, image, &room].map(IoSlice::new);
        write_all_at(file.as_ref(), &mut parts, 0).map_err(|stopped| stopped.error)?;
        file.sync_data()?;
        if made {
            self.disk.sync_directory(path.parent().unwrap_or(Path::new(".")))?;
        }
        Ok(())
    }
}
