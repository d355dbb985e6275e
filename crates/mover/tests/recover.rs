//! Everything here is lost: what the tier has comes back, up to where it can be read, and nobody else goes on with it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod rig;

use std::sync::Arc;
use std::time::Duration;

use capstan_cartridge::Cartridge;
use capstan_format::Meta;
use capstan_format::manifest::{Delta, Kind, Manifest};
use capstan_media::{CartridgeId, GatewayId};
use capstan_mover::{KeyFound, NoticeKind, Patience, Remains, Sample, Successor, TakenOver, TapeFound};
use capstan_store::StoreError;
use capstan_tier::names::{Names, SegmentName};
use capstan_tier::{Fault, MemoryTier, RetryPolicy, WrappingKey};
use rig::{GATEWAY, ID, Rig};

const DELTAS: u64 = 5;

fn remains_with(tier: &MemoryTier, key: Option<WrappingKey>) -> Remains {
    let quick = RetryPolicy {
        first: Duration::from_millis(1),
        longest: Duration::from_millis(5),
        attempts: 5,
        budget: Duration::from_secs(5),
    };
    let patience = Patience { shipping: quick, recall: quick, answer: Duration::from_secs(5) };
    Remains::new(Arc::new(tier.clone()), Names::default(), key, false, patience).unwrap()
}

fn remains(rig: &Rig) -> Remains {
    remains_with(&rig.tier, rig.wrapping_key.clone())
}

fn look(rig: &Rig) -> TapeFound {
    remains(rig).tapes(vec![rig.tape()], &mut |_, _| {}).unwrap().remove(0)
}

/// A tape of five deltas, 21 objects more with each, and the state after each of them.
fn shipped(rig: &Rig) -> Vec<Manifest> {
    let running = rig.start();
    running.create();
    running.load();
    for part in 0..DELTAS {
        running.write(part * 20..(part + 1) * 20);
        running.shipped_to((part + 1) * 21);
    }
    running.stop();
    states(rig)
}

/// What each delta leads to. Deltas that say nothing new of the tape are taken together with the one before.
fn states(rig: &Rig) -> Vec<Manifest> {
    let mut all: Vec<Manifest> = Vec::new();
    for number in 0.. {
        let Some(bytes) = rig.tier.objects().get(&Names::default().delta(&rig.tape(), number)).cloned() else { break };
        let delta = Delta::decode(&bytes).unwrap();
        let next = match all.last() {
            Some(before) => {
                let mut next = before.clone();
                next.apply(delta).unwrap();
                next
            }
            None => Manifest::begin(delta).unwrap(),
        };
        all.push(next);
    }
    assert!(all.len() >= 5, "{}", all.len());
    all
}

fn key(rig: &Rig, number: u64) -> String {
    Names::default().delta(&rig.tape(), number)
}

fn end(manifest: &Manifest) -> u64 {
    Meta::decode(manifest.meta.as_ref().unwrap()).unwrap().end.object
}

#[test]
fn a_whole_manifest_is_read_to_its_end() {
    let rig = Rig::new();
    let states = shipped(&rig);
    let before = rig.tier.objects();
    let found = look(&rig);
    assert_eq!(found.chain.manifest.as_ref(), states.last());
    assert_eq!((found.chain.broken.clone(), found.chain.next), (None, states.len() as u64));
    assert_eq!((found.missing.len(), found.unnamed, found.key.clone()), (0, 0, KeyFound::None));
    let facts = found.facts().unwrap();
    assert_eq!((facts.objects, facts.filemarks, facts.used), (105, 5, 100_000));
    assert!(found.chain.written > 1_600_000_000_000 && !found.is_encrypted() && !found.is_nothing());
    assert_eq!(rig.tier.objects(), before, "looking changes nothing");
}

/// What can be wrong with a delta, and what is said of it.
type Damage = (&'static str, fn(&Rig, u64), &'static str);

