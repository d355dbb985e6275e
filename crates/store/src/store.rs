//! The directory of all cartridges.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use capstan_disk::{Disk, Lock};
use capstan_media::CartridgeId;

use crate::cache::{Cache, CachedSegment};
use crate::error::Context;
use crate::{Beside, CartridgeDirectory, Recall, StoreError, directory, names};

/// The directory in which all cartridges live. Clones share it.
#[derive(Clone, Debug)]
pub struct Store(Arc<Shared>);

/// A store for those whom the store itself has: as long as anybody else does.
#[derive(Clone, Debug)]
pub struct WeakStore(Weak<Shared>);

impl WeakStore {
    /// The store, if anybody has it.
    ///
    /// # Errors
    /// Nobody has.
    pub fn upgrade(&self) -> Result<Store, StoreError> {
        self.0.upgrade().map(Store).ok_or(StoreError::Closed)
    }
}

#[derive(Debug)]
pub(crate) struct Shared {
    root: PathBuf,
    pub(crate) disk: Arc<dyn Disk>,
    used: AtomicU64,
    left: AtomicU64,
    claims: Mutex<Claims>,
    /// A brief claim has ended.
    given_back: Condvar,
    pub(crate) recall: OnceLock<Arc<dyn Recall>>,
    pub(crate) cache: OnceLock<Cache>,
    _lock: Box<dyn Lock>,
}

/// Who works on what.
#[derive(Debug, Default)]
struct Claims {
    /// Cartridges that somebody works on.
    claimed: BTreeSet<CartridgeId>,
    /// Those of them that are claimed for a moment only: whoever wants one waits.
    brief: BTreeSet<CartridgeId>,
    /// Cartridges that somebody has worked on, or does, since they were last asked for.
    touched: BTreeSet<CartridgeId>,
}

/// How long a claim waits for the end of a brief one.
const PATIENCE: Duration = Duration::from_secs(30);

impl Store {
    /// Opens the store in the directory `root`, which is created if missing and locked against other processes.
    ///
    /// # Errors
    /// Another process has it, or the disk failed.
    pub fn open(root: &Path, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        create_path(disk.as_ref(), root)?;
        let lock = lock(disk.as_ref(), root)?;
        for directory in [names::tapes(root), names::limbo(root)] {
            create_if_missing(disk.as_ref(), &directory)?;
        }
        disk.sync_directory(root).context("synchronise", root)?;
        sync_names_of_cartridges(disk.as_ref(), &names::tapes(root))?;
        remove_contents(disk.as_ref(), &names::limbo(root))?;
        let used = AtomicU64::new(bytes_under(disk.as_ref(), &names::tapes(root))?);
        Ok(Self::new(root, disk, used, lock))
    }

    /// Opens a store that is there and changes nothing in it but the lock: what a crash left in limbo stays.
    ///
    /// # Errors
    /// Another process has it, it is missing, or the disk failed.
    pub fn open_as_it_is(root: &Path, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        let lock = lock(disk.as_ref(), root)?;
        let used = AtomicU64::new(bytes_under(disk.as_ref(), &names::tapes(root))?);
        Ok(Self::new(root, disk, used, lock))
    }

    fn new(root: &Path, disk: Arc<dyn Disk>, used: AtomicU64, lock: Box<dyn Lock>) -> Self {
        Self(Arc::new(Shared {
            root: root.to_owned(),
            disk,
            used,
            left: AtomicU64::new(0),
            claims: Mutex::default(),
            given_back: Condvar::new(),
            recall: OnceLock::new(),
            cache: OnceLock::new(),
            _lock: lock,
        }))
    }

    /// For those whom the store itself has.
    #[must_use]
    pub fn downgrade(&self) -> WeakStore {
        WeakStore(Arc::downgrade(&self.0))
    }

    /// Opens the second area, for segments that are in a tier as well, and removes what is in it of cartridges that are
    /// gone. The first one counts.
    ///
    /// # Errors
    /// Another process has it, or the disk failed.
    pub fn open_cache(&self, root: &Path) -> Result<(), StoreError> {
        let cache = Cache::open(root, Arc::clone(&self.0.disk))?;
        for cartridge in cache.cartridges() {
            if !self.0.exists(&names::cartridge(&self.0.root, cartridge))? {
                cache.forget(cartridge)?;
            }
        }
        let _ = self.0.cache.set(cache);
        Ok(())
    }

