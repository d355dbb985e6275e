//! What is overwritten goes from the tier, after its time, and nothing else does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod rig;

use std::collections::BTreeSet;
use std::time::Duration;

use capstan_format::manifest::{Delta, Kind};
use capstan_media::MediumOp;
use capstan_mover::NoticeKind;
use capstan_tier::Fault;
use capstan_tier::names::{Names, SegmentName};
use rig::{ID, Rig, Running};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Keys of all segments in the tier.
fn segments(rig: &Rig) -> BTreeSet<String> {
    let prefix = Names::default().segments(&rig.tape());
    rig.tier.objects().into_keys().filter(|key| key.starts_with(&prefix)).collect()
}

/// Keys of the rows of the manifest.
fn rows(rig: &Rig) -> BTreeSet<String> {
    let key = |row: &capstan_format::manifest::Row| {
        let name = SegmentName { sequence: row.sequence, epoch: row.epoch, random: row.random };
        Names::default().segment(&rig.tape(), name)
    };
    rig.manifest().rows.values().map(key).collect()
}

/// Nothing of what is overwritten is kept.
fn without_versions() -> Rig {
    let mut rig = Rig::new();
    rig.rules.cartridge.versions = 0;
    rig
}

fn written(rig: &Rig) -> Running {
    let running = rig.start_loaded();
    running.write(0..40);
    running.shipped_to(41);
    running
}

#[test]
fn what_is_overwritten_is_released_and_goes_after_its_time() {
    let rig = without_versions();
    let running = written(&rig);
    let before = rows(&rig);
    assert_eq!(segments(&rig), before);
    running.locate(10);
    running.write(100..120);
    running.shipped_to(31);
    let after = rows(&rig);
    let released: BTreeSet<String> = before.difference(&after).cloned().collect();
    assert!(released.len() >= 3, "{released:?}");
    assert_eq!(rig.manifest().releases.len(), released.len());
    assert_eq!(segments(&rig), before.union(&after).cloned().collect());
    // Before its time nothing goes, however often it is looked for.
    assert_eq!(running.scrub(DAY).released, 0);
    assert_eq!(segments(&rig), before.union(&after).cloned().collect());
    let scrubbed = running.scrub(Duration::ZERO);
    assert_eq!((scrubbed.released, scrubbed.orphans), (u64::try_from(released.len()).unwrap(), 0));
    assert_eq!(segments(&rig), after);
    assert_eq!(running.scrub(Duration::ZERO).released, 0);
    running.locate(0);
    running.expect_blocks((0..10).chain(100..120));
    running.stop();
}

#[test]
fn an_orphan_goes_and_what_is_under_way_stays() {
    let rig = Rig::new();
    let running = written(&rig);
    let orphan = Names::default().segment(&rig.tape(), SegmentName { sequence: 3, epoch: 1, random: 99 });
    rig.tier.put(&orphan, Some(vec![0; 500].into()));
    // The object is there, and its delta cannot be written.
    let next = Names::default().delta(&rig.tape(), rig.manifest().number + 1);
    rig.tier.deny_key(Some(&next));
    let before = segments(&rig).len();
    running.write(100..110);
    running.until("objects", || segments(&rig).len() > before);
    running.until("told", || !rig.told(NoticeKind::NotShipped).is_empty());
    rig.tier.deny_key(None);
    running.until("ready", || running.operations.tiers()[0].state.name() == "ready");
    let scrubbed = running.scrub(Duration::ZERO);
    assert_eq!((scrubbed.orphans, scrubbed.released, scrubbed.bytes), (1, 0, 500));
    running.shipped_to(52);
    assert_eq!(segments(&rig), rows(&rig));
    rig.check();
    running.stop();
}

#[test]
fn a_tape_that_is_erased_while_it_is_shipped_is_empty_in_the_tier() {
    for after in 0..8 {
        let rig = without_versions();
        let running = rig.start_loaded();
        running.write(0..40);
        running.until("some", || rig.tier.requests().len() > after);
        running.perform(MediumOp::Rewind);
        running.perform(MediumOp::Erase);
        running.perform(MediumOp::Synchronise);
        running.unload();
        let first = Names::default().delta(&rig.tape(), 0);
        running.until("empty", || {
            rig.tier.objects().contains_key(&first) && {
                let manifest = rig.manifest();
                let meta = capstan_format::Meta::decode(&manifest.meta.unwrap()).unwrap();
                manifest.rows.is_empty() && meta.end.object == 0
            }
        });
        running.until("clean", || running.store.look_at(ID).unwrap().segments().unwrap().is_empty());
        running.until("nothing under way", || running.operations.tiers()[0].uploads == 0);
        running.scrub(Duration::ZERO);
        assert_eq!((segments(&rig), rows(&rig)), (BTreeSet::new(), BTreeSet::new()));
        running.until("nothing is only here", || running.operations.shipping().unshipped_bytes == 0);
        assert_eq!(running.store.cached(), 0);
        running.stop();
    }
}

