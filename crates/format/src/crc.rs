//! The one checksum of these formats: CRC32C (Castagnoli).

/// CRC32C of `bytes`.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
}

/// CRC32C of what `seed` is the checksum of, followed by `bytes`.
#[must_use]
pub fn extend(seed: u32, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(seed, bytes)
}
