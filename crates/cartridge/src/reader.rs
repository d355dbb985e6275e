//! A segment that is being read, with its index.

use std::io::IoSliceMut;

use capstan_format::segment::{
    Header, Index, RECORD_HEADER_LENGTH, RecordHeader, RecordKind, RecordSeed, RunKind, TRAILER_LENGTH, Trailer, scan,
};
use capstan_format::{FormatError, Point, checksum, wide};
use capstan_media::{CartridgeId, MediumFailureKind, Partition};
use capstan_store::Segment;

use crate::chain::Row;
use crate::fault::Fault;
use crate::shipped::Segments;

/// More than any segment has. Only a file that is not ours is longer.
pub(crate) const SEGMENT_LIMIT: u64 = 1 << 30;

/// Blocks in one system call.
pub(crate) const BATCH: usize = 64;

/// A segment with its index, for reading.
#[derive(Debug)]
pub(crate) struct Reader {
    row: Row,
    segment: Option<Segment>,
    index: Index,
    seed: RecordSeed,
}

/// Where the records of a segment are, be it sealed or still written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) segment: &'a Segment,
    pub(crate) seed: RecordSeed,
    pub(crate) epoch: u64,
}

impl Reader {
    /// Opens the segment of `row`, whose objects end before `end`, by its index or, where that is missing or damaged,
    /// by its records. What cannot be found is a gap in the index: reading it fails, passing it does not. A file here
    /// that is damaged is passed over for what the tier has.
    pub(crate) fn open(segments: Segments<'_>, row: Row, end: Point) -> Result<Self, Fault> {
        let segment = segments.open(row.sequence, row.start).map_err(|error| Fault::reading(&error))?;
        let is_here = segment.as_ref().is_some_and(Segment::is_local);
        let cartridge = segments.owner(row.sequence);
        let here = match segment {
            Some(segment) => Self::indexed(segment, cartridge, row, end),
            None => Ok(Err(None)),
        };
        if is_here
            && !matches!(here, Ok(Ok(_)))
            && let Some(Ok(reader)) = Self::recall(segments, row, end)
        {
            return Ok(reader);
        }
        Ok(match here? {
            Ok(reader) => reader,
            Err(segment) => Self::unindexed(segment, cartridge, row, end)?,
        })
    }

    /// Opens the segment as the tier has it; `None` if it is not there.
    pub(crate) fn recall(segments: Segments<'_>, row: Row, end: Point) -> Option<Result<Self, Fault>> {
        let cartridge = segments.owner(row.sequence);
        let recalled = segments.recall(row.sequence, row.start)?.map_err(|error| Fault::reading(&error));
        let reader = recalled.and_then(|segment| match Self::indexed(segment, cartridge, row, end)? {
            Ok(reader) => Ok(reader),
            Err(segment) => Self::unindexed(segment, cartridge, row, end),
        });
        Some(reader)
    }

    /// With the index that the segment has; the segment again if it has none.
    fn indexed(
        segment: Segment,
        cartridge: CartridgeId,
        row: Row,
        end: Point,
    ) -> Result<Result<Self, Option<Segment>>, Fault> {
        let seed = RecordSeed::new(cartridge, row.sequence);
        Ok(match sealed_index(&segment, cartridge, row, end)? {
            Some((epoch, index)) => {
                Ok(Self { row: Row { epoch: Some(epoch), ..row }, segment: Some(segment), index, seed })
            }
            None => Err(Some(segment)),
        })
    }

    /// With an index made from the records.
    fn unindexed(segment: Option<Segment>, cartridge: CartridgeId, row: Row, end: Point) -> Result<Self, Fault> {
        let seed = RecordSeed::new(cartridge, row.sequence);
        let index = match (&segment, row.epoch) {
            (Some(segment), Some(epoch)) => scanned_index(segment, cartridge, row, epoch, end)?,
            _ => {
                let mut index = Index::new(row.start);
                index.push_gap(0, end.object - row.start.object);
                index
            }
        };
        Ok(Self { row, segment, index, seed })
    }