const DAMAGES: [Damage; 6] = [
    ("missing", |rig, number| rig.tier.put(&key(rig, number), None), "it is not there"),
    (
        "torn",
        |rig, number| {
            let bytes = rig.tier.objects()[&key(rig, number)].clone();
            rig.tier.put(&key(rig, number), Some(bytes.slice(..bytes.len() - 40)));
        },
        "bytes",
    ),
    (
        "spoiled",
        |rig, number| {
            let mut bytes = rig.tier.objects()[&key(rig, number)].to_vec();
            bytes[300] ^= 1;
            rig.tier.put(&key(rig, number), Some(bytes.into()));
        },
        "checksum",
    ),
    (
        "duplicated",
        |rig, number| {
            let other = rig.tier.objects()[&key(rig, if number == 0 { 1 } else { number - 1 })].clone();
            rig.tier.put(&key(rig, number), Some(other));
        },
        "it is delta ",
    ),
    (
        "another cartridge's",
        |rig, number| {
            let delta = Delta::decode(&rig.tier.objects()[&key(rig, number)]).unwrap();
            let other = Delta { cartridge: CartridgeId([9; 16]), ..delta };
            rig.tier.put(&key(rig, number), Some(other.encode().into()));
        },
        "it is one of cartridge 09090909",
    ),
    (
        "of an earlier start",
        |rig, number| {
            let delta = Delta::decode(&rig.tier.objects()[&key(rig, number)]).unwrap();
            rig.tier.put(&key(rig, number), Some(Delta { writer_epoch: 1, ..delta }.encode().into()));
        },
        "an earlier writer epoch",
    ),
];

#[test]
fn each_damage_of_each_delta_ends_the_tape_before_it_and_is_named() {
    let rig = Rig::new();
    let states = shipped(&rig);
    let whole = rig.tier.objects();
    let last = states.len() as u64 - 1;
    for (what, damage, said) in DAMAGES {
        for number in 0..=last {
            // A first delta that says another epoch is as good as any.
            if what == "of an earlier start" && number == 0 {
                continue;
            }
            damage(&rig, number);
            let found = look(&rig);
            let context = format!("{what}, delta {number} of {last}");
            if what == "missing" && number == last {
                // Nobody can tell that it was ever there, but the objects that only it named.
                assert_eq!((&found.chain.broken, found.chain.next), (&None, last), "{context}");
                assert!(found.unnamed > 0, "{context}");
            } else {
                let broken = found.chain.broken.clone().unwrap_or_else(|| panic!("{context}: {found:?}"));
                assert_eq!(broken.number, number, "{context}");
                assert!(broken.why.contains(said), "{context}: {}", broken.why);
                assert_eq!((broken.behind, found.chain.next), (last - number, last + 1), "{context}");
                let recorded = (number < last).then(|| end(&states[states.len() - 1]));
                assert_eq!(broken.recorded_to, recorded, "{context}");
            }
            let before = number.checked_sub(1).map(|before| &states[usize::try_from(before).unwrap()]);
            assert_eq!(found.chain.manifest.as_ref(), before, "{context}");
            assert_eq!(found.facts().map(|facts| facts.objects), before.map(end), "{context}");
            whole.iter().for_each(|(key, bytes)| rig.tier.put(key, Some(bytes.clone())));
        }
    }
    // Two that have changed places.
    let (two, three) = (whole[&key(&rig, 2)].clone(), whole[&key(&rig, 3)].clone());
    rig.tier.put(&key(&rig, 2), Some(three));
    rig.tier.put(&key(&rig, 3), Some(two));
    let broken = look(&rig).chain.broken.unwrap();
    assert_eq!((broken.number, broken.why.as_str()), (2, "it is delta 3"));
}

