//! `cartridge.meta`: what a cartridge is, where its data ends, and what it was before. See
//! `docs/format/cartridge-meta-v1.md`.

mod entry;
mod origin;
mod version;

pub use entry::{ENTRIES_MAX, ENTRY_LENGTH};
pub use origin::Origin;
pub use version::{Cause, Version};

use capstan_media::{Barcode, CartridgeId};
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::lineage::AncestorsBytes;
use crate::point::PointBytes;
use crate::proof::{prove, sealing_checksum};
use crate::{Ancestor, FormatError, Point, wide};

/// Bytes of both copies of the record, each in a sector of its own: all of the file, if there are no entries.
pub const META_LENGTH: usize = 2 * COPY_LENGTH;

const COPY_LENGTH: usize = 512;
const MAGIC: [u8; 8] = *b"CAPSTCRT";
/// Of a file with entries.
const VERSION: u16 = 2;
/// Of one without.
const PLAIN_VERSION: u16 = 1;

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
    /// Whose segments a clone begins with, in ascending order of [`Origin::below`].
    pub origins: Vec<Origin>,
    /// What the tape was before, in ascending order of their numbers.
    pub versions: Vec<Version>,
    /// The highest number that a version of this tape was given.
    pub last_version: u32,
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
            origins: Vec::new(),
            versions: Vec::new(),
            last_version: 0,
        }
    }

    /// The file. At most [`ENTRIES_MAX`] entries count.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let entries = self.origins.len().saturating_add(self.versions.len());
        // Once a version was given a number, that is remembered.
        let is_plain = entries == 0 && self.last_version == 0;
        let flag = |set: bool, bit: u32| if set { bit } else { 0 };
        let mut bytes = MetaBytes {
            magic: MAGIC,
            version: if is_plain { PLAIN_VERSION } else { VERSION }.into(),
            zero: [0; 2],
            flags: (flag(self.protected, PROTECTED) | flag(self.open, OPEN)).into(),
            cartridge: self.cartridge.0,
            barcode: barcode_bytes(&self.barcode),
            capacity: self.capacity.into(),
            epoch: self.epoch.into(),
            next_sequence: self.next_sequence.into(),
            end: self.end.into(),
            ancestors: AncestorsBytes::encode(&self.ancestors),
            entries: U32::new(u32::try_from(entries).unwrap_or(u32::MAX)),
            last_version: self.last_version.into(),
            reserved: [0; 260],
            crc: U32::ZERO,
        };
        bytes.crc = sealing_checksum(&bytes).into();
        [bytes.as_bytes(), bytes.as_bytes(), &entry::encode(&self.origins, &self.versions)].concat()
    }

    /// Decodes the file: of the record and of each entry the first copy, or the second if that is damaged.
    ///
    /// # Errors
    /// What is wrong with a first copy, when both are damaged.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let (mut meta, entries) = Self::decode_record(bytes).or_else(|first| {
            let second = bytes.get(COPY_LENGTH..).unwrap_or_default();
            Self::decode_record(second).map_err(|_| first)
        })?;
        let behind = bytes.get(META_LENGTH..).unwrap_or_default();
        (meta.origins, meta.versions) = entry::decode(behind, entries)?;
        if meta.versions.last().is_some_and(|last| last.number > meta.last_version) {
            return Err(FormatError::Field("last_version"));
        }
        Ok(meta)
    }

    /// Whose a segment is: identity and barcode.
    #[must_use]
    pub fn owner(&self, sequence: u64) -> (CartridgeId, &Barcode) {
        let origin = Origin::of(&self.origins, sequence);
        origin.map_or((self.cartridge, &self.barcode), |origin| (origin.cartridge, &origin.barcode))
    }

    /// Bytes that the file has.
    #[must_use]
    pub fn length(&self) -> usize {
        let entries = self.origins.len().saturating_add(self.versions.len());
        entries.saturating_mul(2 * entry::ENTRY_LENGTH).saturating_add(META_LENGTH)
    }

    /// Decodes one copy of the record, without versions and origins; with it, how many entries follow both.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode_record(bytes: &[u8]) -> Result<(Self, usize), FormatError> {
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
        let is_plain = raw.version.get() == PLAIN_VERSION;
        let entries = if is_plain { 0 } else { raw.entries.get() };
        let entries = usize::try_from(entries).ok().filter(|entries| *entries <= ENTRIES_MAX);
        let meta = Self {
            cartridge: CartridgeId(raw.cartridge),
            barcode: barcode_of(&raw.barcode).ok_or(FormatError::Field("barcode"))?,
            capacity: raw.capacity.get(),
            protected: flags & PROTECTED != 0,
            open: flags & OPEN != 0,
            epoch: raw.epoch.get(),
            next_sequence: raw.next_sequence.get(),
            end: raw.end.into(),
            ancestors: raw.ancestors.decode(raw.next_sequence.get(), raw.end.into())?,
            origins: Vec::new(),
            versions: Vec::new(),
            last_version: if is_plain { 0 } else { raw.last_version.get() },
        };
        Ok((meta, entries.ok_or(FormatError::Field("entries"))?))
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
    entries: U32,
    last_version: U32,
    reserved: [u8; 260],
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
}

/// A barcode as stored: its characters, then zeros.
fn barcode_bytes(barcode: &Barcode) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(barcode.as_str().bytes()) {
        *to = from;
    }
    bytes
}

