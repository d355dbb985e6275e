//! The header of a record: what follows it, and where in all the world it belongs.

use capstan_media::{CartridgeId, MAX_BLOCK_LENGTH};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::crc::extend;
use crate::proof::covered;
use crate::{FormatError, checksum, wide};

/// Bytes in the header of a record.
pub const RECORD_HEADER_LENGTH: usize = 48;

const MAGIC: [u8; 4] = *b"CREC";

/// What a record holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordKind {
    /// One block: the payload.
    Block {
        /// Bytes in it, at least 1.
        length: u32,
        /// Their CRC32C.
        crc: u32,
    },
    /// Filemarks written by one command; no payload.
    Filemarks {
        /// How many, at least 1.
        count: u32,
    },
    /// No object: a synchronisation of everything before it has succeeded.
    Marker,
}

/// The header of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordHeader {
    /// What the record holds.
    pub kind: RecordKind,
    /// Its first object.
    pub object: u64,
    /// Epoch of the segment.
    pub epoch: u64,
    /// Objects before this one were on stable storage when the record was written. A scan knows from it that damage
    /// further up is damage, and not the tail that a power cut may take.
    pub durable: u64,
}

/// Begins the checksum of every record header of one segment.
///
/// The checksum covers cartridge, sequence number and offset too: a record counts only where it was written. So
/// neither a backup of a segment inside a block nor a misdirected write is taken for a record of this segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordSeed(u32);

impl RecordSeed {
    /// For the records of segment `sequence` of `cartridge`.
    #[must_use]
    pub fn new(cartridge: CartridgeId, sequence: u64) -> Self {
        Self(extend(checksum(&cartridge.0), &sequence.to_le_bytes()))
    }

    fn checksum(self, offset: u64, covered: &[u8]) -> u32 {
        extend(extend(self.0, &offset.to_le_bytes()), covered)
    }
}

impl RecordHeader {
    /// Bytes of payload that follow the header.
    #[must_use]
    pub fn payload_length(&self) -> u32 {
        match self.kind {
            RecordKind::Block { length, .. } => length,
            RecordKind::Filemarks { .. } | RecordKind::Marker => 0,
        }
    }

    /// Objects in the record.
    #[must_use]
    pub fn objects(&self) -> u64 {
        match self.kind {
            RecordKind::Block { .. } => 1,
            RecordKind::Filemarks { count } => u64::from(count),
            RecordKind::Marker => 0,
        }
    }

    /// The header for a record at `offset` of its segment.
    #[must_use]
    pub fn encode(&self, seed: RecordSeed, offset: u64) -> [u8; RECORD_HEADER_LENGTH] {
        let (kind, length, count, payload_crc) = match self.kind {
            RecordKind::Block { length, crc } => (1, length, 1, crc),
            RecordKind::Filemarks { count } => (2, 0, count, 0),
            RecordKind::Marker => (3, 0, 0, 0),
        };
        let mut bytes = RecordBytes {
            magic: MAGIC,
            kind,
            zero: [0; 3],
            length: length.into(),
            count: count.into(),
            object: self.object.into(),
            epoch: self.epoch.into(),
            durable: self.durable.into(),
            payload_crc: payload_crc.into(),
            header_crc: U32::ZERO,
        };
        bytes.header_crc = bytes.checksum(seed, offset).into();
        zerocopy::transmute!(bytes)
    }

    /// Decodes the header of the record at `offset` of its segment from the bytes there.
    ///
    /// # Errors
    /// No record of this segment begins here.
    pub fn decode(bytes: &[u8], seed: RecordSeed, offset: u64) -> Result<Self, FormatError> {
        let short = FormatError::Short { needed: wide(RECORD_HEADER_LENGTH), found: wide(bytes.len()) };
        let (raw, _) = RecordBytes::read_from_prefix(bytes).map_err(|_| short)?;
        if raw.magic != MAGIC {
            return Err(FormatError::Magic("record"));
        }
        let (stored, computed) = (raw.header_crc.get(), raw.checksum(seed, offset));
        if stored != computed {
            return Err(FormatError::Checksum { stored, computed });
        }
        let header =
            Self { kind: raw.kind()?, object: raw.object.get(), epoch: raw.epoch.get(), durable: raw.durable.get() };
        if header.durable > header.object {
            return Err(FormatError::Field("durable"));
        }
        Ok(header)
    }
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct RecordBytes {
    magic: [u8; 4],
    kind: u8,
    zero: [u8; 3],
    length: U32,
    count: U32,
    object: U64,
    epoch: U64,
    durable: U64,
    payload_crc: U32,
    header_crc: U32,
}

const _: () = assert!(size_of::<RecordBytes>() == RECORD_HEADER_LENGTH);

impl RecordBytes {
    fn checksum(&self, seed: RecordSeed, offset: u64) -> u32 {
        seed.checksum(offset, covered(self))
    }

