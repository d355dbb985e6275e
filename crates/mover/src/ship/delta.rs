//! One delta on its way: locally first, then in the tier, then the cartridge is told.

use std::sync::Arc;

use capstan_format::manifest::Delta;
use capstan_format::wide;
use capstan_media::CartridgeId;
use capstan_tier::names::TapeName;
use capstan_tier::{Body, Created};

use super::Dock;
use crate::MoverError;
use crate::claims::nonce;
use crate::clock::unix_millis;
use crate::ledger::{Before, Change, Ledger};

/// More than any delta has.
const DELTA_LIMIT: u64 = 1 << 30;

/// How the last delta of the log stands in the tier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// It is part of the manifest.
    Ours,
    /// Another one has its number.
    Fenced,
}

impl Dock {
    /// Reads the log of a cartridge.
    pub(super) async fn ledger(&self, id: CartridgeId) -> Result<Ledger, MoverError> {
        let store = self.store.clone();
        let read = tokio::task::spawn_blocking(move || Ledger::read(&store.look_at(id)?));
        read.await.map_err(|_| MoverError::Stopped)?
    }

    /// Makes sure that the last delta of the log is in the tier.
    pub(super) async fn confirm(&self, tape: &TapeName, ledger: &mut Ledger) -> Result<Standing, MoverError> {
        let Some((number, bytes)) = ledger.unconfirmed.clone() else { return Ok(Standing::Ours) };
        let standing = self.create_delta(tape, number, &bytes).await?;
        if standing == Standing::Ours {
            ledger.unconfirmed = None;
        }
        Ok(standing)
    }

    /// Writes a change to the log and to the manifest.
    pub(super) async fn write_delta(
        self: &Arc<Self>,
        tape: &TapeName,
        mut ledger: Ledger,
        change: Change,
    ) -> Result<(Ledger, Standing), MoverError> {
        let (store, id, writer) = (self.store.clone(), tape.cartridge, self.writer);
        let (nonce, now) = (nonce()?, unix_millis());
        let written = tokio::task::spawn_blocking(move || {
            let delta = ledger.next(change, writer, nonce, now);
            let before = ledger.append(&store.look_at(id)?, delta)?;
            Ok::<_, MoverError>((ledger, before))
        });
        let (mut ledger, before) = written.await.map_err(|_| MoverError::Stopped)??;
        let standing = self.confirm(tape, &mut ledger).await?;
        if standing == Standing::Fenced {
            self.take_back(id, before).await?;
        }
        Ok((ledger, standing))
    }

    async fn take_back(&self, id: CartridgeId, before: Before) -> Result<(), MoverError> {
        let store = self.store.clone();
        let done = tokio::task::spawn_blocking(move || Ledger::take_back(&store.look_at(id)?, &before));
        done.await.map_err(|_| MoverError::Stopped)?
    }

    async fn create_delta(&self, tape: &TapeName, number: u64, bytes: &[u8]) -> Result<Standing, MoverError> {
        let key = self.names.delta(tape, number);
        if self.link.create(&key, Body::from(bytes.to_vec())).await? == Created::New {
            return Ok(Standing::Ours);
        }
        let length = self.link.head(&key).await?.length;
        if length != wide(bytes.len()) || length > DELTA_LIMIT {
            return Ok(Standing::Fenced);
        }
        let there = self.link.read(&key, 0..length).await?;
        let nonce = |bytes: &[u8]| Delta::decode(bytes).ok().map(|delta| (delta.writer, delta.nonce));
        Ok(if nonce(&there) == nonce(bytes) && there == bytes { Standing::Ours } else { Standing::Fenced })
    }
}
