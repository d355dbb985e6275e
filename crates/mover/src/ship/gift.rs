//! Cartridges that are given to other gateways: once all of one is in the tier, a last delta says so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use capstan_format::manifest::HandOver;
use capstan_media::{CartridgeId, GatewayId};
use capstan_tier::names::TapeName;

use super::TapeTask;
use super::tape::Survey;
use crate::MoverError;
use crate::notice::NoticeKind;

/// Cartridges that an operator gives away.
#[derive(Debug, Default)]
pub(crate) struct Gifts(Mutex<HashMap<CartridgeId, Gift>>);

#[derive(Clone, Copy, Debug)]
enum Gift {
    /// It is to be given, to whom.
    Wanted(Option<GatewayId>),
    /// It is.
    Given,
}

impl Gifts {
    pub(crate) fn want(&self, id: CartridgeId, to: Option<GatewayId>) {
        let mut all = self.all();
        if !matches!(all.get(&id), Some(Gift::Given)) {
            all.insert(id, Gift::Wanted(to));
        }
    }

    pub(crate) fn forget(&self, id: CartridgeId) {
        self.all().remove(&id);
    }

    pub(crate) fn is_given(&self, id: CartridgeId) -> bool {
        matches!(self.all().get(&id), Some(Gift::Given))
    }

    fn wanted(&self, id: CartridgeId) -> Option<Option<GatewayId>> {
        match self.all().get(&id)? {
            Gift::Wanted(to) => Some(*to),
            Gift::Given => None,
        }
    }

    fn give(&self, id: CartridgeId) {
        self.all().insert(id, Gift::Given);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<CartridgeId, Gift>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TapeTask {
    /// Has the last delta written, if the cartridge is to be given away.
    pub(super) fn give(&mut self, tape: &TapeName) -> bool {
        let Some(to) = self.dock.gifts.wanted(self.id) else { return false };
        let change = self.ledger.as_ref().and_then(|ledger| ledger.giving(HandOver { to }));
        let Some((change, ledger)) = change.and_then(|change| Some((change, self.ledger.take()?))) else {
            return false;
        };
        let written = Arc::clone(&self.dock).write(tape.clone(), ledger, change);
        self.errand.spawn(written);
        true
    }

    /// The last delta gives the cartridge away.
    pub(super) async fn given(&mut self) -> Result<(), MoverError> {
        self.protect().await?;
        self.dock.gifts.give(self.id);
        self.dock.board().entry(self.id).or_default().shipping.fenced = true;
        Ok(())
    }

    /// Nothing more of the cartridge is shipped from here. Says so if that concerns what was written.
    pub(super) fn is_over(&mut self, survey: &Survey) -> bool {
        if self.dock.gifts.is_given(self.id) {
            return true;
        }
        if !self.dock.fenced().contains(&self.id) {
            return false;
        }
        self.dock.board().entry(self.id).or_default().shipping.fenced = true;
        if self.watch.bytes() > 0 || survey.unfinished > 0 {
            let what = "another gateway goes on with it, and what was written here meanwhile is nowhere else: it is \
                        write-protected, and can be read";
            self.tell(NoticeKind::Forked, what);
        }
        true
    }
}
