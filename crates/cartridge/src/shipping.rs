//! What whoever ships a cartridge asks of it.
//!
//! Only states that are on stable storage are shipped: a tier must never have what a loss of power could take back here.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use capstan_format::manifest::{self, RecoveryPoint};
use capstan_format::{Meta, Point};

use crate::chain::Row;
use crate::fault::Fault;
use crate::versions::now;
use crate::{Cartridge, CartridgeError};

/// Recovery points that wait to be shipped.
const POINTS: usize = 1 << 16;

/// A state of the tape of which everything is in the tier, once the rows are in the manifest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shipment {
    /// Those of the rows that the tape is made of.
    pub rows: Vec<manifest::Row>,
    /// Numbers of segments in the tier that it is not made of any more.
    pub released: Vec<u64>,
    /// The encoded metadata of the state.
    pub meta: Vec<u8>,
    /// Recovery points since the last shipment.
    pub points: Vec<RecoveryPoint>,
    /// Objects before this one are in the tier.
    pub tier_to: u64,
}

impl Cartridge {
    /// Puts what was written longer ago than `age` on stable storage, and closes its segment, so that it can be shipped.
    ///
    /// # Errors
    /// The disk failed; the cartridge is poisoned as by any failed synchronisation.
    pub fn settle_older_than(&mut self, age: Duration) -> Result<(), CartridgeError> {
        if !self.meta.open || self.poisoned.is_some() {
            return Ok(());
        }
        let tail = self.tail.as_ref().map(|tail| (tail.header().sequence, tail.index().end() == tail.header().start));
        let tail_began = tail.and_then(|(sequence, is_empty)| (!is_empty).then(|| self.begun.get(&sequence))?);
        let unsynced = self.unsynced.iter().filter_map(|segment| self.begun.get(&segment.sequence()));
        let oldest = unsynced.chain(tail_began).min().copied();
        if oldest.is_none_or(|began| began.elapsed() < age) {
            return Ok(());
        }
        let id = self.meta.cartridge;
        let poisoned = |fault: Fault| CartridgeError::Poisoned { id, what: fault.message };
        if tail_began.is_some_and(|began| began.elapsed() >= age) {
            self.close_tail().map_err(poisoned)?;
        }
        self.recovery_point().map_err(poisoned)
    }

    /// When the oldest object was written that is not in the tier, if that was since the cartridge was loaded.
    #[must_use]
    pub fn oldest_unshipped(&self) -> Option<Instant> {
        let is_filled = |sequence: &u64| {
            let tail = self.tail.as_ref().filter(|tail| tail.header().sequence == *sequence);
            tail.is_none_or(|tail| tail.index().end() != tail.header().start)
        };
        let began = self.begun.iter().filter(|(sequence, _)| is_filled(sequence));
        began.map(|(_, began)| *began).min()
    }

    /// The state that can be in the tier once `rows` are: segments that were shipped just now. `None` while the tape is
    /// between two states that are on stable storage.
    pub fn shipment(&self, rows: &[manifest::Row]) -> Option<Shipment> {
        if self.poisoned.is_some() || !self.superseded.is_empty() {
            return None;
        }
        // What an overwriting segment replaces is the truth until that segment is on stable storage.
        let overwrites = |row: &Row| !self.is_synced(row.sequence) && self.is_cut_at(row.start);
        if self.chain.rows().iter().rev().take(self.unsynced.len().saturating_add(1)).any(overwrites) {
            return None;
        }
        let part = |row: &manifest::Row| (row.sequence, Some(row.epoch), row.start.object);
        let of_tape = |row: &Row| (row.sequence, row.epoch, row.start.object);
        let new: BTreeSet<(u64, Option<u64>, u64)> = rows.iter().map(part).collect();
        let is_there = |row: &Row| new.contains(&of_tape(row)) || self.shipped.row(row.sequence, row.start).is_some();
        let mut parts: BTreeSet<_> = self.kept.values().map(|(row, _)| of_tape(row)).collect();
        let mut end = Some(Point::default());
        let mut shipped_to = Point::default();
        for (row, after) in self.chain.spans() {
            parts.insert(of_tape(&row));
            end = end.filter(|_| is_there(&row) || row.start == after).map(|_| after);
            shipped_to = end.unwrap_or(shipped_to);
        }
        let end = shipped_to;
        let rows = rows.iter().filter(|row| parts.contains(&part(row))).cloned().collect();
        let released = self.shipped.rows.values().filter(|row| !parts.contains(&part(row)));
        let released = released.map(|row| row.sequence).collect();
        let meta = Meta {
            open: false,
            epoch: self.epoch,
            next_sequence: self.next_sequence,
            end,
            ancestors: self.chain.ancestors(end),
            versions: self.shipped_versions(is_there),
            ..self.meta.clone()
        };
        let points = self.points.clone();
        Some(Shipment { rows, released, meta: meta.encode(), points, tier_to: end.object })
    }

    /// Recovery points up to this one are in the tier.
    pub fn points_shipped(&mut self, last: RecoveryPoint) {
        self.points.retain(|point| point.at > last.at);
    }

    /// Objects before this one are on stable storage.
    #[must_use]
    pub fn durable_to(&self) -> u64 {
        self.durable
    }

    /// Segments that have to stay here while it is loaded: the last two of the tape.
    #[must_use]
    pub fn last_segments(&self) -> Vec<u64> {
        self.chain.rows().iter().rev().take(2).map(|row| row.sequence).collect()
    }

    /// Notes that everything before the end is on stable storage now.
    pub(crate) fn note_point(&mut self) {
        let object = self.durable;
        if self.points.last().is_some_and(|last| last.object == object) {
            return;
        }
        if self.points.len() >= POINTS {
            self.points.remove(0);
        }
        self.points.push(RecoveryPoint { object, at: now() });
    }

    fn is_synced(&self, sequence: u64) -> bool {
        let is_tail = self.tail.as_ref().is_some_and(|tail| tail.header().sequence == sequence && tail.is_unsynced());
        !is_tail && !self.unsynced.iter().any(|segment| segment.sequence() == sequence)
    }

    /// Something that was shipped lies behind that place, and no older version has it.
    fn is_cut_at(&self, place: Point) -> bool {
        let mut behind = self.shipped.rows.values().filter(|row| row.end.object > place.object);
        behind.any(|row| !self.kept.contains_key(&row.sequence))
    }
}
