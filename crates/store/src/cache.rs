//! The second area: segments that are in a tier as well, so that all of it may be lost at any time.
//!
//! ```text
//! <root>/lock                                       held as long as the store is open
//! <root>/tapes/c7/c7aa...-.../000012/000012345.seg  as in the first area
//! <root>/limbo/...                                  on its way here; emptied at the start
//! ```
//!
//! What is here is not remembered elsewhere; the order in which it was used is, and only while the process lives.
//!
//! A disk under it that fails or hangs must not stop anybody: while it is out of use nothing here is touched, segments are
//! read from their tier, and what should have been removed is removed later.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use capstan_disk::{Disk, File, Lock, Mode, read_up_to, write_all_at};
use capstan_media::CartridgeId;

use crate::error::Context;
use crate::store::{create_if_missing, create_path, lock, remove_contents, remove_tree};
use crate::{StoreError, names};

/// Bytes that a copy between file systems has in memory.
const PIECE: u64 = 1 << 20;

/// A segment in the cache.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CachedSegment {
    /// The cartridge.
    pub cartridge: CartridgeId,
    /// Its number.
    pub sequence: u64,
}

/// A segment in the cache, and when it was used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Entry {
    length: u64,
    used: u64,
}

/// The area.
#[derive(Debug)]
pub(crate) struct Cache {
    root: PathBuf,
    disk: Arc<dyn Disk>,
    used: AtomicU64,
    clock: AtomicU64,
    entries: Mutex<BTreeMap<CachedSegment, Entry>>,
    out_of_use: AtomicBool,
    /// Files that could not be removed.
    doomed: Mutex<BTreeSet<CachedSegment>>,
    _lock: Box<dyn Lock>,
}

impl Cache {
    /// Opens the area, which is made if it is missing.
    pub(crate) fn open(root: &Path, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        create_path(disk.as_ref(), root)?;
        let lock = lock(disk.as_ref(), root)?;
        for directory in [names::tapes(root), names::limbo(root)] {
            create_if_missing(disk.as_ref(), &directory)?;
        }
        remove_contents(disk.as_ref(), &names::limbo(root))?;
        Self::with(root, disk, lock)
    }

    /// Opens an area that is there and changes nothing in it but the lock.
    pub(crate) fn open_as_it_is(root: &Path, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        let lock = lock(disk.as_ref(), root)?;
        Self::with(root, disk, lock)
    }

