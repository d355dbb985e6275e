//! What of a cartridge is in a tier, as the log beside its segments says.
//!
//! A row of it says of a segment what its header says, and is proved by checksums of its own. So the chain of a tape is
//! found without its segments, wherever they are; where a segment is only in the tier, reading goes through
//! [`capstan_store::Recall`].

use std::collections::BTreeMap;

use capstan_format::manifest::{self, Ending, Manifest, read_log};
use capstan_format::{Meta, Origin, Point};
use capstan_media::CartridgeId;
use capstan_store::{CartridgeDirectory, Evicted, Segment, StoreError};

use crate::chain::Row;
use crate::lineage::open_if_there;
use crate::tail::Tail;
use crate::{Cartridge, CartridgeError};

/// The segments that are in the tier.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shipped {
    pub(crate) rows: BTreeMap<u64, manifest::Row>,
    /// Where the log is damaged, and how.
    pub(crate) damage: Option<(u64, String)>,
}

/// A segment that nothing more is written to, on stable storage, and not in the tier as far as the log says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unshipped {
    /// Its number.
    pub sequence: u64,
    /// The place after its last object that is on the tape.
    pub end: Point,
}

/// The segments of a cartridge, here or in the tier.
#[derive(Clone, Copy)]
pub(crate) struct Segments<'a> {
    pub(crate) directory: &'a CartridgeDirectory,
    pub(crate) shipped: &'a Shipped,
    /// Whose the first segments are, in a clone.
    pub(crate) origins: &'a [Origin],
}

impl Shipped {
    /// Reads the log. What a damaged one says before the damage counts; what comes after it has to be fetched anew.
    pub(crate) fn read(directory: &CartridgeDirectory) -> Result<Self, CartridgeError> {
        let bytes = directory.read_shipped()?;
        let log = read_log(&bytes);
        let path = directory.shipped_path();
        let corrupt = |offset, what| CartridgeError::Corrupt { path: path.clone(), offset, what };
        let damage = match log.ending {
            Ending::Damaged(error) => Some((log.length, error.to_string())),
            Ending::Whole | Ending::Torn(_) => None,
        };
        if let Some((offset, error)) = &damage {
            tracing::error!(file = %path.display(), offset, error, "the log of what is in the tier is damaged");
        }
        let mut deltas = log.deltas.into_iter();
        let Some(first) = deltas.next() else { return Ok(Self { damage, ..Self::default() }) };
        if first.cartridge != directory.id() {
            return Err(corrupt(0, format!("it is the log of cartridge {}", first.cartridge)));
        }
        let mut manifest = Manifest::begin(first).map_err(|error| corrupt(0, error.to_string()))?;
        for delta in deltas {
            manifest.apply(delta).map_err(|error| corrupt(0, error.to_string()))?;
        }
        Ok(Self { rows: manifest.rows, damage })
    }

    /// The segment with that number, if it begins there.
    pub(crate) fn row(&self, sequence: u64, start: Point) -> Option<&manifest::Row> {
        self.rows.get(&sequence).filter(|row| row.start == start)
    }
}

impl Cartridge {
    /// The segments of the tape that can be shipped now, oldest first.
    #[must_use]
    pub fn unshipped(&self) -> Vec<Unshipped> {
        let candidates = self.closed().filter(|(row, end)| {
            let is_unsynced = self.unsynced.iter().any(|segment| segment.sequence() == row.sequence);
            let is_shipped = self.shipped.row(row.sequence, row.start).is_some();
            let is_lost = row.epoch.is_none() || row.start == *end;
            !is_unsynced && !is_shipped && !is_lost
        });
        let end_of = |row: &Row, end: Point| {
            let kept = self.kept.get(&row.sequence).map(|(_, end)| *end);
            kept.filter(|kept| kept.object > end.object).unwrap_or(end)
        };
        let of_tape = candidates.map(|(row, end)| Unshipped { sequence: row.sequence, end: end_of(&row, end) });
        let mut all: Vec<Unshipped> = of_tape.chain(self.unshipped_of_versions()).collect();
        all.sort_unstable_by_key(|it| it.sequence);
        all
    }

