//! A tier that is away, paused or limited: what is only here is known at any time, and reads wait as long as they should.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod rig;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use capstan_media::{MediumFailureKind, MediumOp};
use capstan_mover::{Keeper, LimitChange, Mover, NoticeKind, Work};
use capstan_tier::TierErrorKind;
use rig::{Drive, ID, Rig, Running};

const AWAY: Option<TierErrorKind> = Some(TierErrorKind::Unavailable);

/// Bytes that are only here grow and are right, whatever the tier does.
fn grows(running: &Running) {
    let mut before = running.operations.shipping().unshipped_bytes;
    for number in 0..5 {
        running.write(1000 + number * 20..1020 + number * 20);
        running.until("more", || running.operations.shipping().unshipped_bytes > before + 19_000);
        before = running.operations.shipping().unshipped_bytes;
    }
    let directory = running.store.look_at(ID).unwrap();
    let exact = || {
        let segments = directory.segments().unwrap();
        let all = segments.iter().map(|sequence| directory.open_segment(*sequence).unwrap().length()).sum::<u64>();
        let open = running.operations.shipping().unshipped_bytes;
        all >= open && all - open < 16_500
    };
    running.until("all of it", exact);
    let age = running.operations.shipping().oldest_unshipped.unwrap();
    running.until("older", || running.operations.shipping().oldest_unshipped > Some(age + Duration::from_millis(20)));
    // Unloaded and loaded again, it is not younger.
    running.unload();
    running.load();
    running.perform(MediumOp::Rewind);
    let age = running.operations.shipping().oldest_unshipped.unwrap();
    running.until("older", || running.operations.shipping().oldest_unshipped > Some(age + Duration::from_millis(5)));
    assert!(running.operations.shipping().oldest_unshipped.unwrap() > age);
}

#[test]
fn what_is_only_here_is_known_while_the_tier_is_away() {
    // Before anything was shipped, in the middle of a delta, and after.
    for shipped in [false, true] {
        let rig = Rig::new();
        let running = rig.start_loaded();
        if shipped {
            running.write(0..20);
            running.shipped_to(21);
        }
        rig.tier.away(AWAY);
        grows(&running);
        rig.tier.away(None);
        running.until("shipped", || running.operations.shipping().unshipped_bytes == 0);
        running.until("no age", || running.operations.shipping().oldest_unshipped.is_none());
        running.stop();
        rig.check();
    }
}

#[test]
fn what_is_only_here_is_known_while_the_tier_is_paused() {
    let rig = Rig::new();
    let running = rig.start_loaded();
    running.write(0..20);
    running.shipped_to(21);
    assert_eq!(running.operations.pause("memory").unwrap().state.name(), "paused");
    assert!(running.operations.pause("other").is_err());
    let objects = rig.tier.objects();
    grows(&running);
    running.unload();
    running.until("aged", || running.operations.shipping().oldest_unshipped > Some(Duration::from_millis(300)));
    let waiting = running.operations.shipping().unshipped_bytes;
    running.stop();
    assert_eq!(rig.tier.objects(), objects);
    // Remembered.
    let running = rig.start();
    running.until("counted", || running.operations.shipping().unshipped_bytes >= waiting);
    running.until("paused", || running.operations.tiers()[0].state.name() == "paused");
    assert_eq!(rig.tier.objects(), objects);
    assert_eq!(running.operations.resume("memory").unwrap().state.name(), "ready");
    running.until("shipped", || running.operations.shipping().unshipped_bytes == 0);
    running.stop();
    let running = rig.start();
    running.until("ready", || running.operations.tiers()[0].state.name() == "ready");
    running.stop();
    rig.check();
}

#[test]
fn a_known_tier_that_is_away_delays_no_start() {
    let rig = Rig::new();
    rig.start().stop();
    rig.tier.away(AWAY);
    let began = Instant::now();
    let running = rig.start_loaded();
    assert!(began.elapsed() < Duration::from_secs(5));
    grows(&running);
    rig.tier.away(None);
    running.until("shipped", || running.operations.shipping().unshipped_bytes == 0);
    running.stop();
}

#[test]
fn a_read_waits_for_the_tier_and_fails_when_it_has_waited_long_enough() {
    let mut rig = Rig::new();
    rig.recall_budget = Duration::from_millis(150);
    let running = rig.start_loaded();
    running.write(0..60);
    running.unload();
    running.shipped_to(61);
    running.until("moved", || running.store.look_at(ID).unwrap().segments().unwrap().is_empty());
    running.stop();
    std::fs::remove_dir_all(rig.cache_path()).unwrap();
    let running = rig.start();
    running.load();
    running.expect_blocks(0..3);
    rig.tier.away(AWAY);
    running.locate(30);
    let failure = running.drive.perform(rig::read()).unwrap_err();
    assert_eq!(failure.kind, MediumFailureKind::ReadFault);
    assert!(failure.message.contains("the tier is away"), "{}", failure.message);
    assert!(!rig.told(NoticeKind::RecallFailed).is_empty());
    // It is there again: so is the tape, also what was read ahead meanwhile.
    rig.tier.away(None);
    running.locate(30);
    running.expect_blocks(30..60);
    running.locate(0);
    running.expect(0..60);
    running.stop();
}

#[test]
fn limits_hold_and_are_lifted() {
    let rig = Rig::new();
    let running = rig.start_loaded();
    let change = LimitChange { upload: Some(Some(100)), download: None };
    assert_eq!(running.operations.limit("memory", change).unwrap().upload_limit, Some(100));
    running.write(0..30);
    running.until("on its way", || running.operations.tiers()[0].uploads > 0);
    let began = Instant::now();
    // 256 bytes of a claim were let through, and no segment can be for a minute.
    assert_eq!(rig.tier.objects().keys().filter(|key| key.contains("/segments/")).count(), 0);
    let lifted = LimitChange { upload: Some(None), download: None };
    assert_eq!(running.operations.limit("memory", lifted).unwrap().upload_limit, None);
    running.shipped_to(31);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    running.stop();
}

/// A drive that fails once.
#[derive(Debug)]
struct Broken(Drive, AtomicBool);

impl Keeper for Broken {
    fn lend(&self, id: capstan_media::CartridgeId, work: Work) -> Result<(), Work> {
        assert!(self.1.swap(true, Ordering::Relaxed), "a fault of the program");
        self.0.lend(id, work)
    }
}

#[test]
fn a_task_that_fails_gives_its_cartridge_to_another() {
    let rig = Rig::new();
    let (store, drive) = (rig.store(), Drive::default());
    let mut options = rig.options(&store, &drive);
    options.keeper = Arc::new(Broken(drive.clone(), AtomicBool::new(false)));
    let mover = Mover::start(options).unwrap();
    let running = Running { operations: mover.operations(), store, drive, mover, options: rig.rules.cartridge };
    running.create();
    running.load();
    running.write(0..20);
    running.shipped_to(21);
    running.stop();
}
