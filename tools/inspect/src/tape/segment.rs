//! One segment of a tape: what records it has and where.

use super::scan;
use crate::error::{Damage, Error, Found};
use crate::format::{
    Bad, RECORD, RECORDS, Record, RecordKind, Row, Run, RunKind, SEGMENT_TRAILER, SegmentTrailer, Uuid, parse_index,
};
use crate::keys::CartridgeKeys;
use crate::object::{Bytes, Expected, Object};

/// An index beyond this is not believed: 64 MiB of blocks take 6 MiB at most.
const MAX_INDEX: u64 = 64 << 20;

/// A segment that can be read.
pub(crate) struct Segment<'a> {
    pub(crate) object: Object<'a>,
    pub(crate) place: Place,
    /// Its records in order, from offset 1024 and the row's start on.
    pub(crate) runs: Vec<Run>,
    /// Damage that is no loss by itself.
    pub(crate) remarks: Vec<Damage>,
}

/// Whose records they are: what a record's checksum covers, and what numbers are to be expected.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) key: String,
    pub(crate) cartridge: Uuid,
    pub(crate) row: Row,
}

impl Place {
    pub(crate) fn expected(&self) -> Expected {
        Expected {
            key: self.key.clone(),
            cartridge: self.cartridge,
            sequence: self.row.sequence,
            epoch: self.row.epoch,
            is_encrypted: self.row.is_encrypted,
        }
    }

    /// A record's header that is at its place in this segment.
    pub(crate) fn record(&self, bytes: &[u8], offset: u64) -> Result<Record, Bad> {
        let record = Record::decode(bytes, self.cartridge, self.row.sequence, offset)?;
        if record.epoch == self.row.epoch { Ok(record) } else { Err(Bad::Field("epoch", record.epoch)) }
    }
}

impl<'a> Segment<'a> {
    /// Opens the object and finds the records, by the index or without it.
    pub(crate) fn open(bytes: Bytes<'a>, place: Place, keys: &CartridgeKeys, ahead: u64) -> Result<Self, Error> {
        let mut object = Object::open(bytes, &place.expected(), keys, ahead)?;
        let mut remarks = object.remarks();
        if object.plain_length() != place.row.segment_length {
            let what = format!("it holds a segment of {} bytes, not as its row says", object.plain_length());
            remarks.push(Damage::new(&place.key, what));
        }
        let runs = match read_index(&mut object, &place)? {
            Ok(runs) => runs,
            Err(damage) => {
                remarks.push(damage);
                scan::records(&mut object, &place)?
            }
        };
        Ok(Self { object, place, runs, remarks })
    }

    /// The block at an offset, if it is there and whole.
    pub(crate) fn block(&mut self, offset: u64, object: u64, length: u64) -> Found<Vec<u8>> {
        let header = match self.header(offset, object)? {
            Ok(header) => header,
            Err(damage) => return Ok(Err(damage)),
        };
        if header.kind != RecordKind::Block || u64::from(header.length) != length {
            return Ok(Err(self.damage(offset, "the record is not the block that the index names")));
        }
        let payload = match self.object.read(offset + RECORD, length)? {
            Ok(payload) => payload,
            Err(damage) => return Ok(Err(damage)),
        };
        if crc32c::crc32c(&payload) != header.payload_crc {
            return Ok(Err(self.damage(offset, "the block's checksum does not match")));
        }
        Ok(Ok(payload))
    }

    /// The header of the record at an offset that begins with that object.
    pub(crate) fn header(&mut self, offset: u64, object: u64) -> Found<Record> {
        let bytes = match self.object.read(offset, RECORD)? {
            Ok(bytes) => bytes,
            Err(damage) => return Ok(Err(damage)),
        };
        match self.place.record(&bytes, offset) {
            Ok(record) if record.object == object => Ok(Ok(record)),
            Ok(record) => Ok(Err(self.damage(offset, &format!("the record is of object {}", record.object)))),
            Err(bad) => Ok(Err(self.damage(offset, &format!("the record: {bad}")))),
        }
    }

    pub(crate) fn damage(&self, offset: u64, what: &str) -> Damage {
        let row = &self.place.row;
        Damage::new(&self.place.key, format_args!("{what} (in segment {})", row.sequence)).at(offset)
    }
}

/// The trailer of a segment, if it is whole and of this one.
fn read_trailer(object: &mut Object<'_>, place: &Place) -> Found<SegmentTrailer> {
    let length = object.plain_length();
    let at = length.saturating_sub(SEGMENT_TRAILER);
    let bytes = match object.read(at, SEGMENT_TRAILER.min(length))? {
        Ok(bytes) => bytes,
        Err(damage) => return Ok(Err(damage)),
    };
    let damage = |what: &dyn std::fmt::Display| {
        Damage::new(&place.key, format_args!("the trailer of segment {}: {what}", place.row.sequence)).at(at)
    };
    let trailer = match SegmentTrailer::decode(&bytes, length) {
        Ok(trailer) => trailer,
        Err(bad) => return Ok(Err(damage(&bad))),
    };
    let row = &place.row;
    if (trailer.cartridge, trailer.sequence, trailer.epoch) != (place.cartridge, row.sequence, row.epoch) {
        return Ok(Err(damage(&"it is of another segment")));
    }
    if trailer.end != row.end {
        return Ok(Err(damage(&format_args!("it ends at object {}, not as its row says", trailer.end.objects))));
    }
    Ok(Ok(trailer))
}

fn read_index(object: &mut Object<'_>, place: &Place) -> Found<Vec<Run>> {
    let trailer = match read_trailer(object, place)? {
        Ok(trailer) => trailer,
        Err(damage) => return Ok(Err(damage)),
    };
    let damage = |what: &dyn std::fmt::Display| {
        let what = format!("the index of segment {}: {what}", place.row.sequence);
        Damage::new(&place.key, what).at(trailer.index_offset)
    };
    if trailer.index_length > MAX_INDEX {
        return Ok(Err(damage(&"it is too long")));
    }
    let index = match object.read(trailer.index_offset, trailer.index_length)? {
        Ok(index) => index,
        Err(damage) => return Ok(Err(damage)),
    };
    if crc32c::crc32c(&index) != trailer.index_crc {
        return Ok(Err(damage(&"its checksum does not match")));
    }
    let objects = place.row.end.objects - place.row.start.objects;
    let runs = parse_index(&index, trailer.index_offset - RECORDS, objects);
    Ok(runs.map_err(|bad| damage(&bad)))
}

/// Blocks and filemarks of runs, for who compares them with a row.
pub(crate) fn sums(runs: &[Run]) -> (u64, u64) {
    runs.iter().fold((0, 0), |(filemarks, bytes), run| match run.kind {
        RunKind::Blocks { length } => (filemarks, bytes + length * run.records),
        RunKind::Filemarks { count } => (filemarks + count * run.records, bytes),
        RunKind::Lost { .. } => (filemarks, bytes),
    })
}
