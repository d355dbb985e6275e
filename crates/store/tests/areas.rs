//! Two areas: what is in which, how many bytes each has, and who waits for whom.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capstan_disk::RealDisk;
use capstan_media::CartridgeId;
use capstan_store::{CachedSegment, CartridgeDirectory, Store, StoreError};

const ID: CartridgeId = CartridgeId([0xab; 16]);

fn open(root: &Path, cache: &Path) -> Store {
    let store = Store::open(&root.join("buffer"), Arc::new(RealDisk)).unwrap();
    store.open_cache(cache).unwrap();
    store
}

/// A cartridge with segments 1 to 3 of 10, 20 and 30 bytes.
fn with_segments(store: &Store) -> CartridgeDirectory {
    store.create(ID, b"").unwrap();
    let mut directory = store.claim(ID).unwrap();
    for sequence in 1..=3 {
        let mut segment = directory.create_segment(sequence).unwrap();
        segment.write(&mut [IoSlice::new(&vec![sequence as u8; 10 * sequence as usize])], 0).unwrap();
    }
    directory
}

fn content(directory: &CartridgeDirectory, sequence: u64) -> Vec<u8> {
    directory.open_segment(sequence).unwrap().read_from(0, 100).unwrap()
}

/// A directory on another file system than that of temporary files, if there is one.
fn elsewhere() -> Option<tempfile::TempDir> {
    tempfile::tempdir_in("/dev/shm").ok()
}

fn moves_between(root: &Path, cache: &Path) {
    let store = open(root, cache);
    let directory = with_segments(&store);
    assert_eq!((store.used(), store.cached(), store.left()), (60, 0, 0));
    assert_eq!(directory.settle_segment(2).unwrap(), 20);
    assert_eq!(directory.settle_segment(2).unwrap(), 0, "it is there already");
    assert_eq!((store.used(), store.cached(), store.left()), (40, 20, 20));
    assert_eq!(directory.segments().unwrap(), [1, 3]);
    assert_eq!(content(&directory, 2), [2; 20]);
    directory.settle_segment(1).unwrap();
    assert_eq!(content(&directory, 2), [2; 20], "now it is the one that was used last");
    let order: Vec<u64> = store.coldest().iter().map(|(segment, _)| segment.sequence).collect();
    assert_eq!(order, [1, 2]);
    assert_eq!(directory.cached_segments(), [(1, 10), (2, 20)]);
    drop((directory, store));

    let store = open(root, cache);
    assert_eq!((store.used(), store.cached()), (30, 30), "counted anew");
    let mut directory = store.claim(ID).unwrap();
    assert_eq!(directory.evict_segment(1).unwrap(), 10);
    assert!(directory.open_segment(1).unwrap_err().is_missing());
    directory.remove_segment(2).unwrap();
    directory.remove_segment(3).unwrap();
    assert_eq!((store.used(), store.cached()), (0, 0));
}

#[test]
fn segments_move_on_one_file_system_and_between_two() {
    let root = tempfile::tempdir().unwrap();
    moves_between(root.path(), &root.path().join("cache"));
    if let Some(other) = elsewhere() {
        let root = tempfile::tempdir().unwrap();
        moves_between(root.path(), other.path());
    }
}

#[test]
fn what_arrives_counts_when_it_is_whole() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path(), &root.path().join("cache"));
    let directory = with_segments(&store);
    assert_eq!(directory.evict_segment(3).unwrap(), 30);
    let arrival = directory.begin_recalled(3).unwrap().unwrap();
    arrival.write(&[3; 10], 20).unwrap();
    drop(arrival);
    assert!(directory.open_segment(3).unwrap_err().is_missing());
    let arrival = directory.begin_recalled(3).unwrap().unwrap();
    arrival.write(&[3; 20], 10).unwrap();
    arrival.write(&[3; 10], 0).unwrap();
    assert_eq!(arrival.adopt().unwrap(), 30);
    assert_eq!((content(&directory, 3), store.cached()), (vec![3; 30], 30));
    let limbo: Vec<_> = std::fs::read_dir(root.path().join("cache/limbo")).unwrap().collect();
    assert!(limbo.is_empty());
}

