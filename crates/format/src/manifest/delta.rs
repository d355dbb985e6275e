//! One entry of a manifest.

use capstan_media::{CartridgeId, GatewayId};
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::release::{POINT_LENGTH, RELEASE_LENGTH};
use super::row::ROW_LENGTH;
use super::{RecoveryPoint, Release, Row};
use crate::proof::{prove, sealing_checksum};
use crate::{FormatError, checksum, wide};

/// Deltas whose numbers are multiples of this are checkpoints.
pub const CHECKPOINT_EVERY: u64 = 64;

/// Bytes of a delta with nothing in it.
pub const DELTA_LENGTH_MIN: usize = HEADER_LENGTH + HASH_LENGTH + CRC_LENGTH;

/// The longest encoded `cartridge.meta` that a delta carries.
pub const META_LENGTH_MAX: usize = 64 << 10;

const HEADER_LENGTH: usize = 128;
const HASH_LENGTH: usize = 32;
const CRC_LENGTH: usize = 4;
const MAGIC: [u8; 8] = *b"CAPSTMAN";
/// The highest version that is read. Written is 2 where a tape is handed over, which a reader of version 1 must not pass
/// over, else 1.
const VERSION: u16 = 2;
const RECEIVER_LENGTH: usize = 16;

const HANDED_OVER: u32 = 1;
const HAS_RECEIVER: u32 = 1 << 1;

/// What a delta begins from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// What the deltas before it add up to.
    Delta,
    /// Nothing: it has all that counts.
    Checkpoint,
}

/// Its writer has given a tape away: whoever it is for may write the next delta.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HandOver {
    /// Who it is for; `None`: whoever wants it.
    pub to: Option<GatewayId>,
}

/// One entry of a manifest: in the tier an object, in `shipped` a part of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delta {
    /// What it begins from.
    pub kind: Kind,
    /// Its number, from 0.
    pub number: u64,
    /// The cartridge.
    pub cartridge: CartridgeId,
    /// Who wrote it.
    pub writer: GatewayId,
    /// Grows with each start of the writer that ships.
    pub writer_epoch: u64,
    /// Random: by it the writer knows its own delta again.
    pub nonce: [u8; 16],
    /// When it was written: milliseconds since 1970 UTC.
    pub written: u64,
    /// The encoded `cartridge.meta`, if it has changed.
    pub meta: Option<Vec<u8>>,
    /// Segments that are in the tier now.
    pub rows: Vec<Row>,
    /// Objects that are not wanted any more.
    pub releases: Vec<Release>,
    /// Recovery points since the last delta.
    pub points: Vec<RecoveryPoint>,
    /// The tape is given away with this.
    pub handed_over: Option<HandOver>,
}

impl Delta {
    /// As stored. At most [`META_LENGTH_MAX`] bytes of meta and 2^32 - 1 of everything else count.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let meta = self.meta.as_deref().unwrap_or_default();
        let mut body = meta.to_vec();
        self.rows.iter().for_each(|row| body.extend(row.encode()));
        self.releases.iter().for_each(|release| body.extend(release.encode()));
        self.points.iter().for_each(|point| body.extend(point.encode()));
        let receiver = self.handed_over.and_then(|given| given.to);
        body.extend(receiver.iter().flat_map(|receiver| receiver.0));
        let flag = |set: bool, bit: u32| if set { bit } else { 0 };
        let flags = flag(self.handed_over.is_some(), HANDED_OVER) | flag(receiver.is_some(), HAS_RECEIVER);
        let count = |length: usize| U32::new(u32::try_from(length).unwrap_or(u32::MAX));
        let mut header = HeaderBytes {
            magic: MAGIC,
            version: if self.handed_over.is_some() { 2.into() } else { 1.into() },
            kind: match self.kind {
                Kind::Delta => 1.into(),
                Kind::Checkpoint => 2.into(),
            },
            flags: flags.into(),
            length: wide(DELTA_LENGTH_MIN).saturating_add(wide(body.len())).into(),
            number: self.number.into(),
            cartridge: self.cartridge.0,
            writer: self.writer.0,
            writer_epoch: self.writer_epoch.into(),
            nonce: self.nonce,
            written: self.written.into(),
            meta: count(meta.len()),
            rows: count(self.rows.len()),
            releases: count(self.releases.len()),
            points: count(self.points.len()),
            reserved: [0; 12],
            crc: U32::ZERO,
        };
        header.crc = sealing_checksum(&header).into();
        let mut bytes = header.as_bytes().to_vec();
        bytes.append(&mut body);
        let hash = blake3::hash(&bytes);
        bytes.extend(hash.as_bytes());
        bytes.extend(checksum(&bytes).to_le_bytes());
        bytes
    }

    /// Decodes the delta that is all of `bytes`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let (delta, rest) = Self::decode_first(bytes)?;
        if rest.is_empty() { Ok(delta) } else { Err(FormatError::Field("length")) }
    }

    /// Decodes the delta at the beginning of `bytes`; with it, what follows.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode_first(bytes: &[u8]) -> Result<(Self, &[u8]), FormatError> {
        let header = HeaderBytes::decode(bytes)?;
        let needed = header.length.get();
        let short = FormatError::Short { needed, found: wide(bytes.len()) };
        let length = usize::try_from(needed).map_err(|_| short)?;
        let (bytes, rest) = bytes.split_at_checked(length).ok_or(short)?;
        let (covered, stored) = bytes.split_last_chunk::<CRC_LENGTH>().ok_or(short)?;
        let (stored, computed) = (u32::from_le_bytes(*stored), checksum(covered));
        if stored != computed {
            return Err(FormatError::Checksum { stored, computed });
        }
        let (covered, hash) = covered.split_last_chunk::<HASH_LENGTH>().ok_or(short)?;
        if blake3::hash(covered).as_bytes() != hash {
            return Err(FormatError::Hash("delta"));
        }
        let body = covered.get(HEADER_LENGTH..).ok_or(short)?;
        Ok((header.delta(body)?, rest))
    }
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct HeaderBytes {
    magic: [u8; 8],
    version: U16,
    kind: U16,
    flags: U32,
    length: U64,
    number: U64,
    cartridge: [u8; 16],
    writer: [u8; 16],
    writer_epoch: U64,
    nonce: [u8; 16],
    written: U64,
    meta: U32,
    rows: U32,
    releases: U32,
    points: U32,
    reserved: [u8; 12],
    crc: U32,
}

