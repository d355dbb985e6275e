//! The library's state as bytes, laid out by hand: see `docs/format/library-state-v1.md`.

use std::collections::BTreeMap;

use capstan_media::{Barcode, CartridgeId, ElementAddress, Place};

use crate::tables::{MAX_ROWS, place, place_key};
use crate::{CartridgeRow, CartridgeState, IdentityRow, PlaceRow, State};

const MAGIC: &[u8; 8] = b"CAPSTLIB";
const VERSION: u16 = 1;
const HEADER: usize = 64;
const CARTRIDGE: usize = 80;
const PLACE: usize = 32;
const CRC: usize = 4;

const IDENTITY: u16 = 1;
const STOCKED: u16 = 1 << 1;

const BY_OPERATOR: u8 = 1;
const THREADED: u8 = 1 << 1;
const HAS_SOURCE: u8 = 1 << 2;

/// Why bytes are no state.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ImageError {
    /// Fewer bytes than there should be.
    #[error("it ends too early")]
    Short,
    /// Something else, or never written.
    #[error("no library state begins here")]
    Magic,
    /// Written by a newer release.
    #[error("version {0} is newer than this release can read (up to {VERSION})")]
    NewerVersion(u16),
    /// The bytes do not match their checksum.
    #[error("its checksum is wrong")]
    Checksum,
    /// The checksum holds, and this has a value that no writer writes.
    #[error("{0} has an impossible value")]
    Field(&'static str),
}

/// One copy of the state. `mark`: zeros, or what tells it from others after the same change.
pub(crate) fn encode(state: &State, revision: u64, mark: [u8; 8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER + state.cartridges.len() * CARTRIDGE + state.places.len() * PLACE + CRC);
    let identity = state.identity;
    let flags = if identity.is_some() { IDENTITY } else { 0 };
    let stocked = if identity.is_some_and(|identity| identity.stocked) { STOCKED } else { 0 };
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    out.extend(MAGIC);
    out.extend(VERSION.to_le_bytes());
    out.extend((flags | stocked).to_le_bytes());
    out.extend(count(state.cartridges.len()).to_le_bytes());
    out.extend(count(state.places.len()).to_le_bytes());
    out.extend([0; 4]);
    out.extend(revision.to_le_bytes());
    out.extend(identity.map(|identity| identity.uuid).unwrap_or_default());
    out.extend(identity.map(|identity| identity.created).unwrap_or_default().to_le_bytes());
    out.extend(mark);
    for (id, row) in &state.cartridges {
        let mut barcode = [0; 32];
        for (to, from) in barcode.iter_mut().zip(row.barcode.as_str().bytes()) {
            *to = from;
        }
        out.extend(id.0);
        out.extend(barcode);
        out.extend(row.capacity.to_le_bytes());
        out.extend(row.created.to_le_bytes());
        out.extend([row.state as u8]);
        out.extend([0; 15]);
    }
    for (at, row) in &state.places {
        let (kind, number) = place_key(*at);
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let flags = flag(row.placed_by_operator, BY_OPERATOR) | flag(row.threaded, THREADED);
        out.extend(row.cartridge.0);
        out.extend([kind, flags | flag(row.source.is_some(), HAS_SOURCE)]);
        out.extend(number.to_le_bytes());
        out.extend(row.source.map_or(0, |source| source.0).to_le_bytes());
        out.extend([0; 10]);
    }
    out.extend(crc32c::crc32c(&out).to_le_bytes());
    out
}

/// The state at the beginning of `bytes`, and its revision.
pub(crate) fn decode(bytes: &[u8]) -> Result<(u64, State), ImageError> {
    let mut header = Fields(bytes.get(..HEADER).ok_or(ImageError::Short)?);
    if header.take::<8>()? != *MAGIC {
        return Err(ImageError::Magic);
    }
    let version = u16::from_le_bytes(header.take()?);
    if version > VERSION {
        return Err(ImageError::NewerVersion(version));
    }
    let flags = u16::from_le_bytes(header.take()?);
    let (cartridges, places) = (header.count()?, header.count()?);
    let length = HEADER + cartridges * CARTRIDGE + places * PLACE;
    let (covered, rest) = bytes.split_at_checked(length).ok_or(ImageError::Short)?;
    let crc = u32::from_le_bytes(*rest.first_chunk().ok_or(ImageError::Short)?);
    if crc32c::crc32c(covered) != crc {
        return Err(ImageError::Checksum);
    }
    if version == 0 || flags & !(IDENTITY | STOCKED) != 0 {
        return Err(ImageError::Field("the header"));
    }
    header.take::<4>()?;
    let revision = u64::from_le_bytes(header.take()?);
    let (uuid, created) = (header.take()?, u64::from_le_bytes(header.take()?));
    let identity = (flags & IDENTITY != 0).then_some(IdentityRow { uuid, created, stocked: flags & STOCKED != 0 });
    let mut rows = Fields(covered.get(HEADER..).unwrap_or_default());
    let cartridges: BTreeMap<_, _> = (0..cartridges).map(|_| rows.cartridge()).collect::<Result<_, _>>()?;
    let places: BTreeMap<_, _> = (0..places).map(|_| rows.place()).collect::<Result<_, _>>()?;
    Ok((revision, State { identity, cartridges, places }))
}

