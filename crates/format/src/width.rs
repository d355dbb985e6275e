//! Lengths in memory are `usize`, lengths on disk are `u64`.

/// A length in memory as a length on disk. Lossless on every machine that this runs on.
#[must_use]
pub fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
