//! What is written: noise that no compression shortens, made before the clock starts.

use anyhow::{Result, ensure};
use bytes::{BufMut, Bytes, BytesMut};

use crate::options::Amount;

/// The blocks differ up to so many bytes, then they come again: more than a processor caches.
const DISTINCT: u64 = 64 << 20;

pub(crate) struct Blocks {
    /// How many are written or read.
    pub(crate) count: u64,
    /// Bytes in each.
    pub(crate) length: u32,
    distinct: Vec<Bytes>,
}

impl Blocks {
    pub(crate) fn make(amount: &Amount) -> Result<Self> {
        let count = amount.bytes.checked_div(u64::from(amount.block)).unwrap_or(0);
        ensure!(count > 0, "{} bytes are less than one block of {}", amount.bytes, amount.block);
        let distinct = count.min((DISTINCT / u64::from(amount.block)).max(2));
        let length = usize::try_from(amount.block)?;
        let mut noise = Noise(amount.seed);
        let distinct = (0..distinct).map(|_| noise.block(length)).collect();
        Ok(Self { count, length: amount.block, distinct })
    }

    /// The block at a place of the tape.
    pub(crate) fn at(&self, number: u64) -> Bytes {
        let distinct = u64::try_from(self.distinct.len()).unwrap_or(1);
        let index = number.checked_rem(distinct).and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| self.distinct.get(index)).cloned().unwrap_or_default()
    }

    /// Whether this can be what was written there: its length and its first bytes, so that looking costs no time.
    pub(crate) fn is_at(&self, number: u64, read: &[u8]) -> bool {
        let written = self.at(number);
        let known = written.len().min(32);
        read.len() == written.len() && read.get(..known) == written.get(..known)
    }
}

/// A splitmix64 generator.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn block(&mut self, length: usize) -> Bytes {
        let mut block = BytesMut::with_capacity(length.saturating_add(8));
        while block.len() < length {
            block.put_u64_le(self.next());
        }
        block.truncate(length);
        block.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_differ_come_again_and_are_known_by_their_beginning() {
        let blocks = Blocks::make(&Amount { block: 32 << 20, bytes: 100 << 20, seed: 1 }).unwrap();
        assert_eq!((blocks.count, blocks.length, blocks.distinct.len()), (3, 32 << 20, 2));
        assert_ne!(blocks.at(0), blocks.at(1));
        assert_eq!(blocks.at(0), blocks.at(2));
        assert!(blocks.is_at(2, &blocks.at(0)));
        assert!(!blocks.is_at(1, &blocks.at(0)));
        assert!(!blocks.is_at(0, &blocks.at(0)[1..]));
        assert!(Blocks::make(&Amount { block: 10, bytes: 9, seed: 1 }).is_err());
    }
}
