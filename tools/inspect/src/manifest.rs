//! The log of a cartridge: what segments make up its tape (`manifest-v1.md`, what a reader does).

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Damage, Error, Found, found};
use crate::format::{Delta, Meta, Origin, Row, Uuid};
use crate::source::Source;
use crate::tape::TapeName;

/// A delta beyond this is not read: a checkpoint of a million segments has as much.
const MAX_DELTA: u64 = 256 << 20;
/// Every so many deltas one is a checkpoint.
const CHECKPOINTS: u64 = 64;

/// What a cartridge is after a delta.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct State {
    /// The delta.
    pub(crate) number: u64,
    /// When it was written, in milliseconds since 1970.
    pub(crate) written: u64,
    pub(crate) writer: Uuid,
    pub(crate) writer_epoch: u64,
    pub(crate) meta: Option<Meta>,
    /// Segments in the tier, by their number.
    pub(crate) rows: BTreeMap<u64, Row>,
}

impl State {
    /// The state that a checkpoint tells. Its releases are of rows that it does not have any more.
    fn begin(delta: Delta) -> Result<Self, String> {
        let mut rows = BTreeMap::new();
        for row in delta.rows {
            let sequence = row.sequence;
            if rows.insert(sequence, row).is_some() {
                return Err(format!("it has segment {sequence} twice"));
            }
        }
        Ok(Self {
            number: delta.number,
            written: delta.written,
            writer: delta.writer,
            writer_epoch: delta.writer_epoch,
            meta: delta.meta,
            rows,
        })
    }

    /// The cartridge that wrote a segment: this one, or one that it is a clone of.
    pub(crate) fn owner(&self, own: &TapeName, sequence: u64) -> TapeName {
        let origins = self.meta.iter().flat_map(|meta| &meta.origins);
        let origin = origins.into_iter().find(|origin| sequence < origin.below);
        let name = |origin: &Origin| TapeName { barcode: origin.barcode.clone(), cartridge: origin.cartridge };
        origin.map_or_else(|| own.clone(), name)
    }

    /// Every cartridge that has a part in it.
    pub(crate) fn owners(&self, own: &TapeName) -> Vec<TapeName> {
        let mut owners = vec![own.clone()];
        for origin in self.meta.iter().flat_map(|meta| &meta.origins) {
            owners.push(TapeName { barcode: origin.barcode.clone(), cartridge: origin.cartridge });
        }
        owners.dedup();
        owners
    }

    /// What is wrong with the next delta, if something is.
    fn check(&self, delta: &Delta) -> Result<(), String> {
        if delta.writer == self.writer && delta.writer_epoch < self.writer_epoch {
            return Err(format!("its writer's epoch is {} after {}", delta.writer_epoch, self.writer_epoch));
        }
        if delta.is_checkpoint {
            return Ok(());
        }
        let mut released = BTreeSet::new();
        for release in &delta.releases {
            let is_there = self.rows.get(&release.sequence).is_some_and(|row| row.is_released_by(release));
            if !is_there || !released.insert(release.sequence) {
                return Err(format!("it releases segment {}, which is not there", release.sequence));
            }
        }
        let mut added = BTreeSet::new();
        for row in &delta.rows {
            let is_there = self.rows.contains_key(&row.sequence) && !released.contains(&row.sequence);
            if is_there || !added.insert(row.sequence) {
                return Err(format!("it has segment {} a second time", row.sequence));
            }
        }
        Ok(())
    }

    /// Adds a delta that was checked.
    fn add(&mut self, delta: Delta) {
        for release in &delta.releases {
            self.rows.remove(&release.sequence);
        }
        self.rows.extend(delta.rows.into_iter().map(|row| (row.sequence, row)));
        (self.number, self.written) = (delta.number, delta.written);
        (self.writer, self.writer_epoch) = (delta.writer, delta.writer_epoch);
        self.meta = delta.meta.or(self.meta.take());
    }

    fn apply(&mut self, delta: Delta) -> Result<(), String> {
        self.check(&delta)?;
        if delta.is_checkpoint {
            *self = Self::begin(delta)?;
        } else {
            self.add(delta);
        }
        Ok(())
    }
}

/// What was found in a log.
#[derive(Debug)]
pub(crate) struct Reading {
    /// The last state that is proved, if there is one.
    pub(crate) state: Option<State>,
    /// Damaged deltas that were met.
    pub(crate) damage: BTreeMap<u64, Damage>,
    /// The highest number that is there.
    pub(crate) last: u64,
}

impl Reading {
    /// The delta that the state does not get beyond.
    pub(crate) fn stopped_at(&self) -> Option<u64> {
        let reached = self.state.as_ref().map(|state| state.number);
        self.damage.keys().copied().find(|&number| reached.is_none_or(|reached| number > reached))
    }
}

/// The log of a cartridge in a tier.
pub(crate) struct Log<'a> {
    source: &'a dyn Source,
    name: &'a TapeName,
}

