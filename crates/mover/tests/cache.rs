//! What is kept here of what is in the tier: water marks, pins, staging, and caches that are lost or spoiled.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod rig;

use std::ops::ControlFlow;
use std::path::PathBuf;

use capstan_cartridge::{Cartridge, NewCartridge};
use capstan_media::{Barcode, CartridgeId, MediumOp};
use capstan_mover::{CacheLimits, MoverError};
use rig::{ID, Rig, Running};

const SECOND: CartridgeId = CartridgeId([0x77; 16]);

fn second(running: &Running) {
    let new = NewCartridge { id: SECOND, barcode: Barcode::new("CAP002L8").unwrap(), capacity: 1 << 30 };
    Cartridge::create(&running.store, new).unwrap();
}

/// Writes 70 blocks, some 80,000 bytes in twelve segments, and has them moved out of the upload buffer.
fn fill(running: &Running, id: CartridgeId) {
    running.load_other(id);
    running.write(0..70);
    running.unload();
    running.until("shipped", || {
        let tape = running.operations.tape(id).unwrap_or_default();
        (tape.tier_to, tape.unshipped_bytes) == (71, 0)
            && running.store.look_at(id).unwrap().segments().unwrap().is_empty()
    });
}

fn cached(running: &Running, id: CartridgeId) -> Vec<(u64, u64)> {
    running.store.look_at(id).unwrap().cached_segments()
}

fn bytes(segments: &[(u64, u64)]) -> u64 {
    segments.iter().map(|(_, length)| length).sum()
}

fn limits(size: u64, high_water: u64, low_water: u64) -> CacheLimits {
    CacheLimits { size, high_water, low_water, free_floor: 0 }
}

