//! Tapes that the writer ships into a directory, and what the program makes of them.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../../../../crates/mover/tests/rig/mod.rs"]
pub mod rig;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use bytes::Bytes;
use capstan_cartridge::{Cartridge, Options};
use capstan_media::{LocateTarget, LogicalObjectId, MediumOp, Partition, ReadRequest, Stop};
use capstan_tier::DirTier;
use rig::{ID, Rig, Running};

/// What is on a tape.
#[derive(Clone, PartialEq, Eq)]
pub enum Object {
    Block(Vec<u8>),
    Filemark,
}

impl std::fmt::Debug for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Block(block) => write!(f, "{} bytes", block.len()),
            Self::Filemark => f.write_str("filemark"),
        }
    }
}

/// A library that ships into a directory.
pub struct Library {
    pub rig: Rig,
    pub running: Running,
    pub tier: PathBuf,
    pub options: Options,
}

impl Library {
    pub fn new(segment_size: u64, change: impl FnOnce(&mut Rig)) -> Self {
        let library = Self::empty(segment_size, change);
        library.running.create();
        library
    }

    /// One without a cartridge.
    pub fn empty(segment_size: u64, change: impl FnOnce(&mut Rig)) -> Self {
        let mut rig = Rig::new();
        let tier = rig.root.path().join("tier");
        rig.object = Some(Arc::new(DirTier::open("dir", &tier).unwrap()));
        let options = Options { segment_size, ..rig::small() };
        rig.rules.cartridge = options;
        change(&mut rig);
        let running = rig.start();
        Self { rig, running, tier, options }
    }

    pub fn load(&self) {
        let cartridge = Cartridge::open_with(&self.running.store, ID, self.options).unwrap();
        *self.running.drive.0.lock().unwrap() = Some(cartridge);
    }

    pub fn block(&self, block: Vec<u8>) {
        let block_length = u32::try_from(block.len()).unwrap();
        self.running.perform(MediumOp::Write { data: block.into(), block_length });
    }

    pub fn filemarks(&self, count: u32, synchronise: bool) {
        self.running.perform(MediumOp::WriteFilemarks { count, synchronise });
    }

    pub fn objects(&self) -> u64 {
        let target = LocateTarget::EndOfData;
        self.running.perform(MediumOp::Locate { partition: Partition(0), target }).position.object.0
    }

    /// All of the tape as a drive reads it.
    pub fn read(&self) -> Vec<Object> {
        self.running.locate(0);
        let mut tape = Vec::new();
        loop {
            let request = ReadRequest { block_length: 8 << 20, count: 1 };
            let read = self.running.perform(MediumOp::Read(request));
            match read.stop {
                Some(Stop::Filemark) => tape.push(Object::Filemark),
                Some(Stop::EndOfData) => return tape,
                _ => tape.push(Object::Block(read.data.to_vec())),
            }
        }
    }

    /// Waits until all is in the tier, the cartridge unloaded. What is on it comes back.
    pub fn shipped(&self) -> Vec<Object> {
        let tape = self.read();
        let objects = self.objects();
        self.running.unload();
        self.running.shipped_to(objects);
        tape
    }
}

/// Numbers that look like chance and are the same each time.
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A block of up to a MiB, that can be compressed or not.
    pub fn block(&mut self) -> Vec<u8> {
        let longest = [1, 100, 512, 10_240, 65_536, 1 << 20][usize::try_from(self.below(6)).unwrap()];
        let length = usize::try_from(self.below(longest) + 1).unwrap();
        if self.below(2) == 0 {
            let word = self.next().to_le_bytes();
            return word.iter().copied().cycle().take(length).collect();
        }
        (0..=length / 8).flat_map(|_| self.next().to_le_bytes()).take(length).collect()
    }
}

/// What the program answers.
pub struct Answer {
    pub code: i32,
    pub output: Vec<u8>,
    pub notes: String,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.output).unwrap()
    }
}

/// Runs the program on a tier.
pub fn inspect(tier: &Path, arguments: &[&str]) -> Answer {
    let mut command = Command::new(env!("CARGO_BIN_EXE_capstan-inspect"));
    let Output { status, stdout, stderr } = command.arg(tier).args(arguments).output().unwrap();
    let notes = String::from_utf8(stderr).unwrap();
    assert!(!notes.contains("panicked"), "{notes}");
    Answer { code: status.code().unwrap(), output: stdout, notes }
}

/// What an export into files says.
pub fn read_files(directory: &Path) -> Vec<Object> {
    let index = std::fs::read(directory.join("blocks.json")).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    let mut tape = Vec::new();
    for file in index["files"].as_array().unwrap() {
        let filemarks = tape.iter().filter(|object| **object == Object::Filemark).count();
        assert_eq!(file["file"], filemarks);
        assert_eq!(file["first_block"], tape.len());
        let mut bytes =
            file["name"].as_str().map(|name| std::fs::read(directory.join(name)).unwrap()).unwrap_or_default();
        assert_eq!(file["bytes"], bytes.len());
        for run in file["blocks"].as_array().unwrap() {
            for _ in 0..run[0].as_u64().unwrap() {
                let rest = bytes.split_off(usize::try_from(run[1].as_u64().unwrap()).unwrap());
                tape.push(Object::Block(std::mem::replace(&mut bytes, rest)));
            }
        }
        assert!(bytes.is_empty());
        let filemarks = usize::try_from(file["filemarks"].as_u64().unwrap()).unwrap();
        tape.extend(std::iter::repeat_n(Object::Filemark, filemarks));
    }
    tape
}

/// What a SIMH image says; damaged records are left out.
pub fn read_tap(path: &Path) -> Vec<Object> {
    let mut bytes = Bytes::from(std::fs::read(path).unwrap());
    let mut tape = Vec::new();
    let word = |bytes: &mut Bytes| u32::from_le_bytes(bytes.split_to(4)[..].try_into().unwrap());
    loop {
        match word(&mut bytes) {
            0 => tape.push(Object::Filemark),
            u32::MAX => break,
            length => {
                let size = usize::try_from(length & 0x00ff_ffff).unwrap();
                let block = bytes.split_to(size);
                assert!(bytes.split_to(size % 2).iter().all(|&byte| byte == 0));
                assert_eq!(word(&mut bytes), length);
                if length >> 31 == 0 {
                    tape.push(Object::Block(block.to_vec()));
                }
            }
        }
    }
    assert!(bytes.is_empty());
    tape
}

/// Goes to an object, where the next write overwrites.
pub fn locate(library: &Library, object: u64) {
    let target = LocateTarget::Object(LogicalObjectId(object));
    library.running.perform(MediumOp::Locate { partition: Partition(0), target });
}