#[test]
fn a_deleted_cartridge_leaves_nothing_in_either_area() {
    let root = tempfile::tempdir().unwrap();
    let cache: PathBuf = root.path().join("cache");
    let store = open(root.path(), &cache);
    let directory = with_segments(&store);
    directory.settle_segment(1).unwrap();
    directory.settle_segment(2).unwrap();
    let kept = cache.join("tapes/ab").join(ID.to_string());
    assert!(kept.exists());
    directory.delete().unwrap();
    assert_eq!((store.used(), store.cached(), kept.exists()), (0, 0, false));
    // Left behind by a death in between.
    drop(store);
    std::fs::create_dir_all(kept.join("000000")).unwrap();
    std::fs::write(kept.join("000000/000000001.seg"), b"12345").unwrap();
    let store = open(root.path(), &cache);
    assert_eq!((store.cached(), kept.exists()), (0, false));
    assert_eq!(store.coldest(), Vec::<(CachedSegment, u64)>::new());
}

#[test]
fn a_brief_claim_is_waited_for_and_another_is_not() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), Arc::new(RealDisk)).unwrap();
    store.create(ID, b"").unwrap();
    assert_eq!(store.take_touched(), [ID]);
    let brief = store.claim_briefly(ID).unwrap();
    assert!(matches!(store.claim_briefly(ID), Err(StoreError::InUse(ID))));
    assert!(store.take_touched().is_empty(), "a brief claim leaves no trace");
    let (claimed, waiting) = std::sync::mpsc::channel();
    let other = store.clone();
    let thread = std::thread::spawn(move || {
        let directory = other.claim(ID).unwrap();
        claimed.send(()).unwrap();
        directory
    });
    assert!(waiting.recv_timeout(std::time::Duration::from_millis(50)).is_err(), "it waits");
    drop(brief);
    let directory = thread.join().unwrap();
    assert!(matches!(store.claim(ID), Err(StoreError::InUse(ID))), "nobody waits for this one");
    assert_eq!(store.take_touched(), [ID]);
    drop(directory);
    assert_eq!(store.take_touched(), [ID], "its end is news");
    assert!(matches!(store.claim_briefly(CartridgeId([1; 16])), Err(StoreError::NotFound(_))));
    assert!(store.claim(CartridgeId([1; 16])).unwrap_err().is_missing(), "and the brief claim has ended");
}

#[test]
fn an_area_belongs_to_one_process() {
    let root = tempfile::tempdir().unwrap();
    let first = open(root.path(), &root.path().join("cache"));
    let second = Store::open(&root.path().join("other"), Arc::new(RealDisk)).unwrap();
    assert!(matches!(second.open_cache(&root.path().join("cache")), Err(StoreError::Locked(_))));
    drop(first);
    second.open_cache(&root.path().join("cache")).unwrap();
}

#[test]
fn key_and_pin_stay_beside_the_segments() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), Arc::new(RealDisk)).unwrap();
    store.create(ID, b"").unwrap();
    let directory = store.claim(ID).unwrap();
    assert_eq!((directory.read_key().unwrap(), directory.is_pinned().unwrap()), (None, false));
    directory.write_key(b"wrapped").unwrap();
    directory.write_key(b"again").unwrap();
    for pinned in [true, true, false, false, true] {
        directory.set_pinned(pinned).unwrap();
        assert_eq!(directory.is_pinned().unwrap(), pinned);
    }
    assert_eq!((directory.read_key().unwrap().unwrap(), store.used()), (b"again".to_vec(), 5));
}

/// Its disk is gone: what is there is as if it were evicted, and is removed once that can be done.
#[test]
fn a_second_area_that_is_out_of_use_is_not_touched() {
    let root = tempfile::tempdir().unwrap();
    let cache = root.path().join("cache");
    let store = open(root.path(), &cache);
    let mut directory = with_segments(&store);
    assert_eq!((directory.settle_segment(1).unwrap(), directory.settle_segment(2).unwrap()), (10, 20));
    store.use_cache(false);
    assert!(!store.has_cache());
    assert!(directory.open_segment(1).unwrap_err().is_missing());
    assert!(directory.settle_segment(3).is_err());
    assert_eq!(content(&directory, 3), [3; 30], "it is where it was");
    assert!(directory.begin_recalled(1).unwrap().is_none());
    assert!(directory.evict_segment(1).is_err(), "it cannot be said to be gone");
    assert_eq!(directory.evict_segment(3).unwrap(), 30);
    let file = |sequence: u64| cache.join(format!("tapes/ab/{ID}/000000/{sequence:09}.seg"));
    directory.remove_segment(2).unwrap();
    assert!(file(2).exists());
    assert_eq!((store.used(), store.cached(), directory.cached_segments()), (0, 10, vec![(1, 10)]));

    store.use_cache(true);
    assert!(store.has_cache() && !file(2).exists());
    assert_eq!((content(&directory, 1), store.cached()), (vec![1; 10], 10));
}
