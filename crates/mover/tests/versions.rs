//! Older versions of tapes in the tier: shipped, gone back to, read after the cache was lost, and forgotten.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod rig;

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use capstan_cartridge::{Cartridge, CartridgeError, forget_version, hold_version, roll_back, versions};
use capstan_format::Meta;
use capstan_media::{Barcode, CartridgeId, MediumOp};
use capstan_mover::{CloneTape, MoverError, NoticeKind};
use rig::{ID, Rig, Running};

fn numbers(running: &Running) -> Vec<u32> {
    versions(&running.store, ID).unwrap().1.iter().map(|it| it.version.number).collect()
}

/// Versions as the manifest has them.
fn in_tier(rig: &Rig) -> Vec<u32> {
    let meta = Meta::decode(&rig.manifest().meta.unwrap()).unwrap();
    meta.versions.iter().map(|version| version.number).collect()
}

fn rows(rig: &Rig) -> BTreeSet<u64> {
    rig.manifest().rows.into_keys().collect()
}

/// A tape with 40 blocks in the tier, overwritten from its beginning with 30 others, unloaded.
fn relabelled(rig: &Rig) -> Running {
    let running = rig.start_loaded();
    running.write(0..40);
    running.shipped_to(41);
    running.perform(MediumOp::Rewind);
    running.write(100..130);
    running.shipped_to(31);
    running.unload();
    running.until("a version in the tier", || in_tier(rig) == [1]);
    running
}

/// The tape holds these blocks, read from the tier alone.
fn is_read_back(rig: &Rig, blocks: std::ops::Range<u64>) -> Running {
    fs::remove_dir_all(rig.cache_path()).unwrap();
    let running = rig.start();
    running.until("evicted", || running.store.look_at(ID).unwrap().segments().unwrap().is_empty());
    running.load();
    running.expect(blocks);
    running.unload();
    running
}

#[test]
fn a_tape_goes_back_and_forth_and_is_read_from_the_tier() {
    let rig = Rig::new();
    let running = relabelled(&rig);
    let all = rows(&rig);
    assert_eq!(rig.manifest().releases, []);
    running.stop();

    let running = is_read_back(&rig, 100..130);
    assert_eq!(roll_back(&running.store, ID, 1).unwrap().number, 2);
    running.until("gone back in the tier", || in_tier(&rig) == [2]);
    assert_eq!((rows(&rig), rig.manifest().releases), (all.clone(), Vec::new()), "nothing was sent again");
    running.stop();

    // What was the tape before is not lost: neither here nor in the tier.
    let running = is_read_back(&rig, 0..40);
    roll_back(&running.store, ID, 2).unwrap();
    running.until("undone in the tier", || in_tier(&rig) == [3]);
    running.stop();
    let running = is_read_back(&rig, 100..130);
    assert_eq!(rows(&rig), all);
    rig.check();
    running.stop();
}

#[test]
fn a_cartridge_that_another_gateway_goes_on_with_is_not_rolled_back() {
    let rig = Rig::new();
    let running = relabelled(&rig);
    let mut cartridge = Cartridge::open_with(&running.store, ID, rig.rules.cartridge).unwrap();
    cartridge.fence().unwrap();
    assert!(matches!(cartridge.forget_versions(&[1]), Err(CartridgeError::WriteProtected(ID))));
    drop(cartridge);
    assert!(matches!(roll_back(&running.store, ID, 1), Err(CartridgeError::WriteProtected(ID))));
    assert_eq!(numbers(&running), [1]);
    running.stop();
}