fn files(rig: &Rig) -> Vec<PathBuf> {
    fn walk(path: PathBuf, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(rig.cache_path().join("tapes"), &mut found);
    found
}

fn on_disk(rig: &Rig) -> u64 {
    files(rig).iter().map(|path| path.metadata().unwrap().len()).sum()
}

#[test]
fn the_coldest_go_from_high_water_down_to_low_water() {
    let mut rig = Rig::new();
    rig.cache = limits(100_000, 50_000, 30_000);
    let running = rig.start();
    running.create();
    fill(&running, ID);
    running.until("at rest", || running.store.cached() < 50_000);
    let left = cached(&running, ID);
    assert_eq!((running.store.cached(), on_disk(&rig)), (bytes(&left), bytes(&left)));
    assert!(left.iter().any(|(sequence, _)| *sequence == 12), "the last one stays: {left:?}");
    assert!(!left.iter().any(|(sequence, _)| *sequence == 1), "the first one goes: {left:?}");
    // What went comes back.
    running.load();
    running.expect(0..70);
    running.until("below the size", || running.store.cached() <= 100_000);
    running.stop();
    assert!(on_disk(&rig) <= 100_000);
}

#[test]
fn nothing_is_kept_where_nothing_may_be_left() {
    let mut rig = Rig::new();
    rig.cache = CacheLimits { free_floor: u64::MAX / 2, ..limits(1 << 30, 1 << 30, 1 << 29) };
    let running = rig.start();
    running.create();
    fill(&running, ID);
    assert_eq!((running.store.cached(), on_disk(&rig)), (0, 0));
    running.load();
    running.expect(0..70);
    assert_eq!(running.store.cached(), 0);
    running.stop();
}

#[test]
fn what_is_pinned_stays_and_others_go() {
    let mut rig = Rig::new();
    rig.cache = limits(110_000, 100_000, 80_000);
    let running = rig.start();
    running.create();
    second(&running);
    running.operations.pin(ID, true).unwrap();
    fill(&running, ID);
    let pinned = cached(&running, ID);
    assert_eq!(pinned.len(), 12);
    fill(&running, SECOND);
    running.until("at rest", || running.store.cached() < 100_000);
    assert_eq!(cached(&running, ID), pinned);
    assert_eq!(running.store.cached(), bytes(&pinned) + bytes(&cached(&running, SECOND)));
    assert!(running.operations.tape(ID).unwrap().pinned);
    running.stop();
    // Remembered.
    let running = rig.start();
    running.until("known", || running.operations.tape(ID).is_some_and(|tape| tape.pinned));
    running.operations.pin(ID, false).unwrap();
    assert!(!running.operations.tape(ID).unwrap().pinned);
    running.stop();
}

#[test]
fn staging_brings_all_of_it_or_says_that_there_is_no_room() {
    let rig = Rig::new();
    let running = rig.start();
    running.create();
    fill(&running, ID);
    let all = cached(&running, ID);
    running.stop();
    std::fs::remove_dir_all(rig.cache_path()).unwrap();

    let running = rig.start();
    let mut seen = Vec::new();
    let staged = running.operations.stage(ID, &mut |progress| {
        seen.push(progress.done);
        ControlFlow::Continue(())
    });
    let staged = staged.unwrap();
    assert_eq!((staged.done, staged.total), (bytes(&all), bytes(&all)));
    assert_eq!((cached(&running, ID), running.store.cached(), on_disk(&rig)), (all.clone(), bytes(&all), bytes(&all)));
    assert!(seen.len() == 13 && seen.is_sorted(), "{seen:?}");
    let reads = rig.segment_reads();
    running.load();
    running.expect(0..70);
    assert_eq!(rig.segment_reads(), reads, "it is read from here");
    running.stop();
    std::fs::remove_dir_all(rig.cache_path()).unwrap();

    // It ends when it is told to; what came stays.
    let running = rig.start();
    let mut left = 4;
    let stopped = running.operations.stage(ID, &mut |_| {
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(stopped, Err(MoverError::Cancelled)));
    assert_eq!(cached(&running, ID), all[..3]);
    running.stop();

    let mut rig = rig;
    rig.cache = limits(50_000, 40_000, 30_000);
    let running = rig.start();
    let full = running.operations.stage(ID, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(full, Err(MoverError::NoRoom { .. })), "{full:?}");
    assert!(running.store.cached() <= 50_000);
    running.stop();
}

#[test]
fn a_spoiled_cache_is_passed_over() {
    for (salt, spoil) in [
        (0, (|bytes: &mut Vec<u8>, at| bytes[at] ^= 0x10) as fn(&mut Vec<u8>, usize)),
        (1, |bytes, at| bytes.truncate(at)),
        (2, |bytes, at| bytes[at..].fill(0)),
    ] {
        let rig = Rig::new();
        let running = rig.start_loaded();
        for number in 0..10 {
            running.write(number * 7..number * 7 + 7);
        }
        running.shipped_to(80);
        running.unload();
        running.until("moved", || running.store.look_at(ID).unwrap().segments().unwrap().is_empty());
        running.stop();
        for (index, path) in files(&rig).iter().enumerate() {
            let mut bytes = std::fs::read(path).unwrap();
            let at = (index * 977 + salt * 131) % bytes.len();
            spoil(&mut bytes, at);
            std::fs::write(path, bytes).unwrap();
        }
        let running = rig.start();
        running.load();
        for _ in 0..2 {
            for number in 0..10 {
                running.expect(number * 7..number * 7 + 7);
            }
            running.perform(MediumOp::Rewind);
        }
        running.stop();
    }
}

#[test]
fn a_spoiled_filemark_in_the_cache_is_read_from_the_tier() {
    let rig = Rig::new();
    let running = rig.start_loaded();
    (0..7).for_each(|number| running.write(number..number + 1));
    running.shipped_to(14);
    running.unload();
    running.until("moved", || running.store.look_at(ID).unwrap().segments().unwrap().is_empty());
    running.stop();
    let path = &files(&rig)[0];
    let whole = std::fs::read(path).unwrap();
    // Every byte of the first two records and what lies between them.
    for at in (0..2200).step_by(if rig::soak() > 1 { 1 } else { 13 }) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        std::fs::write(path, bytes).unwrap();
        let running = rig.start();
        running.load();
        (0..7).for_each(|number| running.expect(number..number + 1));
        running.unload();
        running.stop();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    }
}