#[test]
fn a_checkpoint_behind_the_damage_makes_it_unimportant() {
    let rig = Rig::new();
    let states = shipped(&rig);
    let last = states.last().unwrap();
    let checkpoint = Delta {
        kind: Kind::Checkpoint,
        number: last.number + 1,
        cartridge: ID,
        writer: GATEWAY,
        writer_epoch: last.writer_epoch,
        nonce: [4; 16],
        written: 77,
        meta: last.meta.clone(),
        rows: last.rows.values().cloned().collect(),
        releases: last.releases.clone(),
        points: last.points.clone(),
        handed_over: None,
    };
    rig.tier.put(&key(&rig, checkpoint.number), Some(checkpoint.encode().into()));
    for number in 0..=last.number {
        rig.tier.put(&key(&rig, number), None);
        let found = look(&rig);
        assert_eq!((found.chain.broken, found.chain.written), (None, 77), "without delta {number}");
        assert_eq!(found.chain.manifest.unwrap().rows, last.rows);
    }
}

#[test]
fn a_newer_release_is_named_and_nothing_is_made_of_what_it_wrote() {
    let rig = Rig::new();
    shipped(&rig);
    let mut bytes = rig.tier.objects()[&key(&rig, 3)].to_vec();
    bytes[8] = 9;
    let crc = crc_of(&bytes[..124]);
    bytes[124..128].copy_from_slice(&crc);
    rig.tier.put(&key(&rig, 3), Some(bytes.into()));
    let error = remains(&rig).tapes(vec![rig.tape()], &mut |_, _| {}).unwrap_err().to_string();
    assert!(error.contains("version 9"), "{error}");
}

fn crc_of(bytes: &[u8]) -> [u8; 4] {
    capstan_format::checksum(bytes).to_le_bytes()
}

/// A tier whose listings lag behind.
#[derive(Debug)]
struct Stale(MemoryTier, Vec<String>);

impl capstan_tier::Tier for Stale {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn create<'a>(
        &'a self,
        key: &'a str,
        body: capstan_tier::Body,
    ) -> capstan_tier::Pending<'a, capstan_tier::Created> {
        self.0.create(key, body)
    }
    fn read<'a>(&'a self, key: &'a str, range: std::ops::Range<u64>) -> capstan_tier::Pending<'a, bytes::Bytes> {
        self.0.read(key, range)
    }
    fn head<'a>(&'a self, key: &'a str) -> capstan_tier::Pending<'a, capstan_tier::ObjectInfo> {
        self.0.head(key)
    }
    fn list<'a>(&'a self, prefix: &'a str, after: Option<&'a str>) -> capstan_tier::Pending<'a, capstan_tier::Listing> {
        Box::pin(async move {
            let mut listing = self.0.list(prefix, after).await?;
            listing.objects.retain(|object| !self.1.contains(&object.key));
            Ok(listing)
        })
    }
    fn delete<'a>(&'a self, key: &'a str) -> capstan_tier::Pending<'a, ()> {
        self.0.delete(key)
    }
}

#[test]
fn a_listing_that_lags_behind_hides_nothing() {
    let rig = Rig::new();
    let states = shipped(&rig);
    let last = states.last().unwrap();
    let row = last.rows.values().next_back().unwrap();
    let name = SegmentName { sequence: row.sequence, epoch: row.epoch, random: row.random };
    let segment = Names::default().segment(&rig.tape(), name);
    for hidden in [vec![last.number], vec![last.number - 1, last.number], vec![1, 2], (0..=last.number).collect()] {
        let mut keys: Vec<String> = hidden.iter().map(|number| key(&rig, *number)).collect();
        keys.push(segment.clone());
        let tier = Arc::new(Stale(rig.tier.clone(), keys));
        let remains = Remains::new(tier, Names::default(), None, false, Patience::default()).unwrap();
        let found = remains.tapes(vec![rig.tape()], &mut |_, _| {}).unwrap().remove(0);
        assert_eq!(found.chain.manifest.as_ref(), Some(last), "without {hidden:?}");
        assert_eq!((found.chain.broken, found.missing), (None, vec![]), "without {hidden:?}");
    }
}

