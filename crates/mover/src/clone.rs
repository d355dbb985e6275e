//! Clones: cartridges that begin with objects of another one.

use std::sync::Arc;

use capstan_cartridge::{Branch, CartridgeError};
use capstan_format::manifest::{Delta, Kind};
use capstan_media::{Barcode, CartridgeId};
use capstan_store::Beside;
use capstan_tier::names::TapeName;

use crate::MoverError;
use crate::claims::{Claimed, nonce};
use crate::clock::unix_millis;
use crate::ship::Dock;

/// A cartridge that is to begin with what another one holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clone {
    /// The other one.
    pub source: CartridgeId,
    /// Which version of it; `None` for the tape as it is.
    pub version: Option<u32>,
    /// The new one.
    pub id: CartridgeId,
    /// Its barcode.
    pub barcode: Barcode,
    /// Host bytes that it is to hold; more if what it begins with takes more.
    pub capacity: u64,
}

impl Dock {
    /// Makes a clone in the store: it is there as a whole, durably, when this succeeds. Its manifest follows as that of
    /// any cartridge does.
    pub(crate) async fn clone_tape(&self, clone: Clone) -> Result<(), MoverError> {
        let Clone { source, version, id, barcode, capacity } = clone;
        let tape = TapeName { barcode: barcode.clone(), cartridge: id };
        let claimed = self.claimant.claim_barcode(&self.link, &self.names, &tape, self.reads_back());
        if let Claimed::Refused(what) = claimed.await? {
            return Err(MoverError::Cartridge { id, what });
        }
        let branch = self.borrow(source, move |cartridge| {
            let branch = cartridge.branch(version, id, barcode.clone(), capacity);
            branch.map_err(|error| match error {
                CartridgeError::NotShipped { .. } => MoverError::NotShipped(error.to_string()),
                error => MoverError::Cartridge { id: source, what: error.to_string() },
            })
        });
        let gone = || MoverError::Cartridge { id: source, what: "it is not there any more".to_owned() };
        let Branch { meta, rows } = branch.await?.ok_or_else(gone)?.value?;
        let meta = meta.encode();
        let delta = Delta {
            kind: Kind::Checkpoint,
            number: 0,
            cartridge: id,
            writer: self.writer.gateway,
            writer_epoch: self.writer.epoch,
            nonce: nonce()?,
            written: unix_millis(),
            meta: Some(meta.clone()),
            rows,
            releases: Vec::new(),
            points: Vec::new(),
            handed_over: None,
        };
        let (store, keys) = (self.store.clone(), Arc::clone(&self.keys));
        let made = tokio::task::spawn_blocking(move || {
            let key = keys.for_clone(&store.look_at(source)?, id)?;
            let beside = Beside { meta: &meta, shipped: &delta.encode(), key: key.as_deref() };
            store.bring_back(id, &beside)?;
            store.touch(id);
            Ok(())
        });
        made.await?
    }
}
