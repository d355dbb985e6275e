//! The frames that a reader has in memory.

use std::collections::BTreeMap;

use bytes::Bytes;

/// Frames that are kept besides the run that is read: the last one of a segment holds its index.
const KEPT: usize = 12;

/// Frames by number.
#[derive(Default, Debug)]
pub(super) struct FrameCache {
    frames: BTreeMap<u64, (u64, Bytes)>,
    clock: u64,
}

impl FrameCache {
    pub(super) fn has(&self, frame: u64) -> bool {
        self.frames.contains_key(&frame)
    }

    pub(super) fn get(&mut self, frame: u64) -> Option<Bytes> {
        self.clock += 1;
        let (used, bytes) = self.frames.get_mut(&frame)?;
        *used = self.clock;
        Some(bytes.clone())
    }

    /// Takes frames in; those that were not used for the longest time go.
    pub(super) fn put(&mut self, first: u64, frames: &[Bytes]) {
        for (number, bytes) in (first..).zip(frames) {
            self.clock += 1;
            self.frames.insert(number, (self.clock, bytes.clone()));
        }
        while self.frames.len() > KEPT.max(frames.len() + 2) {
            let oldest = self.frames.iter().min_by_key(|(_, (used, _))| *used).map(|(number, _)| *number);
            oldest.and_then(|number| self.frames.remove(&number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let mut cache = FrameCache::default();
        let frame = |number: u8| Bytes::from(vec![number]);
        cache.put(63, &[frame(63)]);
        for number in 0..40 {
            assert_eq!(cache.get(63), Some(frame(63)));
            cache.put(number, &[frame(u8::try_from(number).unwrap())]);
        }
        assert_eq!((cache.get(39), cache.get(0)), (Some(frame(39)), None));
        assert_eq!(cache.frames.len(), KEPT);
    }
}
