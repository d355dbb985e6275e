//! One tape, one writer; one name, one gateway; one barcode, one cartridge.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod rig;

use std::time::Duration;

use capstan_format::manifest::{Claim, ClaimKind, Delta};
use capstan_media::{Barcode, CartridgeId, GatewayId, MediumFailureKind, MediumOp};
use capstan_mover::{Mover, NoticeKind};
use capstan_tier::TierErrorKind;
use capstan_tier::names::{Names, SegmentName};
use rig::{Drive, GATEWAY, ID, Rig, Running};

const OTHER: GatewayId = GatewayId([0x22; 16]);

/// Lets another gateway write the next delta, and an object that only it knows of.
fn go_on_elsewhere(rig: &Rig) -> (String, String) {
    let manifest = rig.manifest();
    let next = Delta {
        kind: capstan_format::manifest::Kind::Delta,
        number: manifest.number + 1,
        cartridge: ID,
        writer: OTHER,
        writer_epoch: 1,
        nonce: [7; 16],
        written: 1,
        meta: None,
        rows: Vec::new(),
        releases: Vec::new(),
        points: Vec::new(),
        handed_over: None,
    };
    let key = Names::default().delta(&rig.tape(), next.number);
    rig.tier.put(&key, Some(next.encode().into()));
    let theirs = SegmentName { sequence: 900, epoch: 9, random: 9 };
    let theirs = Names::default().segment(&rig.tape(), theirs);
    rig.tier.put(&theirs, Some(vec![1; 100].into()));
    (key, theirs)
}

/// Nothing can be written to the tape.
fn protected(running: &Running) {
    for op in [
        MediumOp::Write { data: rig::block(1), block_length: 1000 },
        MediumOp::WriteFilemarks { count: 1, synchronise: true },
        MediumOp::Erase,
    ] {
        assert_eq!(running.drive.perform(op).unwrap_err().kind, MediumFailureKind::WriteProtected);
    }
}

fn log(rig: &Rig) -> Vec<u8> {
    rig.store().look_at(ID).unwrap().read_shipped().unwrap()
}

#[test]
fn who_is_fenced_ships_nothing_more_and_keeps_everything() {
    let rig = Rig::new();
    let running = rig.start_loaded();
    running.write(0..20);
    running.shipped_to(21);
    let before = running.store.look_at(ID).unwrap().read_shipped().unwrap();
    let (delta, theirs) = go_on_elsewhere(&rig);
    let there = rig.tier.objects()[&delta].clone();
    running.write(20..40);
    running.until("fenced", || rig.told(NoticeKind::Fenced).len() == 1);
    assert_eq!(running.store.look_at(ID).unwrap().read_shipped().unwrap(), before, "what did not count is cut off");
    let waiting = running.operations.shipping().unshipped_bytes;
    assert!(waiting > 15_000, "{waiting}");
    // It is a fork: nothing is written to it any more, all of it can be read, and it is not shipped.
    let objects = rig.tier.objects();
    running.until("forked", || rig.told(NoticeKind::Forked).len() == 1);
    assert!(running.operations.tape(ID).unwrap().fenced);
    protected(&running);
    running.locate(0);
    running.expect(0..20);
    running.expect(20..40);
    // Nor is anything of the other's deleted.
    running.scrub(Duration::ZERO);
    assert_eq!(rig.tier.objects(), objects);
    running.unload();
    running.load();
    running.locate(0);
    running.expect(0..20);
    running.stop();

    // The next start finds out before it ships anything.
    let running = rig.start();
    running.until("fenced", || rig.told(NoticeKind::Fenced).len() == 2);
    running.load();
    protected(&running);
    running.until("counted", || running.operations.shipping().unshipped_bytes > 15_000);
    running.expect(0..20);
    running.expect(20..40);
    running.stop();
    assert_eq!(rig.tier.objects(), objects);
    assert!(objects.contains_key(&theirs) && objects[&delta] == there);
    assert_eq!(log(&rig), before);
}

#[test]
fn a_fence_that_a_start_finds_cuts_the_log_too() {
    let rig = Rig::new();
    let running = rig.start_loaded();
    running.write(0..20);
    running.shipped_to(21);
    let before = running.store.look_at(ID).unwrap().read_shipped().unwrap();
    // The delta is in the log and cannot be created; meanwhile another gateway goes on.
    let names = Names::default();
    let next = names.delta(&rig.tape(), rig.manifest().number + 1);
    rig.tier.deny_key(Some(&next));
    running.write(20..40);
    running.until("in the log", || running.store.look_at(ID).unwrap().read_shipped().unwrap().len() > before.len());
    running.unload();
    running.stop();
    rig.tier.deny_key(None);
    go_on_elsewhere(&rig);
    let running = rig.start();
    running.until("fenced", || rig.told(NoticeKind::Fenced).len() == 1);
    assert_eq!(running.store.look_at(ID).unwrap().read_shipped().unwrap(), before);
    running.load();
    running.expect(0..20);
    running.expect(20..40);
    running.until("counted again", || running.operations.shipping().unshipped_bytes > 15_000);
    running.stop();
}

/// The message with which a start is refused.
fn refused(rig: &Rig) -> String {
    Mover::start(rig.options(&rig.store(), &Drive::default())).unwrap_err().to_string()
}

