//! The key of a cartridge, encrypted with a key of the user's.

use capstan_media::CartridgeId;
use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::header::VERSION;
use super::{KeyId, NONCE_LENGTH, TAG_LENGTH};
use crate::proof::{prove, sealing_checksum};
use crate::{FormatError, wide};

/// Bytes in a wrapped key.
pub const WRAPPED_KEY_LENGTH: usize = 128;

const MAGIC: [u8; 8] = *b"CAPSTKEY";

/// The key of a cartridge, encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WrappedKey {
    /// Its number among those of the cartridge, from 1.
    pub number: u32,
    /// The cartridge.
    pub cartridge: CartridgeId,
    /// Which wrapping key opens it.
    pub wrapping_key: KeyId,
    /// Which cartridge key it is.
    pub key: KeyId,
    /// Random.
    pub nonce: [u8; NONCE_LENGTH],
    /// The cartridge key, encrypted.
    pub ciphertext: [u8; 32],
    /// Authenticates it and [`WrappedKey::aad`].
    pub tag: [u8; TAG_LENGTH],
}

impl WrappedKey {
    /// As stored.
    #[must_use]
    pub fn encode(&self) -> [u8; WRAPPED_KEY_LENGTH] {
        let mut bytes = WrappedKeyBytes {
            magic: MAGIC,
            version: VERSION.into(),
            length: U16::new(128),
            number: self.number.into(),
            cartridge: self.cartridge.0,
            wrapping_key: self.wrapping_key.0,
            key: self.key.0,
            nonce: self.nonce,
            ciphertext: self.ciphertext,
            tag: self.tag,
            reserved: [0; 16],
            crc: U32::ZERO,
        };
        bytes.crc = sealing_checksum(&bytes).into();
        zerocopy::transmute!(bytes)
    }

    /// What is authenticated with the ciphertext: everything before the nonce.
    #[must_use]
    pub fn aad(&self) -> [u8; 48] {
        self.encode().first_chunk().copied().unwrap_or([0; 48])
    }

    /// Decodes a wrapped key.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let short = FormatError::Short { needed: wide(WRAPPED_KEY_LENGTH), found: wide(bytes.len()) };
        let raw = WrappedKeyBytes::read_from_bytes(bytes).map_err(|_| short)?;
        prove(
            "wrapped key",
            (raw.magic, MAGIC),
            (raw.version.get(), VERSION),
            (raw.crc.get(), sealing_checksum(&raw)),
        )?;
        if raw.version.get() == 0 {
            return Err(FormatError::Field("version"));
        }
        if usize::from(raw.length.get()) != WRAPPED_KEY_LENGTH {
            return Err(FormatError::Field("length"));
        }
        if raw.number.get() == 0 {
            return Err(FormatError::Field("number"));
        }
        Ok(Self {
            number: raw.number.get(),
            cartridge: CartridgeId(raw.cartridge),
            wrapping_key: KeyId(raw.wrapping_key),
            key: KeyId(raw.key),
            nonce: raw.nonce,
            ciphertext: raw.ciphertext,
            tag: raw.tag,
        })
    }
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct WrappedKeyBytes {
    magic: [u8; 8],
    version: U16,
    length: U16,
    number: U32,
    cartridge: [u8; 16],
    wrapping_key: [u8; 8],
    key: [u8; 8],
    nonce: [u8; NONCE_LENGTH],
    ciphertext: [u8; 32],
    tag: [u8; TAG_LENGTH],
    reserved: [u8; 16],
    crc: U32,
}

const _: () = assert!(size_of::<WrappedKeyBytes>() == WRAPPED_KEY_LENGTH);

impl WrappedKeyBytes {}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> WrappedKey {
        WrappedKey {
            number: 2,
            cartridge: CartridgeId([0xc7; 16]),
            wrapping_key: KeyId([1; 8]),
            key: KeyId([2; 8]),
            nonce: [3; 12],
            ciphertext: [4; 32],
            tag: [5; 16],
        }
    }

    #[test]
    fn bytes_are_as_documented_both_ways() {
        let mut golden = b"CAPSTKEY\x01\0\x80\0\x02\0\0\0".to_vec();
        for (count, byte) in [(16, 0xc7), (8, 1), (8, 2), (12, 3), (32, 4), (16, 5), (16, 0)] {
            golden.extend(vec![byte; count]);
        }
        golden.extend(crc32c::crc32c(&golden).to_le_bytes());
        assert_eq!(sample().encode().as_slice(), golden);
        assert_eq!(sample().aad().as_slice(), &golden[..48]);
        assert_eq!(WrappedKey::decode(&golden), Ok(sample()));
        assert_eq!(WrappedKey::decode(&golden[..127]), Err(FormatError::Short { needed: 128, found: 127 }));
        assert_eq!(
            WrappedKey::decode(&WrappedKey { number: 0, ..sample() }.encode()),
            Err(FormatError::Field("number"))
        );
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let bytes = sample().encode();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(WrappedKey::decode(&damaged).is_err(), "bit {bit}");
        }
    }
}
