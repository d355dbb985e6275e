//! Finding the records of a segment that has no index, and telling damage from a torn tail.
//!
//! After a power cut the bytes behind the last synchronisation are any mixture of written and lost pages. So the scan
//! takes records in order up to the first that does not prove itself, and no later one is believed, unless a later
//! record says that the bad one was on stable storage already ([`RecordHeader::durable`]): then it is damage, it
//! becomes a gap of known extent, and the scan goes on behind it.

use super::run::record_length;
use super::{Header, Index, RECORD_HEADER_LENGTH, RECORDS_OFFSET, RecordHeader, RecordKind, RecordSeed};
use crate::{FormatError, checksum, wide};
use capstan_media::CartridgeId;

/// Filemarks that one record can hold.
const FILEMARKS_MAX: u64 = 0xffff_ffff;

/// What a scan found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scan {
    /// The records that count.
    pub index: Index,
    /// Objects before this one are known to have been on stable storage.
    pub durable: u64,
    /// What is damaged though it was on stable storage.
    pub damage: Vec<Stopped>,
    /// What ended the scan before the end of the bytes.
    pub stopped: Option<Stopped>,
}

/// A place where a record was expected and none that counts is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stopped {
    /// Offset in the segment.
    pub offset: u64,
    /// The object expected there.
    pub object: u64,
    /// What is wrong.
    pub error: FormatError,
}

/// Finds the records in `bytes`, a segment file up to its index if it has one.
///
/// Objects before `trusted` are known to have been on stable storage: their payloads are not checked here (reading
/// does), and what is missing among them is damage.
#[must_use]
pub fn scan(bytes: &[u8], header: &Header, trusted: u64) -> Scan {
    let seed = RecordSeed::new(header.cartridge, header.sequence);
    let mut scanner = Scanner {
        bytes,
        seed,
        epoch: header.epoch,
        swept: false,
        scan: Scan {
            index: Index::new(header.start),
            durable: trusted.max(header.durable),
            damage: Vec::new(),
            stopped: None,
        },
    };
    while scanner.step() {}
    scanner.scan
}

struct Scanner<'a> {
    bytes: &'a [u8],
    seed: RecordSeed,
    epoch: u64,
    /// Everything that later records say of durability is known.
    swept: bool,
    scan: Scan,
}

