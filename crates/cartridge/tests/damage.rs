//! Damaged, truncated, missing, doubled and foreign files: only what is damaged is lost, and never a wrong byte is
//! returned for a good one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use capstan_cartridge::model::Object;
use capstan_cartridge::{Cartridge, CartridgeError, Options};
use capstan_media::{LocateTarget, LogicalObjectId, MediumFailureKind, MediumOp, Partition, Stop};
use capstan_store::Store;
use support::{ID, Random, filemarks, files, new_cartridge, overwrite, read, store, write};

const OPTIONS: Options = Options { segment_size: 12_000, unsynced_segments: 8, reserve: 0, versions: 0 };

/// A tape in four segments or so, with blocks of several sizes and filemarks, at rest.
struct Rig {
    root: tempfile::TempDir,
    whole: Vec<Object>,
}

impl Rig {
    /// `unloaded`: properly; else the process died after a recovery point.
    fn new(unloaded: bool) -> Self {
        let root = tempfile::tempdir().unwrap();
        let store = store(root.path());
        Cartridge::create(&store, new_cartridge(1 << 20)).unwrap();
        let mut cartridge = Cartridge::open_with(&store, ID, OPTIONS).unwrap();
        let mut random = Random::new(5);
        let mut whole = Vec::new();
        for n in 0..30 {
            let length = [700, 1, 3000][n % 3];
            let block = random.fill(length);
            cartridge.perform(write(block.clone())).unwrap();
            whole.push(Object::Block(block));
            if n % 7 == 6 {
                let count = u32::try_from(1 + n % 3).unwrap();
                cartridge.perform(filemarks(count, n % 2 == 0)).unwrap();
                whole.extend((0..count).map(|_| Object::Filemark));
            }
        }
        cartridge.synchronise().unwrap();
        if unloaded {
            cartridge.close().unwrap();
        }
        Self { root, whole }
    }

    fn store(&self) -> Store {
        store(self.root.path())
    }

    fn open(&self) -> Result<Cartridge, CartridgeError> {
        Cartridge::open_with(&self.store(), ID, OPTIONS)
    }

    fn segments(&self) -> Vec<PathBuf> {
        files(self.root.path(), ".seg")
    }

    fn meta(&self) -> PathBuf {
        files(self.root.path(), "cartridge.meta").remove(0)
    }

    /// What can be read; `None` for an object that cannot.
    fn survey(&self) -> Vec<Option<Object>> {
        survey(&mut self.open().unwrap())
    }

    /// All that can be read is as it was; gives how many cannot.
    fn lost(&self, what: &str) -> usize {
        let found = self.survey();
        assert_eq!(found.len(), self.whole.len(), "{what}");
        for (number, (found, was)) in found.iter().zip(&self.whole).enumerate() {
            assert!(found.as_ref().is_none_or(|found| found == was), "{what}: object {number} is another");
        }
        found.iter().filter(|object| object.is_none()).count()
    }
}

fn survey(cartridge: &mut Cartridge) -> Vec<Option<Object>> {
    cartridge.perform(MediumOp::Rewind).unwrap();
    let mut found = Vec::new();
    loop {
        assert_eq!(cartridge.position().object.0, found.len() as u64);
        match cartridge.perform(read(1 << 20, 1)) {
            Ok(done) => match done.stop {
                Some(Stop::EndOfData) => return found,
                Some(Stop::Filemark) => found.push(Some(Object::Filemark)),
                _ => found.push(Some(Object::Block(done.data))),
            },
            Err(failure) => {
                assert_eq!(failure.kind, MediumFailureKind::Corrupt, "{failure}");
                assert!(failure.message.contains(".seg"), "{failure}");
                found.push(None);
            }
        }
    }
}

fn flip(path: &Path, offset: usize) {
    let mut byte = fs::read(path).unwrap()[offset];
    byte ^= 1 << (offset % 8);
    overwrite(path, offset as u64, &[byte]);
}

