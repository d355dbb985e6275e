//! Every record of a segment.

use std::ops::Range;

use capstan_format::segment::{RECORD_HEADER_LENGTH, RecordHeader, RecordKind, Run, RunKind};
use capstan_format::{FormatError, wide};
use capstan_store::Segment;

use super::{FindingKind, Verifier};
use crate::reader::{Reader, Source};

/// Bytes that are read at once, unless a single record is longer.
const PIECE: u64 = 4 << 20;

/// The records of one segment.
struct Records<'a> {
    segment: &'a Segment,
    source: Source<'a>,
    /// Objects from this one on are overwritten: damaged, they are lost to nobody.
    limit: u64,
}

impl Verifier<'_> {
    /// Verifies all records that the index names. Objects from `limit` on are no part of the tape.
    pub(super) fn records(&mut self, segment: &Segment, reader: &Reader, limit: u64) {
        let Some(source) = reader.source() else { return };
        let records = Records { segment, source, limit };
        for run in reader.index().runs() {
            if self.cancelled {
                return;
            }
            match run.kind {
                RunKind::Blocks { length, count } => self.blocks(&records, &run, length, count),
                RunKind::Filemarks { count } => self.filemarks(&records, &run, count),
                RunKind::Gap { objects: 0, bytes } => self.markers(&records, &run, bytes),
                RunKind::Gap { bytes, .. } => self.gap(&records, &run, bytes),
            }
        }
    }

    fn blocks(&mut self, records: &Records<'_>, run: &Run, length: u32, count: u64) {
        let record = wide(RECORD_HEADER_LENGTH) + u64::from(length);
        let piece = (PIECE / record).max(1);
        let mut next = 0;
        while next < count && !self.cancelled {
            let number = piece.min(count - next);
            // Where the disk does not give all of them, each is tried.
            let bytes = records.segment.read_from(run.record_offset(next), number.saturating_mul(record)).ok();
            for index in 0..number {
                let (offset, object) = (run.record_offset(next + index), run.start.object.saturating_add(next + index));
                let objects = object..object.saturating_add(1);
                match &bytes {
                    Some(bytes) => {
                        self.block(records, part(bytes, index.saturating_mul(record), record), offset, record, objects);
                    }
                    None => {
                        if let Some(bytes) = self.bytes(records, offset, record, &objects) {
                            self.block(records, &bytes, offset, record, objects);
                        }
                    }
                }
            }
            self.advance(number.saturating_mul(record));
            next += number;
        }
    }

    /// One record with a block, as far as its file has it.
    fn block(&mut self, records: &Records<'_>, bytes: &[u8], offset: u64, record: u64, objects: Range<u64>) {
        let short = FormatError::Short { needed: record, found: wide(bytes.len()) };
        let verified = match bytes.split_at_checked(RECORD_HEADER_LENGTH) {
            Some((header, block)) => records.source.verify(header, offset, objects.start, block),
            None => Err(short),
        };
        if let Err(error) = verified {
            self.bad_record(records, offset..offset.saturating_add(record), objects, error.to_string());
        }
    }

    fn filemarks(&mut self, records: &Records<'_>, run: &Run, count: u64) {
        let (length, objects) = (wide(RECORD_HEADER_LENGTH), run.start.object..run.end().object);
        self.advance(length);
        let Some(bytes) = self.bytes(records, run.offset, length, &objects) else { return };
        let Source { seed, epoch, .. } = records.source;
        let wrong = match RecordHeader::decode(&bytes, seed, run.offset) {
            Err(error) => error,
            Ok(record) => {
                let marks = matches!(record.kind, RecordKind::Filemarks { count: found } if u64::from(found) == count);
                if marks && (record.epoch, record.object) == (epoch, run.start.object) {
                    return;
                }
                FormatError::Field("object")
            }
        };
        self.bad_record(records, run.offset..run.offset.saturating_add(length), objects, wrong.to_string());
    }

    /// Markers hold no object. One that does not prove itself is damage all the same.
    fn markers(&mut self, records: &Records<'_>, run: &Run, bytes: u64) {
        let nothing = run.start.object..run.start.object;
        self.advance(bytes);
        let Some(found) = self.bytes(records, run.offset, bytes, &nothing) else { return };
        let length = wide(RECORD_HEADER_LENGTH);
        let mut at = 0;
        while at < bytes {
            let offset = run.offset.saturating_add(at);
            let good = RecordHeader::decode(part(&found, at, length), records.source.seed, offset)
                .is_ok_and(|record| record.kind == RecordKind::Marker && record.epoch == records.source.epoch);
            if !good {
                let place = offset..run.end_offset();
                return self.bad_record(records, place, nothing, "a marker is damaged".to_owned());
            }
            at += length;
        }
    }

    /// Objects of which no record was found.
    fn gap(&mut self, records: &Records<'_>, run: &Run, bytes: u64) {
        let objects = run.start.object..run.end().object;
        self.advance(bytes);
        let length = wide(RECORD_HEADER_LENGTH);
        let Some(found) = self.bytes(records, run.offset, length, &objects) else { return };
        let at_end = run.end_offset() >= records.segment.length();
        let (kind, what) = match RecordHeader::decode(&found, records.source.seed, run.offset) {
            Ok(_) if at_end => (FindingKind::Truncated, "the file ends inside this record".to_owned()),
            Ok(_) => (FindingKind::Record, "this is not the record that belongs here".to_owned()),
            Err(FormatError::Short { .. }) if at_end => (FindingKind::Truncated, "the file ends here".to_owned()),
            Err(error) => (FindingKind::Record, error.to_string()),
        };
        self.find(records.segment.path(), run.offset..run.end_offset(), kind, records.on_tape(objects), what);
    }

    fn bad_record(&mut self, records: &Records<'_>, place: Range<u64>, objects: Range<u64>, what: String) {
        self.find(records.segment.path(), place, FindingKind::Record, records.on_tape(objects), what);
    }

    /// Bytes of the file, or a finding that the disk does not give them.
    fn bytes(&mut self, records: &Records<'_>, offset: u64, length: u64, objects: &Range<u64>) -> Option<Vec<u8>> {
        match records.segment.read_from(offset, length) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                let (place, objects) = (offset..offset.saturating_add(length), records.on_tape(objects.clone()));
                self.find(records.segment.path(), place, FindingKind::Unreadable, objects, error.to_string());
                None
            }
        }
    }
}

impl Records<'_> {
    /// What of a range is part of the tape.
    fn on_tape(&self, objects: Range<u64>) -> Range<u64> {
        objects.start.min(self.limit)..objects.end.min(self.limit)
    }
}

fn part(bytes: &[u8], from: u64, length: u64) -> &[u8] {
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let rest = bytes.get(from..).unwrap_or_default();
    rest.get(..usize::try_from(length).unwrap_or(usize::MAX)).unwrap_or(rest)
}
