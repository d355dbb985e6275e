//! From a segment to an object: cut, compressed, encrypted. See `docs/format/object-v1.md`.
//!
//! One frame after the other: what is in memory is the object so far, a plain frame and a compressed one. It is work
//! for a thread that may be busy, not for a runtime's own.

use std::io::{self, Read};

use bytes::Bytes;
use capstan_format::object::{
    FRAME_SIZE, FrameEntry, FrameHead, HEADER_LENGTH, Header, Protection, Table, Trailer, frame_aad, nonce,
    object_key_info, table_aad,
};
use capstan_format::{FormatError, checksum, wide};
use capstan_media::CartridgeId;
use zstd::bulk::Compressor;

use crate::secret::Cipher;
use crate::{Body, CartridgeKey};

/// Which segment an object holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SegmentId {
    /// The cartridge.
    pub cartridge: CartridgeId,
    /// Number of the segment.
    pub sequence: u64,
    /// Epoch of the segment.
    pub epoch: u64,
}

/// How a segment becomes an object.
#[derive(Clone, Copy, Debug)]
pub struct SealOptions<'a> {
    /// Compress with zstd at this level.
    pub zstd: Option<i32>,
    /// Encrypt with the cartridge's key and 32 random bytes that no object had before.
    pub key: Option<(&'a CartridgeKey, [u8; 32])>,
    /// Plain bytes of a frame: [`FRAME_SIZE`], but for tests.
    pub frame_size: u32,
}

impl Default for SealOptions<'_> {
    /// Neither compressed nor encrypted.
    fn default() -> Self {
        Self { zstd: None, key: None, frame_size: FRAME_SIZE }
    }
}

/// An object, ready to be created.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// Its bytes.
    pub body: Body,
    /// BLAKE3 of them.
    pub hash: [u8; 32],
    /// BLAKE3 of the segment.
    pub plain_hash: [u8; 32],
    /// Some frame is compressed.
    pub compressed: bool,
    /// All frames are encrypted.
    pub encrypted: bool,
}

/// Why a segment did not become an object.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The segment cannot be read.
    #[error("cannot read the segment at offset {offset}: {source}")]
    Read {
        /// Where the frame begins that was to be read.
        offset: u64,
        /// What the reader said.
        source: io::Error,
    },
    /// The segment has another length than was said.
    #[error("the segment has not the {0} bytes that it should have")]
    Length(u64),
    /// The object cannot be described.
    #[error("the segment cannot be an object: {0}")]
    Format(#[from] FormatError),
    /// Compression failed.
    #[error("cannot compress a frame: {0}")]
    Compress(io::Error),
    /// Encryption failed.
    #[error("cannot encrypt a frame")]
    Encrypt,
}

/// Makes the object of a segment of `length` bytes, which it takes from `source`.
///
/// # Errors
/// The source fails or has another length, or a limit of the format is reached.
pub fn seal(
    segment: SegmentId,
    length: u64,
    source: &mut dyn Read,
    options: SealOptions<'_>,
) -> Result<Sealed, SealError> {
    let mut sealer = Sealer::new(segment, length, options)?;
    let mut plain = vec![0; sealer.next_length().unwrap_or(0)];
    while let Some(frame) = sealer.next_length() {
        plain.truncate(frame);
        source.read_exact(&mut plain).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => SealError::Length(length),
            _ => SealError::Read { offset: sealer.plain_offset(), source: error },
        })?;
        sealer.push(&plain)?;
    }
    let more = source.read(&mut [0]).map_err(|source| SealError::Read { offset: length, source })?;
    if more > 0 { Err(SealError::Length(length)) } else { sealer.finish() }
}

/// An object in the making.
#[derive(Debug)]
struct Sealer {
    header: Header,
    cipher: Option<Cipher>,
    compressor: Option<Squeeze>,
    parts: Vec<Bytes>,
    frames: Vec<FrameEntry>,
    offset: u64,
    plain_hash: blake3::Hasher,
    hash: blake3::Hasher,
    compressed: bool,
}

/// A compressor and where it puts its output.
struct Squeeze(Compressor<'static>, Vec<u8>);

impl std::fmt::Debug for Squeeze {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Squeeze")
    }
}

impl Sealer {
    fn new(segment: SegmentId, length: u64, options: SealOptions<'_>) -> Result<Self, SealError> {
        let SegmentId { cartridge, sequence, epoch } = segment;
        let protection = options.key.map(|(key, salt)| Protection { salt, key: key.id() });
        let header =
            Header { cartridge, sequence, epoch, plain_length: length, frame_size: options.frame_size, protection };
        let encoded = header.encode();
        // A reader has to accept it: so its own rules are the limits.
        Header::decode(&encoded)?;
        let cipher = options.key.map(|(key, salt)| object_cipher(key, &salt, &header)).transpose()?;
        let compressor = options.zstd.map(Squeeze::new).transpose().map_err(SealError::Compress)?;
        let mut sealer = Self {
            header,
            cipher,
            compressor,
            parts: Vec::new(),
            frames: Vec::new(),
            offset: 0,
            plain_hash: blake3::Hasher::new(),
            hash: blake3::Hasher::new(),
            compressed: false,
        };
        sealer.append(encoded.to_vec());
        Ok(sealer)
    }

