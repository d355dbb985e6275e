//! What the standard says and clients rely on, with the numbers written out: the model test would not notice a
//! misreading that model and cartridge share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use capstan_cartridge::{Cartridge, CartridgeError};
use capstan_media::{
    FilemarkNumber, LocateTarget, LogicalObjectId, MediumDone, MediumFailureKind, MediumOp, Partition, SpaceTarget,
    Stop, early_warning_reserve,
};
use capstan_store::{Store, StoreError};
use support::{ID, filemarks, new_cartridge, read, store, write};

const fn is_send<T: Send>() {}
const _: () = is_send::<Cartridge>();

struct Rig {
    _root: tempfile::TempDir,
    store: Store,
    cartridge: Cartridge,
}

impl Rig {
    fn new(capacity: u64) -> Self {
        let root = tempfile::tempdir().unwrap();
        let store = store(root.path());
        Cartridge::create(&store, new_cartridge(capacity)).unwrap();
        let cartridge = Cartridge::open(&store, ID).unwrap();
        Self { _root: root, store, cartridge }
    }

    /// Files of 1, 2 and 3 blocks of 100 bytes, each ended by a filemark, as `btape test` writes them.
    fn three_files() -> Self {
        let mut rig = Self::new(1 << 30);
        for blocks in 1..=3 {
            rig.go(MediumOp::Write { data: vec![blocks; 100 * usize::from(blocks)].into(), block_length: 100 });
            rig.go(filemarks(1, true));
        }
        rig
    }

    fn go(&mut self, op: MediumOp) -> MediumDone {
        self.cartridge.perform(op).unwrap()
    }

    /// Count and stop of an operation; object, filemark and end of data after it.
    fn ends(&mut self, op: MediumOp) -> (u64, Option<Stop>, u64, u64, bool) {
        let done = self.go(op);
        let position = done.position;
        (done.count, done.stop, position.object.0, position.filemark.0, position.end_of_data)
    }
}

fn space_blocks(count: i64) -> MediumOp {
    MediumOp::Space(SpaceTarget::Blocks(count))
}

fn space_filemarks(count: i64) -> MediumOp {
    MediumOp::Space(SpaceTarget::Filemarks(count))
}

fn locate(target: LocateTarget) -> MediumOp {
    MediumOp::Locate { partition: Partition(0), target }
}

fn object(number: u64) -> MediumOp {
    locate(LocateTarget::Object(LogicalObjectId(number)))
}

#[test]
fn spacing_over_filemarks() {
    let mut rig = Rig::three_files();
    rig.go(MediumOp::Rewind);
    assert_eq!(rig.ends(space_filemarks(2)), (2, None, 5, 2, false));
    assert_eq!(rig.ends(space_filemarks(-1)), (1, None, 4, 1, false), "before the filemark");
    assert_eq!(rig.ends(space_filemarks(0x7f_ffff)), (2, Some(Stop::EndOfData), 9, 3, true), "the way of MTEOM");
    assert_eq!(rig.ends(space_filemarks(-4)), (3, Some(Stop::BeginningOfPartition), 0, 0, false));
    assert_eq!(rig.ends(MediumOp::Space(SpaceTarget::EndOfData)), (0, None, 9, 3, true));
    assert_eq!(rig.ends(space_filemarks(1)), (0, Some(Stop::EndOfData), 9, 3, true));
}

#[test]
fn spacing_over_blocks() {
    let mut rig = Rig::three_files();
    rig.go(object(2));
    assert_eq!(rig.ends(space_blocks(2)), (2, None, 4, 1, false));
    assert_eq!(rig.ends(space_blocks(1)), (0, Some(Stop::Filemark), 5, 2, false), "after the filemark");
    assert_eq!(rig.ends(space_blocks(-1)), (0, Some(Stop::Filemark), 4, 1, false), "before the filemark");
    assert_eq!(rig.ends(space_blocks(-9)), (2, Some(Stop::Filemark), 1, 0, false));
    assert_eq!(rig.ends(space_blocks(-9)), (1, Some(Stop::BeginningOfPartition), 0, 0, false));
    rig.go(object(5));
    assert_eq!(rig.ends(space_blocks(9)), (3, Some(Stop::Filemark), 9, 3, true));
    assert_eq!(rig.ends(space_blocks(1)), (0, Some(Stop::EndOfData), 9, 3, true));
}

#[test]
fn locating() {
    let mut rig = Rig::three_files();
    assert_eq!(rig.ends(object(4)), (0, None, 4, 1, false));
    assert_eq!(rig.ends(object(9)), (0, None, 9, 3, true));
    assert_eq!(rig.ends(object(10)), (0, Some(Stop::EndOfData), 9, 3, true));
    assert_eq!(rig.ends(locate(LocateTarget::File(FilemarkNumber(0)))), (0, None, 0, 0, false));
    assert_eq!(rig.ends(locate(LocateTarget::File(FilemarkNumber(2)))), (0, None, 5, 2, false));
    assert_eq!(rig.ends(locate(LocateTarget::File(FilemarkNumber(4)))), (0, Some(Stop::EndOfData), 9, 3, true));
    let elsewhere = MediumOp::Locate { partition: Partition(1), target: LocateTarget::EndOfData };
    let failure = rig.cartridge.perform(elsewhere).unwrap_err();
    assert_eq!((failure.kind, failure.position.object.0), (MediumFailureKind::NoSuchPartition, 9));
}

