//! Random operations on a cartridge and on a vector of objects must agree in every answer, through clean reloads and
//! through deaths of the process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use capstan_cartridge::model::Tape;
use capstan_cartridge::{Cartridge, Options, filemark_limit};
use capstan_disk::{Disk, RealDisk, SimDisk};
use capstan_media::{
    FilemarkNumber, LocateTarget, LogicalObjectId, MediumOp, MediumResult, Partition, ReadRequest, SpaceTarget,
};
use capstan_store::Store;
use support::tier::Tier;
use support::{ID, Random, new_cartridge, small_segments};

/// Versions that a tape keeps.
const VERSIONS: usize = 8;

/// One kind of tape and of use.
#[derive(Clone, Copy, Debug)]
struct Scenario {
    seed: u64,
    operations: u32,
    capacity: u64,
    segment_size: u64,
    /// Longest block; lengths are spread evenly over their number of bits.
    longest: u64,
}

#[test]
fn small_blocks_on_a_tape_that_fills_up() {
    run(Scenario { seed: 1, operations: 40_000, capacity: 300_000, segment_size: 8 << 10, longest: 2000 });
}

#[test]
fn tiny_blocks_in_segments_of_a_few_records() {
    run(Scenario { seed: 2, operations: 30_000, capacity: 20_000, segment_size: 6000, longest: 64 });
}

#[test]
fn large_blocks_that_fill_segments_alone() {
    run(Scenario { seed: 3, operations: 10_000, capacity: 8 << 20, segment_size: 64 << 10, longest: 300 << 10 });
}

#[test]
fn a_tape_whose_early_warning_comes_early() {
    let capacity = (32 << 20) + 400_000;
    run(Scenario { seed: 4, operations: 20_000, capacity, segment_size: 256 << 10, longest: 20_000 });
}

/// Segments go to a tier and from the disk at any time, of the loaded tape too.
#[test]
fn a_tape_whose_segments_are_shipped_and_evicted() {
    for more in 0..support::soak() {
        let disk: Arc<dyn Disk> = Arc::new(SimDisk::new());
        let scenario =
            Scenario { seed: 6 + 10 * more, operations: 30_000, capacity: 400_000, segment_size: 6000, longest: 700 };
        let (shipped, evicted) = run_with(&disk, Path::new("/store"), scenario, Some(Tier::default()));
        assert!(shipped > 300 && evicted > 300, "{shipped} shipped, {evicted} evicted");
    }
}

/// The others run in memory, where synchronising costs nothing.
#[test]
fn on_files_of_the_operating_system() {
    let root = tempfile::tempdir().unwrap();
    let scenario = Scenario { seed: 5, operations: 3000, capacity: 1 << 20, segment_size: 32 << 10, longest: 9000 };
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    run_on(&disk, root.path(), scenario);
}

fn run(scenario: Scenario) {
    for more in 0..support::soak() {
        let disk: Arc<dyn Disk> = Arc::new(SimDisk::new());
        run_on(&disk, Path::new("/store"), Scenario { seed: scenario.seed + 10 * more, ..scenario });
    }
}

fn run_on(disk: &Arc<dyn Disk>, root: &Path, scenario: Scenario) {
    run_with(disk, root, scenario, None);
}

/// How many segments were shipped and evicted.
fn run_with(disk: &Arc<dyn Disk>, root: &Path, scenario: Scenario, tier: Option<Tier>) -> (usize, usize) {
    let store = Store::open(root, Arc::clone(disk)).unwrap();
    if let Some(tier) = &tier {
        store.set_recall(Arc::new(tier.clone()));
    }
    Cartridge::create(&store, new_cartridge(scenario.capacity)).unwrap();
    let mut pair = Pair {
        cartridge: Some(open(&store, scenario)),
        tape: Tape::new(scenario.capacity),
        random: Random::new(scenario.seed),
        pool: Random::new(99).fill(1 << 20),
        scenario,
        store,
        tier,
        shipped: (0, 0),
        versions: BTreeMap::new(),
        rolled_back: 0,
    };
    for number in 0..scenario.operations {
        pair.step(number);
    }
    pair.compare_all();
    pair.compare_versions();
    let bytes = bytes_under(disk.as_ref(), &root.join("tapes"));
    assert_eq!(pair.store.used(), bytes, "accounting");
    let mut cartridge = pair.cartridge.take().unwrap();
    cartridge.perform(MediumOp::Rewind).unwrap();
    cartridge.perform(MediumOp::Erase).unwrap();
    let numbers: Vec<u32> = cartridge.older().iter().map(|version| version.number).collect();
    cartridge.forget_versions(&numbers).unwrap();
    cartridge.close().unwrap();
    let shipped = pair.store.look_at(ID).unwrap().read_shipped().unwrap().len() as u64;
    assert_eq!(pair.tier.is_some(), shipped > 0);
    assert_eq!(
        (pair.store.used(), bytes_under(disk.as_ref(), &root.join("tapes"))),
        (1024 + shipped, 1024 + shipped),
        "only metadata stay"
    );
    pair.shipped
}

