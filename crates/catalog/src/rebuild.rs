//! Looking at a catalog without touching it, and making one anew.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capstan_disk::{Disk, Mode, read_up_to};
use redb::backends::InMemoryBackend;
use redb::{Builder, StorageBackend};

use crate::catalog::changes_for;
use crate::mirror::{self, Mirror, MirrorFile};
use crate::{Catalog, CatalogError, State};

/// More than any catalog has.
const LIMIT: u64 = 1 << 30;

/// What there is of a catalog.
#[derive(Debug)]
pub struct Found {
    /// Number of the last change and the state (not checked for contradictions), `None` if there is no file, or why it
    /// cannot be read.
    pub catalog: Option<Result<(u64, State), CatalogError>>,
    /// The two files beside it.
    pub copies: [MirrorFile; 2],
}

impl Found {
    /// The newest state that is kept beside the catalog, and its number.
    #[must_use]
    pub fn mirrored(&self) -> Option<(u64, &State)> {
        mirror::newest(&self.copies).map(|(_, revision, state)| (revision, state))
    }
}

impl Catalog {
    /// Looks at the catalog at `path`, and at what is kept beside it. Nothing is changed, as opening may.
    ///
    /// # Errors
    /// Something was written by a newer release.
    pub fn look_at(path: &Path, disk: &Arc<dyn Disk>) -> Result<Found, CatalogError> {
        let copies = mirror::read(path, disk.as_ref())?;
        let bytes = disk.open(path, Mode::Read).and_then(|file| read_up_to(file.as_ref(), 0, LIMIT));
        let catalog = match bytes {
            Ok(bytes) => Some(Self::closed(path, Arc::clone(disk), &copies).read_bytes(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => Some(Err(CatalogError::Io { what: "read", path: path.to_owned(), source })),
        };
        match catalog {
            Some(Err(error @ CatalogError::NewerVersion { .. })) => Err(error),
            catalog => Ok(Found { catalog, copies }),
        }
    }

    /// Reads a catalog from a copy of its file in memory.
    fn read_bytes(&self, bytes: &[u8]) -> Result<(u64, State), CatalogError> {
        let memory = InMemoryBackend::new();
        // Growth that was cut short may have left part of a page.
        let whole = bytes.len() - bytes.len() % 4096;
        let filled = memory.set_len(u64::try_from(whole).unwrap_or(u64::MAX));
        let filled = filled.and_then(|()| memory.write(0, bytes.get(..whole).unwrap_or_default()));
        filled.map_err(|source| CatalogError::Io { what: "read", path: self.path().to_owned(), source })?;
        if whole == 0 {
            return Err(CatalogError::Unreadable { what: "open the catalog", path: self.path().to_owned() });
        }
        self.guarded("open the catalog", || {
            let opened = Builder::new().create_with_backend(memory);
            let mut database = opened.map_err(|error| self.failed("open the catalog", error))?;
            database.check_integrity().map_err(|error| self.failed("verify the catalog", error))?;
            self.read_from(&database)
        })
    }

    /// Makes a catalog with this state in place of what is there, which gets another name: that is returned. The
    /// number of the state becomes `revision`. A crash leaves the old one, the new one or none, never half of one.
    ///
    /// # Errors
    /// The state contradicts itself, or the disk failed.
    pub fn rebuild(
        path: &Path,
        disk: &Arc<dyn Disk>,
        state: &State,
        revision: u64,
    ) -> Result<Option<PathBuf>, CatalogError> {
        state.check()?;
        let copies = mirror::read(path, disk.as_ref())?;
        let mut catalog = Self::closed(path, Arc::clone(disk), &copies);
        catalog.set_revision(revision);
        let (database, new) = catalog.make(&changes_for(state))?;
        drop(database);
        // First, so that what is newest is known at every moment.
        Mirror::new(path, Arc::clone(disk), &copies).write(state, revision)?;
        let io = |what, source| CatalogError::Io { what, path: path.to_owned(), source };
        let aside = free_name(path, disk.as_ref()).map_err(|error| io("keep", error))?;
        let kept = match disk.rename(path, &aside) {
            Ok(()) => Some(aside),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(io("keep", error)),
        };
        disk.rename(&new, path).map_err(|error| io("name", error))?;
        catalog.sync_directory()?;
        Ok(kept)
    }
}

/// A name beside `path` that nothing has.
fn free_name(path: &Path, disk: &dyn Disk) -> io::Result<PathBuf> {
    for number in 1_u32.. {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".damaged-{number}"));
        match disk.length(Path::new(&name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(name.into()),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
