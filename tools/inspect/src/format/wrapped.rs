//! A cartridge's key, wrapped (`object-v1.md`).

use super::Uuid;
use super::fields::{Bad, Fields};

/// A cartridge key that only the owner of a wrapping key can read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct WrappedKey {
    /// The bytes that are authenticated.
    pub(crate) associated: [u8; 48],
    pub(crate) number: u32,
    pub(crate) cartridge: Uuid,
    /// Of the key that opens it.
    pub(crate) wrapping_key_id: [u8; 8],
    /// Of the key in it.
    pub(crate) key_id: [u8; 8],
    pub(crate) nonce: [u8; 12],
    pub(crate) ciphertext: [u8; 32],
    pub(crate) tag: [u8; 16],
}

impl WrappedKey {
    pub(crate) const LENGTH: usize = 128;

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Bad> {
        let fields = Fields::proven(bytes, Self::LENGTH, "CAPSTKEY", 1..=1)?;
        Ok(Self {
            associated: fields.array(0)?,
            number: fields.u32(12)?,
            cartridge: Uuid(fields.array(16)?),
            wrapping_key_id: fields.array(32)?,
            key_id: fields.array(40)?,
            nonce: fields.array(48)?,
            ciphertext: fields.array(60)?,
            tag: fields.array(92)?,
        })
    }
}
