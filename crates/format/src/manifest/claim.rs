//! Whose a barcode is, and which gateways there are.

use capstan_media::{Barcode, CartridgeId, GatewayId};
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::proof::{prove, sealing_checksum};
use crate::{FormatError, wide};

/// Bytes in a claim.
pub const CLAIM_LENGTH: usize = 256;

const NAME_LENGTH: usize = 128;
const MAGIC: [u8; 8] = *b"CAPSTCLM";
const VERSION: u16 = 1;

/// What somebody claims.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// Who.
    pub gateway: GatewayId,
    /// What.
    pub kind: ClaimKind,
    /// Random: by it a gateway knows its own claim again.
    pub nonce: [u8; 16],
    /// When: milliseconds since 1970 UTC.
    pub created: u64,
}

/// What can be claimed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClaimKind {
    /// A barcode, for a cartridge.
    Barcode(Barcode, CartridgeId),
    /// The gateway itself, under this name.
    Gateway(String),
}

impl Claim {
    /// As stored, or `None` if the gateway's name cannot be: it has 1 to 128 bytes and no control characters.
    #[must_use]
    pub fn encode(&self) -> Option<[u8; CLAIM_LENGTH]> {
        let (kind, text, cartridge) = match &self.kind {
            ClaimKind::Barcode(barcode, cartridge) => (1, barcode.as_str(), cartridge.0),
            ClaimKind::Gateway(name) if is_name(name) => (2, name.as_str(), [0; 16]),
            ClaimKind::Gateway(_) => return None,
        };
        let mut name = [0; NAME_LENGTH];
        name.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        let mut bytes = ClaimBytes {
            magic: MAGIC,
            version: VERSION.into(),
            kind: U16::new(kind),
            zero: [0; 4],
            gateway: self.gateway.0,
            cartridge,
            nonce: self.nonce,
            created: self.created.into(),
            zeros: [0; 8],
            name,
            reserved: [0; 44],
            crc: U32::ZERO,
        };
        bytes.crc = sealing_checksum(&bytes).into();
        Some(zerocopy::transmute!(bytes))
    }

    /// Decodes a claim.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let short = FormatError::Short { needed: wide(CLAIM_LENGTH), found: wide(bytes.len()) };
        let raw = ClaimBytes::read_from_bytes(bytes).map_err(|_| short)?;
        prove("claim", (raw.magic, MAGIC), (raw.version.get(), VERSION), (raw.crc.get(), sealing_checksum(&raw)))?;
        if raw.version.get() == 0 {
            return Err(FormatError::Field("version"));
        }
        Ok(Self { gateway: GatewayId(raw.gateway), kind: raw.kind()?, nonce: raw.nonce, created: raw.created.get() })
    }
}

fn is_name(name: &str) -> bool {
    (1..=NAME_LENGTH).contains(&name.len()) && !name.chars().any(char::is_control)
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct ClaimBytes {
    magic: [u8; 8],
    version: U16,
    kind: U16,
    zero: [u8; 4],
    gateway: [u8; 16],
    cartridge: [u8; 16],
    nonce: [u8; 16],
    created: U64,
    zeros: [u8; 8],
    name: [u8; NAME_LENGTH],
    reserved: [u8; 44],
    crc: U32,
}

const _: () = assert!(size_of::<ClaimBytes>() == CLAIM_LENGTH);

impl ClaimBytes {
    fn kind(&self) -> Result<ClaimKind, FormatError> {
        let field = FormatError::Field("name");
        let name = std::str::from_utf8(&self.name).map_err(|_| field)?.trim_end_matches('\0');
        match self.kind.get() {
            1 => Ok(ClaimKind::Barcode(Barcode::new(name).map_err(|_| field)?, CartridgeId(self.cartridge))),
            2 if self.cartridge != [0; 16] => Err(FormatError::Field("cartridge")),
            2 if is_name(name) => Ok(ClaimKind::Gateway(name.to_owned())),
            2 => Err(field),
            _ => Err(FormatError::Field("kind")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn barcode() -> Claim {
        let kind = ClaimKind::Barcode(Barcode::new("CAP001L8").unwrap(), CartridgeId([0xc7; 16]));
        Claim { gateway: GatewayId([0x11; 16]), kind, nonce: [0x22; 16], created: 0x0102_0304 }
    }

    fn gateway(name: &str) -> Claim {
        Claim { kind: ClaimKind::Gateway(name.to_owned()), ..barcode() }
    }

    /// Byte for byte as `docs/format/manifest-v1.md` says.
    fn golden(kind: u8, cartridge: u8, name: &str) -> Vec<u8> {
        let mut bytes = b"CAPSTCLM".to_vec();
        bytes.extend([1, 0, kind, 0, 0, 0, 0, 0]);
        bytes.extend([0x11; 16]);
        bytes.extend([cartridge; 16]);
        bytes.extend([0x22; 16]);
        bytes.extend([4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(name.as_bytes());
        bytes.resize(252, 0);
        bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }

    #[test]
    fn bytes_are_as_documented_both_ways() {
        assert_eq!(barcode().encode().unwrap().as_slice(), golden(1, 0xc7, "CAP001L8"));
        assert_eq!(Claim::decode(&golden(1, 0xc7, "CAP001L8")), Ok(barcode()));
        assert_eq!(gateway("büro 1").encode().unwrap().as_slice(), golden(2, 0, "büro 1"));
        assert_eq!(Claim::decode(&golden(2, 0, "büro 1")), Ok(gateway("büro 1")));
        let longest = gateway(&"x".repeat(128));
        assert_eq!(Claim::decode(&longest.encode().unwrap()), Ok(longest));
    }

    #[test]
    fn names_that_cannot_be_stored_are_refused_both_ways() {
        for name in ["", "a\nb", "a\0b", &"x".repeat(129)] {
            assert_eq!(gateway(name).encode(), None, "{name:?}");
        }
        let refused = |kind, cartridge, name| Claim::decode(&golden(kind, cartridge, name));
        assert_eq!(refused(1, 0xc7, "cap"), Err(FormatError::Field("name")));
        assert_eq!(refused(2, 0, ""), Err(FormatError::Field("name")));
        assert_eq!(refused(2, 0, "a\0b"), Err(FormatError::Field("name")));
        assert_eq!(refused(2, 1, "a"), Err(FormatError::Field("cartridge")));
        assert_eq!(refused(3, 0, "a"), Err(FormatError::Field("kind")));
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let bytes = barcode().encode().unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Claim::decode(&damaged).is_err(), "bit {bit}");
        }
        let mut newer = bytes;
        newer[8] = 2;
        assert_eq!(Claim::decode(&newer), Err(FormatError::NewerVersion { version: 2, known: 1 }));
        assert_eq!(Claim::decode(&bytes[1..]), Err(FormatError::Short { needed: 256, found: 255 }));
    }
}
