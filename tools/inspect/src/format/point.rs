//! Places on a tape (`segment-v1.md`).

use super::fields::{Bad, Fields};

/// What is between the beginning of the partition and a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Point {
    /// Logical objects: blocks and filemarks.
    pub(crate) objects: u64,
    /// Filemarks among them.
    pub(crate) filemarks: u64,
    /// Bytes in blocks.
    pub(crate) bytes: u64,
}

impl Point {
    pub(crate) fn decode(fields: &Fields<'_>, at: usize) -> Result<Self, Bad> {
        Ok(Self { objects: fields.u64(at)?, filemarks: fields.u64(at + 8)?, bytes: fields.u64(at + 16)? })
    }
}

/// A segment before another one on the tape.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ancestor {
    /// Its number.
    pub(crate) sequence: u64,
    /// Where it starts.
    pub(crate) start: Point,
}

impl Ancestor {
    /// The four entries, nearest first, without unused ones. Each is before its successor, which is at `sequence` and
    /// starts at `start`.
    pub(crate) fn decode_list(fields: &Fields<'_>, at: usize, sequence: u64, start: Point) -> Result<Vec<Self>, Bad> {
        let mut list = Vec::new();
        let (mut later, mut from) = (sequence, start.objects);
        for place in 0..4 {
            let entry = at + place * 32;
            let ancestor = Self { sequence: fields.u64(entry)?, start: Point::decode(fields, entry + 8)? };
            if ancestor.sequence == 0 {
                break;
            }
            if ancestor.sequence >= later || ancestor.start.objects >= from {
                return Err(Bad::Field("ancestor", ancestor.sequence));
            }
            (later, from) = (ancestor.sequence, ancestor.start.objects);
            list.push(ancestor);
        }
        Ok(list)
    }
}
