//! Objects of segments: header, heads of frames, table and trailer (`object-v1.md`).

use super::Uuid;
use super::fields::{Bad, Fields, size};

/// Bytes of the header.
pub(crate) const HEADER: u64 = 128;
/// Bytes of the trailer.
pub(crate) const TRAILER: u64 = 128;
/// Bytes before each frame.
pub(crate) const FRAME_HEAD: u64 = 4;
/// Bytes of a tag of AES-GCM.
pub(crate) const TAG: u64 = 16;
const ENTRY: usize = 16;
const HASH: usize = 32;

/// The header of an object, with the bytes that are authenticated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ObjectHeader {
    pub(crate) bytes: [u8; 128],
    pub(crate) is_encrypted: bool,
    pub(crate) cartridge: Uuid,
    pub(crate) sequence: u64,
    pub(crate) epoch: u64,
    /// Bytes of the segment.
    pub(crate) plain_length: u64,
    /// Plain bytes of each frame but the last.
    pub(crate) frame_size: u32,
    pub(crate) salt: [u8; 32],
    pub(crate) key_id: [u8; 8],
}

impl ObjectHeader {
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Bad> {
        let fields = Fields::proven(bytes, size(HEADER)?, "CAPSTOBJ", 1..=1)?;
        let (flags, frame_size) = (fields.u32(12)?, fields.u32(56)?);
        if flags & !1 != 0 {
            return Err(Bad::Field("flags", flags.into()));
        }
        if !frame_size.is_power_of_two() || !(4096..=1 << 20).contains(&frame_size) {
            return Err(Bad::Field("frame size", frame_size.into()));
        }
        let header = Self {
            bytes: fields.array(0)?,
            is_encrypted: flags & 1 != 0,
            cartridge: Uuid(fields.array(16)?),
            sequence: fields.u64(32)?,
            epoch: fields.u64(40)?,
            plain_length: fields.u64(48)?,
            frame_size,
            salt: fields.array(64)?,
            key_id: fields.array(96)?,
        };
        if header.plain_length > 1 << 40 || header.frames() > 1 << 20 {
            return Err(Bad::Field("plain length", header.plain_length));
        }
        Ok(header)
    }

    /// How many frames there are.
    pub(crate) fn frames(&self) -> u64 {
        self.plain_length.div_ceil(self.frame_size.into())
    }

    /// The plain bytes of a frame.
    pub(crate) fn frame_length(&self, frame: u64) -> u64 {
        let size = u64::from(self.frame_size);
        size.min(self.plain_length.saturating_sub(frame.saturating_mul(size)))
    }
}

/// What precedes a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FrameHead(pub(crate) u32);

impl FrameHead {
    /// Bytes that follow.
    pub(crate) fn stored(self) -> u64 {
        u64::from(self.0 & 0x7fff_ffff)
    }

    pub(crate) fn is_compressed(self) -> bool {
        self.0 >> 31 == 1
    }

    /// Whether so many bytes can be a frame that has that many plain ones.
    pub(crate) fn fits(self, plain: u64, is_encrypted: bool) -> bool {
        let Some(body) = self.stored().checked_sub(if is_encrypted { TAG } else { 0 }) else { return false };
        if self.is_compressed() { body < plain && body > 0 } else { body == plain }
    }
}

/// Where a frame is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TableEntry {
    /// Of its head, in the object.
    pub(crate) offset: u64,
    pub(crate) head: FrameHead,
    /// Of the plain frame; none if it had to be found without the table.
    pub(crate) crc: Option<u32>,
}

/// The table and the hash after it, decrypted. Entries follow each other from the header to `end`.
pub(crate) fn parse_table(bytes: &[u8], header: &ObjectHeader, end: u64) -> Result<(Vec<TableEntry>, [u8; 32]), Bad> {
    let frames = size(header.frames())?;
    if frames.checked_mul(ENTRY).and_then(|table| table.checked_add(HASH)) != Some(bytes.len()) {
        return Err(Bad::Short(bytes.len()));
    }
    let fields = Fields::new(bytes);
    let mut table = Vec::with_capacity(frames);
    let mut next = HEADER;
    for (frame, place) in (0..header.frames()).zip(0..frames) {
        let at = place * ENTRY;
        let (offset, head) = (fields.u64(at)?, FrameHead(fields.u32(at + 8)?));
        if offset != next {
            return Err(Bad::Field("offset of a frame", offset));
        }
        if !head.fits(header.frame_length(frame), header.is_encrypted) {
            return Err(Bad::Field("length of a frame", head.stored()));
        }
        next = next.saturating_add(FRAME_HEAD + head.stored());
        table.push(TableEntry { offset, head, crc: Some(fields.u32(at + 12)?) });
    }
    if next != end {
        return Err(Bad::Field("end of the last frame", next));
    }
    Ok((table, fields.array(frames * ENTRY)?))
}

/// The end of an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Trailer {
    /// Bytes of the footer, this included.
    pub(crate) footer_length: u32,
    pub(crate) object_length: u64,
    pub(crate) cartridge: Uuid,
    pub(crate) sequence: u64,
    pub(crate) epoch: u64,
    pub(crate) frames: u32,
    pub(crate) footer_crc: u32,
    /// BLAKE3 of the object before the trailer.
    pub(crate) hash: [u8; 32],
}

impl Trailer {
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Bad> {
        let fields = Fields::proven(bytes, size(TRAILER)?, "CAPSTEOB", 1..=1)?;
        Ok(Self {
            footer_length: fields.u32(12)?,
            object_length: fields.u64(16)?,
            cartridge: Uuid(fields.array(24)?),
            sequence: fields.u64(40)?,
            epoch: fields.u64(48)?,
            frames: fields.u32(56)?,
            footer_crc: fields.u32(60)?,
            hash: fields.array(64)?,
        })
    }
}