fn barcode_of(bytes: &[u8; 32]) -> Option<Barcode> {
    Barcode::new(std::str::from_utf8(bytes).ok()?.trim_end_matches('\0')).ok()
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
            origins: Vec::new(),
            versions: Vec::new(),
            last_version: 0,
        }
    }

    fn version(number: u32) -> Version {
        Version {
            number,
            cause: Cause::RolledBack,
            held: true,
            until: 0x0807_0605_0403_0201,
            end: Point { object: 7, filemark: 1, byte: 99 },
            ancestors: vec![Ancestor { sequence: 3, start: Point::default() }],
            below: 4,
        }
    }

    fn with_entries() -> Meta {
        let origin =
            Origin { cartridge: CartridgeId([0xd8; 16]), barcode: Barcode::new("CAP002L8").unwrap(), below: 9 };
        let next = Origin { below: 10, ..origin.clone() };
        let second = Version { cause: Cause::Overwritten, held: false, ..version(6) };
        Meta { origins: vec![origin, next], versions: vec![version(5), second], last_version: 7, ..sample() }
    }

    /// Byte for byte as `docs/format/cartridge-meta-v1.md` says.
    fn golden_with_entries() -> Vec<u8> {
        let sealed = |bytes: Vec<u8>, length: usize| {
            let mut bytes = bytes;
            bytes.resize(length - 4, 0);
            bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
            bytes
        };
        let mut record = golden();
        record[8] = 2;
        record[240..248].copy_from_slice(&[4, 0, 0, 0, 7, 0, 0, 0]);
        record.truncate(508);
        let record = sealed(record, 512);
        let origin = |below: u8| {
            let mut bytes = vec![2, 0, 0, 0, 0, 0, 0, 0];
            bytes.extend([0xd8; 16]);
            bytes.extend(b"CAP002L8");
            bytes.resize(56, 0);
            bytes.extend([below, 0, 0, 0, 0, 0, 0, 0]);
            sealed(bytes, 256)
        };
        let version = |number: u8, cause: u8, flags: u8| {
            let mut bytes = vec![1, 0, cause, flags, number, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
            bytes.extend([7, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0]);
            bytes.extend([3, 0, 0, 0, 0, 0, 0, 0]);
            bytes.resize(168, 0);
            bytes.extend([4, 0, 0, 0, 0, 0, 0, 0]);
            sealed(bytes, 256)
        };
        let entries = [origin(9), origin(10), version(5, 2, 1), version(6, 1, 0)].concat();
        [record.as_slice(), &record, &entries, &entries].concat()
    }

    #[test]
    fn entries_are_as_documented_both_ways() {
        assert_eq!(with_entries().encode(), golden_with_entries());
        assert_eq!(Meta::decode(&golden_with_entries()), Ok(with_entries()));
        assert_eq!(with_entries().length(), golden_with_entries().len());
        let numbered = Meta { last_version: 1, ..sample() };
        assert_eq!(Meta::decode(&numbered.encode()), Ok(numbered));
    }

    #[test]
    fn every_flipped_bit_of_an_entry_is_survived_by_its_other_copy_and_seen_without_it() {
        let bytes = golden_with_entries();
        for bit in META_LENGTH * 8..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Meta::decode(&damaged), Ok(with_entries()), "bit {bit}");
            let half = META_LENGTH + 4 * 256;
            if bit < half * 8 {
                assert!(Meta::decode(&damaged[..half]).is_err(), "bit {bit}");
            }
        }
        assert!(Meta::decode(&bytes[..META_LENGTH]).is_err());
    }

    #[test]
    fn impossible_entries_are_named() {
        let reject = |change: fn(&mut Meta), name| {
            let mut meta = with_entries();
            change(&mut meta);
            assert_eq!(Meta::decode(&meta.encode()), Err(FormatError::Field(name)), "{meta:?}");
        };
        reject(|m| m.versions.reverse(), "number of a version");
        reject(|m| m.versions[0].number = 0, "number of a version");
        reject(|m| m.versions[0].end.filemark = 8, "end of a version");
        reject(|m| m.versions[0].below = 3, "ancestors");
        reject(|m| m.origins.reverse(), "below of an origin");
        reject(|m| m.last_version = 5, "last_version");
        reject(|m| m.versions = (1..124).map(version).collect(), "entries");
        let forged = |entry: usize, at: usize, value: u8| {
            let mut bytes = golden_with_entries();
            for copy in [0, 4] {
                let start = META_LENGTH + 256 * (entry + copy);
                bytes[start + at] = value;
                let crc = crc32c::crc32c(&bytes[start..start + 252]);
                bytes[start + 252..start + 256].copy_from_slice(&crc.to_le_bytes());
            }
            Meta::decode(&bytes)
        };
        assert_eq!(forged(2, 0, 3), Err(FormatError::Field("kind of an entry")));
        assert_eq!(forged(2, 2, 4), Err(FormatError::Field("cause of a version")));
        assert_eq!(forged(2, 3, 2), Err(FormatError::Field("flags of a version")));
        assert_eq!(forged(0, 24, b'c'), Err(FormatError::Field("barcode of an origin")));
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
        assert_eq!(Meta::decode(&copy), Err(FormatError::NewerVersion { version: 7, known: 2 }));
        assert_eq!(Meta::decode(&[]), Err(FormatError::Short { needed: 512, found: 0 }));
        assert_eq!(Meta::decode(&[0; 1024]), Err(FormatError::Magic("cartridge meta")));
    }
}