/// Bytes that are taken field by field.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], ImageError> {
        let (field, rest) = self.0.split_first_chunk::<N>().ok_or(ImageError::Short)?;
        self.0 = rest;
        Ok(*field)
    }

    /// A number of rows, of which there are no more than memory holds.
    fn count(&mut self) -> Result<usize, ImageError> {
        let count = u32::from_le_bytes(self.take()?);
        let possible = u64::from(count) <= MAX_ROWS;
        usize::try_from(count).ok().filter(|_| possible).ok_or(ImageError::Field("a number of rows"))
    }

    fn cartridge(&mut self) -> Result<(CartridgeId, CartridgeRow), ImageError> {
        let (id, label) = (CartridgeId(self.take()?), self.take::<32>()?);
        let (capacity, created) = (u64::from_le_bytes(self.take()?), u64::from_le_bytes(self.take()?));
        let [number] = self.take()?;
        self.take::<15>()?;
        let text = std::str::from_utf8(&label).map_err(|_| ImageError::Field("a barcode"))?;
        let barcode = Barcode::new(text.trim_end_matches('\0')).map_err(|_| ImageError::Field("a barcode"))?;
        let state = CartridgeState::ALL.into_iter().find(|state| *state as u8 == number);
        let state = state.ok_or(ImageError::Field("the state of a cartridge"))?;
        Ok((id, CartridgeRow { barcode, capacity, state, created }))
    }

    fn place(&mut self) -> Result<(Place, PlaceRow), ImageError> {
        let cartridge = CartridgeId(self.take()?);
        let [kind, flags] = self.take()?;
        let (number, source) = (u16::from_le_bytes(self.take()?), u16::from_le_bytes(self.take()?));
        self.take::<10>()?;
        let at = place((kind, number)).ok_or(ImageError::Field("a place"))?;
        let row = PlaceRow {
            cartridge,
            source: (flags & HAS_SOURCE != 0).then_some(ElementAddress(source)),
            placed_by_operator: flags & BY_OPERATOR != 0,
            threaded: flags & THREADED != 0,
        };
        Ok((at, row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> State {
        let cartridge = |barcode: &str, state| CartridgeRow {
            barcode: Barcode::new(barcode).unwrap(),
            capacity: 10 << 30,
            state,
            created: 0x6b49_d200,
        };
        let holds = |id| PlaceRow {
            cartridge: CartridgeId([id; 16]),
            source: None,
            placed_by_operator: false,
            threaded: false,
        };
        State {
            identity: Some(IdentityRow { uuid: [9; 16], created: 0x6b49_d200, stocked: true }),
            cartridges: [
                (CartridgeId([1; 16]), cartridge("CAP001L8", CartridgeState::Available)),
                (CartridgeId([2; 16]), cartridge(&"Z".repeat(32), CartridgeState::Deleting)),
            ]
            .into(),
            places: [
                (Place::Io(3), PlaceRow { placed_by_operator: true, ..holds(1) }),
                (Place::Drive(9), PlaceRow { source: Some(ElementAddress(1001)), threaded: true, ..holds(2) }),
            ]
            .into(),
        }
    }

    /// Byte for byte as `docs/format/library-state-v1.md` says.
    fn golden() -> Vec<u8> {
        let mut bytes = b"CAPSTLIB".to_vec();
        bytes.extend([1, 0, 3, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([0x05, 1, 0, 0, 0, 0, 0, 0]);
        bytes.extend([9; 16]);
        bytes.extend([0, 0xd2, 0x49, 0x6b, 0, 0, 0, 0]);
        bytes.extend([0; 8]);
        for (id, barcode, state) in [(1, "CAP001L8", 2), (2, "ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ", 10)] {
            bytes.extend([id; 16]);
            bytes.extend(barcode.bytes());
            bytes.extend(vec![0; 32 - barcode.len()]);
            bytes.extend([0, 0, 0, 0x80, 2, 0, 0, 0]);
            bytes.extend([0, 0xd2, 0x49, 0x6b, 0, 0, 0, 0, state]);
            bytes.extend([0; 15]);
        }
        bytes.extend([1; 16]);
        bytes.extend([2, 1, 3, 0, 0, 0]);
        bytes.extend([0; 10]);
        bytes.extend([2; 16]);
        bytes.extend([3, 6, 9, 0, 0xe9, 3]);
        bytes.extend([0; 10]);
        let crc = crc32c::crc32c(&bytes);
        bytes.extend(crc.to_le_bytes());
        bytes
    }

    #[test]
    fn bytes_are_as_documented_both_ways() {
        assert_eq!(encode(&sample(), 0x105, [0; 8]), golden());
        assert_eq!(decode(&golden()), Ok((0x105, sample())));
        let marked = encode(&sample(), 0x105, [5; 8]);
        assert_eq!((&marked[56..64], decode(&marked)), (&[5; 8][..], Ok((0x105, sample()))));
        let longer = [golden(), vec![7; 100]].concat();
        assert_eq!(decode(&longer), Ok((0x105, sample())));
        assert_eq!(decode(&encode(&State::default(), 0, [0; 8])), Ok((0, State::default())));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_seen() {
        let bytes = golden();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&damaged).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert_eq!(decode(&bytes[..length]), Err(ImageError::Short), "{length}");
        }
    }

    #[test]
    fn impossible_values_are_named() {
        let reject = |offset: usize, value: u8, error: ImageError| {
            let mut bytes = golden();
            bytes[offset] = value;
            let length = bytes.len() - 4;
            let crc = crc32c::crc32c(&bytes[..length]);
            bytes[length..].copy_from_slice(&crc.to_le_bytes());
            assert_eq!(decode(&bytes), Err(error));
        };
        reject(0, b'X', ImageError::Magic);
        reject(8, 2, ImageError::NewerVersion(2));
        reject(8, 0, ImageError::Field("the header"));
        reject(10, 4, ImageError::Field("the header"));
        reject(15, 1, ImageError::Field("a number of rows"));
        reject(64 + 16, b'c', ImageError::Field("a barcode"));
        reject(64 + 64, 11, ImageError::Field("the state of a cartridge"));
        reject(64 + 160 + 16, 4, ImageError::Field("a place"));
    }
}
