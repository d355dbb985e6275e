//! A record's header (`segment-v1.md`).

use super::Uuid;
use super::fields::{Bad, Fields, size};

/// Bytes of a record's header.
pub(crate) const RECORD: u64 = 48;
/// The longest block.
pub(crate) const MAX_BLOCK: u64 = 8 << 20;

/// What a record holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RecordKind {
    Block,
    Filemarks,
    Marker,
}

/// A record's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Record {
    pub(crate) kind: RecordKind,
    /// Bytes of the block that follows, or 0.
    pub(crate) length: u32,
    /// Objects in it.
    pub(crate) count: u32,
    /// The first of them.
    pub(crate) object: u64,
    pub(crate) epoch: u64,
    pub(crate) payload_crc: u32,
}

impl Record {
    /// Whether the bytes begin as a record does.
    pub(crate) fn is_at(bytes: &[u8]) -> bool {
        bytes.starts_with(b"CREC")
    }

    /// A record counts only at its own place: `offset` in segment `sequence` of that cartridge.
    pub(crate) fn decode(bytes: &[u8], cartridge: Uuid, sequence: u64, offset: u64) -> Result<Self, Bad> {
        let bytes = bytes.get(..size(RECORD)?).ok_or(Bad::Short(bytes.len()))?;
        let fields = Fields::new(bytes);
        if !Self::is_at(bytes) {
            return Err(Bad::Magic("CREC"));
        }
        let place = crc32c::crc32c(&cartridge.0);
        let place = crc32c::crc32c_append(place, &sequence.to_le_bytes());
        let place = crc32c::crc32c_append(place, &offset.to_le_bytes());
        if crc32c::crc32c_append(place, fields.slice(0, 44)?) != fields.u32(44)? {
            return Err(Bad::Checksum("checksum of the record's header"));
        }
        let (length, count) = (fields.u32(8)?, fields.u32(12)?);
        let kind = match fields.u8(4)? {
            1 => RecordKind::Block,
            2 => RecordKind::Filemarks,
            3 => RecordKind::Marker,
            other => return Err(Bad::Field("kind", other.into())),
        };
        let fits = match kind {
            RecordKind::Block => count == 1 && length > 0 && u64::from(length) <= MAX_BLOCK,
            RecordKind::Filemarks => count > 0 && length == 0,
            RecordKind::Marker => count == 0 && length == 0,
        };
        if !fits {
            return Err(Bad::Field("length", length.into()));
        }
        let (object, epoch) = (fields.u64(16)?, fields.u64(24)?);
        Ok(Self { kind, length, count, object, epoch, payload_crc: fields.u32(40)? })
    }
}
