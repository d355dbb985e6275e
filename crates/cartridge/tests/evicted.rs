//! Segments that are only in a tier: what is said when they cannot be had, and what needs none of them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use capstan_cartridge::{Cartridge, FindingKind, Progress, Verified};
use capstan_disk::SimDisk;
use capstan_media::{LocateTarget, LogicalObjectId, MediumFailureKind, MediumOp, Partition};
use capstan_store::Store;
use support::tier::Tier;
use support::{ID, Random, done, new_cartridge, read, small_segments, write};

/// A new cartridge of thirty blocks in several segments, loaded again.
fn filled(store: &Store) -> Cartridge {
    Cartridge::create(store, new_cartridge(1 << 20)).unwrap();
    let mut cartridge = Cartridge::open_with(store, ID, small_segments(8000)).unwrap();
    for number in 0..30 {
        done(&mut cartridge, write(vec![number; 1000]));
    }
    cartridge.close().unwrap();
    Cartridge::open_with(store, ID, small_segments(8000)).unwrap()
}

/// The thirty blocks are read, from the beginning.
fn expect_all(cartridge: &mut Cartridge) {
    for number in 0..30 {
        assert_eq!(done(cartridge, read(1000, 1)).data, vec![number; 1000]);
    }
}

/// A cartridge of thirty blocks in several segments, all of them shipped and some evicted.
fn evicted() -> (Arc<SimDisk>, Tier) {
    let disk = Arc::new(SimDisk::new());
    let tier = Tier::default();
    let store = Store::open(Path::new("/store"), disk.clone()).unwrap();
    let mut cartridge = filled(&store);
    let mut random = Random::new(4);
    let (shipped, mut gone) = tier.ship(&store, &mut cartridge, &mut random);
    while gone < shipped {
        gone += tier.ship(&store, &mut cartridge, &mut random).1;
    }
    assert!(shipped >= 4);
    cartridge.close().unwrap();
    assert!(store.look_at(ID).unwrap().segments().unwrap().is_empty());
    (disk, tier)
}

fn open(disk: &Arc<SimDisk>, tier: Option<Tier>) -> (Store, Cartridge) {
    let store = Store::open(Path::new("/store"), disk.clone()).unwrap();
    if let Some(tier) = tier {
        store.set_recall(Arc::new(tier));
    }
    let cartridge = Cartridge::open_with(&store, ID, small_segments(8000)).unwrap();
    (store, cartridge)
}

#[test]
fn what_is_written_is_unfinished_until_it_can_be_shipped() {
    let store = Store::open(Path::new("/store"), Arc::new(SimDisk::new())).unwrap();
    Cartridge::create(&store, new_cartridge(1 << 20)).unwrap();
    let mut cartridge = Cartridge::open_with(&store, ID, small_segments(8000)).unwrap();
    assert_eq!(cartridge.unfinished_bytes(), 0);
    for number in 0..30 {
        done(&mut cartridge, write(vec![number; 1000]));
        assert!(cartridge.unshipped().is_empty());
        assert!(cartridge.unfinished_bytes() > 1000 * (u64::from(number) + 1));
    }
    cartridge.settle_older_than(Duration::ZERO).unwrap();
    assert_eq!((cartridge.unshipped().len(), cartridge.unfinished_bytes()), (5, 0));
}

#[test]
fn what_was_evicted_is_read_from_the_tier() {
    let (disk, tier) = evicted();
    let (_store, mut cartridge) = open(&disk, Some(tier));
    for number in 0..30 {
        assert!(number % 8 != 1 || !cartridge.is_brief(&read(1000, 1)), "a recalled segment may take long");
        assert_eq!(done(&mut cartridge, read(1000, 1)).data, vec![number; 1000]);
    }
}

#[test]
fn loading_and_appending_need_nothing_of_the_tier() {
    let (disk, tier) = evicted();
    let (store, mut cartridge) = open(&disk, None);
    assert_eq!((cartridge.facts().objects, cartridge.facts().used), (30, 30_000));
    done(&mut cartridge, MediumOp::Locate { partition: Partition(0), target: LocateTarget::EndOfData });
    done(&mut cartridge, write(vec![30; 1000]));
    let facts = cartridge.close().unwrap();
    assert_eq!((facts.objects, facts.used), (31, 31_000));
    drop(store);
    let (_store, mut cartridge) = open(&disk, Some(tier));
    assert_eq!(done(&mut cartridge, read(1000, 31)).data.len(), 31_000);
}

