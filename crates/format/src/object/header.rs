//! The header of an object: which segment it holds, and how.

use capstan_media::CartridgeId;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::KeyId;
use crate::proof::{prove, sealing_checksum};
use crate::{FormatError, wide};

/// Bytes in the header.
pub const HEADER_LENGTH: usize = 128;

/// Plain bytes of a frame, as written: 1 MiB. No reader accepts larger frames.
pub const FRAME_SIZE: u32 = 1 << 20;

/// The smallest frames that a reader accepts.
pub const FRAME_SIZE_MIN: u32 = 4096;

/// The longest segment that an object can hold.
pub const PLAIN_LENGTH_MAX: u64 = 1 << 40;

const FRAMES_MAX: u64 = 1 << 20;
const MAGIC: [u8; 8] = *b"CAPSTOBJ";
pub(super) const VERSION: u16 = 1;
const ENCRYPTED: u32 = 1;

/// The header of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// The cartridge.
    pub cartridge: CartridgeId,
    /// Number of the segment.
    pub sequence: u64,
    /// Epoch of the segment.
    pub epoch: u64,
    /// Bytes of the segment.
    pub plain_length: u64,
    /// Plain bytes of each frame but the last.
    pub frame_size: u32,
    /// How it is encrypted, if it is.
    pub protection: Option<Protection>,
}

/// What a reader of an encrypted object has to know besides the key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Protection {
    /// Random, new for each object.
    pub salt: [u8; 32],
    /// Which cartridge key.
    pub key: KeyId,
}

impl Header {
    /// How many frames follow.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.plain_length.div_ceil(u64::from(self.frame_size.max(1)))
    }

    /// Plain bytes of frame `number`, or `None` if there is none of that number.
    #[must_use]
    pub fn frame_length(&self, number: u64) -> Option<u32> {
        let begin = number.checked_mul(u64::from(self.frame_size))?;
        let rest = self.plain_length.checked_sub(begin).filter(|rest| *rest > 0)?;
        Some(u32::try_from(rest).unwrap_or(u32::MAX).min(self.frame_size))
    }

    /// As stored.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_LENGTH] {
        let none = Protection { salt: [0; 32], key: KeyId([0; 8]) };
        let protection = self.protection.unwrap_or(none);
        let mut bytes = HeaderBytes {
            magic: MAGIC,
            version: VERSION.into(),
            length: U16::new(128),
            flags: if self.protection.is_some() { ENCRYPTED } else { 0 }.into(),
            cartridge: self.cartridge.0,
            sequence: self.sequence.into(),
            epoch: self.epoch.into(),
            plain_length: self.plain_length.into(),
            frame_size: self.frame_size.into(),
            zero: [0; 4],
            salt: protection.salt,
            key: protection.key.0,
            reserved: [0; 20],
            crc: U32::ZERO,
        };
        bytes.crc = sealing_checksum(&bytes).into();
        zerocopy::transmute!(bytes)
    }

    /// Decodes the header from the beginning of `bytes`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let short = FormatError::Short { needed: wide(HEADER_LENGTH), found: wide(bytes.len()) };
        let (raw, _) = HeaderBytes::read_from_prefix(bytes).map_err(|_| short)?;
        prove(
            "object header",
            (raw.magic, MAGIC),
            (raw.version.get(), VERSION),
            (raw.crc.get(), sealing_checksum(&raw)),
        )?;
        raw.check()?;
        let encrypted = raw.flags.get() == ENCRYPTED;
        Ok(Self {
            cartridge: CartridgeId(raw.cartridge),
            sequence: raw.sequence.get(),
            epoch: raw.epoch.get(),
            plain_length: raw.plain_length.get(),
            frame_size: raw.frame_size.get(),
            protection: encrypted.then_some(Protection { salt: raw.salt, key: KeyId(raw.key) }),
        })
    }
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct HeaderBytes {
    magic: [u8; 8],
    version: U16,
    length: U16,
    flags: U32,
    cartridge: [u8; 16],
    sequence: U64,
    epoch: U64,
    plain_length: U64,
    frame_size: U32,
    zero: [u8; 4],
    salt: [u8; 32],
    key: [u8; 8],
    reserved: [u8; 20],
    crc: U32,
}

const _: () = assert!(size_of::<HeaderBytes>() == HEADER_LENGTH);