fn bytes_under(disk: &dyn Disk, path: &Path) -> u64 {
    let entries = disk.list(path).unwrap();
    let bytes = |entry: capstan_disk::Entry| match path.join(&entry.name) {
        inner if entry.is_directory => bytes_under(disk, &inner),
        inner => disk.length(&inner).unwrap(),
    };
    entries.into_iter().map(bytes).sum()
}

fn open(store: &Store, scenario: Scenario) -> Cartridge {
    let options = Options { unsynced_segments: 3, versions: VERSIONS, ..small_segments(scenario.segment_size) };
    Cartridge::open_with(store, ID, options).unwrap()
}

struct Pair {
    cartridge: Option<Cartridge>,
    tape: Tape,
    random: Random,
    /// What blocks are cut from.
    pool: Bytes,
    scenario: Scenario,
    store: Store,
    tier: Option<Tier>,
    /// Segments shipped, segments evicted.
    shipped: (usize, usize),
    /// What the tape was, by the numbers of its versions.
    versions: BTreeMap<u32, Tape>,
    rolled_back: u32,
}

impl Pair {
    fn step(&mut self, number: u32) {
        match self.random.below(1000) {
            0..3 => self.reload(true),
            3..6 => self.reload(false),
            6..8 => self.protect(),
            8..10 => self.roll_back(),
            10 => self.forget(),
            11..31 if self.tier.is_some() => self.ship(),
            _ => {
                let op = self.operation();
                self.both(number, &op);
            }
        }
    }

    fn both(&mut self, number: u32, op: &MediumOp) {
        let may_overwrite = matches!(op, MediumOp::Write { .. } | MediumOp::WriteFilemarks { .. } | MediumOp::Erase);
        let before = (may_overwrite && !self.tape.position().end_of_data).then(|| self.tape.clone());
        let expected = self.tape.perform(op);
        let answer = self.cartridge.as_mut().unwrap().perform(op.clone());
        let why = answer.as_ref().err().map(|failure| failure.message.clone());
        assert_eq!(text(&answer), text(&expected), "{:?}: operation {number}: {op:?}: {why:?}", self.scenario);
        if let (Ok(answer), Ok(expected)) = (answer, expected) {
            assert!(answer.data == expected.data, "{:?}: operation {number}: data of {op:?}", self.scenario);
        }
        if let Some(before) = before {
            self.note_version(before);
        }
    }

    /// If the cartridge has kept a version, it is what the tape was before.
    fn note_version(&mut self, before: Tape) {
        let older = self.cartridge.as_ref().unwrap().older();
        let numbers: Vec<u32> = older.iter().map(|version| version.number).collect();
        if let Some(last) = older.last().filter(|last| !self.versions.contains_key(&last.number)) {
            assert_eq!((last.end.byte, last.end.object), (before.used(), before.objects().len() as u64));
            self.versions.insert(last.number, before);
        }
        self.versions.retain(|number, _| numbers.contains(number));
        assert_eq!(self.versions.keys().copied().collect::<Vec<_>>(), numbers);
    }