#[test]
fn reading_short_long_and_over_the_end() {
    let mut rig = Rig::three_files();
    rig.go(MediumOp::Rewind);
    let short = rig.go(read(60, 1));
    assert_eq!((short.data.len(), short.count, short.stop), (60, 0, Some(Stop::IncorrectLength { actual: 100 })));
    assert_eq!(short.position.object.0, 1, "after the block");
    assert_eq!(rig.ends(read(100, 1)), (0, Some(Stop::Filemark), 2, 1, false));
    let long = rig.go(read(64_512, 1));
    assert_eq!((long.data, long.stop), (vec![2; 100].into(), Some(Stop::IncorrectLength { actual: 100 })));
    rig.go(object(5));
    let fixed = rig.go(read(100, 10));
    assert_eq!((fixed.data, fixed.count, fixed.stop), (vec![3; 300].into(), 3, Some(Stop::Filemark)));
    assert_eq!(rig.ends(read(100, 10)), (0, Some(Stop::EndOfData), 9, 3, true));
}

#[test]
fn writing_in_the_middle_ends_the_tape_there() {
    let mut rig = Rig::three_files();
    rig.go(object(3));
    assert_eq!(rig.ends(filemarks(0, true)), (0, None, 3, 1, false), "no filemark, no end");
    assert_eq!(rig.ends(write(vec![9; 5])), (1, None, 4, 1, true));
    assert_eq!(rig.cartridge.facts().used, 205);
    rig.go(object(1));
    assert_eq!(rig.ends(filemarks(3, false)), (3, None, 4, 3, true));
    rig.go(object(2));
    assert_eq!(rig.ends(write(vec![8; 5])), (1, None, 3, 1, true), "inside a run of filemarks");
    rig.go(MediumOp::Rewind);
    rig.go(MediumOp::Erase);
    assert_eq!((rig.cartridge.facts().used, rig.cartridge.facts().objects), (0, 0));
}

#[test]
fn the_end_of_the_tape_and_the_warning_before_it() {
    let capacity = (32 << 20) + 250;
    assert_eq!(early_warning_reserve(capacity), 32 << 20);
    let mut rig = Rig::new(capacity);
    let early = |done: MediumDone| done.position.early_warning;
    assert!(!early(rig.go(write(vec![1; 200]))));
    assert!(early(rig.go(write(vec![1; 50]))), "this block and those after it are written, with a warning");
    assert!(early(rig.go(filemarks(1, false))));
    let rest = MediumOp::Write { data: vec![2; 33 << 20].into(), block_length: 1 << 20 };
    assert_eq!(rig.ends(rest), (32, Some(Stop::EndOfPartition), 35, 1, true));
    assert_eq!(rig.ends(write(vec![3; 1])), (0, Some(Stop::EndOfPartition), 35, 1, true));
    assert_eq!(rig.ends(filemarks(1, true)), (1, None, 36, 2, true), "filemarks have room");
    assert!(!early(rig.go(MediumOp::Rewind)));
}

#[test]
fn write_protection_and_use_by_one() {
    let mut rig = Rig::three_files();
    rig.cartridge.protect(true).unwrap();
    for op in [write(vec![1]), filemarks(1, false), MediumOp::Erase] {
        let failure = rig.cartridge.perform(op).unwrap_err();
        assert_eq!((failure.kind, failure.position.object.0), (MediumFailureKind::WriteProtected, 9));
    }
    rig.go(filemarks(0, true));
    let in_use = |error| matches!(error, CartridgeError::Store(StoreError::InUse(ID)));
    assert!(in_use(Cartridge::open(&rig.store, ID).unwrap_err()));
    assert!(in_use(capstan_cartridge::delete(&rig.store, ID).unwrap_err()));
    assert!(in_use(capstan_cartridge::set_protected(&rig.store, ID, false).unwrap_err()));
    assert!(capstan_cartridge::inspect(&rig.store, ID).unwrap().protected);
    rig.cartridge.close().unwrap();
    assert!(matches!(capstan_cartridge::erase(&rig.store, ID), Err(CartridgeError::WriteProtected(ID))));
    capstan_cartridge::set_protected(&rig.store, ID, false).unwrap();
    capstan_cartridge::erase(&rig.store, ID).unwrap();
    let facts = capstan_cartridge::inspect(&rig.store, ID).unwrap();
    assert_eq!((facts.used, facts.objects, facts.filemarks, facts.clean), (0, 0, 0, true));
}