impl HeaderBytes {
    /// What the checksum cannot tell: values that no writer of this version writes.
    fn check(&self) -> Result<(), FormatError> {
        let (flags, frame_size, plain_length) = (self.flags.get(), self.frame_size.get(), self.plain_length.get());
        if self.version.get() == 0 {
            return Err(FormatError::Field("version"));
        }
        if usize::from(self.length.get()) != HEADER_LENGTH {
            return Err(FormatError::Field("length"));
        }
        if flags & !ENCRYPTED != 0 {
            return Err(FormatError::Field("flags"));
        }
        if self.sequence.get() == 0 {
            return Err(FormatError::Field("sequence"));
        }
        if !frame_size.is_power_of_two() || !(FRAME_SIZE_MIN..=FRAME_SIZE).contains(&frame_size) {
            return Err(FormatError::Field("frame_size"));
        }
        if plain_length > PLAIN_LENGTH_MAX || plain_length.div_ceil(u64::from(frame_size)) > FRAMES_MAX {
            return Err(FormatError::Field("plain_length"));
        }
        if flags == 0 && (self.salt != [0; 32] || self.key != [0; 8]) {
            return Err(FormatError::Field("salt"));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn sample() -> Header {
        Header {
            cartridge: CartridgeId([0xc7; 16]),
            sequence: 9,
            epoch: 4,
            plain_length: 0x0030_0001,
            frame_size: FRAME_SIZE,
            protection: Some(Protection { salt: [0x5a; 32], key: KeyId([1, 2, 3, 4, 5, 6, 7, 8]) }),
        }
    }

    /// Byte for byte as `docs/format/object-v1.md` says.
    fn golden() -> Vec<u8> {
        let mut bytes = b"CAPSTOBJ".to_vec();
        bytes.extend([1, 0, 128, 0, 1, 0, 0, 0]);
        bytes.extend([0xc7; 16]);
        bytes.extend([9, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([1, 0, 0x30, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0]);
        bytes.extend([0x5a; 32]);
        bytes.extend([1, 2, 3, 4, 5, 6, 7, 8]);
        bytes.resize(124, 0);
        bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }

    #[test]
    fn bytes_are_as_documented_both_ways() {
        assert_eq!(sample().encode().as_slice(), golden());
        assert_eq!(Header::decode(&golden()), Ok(sample()));
        let plain = Header { protection: None, plain_length: 0, frame_size: 4096, ..sample() };
        assert_eq!(plain.encode()[64..104], [0; 40]);
        assert_eq!(Header::decode(&plain.encode()), Ok(plain));
    }

    #[test]
    fn frames_cover_the_segment() {
        let header = sample();
        assert_eq!(header.frames(), 4);
        let lengths: Vec<_> = (0..5).map(|number| header.frame_length(number)).collect();
        assert_eq!(lengths, [Some(1 << 20), Some(1 << 20), Some(1 << 20), Some(1), None]);
        assert_eq!(Header { plain_length: 2 << 20, ..header }.frames(), 2);
        assert_eq!(Header { plain_length: 2 << 20, ..header }.frame_length(1), Some(1 << 20));
        assert_eq!(Header { plain_length: 2 << 20, ..header }.frame_length(2), None);
        let empty = Header { plain_length: 0, ..header };
        assert_eq!((empty.frames(), empty.frame_length(0), empty.frame_length(u64::MAX)), (0, None, None));
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let bytes = sample().encode();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::decode(&damaged).is_err(), "bit {bit}");
        }
        assert_eq!(Header::decode(&bytes[1..]), Err(FormatError::Short { needed: 128, found: 127 }));
        assert_eq!(Header::decode(&[0; 128]), Err(FormatError::Magic("object header")));
        let mut newer = bytes;
        newer[8] = 2;
        assert_eq!(Header::decode(&newer), Err(FormatError::NewerVersion { version: 2, known: 1 }));
    }

    #[test]
    fn impossible_values_are_named() {
        let reject = |change: fn(&mut Header), name| {
            let mut header = sample();
            change(&mut header);
            assert_eq!(Header::decode(&header.encode()), Err(FormatError::Field(name)), "{header:?}");
        };
        reject(|h| h.sequence = 0, "sequence");
        reject(|h| h.frame_size = 0, "frame_size");
        reject(|h| h.frame_size = 5000, "frame_size");
        reject(|h| h.frame_size = 2048, "frame_size");
        reject(|h| h.frame_size = 2 << 20, "frame_size");
        reject(|h| h.plain_length = (1 << 40) + 1, "plain_length");
        reject(|h| (h.plain_length, h.frame_size) = (1 << 40, 4096), "plain_length");
        let raw = |offset: usize, value: u8, name| {
            let mut bytes = Header { protection: None, ..sample() }.encode();
            bytes[offset] = value;
            let crc = crc32c::crc32c(&bytes[..124]);
            bytes[124..].copy_from_slice(&crc.to_le_bytes());
            assert_eq!(Header::decode(&bytes), Err(FormatError::Field(name)));
        };
        raw(8, 0, "version");
        raw(10, 127, "length");
        raw(12, 2, "flags");
        raw(64, 1, "salt");
        raw(103, 1, "salt");
    }
}
