//! The catalog's file: opened, read as a whole, changed by commits.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capstan_disk::{Disk, Mode};
use capstan_media::{CartridgeId, Place};
use redb::{
    Builder, Database, Durability, Key, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition,
};
use redb::{ReadTransaction, StorageBackend as _, TableError, WriteTransaction};

use crate::backend::DiskBackend;
use crate::mirror::{self, Mirror, MirrorFile};
use crate::row::{RevisionRow, Row, Undecodable, decode, encode};
use crate::tables::{
    CARTRIDGES, CARTRIDGES_NAME, IDENTITY_KEY, LIBRARY, LIBRARY_NAME, MAX_ROWS, PLACES, PLACES_NAME, REVISION_KEY,
    cartridge, place, place_key,
};
use crate::{CartridgeRow, CatalogError, IdentityRow, PlaceRow, State};

/// Bytes of the file that redb may keep in memory; its default is a gigabyte.
const CACHE: usize = 4 << 20;

/// One change of the catalog. Several make one commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// The library's identity is set or changed.
    Identity(IdentityRow),
    /// A cartridge is new or changed.
    Cartridge(CartridgeId, CartridgeRow),
    /// A cartridge is no longer listed.
    CartridgeGone(CartridgeId),
    /// A place holds this from now on.
    Place(Place, PlaceRow),
    /// A place holds nothing any more.
    PlaceEmpty(Place),
}

/// The open catalog. One owner; blocking.
pub struct Catalog {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    /// `None` after a failed commit: what the file holds is not known then.
    database: Option<Database>,
    mirror: Mirror,
    /// The number of the last change that was tried.
    revision: u64,
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalog").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Catalog {
    /// Opens the catalog at `path`, or makes an empty one. The caller holds the lock of the state directory.
    ///
    /// A new file gets its name only once it is a whole, synchronised database, so a crash leaves none or a good one.
    ///
    /// # Errors
    /// The disk failed, or the file is no database, damaged, missing, or older than what is mirrored.
    pub fn open(path: &Path, disk: Arc<dyn Disk>) -> Result<Self, CatalogError> {
        let copies = mirror::read(path, disk.as_ref())?;
        let mut catalog = Self::closed(path, disk, &copies);
        match catalog.open_file() {
            Err(CatalogError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                if copies.iter().any(|copy| !matches!(copy, MirrorFile::Missing)) {
                    return Err(CatalogError::Missing(path.to_owned()));
                }
                catalog.create()?;
            }
            opened => catalog.database = Some(opened?),
        }
        catalog.catch_up(&copies)?;
        Ok(catalog)
    }