    /// Opens the second area, if it is there, and changes nothing in it but the lock. The first one counts.
    ///
    /// # Errors
    /// Another process has it, or the disk failed.
    pub fn open_cache_as_it_is(&self, root: &Path) -> Result<(), StoreError> {
        if self.0.exists(root)? {
            let _ = self.0.cache.set(Cache::open_as_it_is(root, Arc::clone(&self.0.disk))?);
        }
        Ok(())
    }

    /// Where the second area is, if there is one.
    #[must_use]
    pub fn cache_root(&self) -> Option<&Path> {
        self.0.cache.get().map(Cache::root)
    }

    /// Whether there is a second area, and it is in use.
    #[must_use]
    pub fn has_cache(&self) -> bool {
        self.0.cache.get().is_some_and(Cache::is_in_use)
    }

    /// Leaves the second area alone, because its disk fails or hangs, or goes on with it. Blocks on the disk.
    pub fn use_cache(&self, in_use: bool) {
        if let Some(cache) = self.0.cache.get() {
            cache.set_in_use(in_use);
        }
    }

    /// Bytes in the second area.
    #[must_use]
    pub fn cached(&self) -> u64 {
        self.0.cache.get().map_or(0, Cache::used)
    }

    /// Bytes that can still be allocated on the file system of the second area; of the first if there is no second.
    ///
    /// # Errors
    /// The disk failed.
    pub fn cache_free_space(&self) -> Result<u64, StoreError> {
        self.0.cache.get().map_or_else(|| self.0.free_space(), Cache::free_space)
    }

    /// The segments in the second area with their lengths, the one that was not used for the longest time first.
    #[must_use]
    pub fn coldest(&self) -> Vec<(CachedSegment, u64)> {
        self.0.cache.get().map(Cache::coldest).unwrap_or_default()
    }

    /// Cartridges that somebody has worked on since the last call.
    #[must_use]
    pub fn take_touched(&self) -> Vec<CartridgeId> {
        std::mem::take(&mut self.0.claims().touched).into_iter().collect()
    }

    /// Says that a cartridge was worked on, after a brief claim.
    pub fn touch(&self, id: CartridgeId) {
        self.0.claims().touched.insert(id);
    }

    /// Says who brings back what was evicted. The first word counts.
    pub fn set_recall(&self, recall: Arc<dyn Recall>) {
        let _ = self.0.recall.set(recall);
    }