    fn kind(&self) -> Result<RecordKind, FormatError> {
        let (length, count, crc) = (self.length.get(), self.count.get(), self.payload_crc.get());
        match self.kind {
            1 if length == 0 || length > MAX_BLOCK_LENGTH => Err(FormatError::Field("length")),
            1 if count != 1 => Err(FormatError::Field("count")),
            1 => Ok(RecordKind::Block { length, crc }),
            2 | 3 if length != 0 => Err(FormatError::Field("length")),
            2 if count == 0 => Err(FormatError::Field("count")),
            2 => Ok(RecordKind::Filemarks { count }),
            3 => Ok(RecordKind::Marker),
            _ => Err(FormatError::Field("kind")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARTRIDGE: CartridgeId = CartridgeId(*b"0123456789abcdef");

    fn block() -> RecordHeader {
        let kind = RecordKind::Block { length: 0x0001_0203, crc: 0xdead_beef };
        RecordHeader { kind, object: 0x0807_0605_0403_0201, epoch: 5, durable: 7 }
    }

    #[test]
    fn bytes_are_as_documented_both_ways() {
        let seed = RecordSeed::new(CARTRIDGE, 3);
        let mut golden = b"CREC".to_vec();
        golden.extend([1, 0, 0, 0, 3, 2, 1, 0, 1, 0, 0, 0]);
        golden.extend([1, 2, 3, 4, 5, 6, 7, 8]);
        golden.extend([5, 0, 0, 0, 0, 0, 0, 0]);
        golden.extend([7, 0, 0, 0, 0, 0, 0, 0]);
        golden.extend([0xef, 0xbe, 0xad, 0xde]);
        let mut covered = b"0123456789abcdef".to_vec();
        covered.extend([3, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0]);
        covered.extend(&golden);
        golden.extend(crc32c::crc32c(&covered).to_le_bytes());
        assert_eq!(block().encode(seed, 1024).as_slice(), golden);
        assert_eq!(RecordHeader::decode(&golden, seed, 1024), Ok(block()));
    }

    #[test]
    fn filemarks_and_markers_come_back() {
        let seed = RecordSeed::new(CARTRIDGE, 3);
        for kind in [RecordKind::Filemarks { count: 70_000 }, RecordKind::Marker] {
            let header = RecordHeader { kind, ..block() };
            assert_eq!(RecordHeader::decode(&header.encode(seed, 0), seed, 0), Ok(header));
        }
    }

    #[test]
    fn a_record_counts_only_where_it_was_written() {
        let seed = RecordSeed::new(CARTRIDGE, 3);
        let bytes = block().encode(seed, 1024);
        let elsewhere = |seed, offset| RecordHeader::decode(&bytes, seed, offset).unwrap_err();
        assert!(matches!(elsewhere(seed, 1025), FormatError::Checksum { .. }));
        assert!(matches!(elsewhere(RecordSeed::new(CARTRIDGE, 4), 1024), FormatError::Checksum { .. }));
        assert!(matches!(elsewhere(RecordSeed::new(CartridgeId([0; 16]), 3), 1024), FormatError::Checksum { .. }));
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let seed = RecordSeed::new(CARTRIDGE, 3);
        let bytes = block().encode(seed, 1024);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(RecordHeader::decode(&damaged, seed, 1024).is_err(), "bit {bit}");
        }
        assert_eq!(RecordHeader::decode(&bytes[..47], seed, 1024), Err(FormatError::Short { needed: 48, found: 47 }));
    }

    #[test]
    fn impossible_values_are_named() {
        let seed = RecordSeed::new(CARTRIDGE, 3);
        let reject = |kind, durable, name| {
            let bytes = RecordHeader { kind, object: 9, epoch: 1, durable }.encode(seed, 0);
            assert_eq!(RecordHeader::decode(&bytes, seed, 0), Err(FormatError::Field(name)));
        };
        reject(RecordKind::Block { length: 0, crc: 0 }, 0, "length");
        reject(RecordKind::Block { length: MAX_BLOCK_LENGTH + 1, crc: 0 }, 0, "length");
        reject(RecordKind::Filemarks { count: 0 }, 0, "count");
        reject(RecordKind::Marker, 10, "durable");
    }
}