#[test]
fn without_a_tier_a_read_says_so_and_nothing_is_lost() {
    let (disk, tier) = evicted();
    let (store, mut cartridge) = open(&disk, None);
    let failure = cartridge.perform(read(1000, 1)).unwrap_err();
    assert_eq!((failure.count, failure.position.object), (0, LogicalObjectId(0)));
    assert!(failure.message.contains("there is no tier to recall it from"), "{}", failure.message);
    assert_eq!(failure.kind, MediumFailureKind::ReadFault);
    cartridge.close().unwrap();
    drop(store);
    let (_store, mut cartridge) = open(&disk, Some(tier));
    assert_eq!(done(&mut cartridge, read(1000, 1)).data, vec![0; 1000]);
}

#[test]
fn verifying_passes_what_is_in_the_tier_and_names_a_damaged_log() {
    let (disk, _) = evicted();
    let store = Store::open(Path::new("/store"), disk).unwrap();
    let report = |store: &Store| {
        let watch: &mut dyn FnMut(Progress) -> std::ops::ControlFlow<()> = &mut |_| std::ops::ControlFlow::Continue(());
        match capstan_cartridge::verify(store, ID, watch).unwrap() {
            Verified::Whole(report) => report,
            Verified::Cancelled => panic!(),
        }
    };
    assert_eq!((report(&store).findings.len(), report(&store).lost, report(&store).objects), (0, 0, 30));
    let directory = store.look_at(ID).unwrap();
    let mut log = directory.read_shipped().unwrap();
    let twice = [log.clone(), log.clone()].concat();
    directory.replace_shipped(&twice).unwrap();
    let findings = report(&store).findings;
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].kind, findings[0].offset), (FindingKind::Metadata, log.len() as u64));
    // All rows are in the first delta: without it every segment is missing.
    log[20] ^= 1;
    directory.replace_shipped(&log).unwrap();
    assert!(report(&store).findings.iter().all(|finding| finding.kind == FindingKind::Missing));
    assert_eq!(report(&store).lost, 30);
}

#[test]
fn a_damaged_file_here_is_passed_over_for_the_tier() {
    let disk = Arc::new(SimDisk::new());
    let tier = Tier::default();
    let store = Store::open(Path::new("/store"), disk).unwrap();
    store.set_recall(Arc::new(tier.clone()));
    let mut cartridge = filled(&store);
    let mut none = Random::new(4);
    while tier.ship(&store, &mut cartridge, &mut none).0 > 0 {}
    drop(cartridge);
    // Every byte of every file that is left is turned round: headers, records and indexes.
    let directory = store.look_at(ID).unwrap();
    let left = directory.segments().unwrap();
    assert!(!left.is_empty());
    for sequence in left {
        let mut segment = directory.open_segment(sequence).unwrap();
        let bytes: Vec<u8> = segment.read_from(0, 1 << 20).unwrap().iter().map(|byte| !byte).collect();
        segment.write(&mut [std::io::IoSlice::new(&bytes)], 0).unwrap();
    }
    let mut cartridge = Cartridge::open_with(&store, ID, small_segments(8000)).unwrap();
    expect_all(&mut cartridge);
}

#[test]
fn a_damaged_index_here_costs_nothing_while_the_tier_is_away() {
    let disk = Arc::new(SimDisk::new());
    let tier = Tier::default();
    let store = Store::open(Path::new("/store"), disk).unwrap();
    let mut cartridge = filled(&store);
    let mut none = Random::new(4);
    // What was evicted on the way is put back: nothing is missing here.
    let directory = store.look_at(ID).unwrap();
    let files: Vec<(u64, Vec<u8>)> = directory
        .segments()
        .unwrap()
        .into_iter()
        .map(|sequence| (sequence, directory.open_segment(sequence).unwrap().read_from(0, 1 << 20).unwrap()))
        .collect();
    while tier.ship(&store, &mut cartridge, &mut none).0 > 0 {}
    drop(cartridge);
    let mut directory = store.claim(ID).unwrap();
    for (sequence, mut bytes) in files {
        directory.remove_segment(sequence).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let mut segment = directory.create_segment(sequence).unwrap();
        segment.write(&mut [std::io::IoSlice::new(&bytes)], 0).unwrap();
    }
    drop(directory);
    let mut cartridge = Cartridge::open_with(&store, ID, small_segments(8000)).unwrap();
    expect_all(&mut cartridge);
}
