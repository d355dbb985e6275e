//! Blocks stop before the disk is full, so that everything else goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::path::Path;
use std::sync::Arc;

use capstan_cartridge::{Cartridge, NewCartridge, Options};
use capstan_disk::SimDisk;
use capstan_media::{CartridgeId, MediumFailureKind, MediumOp};
use capstan_store::Store;
use support::{ID, filemarks, new_cartridge, read, write};

const RESERVE: u64 = 10_000;
const OPTIONS: Options = Options { segment_size: 1 << 20, unsynced_segments: 2, reserve: RESERVE, versions: 0 };

fn store_on(disk: &SimDisk) -> Store {
    Store::open(Path::new("/store"), Arc::new(disk.clone())).unwrap()
}

fn free(disk: &SimDisk, limit: u64) -> u64 {
    limit - disk.used()
}

#[test]
fn blocks_leave_the_reserve_and_filemarks_and_unloads_use_it() {
    let disk = SimDisk::new();
    let store = store_on(&disk);
    Cartridge::create(&store, new_cartridge(100 << 20)).unwrap();
    let mut cartridge = Cartridge::open_with(&store, ID, OPTIONS).unwrap();
    let limit = 60_000;
    disk.limit_space(Some(limit));
    let mut blocks = 0;
    let failure = loop {
        match cartridge.perform(write(vec![7; 1000])) {
            Ok(_) => blocks += 1,
            Err(failure) => break failure,
        }
    };
    assert_eq!((failure.kind, failure.count, failure.position.object.0), (MediumFailureKind::NoSpace, 0, blocks));
    assert!(failure.message.contains("the disk is full"), "{failure}");
    let left = free(&disk, limit);
    assert!((RESERVE - 1000..RESERVE + 1100).contains(&left), "{blocks} blocks, {left} bytes free");
    for mark in 0..20 {
        let done = cartridge.perform(filemarks(1, true)).unwrap();
        assert_eq!(done.position.object.0, blocks + mark + 1);
    }
    cartridge.perform(MediumOp::Rewind).unwrap();
    assert_eq!(cartridge.perform(read(1000, 1)).unwrap().data, vec![7; 1000]);
    cartridge.close().unwrap();
    // Space freed: the same goes on.
    let mut cartridge = Cartridge::open_with(&store, ID, OPTIONS).unwrap();
    cartridge
        .perform(MediumOp::Locate {
            partition: capstan_media::Partition(0),
            target: capstan_media::LocateTarget::EndOfData,
        })
        .unwrap();
    assert_eq!(cartridge.perform(write(vec![8; 1000])).unwrap_err().kind, MediumFailureKind::NoSpace);
    disk.limit_space(Some(limit + 5000));
    cartridge.perform(write(vec![8; 1000])).unwrap();
}

#[test]
fn each_loaded_cartridge_has_its_reserve() {
    let disk = SimDisk::new();
    let store = store_on(&disk);
    let ids: Vec<CartridgeId> = (1..=3).map(|number| CartridgeId([number; 16])).collect();
    for id in &ids {
        Cartridge::create(&store, NewCartridge { id: *id, ..new_cartridge(1 << 20) }).unwrap();
    }
    let mut loaded: Vec<Cartridge> = ids.iter().map(|id| Cartridge::open_with(&store, *id, OPTIONS).unwrap()).collect();
    disk.limit_space(Some(disk.used() + 3 * RESERVE + 900));
    assert_eq!(loaded[0].perform(write(vec![1; 1000])).unwrap_err().kind, MediumFailureKind::NoSpace);
    loaded.pop().unwrap().close().unwrap();
    loaded[0].perform(write(vec![1; 1000])).unwrap();
}
