//! `cartridge.meta`: what a cartridge is, and where its data ends. See `docs/format/cartridge-meta-v1.md`.

use capstan_media::{Barcode, CartridgeId};
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::lineage::AncestorsBytes;
use crate::point::PointBytes;
use crate::proof::{prove, sealing_checksum};
use crate::{Ancestor, FormatError, Point, wide};

/// Bytes in the file: two copies of the record, each in a sector of its own.
pub const META_LENGTH: usize = 2 * COPY_LENGTH;

const COPY_LENGTH: usize = 512;
const MAGIC: [u8; 8] = *b"CAPSTCRT";
const VERSION: u16 = 1;

const PROTECTED: u32 = 1;
const OPEN: u32 = 1 << 1;
const KNOWN_FLAGS: u32 = PROTECTED | OPEN;

/// What a cartridge is, and where its data ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meta {
    /// The cartridge.
    pub cartridge: CartridgeId,
    /// Its label.
    pub barcode: Barcode,
    /// Host bytes that it holds.
    pub capacity: u64,
    /// Hosts may not write it.
    pub protected: bool,
    /// Segments may have been written since this record was: those with numbers from [`Meta::next_sequence`] on, and
    /// only those. `end` and `ancestors` are then a state of the past that is on stable storage.
    pub open: bool,
    /// The highest epoch given out when this was written.
    pub epoch: u64,
    /// All segments made before this was written have lower numbers.
    pub next_sequence: u64,
    /// End of data.
    pub end: Point,
    /// The segments before it, nearest first. Fewer than [`crate::ANCESTORS`] means: these are all. Each may hold
    /// more than what lies before the start of its successor (the last: before `end`); that does not count.
    pub ancestors: Vec<Ancestor>,
}

impl Meta {
    /// Of a cartridge that was never written.
    #[must_use]
    pub fn blank(cartridge: CartridgeId, barcode: Barcode, capacity: u64) -> Self {
        Self {
            cartridge,
            barcode,
            capacity,
            protected: false,
            open: false,
            epoch: 0,
            next_sequence: 1,
            end: Point::default(),
            ancestors: Vec::new(),
        }
    }

    /// The file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut barcode = [0; 32];
        for (to, from) in barcode.iter_mut().zip(self.barcode.as_str().bytes()) {
            *to = from;
        }
        let flag = |set: bool, bit: u32| if set { bit } else { 0 };
        let mut bytes = MetaBytes {
            magic: MAGIC,
            version: VERSION.into(),
            zero: [0; 2],
            flags: (flag(self.protected, PROTECTED) | flag(self.open, OPEN)).into(),
            cartridge: self.cartridge.0,
            barcode,
            capacity: self.capacity.into(),
            epoch: self.epoch.into(),
            next_sequence: self.next_sequence.into(),
            end: self.end.into(),
            ancestors: AncestorsBytes::encode(&self.ancestors),
            reserved: [0; 268],
            crc: U32::ZERO,
        };
        bytes.crc = sealing_checksum(&bytes).into();
        [bytes.as_bytes(), bytes.as_bytes()].concat()
    }

    /// Decodes the file: the first copy, or the second if that is damaged.
    ///
    /// # Errors
    /// What is wrong with the first copy, when both are damaged.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        Self::decode_copy(bytes).or_else(|first| {
            let second = bytes.get(COPY_LENGTH..).unwrap_or_default();
            Self::decode_copy(second).map_err(|_| first)
        })
    }

    fn decode_copy(bytes: &[u8]) -> Result<Self, FormatError> {
        let short = FormatError::Short { needed: wide(COPY_LENGTH), found: wide(bytes.len()) };
        let (raw, _) = MetaBytes::read_from_prefix(bytes).map_err(|_| short)?;
        prove(
            "cartridge meta",
            (raw.magic, MAGIC),
            (raw.version.get(), VERSION),
            (raw.crc.get(), sealing_checksum(&raw)),
        )?;
        raw.check()?;
        let flags = raw.flags.get();
        Ok(Self {
            cartridge: CartridgeId(raw.cartridge),
            barcode: raw.barcode()?,
            capacity: raw.capacity.get(),
            protected: flags & PROTECTED != 0,
            open: flags & OPEN != 0,
            epoch: raw.epoch.get(),
            next_sequence: raw.next_sequence.get(),
            end: raw.end.into(),
            ancestors: raw.ancestors.decode(raw.next_sequence.get(), raw.end.into())?,
        })
    }
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct MetaBytes {
    magic: [u8; 8],
    version: U16,
    zero: [u8; 2],
    flags: U32,
    cartridge: [u8; 16],
    barcode: [u8; 32],
    capacity: U64,
    epoch: U64,
    next_sequence: U64,
    end: PointBytes,
    ancestors: AncestorsBytes,
    reserved: [u8; 268],
    crc: U32,
}