    /// Goes back to one of the versions, and to where that leaves the tape.
    fn roll_back(&mut self) {
        let numbers: Vec<u32> = self.versions.keys().copied().collect();
        if numbers.is_empty() {
            return;
        }
        let number = numbers[usize::try_from(self.random.below(numbers.len() as u64)).unwrap()];
        let present = self.cartridge.take().unwrap().roll_back(number).unwrap();
        let wanted = self.versions.remove(&number).unwrap();
        let before = std::mem::replace(&mut self.tape, wanted);
        let cartridge = open(&self.store, self.scenario);
        if before.objects().len() > 0 {
            self.versions.insert(present.number, before);
        }
        assert_eq!(cartridge.facts().used, self.tape.used());
        self.cartridge = Some(cartridge);
        self.tape.perform(&MediumOp::Rewind).unwrap();
        self.rolled_back += 1;
    }

    fn forget(&mut self) {
        let Some(number) = self.versions.keys().next().copied() else { return };
        let cartridge = self.cartridge.as_mut().unwrap();
        cartridge.forget_versions(&[number]).unwrap();
        assert!(cartridge.forget_versions(&[number]).is_err(), "it is forgotten");
        self.versions.remove(&number);
    }

    /// Goes back to each version in turn, and reads all of it.
    fn compare_versions(&mut self) {
        assert!(self.rolled_back > 0 || self.scenario.operations < 5000, "{:?}", self.scenario);
        for number in self.versions.keys().copied().collect::<Vec<_>>() {
            let facts = self.cartridge.as_ref().unwrap().versions().unwrap();
            let facts = facts.iter().find(|facts| facts.version.number == number).unwrap();
            assert_eq!((facts.missing, facts.unshipped_bytes <= facts.own_bytes), (0, true));
            let cartridge = self.cartridge.take().unwrap();
            let present = cartridge.roll_back(number).unwrap();
            let before = std::mem::replace(&mut self.tape, self.versions[&number].clone());
            self.cartridge = Some(open(&self.store, self.scenario));
            self.tape.perform(&MediumOp::Rewind).unwrap();
            self.compare_all();
            // And the undo.
            if before.objects().len() > 0 {
                self.cartridge.take().unwrap().roll_back(present.number).unwrap();
                self.tape = before;
                self.cartridge = Some(open(&self.store, self.scenario));
                self.tape.perform(&MediumOp::Rewind).unwrap();
                let renumbered = self.cartridge.as_ref().unwrap().older().last().unwrap().number;
                let version = self.versions.remove(&number).unwrap();
                self.versions.insert(renumbered, version);
            }
        }
        self.compare_all();
    }

    /// Loads the tape again; it stands at the beginning then. What was answered is there whether it was unloaded
    /// before or the process died.
    fn reload(&mut self, clean: bool) {
        let cartridge = self.cartridge.take().unwrap();
        if clean {
            let facts = cartridge.close().unwrap();
            assert!(facts.clean);
            assert_eq!(facts.used, self.tape.used());
            assert_eq!(capstan_cartridge::inspect(&self.store, ID).unwrap(), facts);
        } else {
            drop(cartridge);
        }
        let cartridge = open(&self.store, self.scenario);
        assert_eq!(cartridge.facts().objects, u64::try_from(self.tape.objects().len()).unwrap());
        assert_eq!(cartridge.facts().used, self.tape.used());
        self.cartridge = Some(cartridge);
        self.tape.perform(&MediumOp::Rewind).unwrap();
    }

    fn ship(&mut self) {
        let (Some(tier), Some(cartridge)) = (&self.tier, &mut self.cartridge) else { return };
        let (shipped, evicted) = tier.ship(&self.store, cartridge, &mut self.random);
        self.shipped = (self.shipped.0 + shipped, self.shipped.1 + evicted);
    }

    fn protect(&mut self) {
        let protected = self.random.one_in(2);
        self.tape.protect(protected);
        self.cartridge.as_mut().unwrap().protect(protected).unwrap();
        if protected {
            let op = self.operation();
            self.both(0, &op);
            self.tape.protect(false);
            self.cartridge.as_mut().unwrap().protect(false).unwrap();
        }
    }