#[test]
fn what_is_spoiled_on_its_way_is_read_again() {
    let rig = Rig::new();
    let states = shipped(&rig);
    for fault in [Fault::Flipped(3000), Fault::Truncated(5), Fault::Before(capstan_tier::TierErrorKind::Unavailable)] {
        let before = rig.tier.requests().len() as u64;
        let plain = look(&rig);
        let requests = rig.tier.requests().len() as u64 - before;
        for index in 0..requests {
            rig.tier.fault(before + requests * (index + 1) + 2 * index + index, fault);
        }
        for _ in 0..6 {
            let found = look(&rig);
            assert_eq!(found.chain, plain.chain);
            assert_eq!(found.chain.manifest.as_ref(), states.last());
        }
    }
}

#[test]
fn rows_without_their_objects_are_named() {
    let rig = Rig::new();
    let states = shipped(&rig);
    let rows: Vec<_> = states.last().unwrap().rows.values().cloned().collect();
    let of = |row: &capstan_format::manifest::Row| {
        let name = SegmentName { sequence: row.sequence, epoch: row.epoch, random: row.random };
        Names::default().segment(&rig.tape(), name)
    };
    rig.tier.put(&of(&rows[1]), None);
    let short = rig.tier.objects()[&of(&rows[3])].slice(1..);
    rig.tier.put(&of(&rows[3]), Some(short));
    let found = look(&rig);
    assert_eq!(found.missing, [rows[1].clone(), rows[3].clone()]);
}

/// Everything here is lost; the tape comes back on another machine.
fn take_over(rig: &Rig, found: &TapeFound) -> TakenOver {
    std::fs::remove_dir_all(rig.root.path().join("buffer")).unwrap();
    std::fs::remove_dir_all(rig.cache_path()).unwrap();
    let store = rig.store();
    remains(rig).take_over(&store, found, Successor::now(GATEWAY)).unwrap()
}

/// Goes on: reads all, writes more, ships it.
fn go_on(rig: &Rig, parts: u64) {
    let running = rig.start();
    running.load();
    for part in 0..parts {
        running.expect(part * 20..(part + 1) * 20);
    }
    running.write(900..920);
    running.shipped_to(parts * 21 + 21);
    running.unload();
    running.stop();
    rig.check();
    assert_eq!(rig.told(NoticeKind::Fenced), Vec::<String>::new());
}

#[test]
fn a_tape_comes_back_without_a_segment_and_is_gone_on_with() {
    for encrypted in [false, true] {
        let mut rig = Rig::new();
        rig.wrapping_key = encrypted.then(|| WrappingKey::new([7; 32]));
        let states = shipped(&rig);
        let last = states.last().unwrap();
        let found = look(&rig);
        assert_eq!((found.is_encrypted(), found.key == KeyFound::Opened), (encrypted, encrypted));
        assert_eq!(take_over(&rig, &found), TakenOver::Ours);
        let there = Delta::decode(&rig.tier.objects()[&key(&rig, last.number + 1)]).unwrap();
        assert_eq!((there.kind, there.writer), (Kind::Checkpoint, GATEWAY));
        assert!(there.writer_epoch > last.writer_epoch);
        assert_eq!(there.rows.len(), last.rows.len());
        let store = rig.store();
        let directory = store.look_at(ID).unwrap();
        assert_eq!(directory.read_shipped().unwrap(), there.encode(), "what is here begins with the checkpoint");
        assert_eq!(directory.segments().unwrap(), Vec::<u64>::new());
        assert_eq!(directory.read_key().unwrap().is_some(), encrypted);
        drop((directory, store));
        go_on(&rig, DELTAS);
    }
}

