//! The directory of one cartridge, held by whoever works on it.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capstan_disk::{Disk, Mode, read_up_to, write_all_at};
use capstan_media::CartridgeId;

use crate::error::Context;
use crate::store::Shared;
use crate::{Arrival, CachedSegment, Evicted, Segment, StoreError, names};

/// More than any version of `cartridge.meta` has.
const META_LIMIT: u64 = 1 << 20;

/// The directory of one cartridge. As long as it lives nobody else gets it.
#[derive(Debug)]
pub struct CartridgeDirectory {
    id: CartridgeId,
    path: PathBuf,
    store: Arc<Shared>,
    /// Directories with names that are not known to be durable.
    unsynced: BTreeSet<PathBuf>,
    /// It was claimed, and is given back at the end.
    claimed: bool,
}

impl CartridgeDirectory {
    pub(crate) fn new(id: CartridgeId, path: PathBuf, store: Arc<Shared>) -> Self {
        Self { id, path, store, unsynced: BTreeSet::new(), claimed: true }
    }

    pub(crate) fn unclaimed(id: CartridgeId, path: PathBuf, store: Arc<Shared>) -> Self {
        Self { id, path, store, unsynced: BTreeSet::new(), claimed: false }
    }

    pub(crate) fn store(&self) -> &Shared {
        &self.store
    }

    pub(crate) fn disk(&self) -> &dyn Disk {
        self.store.disk.as_ref()
    }

    /// The cartridge.
    #[must_use]
    pub fn id(&self) -> CartridgeId {
        self.id
    }

    /// The directory, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file that describes the cartridge, for messages.
    #[must_use]
    pub fn meta_path(&self) -> PathBuf {
        self.path.join(names::META)
    }

    /// Bytes that can be allocated on the disk, and how many of them are reserved where each cartridge that somebody
    /// works on has `each`.
    ///
    /// # Errors
    /// The disk failed.
    pub fn room(&self, each: u64) -> Result<(u64, u64), StoreError> {
        Ok((self.store.free_space()?, each.saturating_mul(self.store.in_work())))
    }

    /// Reads `cartridge.meta`.
    ///
    /// # Errors
    /// The disk failed.
    pub fn read_meta(&self) -> Result<Vec<u8>, StoreError> {
        read_meta(&self.store, &self.path)
    }

    /// Replaces `cartridge.meta`, durably and as a whole.
    ///
    /// # Errors
    /// The disk failed or is full. Either content may be the durable one then; reading gives one of them.
    pub fn write_meta(&self, bytes: &[u8]) -> Result<(), StoreError> {
        change(&self.store, &self.path, (names::META, names::META_NEW), bytes)
    }

