//! A small tape with everything on it that a tape can have, and what reading all of it gives.

use std::collections::BTreeMap;
use std::fs;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use capstan_cartridge::model::Object;
use capstan_cartridge::{Cartridge, CartridgeError, Options, Report, Verified, verify};
use capstan_media::{LocateTarget, LogicalObjectId, MediumFailureKind, MediumOp, Partition, Stop};
use capstan_store::Store;

use super::{ID, Random, filemarks, files, new_cartridge, read, store, write};

pub fn options() -> Options {
    Options { versions: 0, ..super::small_segments(2600) }
}

/// A tape in eight segments or so: blocks of several lengths, filemarks, markers, a partial overwrite, a second load.
pub struct Sample {
    pub root: tempfile::TempDir,
    pub whole: Vec<Object>,
}

impl Sample {
    /// `unloaded`: properly; else the process died after a recovery point.
    pub fn new(unloaded: bool) -> Self {
        let root = tempfile::tempdir().unwrap();
        let store = store(root.path());
        Cartridge::create(&store, new_cartridge(1 << 20)).unwrap();
        let mut sample = Self { root, whole: Vec::new() };
        let mut cartridge = Cartridge::open_with(&store, ID, options()).unwrap();
        let mut random = Random::new(11);
        sample.fill(&mut cartridge, &mut random, 18);
        // From the middle of the second segment on.
        let target = LocateTarget::Object(LogicalObjectId(12));
        cartridge.perform(MediumOp::Locate { partition: Partition(0), target }).unwrap();
        sample.whole.truncate(12);
        sample.fill(&mut cartridge, &mut random, 12);
        cartridge.close().unwrap();
        let mut cartridge = Cartridge::open_with(&store, ID, options()).unwrap();
        cartridge.perform(MediumOp::Locate { partition: Partition(0), target: LocateTarget::EndOfData }).unwrap();
        sample.fill(&mut cartridge, &mut random, 12);
        cartridge.synchronise().unwrap();
        if unloaded {
            cartridge.close().unwrap();
        }
        sample
    }

    fn fill(&mut self, cartridge: &mut Cartridge, random: &mut Random, blocks: usize) {
        for n in 0..blocks {
            let block = random.fill([350, 1, 90, 90][n % 4]);
            cartridge.perform(write(block.clone())).unwrap();
            self.whole.push(Object::Block(block));
            if n % 5 == 4 {
                let count = u32::try_from(1 + n % 3).unwrap();
                cartridge.perform(filemarks(count, n % 2 == 0)).unwrap();
                self.whole.extend((0..count).map(|_| Object::Filemark));
            }
        }
    }

    pub fn store(&self) -> Store {
        store(self.root.path())
    }

    pub fn segments(&self) -> Vec<PathBuf> {
        files(self.root.path(), ".seg")
    }

    pub fn meta(&self) -> PathBuf {
        files(self.root.path(), "cartridge.meta").remove(0)
    }

    /// All its files, to put them back.
    pub fn image(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let all = files(self.root.path(), "").into_iter().filter(|path| !path.ends_with("lock"));
        all.map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
    }

    /// Makes its files what they were.
    pub fn restore(&self, image: &BTreeMap<PathBuf, Vec<u8>>) {
        for path in self.image().into_keys().filter(|path| !image.contains_key(path)) {
            fs::remove_file(path).unwrap();
        }
        for (path, bytes) in image {
            if fs::read(path).ok().as_ref() != Some(bytes) {
                fs::write(path, bytes).unwrap();
            }
        }
    }
}

/// What a verification says.
pub fn report(store: &Store) -> Report {
    match verify(store, ID, &mut |_| ControlFlow::Continue(())).unwrap() {
        Verified::Whole(report) => *report,
        Verified::Cancelled => unreachable!("nobody cancels"),
    }
}

/// Reads everything; `None` for an object that cannot be read, which says in which file it is lost.
pub fn survey(store: &Store) -> Result<Vec<Option<Object>>, CartridgeError> {
    let mut cartridge = Cartridge::open_with(store, ID, options())?;
    let mut found = Vec::new();
    loop {
        assert_eq!(cartridge.position().object.0, found.len() as u64);
        match cartridge.perform(read(1 << 20, 1)) {
            Ok(done) => match done.stop {
                Some(Stop::EndOfData) => return Ok(found),
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

/// The ranges of objects that a survey did not find.
pub fn lost(found: &[Option<Object>]) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for (object, _) in (0..).zip(found).filter(|(_, found)| found.is_none()) {
        match ranges.last_mut() {
            Some(last) if last.end == object => last.end += 1,
            _ => ranges.push(object..object + 1),
        }
    }
    ranges
}

/// A path as the reports of the tests have it: below the cartridge.
pub fn short(path: &Path) -> String {
    let text = path.to_string_lossy();
    let name = ID.to_string();
    match text.rsplit_once(&name) {
        Some((_, "")) => ".".to_owned(),
        Some((_, rest)) => rest.trim_start_matches('/').to_owned(),
        None => text.into_owned(),
    }
}
