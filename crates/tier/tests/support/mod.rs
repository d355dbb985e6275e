//! Segments and keys for the tests of objects.

use std::io;

use capstan_media::CartridgeId;
use capstan_tier::{CartridgeKey, ObjectError, Opener, SealOptions, Sealed, SegmentId, seal};

pub(crate) const SALT: [u8; 32] = [0x5a; 32];

pub(crate) fn segment() -> SegmentId {
    SegmentId { cartridge: CartridgeId(*b"capstan-fixture1"), sequence: 5, epoch: 2 }
}

pub(crate) fn key() -> CartridgeKey {
    CartridgeKey::new([0x11; 32])
}

/// Bytes that no compressor makes smaller, and that can be recognised: xorshift64*.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes()[7]
    };
    (0..length).map(|_| next()).collect()
}

/// Half of it can be compressed.
pub(crate) fn mixed(length: usize) -> Vec<u8> {
    let noise = noise(length);
    noise
        .chunks(1000)
        .enumerate()
        .flat_map(|(n, part)| if n % 2 == 0 { part.to_vec() } else { vec![7; part.len()] })
        .collect()
}

pub(crate) fn sealed(plain: &[u8], options: SealOptions<'_>) -> Sealed {
    seal(segment(), u64::try_from(plain.len()).unwrap(), &mut &plain[..], options).unwrap()
}

/// With frames of 4 KiB.
pub(crate) fn small(zstd: Option<i32>, key: Option<&CartridgeKey>) -> SealOptions<'_> {
    SealOptions { zstd, key: key.map(|key| (key, SALT)), frame_size: 4096 }
}

pub(crate) fn open(object: &[u8], key: Option<&CartridgeKey>) -> Result<Opener, ObjectError> {
    Opener::new("v1/x", object, u64::try_from(object.len()).unwrap(), segment(), key)
}

/// Everything that a reader checks.
pub(crate) fn whole(object: &[u8], key: Option<&CartridgeKey>) -> Result<Vec<u8>, ObjectError> {
    let mut plain = Vec::new();
    open(object, key)?.open_whole(object, |frame| -> io::Result<()> {
        plain.extend_from_slice(frame);
        Ok(())
    })?;
    Ok(plain)
}
