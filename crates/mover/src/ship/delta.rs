//! One delta on its way: locally first, then in the tier.

use bytes::Bytes;
use capstan_format::manifest::Delta;
use capstan_media::CartridgeId;
use capstan_store::CartridgeDirectory;
use capstan_tier::names::TapeName;
use capstan_tier::{TierError, TierErrorKind};

use super::Dock;
use crate::MoverError;
use crate::claims::nonce;
use crate::clock::unix_millis;
use crate::ledger::{Change, Ledger, Unconfirmed};
use crate::place::Placed;

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
        self.on_disk(id, Ledger::read).await
    }

    /// Makes sure that the last delta of the log is in the tier. If it cannot be, it is taken out of the log.
    pub(super) async fn confirm(&self, tape: &TapeName, mut ledger: Ledger) -> Result<(Ledger, Standing), MoverError> {
        let Some(delta) = &ledger.unconfirmed else { return Ok((ledger, Standing::Ours)) };
        let standing = self.place_delta(tape, delta).await?;
        let done = move |directory: &CartridgeDirectory| {
            match standing {
                Standing::Ours => ledger.confirm(directory)?,
                Standing::Fenced => ledger.take_back(directory)?,
            }
            Ok((ledger, standing))
        };
        self.on_disk(tape.cartridge, done).await
    }

    /// Whether somebody has gone on with the manifest.
    pub(crate) async fn is_continued(&self, tape: &TapeName, ledger: &Ledger) -> Result<bool, TierError> {
        match self.link.head(&self.names.delta(tape, ledger.next_number())).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == TierErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes a change to the log and to the manifest.
    pub(super) async fn write_delta(
        &self,
        tape: &TapeName,
        mut ledger: Ledger,
        change: Change,
    ) -> Result<(Ledger, Standing), MoverError> {
        let (writer, nonce, now) = (self.writer, nonce()?, unix_millis());
        let append = move |directory: &CartridgeDirectory| {
            let delta = ledger.next(change, writer, nonce, now);
            ledger.append(directory, delta)?;
            Ok(ledger)
        };
        let ledger = self.on_disk(tape.cartridge, append).await?;
        self.confirm(tape, ledger).await
    }

    async fn place_delta(&self, tape: &TapeName, delta: &Unconfirmed) -> Result<Standing, MoverError> {
        let key = self.names.delta(tape, delta.number);
        let bytes = Bytes::from(delta.bytes.clone());
        match self.link.place(&key, &bytes, &delta.nonce, self.reads_back()).await? {
            Placed::Ours => Ok(Standing::Ours),
            Placed::Other(there) if Delta::decode(&there).is_ok() => Ok(Standing::Fenced),
            Placed::Other(_) => {
                let what = format!(
                    "{key} is there and is no delta, so that it cannot be told who goes on with the tape: look at it, \
                     and delete it if it is nobody's"
                );
                Err(MoverError::Cartridge { id: tape.cartridge, what })
            }
        }
    }

    /// Does something with the files of a cartridge.
    pub(super) async fn on_disk<T, F>(&self, id: CartridgeId, work: F) -> Result<T, MoverError>
    where
        T: Send + 'static,
        F: FnOnce(&CartridgeDirectory) -> Result<T, MoverError> + Send + 'static,
    {
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || work(&store.look_at(id)?)).await?
    }
}