    pub(crate) fn closed(path: &Path, disk: Arc<dyn Disk>, copies: &[MirrorFile; 2]) -> Self {
        let mirror = Mirror::new(path, Arc::clone(&disk), copies);
        Self { path: path.to_owned(), disk, database: None, mirror, revision: 0 }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Number of the last change.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The number that the rows written next carry.
    pub(crate) fn set_revision(&mut self, revision: u64) {
        self.revision = revision;
    }

    /// Writes what is mirrored anew if it lags behind: the process died between the two.
    fn catch_up(&mut self, copies: &[MirrorFile; 2]) -> Result<(), CatalogError> {
        let Some(database) = &self.database else { return Ok(()) };
        // A value that cannot be read is told by `read`.
        let Ok((revision, state)) = self.guarded("read", || self.read_from(database)) else { return Ok(()) };
        self.revision = revision;
        if let Some((_, mirrored, known)) = mirror::newest(copies) {
            let other = |state: &State| state.identity.map(|identity| identity.uuid);
            if mirrored > revision || other(known) != other(&state) || (mirrored == revision && *known != state) {
                return Err(CatalogError::Older { path: self.path.clone(), catalog: revision, state: mirrored });
            }
            if mirrored == revision {
                return Ok(());
            }
        }
        if revision == 0 { Ok(()) } else { self.mirror.write(&state, revision) }
    }

    /// Reads everything.
    ///
    /// # Errors
    /// A value is damaged or of a newer version (its table and key are named), or values contradict each other.
    pub fn read(&self) -> Result<State, CatalogError> {
        let database = self.database.as_ref().ok_or(CatalogError::Unsettled)?;
        let (_, state) = self.guarded("read", || self.read_from(database))?;
        state.check()?;
        Ok(state)
    }

    /// Number of the last change, and the state, not checked for contradictions.
    pub(crate) fn read_from(&self, database: &impl ReadableDatabase) -> Result<(u64, State), CatalogError> {
        let transaction = database.begin_read().map_err(|error| self.failed("begin reading", error))?;
        let (mut state, mut revision) = (State::default(), RevisionRow::default());
        self.each(&transaction, LIBRARY, LIBRARY_NAME, |key, value| {
            if key == REVISION_KEY {
                revision = row(LIBRARY_NAME, || key.to_owned(), value)?;
                return Ok(());
            }
            if key == IDENTITY_KEY {
                state.identity = Some(row(LIBRARY_NAME, || key.to_owned(), value)?);
                return Ok(());
            }
            Err(damaged(LIBRARY_NAME, key.to_owned(), "an unknown key"))
        })?;
        self.each(&transaction, CARTRIDGES, CARTRIDGES_NAME, |key, value| {
            let id = cartridge(key);
            state.cartridges.insert(id, row(CARTRIDGES_NAME, || id.to_string(), value)?);
            Ok(())
        })?;
        self.each(&transaction, PLACES, PLACES_NAME, |key, value| {
            let name = || format!("{key:?}");
            let place = place(key).ok_or_else(|| damaged(PLACES_NAME, name(), "no kind of place has this number"))?;
            state.places.insert(place, row(PLACES_NAME, || place.to_string(), value)?);
            Ok(())
        })?;
        Ok((revision.0, state))
    }

    /// True after a failed commit: only [`Catalog::replace`] works until it has succeeded.
    #[must_use]
    pub fn is_unsettled(&self) -> bool {
        self.database.is_none()
    }

    /// Makes changes durably, all or none.
    ///
    /// # Errors
    /// The disk failed. The file may hold the changes or not, so [`Catalog::replace`] has to come next.
    pub fn commit(&mut self, changes: &[Change]) -> Result<(), CatalogError> {
        let database = self.database.take().ok_or(CatalogError::Unsettled)?;
        self.revision = self.revision.saturating_add(1);
        let database = self.transact(database, |transaction| self.write_changes(transaction, changes))?;
        self.conclude(database)
    }

    /// Mirrors what was committed. Should that fail, the change counts as little as a commit that failed.
    fn conclude(&mut self, database: Database) -> Result<(), CatalogError> {
        let (revision, state) = self.guarded("read", || self.read_from(&database))?;
        self.mirror.write(&state, revision)?;
        self.database = Some(database);
        Ok(())
    }

    /// Writes a whole state in place of what is there, durably: after a failed commit, or a catalog rebuilt from
    /// the cartridges on disk.
    ///
    /// # Errors
    /// The state contradicts itself, or the disk failed.
    pub fn replace(&mut self, state: &State) -> Result<(), CatalogError> {
        state.check()?;
        let database = match self.database.take() {
            Some(database) => database,
            None => self.open_file()?,
        };
        self.revision = self.revision.saturating_add(1);
        let database = self.transact(database, |transaction| {
            for table in [LIBRARY_NAME, CARTRIDGES_NAME, PLACES_NAME] {
                let any: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new(table);
                transaction.delete_table(any).map_err(|error| self.failed("clear a table", error))?;
            }
            self.write_changes(transaction, &changes_for(state))
        })?;
        self.conclude(database)
    }

    /// Opens an existing file and verifies all of it: it is small, and redb checks pages only when told to.
    ///
    /// redb takes a file without a page for one to be made. Here it is damage: [`Catalog::create`] leaves none such, and
    /// an empty catalog would be another library.
    fn open_file(&self) -> Result<Database, CatalogError> {
        let file = self.disk.open(&self.path, Mode::Write).map_err(|error| self.io("open", error))?;
        let backend = DiskBackend(file);
        if backend.len().map_err(|error| self.io("open", error))? == 0 {
            return Err(CatalogError::Unreadable { what: "open the catalog", path: self.path.clone() });
        }
        self.guarded("open the catalog", || {
            let opened = Builder::new().set_cache_size(CACHE).create_with_backend(backend);
            let mut database = opened.map_err(|error| self.failed("open the catalog", error))?;
            database.check_integrity().map_err(|error| self.failed("verify the catalog", error))?;
            Ok(database)
        })
    }

    /// redb panics on some kinds of damage: that is an answer like any other.
    pub(crate) fn guarded<T>(
        &self,
        what: &'static str,
        work: impl FnOnce() -> Result<T, CatalogError>,
    ) -> Result<T, CatalogError> {
        catch_unwind(AssertUnwindSafe(work))
            .unwrap_or_else(|_| Err(CatalogError::Unreadable { what, path: self.path.clone() }))
    }

    fn create(&mut self) -> Result<(), CatalogError> {
        let (database, temporary) = self.make(&[])?;
        self.disk.rename(&temporary, &self.path).map_err(|error| self.io("name", error))?;
        self.sync_directory()?;
        self.database = Some(database);
        Ok(())
    }

    /// A whole, synchronised database with these rows, under a name that does not count.
    pub(crate) fn make(&self, changes: &[Change]) -> Result<(Database, PathBuf), CatalogError> {
        let mut temporary = self.path.clone().into_os_string();
        temporary.push(".new");
        let temporary = PathBuf::from(temporary);
        match self.disk.remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(self.io("replace", error)),
            _ => {}
        }
        let file = self.disk.open(&temporary, Mode::Create).map_err(|error| self.io("create", error))?;
        let database = Builder::new()
            .set_cache_size(CACHE)
            .create_with_backend(DiskBackend(file))
            .map_err(|error| self.failed("create the catalog", error))?;
        let database = self.transact(database, |transaction| self.write_changes(transaction, changes))?;
        Ok((database, temporary))
    }

