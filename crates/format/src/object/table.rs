//! Where the frames of an object lie.

use super::{FrameHead, HEADER_LENGTH, Header};
use crate::{FormatError, wide};

/// Bytes of an entry.
pub(super) const ENTRY_LENGTH: usize = 16;

/// Bytes of a hash.
pub(super) const HASH_LENGTH: usize = 32;

/// Where a frame lies and what is in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameEntry {
    /// Offset of its head in the object.
    pub offset: u64,
    /// Its head.
    pub head: FrameHead,
    /// CRC32C of the plain frame.
    pub crc: u32,
}

/// All frames of an object, and the hash of what is in them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// In order.
    pub frames: Vec<FrameEntry>,
    /// BLAKE3 of the segment.
    pub plain_hash: [u8; 32],
}

impl Table {
    /// As stored, if it is not encrypted.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.frames.len() * ENTRY_LENGTH + HASH_LENGTH);
        for frame in &self.frames {
            bytes.extend(frame.offset.to_le_bytes());
            bytes.extend(frame.head.to_number().to_le_bytes());
            bytes.extend(frame.crc.to_le_bytes());
        }
        bytes.extend(self.plain_hash);
        bytes
    }

    /// Decodes the table of the object with that header, in which the footer begins at `end`.
    ///
    /// # Errors
    /// It has another length than the header says, or describes frames that nobody writes.
    pub fn decode(bytes: &[u8], header: &Header, end: u64) -> Result<Self, FormatError> {
        let needed = header.frames().saturating_mul(wide(ENTRY_LENGTH)).saturating_add(wide(HASH_LENGTH));
        let short = FormatError::Short { needed, found: wide(bytes.len()) };
        if wide(bytes.len()) != needed {
            return Err(short);
        }
        let (entries, plain_hash) = bytes.split_last_chunk::<HASH_LENGTH>().ok_or(short)?;
        let mut offset = wide(HEADER_LENGTH);
        let mut frames = Vec::with_capacity(entries.len() / ENTRY_LENGTH);
        for (number, entry) in entries.chunks_exact(ENTRY_LENGTH).enumerate() {
            let entry = FrameEntry::decode(entry).ok_or(short)?;
            entry.head.check(header, wide(number))?;
            if entry.offset != offset {
                return Err(FormatError::Field("frame offset"));
            }
            offset = offset.saturating_add(entry.head.total());
            frames.push(entry);
        }
        if offset != end {
            return Err(FormatError::Field("end of the last frame"));
        }
        Ok(Self { frames, plain_hash: *plain_hash })
    }
}

impl FrameEntry {
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (offset, rest) = bytes.split_first_chunk::<8>()?;
        let (head, rest) = rest.split_first_chunk::<4>()?;
        let (crc, _) = rest.split_first_chunk::<4>()?;
        Some(Self {
            offset: u64::from_le_bytes(*offset),
            head: FrameHead::from_number(u32::from_le_bytes(*head)),
            crc: u32::from_le_bytes(*crc),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::header::tests::sample;
    use super::*;

    fn header() -> Header {
        Header { plain_length: (1 << 20) + 5, protection: None, ..sample() }
    }

    fn table() -> Table {
        let frame =
            |offset, length, compressed, crc| FrameEntry { offset, head: FrameHead { length, compressed }, crc };
        Table {
            frames: vec![frame(128, 0x201, true, 0x0403_0201), frame(645, 5, false, 0xdead_beef)],
            plain_hash: [0xaa; 32],
        }
    }

    #[test]
    fn bytes_are_as_documented_both_ways() {
        let mut golden = vec![128, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0x80, 1, 2, 3, 4];
        golden.extend([0x85, 2, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0xef, 0xbe, 0xad, 0xde]);
        golden.extend([0xaa; 32]);
        assert_eq!(table().encode(), golden);
        assert_eq!(Table::decode(&golden, &header(), 654), Ok(table()));
        let empty = Table { frames: Vec::new(), plain_hash: [1; 32] };
        assert_eq!(Table::decode(&empty.encode(), &Header { plain_length: 0, ..header() }, 128), Ok(empty));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let bytes = table().encode();
        let decode = |bytes: &[u8], end| Table::decode(bytes, &header(), end).unwrap_err();
        assert_eq!(decode(&bytes[1..], 654), FormatError::Short { needed: 64, found: 63 });
        assert_eq!(decode(&[&bytes[..], &[0]].concat(), 654), FormatError::Short { needed: 64, found: 65 });
        assert_eq!(decode(&bytes, 655), FormatError::Field("end of the last frame"));
        let changed = |at: usize| {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            decode(&bytes, 654)
        };
        assert_eq!(changed(0), FormatError::Field("frame offset"));
        assert_eq!(changed(8), FormatError::Field("frame offset"), "of the next frame");
        assert_eq!(changed(24), FormatError::Field("frame length"));
    }
}