    /// Creates an empty segment file.
    ///
    /// # Errors
    /// It exists, or the disk failed or is full.
    pub fn create_segment(&mut self, sequence: u64) -> Result<Segment, StoreError> {
        let fan = self.path.join(names::segment_fan(sequence));
        let path = fan.join(names::segment(sequence));
        let disk = &self.store.disk;
        let mut opened = disk.open(&path, Mode::Create);
        if opened.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            disk.create_directory(&fan).context("create", &fan)?;
            self.unsynced.insert(self.path.clone());
            opened = disk.open(&path, Mode::Create);
        }
        let file = opened.context("create", &path)?;
        self.unsynced.insert(fan);
        Segment::new(sequence, path, file, Arc::clone(&self.store))
    }

    /// Opens a segment file, to read it or to synchronise it.
    ///
    /// # Errors
    /// It is missing ([`StoreError::is_missing`]), or the disk failed.
    pub fn open_segment(&self, sequence: u64) -> Result<Segment, StoreError> {
        let path = self.segment_path(sequence);
        let opened = self.store.disk.open(&path, Mode::Write).context("open", &path);
        match (opened, self.store.cache.get()) {
            (Ok(file), _) => Segment::new(sequence, path, file, Arc::clone(&self.store)),
            (Err(error), Some(cache)) if error.is_missing() => {
                let (segment, path) = (self.cached(sequence), cache.path(self.cached(sequence)));
                let file = cache.open_segment(segment).context("open", &path)?;
                Segment::new(sequence, path, file, Arc::clone(&self.store))
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Opens a segment that is in the tier, to read it.
    ///
    /// # Errors
    /// Nobody knows where it is ([`StoreError::is_missing`]), or it cannot be had now.
    pub fn recall_segment(&self, wanted: &Evicted) -> Result<Segment, StoreError> {
        let path = self.segment_path(wanted.sequence);
        let opened = match self.store.recall.get() {
            Some(recall) => recall.open(wanted),
            None => Err(io::Error::new(ErrorKind::NotConnected, "there is no tier to recall it from")),
        };
        let file = opened.context("recall", &path)?;
        Ok(Segment::new(wanted.sequence, path, file, Arc::clone(&self.store))?.recalled())
    }

    /// Says that a segment will be recalled soon.
    pub fn expect_segment(&self, wanted: &Evicted) {
        if let Some(recall) = self.store.recall.get() {
            recall.expect(wanted);
        }
    }

    /// Moves a segment that is in the tier as well to the second area; without one it stays. Gives its length, 0 if it
    /// is not in the first area.
    ///
    /// # Errors
    /// The disk failed, or the second area is full: the segment is where it was.
    pub fn settle_segment(&self, sequence: u64) -> Result<u64, StoreError> {
        let path = self.segment_path(sequence);
        let Some(cache) = self.store.cache.get() else { return Ok(0) };
        if self.store.disk.length(&path).is_err() {
            return Ok(0);
        }
        let length = cache.take(self.cached(sequence), &path)?;
        self.store.shrink(length);
        Ok(length)
    }

    /// Removes the file of a segment that can be recalled, from either area. That it is gone need not be durable.
    ///
    /// # Errors
    /// The disk failed, under the second area only if the segment is in no other.
    pub fn evict_segment(&self, sequence: u64) -> Result<u64, StoreError> {
        let path = self.segment_path(sequence);
        let cached = self.store.cache.get().map_or(Ok(0), |cache| cache.remove(self.cached(sequence)));
        let Ok(length) = self.store.disk.length(&path) else { return cached };
        self.store.disk.remove_file(&path).context("evict", &path)?;
        self.store.shrink(length);
        Ok(length.saturating_add(cached.unwrap_or(0)))
    }

    /// A file in the second area that can become a segment which is recalled; `None` without a second area.
    ///
    /// # Errors
    /// The disk failed.
    pub fn begin_recalled(&self, sequence: u64) -> Result<Option<Arrival>, StoreError> {
        let Some(cache) = self.store.cache.get().filter(|cache| cache.is_in_use()) else { return Ok(None) };
        let segment = self.cached(sequence);
        let (path, file) = cache.begin(segment)?;
        Ok(Some(Arrival::new(segment, path, file, Arc::clone(&self.store))))
    }

    /// Segments in the second area, and their lengths.
    #[must_use]
    pub fn cached_segments(&self) -> Vec<(u64, u64)> {
        self.store.cache.get().map(|cache| cache.of(self.id)).unwrap_or_default()
    }

    fn cached(&self, sequence: u64) -> CachedSegment {
        CachedSegment { cartridge: self.id, sequence }
    }

    /// Bytes of a segment in the first area; `None` if it is not there.
    ///
    /// # Errors
    /// The disk failed.
    pub fn segment_length(&self, sequence: u64) -> Result<Option<u64>, StoreError> {
        let path = self.segment_path(sequence);
        match self.store.disk.length(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            length => length.map(Some).context("ask the length of", &path),
        }
    }

    /// Where a segment file is or would be, for messages.
    #[must_use]
    pub fn segment_path(&self, sequence: u64) -> PathBuf {
        self.path.join(names::segment_fan(sequence)).join(names::segment(sequence))
    }

    /// Removes a segment file. One that is missing already is removed; one in the second area that cannot be removed now
    /// is removed later.
    ///
    /// # Errors
    /// The disk failed.
    pub fn remove_segment(&mut self, sequence: u64) -> Result<(), StoreError> {
        let path = self.segment_path(sequence);
        if let Some(cache) = self.store.cache.get() {
            cache.give_up(self.cached(sequence));
        }
        let Ok(length) = self.store.disk.length(&path) else { return Ok(()) };
        self.store.disk.remove_file(&path).context("remove", &path)?;
        self.store.shrink(length);
        self.unsynced.insert(self.path.join(names::segment_fan(sequence)));
        Ok(())
    }

    /// Numbers of all segment files in the first area, ascending. Other files are left out.
    ///
    /// # Errors
    /// The disk failed.
    pub fn segments(&self) -> Result<Vec<u64>, StoreError> {
        let mut found = Vec::new();
        for fan in self.fans()? {
            let entries = self.store.disk.list(&fan).context("list", &fan)?;
            let numbers = entries.iter().filter_map(|entry| names::parse_segment(&entry.name));
            found.extend(numbers.filter(|sequence| self.segment_path(*sequence).parent() == Some(&fan)));
        }
        found.sort_unstable();
        Ok(found)
    }

    fn fans(&self) -> Result<Vec<PathBuf>, StoreError> {
        let entries = self.store.disk.list(&self.path).context("list", &self.path)?;
        let fans = entries.into_iter().filter(|entry| entry.is_directory);
        Ok(fans.map(|entry| self.path.join(entry.name)).collect())
    }

    /// After an unclean end of the process before this one: takes no name for durable until they are synchronised.
    ///
    /// # Errors
    /// The disk failed.
    pub fn distrust_names(&mut self) -> Result<(), StoreError> {
        let fans = self.fans()?;
        self.unsynced.extend(fans);
        self.unsynced.insert(self.path.clone());
        Ok(())
    }

    /// Makes all names made or removed since the last success durable.
    ///
    /// # Errors
    /// The disk failed; names are untrusted until a later call succeeds.
    pub fn sync_names(&mut self) -> Result<(), StoreError> {
        while let Some(directory) = self.unsynced.first() {
            self.store.disk.sync_directory(directory).context("synchronise", directory)?;
            self.unsynced.pop_first();
        }
        Ok(())
    }

    /// Deletes the cartridge. A crash leaves it whole or gone.
    ///
    /// # Errors
    /// The disk failed. Once the directory is renamed the cartridge is gone; the rest is removed on the next open.
    pub fn delete(self) -> Result<(), StoreError> {
        self.store.delete(self.id, &self.path)
    }
}

impl Drop for CartridgeDirectory {
    fn drop(&mut self) {
        if self.claimed {
            self.store.release(self.id);
        }
    }
}

pub(crate) fn read_meta(store: &Shared, directory: &Path) -> Result<Vec<u8>, StoreError> {
    let path = directory.join(names::META);
    let file = store.disk.open(&path, Mode::Read).context("open", &path)?;
    read_up_to(file.as_ref(), 0, META_LIMIT).context("read", &path)
}

/// As [`replace`], of a cartridge that is in its place: the bytes are accounted for.
pub(crate) fn change(
    store: &Shared,
    directory: &Path,
    (name, new): (&str, &str),
    bytes: &[u8],
) -> Result<(), StoreError> {
    let before = store.disk.length(&directory.join(name)).unwrap_or(0);
    replace(store, directory, (name, new), bytes)?;
    store.shrink(before);
    store.grow(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    Ok(())
}

/// Replaces a file in `directory`, durably and as a whole, by way of another name.
pub(crate) fn replace(
    store: &Shared,
    directory: &Path,
    (name, new): (&str, &str),
    bytes: &[u8],
) -> Result<(), StoreError> {
    let (path, new) = (directory.join(name), directory.join(new));
    match store.disk.remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).context("remove", &new),
        Ok(()) | Err(_) => {}
    }
    let file = store.disk.open(&new, Mode::Create).context("create", &new)?;
    let written = write_all_at(file.as_ref(), &mut [IoSlice::new(bytes)], 0);
    written.map_err(|stop| stop.error).context("write", &new)?;
    file.sync_data().context("synchronise", &new)?;
    store.disk.rename(&new, &path).context("rename", &new)?;
    store.disk.sync_directory(directory).context("synchronise", directory)
}
