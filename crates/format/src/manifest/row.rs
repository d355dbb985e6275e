//! A segment that is in the tier.

use capstan_media::Partition;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::lineage::AncestorsBytes;
use crate::object::PLAIN_LENGTH_MAX;
use crate::point::PointBytes;
use crate::{Ancestor, FormatError, Point};

/// Bytes of a row.
pub(super) const ROW_LENGTH: usize = 256;

const ENCRYPTED: u32 = 1;
const COMPRESSED: u32 = 1 << 1;

/// A segment that is in the tier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Number of the segment.
    pub sequence: u64,
    /// Epoch of the segment.
    pub epoch: u64,
    /// The partition.
    pub partition: Partition,
    /// Where its first object lies.
    pub start: Point,
    /// The place after its last object.
    pub end: Point,
    /// The segments before it, as in its header.
    pub ancestors: Vec<Ancestor>,
    /// Bytes of the segment.
    pub segment_length: u64,
    /// What its object's key has at the end.
    pub random: u64,
    /// Bytes of the object.
    pub object_length: u64,
    /// BLAKE3 of the object.
    pub object_hash: [u8; 32],
    /// The object is encrypted.
    pub encrypted: bool,
    /// Some frame of it is compressed.
    pub compressed: bool,
}

impl Row {
    /// As stored.
    pub(super) fn encode(&self) -> [u8; ROW_LENGTH] {
        let flag = |set: bool, bit: u32| if set { bit } else { 0 };
        let bytes = RowBytes {
            sequence: self.sequence.into(),
            epoch: self.epoch.into(),
            start: self.start.into(),
            end: self.end.into(),
            ancestors: AncestorsBytes::encode(&self.ancestors),
            segment_length: self.segment_length.into(),
            random: self.random.into(),
            object_length: self.object_length.into(),
            object_hash: self.object_hash,
            flags: (flag(self.encrypted, ENCRYPTED) | flag(self.compressed, COMPRESSED)).into(),
            partition: self.partition.0,
            zero: [0; 3],
        };
        zerocopy::transmute!(bytes)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let raw = RowBytes::read_from_bytes(bytes).map_err(|_| FormatError::Field("row"))?;
        let (start, end, flags) = (Point::from(raw.start), Point::from(raw.end), raw.flags.get());
        if raw.sequence.get() == 0 {
            return Err(FormatError::Field("sequence of a row"));
        }
        if flags & !(ENCRYPTED | COMPRESSED) != 0 {
            return Err(FormatError::Field("flags of a row"));
        }
        let forward = start.object <= end.object && start.filemark <= end.filemark && start.byte <= end.byte;
        if !forward || start.filemark > start.object || end.filemark > end.object {
            return Err(FormatError::Field("end of a row"));
        }
        if raw.segment_length.get() > PLAIN_LENGTH_MAX {
            return Err(FormatError::Field("segment_length of a row"));
        }
        Ok(Self {
            sequence: raw.sequence.get(),
            epoch: raw.epoch.get(),
            partition: Partition(raw.partition),
            start,
            end,
            ancestors: raw.ancestors.decode(raw.sequence.get(), start)?,
            segment_length: raw.segment_length.get(),
            random: raw.random.get(),
            object_length: raw.object_length.get(),
            object_hash: raw.object_hash,
            encrypted: flags & ENCRYPTED != 0,
            compressed: flags & COMPRESSED != 0,
        })
    }
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct RowBytes {
    sequence: U64,
    epoch: U64,
    start: PointBytes,
    end: PointBytes,
    ancestors: AncestorsBytes,
    segment_length: U64,
    random: U64,
    object_length: U64,
    object_hash: [u8; 32],
    flags: U32,
    partition: u8,
    zero: [u8; 3],
}

const _: () = assert!(size_of::<RowBytes>() == ROW_LENGTH);

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn sample() -> Row {
        Row {
            sequence: 9,
            epoch: 4,
            partition: Partition(0),
            start: Point { object: 258, filemark: 3, byte: 5000 },
            end: Point { object: 300, filemark: 4, byte: 70_000 },
            ancestors: vec![
                Ancestor { sequence: 7, start: Point { object: 200, filemark: 2, byte: 4000 } },
                Ancestor { sequence: 2, start: Point::default() },
            ],
            segment_length: 66_000,
            random: 0x0102_0304_0506_0708,
            object_length: 40_000,
            object_hash: [0x77; 32],
            encrypted: true,
            compressed: true,
        }
    }

    /// Byte for byte as `docs/format/manifest-v1.md` says.
    pub(in super::super) fn golden() -> Vec<u8> {
        let mut bytes = vec![9, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend([2, 1, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0x88, 0x13, 0, 0, 0, 0, 0, 0]);
        bytes.extend([0x2c, 1, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0x70, 0x11, 1, 0, 0, 0, 0, 0]);
        bytes.extend([7, 0, 0, 0, 0, 0, 0, 0, 200, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([2, 0, 0, 0, 0, 0, 0, 0, 0xa0, 0x0f, 0, 0, 0, 0, 0, 0]);
        bytes.extend([2, 0, 0, 0, 0, 0, 0, 0]);
        bytes.resize(192, 0);
        bytes.extend([0xd0, 1, 1, 0, 0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1, 0x40, 0x9c, 0, 0, 0, 0, 0, 0]);
        bytes.extend([0x77; 32]);
        bytes.extend([3, 0, 0, 0, 0, 0, 0, 0]);
        bytes
    }

    #[test]
    fn bytes_are_as_documented_both_ways() {
        assert_eq!(sample().encode().as_slice(), golden());
        assert_eq!(Row::decode(&golden()), Ok(sample()));
    }

    #[test]
    fn impossible_values_are_named() {
        let reject = |change: fn(&mut Row), name| {
            let mut row = sample();
            change(&mut row);
            assert_eq!(Row::decode(&row.encode()), Err(FormatError::Field(name)), "{row:?}");
        };
        reject(|r| (r.sequence, r.ancestors) = (0, Vec::new()), "sequence of a row");
        reject(|r| r.end.object = 257, "end of a row");
        reject(|r| r.end.byte = 4999, "end of a row");
        reject(|r| r.end.filemark = 301, "end of a row");
        reject(|r| r.start.filemark = 259, "end of a row");
        reject(|r| r.segment_length = (1 << 40) + 1, "segment_length of a row");
        reject(|r| r.ancestors.truncate(1), "ancestors");
        let mut bytes = golden();
        bytes[248] = 4;
        assert_eq!(Row::decode(&bytes), Err(FormatError::Field("flags of a row")));
    }
}
