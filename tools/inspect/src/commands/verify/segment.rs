//! One segment: its object as it is stored, every frame, every record.

use std::io::Write;

use super::Report;
use crate::error::{Damage, Error, found};
use crate::format::{HEADER, RECORD, RECORDS, RecordKind, RunKind, SegmentHeader, TRAILER};
use crate::object::{Bytes, Expected, check_header, check_trailer};
use crate::tape::{Place, Segment, Tape, sums};

/// What is hashed at a time.
const PIECE: u64 = 8 << 20;

/// Adds to a report what is wrong with the segment of a row.
pub(super) fn verify(tape: &Tape<'_>, place: Place, report: &mut Report) -> Result<(), Error> {
    report.segments += 1;
    let mut bytes = match found(Bytes::new(tape.source, &place.key))? {
        Ok(bytes) => bytes,
        Err(damage) => {
            report.damage.push(damage);
            return Ok(());
        }
    };
    bytes.hold()?;
    stored(&bytes, &place, report)?;
    let mut segment = match found(Segment::open(bytes, place, &tape.keys.keys, PIECE)) {
        Ok(Ok(segment)) => segment,
        Ok(Err(damage)) => {
            push(report, damage);
            return Ok(());
        }
        Err(Error::KeyNeeded(_)) => {
            report.sealed = true;
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    for remark in std::mem::take(&mut segment.remarks) {
        push(report, remark);
    }
    frames(&mut segment, report)?;
    headers(&mut segment, report)?;
    records(&mut segment, report)
}

/// The same damage is met by more than one check.
fn push(report: &mut Report, damage: Damage) {
    if !report.damage.contains(&damage) {
        report.damage.push(damage);
    }
}

/// The bytes as they are stored, which nobody needs a key for.
fn stored(bytes: &Bytes<'_>, place: &Place, report: &mut Report) -> Result<(), Error> {
    let row = &place.row;
    if bytes.length != row.object_length {
        let what = format!("it has {} bytes, and {} were stored", bytes.length, row.object_length);
        push(report, bytes.damage(what));
    }
    let expected: Expected = place.expected();
    if let Err(bad) = check_header(&expected, &bytes.range(0, HEADER)?) {
        push(report, bytes.damage(format_args!("its header: {bad}")).at(0));
    }
    let body = bytes.length.saturating_sub(TRAILER);
    let mut hasher = blake3::Hasher::new();
    let mut at = 0;
    while at < body {
        let piece = bytes.range(at, PIECE.min(body - at))?;
        if piece.is_empty() {
            break;
        }
        hasher.update(&piece);
        at += u64::try_from(piece.len()).unwrap_or(u64::MAX);
    }
    report.bytes += bytes.length;
    let last = bytes.range(body, TRAILER)?;
    let of_body = hasher.finalize();
    hasher.update(&last);
    match found(check_trailer(bytes, &expected, &last))? {
        Ok(trailer) if &trailer.hash != of_body.as_bytes() => {
            push(report, bytes.damage("its hash is not the one in its trailer"));
        }
        Ok(_) => {}
        Err(damage) => push(report, damage),
    }
    if hasher.finalize().as_bytes() != &row.object_hash {
        push(report, bytes.damage("its hash is not the one in its row"));
    }
    Ok(())
}

/// Every frame, and the hash of the segment.
fn frames(segment: &mut Segment<'_>, report: &mut Report) -> Result<(), Error> {
    let mut hasher = blake3::Hasher::new();
    let mut is_whole = true;
    for frame in 0..segment.object.header().frames() {
        match segment.object.frame(frame)? {
            Ok(plain) => hasher.write_all(plain)?,
            Err(damage) => {
                is_whole = false;
                push(report, damage);
            }
        }
    }
    let hash = segment.object.plain_hash();
    if is_whole && hash.is_some_and(|hash| &hash != hasher.finalize().as_bytes()) {
        push(report, segment.damage(0, "the hash of the segment is not the one in the footer"));
    }
    if segment.object.is_compressed() && !segment.place.row.is_compressed {
        push(report, segment.damage(0, "a frame is compressed, and its row says that none is"));
    }
    Ok(())
}

/// Both copies of the segment's header.
fn headers(segment: &mut Segment<'_>, report: &mut Report) -> Result<(), Error> {
    for copy in [0, RECORDS / 2] {
        let bytes = match segment.object.read(copy, RECORDS / 2)? {
            Ok(bytes) => bytes,
            Err(damage) => {
                push(report, damage);
                continue;
            }
        };
        let row = &segment.place.row;
        let what = match SegmentHeader::decode(&bytes) {
            Ok(header) if header.cartridge != segment.place.cartridge => "its cartridge is another".to_owned(),
            Ok(header)
                if (header.sequence, header.epoch, header.start, &header.ancestors)
                    != (row.sequence, row.epoch, row.start, &row.ancestors) =>
            {
                "it does not say what its row says".to_owned()
            }
            Ok(_) => continue,
            Err(bad) => bad.to_string(),
        };
        push(report, segment.damage(copy, &format!("a header: {what}")));
    }
    Ok(())
}

/// Every record.
fn records(segment: &mut Segment<'_>, report: &mut Report) -> Result<(), Error> {
    let runs = std::mem::take(&mut segment.runs);
    let row = segment.place.row.clone();
    let (mut offset, mut object) = (RECORDS, row.start.objects);
    let mut is_whole = true;
    for run in &runs {
        for _ in 0..run.records {
            let checked = match run.kind {
                RunKind::Blocks { length } => segment.block(offset, object, length)?.map(drop),
                RunKind::Filemarks { count } => filemarks(segment, offset, object, count)?,
                RunKind::Lost { objects: 0, bytes: RECORD } => marker(segment, offset)?,
                RunKind::Lost { objects: 0, .. } => Ok(()),
                RunKind::Lost { .. } => Err(segment.damage(offset, "no record can be read here")),
            };
            report.records += 1;
            if let Err(damage) = checked {
                is_whole = false;
                push(report, damage);
            }
            offset += run.record_bytes();
            object += run.record_objects();
        }
    }
    let told = (row.end.filemarks - row.start.filemarks, row.end.bytes - row.start.bytes);
    if is_whole && sums(&runs) != told {
        push(report, segment.damage(RECORDS, "filemarks and bytes are not as many as its row says"));
    }
    Ok(())
}

fn filemarks(segment: &mut Segment<'_>, offset: u64, object: u64, count: u64) -> crate::error::Found<()> {
    Ok(match segment.header(offset, object)? {
        Ok(record) if record.kind == RecordKind::Filemarks && u64::from(record.count) == count => Ok(()),
        Ok(_) => Err(segment.damage(offset, "the record is not the filemarks that the index names")),
        Err(damage) => Err(damage),
    })
}

/// A marker holds no object and is nothing that anybody reads: damage to it is told all the same.
fn marker(segment: &mut Segment<'_>, offset: u64) -> crate::error::Found<()> {
    let bytes = match segment.object.read(offset, RECORD)? {
        Ok(bytes) => bytes,
        Err(damage) => return Ok(Err(damage)),
    };
    let is_marker = segment.place.record(&bytes, offset).is_ok_and(|record| record.kind == RecordKind::Marker);
    Ok(if is_marker { Ok(()) } else { Err(segment.damage(offset, "the record is no marker")) })
}
