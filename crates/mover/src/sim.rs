//! A mover without tiers, for tests of those who ask it: it shows what it was told, and brings in what it is told to.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use capstan_media::{Barcode, CartridgeId};

use crate::{
    Adopted, Answer, CloneTape, ForeignTape, KeyReport, KeysInfo, LimitChange, MoverError, Operations, Scrubbed,
    ShippingInfo, StageProgress, TapeShipping, TestStep, TierInfo, TierState, TierTest,
};

/// What a staging does: it may tell how far it is, and learns whether it was cancelled.
pub type Staging = dyn Fn(CartridgeId, &mut dyn FnMut(StageProgress) -> ControlFlow<()>) -> Result<StageProgress, MoverError>
    + Send
    + Sync;

/// A mover that does what a test says.
pub struct SimOperations {
    shown: Mutex<Shown>,
    staging: Box<Staging>,
}

/// What is shown.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// All tiers. Testing one fails if it is not ready, with its problem.
    pub tiers: Vec<TierInfo>,
    /// What waits.
    pub shipping: ShippingInfo,
    /// The cartridges that something is known of.
    pub tapes: BTreeMap<CartridgeId, TapeShipping>,
    /// Cartridges of others.
    pub foreign: Vec<ForeignTape>,
    /// The keys.
    pub keys: KeysInfo,
    /// What comes of looking through them, or of changing them.
    pub key_report: KeyReport,
}

impl fmt::Debug for SimOperations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimOperations").field("shown", &self.shown).finish_non_exhaustive()
    }
}

impl SimOperations {
    /// Shows this; every staging is done at once with nothing.
    #[must_use]
    pub fn new(shown: Shown) -> Self {
        Self { shown: Mutex::new(shown), staging: Box::new(|_, _| Ok(StageProgress::default())) }
    }

    /// Stages like this.
    #[must_use]
    pub fn staging(mut self, staging: Box<Staging>) -> Self {
        self.staging = staging;
        self
    }

    /// What is shown, to change it.
    pub fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is shown of keys; the file, if there is one, stands for the wrapping key.
    fn report(&self, file: Option<PathBuf>) -> Answer<'_, KeyReport> {
        let mut report = self.shown().key_report.clone();
        if let Some(file) = file {
            report.wrapping_key = file.display().to_string();
        }
        Box::pin(std::future::ready(Ok(report)))
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut TierInfo)) -> Result<TierInfo, MoverError> {
        let mut shown = self.shown();
        let tier = shown.tiers.iter_mut().find(|tier| tier.name == name);
        let tier = tier.ok_or_else(|| MoverError::UnknownTier(name.to_owned()))?;
        change(tier);
        Ok(tier.clone())
    }
}

impl Operations for SimOperations {
    fn tiers(&self) -> Vec<TierInfo> {
        self.shown().tiers.clone()
    }

    fn shipping(&self) -> ShippingInfo {
        self.shown().shipping.clone()
    }

    fn tape(&self, cartridge: CartridgeId) -> Option<TapeShipping> {
        self.shown().tapes.get(&cartridge).copied()
    }

    fn test<'a>(&'a self, tier: &'a str) -> Answer<'a, TierTest> {
        Box::pin(async move {
            let TierInfo { name, problem, .. } = self.change(tier, |_| ())?;
            let took = Duration::from_millis(12);
            Ok(TierTest { name, steps: vec![TestStep { what: "create".to_owned(), took, problem }] })
        })
    }

    fn clone_tape(&self, _: CloneTape) -> Answer<'_, ()> {
        Box::pin(async { Err(MoverError::NotShipped("3 bytes are not in the tier yet".to_owned())) })
    }

    fn pause(&self, tier: &str) -> Result<TierInfo, MoverError> {
        self.change(tier, |tier| tier.state = TierState::Paused)
    }

    fn resume(&self, tier: &str) -> Result<TierInfo, MoverError> {
        self.change(tier, |tier| tier.state = TierState::Connecting)
    }

    fn limit(&self, tier: &str, LimitChange { upload, download }: LimitChange) -> Result<TierInfo, MoverError> {
        self.change(tier, |tier| {
            tier.upload_limit = upload.unwrap_or(tier.upload_limit);
            tier.download_limit = download.unwrap_or(tier.download_limit);
        })
    }

    fn foreign(&self) -> Answer<'_, Vec<ForeignTape>> {
        Box::pin(std::future::ready(Ok(self.shown().foreign.clone())))
    }

    fn hand_over<'a>(&'a self, _: CartridgeId, _: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn adopt<'a>(&'a self, barcode: &'a Barcode, _: bool) -> Answer<'a, Adopted> {
        Box::pin(std::future::ready(Err(MoverError::NotInTier(barcode.clone()))))
    }

    fn scrub_tier<'a>(&'a self, tier: &'a str, age: Duration) -> Answer<'a, Scrubbed> {
        Box::pin(async move {
            self.change(tier, |_| ())?;
            Ok(Scrubbed { objects: 12, orphans: 2, released: 1, bytes: age.as_secs() })
        })
    }

    fn keys(&self) -> Result<KeysInfo, MoverError> {
        Ok(self.shown().keys.clone())
    }

    fn confirm_key_backup(&self, wrapping_key: &str) -> Result<KeysInfo, MoverError> {
        let keys = &mut self.shown().keys;
        if keys.wrapping_key.as_deref() != Some(wrapping_key) {
            return Err(MoverError::Key(format!("that is key {wrapping_key}")));
        }
        keys.backup_confirmed = true;
        Ok(keys.clone())
    }

    fn verify_keys(&self, key_file: Option<PathBuf>) -> Answer<'_, KeyReport> {
        self.report(key_file)
    }

    fn rotate_keys(&self, new_key_file: PathBuf) -> Answer<'_, KeyReport> {
        self.report(Some(new_key_file))
    }

    fn remove_old_keys(&self) -> Answer<'_, KeyReport> {
        self.report(None)
    }

    fn stage(
        &self,
        cartridge: CartridgeId,
        watch: &mut dyn FnMut(StageProgress) -> ControlFlow<()>,
    ) -> Result<StageProgress, MoverError> {
        (self.staging)(cartridge, watch)
    }

    fn pin(&self, cartridge: CartridgeId, pinned: bool) -> Result<(), MoverError> {
        self.shown().tapes.entry(cartridge).or_default().pinned = pinned;
        Ok(())
    }
}