#[test]
fn numbers_of_segments_are_never_used_again_also_not_those_of_orphans() {
    let rig = Rig::new();
    shipped(&rig);
    let orphan = SegmentName { sequence: 500, epoch: 70, random: 1 };
    rig.tier.put(&Names::default().segment(&rig.tape(), orphan), Some(vec![1; 10].into()));
    let found = look(&rig);
    assert_eq!(found.unnamed, 1);
    assert_eq!(take_over(&rig, &found), TakenOver::Ours);
    let store = rig.store();
    let meta = Meta::decode(&store.read_meta(ID).unwrap()).unwrap();
    assert_eq!((meta.next_sequence, meta.epoch, meta.open), (501, 71, false));
    assert_eq!(Cartridge::open(&store, ID).unwrap().facts().objects, 105);
    drop(store);
    go_on(&rig, DELTAS);
    let manifest = look(&rig).chain.manifest.unwrap();
    let (sequence, epoch) = manifest.rows.values().next_back().map(|row| (row.sequence, row.epoch)).unwrap();
    assert!(sequence > 500 && epoch > 70, "{sequence}, {epoch}");
}

#[test]
fn behind_a_broken_manifest_the_tape_goes_on_from_the_last_good_delta() {
    let rig = Rig::new();
    let states = shipped(&rig);
    let at = states.iter().position(|state| end(state) == 63).unwrap() as u64;
    rig.tier.put(&key(&rig, at + 1), None);
    let found = look(&rig);
    assert_eq!(found.facts().unwrap().objects, 63);
    assert_eq!(take_over(&rig, &found), TakenOver::Ours);
    let running = rig.start();
    running.load();
    (0..3).for_each(|part| running.expect(part * 20..(part + 1) * 20));
    running.write(900..920);
    running.shipped_to(84);
    // What only the deltas behind the broken one name is not taken for nobody's.
    let segments = || rig.tier.objects().into_keys().filter(|key| key.contains("/segments/")).count();
    let before = segments();
    assert!(before > look(&rig).chain.manifest.unwrap().rows.len());
    assert_eq!((running.scrub(Duration::ZERO).orphans, segments()), (0, before));
    running.stop();
    // It is read again from the checkpoint, whatever lies before it.
    let again = look(&rig);
    assert_eq!((again.chain.broken, end(&again.chain.manifest.unwrap())), (None, 84));
}

#[test]
fn an_old_machine_that_still_runs_is_fenced_at_once_and_of_two_recoveries_one_has_the_tape() {
    let rig = Rig::new();
    let running = rig.start();
    running.create();
    running.load();
    running.write(0..20);
    running.shipped_to(21);
    let found = look(&rig);
    let new = |_: ()| {
        let mut other = Rig::new();
        other.tier = rig.tier.clone();
        other
    };
    let (one, two) = (new(()), new(()));
    let took = |rig: &Rig| remains(rig).take_over(&rig.store(), &found, Successor::now(GATEWAY)).unwrap();
    let both = std::thread::scope(|scope| {
        let threads = [scope.spawn(|| took(&one)), scope.spawn(|| took(&two))];
        threads.map(|thread| thread.join().unwrap())
    });
    assert!(both.contains(&TakenOver::Ours) && both.contains(&TakenOver::Another), "{both:?}");
    let (winner, loser) = if both[0] == TakenOver::Ours { (&one, &two) } else { (&two, &one) };
    assert!(matches!(loser.store().look_at(ID), Err(StoreError::NotFound(_))));
    // Here, the old one writes on.
    running.write(20..40);
    running.until("fenced", || !rig.told(NoticeKind::Fenced).is_empty());
    running.stop();
    let claim = remains(winner).gateways().unwrap().remove(0);
    claim.remember(&winner.root.path().join("mover"), "memory", &capstan_disk::RealDisk).unwrap();
    go_on(winner, 1);
}

