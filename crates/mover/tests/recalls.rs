//! Reading what was evicted, in any order, from segments of many frames, from memory and from directories.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod rig;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use capstan_cartridge::{Cartridge, Options};
use capstan_media::{MediumOp, ReadRequest, SpaceTarget};
use capstan_mover::NoticeKind;
use capstan_tier::{DirTier, Verb};
use rig::{ID, Rig, Running};

/// Length of a block: neither a part nor a multiple of a frame.
const LENGTH: usize = 300_007;

const BLOCKS: u64 = 40;

fn big() -> Options {
    // Some twelve blocks: three frames and a part of one.
    Options { segment_size: 3_700_000, unsynced_segments: 2, ..Options::default() }
}

fn block(number: u64) -> Bytes {
    let words = (0_u64..).map(|word| (number << 32 | word).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    words.flat_map(u64::to_le_bytes).take(LENGTH).collect::<Vec<u8>>().into()
}

fn load(running: &Running) {
    let cartridge = Cartridge::open_with(&running.store, ID, big()).unwrap();
    *running.drive.0.lock().unwrap() = Some(cartridge);
}

/// Writes the blocks, ships them, and loses what is here.
fn evicted(rig: &mut Rig) {
    // Segments end where they are full.
    (rig.rules.cartridge, rig.rules.close_after) = (big(), Duration::from_secs(3600));
    let running = rig.start();
    running.create();
    load(&running);
    let block_length = u32::try_from(LENGTH).unwrap();
    for number in 0..BLOCKS {
        running.perform(MediumOp::Write { data: block(number), block_length });
    }
    running.perform(MediumOp::WriteFilemarks { count: 1, synchronise: true });
    running.unload();
    running.shipped_to(BLOCKS + 1);
    running.until("moved", || running.store.look_at(ID).unwrap().segments().unwrap().is_empty());
    running.stop();
    std::fs::remove_dir_all(rig.cache_path()).unwrap();
}

fn reads(running: &Running, number: u64) {
    let block_length = u32::try_from(LENGTH).unwrap();
    let read = running.perform(MediumOp::Read(ReadRequest { block_length, count: 1 }));
    assert!(read.data == block(number), "block {number} is another");
}

fn forwards(running: &Running) {
    running.locate(0);
    (0..BLOCKS).for_each(|number| reads(running, number));
}

fn backwards(running: &Running) {
    for number in (0..BLOCKS).rev() {
        running.locate(number);
        reads(running, number);
    }
}

fn anywhere(running: &Running) {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..3 * BLOCKS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let number = random % BLOCKS;
        running.locate(number);
        // Some of them read on.
        (number..BLOCKS.min(number + random / BLOCKS % 3 + 1)).for_each(|number| reads(running, number));
    }
}

/// Beginnings of blocks, several blocks at once, and blocks passed over.
fn in_parts(running: &Running) {
    running.locate(3);
    let done = running.perform(MediumOp::Read(ReadRequest { block_length: 1000, count: 1 }));
    assert_eq!(done.data, block(3)[..1000]);
    running.perform(MediumOp::Space(SpaceTarget::Blocks(5)));
    reads(running, 9);
    let block_length = u32::try_from(LENGTH).unwrap();
    let done = running.perform(MediumOp::Read(ReadRequest { block_length, count: 20 }));
    assert_eq!(done.count, 20);
    let expected: Vec<u8> = (10..30).flat_map(block).collect();
    assert!(done.data == expected);
    running.perform(MediumOp::Space(SpaceTarget::Blocks(-25)));
    reads(running, 5);
}

#[test]
fn in_any_order_it_is_the_same() {
    for way in [forwards, backwards, anywhere, in_parts] {
        let mut rig = Rig::new();
        evicted(&mut rig);
        let running = rig.start();
        load(&running);
        way(&running);
        forwards(&running);
        running.stop();
        assert_eq!(rig.told(NoticeKind::RecallFailed), Vec::<String>::new());
    }
}

#[test]
fn without_a_cache_it_is_fetched_once_for_each_time_it_is_read() {
    let mut rig = Rig::new();
    rig.cache.size = 0;
    evicted(&mut rig);
    let stored: usize =
        rig.tier.objects().iter().filter(|(key, _)| key.contains("/segments/")).map(|(_, b)| b.len()).sum();
    let stored = u64::try_from(stored).unwrap();
    let running = rig.start();
    load(&running);
    forwards(&running);
    let fetched = running.operations.tiers()[0].downloaded_bytes;
    assert!(fetched < stored + stored / 2, "{fetched} of {stored}");
    backwards(&running);
    anywhere(&running);
    assert_eq!(running.store.cached(), 0);
    running.stop();
}

#[test]
fn from_a_directory_it_is_the_same() {
    let mut rig = Rig::new();
    let place = rig.root.path().join("tier");
    rig.object = Some(Arc::new(DirTier::open("memory", &place).unwrap()));
    evicted(&mut rig);
    rig.rules.close_after = Duration::from_millis(20);
    for way in [backwards, anywhere, in_parts] {
        let running = rig.start();
        load(&running);
        way(&running);
        // Overwritten and shipped again while it is read.
        running.locate(BLOCKS);
        running.perform(MediumOp::WriteFilemarks { count: 1, synchronise: true });
        forwards(&running);
        running.unload();
        running.shipped_to(BLOCKS + 1);
        running.stop();
        let _ = std::fs::remove_dir_all(rig.cache_path());
    }
    // A directory that is not there any more is not an empty tier.
    std::fs::rename(&place, rig.root.path().join("elsewhere")).unwrap();
    let running = rig.start();
    load(&running);
    running.locate(BLOCKS);
    running.write(0..10);
    running.until("counted", || running.operations.shipping().unshipped_bytes > 0);
    running.until("told", || running.operations.tiers()[0].problem.is_some());
    assert!(!place.exists());
    std::fs::rename(rig.root.path().join("elsewhere"), &place).unwrap();
    running.shipped_to(BLOCKS + 11);
    running.stop();
}

#[test]
fn what_failed_ahead_of_the_reader_is_asked_for_again() {
    let mut rig = Rig::new();
    evicted(&mut rig);
    let running = rig.start();
    load(&running);
    let asked = |sequence: u64| {
        let key = format!("/segments/{sequence:09}-");
        rig.tier.requests().iter().filter(|it| it.verb == Verb::Read && it.key.contains(&key)).count()
    };
    (0..12).for_each(|number| reads(&running, number));
    // The second segment comes while the first is read: its end, and all the rest in one run.
    running.until("ahead", || asked(2) >= 2);
    rig.tier.deny(Verb::Read, true);
    reads(&running, 12);
    running.until("ahead", || asked(3) >= 2);
    running.until("failed", || running.operations.tiers()[0].last_error.is_some());
    rig.tier.deny(Verb::Read, false);
    (13..BLOCKS).for_each(|number| reads(&running, number));
    running.stop();
    assert_eq!(rig.told(NoticeKind::RecallFailed), Vec::<String>::new());
}