    fn operation(&mut self) -> MediumOp {
        match self.random.below(100) {
            0..38 => self.write(),
            38..48 => MediumOp::WriteFilemarks { count: self.filemarks(), synchronise: self.random.one_in(20) },
            48..70 => self.read(),
            70..78 => MediumOp::Locate { partition: self.partition(), target: self.target() },
            78..94 => MediumOp::Space(self.space()),
            94 => MediumOp::Rewind,
            95 if self.random.one_in(10) => MediumOp::Erase,
            96 if self.random.one_in(4) => MediumOp::Synchronise,
            97 => MediumOp::ReportPosition,
            _ => MediumOp::Locate { partition: Partition(0), target: LocateTarget::EndOfData },
        }
    }

    fn length(&mut self) -> u32 {
        let bits = 64 - self.scenario.longest.leading_zeros();
        let limit = 1 << (1 + self.random.below(u64::from(bits)));
        u32::try_from(1 + self.random.below(limit.min(self.scenario.longest))).unwrap()
    }

    fn write(&mut self) -> MediumOp {
        let block_length = self.length();
        let most = (self.pool.len() as u64 / u64::from(block_length)).min(200);
        let count = if self.random.one_in(3) { 1 + self.random.below(most) } else { 1 };
        let bytes = usize::try_from(count * u64::from(block_length)).unwrap();
        let from = usize::try_from(self.random.below((self.pool.len() - bytes + 1) as u64)).unwrap();
        MediumOp::Write { data: self.pool.slice(from..from + bytes), block_length }
    }

    fn filemarks(&mut self) -> u32 {
        match self.random.below(200) {
            0 => u32::try_from(filemark_limit(self.scenario.capacity)).unwrap(),
            1..20 => 0,
            20..60 => 1 + u32::try_from(self.random.below(30)).unwrap(),
            _ => 1,
        }
    }

    /// Often the length of the block that comes next, so that several are read.
    fn read(&mut self) -> MediumOp {
        let here = usize::try_from(self.tape.position().object.0).unwrap();
        let next = self.tape.objects().nth(here);
        let next = next.and_then(|object| match object {
            capstan_cartridge::model::Object::Block(block) => u32::try_from(block.len()).ok(),
            capstan_cartridge::model::Object::Filemark => None,
        });
        let block_length = match next {
            Some(length) if !self.random.one_in(4) => length,
            _ => self.length(),
        };
        let count = if self.random.one_in(2) { 1 } else { u32::try_from(self.random.below(300)).unwrap() };
        MediumOp::Read(ReadRequest { block_length, count })
    }

    fn partition(&mut self) -> Partition {
        Partition(u8::from(self.random.one_in(50)))
    }

    fn target(&mut self) -> LocateTarget {
        let objects = u64::try_from(self.tape.objects().len()).unwrap();
        match self.random.below(10) {
            0 => LocateTarget::EndOfData,
            1 => LocateTarget::Object(LogicalObjectId(u64::MAX)),
            2..4 => LocateTarget::File(FilemarkNumber(self.random.below(20))),
            _ => LocateTarget::Object(LogicalObjectId(self.random.below(objects + 3))),
        }
    }

    fn space(&mut self) -> SpaceTarget {
        let limit = 1 << self.random.below(12);
        let count = i64::try_from(self.random.below(limit)).unwrap();
        let count = if self.random.one_in(2) { -count } else { count };
        match self.random.below(40) {
            0 => SpaceTarget::EndOfData,
            1 => SpaceTarget::Blocks(i64::MIN),
            2 => SpaceTarget::Filemarks(i64::MIN),
            3 => SpaceTarget::Filemarks(i64::MAX),
            4 => SpaceTarget::Blocks(i64::MAX),
            5..20 => SpaceTarget::Filemarks(count),
            _ => SpaceTarget::Blocks(count),
        }
    }

    /// From the beginning to end of data, object by object.
    fn compare_all(&mut self) {
        self.reload(false);
        let objects = u32::try_from(self.tape.objects().len()).unwrap();
        for number in 0..=objects {
            self.both(number, &MediumOp::Read(ReadRequest { block_length: 1 << 20, count: 1 }));
        }
        self.reload(true);
    }
}

fn text(result: &MediumResult) -> String {
    match result {
        Ok(done) => format!("{:?} {} {:?} {} bytes", done.position, done.count, done.stop, done.data.len()),
        Err(failure) => format!("{:?} {} {:?}", failure.position, failure.count, failure.kind),
    }
}
