//! The segment that is being written.

use std::io::IoSlice;

use capstan_format::segment::{
    Header, Index, RECORD_HEADER_LENGTH, RECORDS_OFFSET, RecordHeader, RecordKind, RecordSeed, TRAILER_LENGTH, Trailer,
};
use capstan_format::{Point, checksum, wide};
use capstan_store::{AppendStopped, Segment, StoreError};

/// Blocks in one system call.
pub(crate) const BATCH: usize = 64;

/// The segment that is being written, at its end.
///
/// The header is written together with the first record, in one call: where there is no room for the record, the
/// file can be removed and nothing has happened.
#[derive(Debug)]
pub(crate) struct Tail {
    segment: Segment,
    header: Header,
    seed: RecordSeed,
    index: Index,
    header_is_written: bool,
    /// Something that was answered as written is not synchronised.
    unsynced: bool,
    record_headers: Vec<[u8; RECORD_HEADER_LENGTH]>,
}

/// What to append.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Append<'a> {
    /// Blocks of `length` bytes each, at least one.
    Blocks { payload: &'a [u8], length: usize },
    /// One record of filemarks, at least one.
    Filemarks(u32),
    /// Nothing: only the header of the segment, if that is not written.
    Nothing,
}

/// An append ended before all was written.
#[derive(Debug)]
pub(crate) struct Stopped {
    /// Blocks or filemarks that are written.
    pub(crate) count: u64,
    pub(crate) error: StoreError,
}

impl Tail {
    pub(crate) fn new(segment: Segment, header: Header) -> Self {
        let seed = RecordSeed::new(header.cartridge, header.sequence);
        let index = Index::new(header.start);
        let record_headers = Vec::with_capacity(BATCH);
        Self { segment, header, seed, index, header_is_written: false, unsynced: false, record_headers }
    }

