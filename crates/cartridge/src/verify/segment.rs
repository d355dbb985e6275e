//! A segment of the tape: both copies of its header, its index and trailer, then its records.

use std::ops::Range;

use capstan_format::segment::{HEADER_LENGTH, Header, Index, TRAILER_LENGTH, Trailer};
use capstan_format::{checksum, wide};
use capstan_store::{Segment, StoreError};

use super::{FindingKind, Verifier};
use crate::CartridgeError;
use crate::chain::Row;
use crate::lineage::{Link, open_if_there};
use crate::reader::Reader;

const TRAILER_MAGIC: &[u8] = b"CAPSTEND";

/// Bytes behind the records that are looked at for what is left of an index: more than any has.
const TAIL_LIMIT: u64 = 16 << 20;

/// Why nothing in a file counts.
pub(super) struct Useless {
    pub(super) kind: FindingKind,
    pub(super) what: String,
}

impl Verifier<'_> {
    pub(super) fn segment(&mut self, link: &Link) -> Result<(), CartridgeError> {
        let Link { row, end } = link;
        let objects = row.start.object..end.object;
        if row.sequence == 0 {
            let what = "more segments in a row are lost than are named by those behind them";
            let path = self.directory.path().to_owned();
            self.find(&path, 0..0, FindingKind::Missing, objects, what);
            return Ok(());
        }
        let path = self.directory.segment_path(row.sequence);
        let segment = match open_if_there(self.directory, row.sequence) {
            Ok(Some(segment)) => segment,
            // What is in the tier is verified there.
            Ok(None) if self.shipped.row(row.sequence, row.start).is_some() => return Ok(()),
            Ok(None) => {
                self.find(&path, 0..0, FindingKind::Missing, objects, "the file is not there");
                return Ok(());
            }
            Err(error) => {
                self.find(&path, 0..0, FindingKind::Unreadable, objects, error.to_string());
                return Ok(());
            }
        };
        if let Err(error) = self.opened_segment(&segment, link) {
            let bytes = 0..segment.length();
            self.find(&path, bytes, FindingKind::Unreadable, objects, error.to_string());
        }
        Ok(())
    }

    fn opened_segment(&mut self, segment: &Segment, link: &Link) -> Result<(), StoreError> {
        // What counts is what the disk holds, not what the kernel remembers.
        segment.forget_cache()?;
        let useless = self.header(segment, &link.row)?;
        let objects = link.row.start.object..link.end.object;
        let reader = match Reader::open(self.segments(), link.row, link.end) {
            Ok(reader) => reader,
            Err(fault) => {
                self.find(segment.path(), 0..segment.length(), FindingKind::Unreadable, objects, fault.message);
                return Ok(());
            }
        };
        let is_ours = useless.as_ref().is_none_or(|useless| useless.kind == FindingKind::Header);
        if is_ours {
            self.seal(segment, &link.row, reader.index())?;
        }
        if reader.source().is_none() {
            let Useless { kind, what } = useless.unwrap_or_else(no_header);
            self.find(segment.path(), 0..segment.length(), kind, objects, what);
            return Ok(());
        }
        self.records(segment, &reader, link.end.object);
        Ok(())
    }

    /// Checks both copies of the header. Gives why the file counts for nothing, should it have no trailer either.
    pub(super) fn header(&mut self, segment: &Segment, row: &Row) -> Result<Option<Useless>, StoreError> {
        let bytes = segment.read_from(0, 2 * wide(HEADER_LENGTH))?;
        self.advance(wide(bytes.len()));
        let mut bad = Vec::new();
        for at in [0, HEADER_LENGTH] {
            let copy = bytes.get(at..).unwrap_or_default();
            let copy = copy.get(..HEADER_LENGTH).unwrap_or(copy);
            match Header::decode(copy) {
                Ok(header) => {
                    if let Some(useless) = self.stranger(&header, segment.sequence()) {
                        return Ok(Some(useless));
                    }
                    if header.start != row.start {
                        let what = format!("it begins at object {}, not where it should", header.start.object);
                        return Ok(Some(Useless { kind: FindingKind::Foreign, what }));
                    }
                }
                Err(error) => bad.push((wide(at)..wide(at + HEADER_LENGTH), error)),
            }
        }
        let both = bad.len() == 2;
        if both && row.epoch.is_none() && wide(bytes.len()) < 2 * wide(HEADER_LENGTH) {
            let what = "the file ends inside its header".to_owned();
            return Ok(Some(Useless { kind: FindingKind::Truncated, what }));
        }
        for (place, error) in bad {
            let consequence = if both { "" } else { "; the other copy is good" };
            self.find(segment.path(), place, FindingKind::Header, 0..0, format!("{error}{consequence}"));
        }
        Ok(both.then(no_header))
    }

    /// Whose header it is, if not that of segment `sequence` of this cartridge.
    pub(super) fn stranger(&self, header: &Header, sequence: u64) -> Option<Useless> {
        if header.cartridge != self.segments().owner(sequence) {
            let what = format!("it is segment {} of cartridge {}", header.sequence, header.cartridge);
            return Some(Useless { kind: FindingKind::Foreign, what });
        }
        let what = format!("it is a copy of segment {}", header.sequence);
        (header.sequence != sequence).then_some(Useless { kind: FindingKind::Duplicate, what })
    }

    /// Checks index and trailer, if the segment was sealed. `index` is what reading goes by.
    pub(super) fn seal(&mut self, segment: &Segment, row: &Row, index: &Index) -> Result<(), StoreError> {
        let (length, trailer_length) = (segment.length(), wide(TRAILER_LENGTH));
        let at = length.saturating_sub(trailer_length);
        let bytes = segment.read_from(at, trailer_length)?;
        let trailer = match Trailer::decode(&bytes, length) {
            Ok(trailer) => trailer,
            Err(error) => {
                if let Some((kind, place)) = self.remains_of_seal(segment, row, index)? {
                    let what = format!("{error}: the records are found without it");
                    self.find(segment.path(), place, kind, 0..0, what);
                }
                return Ok(());
            }
        };
        self.advance(trailer_length);
        let ours = (trailer.cartridge, trailer.sequence) == (self.segments().owner(row.sequence), row.sequence);
        if !ours || row.epoch.is_some_and(|epoch| epoch != trailer.epoch) {
            let what = format!("it is that of segment {} of cartridge {}", trailer.sequence, trailer.cartridge);
            self.find(segment.path(), at..length, FindingKind::Trailer, 0..0, what);
            return Ok(());
        }
        let bytes = segment.read_from(trailer.index_offset, trailer.index_length)?;
        self.advance(wide(bytes.len()));
        let place = trailer.index_offset..trailer.index_offset.saturating_add(trailer.index_length);
        let what = if checksum(&bytes) != trailer.index_crc {
            "its checksum is wrong: the records are found without it".to_owned()
        } else {
            match Index::decode(&bytes, row.start) {
                Err(error) => error.to_string(),
                Ok(index) if (index.end(), index.end_offset()) == (trailer.end, trailer.index_offset) => return Ok(()),
                Ok(_) => "it does not describe the records before it".to_owned(),
            }
        };
        self.find(segment.path(), place, FindingKind::Index, 0..0, what);
        Ok(())
    }

    /// Where a segment without a good trailer has what is left of one. A segment that was never sealed, because the
    /// process died, has none, and may end in anything that was written and never synchronised.
    fn remains_of_seal(
        &self,
        segment: &Segment,
        row: &Row,
        index: &Index,
    ) -> Result<Option<(FindingKind, Range<u64>)>, StoreError> {
        let (from, length) = (index.end_offset(), segment.length());
        let tail = if from < length { segment.read_from(from, TAIL_LIMIT)? } else { Vec::new() };
        if tail.is_empty() {
            return Ok(None);
        }
        let encoded = index.encode();
        let trailer = Trailer {
            cartridge: self.segments().owner(row.sequence),
            sequence: row.sequence,
            epoch: row.epoch.unwrap_or_default(),
            end: index.end(),
            index_offset: from,
            index_length: wide(encoded.len()),
            index_crc: checksum(&encoded),
        };
        let sealed = [encoded.as_slice(), &trailer.encode()].concat();
        let (trailer_at, end) = (from + wide(encoded.len()), from + wide(sealed.len()));
        Ok(if tail.len() == sealed.len() && alike(&tail, &sealed) {
            Some((FindingKind::Trailer, trailer_at..end))
        } else if tail.len() < sealed.len() && sealed.starts_with(&tail) {
            Some((FindingKind::Truncated, length..end))
        } else if tail.len() > sealed.len() && tail.starts_with(&sealed) {
            Some((FindingKind::Foreign, end..length))
        } else {
            let magic = tail.windows(TRAILER_MAGIC.len()).any(|window| window == TRAILER_MAGIC);
            magic.then_some((FindingKind::Trailer, from..length))
        })
    }
}

/// At least three quarters of the bytes are the same.
fn alike(one: &[u8], other: &[u8]) -> bool {
    let same = one.iter().zip(other).filter(|(one, other)| one == other).count();
    same >= other.len() - other.len() / 4
}

fn no_header() -> Useless {
    let what = "both copies of its header are damaged, and it has no trailer".to_owned();
    Useless { kind: FindingKind::Header, what }
}
