//! Calls to the tier that the task of a cartridge waits for beside its other work: they last as long as the tier is away.

use std::sync::Arc;

use bytes::Bytes;
use capstan_format::manifest::RecoveryPoint;
use capstan_format::object::WrappedKey;
use capstan_tier::names::TapeName;

use super::Dock;
use super::delta::Standing;
use crate::MoverError;
use crate::claims::Claimed;
use crate::ledger::{Change, Ledger};
use crate::place::Placed;

/// What an errand came to.
pub(super) enum Errand {
    /// Segments may go.
    Begun(Ledger),
    /// A delta was written, with points up to this one.
    Written(Ledger, Option<RecoveryPoint>),
    /// Another gateway goes on with the cartridge.
    Fenced,
    /// The last delta gives it away.
    Given,
}

impl Dock {
    /// Before anything of a cartridge is shipped: its log, its barcode, its key, and that nobody else goes on with it.
    pub(super) async fn begin(self: Arc<Self>, tape: TapeName) -> Result<Errand, MoverError> {
        let _door = self.doors.acquire().await.map_err(|_| MoverError::Stopped)?;
        let ledger = self.ledger(tape.cartridge).await?;
        if ledger.manifest.is_none() {
            let claimed = self.claimant.claim_barcode(&self.link, &self.names, &tape, self.reads_back());
            if let Claimed::Refused(what) = claimed.await? {
                return Err(MoverError::Cartridge { id: tape.cartridge, what });
            }
        }
        self.ship_key(&tape).await?;
        let (ledger, standing) = self.confirm(&tape, ledger).await?;
        if standing == Standing::Fenced || self.is_continued(&tape, &ledger).await? {
            return Ok(Errand::Fenced);
        }
        Ok(if ledger.is_given() { Errand::Given } else { Errand::Begun(ledger) })
    }

    /// Writes a delta.
    pub(super) async fn write(
        self: Arc<Self>,
        tape: TapeName,
        ledger: Ledger,
        change: Change,
    ) -> Result<Errand, MoverError> {
        let last_point = change.points.last().copied();
        let (ledger, standing) = self.write_delta(&tape, ledger, change).await?;
        Ok(match standing {
            Standing::Ours if ledger.is_given() => Errand::Given,
            Standing::Ours => Errand::Written(ledger, last_point),
            Standing::Fenced => Errand::Fenced,
        })
    }

    async fn ship_key(&self, tape: &TapeName) -> Result<(), MoverError> {
        let keys = Arc::clone(&self.keys);
        let _none_goes = self.keys.sending.read().await;
        for wrapped in self.on_disk(tape.cartridge, move |directory| keys.wrapped(directory)).await? {
            self.place_key(tape, &wrapped).await?;
        }
        Ok(())
    }

    /// Makes sure that a wrapped key is in the tier.
    pub(crate) async fn place_key(&self, tape: &TapeName, wrapped: &WrappedKey) -> Result<(), MoverError> {
        let name = self.names.wrapped_key(tape, wrapped.number);
        let bytes = Bytes::from(wrapped.encode().to_vec());
        match self.link.place(&name, &bytes, &wrapped.ciphertext, self.reads_back()).await? {
            Placed::Ours => Ok(()),
            Placed::Other(_) => {
                let what = format!(
                    "{name} is another key than the one here, without which nobody could read what is shipped: look at \
                     both"
                );
                Err(MoverError::Cartridge { id: tape.cartridge, what })
            }
        }
    }
}
