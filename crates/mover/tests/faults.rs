//! Everything that can go wrong in a tier, at each request of a run: nothing is lost, nothing is stuck, and what was said
//! to be in the tier is there.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

mod rig;

use std::time::Duration;

use capstan_media::MediumOp;
use capstan_mover::NoticeKind;
use capstan_tier::{Fault, TierErrorKind, Verb};
use rig::{ID, Rig};

const BLOCKS: u64 = 18;

/// Writes, ships, overwrites, ships, loses all that is here, and reads back.
fn run(rig: &Rig) {
    let running = rig.start_loaded();
    running.write(0..BLOCKS);
    running.shipped_to(BLOCKS + 1);
    // Over the last blocks and the filemark, and beyond.
    running.locate(10);
    running.write(100..100 + BLOCKS);
    running.unload();
    running.shipped_to(10 + BLOCKS + 1);
    running.stop();
    std::fs::remove_dir_all(rig.cache_path()).unwrap();
    let running = rig.start();
    running.until("evicted", || running.store.look_at(ID).unwrap().segments().unwrap().is_empty());
    running.load();
    running.expect_blocks((0..10).chain(100..100 + BLOCKS));
    running.stop();
}

/// How many requests a run makes when nothing goes wrong, and some more.
fn requests_of_a_run(read_back: bool) -> u64 {
    let mut rig = Rig::new();
    rig.rules.read_back = read_back;
    run(&rig);
    u64::try_from(rig.tier.requests().len()).unwrap() + 2
}

/// A fault at each request of a run, one of these after the other; all of them at all requests in the long form.
fn everywhere(faults: &[Fault], read_back: bool) {
    let at_once = if rig::soak() > 1 { faults.len() } else { 1 };
    let mut all = faults.iter().cycle();
    for index in 0..requests_of_a_run(read_back) {
        for fault in all.by_ref().take(at_once) {
            with_fault_at(index, *fault, read_back);
        }
    }
}

fn with_fault_at(index: u64, fault: Fault, read_back: bool) {
    let mut rig = Rig::new();
    rig.rules.read_back = read_back;
    rig.answer = Duration::from_millis(60);
    rig.tier.fault(index, fault);
    println!("{fault:?} at request {index}");
    run(&rig);
    assert_eq!(rig.told(NoticeKind::Fenced), Vec::<String>::new());
    assert_eq!(rig.told(NoticeKind::TierRefused), Vec::<String>::new());
    rig.check();
    // An orphan is what an answer that was lost may cost, until the next scrub.
    let running = rig.start();
    running.until("known", || running.operations.tape(ID).is_some_and(|tape| tape.tier_to > 0));
    running.scrub(Duration::ZERO);
    running.stop();
    assert_eq!(rig.orphans(), Vec::<String>::new());
    rig.check();
}

#[test]
fn what_fails_before_or_after_it_was_done_is_repeated() {
    let kinds = [TierErrorKind::Unavailable, TierErrorKind::Throttled, TierErrorKind::Conflict];
    everywhere(&kinds.map(Fault::Before), false);
    everywhere(&kinds.map(Fault::After), false);
    everywhere(&[Fault::DoneButExists], false);
}

#[test]
fn what_is_never_answered_is_repeated() {
    everywhere(&[Fault::Stalled, Fault::StalledAfter], false);
}

#[test]
fn what_a_tier_spoils_without_a_word_is_found_when_it_is_read_back() {
    everywhere(&[Fault::Flipped(8 * 100 + 3)], true);
    everywhere(&[Fault::Truncated(90), Fault::Truncated(0)], true);
}

#[test]
fn each_fault_also_where_everything_is_read_back() {
    everywhere(&[Fault::After(TierErrorKind::Unavailable), Fault::DoneButExists, Fault::StalledAfter], true);
}

#[test]
fn a_denied_verb_is_told_and_goes_on_once_it_is_allowed() {
    for verb in [Verb::Create, Verb::Head, Verb::Read, Verb::List] {
        let rig = Rig::new();
        let running = rig.start_loaded();
        rig.tier.deny(verb, true);
        running.write(0..BLOCKS);
        if verb == Verb::Create {
            running.until("told", || !rig.told(NoticeKind::NotShipped).is_empty());
            assert!(rig.told(NoticeKind::NotShipped)[0].contains("cannot create"), "{:?}", rig.notices);
        }
        rig.tier.deny(verb, false);
        running.shipped_to(BLOCKS + 1);
        running.stop();
    }
}

#[test]
fn a_full_tier_keeps_everything_here_and_goes_on_when_there_is_room() {
    let rig = Rig::new();
    let running = rig.start_loaded();
    rig.tier.room(Some(20_000));
    running.write(0..60);
    running.until("told", || rig.told(NoticeKind::NotShipped).iter().any(|text| text.contains("cannot create")));
    assert!(running.operations.shipping().unshipped_bytes > 30_000);
    running.perform(MediumOp::Rewind);
    running.expect(0..60);
    rig.tier.room(None);
    running.shipped_to(61);
    running.stop();
}

#[test]
fn a_tier_that_is_away_costs_nothing_but_time() {
    let rig = Rig::new();
    let running = rig.start_loaded();
    running.write(0..20);
    running.shipped_to(21);
    rig.tier.away(Some(TierErrorKind::Unavailable));
    running.write(20..40);
    running.until("told", || rig.told(NoticeKind::TierUnavailable).len() == 1);
    let tier = &running.operations.tiers()[0];
    assert_eq!((tier.state.name(), tier.problem.is_some()), ("unavailable", true));
    running.until("aged", || running.operations.shipping().oldest_unshipped > Some(Duration::from_millis(50)));
    rig.tier.away(None);
    running.shipped_to(42);
    assert_eq!(rig.told(NoticeKind::TierAvailable).len(), 1);
    assert_eq!(running.operations.tiers()[0].state.name(), "ready");
    running.stop();
}
