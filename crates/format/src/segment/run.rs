//! Consecutive records that are alike.

use super::RECORD_HEADER_LENGTH;
use crate::{Point, wide};

/// Consecutive records of a segment that one index entry describes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// The place before its first object.
    pub start: Point,
    /// Offset of its first record in the segment.
    pub offset: u64,
    /// What it consists of.
    pub kind: RunKind,
}

/// What a [`Run`] consists of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunKind {
    /// Blocks of equal length, one record each.
    Blocks {
        /// Bytes in each block.
        length: u32,
        /// How many.
        count: u64,
    },
    /// One record of filemarks.
    Filemarks {
        /// How many.
        count: u64,
    },
    /// Bytes that hold no readable record: markers (no objects), or objects that damage made unreadable.
    Gap {
        /// Bytes in the segment.
        bytes: u64,
        /// Objects that are lost in them.
        objects: u64,
    },
}

impl Run {
    /// Logical objects in it.
    #[must_use]
    pub fn objects(&self) -> u64 {
        match self.kind {
            RunKind::Blocks { count, .. } | RunKind::Filemarks { count } => count,
            RunKind::Gap { objects, .. } => objects,
        }
    }

    /// The place after its last object.
    #[must_use]
    pub fn end(&self) -> Point {
        self.point(self.objects())
    }

    /// The place after `objects` of its objects, at most all.
    #[must_use]
    pub fn point(&self, objects: u64) -> Point {
        let objects = objects.min(self.objects());
        match self.kind {
            RunKind::Blocks { length, .. } => self.start.after(objects, 0, objects.saturating_mul(u64::from(length))),
            RunKind::Filemarks { .. } => self.start.after(objects, objects, 0),
            RunKind::Gap { .. } => self.start.after(objects, 0, 0),
        }
    }

    /// Offset of the record that holds the object number `index` of this run.
    #[must_use]
    pub fn record_offset(&self, index: u64) -> u64 {
        match self.kind {
            RunKind::Blocks { length, .. } => self.offset.saturating_add(index.saturating_mul(record_length(length))),
            RunKind::Filemarks { .. } | RunKind::Gap { .. } => self.offset,
        }
    }

    /// Offset after its last record.
    #[must_use]
    pub fn end_offset(&self) -> u64 {
        match self.kind {
            RunKind::Blocks { count, .. } => self.record_offset(count),
            RunKind::Filemarks { .. } => self.offset.saturating_add(record_length(0)),
            RunKind::Gap { bytes, .. } => self.offset.saturating_add(bytes),
        }
    }
}

/// Bytes that a record with `payload` bytes takes.
pub(super) fn record_length(payload: u32) -> u64 {
    wide(RECORD_HEADER_LENGTH) + u64::from(payload)
}
