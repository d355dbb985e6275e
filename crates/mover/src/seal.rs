//! From a segment's file to the object that is created.

use std::cell::Cell;
use std::io::{self, Read};

use capstan_format::manifest::Row;
use capstan_format::segment::{HEADER_LENGTH, Header, TRAILER_LENGTH, Trailer};
use capstan_format::{Point, wide};
use capstan_media::CartridgeId;
use capstan_store::{Segment, Store};
use capstan_tier::{CartridgeKey, SealOptions, Sealed, SegmentId, seal};

use crate::MoverError;

/// How much more willing than others the threads are to wait for a processor.
const NICE: i32 = 10;

/// An object, ready to be created, and the row that will say so.
pub(crate) struct Parcel {
    pub(crate) sealed: Sealed,
    /// Without what is drawn for each attempt.
    pub(crate) row: Row,
}

/// Makes the object of a segment that nothing is written to any more. Blocks.
pub(crate) fn pack(
    store: &Store,
    id: CartridgeId,
    (sequence, end): (u64, Point),
    zstd: Option<i32>,
    key: Option<&CartridgeKey>,
) -> Result<Parcel, MoverError> {
    be_nice();
    let damaged = |what: String| MoverError::Cartridge { id, what: format!("segment {sequence}: {what}") };
    let directory = store.look_at(id)?;
    let segment = directory.open_segment(sequence)?;
    let length = segment.length();
    let header = segment.read_from(0, wide(2 * HEADER_LENGTH))?;
    let header = Header::decode(&header).map_err(|error| damaged(error.to_string()))?;
    if (header.cartridge, header.sequence) != (id, sequence) {
        return Err(damaged(format!("the file holds segment {} of {}", header.sequence, header.cartridge)));
    }
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| damaged(error.to_string()))?;
    let named = SegmentId { cartridge: id, sequence, epoch: header.epoch };
    let options = SealOptions { zstd, key: key.map(|key| (key, random)), ..SealOptions::default() };
    let mut source = Source { segment: &segment, offset: 0 };
    let sealed = seal(named, length, &mut source, options).map_err(|error| damaged(error.to_string()))?;
    let row = Row {
        sequence,
        epoch: header.epoch,
        partition: header.partition,
        start: header.start,
        end: end_of(&segment, &header)?.unwrap_or(end),
        ancestors: header.ancestors,
        segment_length: length,
        random: 0,
        object_length: sealed.body.length(),
        object_hash: sealed.hash,
        encrypted: sealed.encrypted,
        compressed: sealed.compressed,
    };
    Ok(Parcel { sealed, row })
}

/// What the segment says of its end, where it does.
fn end_of(segment: &Segment, header: &Header) -> Result<Option<Point>, MoverError> {
    let length = segment.length();
    let bytes = segment.read_from(length.saturating_sub(wide(TRAILER_LENGTH)), wide(TRAILER_LENGTH))?;
    let trailer = Trailer::decode(&bytes, length).ok();
    let own = trailer.filter(|trailer| (trailer.sequence, trailer.epoch) == (header.sequence, header.epoch));
    Ok(own.map(|trailer| trailer.end))
}

/// A segment from its beginning to its end.
struct Source<'a> {
    segment: &'a Segment,
    offset: u64,
}

impl Read for Source<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.segment.read_at(into, self.offset)?;
        self.offset = self.offset.saturating_add(wide(read));
        Ok(read)
    }
}

/// Lets this thread wait for those that serve hosts.
fn be_nice() {
    thread_local!(static IS_NICE: Cell<bool> = const { Cell::new(false) });
    IS_NICE.with(|is_nice| {
        if !is_nice.replace(true)
            && let Err(error) = rustix::process::nice(NICE)
        {
            tracing::debug!(%error, "the thread that seals keeps its priority");
        }
    });
}
