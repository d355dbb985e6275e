//! What becomes of the files of segments that are in the tier: they move to the cache, or are evicted.

use std::collections::BTreeSet;
use std::sync::Arc;

use capstan_media::CartridgeId;
use capstan_store::{CartridgeDirectory, StoreError};

use super::Dock;
use crate::MoverError;
use crate::ledger::Ledger;

/// Which segments may go: those that are in the tier, below `limit`, and not among `kept`.
#[derive(Clone, Default, Debug)]
pub(super) struct Movable {
    pub(super) shipped: BTreeSet<u64>,
    pub(super) limit: u64,
    pub(super) kept: Vec<u64>,
}

impl Movable {
    pub(super) fn new(ledger: &Ledger, limit: u64, kept: Vec<u64>) -> Self {
        let shipped = ledger.manifest.as_ref().map(|manifest| manifest.rows.keys().copied().collect());
        Self { shipped: shipped.unwrap_or_default(), limit, kept }
    }

    fn allows(&self, sequence: u64) -> bool {
        sequence < self.limit && self.shipped.contains(&sequence) && !self.kept.contains(&sequence)
    }
}

impl Dock {
    /// Frees the upload buffer of what it need not have.
    pub(super) async fn settle(self: &Arc<Self>, id: CartridgeId, movable: Movable) -> Result<(), MoverError> {
        let dock = Arc::clone(self);
        self.on_disk(id, move |directory| Ok(dock.settle_files(directory, &movable)?)).await
    }

    fn settle_files(&self, directory: &CartridgeDirectory, movable: &Movable) -> Result<(), StoreError> {
        for sequence in directory.segments()?.into_iter().filter(|sequence| movable.allows(*sequence)) {
            let Some(length) = directory.segment_length(sequence)? else { continue };
            let moved = if self.room.make(length) { directory.settle_segment(sequence) } else { Ok(0) };
            let moved = moved.unwrap_or_else(|error| {
                tracing::warn!(%error, "a segment does not go into the cache: it is evicted");
                0
            });
            if moved == 0 {
                directory.evict_segment(sequence)?;
            }
        }
        self.room.keep();
        Ok(())
    }
}