    /// The directory that it was opened in.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.0.root
    }

    /// Bytes in the files of all cartridges.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Bytes that have left the files of all cartridges since it was opened: how fast room comes free.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.0.left.load(Ordering::Relaxed)
    }

    /// Bytes that can still be allocated on the file system of the store.
    ///
    /// # Errors
    /// The disk failed.
    pub fn free_space(&self) -> Result<u64, StoreError> {
        self.0.free_space()
    }

    /// All cartridges, in no particular order.
    ///
    /// # Errors
    /// The disk failed.
    pub fn list(&self) -> Result<Vec<CartridgeId>, StoreError> {
        let Shared { disk, root, .. } = self.0.as_ref();
        let tapes = names::tapes(root);
        let mut found = Vec::new();
        for fan in disk.list(&tapes).context("list", &tapes)? {
            if fan.is_directory {
                let fan = tapes.join(fan.name);
                let entries = disk.list(&fan).context("list", &fan)?;
                found.extend(entries.iter().filter_map(|entry| names::parse_cartridge(&entry.name)));
            }
        }
        Ok(found)
    }

    /// Creates a cartridge with this `cartridge.meta`, durably. A crash leaves it whole or absent.
    ///
    /// # Errors
    /// It exists, or the disk failed or is full.
    pub fn create(&self, id: CartridgeId, meta: &[u8]) -> Result<(), StoreError> {
        self.bring(id, &[(names::META, names::META_NEW, meta)])
    }

    /// Creates a cartridge whose segments are all elsewhere, with all that lies beside them, durably. A crash leaves it
    /// whole or absent.
    ///
    /// # Errors
    /// It exists, or the disk failed or is full.
    pub fn bring_back(&self, id: CartridgeId, beside: &Beside<'_>) -> Result<(), StoreError> {
        let Beside { meta, shipped, key } = *beside;
        let files = [(names::META, names::META_NEW, meta), (names::SHIPPED, names::SHIPPED_NEW, shipped)];
        let key = key.map(|key| (names::KEY, names::KEY_NEW, key));
        self.bring(id, &files.into_iter().chain(key).collect::<Vec<_>>())
    }

    fn bring(&self, id: CartridgeId, files: &[(&str, &str, &[u8])]) -> Result<(), StoreError> {
        let shared = self.0.as_ref();
        let disk = shared.disk.as_ref();
        let claim = self.claim_name(id)?;
        let (fan, path) = (names::fan(&shared.root, id), names::cartridge(&shared.root, id));
        if shared.exists(&path)? {
            return Err(StoreError::AlreadyExists(id));
        }
        let tapes = names::tapes(&shared.root);
        create_if_missing(disk, &fan)?;
        disk.sync_directory(&tapes).context("synchronise", &tapes)?;
        let staged = names::limbo(&shared.root).join(id.to_string());
        remove_tree(disk, &staged)?;
        disk.create_directory(&staged).context("create", &staged)?;
        for (name, new, bytes) in files {
            directory::replace(shared, &staged, (name, new), bytes)?;
        }
        disk.rename(&staged, &path).context("rename", &staged)?;
        if let Err(error) = disk.sync_directory(&fan).context("synchronise", &fan) {
            // It must not be there without being durable: what is written to it would be lost with it.
            disk.rename(&path, &staged).context("rename", &path)?;
            return Err(error);
        }
        let lengths = files.iter().map(|(.., bytes)| u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        shared.grow(lengths.fold(0, u64::saturating_add));
        drop(claim);
        Ok(())
    }

    /// Takes a cartridge to work on it.
    ///
    /// # Errors
    /// There is none, or somebody works on it.
    pub fn claim(&self, id: CartridgeId) -> Result<CartridgeDirectory, StoreError> {
        let claim = self.claim_name(id)?;
        if self.0.exists(claim.path())? { Ok(claim) } else { Err(StoreError::NotFound(id)) }
    }

    /// Takes a cartridge for a moment: who claims it meanwhile waits. For work that needs nothing but the disk.
    ///
    /// # Errors
    /// There is none, or somebody works on it.
    pub fn claim_briefly(&self, id: CartridgeId) -> Result<CartridgeDirectory, StoreError> {
        let mut claims = self.0.claims();
        if !claims.claimed.insert(id) {
            return Err(StoreError::InUse(id));
        }
        claims.brief.insert(id);
        drop(claims);
        let claim = CartridgeDirectory::new(id, names::cartridge(&self.0.root, id), Arc::clone(&self.0));
        if self.0.exists(claim.path())? { Ok(claim) } else { Err(StoreError::NotFound(id)) }
    }

    /// A cartridge as it lies there, to be read only. Somebody may work on it meanwhile: the caller sees to it that
    /// what is read then is not believed.
    ///
    /// # Errors
    /// There is none.
    pub fn look_at(&self, id: CartridgeId) -> Result<CartridgeDirectory, StoreError> {
        let directory = CartridgeDirectory::unclaimed(id, names::cartridge(&self.0.root, id), Arc::clone(&self.0));
        if self.0.exists(directory.path())? { Ok(directory) } else { Err(StoreError::NotFound(id)) }
    }

    fn claim_name(&self, id: CartridgeId) -> Result<CartridgeDirectory, StoreError> {
        let waits = |claims: &mut Claims| claims.brief.contains(&id);
        let waited = self.0.given_back.wait_timeout_while(self.0.claims(), PATIENCE, waits);
        let mut claims = waited.unwrap_or_else(PoisonError::into_inner).0;
        claims.touched.insert(id);
        if !claims.claimed.insert(id) {
            return Err(StoreError::InUse(id));
        }
        Ok(CartridgeDirectory::new(id, names::cartridge(&self.0.root, id), Arc::clone(&self.0)))
    }

    /// Reads `cartridge.meta` of a cartridge, also of one that somebody works on.
    ///
    /// # Errors
    /// There is no such cartridge, or the disk failed.
    pub fn read_meta(&self, id: CartridgeId) -> Result<Vec<u8>, StoreError> {
        let path = names::cartridge(&self.0.root, id);
        if !self.0.exists(&path)? {
            return Err(StoreError::NotFound(id));
        }
        directory::read_meta(&self.0, &path)
    }

    /// Where `cartridge.meta` of a cartridge is, for messages.
    #[must_use]
    pub fn meta_path(&self, id: CartridgeId) -> PathBuf {
        names::cartridge(&self.0.root, id).join(names::META)
    }
}