    fn number(&self) -> u64 {
        wide(self.frames.len())
    }

    /// Where in the segment the next frame begins.
    fn plain_offset(&self) -> u64 {
        self.number().saturating_mul(u64::from(self.header.frame_size))
    }

    /// Plain bytes of the next frame; `None` after the last.
    fn next_length(&self) -> Option<usize> {
        usize::try_from(self.header.frame_length(self.number())?).ok()
    }

    /// Takes the next frame, which has [`Sealer::next_length`] bytes.
    fn push(&mut self, plain: &[u8]) -> Result<(), SealError> {
        let number = self.number();
        self.plain_hash.update(plain);
        let squeezed = self.compressor.as_mut().map(|squeeze| squeeze.smaller(plain)).transpose();
        let squeezed = squeezed.map_err(SealError::Compress)?.flatten();
        let (compressed, content) = (squeezed.is_some(), squeezed.unwrap_or(plain));
        let tag_length = if self.cipher.is_some() { capstan_format::object::TAG_LENGTH } else { 0 };
        let stored = content.len() + tag_length;
        let length = u32::try_from(stored).map_err(|_| SealError::Length(self.header.plain_length))?;
        let head = FrameHead { length, compressed };
        let mut part = Vec::with_capacity(stored + 4);
        part.extend(head.to_number().to_le_bytes());
        part.extend(content);
        if let (Some(cipher), Some((_, bytes))) = (&self.cipher, part.split_first_chunk_mut::<4>()) {
            let aad = frame_aad(&self.header, head, number);
            let tag = cipher.seal(nonce(number), &aad, bytes).map_err(|_| SealError::Encrypt)?;
            part.extend(tag);
        }
        self.frames.push(FrameEntry { offset: self.offset, head, crc: checksum(plain) });
        self.compressed |= compressed;
        self.append(part);
        Ok(())
    }

    fn append(&mut self, part: Vec<u8>) {
        self.hash.update(&part);
        self.offset = self.offset.saturating_add(wide(part.len()));
        self.parts.push(part.into());
    }

    /// Adds the footer.
    fn finish(mut self) -> Result<Sealed, SealError> {
        let (header, frames) = (self.header.encode(), self.number());
        let plain_hash = *self.plain_hash.finalize().as_bytes();
        let table = Table { frames: std::mem::take(&mut self.frames), plain_hash };
        let mut footer = header.to_vec();
        footer.extend(table.encode());
        if let (Some(cipher), Some((_, bytes))) = (&self.cipher, footer.split_first_chunk_mut::<HEADER_LENGTH>()) {
            let tag = cipher.seal(nonce(frames), &table_aad(&header), bytes).map_err(|_| SealError::Encrypt)?;
            footer.extend(tag);
        }
        let footer_crc = checksum(&footer);
        let footer_length = Trailer::footer_length_of(&self.header);
        let object_length = self.offset.saturating_add(footer_length);
        self.append(footer);
        let too_long = || SealError::Length(self.header.plain_length);
        let trailer = Trailer {
            footer_length: u32::try_from(footer_length).map_err(|_| too_long())?,
            object_length,
            cartridge: self.header.cartridge,
            sequence: self.header.sequence,
            epoch: self.header.epoch,
            frames: u32::try_from(frames).map_err(|_| too_long())?,
            footer_crc,
            hash: *self.hash.finalize().as_bytes(),
        };
        self.append(trailer.encode().to_vec());
        let hash = *self.hash.finalize().as_bytes();
        let (compressed, encrypted) = (self.compressed, self.cipher.is_some());
        Ok(Sealed { body: Body::new(self.parts), hash, plain_hash, compressed, encrypted })
    }
}

impl Squeeze {
    fn new(level: i32) -> io::Result<Self> {
        Ok(Self(Compressor::new(level)?, Vec::new()))
    }

    /// The frame compressed, if that is smaller.
    fn smaller(&mut self, plain: &[u8]) -> io::Result<Option<&[u8]>> {
        self.1.clear();
        self.1.reserve(zstd::zstd_safe::compress_bound(plain.len()));
        let length = self.0.compress_to_buffer(plain, &mut self.1)?;
        Ok(if length < plain.len() { self.1.get(..length) } else { None })
    }
}

/// The cipher of the object with that header.
pub(crate) fn object_cipher(key: &CartridgeKey, salt: &[u8; 32], header: &Header) -> Result<Cipher, SealError> {
    let info = object_key_info(header.cartridge, header.sequence);
    Cipher::derive(key.bytes(), salt, &info).map_err(|_| SealError::Encrypt)
}
