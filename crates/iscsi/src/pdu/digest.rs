//! CRC32C digests of headers and data segments.

/// CRC32C over `parts` one after another, in the order of the wire: a header with its additional segments, or a data
/// segment with its padding. [RFC 7143 13.1]
#[must_use]
pub fn digest(parts: &[&[u8]]) -> [u8; 4] {
    parts.iter().fold(0, |crc, part| crc32c::crc32c_append(crc, part)).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [RFC 7143 A.4, RFC 3720 B.4]
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
