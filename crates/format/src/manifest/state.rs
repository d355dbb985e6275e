//! What a chain of deltas adds up to.

use std::collections::{BTreeMap, BTreeSet};

use capstan_media::{CartridgeId, GatewayId};

use super::{CHECKPOINT_EVERY, Delta, HandOver, Kind, RecoveryPoint, Release, Row};

/// Why a delta cannot follow those before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ManifestError {
    /// The first one is no checkpoint.
    #[error("delta {0} is not a checkpoint, and nothing comes before it")]
    NoBeginning(u64),
    /// Its number is not the next one.
    #[error("delta {found} comes where {expected} is expected")]
    Number {
        /// The next one.
        expected: u64,
        /// The number that it has.
        found: u64,
    },
    /// It belongs to another cartridge.
    #[error("delta {0} is one of another cartridge")]
    Cartridge(u64),
    /// The same writer went back to an earlier epoch.
    #[error("delta {0} has an earlier writer epoch than the one before it")]
    WriterEpoch(u64),
    /// A row names a segment that is there already.
    #[error("delta {number} adds segment {sequence}, which is there already")]
    Added {
        /// The delta.
        number: u64,
        /// The segment.
        sequence: u64,
    },
    /// A release names an object that is no row.
    #[error("delta {number} releases segment {sequence}, which is not there")]
    Released {
        /// The delta.
        number: u64,
        /// The segment.
        sequence: u64,
    },
}

/// What a chain of deltas adds up to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// The cartridge.
    pub cartridge: CartridgeId,
    /// Number of the last delta.
    pub number: u64,
    /// Who wrote it.
    pub writer: GatewayId,
    /// In which of its epochs.
    pub writer_epoch: u64,
    /// The last encoded `cartridge.meta`.
    pub meta: Option<Vec<u8>>,
    /// The segments that are in the tier, by number.
    pub rows: BTreeMap<u64, Row>,
    /// Objects that are released and may be there still.
    pub releases: Vec<Release>,
    /// Recovery points since the last checkpoint, and those that it had.
    pub points: Vec<RecoveryPoint>,
    /// Its last delta gives the tape away.
    pub handed_over: Option<HandOver>,
}

impl Manifest {
    /// Begins with a checkpoint.
    ///
    /// # Errors
    /// It is none, or has a row twice.
    pub fn begin(checkpoint: Delta) -> Result<Self, ManifestError> {
        if checkpoint.kind != Kind::Checkpoint {
            return Err(ManifestError::NoBeginning(checkpoint.number));
        }
        let mut manifest = Self {
            cartridge: checkpoint.cartridge,
            number: checkpoint.number,
            writer: checkpoint.writer,
            writer_epoch: checkpoint.writer_epoch,
            meta: checkpoint.meta,
            rows: BTreeMap::new(),
            releases: checkpoint.releases,
            points: checkpoint.points,
            handed_over: checkpoint.handed_over,
        };
        manifest.add(checkpoint.number, checkpoint.rows)?;
        Ok(manifest)
    }

    /// Number of the checkpoint at which a reader can begin to reach delta `number`.
    #[must_use]
    pub fn checkpoint_before(number: u64) -> u64 {
        number - number % CHECKPOINT_EVERY
    }

    /// Goes on with the next delta, which may be a checkpoint.
    ///
    /// # Errors
    /// It cannot follow; nothing was changed then.
    pub fn apply(&mut self, delta: Delta) -> Result<(), ManifestError> {
        let number = delta.number;
        let expected = self.number.saturating_add(1);
        if number != expected {
            return Err(ManifestError::Number { expected, found: number });
        }
        if delta.cartridge != self.cartridge {
            return Err(ManifestError::Cartridge(number));
        }
        if delta.writer == self.writer && delta.writer_epoch < self.writer_epoch {
            return Err(ManifestError::WriterEpoch(number));
        }
        if delta.kind == Kind::Checkpoint {
            *self = Self::begin(delta)?;
            return Ok(());
        }
        self.check(&delta)?;
        (self.number, self.writer, self.writer_epoch) = (number, delta.writer, delta.writer_epoch);
        for release in delta.releases {
            self.rows.remove(&release.sequence);
            self.releases.push(release);
        }
        self.add(number, delta.rows)?;
        self.points.extend(delta.points);
        self.handed_over = delta.handed_over;
        if delta.meta.is_some() {
            self.meta = delta.meta;
        }
        Ok(())
    }

    /// Whether its rows can be added once its releases are taken away.
    fn check(&self, delta: &Delta) -> Result<(), ManifestError> {
        let number = delta.number;
        let mut gone = BTreeSet::new();
        for release in &delta.releases {
            let is_there = |row: &Row| (row.epoch, row.random) == (release.epoch, release.random);
            let known = self.rows.get(&release.sequence).is_some_and(is_there);
            if !known || !gone.insert(release.sequence) {
                return Err(ManifestError::Released { number, sequence: release.sequence });
            }
        }
        let mut added = BTreeSet::new();
        for &Row { sequence, .. } in &delta.rows {
            let is_there = self.rows.contains_key(&sequence) && !gone.contains(&sequence);
            if is_there || !added.insert(sequence) {
                return Err(ManifestError::Added { number, sequence });
            }
        }
        Ok(())
    }

