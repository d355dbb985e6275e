//! From an object back to a segment: footer first, then single frames or all of them.
//!
//! Nothing is believed: each frame has to match the table, its tag if it is encrypted, its plain length and its CRC;
//! who reads all of it also has the BLAKE3 of the segment.

mod error;
mod fetch;
mod whole;

use std::ops::Range;

use bytes::Bytes;
use capstan_format::object::{
    FRAME_HEAD_LENGTH, Footer, FrameEntry, FrameHead, TAG_LENGTH, Table, frame_aad, nonce, table_aad,
};
use capstan_format::{checksum, wide};

use crate::seal::object_cipher;
use crate::secret::Cipher;
use crate::{CartridgeKey, SegmentId};
pub use error::{ObjectError, ObjectFault};
pub use fetch::OpenError;
pub use whole::{Whole, check_object};

/// Last bytes of an object that are read first: enough for the footer of any segment that Capstan writes.
pub const TAIL_LENGTH: u64 = 64 << 10;

/// An object whose footer was read and found good.
#[derive(Debug)]
pub struct Opener {
    name: String,
    footer: Footer,
    table: Table,
    cipher: Option<Cipher>,
}

impl Opener {
    /// Reads the footer of the object `name` of `object_length` bytes, which ends with `tail`.
    ///
    /// # Errors
    /// [`ObjectError::needs`] says how long the tail has to be if it is too short. Else the footer is damaged, the
    /// object holds another segment than `expected`, or its key is missing or another one.
    pub fn new(
        name: &str,
        tail: &[u8],
        object_length: u64,
        expected: SegmentId,
        key: Option<&CartridgeKey>,
    ) -> Result<Self, ObjectError> {
        let begin = object_length.saturating_sub(wide(tail.len()));
        let fault = |offset, fault| ObjectError { key: name.to_owned(), frame: None, offset, fault };
        let footer = Footer::decode(tail, object_length).map_err(|error| fault(begin, error.into()))?;
        let offset = footer.offset();
        let header = &footer.header;
        let found = SegmentId { cartridge: header.cartridge, sequence: header.sequence, epoch: header.epoch };
        if found != expected {
            return Err(fault(offset, ObjectFault::AnotherSegment { expected, found }));
        }
        let cipher = match (header.protection, key) {
            (None, _) => None,
            (Some(protection), None) => return Err(fault(offset, ObjectFault::NoKey(protection.key))),
            (Some(protection), Some(key)) if key.id() != protection.key => {
                return Err(fault(offset, ObjectFault::AnotherKey { needs: protection.key, has: key.id() }));
            }
            (Some(protection), Some(key)) => {
                let cipher = object_cipher(key, &protection.salt, header);
                Some(cipher.map_err(|_| fault(offset, ObjectFault::Authentication))?)
            }
        };
        let table = match &cipher {
            None => footer.table.clone(),
            Some(cipher) => {
                let aad = table_aad(&footer.header_bytes);
                let opened = decrypt(cipher, header.frames(), &aad, &footer.table);
                opened.map_err(|error| fault(offset, error))?
            }
        };
        let table = Table::decode(&table, header, offset).map_err(|error| fault(offset, error.into()))?;
        Ok(Self { name: name.to_owned(), footer, table, cipher })
    }

    /// Bytes of the segment.
    #[must_use]
    pub fn plain_length(&self) -> u64 {
        self.footer.header.plain_length
    }

    /// Bytes of the object.
    #[must_use]
    pub fn object_length(&self) -> u64 {
        self.footer.trailer.object_length
    }

    /// BLAKE3 of the segment.
    #[must_use]
    pub fn plain_hash(&self) -> [u8; 32] {
        self.table.plain_hash
    }

    /// How many frames there are.
    #[must_use]
    pub fn frames(&self) -> u64 {
        wide(self.table.frames.len())
    }

    /// The frames that hold some bytes of the segment.
    #[must_use]
    pub fn frames_of(&self, plain: Range<u64>) -> Range<u64> {
        let size = u64::from(self.footer.header.frame_size);
        let end = plain.end.min(self.plain_length());
        if plain.start >= end {
            return 0..0;
        }
        plain.start / size..end.div_ceil(size)
    }

    /// Where in the segment a frame begins.
    #[must_use]
    pub fn plain_offset(&self, frame: u64) -> u64 {
        frame.saturating_mul(u64::from(self.footer.header.frame_size))
    }

