//! The index of a segment: which record holds which object.
//!
//! Kept in memory as it is stored, as run-length entries in seven-bit groups, with a checkpoint every
//! [`ENTRIES_PER_CHECKPOINT`] of them. So a million blocks of mixed sizes take 4 MB, not 40, and a lookup is a binary
//! search and the decoding of a few dozen entries.

use capstan_media::MAX_BLOCK_LENGTH;

use super::RECORDS_OFFSET;
use super::run::{Run, RunKind};
use super::varint;
use crate::{Point, wide};

const ENTRIES_PER_CHECKPOINT: u32 = 64;

const BLOCK: u64 = 0;
const BLOCKS: u64 = 1;
const FILEMARKS: u64 = 2;
const GAP: u64 = 3;

/// Where an index stops making sense: byte of its encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("entry at byte {0} of the index is malformed")]
pub struct IndexError(pub u64);

/// Which record of a segment holds which object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Index {
    start: Point,
    encoded: Vec<u8>,
    checkpoints: Vec<Checkpoint>,
    /// Entries since the last checkpoint.
    entries: u32,
    /// The last run, which may still grow and is not in `encoded`.
    last: Option<Run>,
    end: Point,
    end_offset: u64,
}

/// The state of a decoder before the entry at byte `at`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Checkpoint {
    point: Point,
    offset: u64,
    at: usize,
}

impl Index {
    /// The index of a segment without records that begins at `start`.
    #[must_use]
    pub fn new(start: Point) -> Self {
        Self {
            start,
            encoded: Vec::new(),
            checkpoints: Vec::new(),
            entries: 0,
            last: None,
            end: start,
            end_offset: RECORDS_OFFSET,
        }
    }

    /// The place before its first object.
    #[must_use]
    pub fn start(&self) -> Point {
        self.start
    }

    /// The place after its last object.
    #[must_use]
    pub fn end(&self) -> Point {
        self.end
    }

    /// Offset after the last record.
    #[must_use]
    pub fn end_offset(&self) -> u64 {
        self.end_offset
    }

    /// At most as many bytes as [`Index::encode`] gives.
    #[must_use]
    pub fn encoded_length_limit(&self) -> u64 {
        wide(self.encoded.len()) + 20
    }

    /// Appends `count` blocks of `length` bytes.
    pub fn push_blocks(&mut self, length: u32, count: u64) {
        if count == 0 {
            return;
        }
        if let Some(Run { kind: RunKind::Blocks { length: same, count: before }, .. }) = &mut self.last
            && *same == length
        {
            *before = before.saturating_add(count);
            self.advance();
        } else {
            self.push(RunKind::Blocks { length, count });
        }
    }

    /// Appends a record of `count` filemarks.
    pub fn push_filemarks(&mut self, count: u64) {
        self.push(RunKind::Filemarks { count });
    }

    /// Appends `bytes` bytes in which no object, or `objects` unreadable ones are.
    pub fn push_gap(&mut self, bytes: u64, objects: u64) {
        self.push(RunKind::Gap { bytes, objects });
    }

    fn push(&mut self, kind: RunKind) {
        self.flush();
        self.last = Some(Run { start: self.end, offset: self.end_offset, kind });
        self.advance();
    }

    fn advance(&mut self) {
        if let Some(run) = &self.last {
            self.end = run.end();
            self.end_offset = run.end_offset();
        }
    }

    /// Moves the last run into `encoded`.
    fn flush(&mut self) {
        if let Some(run) = self.last.take() {
            if self.entries == 0 {
                self.checkpoints.push(Checkpoint { point: run.start, offset: run.offset, at: self.encoded.len() });
            }
            self.entries = (self.entries + 1) % ENTRIES_PER_CHECKPOINT;
            encode_entry(&mut self.encoded, run.kind);
        }
    }

    /// The run that holds `object`, or `None` outside the segment.
    #[must_use]
    pub fn find(&self, object: u64) -> Option<Run> {
        if object < self.start.object || object >= self.end.object {
            return None;
        }
        let checkpoint = self.checkpoints.partition_point(|c| c.point.object <= object);
        self.runs_from(checkpoint.saturating_sub(1)).find(|run| object < run.end().object)
    }

    /// The filemark with `number` filemarks before it: its object, or `None` outside the segment.
    #[must_use]
    pub fn find_filemark(&self, number: u64) -> Option<u64> {
        if number < self.start.filemark || number >= self.end.filemark {
            return None;
        }
        let checkpoint = self.checkpoints.partition_point(|c| c.point.filemark <= number);
        let run = self.runs_from(checkpoint.saturating_sub(1)).find(|run| number < run.end().filemark)?;
        Some(run.start.object.saturating_add(number - run.start.filemark))
    }

    /// The place before `object`, which lies in the segment or at its end.
    #[must_use]
    pub fn point(&self, object: u64) -> Option<Point> {
        if object == self.end.object {
            return Some(self.end);
        }
        self.find(object).map(|run| run.point(object - run.start.object))
    }