#[test]
fn a_flipped_bit_costs_at_most_the_object_it_is_in() {
    let rig = Rig::new(true);
    assert_eq!(rig.lost("undamaged"), 0);
    let mut lost = 0;
    for path in rig.segments() {
        let length = usize::try_from(path.metadata().unwrap().len()).unwrap();
        let everywhere = (0..length).step_by(97).chain(0..64).chain(1000..1100).chain(length - 200..length);
        for offset in everywhere {
            flip(&path, offset);
            let now = rig.lost(&format!("{} at {offset}", path.display()));
            assert!(now <= 3, "{now} lost at {offset}: a run of filemarks has up to 3");
            lost += now;
            flip(&path, offset);
        }
    }
    assert!(lost > 200, "{lost}");
    assert_eq!(rig.lost("repaired"), 0);
}

#[test]
fn a_read_of_several_blocks_gives_those_before_the_damaged_one() {
    let root = tempfile::tempdir().unwrap();
    let store = store(root.path());
    Cartridge::create(&store, new_cartridge(1 << 20)).unwrap();
    let mut cartridge = Cartridge::open_with(&store, ID, OPTIONS).unwrap();
    let data = Random::new(9).fill(30 * 500);
    cartridge.perform(MediumOp::Write { data: data.clone(), block_length: 500 }).unwrap();
    cartridge.close().unwrap();
    let second = files(root.path(), ".seg").remove(1);
    flip(&second, 1024 + 2 * 548 + 100);
    let mut cartridge = Cartridge::open_with(&store, ID, OPTIONS).unwrap();
    let failure = cartridge.perform(read(500, 30)).unwrap_err();
    let good = usize::try_from(failure.count).unwrap();
    assert!((3..29).contains(&good), "{good}");
    assert_eq!(failure.data, data[..good * 500]);
    assert_eq!(failure.position.object.0, failure.count + 1);
    let done = cartridge.perform(read(500, 30)).unwrap();
    assert_eq!(done.data, data[(good + 1) * 500..]);
    assert_eq!(cartridge.perform(MediumOp::ReportPosition).unwrap().data.len(), 0);
}

#[test]
fn the_process_died_and_a_bit_flipped_in_what_was_synchronised() {
    let segments = Rig::new(false).segments().len();
    for number in 0..segments {
        let length = usize::try_from(Rig::new(false).segments()[number].metadata().unwrap().len()).unwrap();
        for offset in (0..length).step_by(331).chain([2, 20, 1030, 1060]) {
            let rig = Rig::new(false);
            flip(&rig.segments()[number], offset);
            let lost = rig.lost(&format!("segment {number} at {offset}"));
            assert!(lost <= 3, "{lost} lost in segment {number} at {offset}");
        }
    }
}

#[test]
fn a_missing_segment_costs_its_objects_and_no_others() {
    for unloaded in [true, false] {
        let number = Rig::new(unloaded).segments().len();
        for gone in 0..number {
            // The last segment is the only witness of what was written since the cartridge was marked open.
            if !unloaded && gone == number - 1 {
                continue;
            }
            let rig = Rig::new(unloaded);
            fs::remove_file(&rig.segments()[gone]).unwrap();
            let lost = rig.lost(&format!("segment {gone} of {number}"));
            assert!((1..rig.whole.len() / 2).contains(&lost), "{lost} lost with segment {gone}");
        }
    }
}

#[test]
fn many_missing_segments_leave_what_can_be_reached() {
    let rig = Rig::new(true);
    let segments = rig.segments();
    assert!(segments.len() >= 4, "{}", segments.len());
    for path in &segments[1..segments.len() - 1] {
        fs::remove_file(path).unwrap();
    }
    let found = rig.survey();
    assert_eq!(found.len(), rig.whole.len());
    assert!(found[0].is_some() && found.last().unwrap().is_some());
    let mut cartridge = rig.open().unwrap();
    let target = LocateTarget::Object(LogicalObjectId(rig.whole.len() as u64 - 1));
    cartridge.perform(MediumOp::Locate { partition: Partition(0), target }).unwrap();
    assert_eq!(cartridge.perform(read(1 << 20, 1)).unwrap().count, 0);
}

