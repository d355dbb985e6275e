//! CRC32C digests of headers and data segments.

use crc_fast::{CrcAlgorithm, Digest};

/// CRC32C over `parts` one after another, in the order of the wire: a header with its additional segments, or a data
/// segment with its padding. [RFC 7143 13.1]
#[must_use]
pub fn digest(parts: &[&[u8]]) -> [u8; 4] {
    parts.iter().fold(0, |crc, part| extend(crc, part)).to_le_bytes()
}

/// CRC32C of what `crc` is the checksum of, followed by `bytes`; 0 is that of nothing.
#[must_use]
pub(crate) fn extend(crc: u32, bytes: &[u8]) -> u32 {
    // What is kept of a checksum on its way is its complement.
    let mut digest = Digest::new_with_init_state(CrcAlgorithm::Crc32Iscsi, u64::from(!crc));
    digest.update(bytes);
    u32::try_from(digest.finalize()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [RFC 7143 A.4, RFC 3720 B.4]
    #[test]
    fn as_another_implementation() {
        let bytes: Vec<u8> = (0..2000_u32).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect();
        for length in (0..200).chain([511, 512, 2000]) {
            let (front, back) = bytes[..length].split_at(length / 3);
            assert_eq!(digest(&[front, back]), crc32c::crc32c(&bytes[..length]).to_le_bytes(), "{length}");
        }
    }

    #[test]
    fn vectors_of_the_rfc() {
        let up: Vec<u8> = (0..32).collect();
        let down: Vec<u8> = (0..32).rev().collect();
        assert_eq!(digest(&[&[0; 32]]), [0xaa, 0x36, 0x91, 0x8a]);
        assert_eq!(digest(&[&[0xff; 16], &[0xff; 16]]), [0x43, 0xab, 0xa8, 0x62]);
        assert_eq!(digest(&[&up]), [0x4e, 0x79, 0xdd, 0x46]);
        assert_eq!(digest(&[&down]), [0x5c, 0xdb, 0x3f, 0x11]);
    }
}
