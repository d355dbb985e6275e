//! Loss of power at every call that changes or synchronises anything, failed synchronisations at every one of them,
//! and a full disk: nothing that a recovery point promised is lost, and what is found is what the tape once held.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use capstan_cartridge::model::{Object, Tape};
use capstan_cartridge::{Cartridge, CartridgeError, Options};
use capstan_disk::{Loss, SimDisk, SimFault};
use capstan_media::{
    LocateTarget, LogicalObjectId, MediumFailure, MediumFailureKind, MediumOp, Partition, ReadRequest, Stop,
};
use capstan_store::Store;
use support::{ID, Random, filemarks, new_cartridge, read, soak, write};

const CAPACITY: u64 = 1 << 20;
const OPTIONS: Options = Options { segment_size: 9000, unsynced_segments: 2, reserve: 0, versions: 3 };

/// What a tape may hold after a loss of power: what it held at the last recovery point, or at any moment since.
struct History {
    tape: Tape,
    since: Vec<Vec<Object>>,
    /// What it was before, by the numbers of the versions that the cartridge has made of it, or is about to make.
    versions: BTreeMap<u32, Tape>,
    /// The versions that are there, as far as was answered.
    older: Vec<u32>,
}

impl History {
    fn new() -> Self {
        let (versions, older) = (BTreeMap::new(), Vec::new());
        Self { tape: Tape::new(CAPACITY), since: vec![Vec::new()], versions, older }
    }

    fn now(&self) -> Vec<Object> {
        self.tape.objects().cloned().collect()
    }

    /// An operation begins: all states that it goes through are possible from here on.
    fn begin(&mut self, op: &MediumOp) {
        let position = usize::try_from(self.tape.position().object.0).unwrap();
        let modifies = match op {
            MediumOp::Write { .. } | MediumOp::Erase => true,
            MediumOp::WriteFilemarks { count, .. } => *count > 0,
            _ => false,
        };
        let _ = self.tape.perform(op);
        if modifies {
            let after = self.now();
            if matches!(op, MediumOp::WriteFilemarks { .. }) {
                self.since.push(after[..position].to_vec());
                self.since.push(after);
            } else {
                self.since.extend((position..=after.len()).map(|end| after[..end].to_vec()));
            }
        }
    }

    /// What the tape holds now is on stable storage.
    fn recovery_point(&mut self) {
        self.since = vec![self.now()];
    }
}

/// Operations on a cartridge until one fails.
struct Run {
    disk: SimDisk,
    random: Random,
    history: History,
    /// The creation of the cartridge was answered.
    created: bool,
    /// The highest number of a version that was answered.
    last_version: u32,
}

impl Run {
    fn new(seed: u64) -> Self {
        Self {
            disk: SimDisk::new(),
            random: Random::new(seed),
            history: History::new(),
            created: false,
            last_version: 0,
        }
    }

    fn store(&self) -> Result<Store, CartridgeError> {
        Ok(Store::open(Path::new("/store"), Arc::new(self.disk.clone()))?)
    }

