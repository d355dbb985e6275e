//! What a block holds: it follows from the seed, the cartridge and the block's serial number, and says so itself.
//!
//! Serial numbers are never used twice, so an old block at a new place, a block of another cartridge and a damaged
//! block are three different findings. Blocks too short for a header are noise, and compared all the same.

use bytes::{BufMut, Bytes, BytesMut};

use crate::random::Random;

const MAGIC: &[u8; 4] = b"CRSH";

/// Magic, barcode, serial number, length, checksum of the header before it and of all that follows.
const HEADER: usize = 4 + BARCODE + 8 + 4 + CHECKSUM;
const BARCODE: usize = 8;
const CHECKSUM: usize = 4;

/// The block with this serial number.
pub(crate) fn content(seed: u64, barcode: &str, serial: u64, length: u32) -> Bytes {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let mut noise = Random::new(seed ^ serial.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(checksum_of(barcode)));
    let mut block = BytesMut::with_capacity(length.saturating_add(8));
    if length >= HEADER {
        block.put_slice(MAGIC);
        block.put_slice(&padded(barcode));
        block.put_u64_le(serial);
        block.put_u32_le(u32::try_from(length).unwrap_or(u32::MAX));
        block.put_u32_le(0);
    }
    while block.len() < length {
        block.put_u64_le(noise.next());
    }
    block.truncate(length);
    if length >= HEADER {
        let checksum = sum(&block).to_le_bytes();
        for (to, from) in block.iter_mut().skip(HEADER - CHECKSUM).zip(checksum) {
            *to = from;
        }
    }
    block.freeze()
}

/// What a block that is not the expected one says of itself.
pub(crate) fn describe(block: &[u8]) -> String {
    let length = block.len();
    let Some(header) = block.first_chunk::<HEADER>().filter(|header| header.starts_with(MAGIC)) else {
        return format!("{length} bytes without a header of ours");
    };
    let barcode = String::from_utf8_lossy(header.get(4..4 + BARCODE).unwrap_or_default()).trim().to_owned();
    let serial = field(header, 4 + BARCODE);
    let claims = u32::try_from(field(header, 12 + BARCODE) & u64::from(u32::MAX)).unwrap_or(0);
    let stored = u32::try_from(field(header, 12 + BARCODE) >> 32).unwrap_or(0);
    let sound = if stored == sum(block) { "sound" } else { "DAMAGED" };
    format!("{length} bytes that say: cartridge {barcode}, serial {serial}, {claims} bytes; {sound}")
}

fn field(header: &[u8], at: usize) -> u64 {
    header.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn padded(barcode: &str) -> [u8; BARCODE] {
    let mut padded = [b' '; BARCODE];
    for (to, from) in padded.iter_mut().zip(barcode.bytes()) {
        *to = from;
    }
    padded
}

fn checksum_of(barcode: &str) -> u32 {
    crc32c::crc32c(barcode.as_bytes())
}

/// The checksum of a block whose own field does not count.
fn sum(block: &[u8]) -> u32 {
    let (header, rest) = block.split_at_checked(HEADER).unwrap_or((block, &[]));
    let header = header.get(..HEADER - CHECKSUM).unwrap_or(header);
    crc32c::crc32c_append(crc32c::crc32c(header), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_the_same_each_time_and_no_other() {
        let block = content(1, "CAP001L8", 7, 100);
        assert_eq!(block.len(), 100);
        assert_eq!(block, content(1, "CAP001L8", 7, 100));
        for other in [content(2, "CAP001L8", 7, 100), content(1, "CAP002L8", 7, 100), content(1, "CAP001L8", 8, 100)] {
            assert_ne!(block, other);
        }
        for length in 1..200 {
            assert_eq!(content(1, "CAP001L8", 7, length).len(), usize::try_from(length).unwrap());
        }
    }

    #[test]
    fn a_stray_block_says_what_it_is() {
        let block = content(1, "CAP001L8", 7, 100);
        assert_eq!(describe(&block), "100 bytes that say: cartridge CAP001L8, serial 7, 100 bytes; sound");
        let mut damaged = block.to_vec();
        damaged[99] ^= 1;
        assert_eq!(describe(&damaged), "100 bytes that say: cartridge CAP001L8, serial 7, 100 bytes; DAMAGED");
        assert_eq!(describe(b"short"), "5 bytes without a header of ours");
    }
}