    /// All runs in order.
    pub fn runs(&self) -> impl Iterator<Item = Run> + '_ {
        self.runs_from(0)
    }

    fn runs_from(&self, checkpoint: usize) -> impl Iterator<Item = Run> + '_ {
        let begin = Checkpoint { point: self.start, offset: RECORDS_OFFSET, at: 0 };
        let Checkpoint { mut point, mut offset, at } = self.checkpoints.get(checkpoint).copied().unwrap_or(begin);
        let mut rest = self.encoded.get(at..).unwrap_or_default();
        let stored = std::iter::from_fn(move || {
            let run = Run { start: point, offset, kind: take_entry(&mut rest)? };
            (point, offset) = (run.end(), run.end_offset());
            Some(run)
        });
        stored.chain(self.last)
    }

    /// The index as it stands in a sealed segment.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.encoded.clone();
        if let Some(run) = &self.last {
            encode_entry(&mut bytes, run.kind);
        }
        bytes
    }

    /// Decodes an index. That it ends where the trailer says is the caller's to check.
    ///
    /// # Errors
    /// [`IndexError`] names the first entry that no writer writes.
    pub fn decode(bytes: &[u8], start: Point) -> Result<Self, IndexError> {
        let mut index = Self::new(start);
        let mut rest = bytes;
        while !rest.is_empty() {
            let at = IndexError(wide(bytes.len() - rest.len()));
            let kind = take_entry(&mut rest).ok_or(at)?;
            index.push(kind);
        }
        Ok(index)
    }
}

fn encode_entry(bytes: &mut Vec<u8>, kind: RunKind) {
    let tagged = |value: u64, tag: u64| (value << 2) | tag;
    match kind {
        RunKind::Blocks { length, count: 1 } => varint::push(bytes, tagged(u64::from(length), BLOCK)),
        RunKind::Blocks { length, count } => {
            varint::push(bytes, tagged(u64::from(length), BLOCKS));
            varint::push(bytes, count);
        }
        RunKind::Filemarks { count } => varint::push(bytes, tagged(count, FILEMARKS)),
        RunKind::Gap { bytes: length, objects } => {
            varint::push(bytes, tagged(length, GAP));
            varint::push(bytes, objects);
        }
    }
}

fn take_entry(bytes: &mut &[u8]) -> Option<RunKind> {
    let first = varint::take(bytes)?;
    let (value, tag) = (first >> 2, first & 3);
    match tag {
        BLOCK | BLOCKS => {
            let length = u32::try_from(value).ok().filter(|length| (1..=MAX_BLOCK_LENGTH).contains(length))?;
            let count = if tag == BLOCK { 1 } else { varint::take(bytes)? };
            (count > 0).then_some(RunKind::Blocks { length, count })
        }
        FILEMARKS => (value > 0).then_some(RunKind::Filemarks { count: value }),
        _ => {
            let objects = varint::take(bytes)?;
            (value > 0 || objects > 0).then_some(RunKind::Gap { bytes: value, objects })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Point = Point { object: 1000, filemark: 5, byte: 1 << 40 };

    fn sample() -> Index {
        let mut index = Index::new(START);
        index.push_blocks(65_536, 1);
        index.push_blocks(65_536, 9);
        index.push_filemarks(2);
        index.push_gap(48, 0);
        index.push_blocks(1, 1);
        index
    }

    #[test]
    fn bytes_are_as_documented_both_ways() {
        let golden = [0x81, 0x80, 0x10, 10, 0x0a, 0xc3, 0x01, 0, 0x04];
        assert_eq!(sample().encode(), golden);
        let decoded = Index::decode(&golden, START).unwrap();
        assert_eq!(decoded.runs().collect::<Vec<_>>(), sample().runs().collect::<Vec<_>>());
        assert_eq!(decoded.end(), Point { object: 1013, filemark: 7, byte: (1 << 40) + 655_361 });
        assert_eq!(decoded.end_offset(), 1024 + 10 * (48 + 65_536) + 48 + 48 + 49);
    }

    #[test]
    fn finds_objects_and_filemarks() {
        let index = sample();
        let run = index.find(1003).unwrap();
        assert_eq!(run.record_offset(3), 1024 + 3 * 65_584);
        assert_eq!(index.find(1011).unwrap().kind, RunKind::Filemarks { count: 2 });
        assert_eq!(index.find(1012).unwrap().kind, RunKind::Blocks { length: 1, count: 1 });
        assert_eq!((index.find(999), index.find(1013)), (None, None));
        assert_eq!(index.find_filemark(5), Some(1010));
        assert_eq!(index.find_filemark(6), Some(1011));
        assert_eq!((index.find_filemark(4), index.find_filemark(7)), (None, None));
        assert_eq!(index.point(1011), Some(Point { object: 1011, filemark: 6, byte: (1 << 40) + 655_360 }));
        assert_eq!(index.point(1013), Some(index.end()));
    }

    #[test]
    fn many_mixed_blocks_take_four_bytes_each_and_are_found() {
        let mut index = Index::new(Point::default());
        let length = |n: u32| MAX_BLOCK_LENGTH - n % 1000;
        let mut bytes = 0;
        for n in 0..5000 {
            index.push_blocks(length(n), 1);
            bytes += u64::from(length(n));
            if n % 100 == 99 {
                index.push_filemarks(1);
            }
        }
        let encoded = index.encode();
        assert!(encoded.len() <= 4 * 5000 + 50, "{}", encoded.len());
        let decoded = Index::decode(&encoded, Point::default()).unwrap();
        assert_eq!(decoded.end(), Point { object: 5050, filemark: 50, byte: bytes });
        for index in [&index, &decoded] {
            let mut object = 0;
            for run in index.runs() {
                assert_eq!(index.find(object), Some(run));
                object += run.objects();
            }
            for number in 0..50 {
                assert_eq!(index.find_filemark(number), Some(number * 101 + 100));
            }
        }
    }

    #[test]
    fn malformed_entries_are_named() {
        let refused = |bytes: &[u8], at| assert_eq!(Index::decode(bytes, START), Err(IndexError(at)), "{bytes:?}");
        refused(&[0x00], 0);
        refused(&[0x04, 0x02], 1);
        refused(&[0x05, 0x00], 0);
        refused(&[0x05], 0);
        refused(&[0x80], 0);
        refused(&[0x03, 0x00], 0);
        refused(&[0x04, 0x80, 0x80, 0x80, 0x20], 1);
    }
}
