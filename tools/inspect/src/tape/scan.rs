//! Finding the records of a segment without its index.

use super::segment::Place;
use crate::error::Error;
use crate::format::{RECORD, RECORDS, Record, RecordKind, Run, RunKind};
use crate::object::Object;

/// How much is searched at a time for the next record behind damage.
const WINDOW: u64 = 1 << 20;

/// All records that prove themselves, with what is lost between them.
pub(crate) fn records(object: &mut Object<'_>, place: &Place) -> Result<Vec<Run>, Error> {
    let mut runs = Runs::default();
    let (mut offset, mut next) = (RECORDS, place.row.start.objects);
    let end = place.row.end.objects;
    while next < end {
        let record = match object.read(offset, RECORD)? {
            Ok(bytes) => place.record(&bytes, offset).ok().filter(|record| fits(record, next, end)),
            Err(_) => None,
        };
        let Some(record) = record else {
            let found = search(object, place, offset + 1, next)?;
            let (to, until) = found.unwrap_or((object.plain_length().max(offset), end));
            runs.push(RunKind::Lost { bytes: to - offset, objects: until - next });
            (offset, next) = (to, until);
            continue;
        };
        if record.object > next {
            // The lost ones were counted where they should have been: nothing lies between the records.
            runs.push(RunKind::Lost { bytes: 0, objects: record.object - next });
        }
        next = record.object + u64::from(record.count);
        match record.kind {
            RecordKind::Block => runs.push(RunKind::Blocks { length: record.length.into() }),
            RecordKind::Filemarks => runs.push(RunKind::Filemarks { count: record.count.into() }),
            RecordKind::Marker => runs.push(RunKind::Lost { bytes: RECORD, objects: 0 }),
        }
        offset += RECORD + u64::from(record.length);
    }
    Ok(runs.0)
}

/// Whether a record can be the next one, or one behind lost ones.
fn fits(record: &Record, next: u64, end: u64) -> bool {
    let last = record.object.checked_add(record.count.into());
    record.object >= next && last.is_some_and(|last| last <= end)
}

/// The first record from an offset on that proves itself, and its first object.
fn search(object: &mut Object<'_>, place: &Place, from: u64, next: u64) -> Result<Option<(u64, u64)>, Error> {
    let (length, end) = (object.plain_length(), place.row.end.objects);
    let mut at = from;
    while at.saturating_add(RECORD) <= length {
        let window = match object.read(at, WINDOW.min(length - at))? {
            Ok(window) => window,
            Err(_) => {
                // Nothing can be found up to the end of the frame that is bad: try less, then go behind it.
                let stop = object.next_frame(at).min(length);
                match object.read(at, stop - at)? {
                    Ok(window) => window,
                    Err(_) => {
                        at = stop;
                        continue;
                    }
                }
            }
        };
        for (offset, bytes) in (at..).zip(window.windows(4)) {
            if !Record::is_at(bytes) {
                continue;
            }
            let Ok(bytes) = object.read(offset, RECORD.min(length - offset))? else { continue };
            let record = place.record(&bytes, offset).ok().filter(|record| fits(record, next, end));
            if let Some(record) = record {
                return Ok(Some((offset, record.object)));
            }
        }
        // A magic may lie across two windows.
        let step = u64::try_from(window.len()).unwrap_or(0);
        at = at.saturating_add(step.saturating_sub(3).max(1));
    }
    Ok(None)
}

/// Like records are counted, not listed.
#[derive(Default)]
struct Runs(Vec<Run>);

impl Runs {
    fn push(&mut self, kind: RunKind) {
        match self.0.last_mut() {
            Some(last) if last.kind == kind && matches!(kind, RunKind::Blocks { .. }) => last.records += 1,
            _ => self.0.push(Run { kind, records: 1 }),
        }
    }
}
