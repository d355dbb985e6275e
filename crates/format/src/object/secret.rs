//! What goes into the derivation of keys, into nonces and tags. No secret comes here.

use std::fmt;

use capstan_media::CartridgeId;

use super::header::VERSION;
use super::{FrameHead, HEADER_LENGTH, Header};

/// Bytes in a nonce of AES-256-GCM.
pub const NONCE_LENGTH: usize = 12;

/// Bytes in a tag of AES-256-GCM.
pub const TAG_LENGTH: usize = 16;

/// Bytes that are authenticated with a frame.
pub const FRAME_AAD_LENGTH: usize = 48;

/// Bytes that are authenticated with the table.
pub const TABLE_AAD_LENGTH: usize = 8 + HEADER_LENGTH;

/// What is hashed before a cartridge key to get its [`KeyId`].
pub const CARTRIDGE_KEY_PREFIX: &[u8] = b"capstan cartridge key v1";

/// What is hashed before a wrapping key to get its [`KeyId`].
pub const WRAPPING_KEY_PREFIX: &[u8] = b"capstan wrapping key v1";

const OBJECT_KEY_INFO: &[u8] = b"capstan object v1";
const WRAP_INFO: &[u8] = b"capstan wrap v1";

/// Tells keys apart: the first bytes of a hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// The info from which the key of an object is derived.
#[must_use]
pub fn object_key_info(cartridge: CartridgeId, sequence: u64) -> Vec<u8> {
    [OBJECT_KEY_INFO, &cartridge.0, &sequence.to_le_bytes()].concat()
}

/// The info from which the key that wraps the key of a cartridge is derived.
#[must_use]
pub fn wrap_info(cartridge: CartridgeId) -> Vec<u8> {
    [WRAP_INFO, &cartridge.0].concat()
}

/// The nonce of frame `number`; that of the table has the number of frames.
#[must_use]
pub fn nonce(number: u64) -> [u8; NONCE_LENGTH] {
    let mut nonce = [0; NONCE_LENGTH];
    for (to, from) in nonce.iter_mut().zip(number.to_le_bytes()) {
        *to = from;
    }
    nonce
}

/// What is authenticated with frame `number`.
#[must_use]
pub fn frame_aad(header: &Header, head: FrameHead, number: u64) -> [u8; FRAME_AAD_LENGTH] {
    let last = u8::from(number.checked_add(1) == Some(header.frames()));
    let version = VERSION.to_le_bytes();
    let parts: [&[u8]; 7] = [
        b"CAPSTFRM",
        &version,
        &[last, 0],
        &head.to_number().to_le_bytes(),
        &header.cartridge.0,
        &header.sequence.to_le_bytes(),
        &number.to_le_bytes(),
    ];
    joined(&parts)
}

/// What is authenticated with the table: the header as it is stored.
#[must_use]
pub fn table_aad(header: &[u8; HEADER_LENGTH]) -> [u8; TABLE_AAD_LENGTH] {
    joined(&[b"CAPSTFTR", header])
}

fn joined<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut bytes = [0; N];
    for (to, from) in bytes.iter_mut().zip(parts.iter().copied().flatten()) {
        *to = *from;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::header::tests::sample;
    use super::*;

    #[test]
    fn what_is_authenticated_is_as_documented() {
        let mut golden = b"CAPSTFRM".to_vec();
        golden.extend([1, 0, 1, 0, 0x11, 0, 0, 0x80]);
        golden.extend([0xc7; 16]);
        golden.extend([9, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
        let head = FrameHead { length: 17, compressed: true };
        assert_eq!(frame_aad(&sample(), head, 3).as_slice(), golden);
        golden[10] = 0;
        golden[40] = 2;
        assert_eq!(frame_aad(&sample(), head, 2).as_slice(), golden);
        let header = sample().encode();
        assert_eq!(table_aad(&header).as_slice(), [b"CAPSTFTR".as_slice(), &header].concat());
    }

    #[test]
    fn nonces_and_infos_are_as_documented() {
        assert_eq!(nonce(0x0102), [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let info = object_key_info(CartridgeId(*b"0123456789abcdef"), 258);
        assert_eq!(info, b"capstan object v10123456789abcdef\x02\x01\0\0\0\0\0\0");
        assert_eq!(wrap_info(CartridgeId(*b"0123456789abcdef")), b"capstan wrap v10123456789abcdef");
        assert_eq!(KeyId([0, 1, 2, 3, 4, 5, 6, 0xff]).to_string(), "00010203040506ff");
    }
}
