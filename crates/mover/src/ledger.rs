//! What of a cartridge is in the tier: the log beside its segments, and the manifest in the tier, which it precedes by at
//! most one delta.

use capstan_format::manifest::{
    CHECKPOINT_EVERY, Delta, Ending, Kind, Manifest, ManifestError, RecoveryPoint, Release, Row, read_log,
};
use capstan_format::{Meta, wide};
use capstan_media::{CartridgeId, GatewayId};
use capstan_store::CartridgeDirectory;

use crate::MoverError;

/// Recovery points that a checkpoint repeats.
const POINTS: usize = 1024;

/// Who writes manifests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Writer {
    pub(crate) gateway: GatewayId,
    /// Grows with each start.
    pub(crate) epoch: u64,
}

/// What of a cartridge is in the tier.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    cartridge: CartridgeId,
    /// What all deltas add up to; `None` before the first.
    pub(crate) manifest: Option<Manifest>,
    /// Bytes of the log.
    length: u64,
    /// The last delta, as it is stored, while it is not known to be in the tier.
    pub(crate) unconfirmed: Option<(u64, Vec<u8>)>,
}

/// A change of the manifest.
#[derive(Clone, Default, Debug)]
pub(crate) struct Change {
    pub(crate) rows: Vec<Row>,
    pub(crate) released: Vec<u64>,
    pub(crate) meta: Vec<u8>,
    pub(crate) points: Vec<RecoveryPoint>,
}

/// How the log was before a delta was written to it.
#[derive(Debug)]
pub(crate) enum Before {
    Length(u64),
    Whole(Vec<u8>),
}

impl Ledger {
    /// Reads the log.
    ///
    /// # Errors
    /// It is damaged: it has to be fetched anew. Or the disk failed.
    pub(crate) fn read(directory: &CartridgeDirectory) -> Result<Self, MoverError> {
        let (cartridge, bytes) = (directory.id(), directory.read_shipped()?);
        let log = read_log(&bytes);
        let damaged = |what: String| MoverError::Cartridge {
            id: cartridge,
            what: format!(
                "{}: {what}: move it away to have it fetched from the tier",
                directory.shipped_path().display()
            ),
        };
        if let Ending::Damaged(error) = log.ending {
            return Err(damaged(format!("damaged at byte {}: {error}", log.length)));
        }
        let mut deltas = log.deltas.into_iter();
        let Some(first) = deltas.next() else {
            return Ok(Self { cartridge, manifest: None, length: 0, unconfirmed: None });
        };
        if first.cartridge != cartridge {
            return Err(damaged(format!("it is the log of cartridge {}", first.cartridge)));
        }
        let mut last = first.clone();
        let mut manifest = Manifest::begin(first).map_err(|error| damaged(error.to_string()))?;
        for delta in deltas {
            last = delta.clone();
            manifest.apply(delta).map_err(|error| damaged(error.to_string()))?;
        }
        let unconfirmed = Some((last.number, last.encode()));
        Ok(Self { cartridge, manifest: Some(manifest), length: log.length, unconfirmed })
    }

    /// The segments that are in the tier, for all that is known here.
    pub(crate) fn row(&self, sequence: u64) -> Option<&Row> {
        self.manifest.as_ref()?.rows.get(&sequence)
    }

    /// Whether a change says anything that is not known yet. Epochs and numbers alone are not worth a delta.
    pub(crate) fn is_news(&self, change: &Change) -> bool {
        let Some(manifest) = &self.manifest else { return true };
        let known = manifest.meta.as_deref().and_then(|meta| Meta::decode(meta).ok());
        let meta = Meta::decode(&change.meta).ok();
        let says = |meta: Option<Meta>| {
            meta.map(|meta| (meta.barcode, meta.capacity, meta.protected, meta.end, meta.ancestors))
        };
        !change.rows.is_empty() || !change.released.is_empty() || says(known) != says(meta)
    }

    /// The next delta. Every so often it is a checkpoint, which has all that counts.
    pub(crate) fn next(&self, change: Change, writer: Writer, nonce: [u8; 16], now: u64) -> Delta {
        let Change { rows, released, meta, points } = change;
        let number = self.manifest.as_ref().map_or(0, |manifest| manifest.number.saturating_add(1));
        let release = |row: &Row| Release { sequence: row.sequence, epoch: row.epoch, random: row.random, at: now };
        let releases: Vec<Release> = released.iter().filter_map(|sequence| self.row(*sequence)).map(release).collect();
        let mut delta = Delta {
            kind: Kind::Delta,
            number,
            cartridge: self.cartridge,
            writer: writer.gateway,
            writer_epoch: self.manifest.as_ref().map_or(0, |manifest| manifest.writer_epoch).max(writer.epoch),
            nonce,
            written: now,
            meta: Some(meta),
            rows,
            releases,
            points,
        };
        if number.is_multiple_of(CHECKPOINT_EVERY) {
            self.make_checkpoint(&mut delta);
        }
        delta
    }

    /// Adds what the deltas before it say and still counts.
    fn make_checkpoint(&self, delta: &mut Delta) {
        delta.kind = Kind::Checkpoint;
        let Some(manifest) = &self.manifest else { return };
        let gone = |row: &Row| delta.releases.iter().any(|release| release.sequence == row.sequence);
        let again = |row: &Row| delta.rows.iter().any(|new| new.sequence == row.sequence);
        let kept: Vec<Row> = manifest.rows.values().filter(|row| !gone(row) && !again(row)).cloned().collect();
        delta.rows.splice(0..0, kept);
        delta.releases.splice(0..0, manifest.releases.iter().copied());
        let points = manifest.points.iter().rev().take(POINTS.saturating_sub(delta.points.len()));
        let mut points: Vec<RecoveryPoint> = points.copied().collect();
        points.reverse();
        delta.points.splice(0..0, points);
    }

    /// Writes a delta to the log, durably. After an error this has to be read anew.
    ///
    /// # Errors
    /// The delta cannot follow, or the disk failed: the log may have it or not.
    pub(crate) fn append(&mut self, directory: &CartridgeDirectory, delta: Delta) -> Result<Before, MoverError> {
        let (kind, number, bytes) = (delta.kind, delta.number, delta.encode());
        self.apply(delta).map_err(|error| MoverError::Cartridge { id: self.cartridge, what: error.to_string() })?;
        let before = match kind {
            Kind::Checkpoint => {
                let before = directory.read_shipped()?;
                directory.replace_shipped(&bytes)?;
                self.length = 0;
                Before::Whole(before)
            }
            Kind::Delta => {
                directory.append_shipped(self.length, &bytes)?;
                Before::Length(self.length)
            }
        };
        self.length = self.length.saturating_add(wide(bytes.len()));
        self.unconfirmed = Some((number, bytes));
        Ok(before)
    }

    fn apply(&mut self, delta: Delta) -> Result<(), ManifestError> {
        match &mut self.manifest {
            Some(manifest) => manifest.apply(delta),
            None => {
                self.manifest = Some(Manifest::begin(delta)?);
                Ok(())
            }
        }
    }

    /// Takes the last delta out of the log again: it did not become part of the manifest.
    ///
    /// # Errors
    /// The disk failed.
    pub(crate) fn take_back(directory: &CartridgeDirectory, before: &Before) -> Result<(), MoverError> {
        match before {
            Before::Length(length) => directory.append_shipped(*length, &[])?,
            Before::Whole(bytes) => directory.replace_shipped(bytes)?,
        }
        Ok(())
    }
}