    fn add(&mut self, number: u64, rows: Vec<Row>) -> Result<(), ManifestError> {
        for row in rows {
            let sequence = row.sequence;
            if self.rows.insert(sequence, row).is_some() {
                return Err(ManifestError::Added { number, sequence });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::Point;

    fn row(sequence: u64) -> Row {
        let (start, end) = (Point::default(), Point { object: 1, filemark: 0, byte: 1 });
        Row { sequence, start, end, ancestors: Vec::new(), ..super::super::row::tests::sample() }
    }

    fn release(sequence: u64) -> Release {
        let Row { epoch, random, .. } = row(sequence);
        Release { sequence, epoch, random, at: 77 }
    }

    pub(in super::super) fn delta(number: u64, kind: Kind, rows: &[u64], releases: &[u64]) -> Delta {
        Delta {
            kind,
            number,
            meta: None,
            rows: rows.iter().copied().map(row).collect(),
            releases: releases.iter().copied().map(release).collect(),
            points: vec![RecoveryPoint { object: number, at: 1 }],
            ..super::super::delta::tests::sample()
        }
    }

    fn sequences(manifest: &Manifest) -> Vec<u64> {
        manifest.rows.keys().copied().collect()
    }

    #[test]
    fn deltas_add_and_take_away_and_a_checkpoint_begins_anew() {
        let mut manifest = Manifest::begin(delta(0, Kind::Checkpoint, &[1, 2], &[])).unwrap();
        manifest.apply(Delta { meta: Some(vec![1]), ..delta(1, Kind::Delta, &[3], &[2]) }).unwrap();
        manifest.apply(delta(2, Kind::Delta, &[], &[])).unwrap();
        assert_eq!((sequences(&manifest), manifest.releases.len(), manifest.points.len()), (vec![1, 3], 1, 3));
        assert_eq!((manifest.number, manifest.meta.as_deref()), (2, Some([1].as_slice())));
        // What was released may come again, as another object; also in the same delta.
        manifest.apply(delta(3, Kind::Delta, &[2, 1], &[1])).unwrap();
        assert_eq!(sequences(&manifest), [1, 2, 3]);
        manifest.apply(delta(4, Kind::Checkpoint, &[3], &[])).unwrap();
        assert_eq!((sequences(&manifest), manifest.releases.len(), manifest.points.len()), (vec![3], 0, 1));
        assert_eq!(manifest.meta, None);
        assert_eq!([0, 63, 64, 200].map(Manifest::checkpoint_before), [0, 0, 64, 192]);
    }

    #[test]
    fn what_cannot_follow_is_named_and_changes_nothing() {
        let whole = Manifest::begin(delta(5, Kind::Checkpoint, &[1], &[])).unwrap();
        let refused = |delta| {
            let mut manifest = whole.clone();
            let error = manifest.apply(delta).unwrap_err();
            assert_eq!(manifest, whole);
            error
        };
        assert_eq!(refused(delta(7, Kind::Delta, &[], &[])), ManifestError::Number { expected: 6, found: 7 });
        assert_eq!(refused(delta(5, Kind::Checkpoint, &[], &[])), ManifestError::Number { expected: 6, found: 5 });
        let next = || delta(6, Kind::Delta, &[2], &[]);
        assert_eq!(refused(Delta { cartridge: CartridgeId([1; 16]), ..next() }), ManifestError::Cartridge(6));
        assert_eq!(refused(Delta { writer_epoch: 2, ..next() }), ManifestError::WriterEpoch(6));
        let added = ManifestError::Added { number: 6, sequence: 1 };
        assert_eq!(refused(delta(6, Kind::Delta, &[2, 1], &[])), added);
        assert_eq!(refused(delta(6, Kind::Checkpoint, &[1, 1], &[])), added);
        assert_eq!(refused(delta(6, Kind::Delta, &[2, 2], &[])), ManifestError::Added { number: 6, sequence: 2 });
        let twice = refused(delta(6, Kind::Delta, &[], &[1, 1]));
        assert_eq!(twice, ManifestError::Released { number: 6, sequence: 1 });
        let released = ManifestError::Released { number: 6, sequence: 2 };
        assert_eq!(refused(delta(6, Kind::Delta, &[2], &[2])), released);
        let other = Release { random: 1, ..release(1) };
        let other = refused(Delta { releases: vec![other], ..next() });
        assert_eq!(other, ManifestError::Released { number: 6, sequence: 1 });
        assert_eq!(Manifest::begin(next()), Err(ManifestError::NoBeginning(6)));
        // Another writer counts its epochs by itself.
        let taken_over = Delta { writer: GatewayId([9; 16]), writer_epoch: 1, ..next() };
        assert_eq!(whole.clone().apply(taken_over), Ok(()));
    }
}