impl Shared {
    pub(crate) fn grow(&self, bytes: u64) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn shrink(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        self.left.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn free_space(&self) -> Result<u64, StoreError> {
        self.disk.free_space(&self.root).context("ask the free space of", &self.root)
    }

    /// Cartridges that somebody works on.
    pub(crate) fn in_work(&self) -> u64 {
        let claims = self.claims();
        u64::try_from(claims.claimed.len().saturating_sub(claims.brief.len())).unwrap_or(u64::MAX)
    }

    pub(crate) fn release(&self, id: CartridgeId) {
        let mut claims = self.claims();
        claims.claimed.remove(&id);
        if claims.brief.remove(&id) {
            self.given_back.notify_all();
        } else {
            claims.touched.insert(id);
        }
    }

    fn claims(&self) -> MutexGuard<'_, Claims> {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn exists(&self, path: &Path) -> Result<bool, StoreError> {
        match self.disk.length(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).context("look at", path),
        }
    }

    /// The rename decides: before it is durable the cartridge is whole, afterwards it is gone.
    pub(crate) fn delete(&self, id: CartridgeId, path: &Path) -> Result<(), StoreError> {
        let disk = self.disk.as_ref();
        let (fan, limbo) = (names::fan(&self.root, id), names::limbo(&self.root));
        let doomed = limbo.join(id.to_string());
        remove_tree(disk, &doomed)?;
        disk.rename(path, &doomed).context("rename", path)?;
        disk.sync_directory(&fan).context("synchronise", &fan)?;
        disk.sync_directory(&limbo).context("synchronise", &limbo)?;
        self.shrink(bytes_under(disk, &doomed)?);
        remove_tree(disk, &doomed)?;
        if let Some(Err(error)) = self.cache.get().map(|cache| cache.forget(id)) {
            tracing::warn!(%error, "what the cache has of a deleted cartridge is removed by the next start");
        }
        Ok(())
    }
}

/// Locks a directory against other processes.
pub(crate) fn lock(disk: &dyn Disk, root: &Path) -> Result<Box<dyn Lock>, StoreError> {
    match disk.lock(&root.join("lock")) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(StoreError::Locked(root.to_owned())),
        locked => locked.context("lock", root),
    }
}

/// A process that died may have made names that are not durable yet, and cartridges are going to be written there.
fn sync_names_of_cartridges(disk: &dyn Disk, tapes: &Path) -> Result<(), StoreError> {
    disk.sync_directory(tapes).context("synchronise", tapes)?;
    for fan in disk.list(tapes).context("list", tapes)?.into_iter().filter(|entry| entry.is_directory) {
        let fan = tapes.join(fan.name);
        disk.sync_directory(&fan).context("synchronise", &fan)?;
    }
    Ok(())
}

/// Creates a directory and those above it, each durably. One that is there may have been made by a process that died
/// before it could synchronise the name.
pub(crate) fn create_path(disk: &dyn Disk, path: &Path) -> Result<(), StoreError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if disk.length(path).is_ok() {
        let Some(parent) = parent else { return Ok(()) };
        return match disk.sync_directory(parent) {
            // A directory whose names we may not even read is not one in which we have made anything.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
            synchronised => synchronised.context("synchronise", parent),
        };
    }
    if let Some(parent) = parent {
        create_path(disk, parent)?;
    }
    create_if_missing(disk, path)?;
    let parent = parent.unwrap_or(Path::new("."));
    disk.sync_directory(parent).context("synchronise", parent)
}