#[test]
fn staging_a_tape_leaves_its_older_versions_where_they_are() {
    let rig = Rig::new();
    relabelled(&rig).stop();
    fs::remove_dir_all(rig.cache_path()).unwrap();
    let running = rig.start();
    running.until("evicted", || running.store.look_at(ID).unwrap().segments().unwrap().is_empty());
    let staged = running.operations.stage(ID, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
    let all: u64 = rig.manifest().rows.values().map(|row| row.segment_length).sum();
    assert_eq!((staged.done, running.store.cached()), (staged.total, staged.total));
    assert!(staged.total > 30_000 && staged.total + 40_000 < all, "{staged:?} of {all}");
    running.load();
    running.expect(100..130);
    running.stop();
}

#[test]
fn what_only_a_forgotten_version_has_is_released() {
    let rig = Rig::new();
    let running = relabelled(&rig);
    let all = rows(&rig);
    hold_version(&running.store, ID, 1, true).unwrap();
    hold_version(&running.store, ID, 1, false).unwrap();
    forget_version(&running.store, ID, 1).unwrap();
    running.until("forgotten in the tier", || in_tier(&rig).is_empty());
    let left = rows(&rig);
    assert!(left.is_subset(&all) && left.len() < all.len());
    assert_eq!(rig.manifest().releases.len(), all.len() - left.len());
    assert_eq!(usize::try_from(running.scrub(Duration::ZERO).released).unwrap(), all.len() - left.len());
    rig.check();
    running.stop();
    is_read_back(&rig, 100..130).stop();
}

#[test]
fn versions_are_forgotten_when_they_are_old_and_not_while_they_are_held() {
    let mut rig = Rig::new();
    let running = relabelled(&rig);
    hold_version(&running.store, ID, 1, true).unwrap();
    running.load();
    running.perform(MediumOp::Rewind);
    running.write(200..220);
    running.shipped_to(21);
    running.unload();
    running.until("two versions", || in_tier(&rig) == [1, 2]);
    running.stop();
    (rig.rules.versions.keep, rig.rules.versions.every) = (Duration::ZERO, Duration::from_millis(5));
    let running = rig.start();
    running.until("one is forgotten", || numbers(&running) == [1] && in_tier(&rig) == [1]);
    running.until("told", || !rig.told(NoticeKind::VersionForgotten).is_empty());
    assert_eq!(rig.told(NoticeKind::VersionForgotten), ["version 2: it is older than versions are kept"]);
    running.load();
    running.expect(200..220);
    running.stop();
}

#[test]
fn what_is_not_in_the_tier_makes_room_when_the_buffer_is_nearly_full() {
    let mut rig = Rig::new();
    rig.rules.versions.pressed = 60_000;
    rig.rules.versions.every = Duration::from_millis(5);
    let running = rig.start_loaded();
    running.until("ready", || running.operations.tiers()[0].state.name() == "ready");
    running.operations.pause("memory").unwrap();
    running.write(0..40);
    running.perform(MediumOp::Rewind);
    running.write(100..110);
    assert_eq!(numbers(&running), [1], "there is room");
    running.write(110..130);
    running.until("the version made room", || numbers(&running).is_empty());
    running.until("told", || !rig.told(NoticeKind::VersionForgotten).is_empty());
    let told = rig.told(NoticeKind::VersionForgotten);
    assert_eq!(told, ["version 1: versions that are not in the tier take too much room"]);
    running.until("its files are gone", || running.store.used() < 60_000);
    running.operations.resume("memory").unwrap();
    running.shipped_to(32);
    running.unload();
    running.until("shipped", || in_tier(&rig).is_empty());
    rig.check();
    running.stop();
}

#[test]
fn a_version_that_was_not_shipped_before_it_was_overwritten_is_shipped_then() {
    let rig = Rig::new();
    let running = rig.start_loaded();
    running.until("ready", || running.operations.tiers()[0].state.name() == "ready");
    running.operations.pause("memory").unwrap();
    running.write(0..40);
    running.perform(MediumOp::Rewind);
    running.write(100..130);
    running.operations.resume("memory").unwrap();
    running.shipped_to(31);
    running.unload();
    running.until("a version in the tier", || in_tier(&rig) == [1]);
    assert_eq!(versions(&running.store, ID).unwrap().1[0].unshipped_bytes, 0);
    running.stop();
    let running = is_read_back(&rig, 100..130);
    roll_back(&running.store, ID, 1).unwrap();
    running.until("gone back in the tier", || in_tier(&rig) == [2]);
    running.stop();
    is_read_back(&rig, 0..40).stop();
    rig.check();
}

const CLONE: CartridgeId = CartridgeId([0xc1; 16]);

fn clone(running: &Running, version: Option<u32>) -> Result<(), MoverError> {
    let barcode = Barcode::new("CLN001L8").unwrap();
    let clone = CloneTape { source: ID, version, id: CLONE, barcode, capacity: 1 << 20 };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(running.operations.clone_tape(clone))
}

/// The manifest of the clone in the tier, if it has one.
fn of_clone(rig: &Rig) -> Option<(Meta, BTreeSet<u64>)> {
    let names = capstan_tier::names::Names::default();
    let tape = capstan_tier::names::TapeName { barcode: Barcode::new("CLN001L8").unwrap(), cartridge: CLONE };
    let objects = rig.tier.objects();
    let mut deltas = objects.iter().filter(|(key, _)| key.starts_with(&names.manifest(&tape)));
    let decode = |bytes| capstan_format::manifest::Delta::decode(bytes).unwrap();
    let mut manifest = capstan_format::manifest::Manifest::begin(decode(deltas.next()?.1)).unwrap();
    deltas.for_each(|(_, bytes)| manifest.apply(decode(bytes)).unwrap());
    Some((Meta::decode(&manifest.meta.unwrap()).unwrap(), manifest.rows.into_keys().collect()))
}

#[test]
fn a_clone_shares_objects_and_goes_its_own_way() {
    for wrapping_key in [None, Some(capstan_tier::WrappingKey::new([7; 32]))] {
        let mut rig = Rig::new();
        rig.wrapping_key = wrapping_key;
        let running = relabelled(&rig);
        let objects = rig.tier.objects().keys().filter(|key| key.contains("/segments/")).count();
        clone(&running, Some(1)).unwrap();
        assert!(clone(&running, Some(1)).is_err(), "it is there");
        assert!(clone(&running, Some(9)).is_err(), "there is no such version");
        running.until("in the tier", || of_clone(&rig).is_some());
        let after = rig.tier.objects().keys().filter(|key| key.contains("/segments/")).count();
        assert_eq!(after, objects, "nothing was copied");

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for shared in [ID, CLONE] {
            let refused = runtime.block_on(running.operations.hand_over(shared, None)).unwrap_err().to_string();
            assert!(refused.contains("shares objects in the tier with C"), "{refused}");
        }

        // The clone is written from its middle on; the other tape is erased, and what is nobody's goes.
        running.load_other(CLONE);
        running.locate(20);
        running.write(300..310);
        running.unload();
        running.until("its own", || of_clone(&rig).is_some_and(|(meta, _)| meta.end.object == 31));
        running.load();
        running.perform(MediumOp::Erase);
        running.unload();
        let numbers = numbers(&running);
        assert_eq!(numbers, [1, 2]);
        forget_version(&running.store, ID, 2).unwrap();
        running.until("released", || !rig.manifest().releases.is_empty());
        assert!(running.scrub(Duration::ZERO).released > 0);
        running.stop();

        fs::remove_dir_all(rig.cache_path()).unwrap();
        let running = rig.start();
        running.load_other(CLONE);
        running.expect_blocks((0..20).chain(300..310));
        running.unload();
        // It is a tape like any other: gone back to what it was when it was made.
        roll_back(&running.store, CLONE, 1).unwrap();
        running.load_other(CLONE);
        running.expect(0..40);
        running.unload();
        running.stop();
    }
}

#[test]
fn what_is_only_here_is_not_cloned() {
    let rig = Rig::new();
    let running = rig.start_loaded();
    running.until("ready", || running.operations.tiers()[0].state.name() == "ready");
    running.operations.pause("memory").unwrap();
    running.write(0..40);
    running.unload();
    let refused = clone(&running, None);
    assert!(matches!(refused, Err(MoverError::NotShipped(_))), "{refused:?}");
    assert!(running.store.look_at(CLONE).is_err());
    running.operations.resume("memory").unwrap();
    running.shipped_to(41);
    clone(&running, None).unwrap();
    running.load_other(CLONE);
    running.expect(0..40);
    running.stop();
}