#[test]
fn truncated_and_foreign_and_doubled_files_are_told_from_good_ones() {
    let rig = Rig::new(true);
    let segments = rig.segments();
    let (path, other) = (&segments[1], &segments[2]);
    let good = fs::read(path).unwrap();
    let first = rig.lost("undamaged");
    for length in (0..good.len()).step_by(313) {
        fs::write(path, &good[..length]).unwrap();
        let lost = rig.lost(&format!("truncated to {length}"));
        assert!(lost < rig.whole.len() / 2, "truncated to {length}");
    }
    fs::write(path, fs::read(other).unwrap()).unwrap();
    assert!((1..rig.whole.len() / 2).contains(&rig.lost("another segment in its place")));
    fs::write(path, b"this is no segment").unwrap();
    assert!((1..rig.whole.len() / 2).contains(&rig.lost("something else in its place")));
    fs::write(path, &good).unwrap();
    fs::copy(path, path.with_file_name("000000099.seg")).unwrap();
    fs::write(path.with_file_name("notes.txt"), b"x").unwrap();
    assert_eq!(rig.lost("doubled under a later number"), first);
    let dead = Rig::new(false);
    fs::copy(&dead.segments()[1], path_in(&dead, "000000099.seg")).unwrap();
    fs::write(path_in(&dead, "000000100.seg"), b"").unwrap();
    fs::write(path_in(&dead, "000000101.seg"), vec![0; 5000]).unwrap();
    assert_eq!(dead.lost("doubled, after the process died"), 0);
    assert!(!path_in(&dead, "000000099.seg").exists(), "what is not the tape's is removed");
}

fn path_in(rig: &Rig, name: &str) -> PathBuf {
    rig.segments()[0].with_file_name(name)
}

#[test]
fn a_lost_header_of_a_synchronised_last_segment_is_told_and_nothing_older_comes_back() {
    let rig = Rig::new(false);
    let last = rig.segments().pop().unwrap();
    overwrite(&last, 0, &[0; 1024]);
    match rig.open() {
        Err(CartridgeError::Corrupt { path, offset: 0, .. }) => assert_eq!(path, last),
        other => panic!("{other:?}"),
    }
}

#[test]
fn damaged_metadata_are_survived_once_and_told_otherwise() {
    let rig = Rig::new(true);
    let path = rig.meta();
    for offset in (0..1024).step_by(5) {
        flip(&path, offset);
        assert_eq!(rig.lost(&format!("meta at {offset}")), 0);
        flip(&path, offset);
    }
    flip(&path, 100);
    flip(&path, 700);
    let error = rig.open().unwrap_err();
    assert!(matches!(error, CartridgeError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("cartridge.meta: at byte 0: checksum is"), "{error}");
    fs::write(&path, b"").unwrap();
    assert!(rig.open().unwrap_err().to_string().contains("0 bytes where 512 are needed"));
    let list = capstan_cartridge::list(&rig.store()).unwrap();
    assert!(matches!(list.as_slice(), [(ID, Err(CartridgeError::Corrupt { .. }))]), "{list:?}");
    fs::remove_file(&path).unwrap();
    assert!(matches!(rig.open(), Err(CartridgeError::Store(_))));
}

#[test]
fn a_newer_version_is_refused_by_name() {
    let rig = Rig::new(true);
    let segment = rig.segments().pop().unwrap();
    for copy in [8, 520] {
        overwrite(&segment, copy, &[9]);
    }
    let error = rig.open().unwrap_err().to_string();
    assert!(error.contains(".seg: format version 9 is newer than this release can read (up to 1)"), "{error}");
    for copy in [8, 520] {
        overwrite(&rig.meta(), copy, &[3]);
    }
    let error = rig.open().unwrap_err().to_string();
    assert!(error.contains("cartridge.meta: format version 3 is newer"), "{error}");
}