impl Scanner<'_> {
    /// Takes one record or gap; false at the end.
    fn step(&mut self) -> bool {
        let offset = self.scan.index.end_offset();
        let object = self.scan.index.end().object;
        if offset >= wide(self.bytes.len()) {
            if object < self.scan.durable {
                let error = FormatError::Short { needed: wide(RECORD_HEADER_LENGTH), found: 0 };
                self.scan.damage.push(Stopped { offset, object, error });
            }
            self.fill_up_to_trusted();
            return false;
        }
        let record = self.record(offset, object);
        match record {
            Ok(record) => {
                self.note(&record);
                match self.check_payload(&record, offset) {
                    Ok(()) => self.take(&record),
                    Err(error) => return self.bad_payload(&record, Stopped { offset, object, error }),
                }
                true
            }
            Err(error) => self.bad_header(Stopped { offset, object, error }),
        }
    }

    /// The record at `offset`, which must hold `object`.
    fn record(&self, offset: u64, object: u64) -> Result<RecordHeader, FormatError> {
        let at = usize::try_from(offset).unwrap_or(usize::MAX);
        let record = RecordHeader::decode(self.bytes.get(at..).unwrap_or_default(), self.seed, offset)?;
        if record.epoch != self.epoch {
            return Err(FormatError::Field("epoch"));
        }
        if record.object != object {
            return Err(FormatError::Field("object"));
        }
        Ok(record)
    }

    fn note(&mut self, record: &RecordHeader) {
        self.scan.durable = self.scan.durable.max(record.durable);
    }

    fn take(&mut self, record: &RecordHeader) {
        let index = &mut self.scan.index;
        match record.kind {
            RecordKind::Block { length, .. } => index.push_blocks(length, 1),
            RecordKind::Filemarks { count } => index.push_filemarks(u64::from(count)),
            RecordKind::Marker => index.push_gap(record_length(0), 0),
        }
    }

    /// The payload is all there, and matches unless it is trusted to.
    fn check_payload(&self, record: &RecordHeader, offset: u64) -> Result<(), FormatError> {
        let RecordKind::Block { length, crc: stored } = record.kind else { return Ok(()) };
        let begin = usize::try_from(offset).unwrap_or(usize::MAX).saturating_add(RECORD_HEADER_LENGTH);
        let rest = self.bytes.get(begin..).unwrap_or_default();
        let needed = u64::from(length);
        let short = FormatError::Short { needed, found: wide(rest.len()) };
        let payload = usize::try_from(length).ok().and_then(|length| rest.get(..length)).ok_or(short)?;
        if record.object < self.scan.durable {
            return Ok(());
        }
        let computed = checksum(payload);
        if stored == computed { Ok(()) } else { Err(FormatError::Checksum { stored, computed }) }
    }

    /// A good header before a bad payload: the extent is known. It counts if it had been durable.
    fn bad_payload(&mut self, record: &RecordHeader, stopped: Stopped) -> bool {
        self.sweep(stopped.offset.saturating_add(record_length(0)), stopped.object.saturating_add(1));
        if stopped.object < self.scan.durable && !matches!(stopped.error, FormatError::Short { .. }) {
            self.scan.damage.push(stopped);
            self.take(record);
            return true;
        }
        self.end(stopped)
    }

    fn bad_header(&mut self, stopped: Stopped) -> bool {
        let Some((offset, record)) = self.sweep(stopped.offset.saturating_add(1), stopped.object) else {
            return self.end(stopped);
        };
        if record.object > self.scan.durable {
            return self.end(stopped);
        }
        self.scan.damage.push(stopped);
        let (bytes, objects) = (offset - stopped.offset, record.object - stopped.object);
        let payload = bytes.checked_sub(record_length(0)).and_then(|payload| u32::try_from(payload).ok());
        match (payload, objects) {
            // What stood here is plain from its extent; reading it will say that it is damaged.
            (Some(0), 1..=FILEMARKS_MAX) => self.scan.index.push_filemarks(objects),
            (Some(length @ 1..=capstan_media::MAX_BLOCK_LENGTH), 1) => self.scan.index.push_blocks(length, 1),
            _ => self.scan.index.push_gap(bytes, objects),
        }
        true
    }

    /// Ends the scan; what was durable behind the place is lost, and said to be.
    fn end(&mut self, stopped: Stopped) -> bool {
        self.scan.stopped = Some(stopped);
        if stopped.object < self.scan.durable {
            self.scan.damage.push(stopped);
        }
        self.fill_up_to_trusted();
        false
    }

    fn fill_up_to_trusted(&mut self) {
        let index = &mut self.scan.index;
        let missing = self.scan.durable.saturating_sub(index.end().object);
        if missing > 0 {
            let rest = wide(self.bytes.len()).saturating_sub(index.end_offset());
            index.push_gap(rest, missing);
        }
    }

    /// Looks at all records of this segment from `from` on that hold `object` or later ones: notes what they say of
    /// durability (once), and gives the first.
    fn sweep(&mut self, from: u64, object: u64) -> Option<(u64, RecordHeader)> {
        let mut first = None;
        let mut at = usize::try_from(from.max(RECORDS_OFFSET)).unwrap_or(usize::MAX);
        while let Some(rest) = self.bytes.get(at..) {
            let Some(skip) = rest.iter().position(|byte| *byte == b'C') else { break };
            at += skip;
            let candidate = self.bytes.get(at..).unwrap_or_default();
            match RecordHeader::decode(candidate, self.seed, wide(at)) {
                Ok(record) if record.epoch == self.epoch && record.object >= object => {
                    self.note(&record);
                    first.get_or_insert((wide(at), record));
                    if self.swept {
                        return first;
                    }
                    at += RECORD_HEADER_LENGTH;
                }
                _ => at += 1,
            }
        }
        self.swept = true;
        first
    }
}

