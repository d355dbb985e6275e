//! Shared by the tests: numbers that come again, and a disk to try on.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::indexing_slicing)]

pub mod sample;
pub mod tier;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use capstan_cartridge::{Cartridge, NewCartridge, Options};
use capstan_disk::RealDisk;
use capstan_media::{Barcode, CartridgeId, MediumDone, MediumOp, ReadRequest};
use capstan_store::Store;

/// How much of the long form of a test to run: 1 unless `CAPSTAN_SOAK` says more.
pub fn soak() -> u64 {
    std::env::var("CAPSTAN_SOAK").map_or(1, |times| times.parse().unwrap())
}

/// xorshift64*: the same numbers for the same seed, everywhere and for ever.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// At least 0, below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn fill(&mut self, length: usize) -> Bytes {
        let words = length.div_ceil(8);
        let mut bytes: Vec<u8> = (0..words).flat_map(|_| self.next().to_le_bytes()).collect();
        bytes.truncate(length);
        bytes.into()
    }
}

pub const ID: CartridgeId = CartridgeId([0x5a; 16]);

pub fn store(root: &Path) -> Store {
    Store::open(root, Arc::new(RealDisk)).unwrap()
}

pub fn new_cartridge(capacity: u64) -> NewCartridge {
    NewCartridge { id: ID, barcode: Barcode::new("CAP001L8").unwrap(), capacity }
}

pub fn small_segments(segment_size: u64) -> Options {
    Options { segment_size, ..Options::default() }
}

pub fn write(data: impl Into<Bytes>) -> MediumOp {
    let data = data.into();
    let block_length = u32::try_from(data.len()).unwrap();
    MediumOp::Write { data, block_length }
}

pub fn filemarks(count: u32, synchronise: bool) -> MediumOp {
    MediumOp::WriteFilemarks { count, synchronise }
}

pub fn read(block_length: u32, count: u32) -> MediumOp {
    MediumOp::Read(ReadRequest { block_length, count })
}

pub fn done(cartridge: &mut Cartridge, op: MediumOp) -> MediumDone {
    cartridge.perform(op).unwrap()
}

/// Overwrites bytes of a file from `offset` on.
pub fn overwrite(path: &Path, offset: u64, bytes: &[u8]) {
    use std::os::unix::fs::FileExt;
    std::fs::OpenOptions::new().write(true).open(path).unwrap().write_all_at(bytes, offset).unwrap();
}

/// All files with that ending below a directory, sorted by name.
pub fn files(root: &Path, ending: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}