#[test]
fn a_namesake_is_not_started() {
    let rig = Rig::new();
    let kind = ClaimKind::Gateway("gw".to_owned());
    let claim = Claim { gateway: OTHER, kind, nonce: [3; 16], created: 1 };
    let key = Names::default().gateway(OTHER);
    rig.tier.put(&key, Some(claim.encode().unwrap().to_vec().into()));
    let why = refused(&rig);
    assert!(why.contains("gateway \"gw\" has used it before") && why.contains("another name"), "{why}");
    assert_eq!(rig.tier.objects().keys().collect::<Vec<_>>(), [&key]);
    assert!(!Mover::has_used(&rig.root.path().join("mover"), "memory", &capstan_disk::RealDisk).unwrap());
}

#[test]
fn a_tier_that_is_not_the_one_it_was_gets_nothing() {
    let key = Names::default().gateway(GATEWAY);
    let other = Claim { gateway: GATEWAY, kind: ClaimKind::Gateway("gw".to_owned()), nonce: [3; 16], created: 1 };
    let other = other.encode().unwrap().to_vec();
    let mut spoiled = other.clone();
    spoiled[30] ^= 1;
    let states = [(None, "not mounted"), (Some(other), "a copy of it"), (Some(spoiled), "cannot be told whose")];
    for (there, why) in states {
        let rig = Rig::new();
        rig.start().stop();
        rig.tier.objects().keys().for_each(|key| rig.tier.put(key, None));
        if let Some(there) = there {
            rig.tier.put(&key, Some(there.into()));
        }
        let before = rig.tier.objects();
        let running = rig.start_loaded();
        running.write(0..30);
        running.until("refused", || running.operations.tiers()[0].state.name() == "refused");
        assert!(running.operations.tiers()[0].problem.as_ref().unwrap().contains(why), "{:?}", rig.notices);
        assert_eq!(rig.told(NoticeKind::TierRefused).len(), 1);
        running.until("counted", || running.operations.shipping().unshipped_bytes > 20_000);
        running.until("aged", || running.operations.shipping().oldest_unshipped > Some(Duration::from_millis(30)));
        running.unload();
        running.until("counted", || running.operations.shipping().unshipped_bytes > 30_000);
        assert!(running.operations.shipping().oldest_unshipped.is_some());
        running.stop();
        assert_eq!(rig.tier.objects(), before);
    }
}

#[test]
fn our_own_claim_that_was_damaged_is_mended() {
    let rig = Rig::new();
    rig.start().stop();
    let key = Names::default().gateway(GATEWAY);
    let whole = rig.tier.objects()[&key].clone();
    let mut spoiled = whole.to_vec();
    spoiled[100] ^= 1;
    rig.tier.put(&key, Some(spoiled.into()));
    let running = rig.start();
    running.until("ready", || running.operations.tiers()[0].state.name() == "ready");
    running.until("mended", || rig.tier.objects().get(&key) == Some(&whole));
    running.stop();
    assert_eq!(rig.told(NoticeKind::TierRefused), Vec::<String>::new());
}

#[test]
fn a_first_use_that_ends_in_the_middle_is_no_reason_to_refuse() {
    let rig = Rig::new();
    rig.tier.deny(capstan_tier::Verb::Create, true);
    let why = refused(&rig);
    assert!(why.contains("cannot create"), "{why}");
    rig.tier.deny(capstan_tier::Verb::Create, false);
    rig.tier.fault_next(capstan_tier::Fault::After(TierErrorKind::Denied));
    let why = refused(&rig);
    assert!(why.contains("cannot be used"), "{why}");
    let rig_claims = |rig: &Rig| rig.tier.objects().len();
    let running = rig.start();
    running.until("ready", || running.operations.tiers()[0].state.name() == "ready");
    running.stop();
    assert_eq!(rig_claims(&rig), 1);
    rig.start().stop();
    assert_eq!(rig.told(NoticeKind::TierRefused), Vec::<String>::new());
}

#[test]
fn a_barcode_of_another_cartridge_is_not_shipped_and_others_are() {
    let rig = Rig::new();
    let taken = Barcode::new("CAP002L8").unwrap();
    let kind = ClaimKind::Barcode(taken.clone(), CartridgeId([9; 16]));
    let claim = Claim { gateway: OTHER, kind, nonce: [3; 16], created: 1 }.encode().unwrap().to_vec();
    rig.tier.put(&Names::default().barcode(&taken), Some(claim.into()));
    let running = rig.start();
    running.create();
    let other = CartridgeId([0x77; 16]);
    let new = capstan_cartridge::NewCartridge { id: other, barcode: taken, capacity: 1 << 30 };
    capstan_cartridge::Cartridge::create(&running.store, new).unwrap();
    running.load();
    running.write(0..20);
    running.shipped_to(21);
    running.until("told", || !rig.told(NoticeKind::NotShipped).is_empty());
    let told = rig.told(NoticeKind::NotShipped);
    assert!(told[0].contains("barcode CAP002L8 belongs to another cartridge"), "{told:?}");
    running.stop();
    let there = rig.tier.objects();
    assert!(!there.keys().any(|key| key.contains("tapes/CAP002L8")), "{:?}", there.keys());
}