    fn with(root: &Path, disk: Arc<dyn Disk>, lock: Box<dyn Lock>) -> Result<Self, StoreError> {
        let entries = found(disk.as_ref(), root)?;
        let used = entries.values().map(|entry| entry.length).sum();
        Ok(Self {
            root: root.to_owned(),
            disk,
            used: AtomicU64::new(used),
            clock: AtomicU64::new(1),
            entries: Mutex::new(entries),
            out_of_use: AtomicBool::new(false),
            doomed: Mutex::default(),
            _lock: lock,
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    pub(crate) fn free_space(&self) -> Result<u64, StoreError> {
        self.disk.free_space(&self.root).context("ask the free space of", &self.root)
    }

    /// Whether anything here may be touched.
    pub(crate) fn is_in_use(&self) -> bool {
        !self.out_of_use.load(Ordering::Relaxed)
    }

    /// Leaves it alone, or goes on with it, and then removes what is still to be removed.
    pub(crate) fn set_in_use(&self, in_use: bool) {
        self.out_of_use.store(!in_use, Ordering::Relaxed);
        if in_use {
            let doomed = std::mem::take(&mut *self.doomed());
            doomed.into_iter().for_each(|segment| self.give_up(segment));
        }
    }

    fn usable(&self) -> Result<(), StoreError> {
        let resting = || io::Error::new(ErrorKind::NotConnected, "the cache is out of use");
        if self.is_in_use() { Ok(()) } else { Err(resting()).context("use", &self.root) }
    }

    /// Cartridges of which something is here.
    pub(crate) fn cartridges(&self) -> Vec<CartridgeId> {
        let mut all: Vec<CartridgeId> = self.entries().keys().map(|segment| segment.cartridge).collect();
        all.dedup();
        all
    }

    /// Segments of a cartridge that are here, and their lengths.
    pub(crate) fn of(&self, cartridge: CartridgeId) -> Vec<(u64, u64)> {
        let (first, last) = (CachedSegment { cartridge, sequence: 0 }, CachedSegment { cartridge, sequence: u64::MAX });
        self.entries().range(first..=last).map(|(segment, entry)| (segment.sequence, entry.length)).collect()
    }

    /// All segments with their lengths, the one that was not used for the longest time first.
    pub(crate) fn coldest(&self) -> Vec<(CachedSegment, u64)> {
        let mut all: Vec<(CachedSegment, Entry)> =
            self.entries().iter().map(|(segment, entry)| (*segment, *entry)).collect();
        all.sort_by_key(|(segment, entry)| (entry.used, *segment));
        all.into_iter().map(|(segment, entry)| (segment, entry.length)).collect()
    }

    pub(crate) fn path(&self, segment: CachedSegment) -> PathBuf {
        let CachedSegment { cartridge, sequence } = segment;
        names::cartridge(&self.root, cartridge).join(names::segment_fan(sequence)).join(names::segment(sequence))
    }

    /// Opens a segment for reading; it counts as used now.
    pub(crate) fn open_segment(&self, segment: CachedSegment) -> io::Result<Box<dyn File>> {
        if !self.is_in_use() {
            return Err(ErrorKind::NotFound.into());
        }
        let file = self.disk.open(&self.path(segment), Mode::Read)?;
        let now = self.tick();
        if let Some(entry) = self.entries().get_mut(&segment) {
            entry.used = now;
        }
        Ok(file)
    }

    /// Takes in the file at `from`: by its name where that is on the same file system, else by a copy. Gives its length.
    pub(crate) fn take(&self, segment: CachedSegment, from: &Path) -> Result<u64, StoreError> {
        self.usable()?;
        let length = self.disk.length(from).context("ask the length of", from)?;
        let to = self.path(segment);
        self.make_room_for_name(&to)?;
        match self.disk.rename(from, &to) {
            Err(error) if error.kind() == ErrorKind::CrossesDevices => self.copy(segment, from, &to, length)?,
            other => other.context("rename", from)?,
        }
        self.enter(segment, length);
        Ok(length)
    }

    /// A file in limbo that is to become a segment by [`Cache::adopt`].
    pub(crate) fn begin(&self, segment: CachedSegment) -> Result<(PathBuf, Box<dyn File>), StoreError> {
        self.usable()?;
        let CachedSegment { cartridge, sequence } = segment;
        let path = names::limbo(&self.root).join(format!("{cartridge}-{sequence}-{}", self.tick()));
        let file = self.disk.open(&path, Mode::Create).context("create", &path)?;
        Ok((path, file))
    }

    /// Makes a whole file in limbo the segment.
    pub(crate) fn adopt(&self, segment: CachedSegment, path: &Path, length: u64) -> Result<(), StoreError> {
        self.usable()?;
        let to = self.path(segment);
        self.make_room_for_name(&to)?;
        self.disk.rename(path, &to).context("rename", path)?;
        self.enter(segment, length);
        Ok(())
    }

    pub(crate) fn discard(&self, path: &Path) {
        if let Err(error) = self.disk.remove_file(path) {
            tracing::warn!(file = %path.display(), %error, "a half-recalled segment stays until the next start");
        }
    }

    /// Removes a segment, if it is here; gives its length.
    pub(crate) fn remove(&self, segment: CachedSegment) -> Result<u64, StoreError> {
        self.usable()?;
        let path = self.path(segment);
        let removed = self.disk.remove_file(&path);
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).context("evict", &path),
            Ok(()) | Err(_) => {}
        }
        Ok(self.strike_out(segment))
    }

    /// Does without a segment from now on, whether its file can be removed or not.
    pub(crate) fn give_up(&self, segment: CachedSegment) {
        if let Err(error) = self.remove(segment) {
            tracing::warn!(%error, "a file of the cache is removed later");
            self.strike_out(segment);
            self.doomed().insert(segment);
        }
    }

    /// It counts no more; gives its length.
    fn strike_out(&self, segment: CachedSegment) -> u64 {
        let length = self.entries().remove(&segment).map_or(0, |entry| entry.length);
        self.used.fetch_sub(length, Ordering::Relaxed);
        length
    }

    /// Removes everything of a cartridge.
    pub(crate) fn forget(&self, cartridge: CartridgeId) -> Result<(), StoreError> {
        for (sequence, _) in self.of(cartridge) {
            self.remove(CachedSegment { cartridge, sequence })?;
        }
        remove_tree(self.disk.as_ref(), &names::cartridge(&self.root, cartridge))
    }

    fn enter(&self, segment: CachedSegment, length: u64) {
        self.doomed().remove(&segment);
        let used = self.tick();
        let before = self.entries().insert(segment, Entry { length, used }).map_or(0, |entry| entry.length);
        self.used.fetch_add(length, Ordering::Relaxed);
        self.used.fetch_sub(before, Ordering::Relaxed);
    }

    /// The copy is whole under its name, or not there.
    fn copy(&self, segment: CachedSegment, from: &Path, to: &Path, length: u64) -> Result<(), StoreError> {
        let (staged, file) = self.begin(segment)?;
        let copied = self.copy_into(file.as_ref(), from, length).context("copy", from);
        let placed = copied.and_then(|()| self.disk.rename(&staged, to).context("rename", &staged));
        if let Err(error) = placed {
            self.discard(&staged);
            return Err(error);
        }
        self.disk.remove_file(from).context("remove", from)
    }

    fn copy_into(&self, to: &dyn File, from: &Path, length: u64) -> io::Result<()> {
        let from = self.disk.open(from, Mode::Read)?;
        let mut offset = 0;
        while offset < length {
            let bytes = read_up_to(from.as_ref(), offset, PIECE.min(length - offset))?;
            if bytes.is_empty() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            write_all_at(to, &mut [IoSlice::new(&bytes)], offset).map_err(|stop| stop.error)?;
            offset = offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        }
        to.sync_data()
    }

    fn make_room_for_name(&self, path: &Path) -> Result<(), StoreError> {
        let Some(parent) = path.parent() else { return Ok(()) };
        if self.disk.length(parent).is_ok() {
            return Ok(());
        }
        self.make_room_for_name(parent)?;
        create_if_missing(self.disk.as_ref(), parent)
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<CachedSegment, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn doomed(&self) -> MutexGuard<'_, BTreeSet<CachedSegment>> {
        self.doomed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The segments that lie in an area.
fn found(disk: &dyn Disk, root: &Path) -> Result<BTreeMap<CachedSegment, Entry>, StoreError> {
    let mut entries = BTreeMap::new();
    let list = |path: &Path| disk.list(path).context("list", path);
    let tapes = names::tapes(root);
    for fan in list(&tapes)?.into_iter().filter(|entry| entry.is_directory) {
        let fan = tapes.join(fan.name);
        for tape in list(&fan)? {
            let Some(cartridge) = names::parse_cartridge(&tape.name) else { continue };
            let tape = fan.join(tape.name);
            for group in list(&tape)?.into_iter().filter(|entry| names::is_segment_fan(&entry.name)) {
                let group = tape.join(group.name);
                for file in list(&group)? {
                    let Some(sequence) = names::parse_segment(&file.name) else { continue };
                    let path = group.join(file.name);
                    let length = disk.length(&path).context("ask the length of", &path)?;
                    entries.insert(CachedSegment { cartridge, sequence }, Entry { length, used: 0 });
                }
            }
        }
    }
    Ok(entries)
}