    /// The segment that it reads.
    pub(crate) fn row(&self) -> Row {
        self.row
    }

    /// It was opened for `row`, and all objects before `end` are in its index.
    pub(crate) fn serves(&self, row: Row, end: Point) -> bool {
        self.row.sequence == row.sequence && self.index.end().object >= end.object
    }

    /// Reading it waits for the disk at most.
    pub(crate) fn is_local(&self) -> bool {
        self.segment.as_ref().is_none_or(Segment::is_local)
    }

    /// Reading so many objects from this one on waits for the disk at most.
    pub(crate) fn is_at_hand(&self, object: u64, count: u64) -> bool {
        let (Some(segment), Some(run)) = (&self.segment, self.index.find(object)) else { return true };
        let offset = run.record_offset(object.saturating_sub(run.start.object));
        let each = match run.kind {
            RunKind::Blocks { length, .. } => u64::from(length),
            RunKind::Filemarks { .. } | RunKind::Gap { .. } => 0,
        };
        segment.is_at_hand(offset, each.saturating_add(wide(RECORD_HEADER_LENGTH)).saturating_mul(count.max(1)))
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// Where its records are; `None` if it is lost.
    pub(crate) fn source(&self) -> Option<Source<'_>> {
        Some(Source { segment: self.segment.as_ref()?, seed: self.seed, epoch: self.row.epoch? })
    }
}

/// The index at the end of a sealed segment, and its epoch.
fn sealed_index(
    segment: &Segment,
    cartridge: CartridgeId,
    row: Row,
    end: Point,
) -> Result<Option<(u64, Index)>, Fault> {
    let reading = |error| Fault::reading(&error);
    let (length, trailer_length) = (segment.length(), wide(TRAILER_LENGTH));
    let bytes = segment.read_from(length.saturating_sub(trailer_length), trailer_length).map_err(reading)?;
    let Ok(trailer) = Trailer::decode(&bytes, length) else { return Ok(None) };
    let same = (trailer.cartridge, trailer.sequence) == (cartridge, row.sequence);
    if !same || row.epoch.is_some_and(|epoch| epoch != trailer.epoch) || trailer.end.object < end.object {
        return Ok(None);
    }
    let bytes = segment.read_from(trailer.index_offset, trailer.index_length).map_err(reading)?;
    if checksum(&bytes) != trailer.index_crc {
        tracing::error!(segment = %segment.path().display(), "index is damaged; finding the records without it");
        return Ok(None);
    }
    let index = Index::decode(&bytes, row.start).ok();
    let index = index.filter(|index| (index.end(), index.end_offset()) == (trailer.end, trailer.index_offset));
    Ok(index.map(|index| (trailer.epoch, index)))
}

fn scanned_index(segment: &Segment, cartridge: CartridgeId, row: Row, epoch: u64, end: Point) -> Result<Index, Fault> {
    let bytes = segment.read_from(0, SEGMENT_LIMIT).map_err(|error| Fault::reading(&error))?;
    let header = Header {
        cartridge,
        partition: Partition(0),
        sequence: row.sequence,
        epoch,
        start: row.start,
        durable: 0,
        ancestors: Vec::new(),
    };
    let found = scan(&bytes, &header, end.object);
    for damage in found.damage {
        let file = segment.path().display();
        tracing::error!(segment = %file, offset = damage.offset, object = damage.object, error = %damage.error, "damage");
    }
    Ok(found.index)
}