/// Whether a segment whose header is unreadable had been synchronised, as far as its records tell. If it was, its
/// content is lost by damage; if not, a power cut may have taken it.
#[must_use]
pub fn was_synchronised(bytes: &[u8], cartridge: CartridgeId, sequence: u64) -> bool {
    let seed = RecordSeed::new(cartridge, sequence);
    let mut first_object = u64::MAX;
    let mut at = 0;
    while let Some(skip) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'C')) {
        at += skip;
        if let Ok(record) = RecordHeader::decode(bytes.get(at..).unwrap_or_default(), seed, wide(at)) {
            first_object = first_object.min(record.object);
            if record.kind == RecordKind::Marker || record.durable > first_object {
                return true;
            }
        }
        at += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks of 100 bytes, filemarks and markers, as a writer makes them.
    struct Writer {
        header: Header,
        bytes: Vec<u8>,
        object: u64,
        durable: u64,
        offsets: Vec<usize>,
    }

    impl Writer {
        fn new() -> Self {
            let header = Header {
                cartridge: CartridgeId([7; 16]),
                partition: capstan_media::Partition(0),
                sequence: 3,
                epoch: 2,
                start: crate::Point { object: 10, filemark: 1, byte: 900 },
                durable: 10,
                ancestors: vec![crate::Ancestor { sequence: 1, start: crate::Point::default() }],
            };
            Self { bytes: header.encode(), header, object: 10, durable: 10, offsets: Vec::new() }
        }

        fn put(&mut self, kind: RecordKind, payload: &[u8]) {
            self.offsets.push(self.bytes.len());
            let record = RecordHeader { kind, object: self.object, epoch: 2, durable: self.durable };
            let seed = RecordSeed::new(self.header.cartridge, 3);
            let offset = wide(self.bytes.len());
            self.bytes.extend(record.encode(seed, offset));
            self.bytes.extend(payload);
            self.object = self.object.saturating_add(record.objects());
        }

        fn blocks(&mut self, count: u8) {
            for n in 0..count {
                let payload = [n + 1; 100];
                self.put(RecordKind::Block { length: 100, crc: checksum(&payload) }, &payload);
            }
        }

        fn synchronise(&mut self) {
            self.durable = self.object;
            self.put(RecordKind::Marker, &[]);
        }

        fn scan(&self) -> Scan {
            scan(&self.bytes, &self.header, 0)
        }
    }

    fn objects(scan: &Scan) -> u64 {
        scan.index.end().object
    }

    #[test]
    fn finds_everything_in_a_whole_segment() {
        let mut writer = Writer::new();
        writer.blocks(5);
        writer.put(RecordKind::Filemarks { count: 3 }, &[]);
        writer.synchronise();
        writer.blocks(2);
        let found = writer.scan();
        assert_eq!(found.index.end(), crate::Point { object: 20, filemark: 4, byte: 1600 });
        assert_eq!((found.durable, found.stopped), (18, None));
        assert_eq!(found.index.end_offset(), wide(writer.bytes.len()));
        assert!(found.damage.is_empty());
    }

    #[test]
    fn a_torn_tail_ends_where_it_tears_wherever_it_tears() {
        let mut writer = Writer::new();
        writer.blocks(4);
        writer.synchronise();
        writer.blocks(4);
        let torn_from = writer.offsets[5];
        for position in torn_from..writer.bytes.len() {
            let mut bytes = writer.bytes.clone();
            bytes[position] ^= 0x10;
            let found = scan(&bytes, &writer.header, 0);
            let whole = writer.offsets[5..].iter().filter(|offset| **offset + 148 <= position).count();
            assert_eq!(objects(&found), 14 + wide(whole), "damaged at {position}");
            assert!(found.damage.is_empty());
            let cut = scan(&writer.bytes[..position], &writer.header, 0);
            assert_eq!(objects(&cut), 14 + wide(whole), "cut at {position}");
        }
    }

    #[test]
    fn damage_before_a_synchronisation_costs_only_the_damaged_object() {
        let mut writer = Writer::new();
        writer.blocks(4);
        writer.put(RecordKind::Filemarks { count: 3 }, &[]);
        writer.synchronise();
        let end = writer.scan().index.end();
        for position in 1024..writer.offsets[5] {
            let mut bytes = writer.bytes.clone();
            bytes[position] ^= 0x10;
            let found = scan(&bytes, &writer.header, 0);
            assert_eq!(found.index.end(), end, "damaged at {position}");
            assert_eq!(found.index.end_offset(), wide(bytes.len()));
            assert_eq!(found.damage.len(), 1, "damaged at {position}");
            let last = |scan: &Scan| scan.index.runs().last();
            assert_eq!(last(&found), last(&writer.scan()));
        }
    }

    #[test]
    fn a_lost_page_before_a_synchronisation_is_a_gap() {
        let mut writer = Writer::new();
        writer.blocks(9);
        writer.synchronise();
        writer.blocks(1);
        writer.bytes[1100..1900].fill(0);
        let found = writer.scan();
        assert_eq!(objects(&found), 20);
        assert!(found.index.runs().any(|run| run.kind == super::super::RunKind::Gap { bytes: 5 * 148, objects: 5 }));
        assert_eq!(found.damage.len(), 2, "the payload of the first block and the lost headers");
    }

    #[test]
    fn what_was_durable_and_is_cut_off_is_still_counted() {
        let mut writer = Writer::new();
        writer.blocks(4);
        let found = scan(&writer.bytes[..1024 + 148], &writer.header, 14);
        assert_eq!(objects(&found), 14);
        // It was cut between two records, so nothing that is there is wrong: it is said all the same.
        let missing = Stopped { offset: 1024 + 148, object: 11, error: FormatError::Short { needed: 48, found: 0 } };
        assert_eq!((found.damage.as_slice(), found.stopped), (&[missing][..], None));
        assert_eq!(found.index.find(12).unwrap().kind, super::super::RunKind::Gap { bytes: 0, objects: 3 });
        let empty = scan(&[], &writer.header, 12);
        assert_eq!(objects(&empty), 12);
    }

    #[test]
    fn a_hole_with_more_filemarks_than_a_record_holds_is_a_gap() {
        let mut writer = Writer::new();
        writer.put(RecordKind::Filemarks { count: 1 }, &[]);
        writer.bytes[1030] ^= 1;
        writer.object = 1 << 63;
        writer.durable = 1 << 63;
        writer.put(RecordKind::Marker, &[]);
        let found = writer.scan();
        let runs: Vec<_> = found.index.runs().collect();
        assert_eq!(runs[0].kind, super::super::RunKind::Gap { bytes: 48, objects: (1 << 63) - 10 });
        assert_eq!(Index::decode(&found.index.encode(), writer.header.start).unwrap().end(), found.index.end());
    }

    #[test]
    fn the_last_object_that_a_number_can_name_may_be_damaged() {
        let mut writer = Writer::new();
        writer.header.start.object = u64::MAX;
        writer.bytes = writer.header.encode();
        writer.object = u64::MAX;
        writer.blocks(1);
        writer.bytes[1024 + 60] ^= 1;
        assert_eq!(objects(&writer.scan()), u64::MAX);
    }

    /// No writer leaves such a place; an index that cannot be read back behind it would hide what follows.
    #[test]
    fn a_hole_smaller_than_a_record_hides_nothing() {
        let mut writer = Writer::new();
        writer.blocks(1);
        writer.bytes.extend([0; 10]);
        writer.blocks(1);
        writer.synchronise();
        let found = writer.scan();
        assert_eq!((objects(&found), found.index.end_offset()), (12, wide(writer.bytes.len())));
        assert_eq!(found.index.find(11).unwrap().offset, 1024 + 148 + 10);
        assert_eq!(Index::decode(&found.index.encode(), writer.header.start).unwrap().end(), found.index.end());
    }

    #[test]
    fn a_copy_of_a_segment_inside_a_block_is_not_read_as_records() {
        let mut inner = Writer::new();
        inner.blocks(3);
        inner.synchronise();
        let mut writer = Writer::new();
        let payload = inner.bytes.clone();
        let length = u32::try_from(payload.len()).unwrap();
        writer.put(RecordKind::Block { length, crc: checksum(&payload) }, &payload);
        writer.bytes[1030] ^= 1;
        assert_eq!(objects(&writer.scan()), 10);
    }

    #[test]
    fn tells_a_lost_header_from_one_never_written() {
        let mut writer = Writer::new();
        writer.blocks(3);
        assert!(!was_synchronised(&writer.bytes, writer.header.cartridge, 3));
        writer.synchronise();
        writer.bytes[..1024].fill(0);
        assert!(was_synchronised(&writer.bytes, writer.header.cartridge, 3));
        assert!(!was_synchronised(&writer.bytes, writer.header.cartridge, 4));
    }
}
