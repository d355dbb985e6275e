//! `cartridge.meta` (`cartridge-meta-v1.md`).

use super::fields::{Bad, Fields};
use super::{Ancestor, Point, Uuid};

/// What a cartridge is and where its data ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Meta {
    /// Which cartridge.
    pub(crate) cartridge: Uuid,
    /// Its label.
    pub(crate) barcode: String,
    /// Hosts may not write on it.
    pub(crate) is_protected: bool,
    /// It was being written when this was shipped.
    pub(crate) is_open: bool,
    /// Host bytes that it takes.
    pub(crate) capacity: u64,
    /// End of data.
    pub(crate) end: Point,
    /// The segments before it, nearest first.
    pub(crate) ancestors: Vec<Ancestor>,
}

impl Meta {
    const RECORD: usize = 512;
    /// Two records.
    pub(crate) const LENGTH: usize = 2 * Self::RECORD;

    /// From the first copy that proves itself.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Bad> {
        let fields = Fields::new(bytes);
        let (first, second) = (fields.slice(0, Self::RECORD)?, fields.slice(Self::RECORD, Self::RECORD)?);
        Self::decode_record(first).or_else(|bad| match bad {
            Bad::Newer(..) => Err(bad),
            _ => Self::decode_record(second).map_err(|_| bad),
        })
    }

    fn decode_record(bytes: &[u8]) -> Result<Self, Bad> {
        let fields = Fields::proven(bytes, Self::RECORD, "CAPSTCRT", 1..=1)?;
        let flags = fields.u32(12)?;
        if flags & !3 != 0 {
            return Err(Bad::Field("flags", flags.into()));
        }
        let (next_sequence, end) = (fields.u64(80)?, Point::decode(&fields, 88)?);
        Ok(Self {
            cartridge: Uuid(fields.array(16)?),
            barcode: fields.text(32, 32, "barcode")?,
            is_protected: flags & 1 != 0,
            is_open: flags & 2 != 0,
            capacity: fields.u64(64)?,
            end,
            ancestors: Ancestor::decode_list(&fields, 112, next_sequence, end)?,
        })
    }
}