impl<'a> Log<'a> {
    pub(crate) fn new(source: &'a dyn Source, name: &'a TapeName) -> Self {
        Self { source, name }
    }

    pub(crate) fn name(&self) -> &TapeName {
        self.name
    }

    /// The numbers of all deltas in the listing, and keys that are none.
    pub(crate) fn numbers(&self) -> Result<(Vec<u64>, Vec<String>), Error> {
        let prefix = format!("{}manifest/", self.name.folder());
        let (mut numbers, mut others) = (Vec::new(), Vec::new());
        for listed in self.source.list(&prefix)? {
            let number = listed.key.strip_prefix(&prefix).and_then(|number| number.parse().ok());
            match number.filter(|&number| self.name.delta(number) == listed.key) {
                Some(number) => numbers.push(number),
                None => others.push(listed.key),
            }
        }
        numbers.sort_unstable();
        Ok((numbers, others))
    }

    /// A delta by its number, if it proves itself and is in its place.
    pub(crate) fn delta(&self, number: u64) -> Found<Delta> {
        let key = self.name.delta(number);
        let bytes = match found(self.source.whole(&key, MAX_DELTA))? {
            Ok(bytes) => bytes,
            Err(damage) => return Ok(Err(damage)),
        };
        let delta = match Delta::decode(&bytes) {
            Ok(delta) => delta,
            Err(bad) => return Ok(Err(Damage::new(&key, bad))),
        };
        if delta.number != number {
            return Ok(Err(Damage::new(&key, format_args!("it is delta {}", delta.number))));
        }
        if delta.cartridge != self.name.cartridge {
            return Ok(Err(Damage::new(&key, format_args!("it is of cartridge {}", delta.cartridge))));
        }
        Ok(Ok(delta))
    }

    /// The last delta that was written at that time or before. Each is written after the one before it.
    pub(crate) fn at(&self, time: u64) -> Result<Option<u64>, Error> {
        let (numbers, _) = self.numbers()?;
        let mut found = None;
        let mut rest = numbers.as_slice();
        while let Some(&number) = rest.get(rest.len() / 2) {
            let (before, after) = rest.split_at(rest.len() / 2);
            match self.delta(number)? {
                Ok(delta) if delta.written <= time => {
                    found = Some(number);
                    rest = after.get(1..).unwrap_or_default();
                }
                // A damaged one is passed over towards older ones, which hides nothing that counts.
                _ => rest = before,
            }
        }
        Ok(found)
    }

    /// The state after the last delta, or after `version`. None if there is no delta at all.
    pub(crate) fn read(&self, version: Option<u64>) -> Result<Option<Reading>, Error> {
        let (mut numbers, _) = self.numbers()?;
        if let Some(version) = version {
            numbers.retain(|&number| number <= version);
        }
        let Some(&last) = numbers.last() else { return Ok(None) };
        let mut reading = Reading { state: None, damage: BTreeMap::new(), last };
        let mut start = last - last % CHECKPOINTS;
        loop {
            self.replay(start, &numbers, version, &mut reading)?;
            if reading.state.is_some() {
                return Ok(Some(reading));
            }
            // Back to where the checkpoint before should be, past whatever is missing in between.
            let Some(before) = numbers.iter().rev().find(|&&number| number < start) else { return Ok(Some(reading)) };
            start = before - before % CHECKPOINTS;
        }
    }

    /// Applies deltas from `start` on. Behind a damaged one only a checkpoint counts.
    fn replay(&self, start: u64, listed: &[u64], version: Option<u64>, reading: &mut Reading) -> Result<(), Error> {
        let mut is_whole = false;
        let mut next = Some(start);
        while let Some(number) = next.filter(|&number| version.is_none_or(|version| number <= version)) {
            next = number.checked_add(1);
            let failed = match self.delta(number)? {
                Ok(delta) => {
                    reading.last = reading.last.max(number);
                    let wrong = match (&mut reading.state, is_whole, delta.is_checkpoint) {
                        (Some(state), true, _) => state.apply(delta).err(),
                        (state, _, true) => State::begin(delta).map(|begun| *state = Some(begun)).err(),
                        // It adds to something that is not known.
                        _ => continue,
                    };
                    wrong.map(|what| Damage::new(&self.name.delta(number), what))
                }
                Err(damage) if self.is_there(number)? => Some(damage),
                Err(damage) => {
                    // A listing may be older than the tier: one more is asked for until there is none.
                    next = listed.iter().copied().find(|&there| there > number);
                    if next.is_none() {
                        break;
                    }
                    Some(damage)
                }
            };
            is_whole = failed.is_none();
            if let Some(damage) = failed {
                reading.damage.insert(number, damage);
            }
        }
        Ok(())
    }

    fn is_there(&self, number: u64) -> Result<bool, Error> {
        match self.source.length(&self.name.delta(number)) {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