const _: () = assert!(size_of::<HeaderBytes>() == HEADER_LENGTH);

impl HeaderBytes {
    fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let short = FormatError::Short { needed: wide(DELTA_LENGTH_MIN), found: wide(bytes.len()) };
        let (raw, _) = Self::read_from_prefix(bytes).map_err(|_| short)?;
        prove(
            "manifest delta",
            (raw.magic, MAGIC),
            (raw.version.get(), VERSION),
            (raw.crc.get(), sealing_checksum(&raw)),
        )?;
        raw.check()?;
        Ok(raw)
    }

    /// What the checksum cannot tell: values that no writer of this version writes.
    fn check(&self) -> Result<(), FormatError> {
        if self.version.get() == 0 {
            return Err(FormatError::Field("version"));
        }
        if !matches!(self.kind.get(), 1 | 2) {
            return Err(FormatError::Field("kind"));
        }
        let known = if self.version.get() == 1 { &[0][..] } else { &[HANDED_OVER, HANDED_OVER | HAS_RECEIVER] };
        if !known.contains(&self.flags.get()) {
            return Err(FormatError::Field("flags"));
        }
        if u64::from(self.meta.get()) > wide(META_LENGTH_MAX) {
            return Err(FormatError::Field("meta"));
        }
        let all = |count: U32, length: usize| u64::from(count.get()).saturating_mul(wide(length));
        let parts = [
            wide(DELTA_LENGTH_MIN),
            u64::from(self.meta.get()),
            all(self.rows, ROW_LENGTH),
            all(self.releases, RELEASE_LENGTH),
            all(self.points, POINT_LENGTH),
            wide(self.receiver_length()),
        ];
        if parts.into_iter().fold(0, u64::saturating_add) != self.length.get() {
            return Err(FormatError::Field("length"));
        }
        Ok(())
    }

    fn receiver_length(&self) -> usize {
        if self.flags.get() & HAS_RECEIVER == 0 { 0 } else { RECEIVER_LENGTH }
    }

    /// The delta with that header, from what stands between header and hash. Its length was compared with the counts,
    /// so the parts are as long as the counts say.
    fn delta(&self, body: &[u8]) -> Result<Delta, FormatError> {
        let wrong = FormatError::Field("length");
        let mut rest = body;
        let mut take = |count: U32, length: usize| {
            let bytes = usize::try_from(count.get()).ok()?.checked_mul(length)?;
            let (taken, left) = rest.split_at_checked(bytes)?;
            rest = left;
            Some(taken)
        };
        let meta = take(self.meta, 1).ok_or(wrong)?;
        let rows = take(self.rows, ROW_LENGTH).ok_or(wrong)?.chunks_exact(ROW_LENGTH);
        let releases = take(self.releases, RELEASE_LENGTH).ok_or(wrong)?.chunks_exact(RELEASE_LENGTH);
        let points = take(self.points, POINT_LENGTH).ok_or(wrong)?.chunks_exact(POINT_LENGTH);
        let receiver = take(U32::new(1), self.receiver_length()).and_then(<[u8]>::first_chunk).copied();
        let given = self.flags.get() & HANDED_OVER != 0;
        Ok(Delta {
            kind: if self.kind.get() == 2 { Kind::Checkpoint } else { Kind::Delta },
            number: self.number.get(),
            cartridge: CartridgeId(self.cartridge),
            writer: GatewayId(self.writer),
            writer_epoch: self.writer_epoch.get(),
            nonce: self.nonce,
            written: self.written.get(),
            meta: (!meta.is_empty()).then(|| meta.to_vec()),
            rows: rows.map(Row::decode).collect::<Result<_, _>>()?,
            releases: releases.map(Release::decode).collect::<Option<_>>().ok_or(wrong)?,
            points: points.map(RecoveryPoint::decode).collect::<Option<_>>().ok_or(wrong)?,
            handed_over: given.then_some(HandOver { to: receiver.map(GatewayId) }),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn sample() -> Delta {
        Delta {
            kind: Kind::Delta,
            number: 258,
            cartridge: CartridgeId([0xc7; 16]),
            writer: GatewayId([0x11; 16]),
            writer_epoch: 3,
            nonce: [0x22; 16],
            written: 0x0102_0304,
            meta: Some(b"meta!".to_vec()),
            rows: vec![super::super::row::tests::sample()],
            releases: vec![Release { sequence: 5, epoch: 2, random: 6, at: 7 }],
            points: vec![RecoveryPoint { object: 300, at: 8 }, RecoveryPoint { object: 301, at: 9 }],
            handed_over: None,
        }
    }

    /// Byte for byte as `docs/format/manifest-v1.md` says.
    fn golden() -> Vec<u8> {
        let mut bytes = b"CAPSTMAN".to_vec();
        // 128 + 5 + 256 + 32 + 32 + 36 bytes.
        bytes.extend([1, 0, 1, 0, 0, 0, 0, 0, 0xe9, 1, 0, 0, 0, 0, 0, 0]);
        bytes.extend([2, 1, 0, 0, 0, 0, 0, 0]);
        bytes.extend([0xc7; 16]);
        bytes.extend([0x11; 16]);
        bytes.extend([3, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([0x22; 16]);
        bytes.extend([4, 3, 2, 1, 0, 0, 0, 0]);
        bytes.extend([5, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]);
        bytes.resize(124, 0);
        bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
        bytes.extend(b"meta!");
        bytes.extend(super::super::row::tests::golden());
        for number in [5, 2, 6, 7, 44 + 256, 8, 45 + 256, 9_u64] {
            bytes.extend(number.to_le_bytes());
        }
        let hash = blake3::hash(&bytes);
        bytes.extend(hash.as_bytes());
        bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }

    #[test]
    fn bytes_are_as_documented_both_ways() {
        assert_eq!(sample().encode(), golden());
        assert_eq!(Delta::decode(&golden()), Ok(sample()));
        let empty = Delta {
            kind: Kind::Checkpoint,
            meta: None,
            rows: Vec::new(),
            releases: Vec::new(),
            points: Vec::new(),
            ..sample()
        };
        assert_eq!(empty.encode().len(), DELTA_LENGTH_MIN);
        assert_eq!(Delta::decode(&empty.encode()), Ok(empty));
    }

    #[test]
    fn a_tape_that_is_given_away_is_version_2() {
        let given = |to| Delta { handed_over: Some(HandOver { to }), ..sample() };
        for (to, flags, more) in [(None, 1, 0), (Some(GatewayId([0x44; 16])), 3, 16)] {
            let bytes = given(to).encode();
            assert_eq!((bytes[8], bytes[12], bytes[16]), (2, flags, 0xe9_u8.wrapping_add(more)));
            assert_eq!(bytes.len(), golden().len() + usize::from(more));
            assert_eq!(Delta::decode(&bytes), Ok(given(to)));
            if more > 0 {
                assert_eq!(bytes[bytes.len() - 52..bytes.len() - 36], [0x44; 16]);
            }
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_seen() {
        let bytes = golden();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Delta::decode(&damaged).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(matches!(Delta::decode(&bytes[..length]), Err(FormatError::Short { .. })), "cut at {length}");
        }
        assert_eq!(Delta::decode(&[&bytes[..], &[0]].concat()), Err(FormatError::Field("length")));
        let twice = [&bytes[..], &bytes[..]].concat();
        let (first, rest) = Delta::decode_first(&twice).unwrap();
        assert_eq!((first, rest), (sample(), bytes.as_slice()));
    }

    #[test]
    fn impossible_values_are_named() {
        let reject = |offset: usize, value: u8, error| {
            let mut bytes = golden();
            bytes[offset] = value;
            let crc = crc32c::crc32c(&bytes[..124]);
            bytes[124..128].copy_from_slice(&crc.to_le_bytes());
            assert_eq!(Delta::decode(&bytes), Err(error));
        };
        reject(8, 3, FormatError::NewerVersion { version: 3, known: 2 });
        reject(8, 2, FormatError::Field("flags"));
        reject(8, 0, FormatError::Field("version"));
        reject(10, 3, FormatError::Field("kind"));
        reject(12, 1, FormatError::Field("flags"));
        reject(16, 0xea, FormatError::Field("length"));
        reject(98, 2, FormatError::Field("meta"));
        reject(103, 0xff, FormatError::Field("length"));
        reject(104, 0, FormatError::Field("length"));
        reject(0, b'X', FormatError::Magic("manifest delta"));
    }
}
