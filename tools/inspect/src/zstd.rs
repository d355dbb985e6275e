//! Decompression of one frame.

use std::io::Read;

use ruzstd::decoding::StreamingDecoder;

/// The content of one zstd frame that is all of `bytes`, if it has exactly `length` bytes.
pub(crate) fn decompress(mut bytes: &[u8], length: u64) -> Option<Vec<u8>> {
    let capacity = usize::try_from(length).ok()?;
    let mut plain = Vec::with_capacity(capacity);
    let mut decoder = StreamingDecoder::new(&mut bytes).ok()?;
    // One byte more than there should be tells that there is more.
    decoder.by_ref().take(length + 1).read_to_end(&mut plain).ok()?;
    (plain.len() == capacity && bytes.is_empty()).then_some(plain)
}
