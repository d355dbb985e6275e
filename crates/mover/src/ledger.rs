//! What of a cartridge is in the tier: the log beside its segments, and the manifest in the tier, which it precedes by at
//! most one delta.

use capstan_format::manifest::{
    CHECKPOINT_EVERY, Delta, Ending, HandOver, Kind, Manifest, ManifestError, RecoveryPoint, Release, Row, read_log,
};
use capstan_format::{Meta, wide};
use capstan_media::{CartridgeId, GatewayId};
use capstan_store::CartridgeDirectory;

use crate::MoverError;

/// Recovery points that a checkpoint repeats.
pub(crate) const POINTS: usize = 1024;

/// Milliseconds for which checkpoints repeat a release: seven days. By then a scrub has deleted the object; if not, it
/// is one that no delta names, and is deleted as such.
const RELEASES_KEPT: u64 = 7 * 24 * 3600 * 1000;

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
    /// Where its last delta begins.
    last_at: u64,
    /// The last delta, as it is stored, while it is not known to be in the tier.
    pub(crate) unconfirmed: Option<Unconfirmed>,
}

/// A delta as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Unconfirmed {
    pub(crate) number: u64,
    pub(crate) nonce: [u8; 16],
    pub(crate) bytes: Vec<u8>,
}

/// A change of the manifest.
#[derive(Clone, Default, Debug)]
pub(crate) struct Change {
    pub(crate) rows: Vec<Row>,
    pub(crate) released: Vec<u64>,
    pub(crate) meta: Vec<u8>,
    pub(crate) points: Vec<RecoveryPoint>,
    /// The tape is given away with it.
    pub(crate) handed_over: Option<HandOver>,
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
                "{}: {what}: it is the objects under manifest/ of this cartridge in the tier, one after the other, from \
                 the last whose number is a multiple of 64 on: put these in its place while the cartridge is in no drive",
                directory.shipped_path().display()
            ),
        };
        if let Ending::Damaged(error) = log.ending {
            return Err(damaged(format!("damaged at byte {}: {error}", log.length)));
        }
        let mut deltas = log.deltas.into_iter();
        let Some(first) = deltas.next() else {
            return Ok(Self { cartridge, manifest: None, length: 0, last_at: 0, unconfirmed: None });
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
        let (number, bytes) = (last.number, last.encode());
        let last_at = log.length.saturating_sub(wide(bytes.len()));
        let (manifest, unconfirmed) = (Some(manifest), Some(Unconfirmed { number, bytes, nonce: last.nonce }));
        Ok(Self { cartridge, manifest, length: log.length, last_at, unconfirmed })
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
            meta.map(|it| (it.barcode, it.capacity, it.protected, it.end, it.ancestors, it.versions, it.origins))
        };
        !change.rows.is_empty() || !change.released.is_empty() || says(known) != says(meta)
    }

    /// Nothing but that the tape is given away.
    pub(crate) fn giving(&self, handed_over: HandOver) -> Option<Change> {
        let meta = self.manifest.as_ref()?.meta.clone()?;
        Some(Change { meta, handed_over: Some(handed_over), ..Change::default() })
    }

    /// Its last delta gives the tape away.
    pub(crate) fn is_given(&self) -> bool {
        self.manifest.as_ref().is_some_and(|manifest| manifest.handed_over.is_some())
    }

    /// The next delta. Every so often it is a checkpoint, which has all that counts.
    pub(crate) fn next(&self, change: Change, writer: Writer, nonce: [u8; 16], now: u64) -> Delta {
        let Change { rows, released, meta, points, handed_over } = change;
        let number = self.next_number();
        // Those that a delta has whose answer was lost are known already.
        let known = self.manifest.as_ref().and_then(|manifest| manifest.points.last());
        let known = known.and_then(|last| points.iter().rposition(|point| point == last));
        let points = points.into_iter().skip(known.map_or(0, |at| at.saturating_add(1))).collect();
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
            handed_over,
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
        let now = delta.written;
        let releases = manifest.releases.iter().filter(|release| now.saturating_sub(release.at) < RELEASES_KEPT);
        delta.releases.splice(0..0, releases.copied());
        let points = manifest.points.iter().rev().take(POINTS.saturating_sub(delta.points.len()));
        let mut points: Vec<RecoveryPoint> = points.copied().collect();
        points.reverse();
        delta.points.splice(0..0, points);
    }

    /// The number that the next delta has.
    pub(crate) fn next_number(&self) -> u64 {
        self.manifest.as_ref().map_or(0, |manifest| manifest.number.saturating_add(1))
    }

    /// Writes a delta to the log, durably. After an error this has to be read anew.
    ///
    /// # Errors
    /// The delta cannot follow, or the disk failed: the log may have it or not.
    pub(crate) fn append(&mut self, directory: &CartridgeDirectory, delta: Delta) -> Result<(), MoverError> {
        let (number, nonce, bytes) = (delta.number, delta.nonce, delta.encode());
        self.apply(delta).map_err(|error| MoverError::Cartridge { id: self.cartridge, what: error.to_string() })?;
        if self.length == 0 {
            directory.replace_shipped(&bytes)?;
        } else {
            directory.append_shipped(self.length, &bytes)?;
        }
        self.last_at = self.length;
        self.length = self.length.saturating_add(wide(bytes.len()));
        self.unconfirmed = Some(Unconfirmed { number, nonce, bytes });
        Ok(())
    }

    /// The last delta is in the tier: the log begins with it from now on if it says all that counts.
    ///
    /// # Errors
    /// The disk failed: either log is there.
    pub(crate) fn confirm(&mut self, directory: &CartridgeDirectory) -> Result<(), MoverError> {
        let Some(Unconfirmed { number, bytes, .. }) = self.unconfirmed.take() else { return Ok(()) };
        if number.is_multiple_of(CHECKPOINT_EVERY) && self.last_at > 0 {
            directory.replace_shipped(&bytes)?;
            (self.last_at, self.length) = (0, wide(bytes.len()));
        }
        Ok(())
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

    /// Takes the last delta out of the log again, if it is not known to be in the tier: it did not become part of the
    /// manifest.
    ///
    /// # Errors
    /// The disk failed.
    pub(crate) fn take_back(&self, directory: &CartridgeDirectory) -> Result<(), MoverError> {
        let is_first = self.manifest.as_ref().is_some_and(|manifest| manifest.number == 0);
        // A log that begins with a later one was made of one that is in the tier.
        if self.unconfirmed.is_some() && (self.last_at > 0 || is_first) {
            directory.append_shipped(self.last_at, &[])?;
        }
        Ok(())
    }
}