    /// Loads, works and unloads or dies, a few times.
    fn go(&mut self, loads: u32, operations: u32) -> Result<(), CartridgeError> {
        Cartridge::create(&self.store()?, new_cartridge(CAPACITY))?;
        self.created = true;
        for _ in 0..loads {
            let mut cartridge = Cartridge::open_with(&self.store()?, ID, OPTIONS)?;
            self.history.recovery_point();
            assert_eq!(objects(&mut cartridge), self.history.now(), "loaded again without loss of power");
            self.history.tape.perform(&MediumOp::Rewind).unwrap();
            cartridge.perform(MediumOp::Rewind).unwrap();
            for _ in 0..operations {
                let op = self.operation();
                if self.perform(&mut cartridge, op).is_err() {
                    return Err(CartridgeError::Capacity(0));
                }
            }
            match self.random.below(4) {
                0 => {
                    cartridge.close()?;
                    self.history.recovery_point();
                }
                1 => self.roll_back(cartridge)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Goes back to the first version.
    fn roll_back(&mut self, cartridge: Cartridge) -> Result<(), CartridgeError> {
        let Some(number) = cartridge.older().first().map(|version| version.number) else { return Ok(()) };
        let wanted = self.history.versions[&number].clone();
        // All that was written is on stable storage before anything else, so it is one or the other.
        self.history.since.push(self.history.now());
        self.history.since.push(wanted.objects().cloned().collect());
        let next = self.last_version + 1;
        self.history.versions.insert(next, self.history.tape.clone());
        self.history.older.retain(|it| *it != number);
        let before = std::mem::replace(&mut self.history.tape, wanted);
        cartridge.roll_back(number)?;
        if before.objects().len() > 0 {
            self.last_version = next;
            self.history.older.push(next);
        }
        self.history.recovery_point();
        Ok(())
    }

    fn perform(&mut self, cartridge: &mut Cartridge, op: MediumOp) -> Result<(), MediumFailure> {
        self.history.versions.insert(self.last_version + 1, self.history.tape.clone());
        self.history.begin(&op);
        let is_point =
            matches!(op, MediumOp::WriteFilemarks { synchronise: true, .. } | MediumOp::Erase | MediumOp::Synchronise);
        let done = cartridge.perform(op)?;
        assert_eq!(done.position, self.history.tape.position());
        self.history.older = cartridge.older().iter().map(|version| version.number).collect();
        self.last_version = self.last_version.max(self.history.older.last().copied().unwrap_or(0));
        if is_point {
            self.history.recovery_point();
        }
        Ok(())
    }

    fn operation(&mut self) -> MediumOp {
        let objects = self.history.now().len() as u64;
        match self.random.below(20) {
            0..9 => {
                let count = 1 + self.random.below(6);
                let longest = if self.random.one_in(8) { 20_000 } else { 3000 };
                let block_length = 1 + self.random.below(longest);
                let data = self.random.fill(usize::try_from(count * block_length).unwrap());
                MediumOp::Write { data, block_length: u32::try_from(block_length).unwrap() }
            }
            9..13 => filemarks(u32::try_from(self.random.below(4)).unwrap(), self.random.one_in(2)),
            13 => MediumOp::Synchronise,
            14 => MediumOp::Erase,
            15..18 => {
                let object = LogicalObjectId(self.random.below(objects + 1));
                MediumOp::Locate { partition: Partition(0), target: LocateTarget::Object(object) }
            }
            _ => MediumOp::Locate { partition: Partition(0), target: LocateTarget::EndOfData },
        }
    }

    /// After a restart: the tape holds one of the states that it may hold. Then it goes on.
    fn check(&mut self, what: &str) {
        let store = self.store().unwrap();
        let mut cartridge = match Cartridge::open_with(&store, ID, OPTIONS) {
            Err(CartridgeError::Store(_)) if !self.created => return,
            other => other.unwrap_or_else(|error| panic!("{what}: {error}")),
        };
        let found = objects(&mut cartridge);
        if !self.history.since.contains(&found) {
            let lengths: Vec<usize> = self.history.since.iter().map(Vec::len).collect();
            panic!("{what}: {} objects were found that the tape never held together; it held {lengths:?}", found.len());
        }
        self.history.since = vec![found.clone()];
        let there: Vec<u32> = cartridge.older().iter().map(|version| version.number).collect();
        // The one that was about to be made may have taken the place of the first; that of the tape itself is none.
        for number in self.history.older.iter().skip(1) {
            let is_tape = || self.history.versions[number].objects().eq(found.iter());
            assert!(there.contains(number) || is_tape(), "{what}: version {number} is not among {there:?}");
        }
        let mut expected = found;
        for block in [vec![1; 5000], vec![2; 17]] {
            cartridge.perform(write(block.clone())).unwrap();
            expected.push(Object::Block(block.into()));
        }
        cartridge.perform(filemarks(1, true)).unwrap();
        expected.push(Object::Filemark);
        drop(cartridge);
        self.disk.restart(Loss::All);
        let store = self.store().unwrap();
        let mut cartridge = Cartridge::open_with(&store, ID, OPTIONS).unwrap();
        assert_eq!(objects(&mut cartridge), expected, "{what}: appended after recovery");
        cartridge.close().unwrap();
        self.disk.restart(Loss::All);
        let mut cartridge = Cartridge::open_with(&self.store().unwrap(), ID, OPTIONS).unwrap();
        assert_eq!(objects(&mut cartridge), expected, "{what}: unloaded after recovery");
        self.check_versions(cartridge, what);
    }

    /// The versions that are there are what the tape was then.
    fn check_versions(&self, cartridge: Cartridge, what: &str) {
        drop(cartridge);
        let open = || Cartridge::open_with(&self.store().unwrap(), ID, OPTIONS).unwrap();
        let older: Vec<u32> = open().older().iter().map(|version| version.number).collect();
        for number in older {
            // What was written to the tape after it was recovered may have made one more.
            let Some(tape) = self.history.versions.get(&number) else { continue };
            assert!(open().versions().unwrap().iter().all(|version| version.missing == 0), "{what}");
            open().roll_back(number).unwrap();
            let expected: Vec<Object> = tape.objects().cloned().collect();
            assert_eq!(objects(&mut open()), expected, "{what}: version {number}");
        }
    }
}

/// Everything on a tape; it stands at the end then.
fn objects(cartridge: &mut Cartridge) -> Vec<Object> {
    cartridge.perform(MediumOp::Rewind).unwrap();
    let mut found = Vec::new();
    loop {
        let request = ReadRequest { block_length: 1 << 20, count: 1 };
        let done = cartridge.perform(MediumOp::Read(request)).unwrap_or_else(|failure| panic!("{failure}"));
        match done.stop {
            Some(Stop::EndOfData) => return found,
            Some(Stop::Filemark) => found.push(Object::Filemark),
            _ => found.push(Object::Block(done.data)),
        }
    }
}

/// How many calls a whole run takes, and which of them synchronise.
fn measure(seed: u64) -> (u64, Vec<u64>) {
    let mut run = Run::new(seed);
    run.go(4, 40).unwrap();
    (run.disk.calls(), run.disk.synchronisations())
}

#[test]
fn power_is_lost_at_every_call() {
    let mut cuts = 0;
    for seed in 1..=2 * soak() {
        let (calls, _) = measure(seed);
        for call in 1..=calls {
            let loss = if call % 4 == seed % 4 { Loss::All } else { Loss::Random(call) };
            let mut run = Run::new(seed);
            run.disk.fail_at(call, SimFault::PowerOff);
            // Only what nobody waits for, as the removal of old segments, may fail without being told.
            let _ = run.go(4, 40);
            run.disk.restart(loss);
            run.check(&format!("seed {seed}, power lost at call {call}, {loss:?}"));
            cuts += 1;
        }
    }
    println!("{cuts} losses of power");
}

#[test]
fn power_is_lost_again_during_recovery() {
    let mut cuts = 0;
    for seed in 100..100 + soak() {
        let (calls, _) = measure(seed);
        for call in (1..=calls).step_by(13) {
            for again in 1..30 {
                let mut run = Run::new(seed);
                run.disk.fail_at(call, SimFault::PowerOff);
                let _ = run.go(4, 40);
                run.disk.restart(Loss::Random(call));
                run.disk.fail_at(run.disk.calls() + again, SimFault::PowerOff);
                let finished = match run.store() {
                    Ok(store) => Cartridge::open_with(&store, ID, OPTIONS).is_ok(),
                    Err(_) => false,
                };
                run.disk.restart(Loss::Random(again));
                run.check(&format!("seed {seed}, power lost at call {call} and {again} calls into recovery"));
                cuts += 1;
                if finished {
                    break;
                }
            }
        }
    }
    println!("{cuts} losses of power during recovery");
}

#[test]
fn a_failed_synchronisation_is_told_and_never_believed_later() {
    let mut faults = 0;
    for seed in 200..200 + 2 * soak() {
        let (_, synchronisations) = measure(seed);
        for call in synchronisations {
            for then in [None, Some(Loss::Random(call))] {
                let mut run = Run::new(seed);
                run.disk.fail_at(call, SimFault::Io);
                if run.go(4, 40).is_ok() {
                    panic!("seed {seed}: the failed synchronisation at call {call} was not told");
                }
                if let Some(loss) = then {
                    run.disk.restart(loss);
                }
                run.check(&format!("seed {seed}, synchronisation failed at call {call}, then {then:?}"));
                faults += 1;
            }
        }
    }
    println!("{faults} failed synchronisations");
}

#[test]
fn any_call_may_fail_and_the_tape_is_still_what_it_was() {
    for seed in 300..300 + 2 * soak() {
        let (calls, _) = measure(seed);
        for call in 1..=calls {
            let fault = if call % 2 == seed % 2 { SimFault::Io } else { SimFault::NoSpace };
            let mut run = Run::new(seed);
            run.disk.fail_at(call, fault);
            let _ = run.go(4, 40);
            run.disk.restart(Loss::Random(call));
            run.check(&format!("seed {seed}, {fault:?} at call {call}"));
        }
    }
}

fn cartridge_on(disk: &SimDisk) -> (Store, Cartridge) {
    let store = Store::open(Path::new("/store"), Arc::new(disk.clone())).unwrap();
    Cartridge::create(&store, new_cartridge(CAPACITY)).unwrap();
    let cartridge = Cartridge::open_with(&store, ID, OPTIONS).unwrap();
    (store, cartridge)
}

#[test]
fn after_a_failed_synchronisation_nothing_is_written_until_the_next_load() {
    let disk = SimDisk::new();
    let (store, mut cartridge) = cartridge_on(&disk);
    cartridge.perform(write(vec![1; 100])).unwrap();
    cartridge.perform(filemarks(1, true)).unwrap();
    cartridge.perform(write(vec![2; 100])).unwrap();
    disk.fail_at(disk.calls() + 1, SimFault::Io);
    let failure = cartridge.synchronise().unwrap_err();
    assert_eq!((failure.kind, failure.position.object.0), (MediumFailureKind::SyncFault, 3));
    assert!(failure.message.contains(".seg"), "{}", failure.message);
    assert!(failure.message.ends_with("; objects 2 to 2 may be lost"), "{}", failure.message);
    for op in [write(vec![3; 100]), filemarks(1, false), filemarks(0, true), MediumOp::Erase, MediumOp::Synchronise] {
        assert_eq!(cartridge.perform(op).unwrap_err().kind, MediumFailureKind::Poisoned);
    }
    cartridge.perform(MediumOp::Rewind).unwrap();
    assert_eq!(cartridge.perform(read(100, 1)).unwrap().data, vec![1; 100]);
    assert!(matches!(cartridge.close(), Err(CartridgeError::Poisoned { .. })));
    let mut cartridge = Cartridge::open_with(&store, ID, OPTIONS).unwrap();
    let found = objects(&mut cartridge);
    assert_eq!(found[..2], [Object::Block(vec![1; 100].into()), Object::Filemark]);
    cartridge.perform(write(vec![3; 100])).unwrap();
    cartridge.perform(filemarks(1, true)).unwrap();
}

#[test]
fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
    for room in [0, 500, 1100, 1500, 4000, 9999] {
        let disk = SimDisk::new();
        let (store, mut cartridge) = cartridge_on(&disk);
        for n in 0..4 {
            cartridge.perform(write(vec![n; 1000])).unwrap();
        }
        cartridge.perform(filemarks(1, true)).unwrap();
        let before = objects(&mut cartridge);
        for object in [5, 2] {
            let target = LocateTarget::Object(LogicalObjectId(object));
            cartridge.perform(MediumOp::Locate { partition: Partition(0), target }).unwrap();
            disk.limit_space(Some(store.used() + room));
            let op = MediumOp::Write { data: vec![9; 20_000].into(), block_length: 1000 };
            let failure = cartridge.perform(op).unwrap_err();
            assert_eq!(failure.kind, MediumFailureKind::NoSpace, "{room}");
            assert_eq!(failure.position.object.0, object + failure.count, "{room}");
            assert!(failure.count * 1048 <= room, "{room}");
            let mut expected = before.clone();
            if failure.count > 0 {
                expected.truncate(usize::try_from(object).unwrap());
                expected.extend((0..failure.count).map(|_| Object::Block(vec![9; 1000].into())));
            }
            assert_eq!(objects(&mut cartridge), expected, "{room}");
            disk.limit_space(None);
            cartridge.perform(MediumOp::Erase).unwrap();
            let target = LocateTarget::Object(LogicalObjectId(object));
            cartridge.perform(MediumOp::Locate { partition: Partition(0), target }).unwrap();
            cartridge.perform(MediumOp::Erase).unwrap();
            for object in &before[usize::try_from(object).unwrap()..] {
                match object {
                    Object::Block(block) => cartridge.perform(write(block.clone())).unwrap(),
                    Object::Filemark => cartridge.perform(filemarks(1, true)).unwrap(),
                };
            }
            assert_eq!(objects(&mut cartridge), before, "{room}");
        }
        cartridge.close().unwrap();
        disk.restart(Loss::All);
        let store = Store::open(Path::new("/store"), Arc::new(disk.clone())).unwrap();
        let mut cartridge = Cartridge::open_with(&store, ID, OPTIONS).unwrap();
        assert_eq!(objects(&mut cartridge), before, "{room}");
    }
}

#[test]
fn an_overwrite_that_found_no_room_leaves_nothing_behind() {
    for room in (0..1300).step_by(50) {
        let disk = SimDisk::new();
        let (store, mut cartridge) = cartridge_on(&disk);
        for n in 0..4 {
            cartridge.perform(write(vec![n; 1000])).unwrap();
        }
        cartridge.perform(filemarks(1, true)).unwrap();
        let before = objects(&mut cartridge);
        cartridge.perform(MediumOp::Rewind).unwrap();
        disk.limit_space(Some(store.used() + room));
        assert_eq!(cartridge.perform(write(vec![9; 1000])).unwrap_err().kind, MediumFailureKind::NoSpace);
        disk.limit_space(None);
        cartridge.synchronise().unwrap();
        drop((cartridge, store));
        disk.restart(if room % 100 == 0 { Loss::All } else { Loss::Nothing });
        let store = Store::open(Path::new("/store"), Arc::new(disk.clone())).unwrap();
        let mut cartridge = Cartridge::open_with(&store, ID, OPTIONS).unwrap();
        assert_eq!(objects(&mut cartridge), before, "{room}");
    }
}

/// The empty segment that says where an erased tape ends is removed at unload: not before the metadata say it.
#[test]
fn an_erased_tape_stays_erased_when_power_is_lost_while_it_is_unloaded() {
    let scenario = |disk: &SimDisk| -> Result<u64, CartridgeError> {
        let (_, mut cartridge) = cartridge_on(disk);
        for n in 0..4 {
            cartridge.perform(write(vec![n; 1000])).unwrap();
        }
        cartridge.close()?;
        let store = Store::open(Path::new("/store"), Arc::new(disk.clone()))?;
        let mut cartridge = Cartridge::open_with(&store, ID, OPTIONS)?;
        let target = LocateTarget::Object(LogicalObjectId(2));
        cartridge.perform(MediumOp::Locate { partition: Partition(0), target }).unwrap();
        cartridge.perform(MediumOp::Erase).unwrap();
        let erased = disk.calls();
        cartridge.close()?;
        Ok(erased)
    };
    let disk = SimDisk::new();
    let erased = scenario(&disk).unwrap();
    assert!(disk.calls() > erased + 5);
    for call in erased + 1..=disk.calls() {
        for seed in 0..40 {
            let disk = SimDisk::new();
            disk.fail_at(call, SimFault::PowerOff);
            assert!(scenario(&disk).is_err());
            disk.restart(Loss::Random(seed));
            let store = Store::open(Path::new("/store"), Arc::new(disk.clone())).unwrap();
            let mut cartridge = Cartridge::open_with(&store, ID, OPTIONS).unwrap();
            assert_eq!(objects(&mut cartridge).len(), 2, "call {call}, seed {seed}");
        }
    }
}

/// A process that dies leaves names that everybody sees and that are not durable. The next one must not build on them.
#[test]
fn the_process_dies_and_later_the_power_goes() {
    let mut deaths = 0;
    for seed in 400..400 + soak() {
        let (calls, _) = measure(seed);
        for call in (1..20).chain((20..calls).step_by(5)) {
            let mut run = Run::new(seed);
            run.disk.fail_at(call, SimFault::PowerOff);
            let _ = run.go(4, 40);
            run.disk.restart(Loss::Nothing);
            run.check(&format!("seed {seed}, process died at call {call}"));
            deaths += 1;
        }
    }
    println!("{deaths} deaths of the process");
}

#[test]
fn a_cartridge_whose_creation_failed_is_not_there() {
    for call in 6..20 {
        let disk = SimDisk::new();
        let store = Store::open(Path::new("/store"), Arc::new(disk.clone())).unwrap();
        disk.fail_at(call, SimFault::Io);
        let created = Cartridge::create(&store, new_cartridge(CAPACITY)).is_ok();
        assert_eq!(store.list().unwrap().len(), usize::from(created), "call {call}");
        if !created {
            Cartridge::create(&store, new_cartridge(CAPACITY)).unwrap();
        }
    }
}

#[test]
fn a_cartridge_is_created_deleted_and_protected_as_a_whole() {
    let scenario = |disk: &SimDisk| -> Result<u32, (u32, CartridgeError)> {
        let mut done = 0;
        let mut step = |result: Result<(), CartridgeError>| match result {
            Ok(()) => {
                done += 1;
                Ok(())
            }
            Err(error) => Err((done, error)),
        };
        let store = Store::open(Path::new("/store"), Arc::new(disk.clone())).map_err(|error| (0, error.into()))?;
        step(Cartridge::create(&store, new_cartridge(CAPACITY)))?;
        step(capstan_cartridge::set_protected(&store, ID, true))?;
        step(capstan_cartridge::set_protected(&store, ID, false))?;
        step(capstan_cartridge::erase(&store, ID))?;
        step(capstan_cartridge::delete(&store, ID))?;
        Ok(done)
    };
    let disk = SimDisk::new();
    assert_eq!(scenario(&disk).unwrap(), 5);
    for call in 1..=disk.calls() {
        for loss in [Loss::All, Loss::Random(call), Loss::Random(call + 1000), Loss::Random(call + 2000)] {
            let disk = SimDisk::new();
            disk.fail_at(call, SimFault::PowerOff);
            let (done, _) = scenario(&disk).unwrap_err();
            disk.restart(loss);
            let store = Store::open(Path::new("/store"), Arc::new(disk.clone())).unwrap();
            let found = capstan_cartridge::list(&store).unwrap();
            let protected = found.first().map(|(_, facts)| facts.as_ref().unwrap().protected);
            let possible: &[Option<bool>] = match done {
                0 => &[None, Some(false)],
                1 => &[Some(false), Some(true)],
                2 => &[Some(true), Some(false)],
                3 => &[Some(false)],
                _ => &[Some(false), None],
            };
            assert!(possible.contains(&protected), "call {call}, {loss:?}: {done} steps, then {protected:?}");
            if protected.is_some() {
                capstan_cartridge::delete(&store, ID).unwrap();
            }
            assert_eq!(store.used(), 0);
        }
    }
}