impl Source<'_> {
    /// Reads and verifies consecutive records from `offset` on that hold blocks of `length` bytes, the first of them
    /// `object`, into `out`, whose length is theirs together and at most [`BATCH`] of them. Gives how many are good
    /// before the first that is not, and what is wrong with that.
    pub(crate) fn read_blocks(
        &self,
        offset: u64,
        object: u64,
        length: usize,
        out: &mut [u8],
    ) -> (u64, Result<(), Fault>) {
        let count = out.len().checked_div(length).unwrap_or(0);
        let mut headers = [[0; RECORD_HEADER_LENGTH]; BATCH];
        let outcome = self.transfer(offset, length, out, &mut headers);
        if let Err(fault) = outcome {
            if count <= 1 {
                return (0, Err(Self::at(&fault, offset, object)));
            }
            // One of several cannot be read: find out which.
            return self.read_blocks_singly(offset, object, length, out);
        }
        let mut good = 0;
        let mut at = offset;
        for (header, block) in headers.iter().zip(out.chunks_exact(length)) {
            if let Err(error) = self.verify(header, at, object + good, block) {
                return (good, Err(self.corrupt(at, object + good, &error)));
            }
            good += 1;
            at += wide(RECORD_HEADER_LENGTH + length);
        }
        (good, Ok(()))
    }

    fn read_blocks_singly(&self, offset: u64, object: u64, length: usize, out: &mut [u8]) -> (u64, Result<(), Fault>) {
        let mut good = 0;
        let mut at = offset;
        for block in out.chunks_exact_mut(length) {
            if let (_, Err(fault)) = self.read_blocks(at, object + good, length, block) {
                return (good, Err(fault));
            }
            good += 1;
            at += wide(RECORD_HEADER_LENGTH + length);
        }
        (good, Ok(()))
    }

    fn transfer(
        &self,
        offset: u64,
        length: usize,
        out: &mut [u8],
        headers: &mut [[u8; RECORD_HEADER_LENGTH]; BATCH],
    ) -> Result<(), Fault> {
        let mut parts: [IoSliceMut<'_>; 2 * BATCH] = std::array::from_fn(|_| IoSliceMut::new(&mut []));
        let records = headers.iter_mut().zip(out.chunks_exact_mut(length));
        let bytes = records.flat_map(|(header, block)| [header.as_mut_slice(), block]);
        let mut used = 0;
        for (bytes, slot) in bytes.zip(parts.iter_mut()) {
            *slot = IoSliceMut::new(bytes);
            used += 1;
        }
        let parts = parts.get_mut(..used).unwrap_or_default();
        self.segment.read(parts, offset).map_err(|error| Fault::reading(&error))
    }

    /// Verifies the record of filemarks at `offset` that holds `object`, whose first filemark is `first`.
    pub(crate) fn verify_filemark(&self, offset: u64, first: u64, object: u64) -> Result<(), Fault> {
        let mut bytes = [0; RECORD_HEADER_LENGTH];
        let read = self.segment.read(&mut [IoSliceMut::new(&mut bytes)], offset);
        read.map_err(|error| Self::at(&Fault::reading(&error), offset, object))?;
        let record = RecordHeader::decode(&bytes, self.seed, offset);
        let record = record.map_err(|error| self.corrupt(offset, object, &error))?;
        let matches = record.epoch == self.epoch && record.object == first;
        match record.kind {
            RecordKind::Filemarks { count } if matches && object - first < u64::from(count) => Ok(()),
            _ => Err(self.corrupt(offset, object, &FormatError::Field("object"))),
        }
    }

    /// The header and the block are those of that object.
    pub(crate) fn verify(&self, header: &[u8], offset: u64, object: u64, block: &[u8]) -> Result<(), FormatError> {
        let record = RecordHeader::decode(header, self.seed, offset)?;
        if record.epoch != self.epoch {
            return Err(FormatError::Field("epoch"));
        }
        if record.object != object {
            return Err(FormatError::Field("object"));
        }
        let RecordKind::Block { length, crc: stored } = record.kind else { return Err(FormatError::Field("kind")) };
        if u64::from(length) != wide(block.len()) {
            return Err(FormatError::Field("length"));
        }
        let computed = checksum(block);
        if stored == computed { Ok(()) } else { Err(FormatError::Checksum { stored, computed }) }
    }

    fn at(fault: &Fault, offset: u64, object: u64) -> Fault {
        Fault::new(fault.kind, format!("{} (at byte {offset}, object {object})", fault.message))
    }

    fn corrupt(&self, offset: u64, object: u64, error: &FormatError) -> Fault {
        let file = self.segment.path().display();
        Fault::new(MediumFailureKind::Corrupt, format!("{file}: at byte {offset}: object {object}: {error}"))
    }
}