    pub(crate) fn sync_directory(&self) -> Result<(), CatalogError> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        self.disk.sync_directory(directory).map_err(|error| self.io("synchronise the directory of", error))
    }

    /// One commit; gives the database back only if it succeeded.
    ///
    /// In two phases: without that redb takes damage of the newest commit for a torn one and silently goes back to
    /// the commit before it, which would put a cartridge where it was before an acknowledged move.
    fn transact(
        &self,
        database: Database,
        write: impl FnOnce(&WriteTransaction) -> Result<(), CatalogError>,
    ) -> Result<Database, CatalogError> {
        self.guarded("commit a change", || {
            let mut transaction = database.begin_write().map_err(|error| self.failed("begin a change", error))?;
            transaction.set_durability(Durability::Immediate).map_err(|error| self.failed("begin a change", error))?;
            transaction.set_two_phase_commit(true);
            write(&transaction)?;
            transaction.commit().map_err(|error| self.failed("commit a change", error))?;
            Ok(database)
        })
    }

    fn write_changes(&self, transaction: &WriteTransaction, changes: &[Change]) -> Result<(), CatalogError> {
        let table = |error: TableError| self.failed("open a table", error);
        let mut library = transaction.open_table(LIBRARY).map_err(table)?;
        let mut cartridges = transaction.open_table(CARTRIDGES).map_err(table)?;
        let mut places = transaction.open_table(PLACES).map_err(table)?;
        let revision = bytes(LIBRARY_NAME, &RevisionRow(self.revision))?;
        library.insert(REVISION_KEY, revision.as_slice()).map_err(|error| self.failed("change a row", error))?;
        for change in changes {
            match change {
                Change::Identity(row) => library.insert(IDENTITY_KEY, bytes(LIBRARY_NAME, row)?.as_slice()).map(drop),
                Change::Cartridge(id, row) => {
                    cartridges.insert(&id.0, bytes(CARTRIDGES_NAME, row)?.as_slice()).map(drop)
                }
                Change::CartridgeGone(id) => cartridges.remove(&id.0).map(drop),
                Change::Place(at, row) => places.insert(place_key(*at), bytes(PLACES_NAME, row)?.as_slice()).map(drop),
                Change::PlaceEmpty(at) => places.remove(place_key(*at)).map(drop),
            }
            .map_err(|error| self.failed("change a row", error))?;
        }
        Ok(())
    }

    /// Calls `visit` with each row, at most [`MAX_ROWS`].
    fn each<K: Key + 'static>(
        &self,
        transaction: &ReadTransaction,
        definition: TableDefinition<'_, K, &'static [u8]>,
        name: &'static str,
        mut visit: impl for<'a> FnMut(K::SelfType<'a>, &[u8]) -> Result<(), CatalogError>,
    ) -> Result<(), CatalogError> {
        let failed = |error: redb::StorageError| self.failed("read a row", error);
        let table = match transaction.open_table(definition) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(()),
            Err(error) => return Err(self.failed("open a table", error)),
        };
        let count = table.len().map_err(failed)?;
        if count > MAX_ROWS {
            let what = format!("{count} rows are more than any library has");
            return Err(CatalogError::Damaged { table: name, key: "(all)".to_owned(), what });
        }
        for entry in table.iter().map_err(failed)? {
            let (key, value) = entry.map_err(failed)?;
            visit(key.value(), value.value())?;
        }
        Ok(())
    }

    pub(crate) fn failed(&self, what: &'static str, error: impl Into<redb::Error>) -> CatalogError {
        CatalogError::Database { what, path: self.path.clone(), source: Box::new(error.into()) }
    }

    fn io(&self, what: &'static str, source: io::Error) -> CatalogError {
        CatalogError::Io { what, path: self.path.clone(), source }
    }
}

pub(crate) fn changes_for(state: &State) -> Vec<Change> {
    let identity = state.identity.iter().map(|row| Change::Identity(*row));
    let cartridges = state.cartridges.iter().map(|(id, row)| Change::Cartridge(*id, row.clone()));
    let places = state.places.iter().map(|(place, row)| Change::Place(*place, *row));
    identity.chain(cartridges).chain(places).collect()
}

fn bytes<R: Row>(table: &'static str, row: &R) -> Result<Vec<u8>, CatalogError> {
    encode(row).map_err(|error| damaged(table, "(new)".to_owned(), &format!("cannot be encoded: {error}")))
}

fn row<R: Row>(table: &'static str, key: impl Fn() -> String, value: &[u8]) -> Result<R, CatalogError> {
    decode(value).map_err(|error| match error {
        Undecodable::Newer(version) => CatalogError::NewerVersion { table, key: key(), version, known: R::VERSION },
        Undecodable::Damaged(what) => CatalogError::Damaged { table, key: key(), what },
    })
}

fn damaged(table: &'static str, key: String, what: &str) -> CatalogError {
    CatalogError::Damaged { table, key, what: what.to_owned() }
}