    /// Where in the object frames lie that follow each other: one ranged read.
    #[must_use]
    pub fn stored_range(&self, frames: Range<u64>) -> Range<u64> {
        let begin = self.entry(frames.start).map_or(self.footer.offset(), |entry| entry.offset);
        let end = self.entry(frames.end).map_or(self.footer.offset(), |entry| entry.offset);
        if frames.is_empty() { begin..begin } else { begin..end }
    }

    fn entry(&self, frame: u64) -> Option<&FrameEntry> {
        self.table.frames.get(usize::try_from(frame).ok()?)
    }

    /// The plain bytes of frames that follow each other, from what [`Opener::stored_range`] says. Of frames that are
    /// stored as they are no copy is made.
    ///
    /// # Errors
    /// Which frame is damaged, and how; or the bytes are not those of the frames.
    pub fn open_run(&self, frames: Range<u64>, stored: &Bytes) -> Result<Vec<Bytes>, ObjectError> {
        let mut plain = Vec::new();
        let mut rest = stored.clone();
        for number in frames.clone() {
            let Some(entry) = self.entry(number) else { break };
            let length = usize::try_from(entry.head.total()).unwrap_or(usize::MAX);
            if rest.len() < length {
                return Err(self.short(number, &rest, entry));
            }
            plain.push(self.open_frame(number, &rest.split_to(length))?);
        }
        let surplus = wide(rest.len());
        let end = self.stored_range(frames).end;
        let fault = ObjectFault::Surplus(surplus);
        if surplus == 0 {
            Ok(plain)
        } else {
            Err(ObjectError { key: self.name.clone(), frame: None, offset: end, fault })
        }
    }

    /// The plain bytes of a frame, from its head to its end as it is stored.
    ///
    /// # Errors
    /// It is damaged, or there is no frame of that number.
    pub fn open_frame(&self, number: u64, stored: &Bytes) -> Result<Bytes, ObjectError> {
        let Some(entry) = self.entry(number) else {
            return Err(self.fault(number, self.footer.offset(), ObjectFault::NoSuchFrame(self.frames())));
        };
        if wide(stored.len()) != entry.head.total() {
            return Err(self.short(number, stored, entry));
        }
        self.open_entry(number, *entry, stored).map_err(|fault| self.fault(number, entry.offset, fault))
    }

    fn open_entry(&self, number: u64, entry: FrameEntry, stored: &Bytes) -> Result<Bytes, ObjectFault> {
        let header = &self.footer.header;
        let (head, content) = stored.split_first_chunk::<4>().ok_or(ObjectFault::Head)?;
        if FrameHead::from_number(u32::from_le_bytes(*head)) != entry.head {
            return Err(ObjectFault::Head);
        }
        let length = header.frame_length(number).and_then(|length| usize::try_from(length).ok());
        let length = length.ok_or(ObjectFault::Head)?;
        let content = match &self.cipher {
            None => stored.slice_ref(content),
            Some(cipher) => decrypt(cipher, number, &frame_aad(header, entry.head, number), content)?.into(),
        };
        let plain = if entry.head.compressed { decompress(&content, length)?.into() } else { content };
        let (stored, computed) = (entry.crc, checksum(&plain));
        if stored != computed {
            return Err(ObjectFault::Checksum { stored, computed });
        }
        Ok(plain)
    }

    fn fault(&self, frame: u64, offset: u64, fault: ObjectFault) -> ObjectError {
        ObjectError { key: self.name.clone(), frame: Some(frame), offset, fault }
    }

    fn short(&self, frame: u64, found: &[u8], entry: &FrameEntry) -> ObjectError {
        let fault = ObjectFault::Length { needed: entry.head.total(), found: wide(found.len()) };
        self.fault(frame, entry.offset, fault)
    }
}

const _: () = assert!(FRAME_HEAD_LENGTH == 4);

/// What was encrypted; `sealed` ends with the tag.
fn decrypt(cipher: &Cipher, number: u64, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, ObjectFault> {
    let (content, tag) = sealed.split_last_chunk::<TAG_LENGTH>().ok_or(ObjectFault::Authentication)?;
    let mut content = content.to_vec();
    cipher.open(nonce(number), aad, &mut content, *tag).map_err(|_| ObjectFault::Authentication)?;
    Ok(content)
}

/// To exactly `length` bytes, which is at most the size of a frame.
fn decompress(content: &[u8], length: usize) -> Result<Vec<u8>, ObjectFault> {
    let mut plain = vec![0; length];
    let found = zstd::bulk::decompress_to_buffer(content, plain.as_mut_slice());
    let found = found.map_err(|error| ObjectFault::Compression(error.to_string()))?;
    if found != length {
        return Err(ObjectFault::Compression(format!("{found} bytes came out where {length} are expected")));
    }
    Ok(plain)
}
