//! The bytes of an object on their way to a tier.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use capstan_format::wide;

/// The bytes of an object, in parts that need not be copied together.
#[derive(Clone, Default, Debug)]
pub struct Body {
    parts: Vec<Bytes>,
    length: u64,
}

impl Body {
    /// The parts, one after the other.
    #[must_use]
    pub fn new(parts: Vec<Bytes>) -> Self {
        let length = parts.iter().map(|part| wide(part.len())).fold(0, u64::saturating_add);
        Self { parts, length }
    }

    /// Bytes in all.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The parts, in order.
    #[must_use]
    pub fn parts(&self) -> &[Bytes] {
        &self.parts
    }

    /// CRC32C of all bytes.
    #[must_use]
    pub fn crc32c(&self) -> u32 {
        self.parts.iter().fold(0, |crc, part| capstan_format::extend(crc, part))
    }

    /// SHA-256 of all bytes: what some servers want to have signed.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in &self.parts {
            hash.update(part);
        }
        hash.finalize().into()
    }

    /// All bytes in one piece: a copy, unless there is only one part.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        match self.parts.as_slice() {
            [] => Bytes::new(),
            [one] => one.clone(),
            several => several.concat().into(),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::new(vec![bytes])
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_do_not_depend_on_the_parts() {
        let whole = Body::from(Bytes::from_static(b"123456789"));
        let parts = ["", "1", "2345", "6789"].map(|text| Bytes::from_static(text.as_bytes()));
        let parts = Body::new(parts.to_vec());
        // The check value of CRC-32C, and the SHA-256 of the same digits.
        assert_eq!((whole.length(), whole.crc32c()), (9, 0xe306_9283));
        assert_eq!((parts.length(), parts.crc32c()), (9, 0xe306_9283));
        assert_eq!(whole.sha256()[..4], [0x15, 0xe2, 0xb0, 0xd3]);
        assert_eq!(parts.sha256(), whole.sha256());
        assert_eq!(parts.to_bytes(), whole.to_bytes());
        assert_eq!((Body::default().length(), Body::default().to_bytes().len()), (0, 0));
    }
}
