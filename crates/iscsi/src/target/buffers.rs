//! Buffers that are used again, so that a steady stream of writes allocates nothing.

use bytes::BytesMut;

/// Buffers up to this size are kept, bytes.
const KEEP_MAX: usize = 1 << 20;
/// So many are kept.
const KEEP_COUNT: usize = 4;
/// Smaller ones are not worth keeping, bytes.
const KEEP_MIN: usize = 4096;

/// Gives out buffers and takes them back once all handles to their bytes are gone, wherever that happens.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// Each is empty and holds only the other end of a shared allocation.
    blocks: Vec<BytesMut>,
}

impl Buffers {
    /// An empty buffer with room for `length` bytes. The caller has checked `length`.
    pub(super) fn take(&mut self, length: usize) -> BytesMut {
        if !(KEEP_MIN..=KEEP_MAX).contains(&length) {
            return BytesMut::with_capacity(length);
        }
        if let Some(block) = self.blocks.iter_mut().find_map(|block| block.try_reclaim(length).then_some(block)) {
            return block.split_off(0);
        }
        let mut block = BytesMut::with_capacity(length.next_power_of_two());
        let buffer = block.split_off(0);
        if self.blocks.len() >= KEEP_COUNT {
            // All are in use or too small: the oldest goes, so that sizes follow what is written now.
            self.blocks.remove(0);
        }
        self.blocks.push(block);
        buffer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BufMut as _;

    #[test]
    fn a_buffer_comes_back_when_its_bytes_are_dropped() {
        let mut buffers = Buffers::default();
        let mut first = buffers.take(65536);
        let place = first.as_ptr();
        first.put_bytes(7, 65536);
        let bytes = first.freeze();
        assert_ne!(buffers.take(65536).as_ptr(), place);
        drop(bytes);
        let again = buffers.take(65000);
        assert_eq!(again.as_ptr(), place);
        assert!(again.is_empty() && again.capacity() >= 65000);
        assert!(buffers.blocks.len() <= KEEP_COUNT);
    }

    #[test]
    fn few_are_kept_whatever_is_asked_for() {
        let mut buffers = Buffers::default();
        let held: Vec<_> = (0..100).map(|step| buffers.take(4096 + step * 9000)).collect();
        assert_eq!(buffers.blocks.len(), KEEP_COUNT);
        drop(held);
        assert_eq!(buffers.take(16 << 20).capacity(), 16 << 20);
        assert_eq!(buffers.blocks.len(), KEEP_COUNT);
    }
}
