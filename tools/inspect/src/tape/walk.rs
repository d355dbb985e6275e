//! The objects of a tape, one after the other.

use std::collections::VecDeque;

use super::{Segment, Tape};
use crate::error::{Damage, Error, Found, found};
use crate::format::{RECORDS, Run, RunKind};
use crate::object::Bytes;

/// What is at a place of a tape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Item {
    /// A block. [`Walk::payload`] reads it.
    Block { object: u64, length: u64 },
    /// Filemarks that follow each other.
    Filemarks { object: u64, count: u64 },
    /// Objects that cannot be told. Where a whole segment is lost it is known how many of them are filemarks.
    Lost { object: u64, count: u64, filemarks: u64, damage: Damage },
}

impl Item {
    /// The first object of it, and how many there are.
    pub(crate) fn objects(&self) -> (u64, u64) {
        match *self {
            Self::Block { object, .. } => (object, 1),
            Self::Filemarks { object, count } | Self::Lost { object, count, .. } => (object, count),
        }
    }
}

/// A walk over a tape.
pub(crate) struct Walk<'t, 'a> {
    tape: &'t Tape<'a>,
    /// Plain bytes of a segment that are fetched at once.
    ahead: u64,
    next_extent: usize,
    /// Filemarks before the item that was told last, and after it.
    file: u64,
    next_file: u64,
    current: Option<Current<'a>>,
    /// Where the block that was told last is.
    block: Option<(u64, u64, u64)>,
    remarks: Vec<Damage>,
}

/// The segment that the walk is in.
struct Current<'a> {
    segment: Segment<'a>,
    runs: VecDeque<Run>,
    offset: u64,
    object: u64,
    /// The first object that is not of this extent.
    to: u64,
}

impl<'t, 'a> Walk<'t, 'a> {
    pub(crate) fn new(tape: &'t Tape<'a>, ahead: u64) -> Self {
        Self { tape, ahead, next_extent: 0, file: 0, next_file: 0, current: None, block: None, remarks: Vec::new() }
    }

    /// The file that the item that was told last is in: how many filemarks are before it.
    pub(crate) fn file(&self) -> u64 {
        self.file
    }

    /// Passes over the segments that end before an object, or before a file.
    pub(crate) fn skip_to(&mut self, object: u64, file: u64) {
        let before = |extent: &&super::Extent| extent.to.objects <= object || extent.to.filemarks < file;
        self.next_extent = self.tape.layout.extents.iter().take_while(before).count();
        self.current = None;
    }

    /// What was damaged without a loss.
    pub(crate) fn remarks(&mut self) -> Vec<Damage> {
        std::mem::take(&mut self.remarks)
    }

    /// What comes next. Filemarks before an object come before it; none means the end of the tape.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, Error> {
        let item = self.advance()?;
        self.file = self.next_file;
        match item {
            Some(Item::Filemarks { count, .. }) => self.next_file += count,
            Some(Item::Lost { filemarks, .. }) => self.next_file += filemarks,
            Some(Item::Block { .. }) | None => {}
        }
        Ok(item)
    }

    fn advance(&mut self) -> Result<Option<Item>, Error> {
        loop {
            if let Some(current) = &mut self.current {
                if let Some(item) = current.next(&mut self.block) {
                    return Ok(Some(item));
                }
                self.current = None;
            }
            let Some(extent) = self.tape.layout.extents.get(self.next_extent) else { return Ok(None) };
            self.next_extent += 1;
            self.next_file = extent.from.filemarks;
            let lost = |damage: Damage| Item::Lost {
                object: extent.from.objects,
                count: extent.to.objects - extent.from.objects,
                filemarks: extent.to.filemarks.saturating_sub(extent.from.filemarks),
                damage,
            };
            let Some(row) = &extent.row else { return Ok(extent.missing.clone().map(lost)) };
            let place = self.tape.place(row);
            let opened = Bytes::new(self.tape.source, &place.key)
                .and_then(|bytes| Segment::open(bytes, place, &self.tape.keys.keys, self.ahead));
            let segment = match found(opened) {
                Ok(Ok(segment)) => segment,
                Ok(Err(damage)) => return Ok(Some(lost(damage))),
                Err(Error::KeyNeeded(_)) => return Err(self.tape.keys.refusal(&self.tape.name.barcode)),
                Err(error) => return Err(error),
            };
            self.current = Some(self.enter(segment, extent.to.objects));
        }
    }

    /// The block that was told last.
    pub(crate) fn payload(&mut self) -> Found<Vec<u8>> {
        let (Some(current), Some((offset, object, length))) = (&mut self.current, self.block) else {
            return Err(Error::Absent("no block is there".to_owned()));
        };
        current.segment.block(offset, object, length)
    }

    fn enter(&mut self, mut segment: Segment<'a>, to: u64) -> Current<'a> {
        self.remarks.append(&mut segment.remarks);
        let runs = std::mem::take(&mut segment.runs).into();
        let object = segment.place.row.start.objects;
        Current { segment, runs, offset: RECORDS, object, to }
    }
}

impl Current<'_> {
    fn next(&mut self, block: &mut Option<(u64, u64, u64)>) -> Option<Item> {
        while self.object < self.to {
            let run = self.runs.front_mut()?;
            let (object, offset) = (self.object, self.offset);
            let (bytes, objects) = (run.record_bytes(), run.record_objects());
            let kind = run.kind;
            run.records -= 1;
            if run.records == 0 {
                self.runs.pop_front();
            }
            self.offset += bytes;
            self.object += objects;
            let count = objects.min(self.to - object);
            match kind {
                RunKind::Blocks { length } => {
                    *block = Some((offset, object, length));
                    return Some(Item::Block { object, length });
                }
                RunKind::Filemarks { .. } => return Some(Item::Filemarks { object, count }),
                // Markers and what is no object at all.
                RunKind::Lost { objects: 0, .. } => {}
                RunKind::Lost { .. } => {
                    let damage = self.segment.damage(offset, "no record can be read here");
                    return Some(Item::Lost { object, count, filemarks: 0, damage });
                }
            }
        }
        None
    }
}
