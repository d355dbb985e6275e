//! `cartridge.meta` (`cartridge-meta-v1.md`).

use super::fields::{Bad, Fields, size};
use super::{Ancestor, Point, Uuid};

const RECORD: usize = 512;
const ENTRIES: usize = 2 * RECORD;
const ENTRY: usize = 256;
const MAX_ENTRIES: u32 = 124;

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
    /// What the tape was before, oldest first.
    pub(crate) versions: Vec<TapeVersion>,
    /// Cartridges whose segments a clone begins with, by ascending numbers of segments.
    pub(crate) origins: Vec<Origin>,
    /// How many entries follow.
    entries: u32,
}

/// What a tape was before something else took its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TapeVersion {
    pub(crate) number: u32,
    pub(crate) cause: Cause,
    /// It is not forgotten by age.
    pub(crate) is_held: bool,
    /// When it ceased to be the tape, in milliseconds since 1970.
    pub(crate) until: u64,
    pub(crate) end: Point,
    pub(crate) ancestors: Vec<Ancestor>,
}

/// What took a version's place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    /// The tape was overwritten or erased.
    Overwritten,
    /// An older version was gone back to.
    RolledBack,
    /// Nothing did: it is held since a clone was made of it.
    Cloned,
}

/// A cartridge whose segments a clone shares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Origin {
    pub(crate) cartridge: Uuid,
    pub(crate) barcode: String,
    /// Segments with lower numbers are that cartridge's.
    pub(crate) below: u64,
}

impl Meta {
    /// The least and the most bytes.
    pub(crate) const LENGTHS: std::ops::RangeInclusive<usize> = ENTRIES..=65_536;

    /// From all bytes: of each record and entry, the first copy that proves itself.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Bad> {
        let fields = Fields::new(bytes);
        let first = fields.slice(0, RECORD)?;
        let mut meta = first_good(Self::decode_record(first), || Self::decode_record(fields.slice(RECORD, RECORD)?))?;
        let entries = size(meta.entries)?;
        if bytes.len() != ENTRIES + 2 * ENTRY * entries {
            return Err(Bad::Field("number of entries", meta.entries.into()));
        }
        for entry in 0..entries {
            let copy = |copy: usize| Entry::decode(fields.slice(ENTRIES + ENTRY * (copy * entries + entry), ENTRY)?);
            match first_good(copy(0), || copy(1))? {
                Entry::Version(version) => meta.versions.push(version),
                Entry::Origin(origin) => meta.origins.push(origin),
            }
        }
        let numbers_ascend = meta.versions.is_sorted_by(|one, next| one.number < next.number);
        if !numbers_ascend || !meta.origins.is_sorted_by(|one, next| one.below < next.below) {
            return Err(Bad::Field("order of entries", 0));
        }
        Ok(meta)
    }

    fn decode_record(bytes: &[u8]) -> Result<Self, Bad> {
        let fields = Fields::proven(bytes, RECORD, "CAPSTCRT", 1..=2)?;
        let flags = fields.u32(12)?;
        if flags & !3 != 0 {
            return Err(Bad::Field("flags", flags.into()));
        }
        let entries = if fields.u16(8)? == 1 { 0 } else { fields.u32(240)? };
        if entries > MAX_ENTRIES {
            return Err(Bad::Field("number of entries", entries.into()));
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
            versions: Vec::new(),
            origins: Vec::new(),
            entries,
        })
    }
}

/// An entry behind the record.
enum Entry {
    Version(TapeVersion),
    Origin(Origin),
}

impl Entry {
    fn decode(bytes: &[u8]) -> Result<Self, Bad> {
        let fields = Fields::new(bytes);
        fields.check_crc(ENTRY - 4, "checksum of an entry")?;
        match fields.u16(0)? {
            1 => TapeVersion::decode(&fields).map(Self::Version),
            2 => Origin::decode(&fields).map(Self::Origin),
            other => Err(Bad::Field("kind of an entry", other.into())),
        }
    }
}

impl TapeVersion {
    fn decode(fields: &Fields<'_>) -> Result<Self, Bad> {
        let flags = fields.u8(3)?;
        if flags & !1 != 0 {
            return Err(Bad::Field("flags of a version", flags.into()));
        }
        let cause = match fields.u8(2)? {
            1 => Cause::Overwritten,
            2 => Cause::RolledBack,
            3 => Cause::Cloned,
            other => return Err(Bad::Field("cause of a version", other.into())),
        };
        let (end, below) = (Point::decode(fields, 16)?, fields.u64(168)?);
        Ok(Self {
            number: fields.u32(4)?,
            cause,
            is_held: flags & 1 != 0,
            until: fields.u64(8)?,
            end,
            ancestors: Ancestor::decode_list(fields, 40, below, end)?,
        })
    }
}

impl Origin {
    fn decode(fields: &Fields<'_>) -> Result<Self, Bad> {
        let barcode = fields.text(24, 32, "barcode of an origin")?;
        // It becomes part of a key.
        if barcode.starts_with('.') || barcode.contains(['/', '\\']) {
            return Err(Bad::Field("barcode of an origin", 0));
        }
        Ok(Self { cartridge: Uuid(fields.array(8)?), barcode, below: fields.u64(56)? })
    }
}

/// The first copy, or the second where the first does not prove itself. A version that only one copy has is damage.
fn first_good<T>(first: Result<T, Bad>, second: impl FnOnce() -> Result<T, Bad>) -> Result<T, Bad> {
    first.or_else(|bad| second().map_err(|_| bad))
}