#[test]
fn every_64th_delta_is_a_checkpoint_and_the_log_begins_with_it() {
    let rig = Rig::new();
    let running = rig.start_loaded();
    let mut end = 0;
    let mut next = 0;
    while next < 140 {
        let number = end;
        running.write(number..number + 1);
        end += 2;
        running.shipped_to(end);
        next = rig.manifest().number;
    }
    let objects = rig.tier.objects();
    for number in 0..=next {
        let delta = Delta::decode(&objects[&Names::default().delta(&rig.tape(), number)]).unwrap();
        let kind = if number % 64 == 0 { Kind::Checkpoint } else { Kind::Delta };
        assert_eq!((delta.number, delta.kind), (number, kind));
    }
    let log = running.store.look_at(ID).unwrap().read_shipped().unwrap();
    let log = capstan_format::manifest::read_log(&log);
    let numbers: Vec<u64> = log.deltas.iter().map(|delta| delta.number).collect();
    assert_eq!(numbers, (128..=next).collect::<Vec<_>>());
    running.perform(MediumOp::Rewind);
    (0..end / 2).for_each(|number| running.expect(number * 2..number * 2 + 1));
    running.stop();
    // What was said of what is in the tier is the same from both logs.
    assert_eq!(rows(&rig).len(), rig.manifest().rows.len());
    rig.check();
}

#[test]
fn many_filemarks_are_few_deltas() {
    let mut rig = Rig::new();
    // A hundredth of what is usual.
    (rig.rules.delta_every, rig.rules.close_after) = (Duration::from_millis(50), Duration::from_millis(300));
    let running = rig.start_loaded();
    let began = std::time::Instant::now();
    for _ in 0..10_000 {
        running.perform(MediumOp::WriteFilemarks { count: 1, synchronise: true });
    }
    let written = began.elapsed();
    let deltas = rig.tier.requests().iter().filter(|request| request.key.contains("/manifest/")).count();
    let most = 4 + usize::try_from(written.as_millis() / 50).unwrap();
    assert!(deltas <= most, "{deltas} requests for deltas in {written:?}");
    running.shipped_to(10_000);
    assert_eq!(rig.manifest().points.last().unwrap().object, 10_000);
    running.stop();
}

#[test]
fn a_delta_whose_create_fails_for_good_goes_later_with_the_same_bytes() {
    let rig = Rig::new();
    let running = written(&rig);
    let next = Names::default().delta(&rig.tape(), rig.manifest().number + 1);
    rig.tier.deny_key(Some(&next));
    running.write(100..120);
    running.until("told", || !rig.told(NoticeKind::NotShipped).is_empty());
    let log = running.store.look_at(ID).unwrap().read_shipped().unwrap();
    let last = capstan_format::manifest::read_log(&log).deltas.pop().unwrap();
    // Told, and not asked for again and again: there is a pause between.
    running.write(120..140);
    rig.tier.deny_key(None);
    running.shipped_to(83);
    assert_eq!(rig.tier.objects()[&next], last.encode());
    assert_eq!(segments(&rig), rows(&rig));
    running.stop();
    rig.check();
}

#[test]
fn segments_of_a_deleted_cartridge_are_under_way_no_more() {
    let rig = Rig::new();
    let running = rig.start_loaded();
    running.write(0..20);
    rig.tier.fault_next(Fault::Stalled);
    running.unload();
    running.until("on their way", || running.operations.tiers()[0].uploads > 0 || running.is_shipped(21));
    running.until("claimed", || running.store.claim(ID).is_ok_and(|directory| directory.delete().is_ok()));
    running.until("gone", || running.operations.tape(ID).is_none());
    running.until("nothing under way", || running.operations.tiers()[0].uploads == 0);
    let shipping = running.operations.shipping();
    assert_eq!((shipping.unshipped_bytes, shipping.oldest_unshipped), (0, None));
    running.stop();
}
