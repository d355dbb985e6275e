//! A segment's header and trailer (`segment-v1.md`).

use super::fields::{Bad, Fields, size};
use super::{Ancestor, Point, Uuid};

/// Where records begin.
pub(crate) const RECORDS: u64 = 1024;
/// Bytes of the trailer.
pub(crate) const SEGMENT_TRAILER: u64 = 128;
const HEADER: usize = 512;

/// The header of a segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SegmentHeader {
    pub(crate) cartridge: Uuid,
    pub(crate) sequence: u64,
    pub(crate) epoch: u64,
    pub(crate) start: Point,
    pub(crate) ancestors: Vec<Ancestor>,
}

impl SegmentHeader {
    /// One copy, of which there are two.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Bad> {
        let fields = Fields::proven(bytes, HEADER, "CAPSTSEG", 1..=1)?;
        if fields.u32(12)? != 0 {
            return Err(Bad::Field("flags", fields.u32(12)?.into()));
        }
        let (sequence, start) = (fields.u64(40)?, Point::decode(&fields, 56)?);
        Ok(Self {
            cartridge: Uuid(fields.array(16)?),
            sequence,
            epoch: fields.u64(48)?,
            start,
            ancestors: Ancestor::decode_list(&fields, 88, sequence, start)?,
        })
    }
}

/// The end of a sealed segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SegmentTrailer {
    pub(crate) cartridge: Uuid,
    pub(crate) sequence: u64,
    pub(crate) epoch: u64,
    pub(crate) end: Point,
    pub(crate) index_offset: u64,
    pub(crate) index_length: u64,
    pub(crate) index_crc: u32,
}

impl SegmentTrailer {
    /// From the last bytes of a segment that has `length` bytes.
    pub(crate) fn decode(bytes: &[u8], length: u64) -> Result<Self, Bad> {
        let fields = Fields::proven(bytes, size(SEGMENT_TRAILER)?, "CAPSTEND", 1..=1)?;
        let trailer = Self {
            cartridge: Uuid(fields.array(16)?),
            sequence: fields.u64(32)?,
            epoch: fields.u64(40)?,
            end: Point::decode(&fields, 48)?,
            index_offset: fields.u64(72)?,
            index_length: fields.u64(80)?,
            index_crc: fields.u32(88)?,
        };
        let end = trailer.index_offset.checked_add(trailer.index_length).and_then(|at| at.checked_add(SEGMENT_TRAILER));
        if trailer.index_offset < RECORDS || end != Some(length) {
            return Err(Bad::Field("offset of the index", trailer.index_offset));
        }
        Ok(trailer)
    }
}