    pub(crate) fn segment(&self) -> &Segment {
        &self.segment
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    pub(crate) fn seed(&self) -> RecordSeed {
        self.seed
    }

    pub(crate) fn is_unsynced(&self) -> bool {
        self.unsynced
    }

    /// How many records of `payload` bytes can be added before the sealed segment would exceed `size`. The first
    /// always can.
    pub(crate) fn room(&self, payload: usize, size: u64) -> u64 {
        let taken = self.index.end_offset() + self.index.encoded_length_limit() + wide(TRAILER_LENGTH);
        let empty = self.index.end() == self.index.start();
        records_in(size.saturating_sub(taken), payload).max(u64::from(empty))
    }

    /// The same of a new segment.
    pub(crate) fn room_in_new(payload: usize, size: u64) -> u64 {
        let taken = RECORDS_OFFSET + Index::new(Point::default()).encoded_length_limit() + wide(TRAILER_LENGTH);
        records_in(size.saturating_sub(taken), payload).max(1)
    }

    /// Appends up to [`BATCH`] blocks, or filemarks; gives how many. Objects before `durable` are on stable storage.
    pub(crate) fn append(&mut self, what: Append<'_>, durable: u64) -> Result<u64, Stopped> {
        match what {
            Append::Blocks { payload, length } => self.append_blocks(payload, length, durable),
            Append::Filemarks(count) => {
                self.append_without_payload(RecordKind::Filemarks { count }, durable)?;
                self.index.push_filemarks(u64::from(count));
                Ok(u64::from(count))
            }
            Append::Nothing => {
                let header = self.unwritten_header();
                self.write(&mut [IoSlice::new(&header)], &header)
                    .map_err(|stop| Stopped { count: 0, error: stop.error })?;
                Ok(0)
            }
        }
    }

    /// Says in the segment that everything in it is on stable storage.
    pub(crate) fn append_marker(&mut self) -> Result<(), StoreError> {
        let unsynced = self.unsynced;
        self.append_without_payload(RecordKind::Marker, self.index.end().object).map_err(|stop| stop.error)?;
        self.index.push_gap(wide(RECORD_HEADER_LENGTH), 0);
        self.unsynced = unsynced;
        Ok(())
    }

    fn append_without_payload(&mut self, kind: RecordKind, durable: u64) -> Result<(), Stopped> {
        let record = RecordHeader { kind, object: self.index.end().object, epoch: self.header.epoch, durable };
        let record = record.encode(self.seed, self.index.end_offset());
        let header = self.unwritten_header();
        let written = self.write(&mut [IoSlice::new(&header), IoSlice::new(&record)], &header);
        written.map_err(|stop| Stopped { count: 0, error: stop.error })
    }

    fn append_blocks(&mut self, payload: &[u8], length: usize, durable: u64) -> Result<u64, Stopped> {
        let record_headers = self.encode_record_headers(payload, length, durable);
        let header = self.unwritten_header();
        let mut parts = [IoSlice::new(&[]); 1 + 2 * BATCH];
        let mut slots = parts.iter_mut();
        let records = record_headers.iter().zip(payload.chunks_exact(length));
        let bytes = records.flat_map(|(record, block)| [record.as_slice(), block]);
        // The bytes come first in the zip: it must not take a slot for which there are none.
        for (bytes, slot) in std::iter::once(header.as_slice()).chain(bytes).zip(&mut slots) {
            *slot = IoSlice::new(bytes);
        }
        let free = slots.len();
        let used = parts.len() - free;
        let outcome = self.write(parts.get_mut(..used).unwrap_or_default(), &header);
        let count = match &outcome {
            Ok(()) => wide(record_headers.len()),
            Err(stop) => stop.written.saturating_sub(wide(header.len())) / wide(length + RECORD_HEADER_LENGTH),
        };
        self.record_headers = record_headers;
        self.index.push_blocks(narrow(length), count);
        outcome.map(|()| count).map_err(|stop| Stopped { count, error: stop.error })
    }

    fn encode_record_headers(
        &mut self,
        payload: &[u8],
        length: usize,
        durable: u64,
    ) -> Vec<[u8; RECORD_HEADER_LENGTH]> {
        let mut headers = std::mem::take(&mut self.record_headers);
        headers.clear();
        let epoch = self.header.epoch;
        let mut offset = self.index.end_offset();
        for (object, block) in (self.index.end().object..).zip(payload.chunks_exact(length).take(BATCH)) {
            let kind = RecordKind::Block { length: narrow(length), crc: checksum(block) };
            headers.push(RecordHeader { kind, object, epoch, durable }.encode(self.seed, offset));
            offset += wide(length + RECORD_HEADER_LENGTH);
        }
        headers
    }

    /// The header of the segment, for the first write; nothing later.
    fn unwritten_header(&self) -> Vec<u8> {
        if self.header_is_written { Vec::new() } else { self.header.encode() }
    }

    /// Writes `parts`, which begin with `header`, behind the last record.
    fn write(&mut self, parts: &mut [IoSlice<'_>], header: &[u8]) -> Result<(), AppendStopped> {
        let offset = self.index.end_offset() - wide(header.len());
        let outcome = self.segment.write(parts, offset);
        self.header_is_written |= outcome.as_ref().err().is_none_or(|stop| stop.written >= wide(header.len()));
        self.unsynced = true;
        outcome
    }

    /// Cuts off what an append left behind that ended before all was written.
    pub(crate) fn cut_unfinished(&mut self) -> Result<(), StoreError> {
        self.segment.truncate(self.index.end_offset())
    }

    /// Everything written so far is on stable storage when this succeeds.
    pub(crate) fn sync(&mut self) -> Result<(), StoreError> {
        self.segment.sync()?;
        self.unsynced = false;
        Ok(())
    }

    /// Ends the segment with its index. Without it the segment is still good: a scan finds the same.
    pub(crate) fn seal(&mut self) -> Result<(), StoreError> {
        let index = self.index.encode();
        let trailer = Trailer {
            cartridge: self.header.cartridge,
            sequence: self.header.sequence,
            epoch: self.header.epoch,
            end: self.index.end(),
            index_offset: self.index.end_offset(),
            index_length: wide(index.len()),
            index_crc: checksum(&index),
        };
        let trailer = trailer.encode();
        let mut parts = [IoSlice::new(&index), IoSlice::new(&trailer)];
        self.segment.write(&mut parts, self.index.end_offset()).map_err(|stop| stop.error)
    }

    pub(crate) fn into_segment(self) -> Segment {
        self.segment
    }
}

/// Records of `payload` bytes that go into `free` bytes. Each may take an index entry of its own, and a marker may
/// follow.
fn records_in(free: u64, payload: usize) -> u64 {
    free.saturating_sub(wide(RECORD_HEADER_LENGTH)) / (wide(payload + RECORD_HEADER_LENGTH) + 10)
}

/// A block length as recorded; blocks are at most 8 MiB.
fn narrow(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