    /// Bytes of the segments that cannot be shipped yet: the one that is written to, and those that are not on stable
    /// storage.
    #[must_use]
    pub fn unfinished_bytes(&self) -> u64 {
        let tail = self.tail.as_ref().filter(|tail| tail.index().end() != tail.header().start);
        let segments = self.unsynced.iter().chain(tail.map(Tail::segment));
        segments.map(Segment::length).fold(0, u64::saturating_add)
    }

    /// The segments that nothing more is written to, and where they end.
    pub(crate) fn closed(&self) -> impl Iterator<Item = (Row, Point)> {
        let open = self.tail.as_ref().map(|tail| tail.header().sequence);
        self.chain.spans().filter(move |(row, _)| Some(row.sequence) != open)
    }

    /// Reads the log of what is in the tier anew, after it was written.
    ///
    /// # Errors
    /// It is not that of this cartridge, or the disk failed.
    pub fn read_shipped(&mut self) -> Result<(), CartridgeError> {
        self.shipped = Shipped::read(&self.directory)?;
        let shipped = &self.shipped;
        self.begun.retain(|sequence, _| !shipped.rows.contains_key(sequence));
        Ok(())
    }

    /// Makes the metadata say what is on stable storage now, up to the end of a closed segment. Segments up to there,
    /// and no others of a loaded cartridge, may be evicted: recovery does not look for them. Gives the lowest number that
    /// may not.
    ///
    /// # Errors
    /// The disk failed; then nothing has changed.
    pub fn cover(&mut self) -> Result<u64, CartridgeError> {
        if !self.meta.open || self.poisoned.is_some() {
            return Ok(self.meta.next_sequence);
        }
        let covered = self.closed().filter(|(_, end)| end.object <= self.durable);
        let Some((row, end)) = covered.last() else { return Ok(self.meta.next_sequence) };
        // A segment before the last one can have the higher number only if that one is older than the metadata.
        let next_sequence = row.sequence.saturating_add(1);
        if next_sequence <= self.meta.next_sequence {
            return Ok(self.meta.next_sequence);
        }
        self.directory.sync_names()?;
        let (epoch, ancestors) = (self.epoch, self.chain.ancestors(end));
        self.write_meta(Meta { epoch, next_sequence, end, ancestors, ..self.meta.clone() })?;
        Ok(next_sequence)
    }
}

impl<'a> Segments<'a> {
    pub(crate) fn new(directory: &'a CartridgeDirectory, shipped: &'a Shipped, origins: &'a [Origin]) -> Self {
        Self { directory, shipped, origins }
    }

    /// The cartridge whose a segment is: another one where a clone shares it.
    pub(crate) fn owner(&self, sequence: u64) -> CartridgeId {
        Origin::of(self.origins, sequence).map_or(self.directory.id(), |origin| origin.cartridge)
    }

    /// Opens a segment that begins at `start`: the file that is here, or else what the tier has. `None` if neither is.
    pub(crate) fn open(&self, sequence: u64, start: Point) -> Result<Option<Segment>, StoreError> {
        match open_if_there(self.directory, sequence) {
            Ok(None) => self.recall(sequence, start).transpose(),
            Ok(segment) => Ok(segment),
            // The area with the file is in trouble; the tier may not be.
            Err(error) => self.recall(sequence, start).unwrap_or(Err(error)).map(Some),
        }
    }

    /// Opens a segment that begins at `start` as the tier has it; `None` if it is not there.
    pub(crate) fn recall(&self, sequence: u64, start: Point) -> Option<Result<Segment, StoreError>> {
        let wanted = self.evicted(sequence, start)?;
        Some(self.directory.recall_segment(&wanted))
    }

    /// Says that a segment will be read soon, if it is only in the tier.
    pub(crate) fn expect(&self, sequence: u64, start: Point) {
        if let Some(wanted) = self.evicted(sequence, start)
            && self.directory.open_segment(sequence).is_err()
        {
            self.directory.expect_segment(&wanted);
        }
    }

    fn evicted(&self, sequence: u64, start: Point) -> Option<Evicted> {
        self.shipped.row(sequence, start).map(|row| evicted(self.directory.id(), row))
    }
}

/// What it takes to bring back the segment of a row.
#[must_use]
pub fn evicted(cartridge: CartridgeId, row: &manifest::Row) -> Evicted {
    Evicted {
        cartridge,
        sequence: row.sequence,
        epoch: row.epoch,
        length: row.segment_length,
        random: row.random,
        object_length: row.object_length,
        encrypted: row.encrypted,
    }
}
