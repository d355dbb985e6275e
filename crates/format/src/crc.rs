//! The one checksum of these formats: CRC32C (Castagnoli).

use crc_fast::{CrcAlgorithm, Digest, crc32_iscsi};

/// CRC32C of `bytes`.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u32 {
    crc32_iscsi(bytes)
}

/// CRC32C of what `seed` is the checksum of, followed by `bytes`.
#[must_use]
pub fn extend(seed: u32, bytes: &[u8]) -> u32 {
    // What is kept of a checksum on its way is its complement.
    let mut digest = Digest::new_with_init_state(CrcAlgorithm::Crc32Iscsi, u64::from(!seed));
    digest.update(bytes);
    u32::try_from(digest.finalize()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another implementation says the same, wherever the bytes are divided.
    #[test]
    fn as_another_implementation() {
        let bytes: Vec<u8> = (0..5000_u32).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect();
        for length in (0..300).chain([511, 512, 513, 1024, 4096, 5000]) {
            let bytes = &bytes[..length];
            assert_eq!(checksum(bytes), crc32c::crc32c(bytes), "{length}");
            for at in [0, 1, length / 3, length / 2, length.saturating_sub(1), length] {
                let (front, back) = bytes.split_at(at.min(length));
                assert_eq!(extend(checksum(front), back), crc32c::crc32c(bytes), "{length} at {at}");
            }
        }
    }
}