pub(crate) fn create_if_missing(disk: &dyn Disk, path: &Path) -> Result<(), StoreError> {
    match disk.create_directory(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error).context("create", path),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Removes a directory and all in it, if it is there.
pub(crate) fn remove_tree(disk: &dyn Disk, path: &Path) -> Result<(), StoreError> {
    match disk.list(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).context("list", path),
        Ok(_) => {}
    }
    remove_contents(disk, path)?;
    disk.remove_directory(path).context("remove", path)
}

pub(crate) fn remove_contents(disk: &dyn Disk, path: &Path) -> Result<(), StoreError> {
    for entry in disk.list(path).context("list", path)? {
        let inner = path.join(&entry.name);
        if entry.is_directory {
            remove_tree(disk, &inner)?;
        } else {
            disk.remove_file(&inner).context("remove", &inner)?;
        }
    }
    Ok(())
}

fn bytes_under(disk: &dyn Disk, path: &Path) -> Result<u64, StoreError> {
    let mut bytes: u64 = 0;
    for entry in disk.list(path).context("list", path)? {
        let inner = path.join(&entry.name);
        let more = if entry.is_directory {
            bytes_under(disk, &inner)?
        } else {
            disk.length(&inner).context("ask the length of", &inner)?
        };
        bytes = bytes.saturating_add(more);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;

    use capstan_disk::RealDisk;

    use super::*;

    const ID: CartridgeId = CartridgeId([0xab; 16]);

    fn store(root: &Path) -> Store {
        Store::open(root, Arc::new(RealDisk)).unwrap()
    }

    #[test]
    fn cartridges_come_and_go_and_are_counted() {
        let root = tempfile::tempdir().unwrap();
        let store = store(&root.path().join("deeper/down"));
        store.create(ID, b"what it is").unwrap();
        assert!(matches!(store.create(ID, b""), Err(StoreError::AlreadyExists(ID))));
        assert_eq!(store.list().unwrap(), [ID]);
        assert_eq!(store.read_meta(ID).unwrap(), b"what it is");
        let mut directory = store.claim(ID).unwrap();
        assert!(matches!(store.claim(ID), Err(StoreError::InUse(ID))));
        directory.write_meta(b"what else!").unwrap();
        for sequence in [1, 999, 1000, 7] {
            let mut segment = directory.create_segment(sequence).unwrap();
            segment.write(&mut [IoSlice::new(b"12345"), IoSlice::new(b"67890")], 0).unwrap();
        }
        directory.sync_names().unwrap();
        assert_eq!(store.used(), 50);
        assert_eq!(directory.segments().unwrap(), [1, 7, 999, 1000]);
        directory.remove_segment(7).unwrap();
        directory.remove_segment(8).unwrap();
        assert_eq!(store.used(), 40);
        assert!(directory.open_segment(7).unwrap_err().is_missing());
        assert_eq!(directory.open_segment(999).unwrap().read_from(5, 100).unwrap(), b"67890");
        directory.delete().unwrap();
        assert_eq!((store.used(), store.list().unwrap()), (0, vec![]));
        assert!(matches!(store.claim(ID), Err(StoreError::NotFound(ID))));
        assert!(matches!(store.read_meta(ID), Err(StoreError::NotFound(ID))));
    }

    #[test]
    fn one_process_at_a_time_and_leftovers_are_removed() {
        let root = tempfile::tempdir().unwrap();
        let first = store(root.path());
        assert!(matches!(Store::open(root.path(), Arc::new(RealDisk)), Err(StoreError::Locked(_))));
        first.create(ID, b"12345").unwrap();
        drop(first);
        let left = root.path().join("limbo/half/made");
        std::fs::create_dir_all(&left).unwrap();
        std::fs::write(left.join("file"), b"x").unwrap();
        let second = store(root.path());
        assert_eq!((second.used(), second.list().unwrap()), (5, vec![ID]));
        assert!(!root.path().join("limbo/half").exists());
    }
}