#[test]
fn a_key_that_is_missing_or_another_one_is_named() {
    let mut rig = Rig::new();
    let key = WrappingKey::new([7; 32]);
    let id = key.id().to_string();
    rig.wrapping_key = Some(key);
    shipped(&rig);
    for (there, said) in
        [(None, "no key file is configured"), (Some(WrappingKey::new([8; 32])), "the key file has key")]
    {
        let found = remains_with(&rig.tier, there).tapes(vec![rig.tape()], &mut |_, _| {}).unwrap().remove(0);
        let KeyFound::Closed(why) = found.key else { panic!("{:?}", found.key) };
        assert!(why.contains(&format!("it needs wrapping key {id}")) && why.contains(said), "{why}");
    }
}

#[test]
fn a_rehearsal_reads_what_it_says_and_finds_what_is_damaged() {
    let mut rig = Rig::new();
    rig.wrapping_key = Some(WrappingKey::new([7; 32]));
    shipped(&rig);
    let found = [look(&rig)];
    let rows = found[0].chain.manifest.as_ref().unwrap().rows.len() as u64;
    let rehearse = |percent| remains(&rig).rehearse(&found, Sample { percent, seed: 1 }, &mut |_, _| {}).unwrap();
    let all = rehearse(100);
    assert_eq!((all.good, all.bytes, all.bad.len()), (rows, found[0].object_bytes(), 0));
    assert_eq!(rehearse(1).good, 1);
    let half = rehearse(50);
    assert_eq!(half.good, rows.div_ceil(2));
    assert_eq!(half, rehearse(50), "the same seed, the same objects");
    // One bit of each object in turn.
    let segments: Vec<String> = rig.tier.objects().into_keys().filter(|key| key.contains("/segments/")).collect();
    for segment in segments {
        let good = rig.tier.objects()[&segment].clone();
        let mut bytes = good.to_vec();
        bytes[200] ^= 8;
        rig.tier.put(&segment, Some(bytes.into()));
        let read = rehearse(100);
        assert_eq!((read.good, read.bad.len()), (rows - 1, 1));
        assert!(read.bad[0].contains(&segment) && read.bad[0].contains("BLAKE3"), "{}", read.bad[0]);
        rig.tier.put(&segment, Some(good));
    }
}

#[test]
fn gateways_claims_and_library_states_are_found() {
    let rig = Rig::new();
    shipped(&rig);
    let remains = remains(&rig);
    let gateways = remains.gateways().unwrap();
    assert_eq!(gateways.iter().map(|it| (it.id, it.name.as_str())).collect::<Vec<_>>(), [(GATEWAY, "gw")]);
    assert_eq!(gateways[0].claim, rig.tier.objects()[&Names::default().gateway(GATEWAY)]);
    rig.tier.put(&Names::default().barcode(&capstan_media::Barcode::new("BAD").unwrap()), Some(vec![1; 9].into()));
    let mut told = Vec::new();
    let (claimed, bad) = remains.claimed(&mut |done, of| told.push((done, of))).unwrap();
    assert_eq!(claimed.iter().map(|it| (it.tape.clone(), it.by)).collect::<Vec<_>>(), [(rig.tape(), GATEWAY)]);
    assert_eq!((bad, told), (vec!["v1/barcodes/BAD".to_owned()], vec![(0, 2), (1, 2), (2, 2)]));
    assert_eq!(remains.library_states(GATEWAY).unwrap(), Vec::<u64>::new());
    assert!(remains.claim_library_state(GATEWAY, 5, b"five", b"five").unwrap());
    assert!(remains.claim_library_state(GATEWAY, 12, b"twelve", b"twelve").unwrap());
    assert!(!remains.claim_library_state(GATEWAY, 12, b"other", b"other").unwrap());
    assert_eq!(remains.library_states(GATEWAY).unwrap(), [12, 5]);
    assert_eq!(remains.library_state(GATEWAY, 12).unwrap().unwrap(), b"twelve".as_slice());
    assert_eq!(remains.library_states(GatewayId([9; 16])).unwrap(), Vec::<u64>::new());
}
