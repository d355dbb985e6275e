//! A SIMH magnetic tape image ["SIMH Magtape Representation and Handling", Bob Supnik, 2017].
//!
//! Little-endian words of 4 bytes. A record is its length, its bytes padded to an even number, and its length again;
//! a filemark is a word of zeros; the end of the medium is a word of ones. Bit 31 of a length says that the record had an
//! error. A length may not be zero and has 24 bits, which is more than a block of 8 MiB needs.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::{Taker, Walked, close, create, zeros};
use crate::error::Damage;

const FILEMARK: u32 = 0;
const END_OF_MEDIUM: u32 = u32::MAX;
const ERROR: u32 = 1 << 31;

/// An image that is being written.
pub(super) struct Tap(BufWriter<File>);

impl Tap {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self(create(path)?))
    }

    fn word(&mut self, word: u32) -> io::Result<()> {
        self.0.write_all(&word.to_le_bytes())
    }

    /// A record with an error, of which only the length is known.
    fn bad(&mut self, length: u32) -> io::Result<()> {
        self.word(length | ERROR)?;
        zeros(&mut self.0, u64::from(length) + u64::from(length % 2))?;
        self.word(length | ERROR)
    }
}

impl Taker for Tap {
    fn block(&mut self, _: &Walked, block: &[u8]) -> io::Result<()> {
        let length = u32::try_from(block.len()).map_err(io::Error::other)?;
        self.word(length)?;
        self.0.write_all(block)?;
        zeros(&mut self.0, u64::from(length % 2))?;
        self.word(length)
    }

    fn damaged_block(&mut self, _: &Walked, length: u64, _: &Damage) -> io::Result<()> {
        self.bad(u32::try_from(length).map_err(io::Error::other)?)
    }

    fn filemarks(&mut self, _: &Walked, count: u64) -> io::Result<()> {
        (0..count).try_for_each(|_| self.word(FILEMARK))
    }

    /// Each lost block is a bad record of one byte, so that what follows keeps its number.
    fn lost(&mut self, walked: &Walked, count: u64, filemarks: u64, _: &Damage) -> io::Result<()> {
        (filemarks..count).try_for_each(|_| self.bad(1))?;
        self.filemarks(walked, filemarks)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.word(END_OF_MEDIUM)?;
        close(self.0)
    }
}
