//! A delta of a manifest (`manifest-v1.md`).

use super::fields::{Bad, Fields, size};
use super::{Ancestor, Meta, Point, Uuid};

const HEADER: usize = 128;
const ROW: usize = 256;
const RELEASE: usize = 32;
const POINT: usize = 16;
const RECEIVER: usize = 16;
const END: usize = 36;

const HANDED_OVER: u32 = 1;
const HANDED_TO_ONE: u32 = 3;

/// One step of the log, or all of it so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Delta {
    /// It says all that is known, and not only what is new.
    pub(crate) is_checkpoint: bool,
    /// From 0.
    pub(crate) number: u64,
    /// Of which cartridge.
    pub(crate) cartridge: Uuid,
    /// The gateway that wrote it.
    pub(crate) writer: Uuid,
    /// Grows with each start of the writer.
    pub(crate) writer_epoch: u64,
    /// Milliseconds since 1970.
    pub(crate) written: u64,
    /// What the cartridge is now, if that has changed.
    pub(crate) meta: Option<Meta>,
    /// Segments that came.
    pub(crate) rows: Vec<Row>,
    /// Segments that went.
    pub(crate) releases: Vec<Release>,
    /// How many recovery points it tells.
    pub(crate) points: u32,
}

/// A segment in the tier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Row {
    pub(crate) sequence: u64,
    pub(crate) epoch: u64,
    /// Before its first object.
    pub(crate) start: Point,
    /// After its last object.
    pub(crate) end: Point,
    pub(crate) ancestors: Vec<Ancestor>,
    /// Bytes of the segment.
    pub(crate) segment_length: u64,
    /// Of the object's key.
    pub(crate) random: u64,
    /// Bytes of the object.
    pub(crate) object_length: u64,
    /// BLAKE3 of the object.
    pub(crate) object_hash: [u8; 32],
    pub(crate) is_encrypted: bool,
    pub(crate) is_compressed: bool,
}

/// A segment that the tape is not made of any longer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Release {
    pub(crate) sequence: u64,
    pub(crate) epoch: u64,
    pub(crate) random: u64,
}

impl Delta {
    /// From all bytes of an object, which must be that and nothing more.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Bad> {
        let fields = Fields::proven(bytes, HEADER, "CAPSTMAN", 1..=2)?;
        let version = fields.u16(8)?;
        let kind = fields.u16(10)?;
        if !matches!(kind, 1 | 2) {
            return Err(Bad::Field("kind", kind.into()));
        }
        let flags = fields.u32(12)?;
        // The receiver is named only where the tape is handed over.
        let is_known = if version == 1 { flags == 0 } else { matches!(flags, HANDED_OVER | HANDED_TO_ONE) };
        if !is_known {
            return Err(Bad::Field("flags", flags.into()));
        }
        let receiver = if flags == HANDED_TO_ONE { RECEIVER } else { 0 };
        let meta = size(fields.u32(96)?)?;
        let (rows, releases, points) = (size(fields.u32(100)?)?, size(fields.u32(104)?)?, fields.u32(108)?);
        if meta != 0 && !Meta::LENGTHS.contains(&meta) {
            return Err(Bad::Field("length of metadata", fields.u32(96)?.into()));
        }
        let after_meta = HEADER + meta;
        let after_rows = rows.checked_mul(ROW).and_then(|rows| rows.checked_add(after_meta));
        let after_releases = after_rows.and_then(|at| releases.checked_mul(RELEASE)?.checked_add(at));
        let after_points = after_releases.and_then(|at| size(points).ok()?.checked_mul(POINT)?.checked_add(at));
        let length = after_points.and_then(|at| at.checked_add(receiver + END)).ok_or(Bad::Short(bytes.len()))?;
        let told = fields.u64(16)?;
        if size(told)? != length {
            return Err(Bad::Field("length", told));
        }
        if bytes.len() != length {
            return Err(Bad::Short(bytes.len()));
        }
        let all = Fields::new(bytes);
        all.check_crc(length - 4, "checksum of all of it")?;
        let hash: [u8; 32] = all.array(length - END)?;
        if blake3::hash(all.slice(0, length - END)?).as_bytes() != &hash {
            return Err(Bad::Checksum("hash"));
        }
        let row = |place: usize| Row::decode(&Fields::new(all.slice(after_meta + place * ROW, ROW)?));
        let first_release = after_meta + rows * ROW;
        let release =
            |place: usize| Release::decode(&Fields::new(all.slice(first_release + place * RELEASE, RELEASE)?));
        Ok(Self {
            is_checkpoint: kind == 2,
            number: fields.u64(24)?,
            cartridge: Uuid(fields.array(32)?),
            writer: Uuid(fields.array(48)?),
            writer_epoch: fields.u64(64)?,
            written: fields.u64(88)?,
            meta: if meta == 0 { None } else { Some(Meta::decode(all.slice(HEADER, meta)?)?) },
            rows: (0..rows).map(row).collect::<Result<_, _>>()?,
            releases: (0..releases).map(release).collect::<Result<_, _>>()?,
            points,
        })
    }
}

impl Row {
    fn decode(fields: &Fields<'_>) -> Result<Self, Bad> {
        let (sequence, start, end) = (fields.u64(0)?, Point::decode(fields, 16)?, Point::decode(fields, 40)?);
        if sequence == 0 {
            return Err(Bad::Field("sequence", 0));
        }
        let grows = start.objects <= end.objects && start.filemarks <= end.filemarks && start.bytes <= end.bytes;
        if !grows {
            return Err(Bad::Field("end", end.objects));
        }
        let flags = fields.u32(248)?;
        if flags & !3 != 0 {
            return Err(Bad::Field("flags of a row", flags.into()));
        }
        if fields.u8(252)? != 0 {
            return Err(Bad::Field("partition", fields.u8(252)?.into()));
        }
        Ok(Self {
            sequence,
            epoch: fields.u64(8)?,
            start,
            end,
            ancestors: Ancestor::decode_list(fields, 64, sequence, start)?,
            segment_length: fields.u64(192)?,
            random: fields.u64(200)?,
            object_length: fields.u64(208)?,
            object_hash: fields.array(216)?,
            is_encrypted: flags & 1 != 0,
            is_compressed: flags & 2 != 0,
        })
    }

    /// Whether that release is of this row.
    pub(crate) fn is_released_by(&self, release: &Release) -> bool {
        (self.sequence, self.epoch, self.random) == (release.sequence, release.epoch, release.random)
    }
}

impl Release {
    fn decode(fields: &Fields<'_>) -> Result<Self, Bad> {
        Ok(Self { sequence: fields.u64(0)?, epoch: fields.u64(8)?, random: fields.u64(16)? })
    }
}