const _: () = assert!(size_of::<MetaBytes>() == COPY_LENGTH);

impl MetaBytes {
    /// What the checksum cannot tell: values that no writer of this version writes.
    fn check(&self) -> Result<(), FormatError> {
        let end = Point::from(self.end);
        if self.version.get() == 0 {
            return Err(FormatError::Field("version"));
        }
        if self.flags.get() & !KNOWN_FLAGS != 0 {
            return Err(FormatError::Field("flags"));
        }
        if self.next_sequence.get() == 0 {
            return Err(FormatError::Field("next_sequence"));
        }
        if end.filemark > end.object {
            return Err(FormatError::Field("end"));
        }
        Ok(())
    }

    fn barcode(&self) -> Result<Barcode, FormatError> {
        let field = FormatError::Field("barcode");
        let text = std::str::from_utf8(&self.barcode).map_err(|_| field)?;
        Barcode::new(text.trim_end_matches('\0')).map_err(|_| field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Meta {
        Meta {
            cartridge: CartridgeId([0xc7; 16]),
            barcode: Barcode::new("CAP001L8").unwrap(),
            capacity: 10 << 30,
            protected: true,
            open: true,
            epoch: 6,
            next_sequence: 12,
            end: Point { object: 258, filemark: 2, byte: 0x0102_0304 },
            ancestors: vec![Ancestor { sequence: 9, start: Point::default() }],
        }
    }

    /// Byte for byte as `docs/format/cartridge-meta-v1.md` says.
    fn golden() -> Vec<u8> {
        let mut bytes = b"CAPSTCRT".to_vec();
        bytes.extend([1, 0, 0, 0, 3, 0, 0, 0]);
        bytes.extend([0xc7; 16]);
        bytes.extend(b"CAP001L8\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        bytes.extend([0, 0, 0, 0x80, 2, 0, 0, 0]);
        bytes.extend([6, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([2, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 4, 3, 2, 1, 0, 0, 0, 0]);
        bytes.extend([9, 0, 0, 0, 0, 0, 0, 0]);
        bytes.resize(508, 0);
        let crc = crc32c::crc32c(&bytes);
        bytes.extend(crc.to_le_bytes());
        bytes
    }

    #[test]
    fn bytes_are_as_documented_both_ways() {
        let twice = [golden(), golden()].concat();
        assert_eq!(sample().encode(), twice);
        assert_eq!(Meta::decode(&twice), Ok(sample()));
        let blank = Meta::blank(CartridgeId([1; 16]), Barcode::new(&"Z".repeat(32)).unwrap(), 1);
        assert_eq!(Meta::decode(&blank.encode()), Ok(blank));
    }

    #[test]
    fn every_flipped_bit_is_survived_by_the_other_copy_and_seen_without_it() {
        let bytes = sample().encode();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Meta::decode(&damaged), Ok(sample()), "bit {bit}");
            if bit < COPY_LENGTH * 8 {
                assert!(Meta::decode(&damaged[..COPY_LENGTH]).is_err(), "bit {bit}");
            }
        }
    }

    #[test]
    fn impossible_values_are_named() {
        let reject = |offset: usize, value: u8, name| {
            let mut copy = golden();
            copy[offset] = value;
            let crc = crc32c::crc32c(&copy[..508]);
            copy[508..].copy_from_slice(&crc.to_le_bytes());
            assert_eq!(Meta::decode(&copy), Err(FormatError::Field(name)));
        };
        reject(8, 0, "version");
        reject(12, 4, "flags");
        reject(32, b'c', "barcode");
        reject(34, 0, "barcode");
        reject(80, 0, "next_sequence");
        reject(97, 2, "end");
        reject(80, 9, "ancestors");
        reject(112, 0, "ancestors");
        reject(120, 1, "ancestors");
    }

    #[test]
    fn a_newer_version_is_refused_by_name() {
        let mut copy = golden();
        copy[8] = 7;
        assert_eq!(Meta::decode(&copy), Err(FormatError::NewerVersion { version: 7, known: 1 }));
        assert_eq!(Meta::decode(&[]), Err(FormatError::Short { needed: 512, found: 0 }));
        assert_eq!(Meta::decode(&[0; 1024]), Err(FormatError::Magic("cartridge meta")));
    }
}
