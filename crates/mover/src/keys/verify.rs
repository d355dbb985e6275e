//! Looking through the keys of all cartridges, here and in the tier.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use capstan_format::object::{KeyId, WRAPPED_KEY_LENGTH, WrappedKey};
use capstan_format::wide;
use capstan_media::CartridgeId;
use capstan_store::StoreError;
use capstan_tier::names::TapeName;
use capstan_tier::{CartridgeKey, WrappingKey};
use tokio::time::timeout;

use super::bundle::Bundle;
use super::{KeyCount, KeyProblem, KeyReport, Keys, KeysInfo, lock};
use crate::MoverError;
use crate::ledger::Ledger;
use crate::ship::Dock;

/// How long the tier may take for one cartridge.
const ANSWER: Duration = Duration::from_secs(60);

/// A cartridge and its keys.
pub(super) struct Tape {
    pub(super) name: TapeName,
    pub(super) ledger: Ledger,
    pub(super) here: Bundle,
}

impl Tape {
    /// It has something in the tier.
    pub(super) fn is_shipped(&self) -> bool {
        self.ledger.manifest.is_some()
    }

    fn is_encrypted(&self) -> bool {
        let rows = self.ledger.manifest.as_ref().map(|manifest| &manifest.rows);
        !self.here.keys.is_empty() || rows.is_some_and(|rows| rows.values().any(|row| row.encrypted))
    }

    pub(super) fn problem(&self, what: impl Into<String>) -> KeyProblem {
        KeyProblem { barcode: Some(self.name.barcode.clone()), what: what.into() }
    }
}

impl KeyReport {
    pub(super) fn about(wrapping: &WrappingKey) -> Self {
        Self { wrapping_key: wrapping.id().to_string(), ..Self::default() }
    }

    /// Counts a cartridge; true if it has a key.
    pub(super) fn count(&mut self, tape: &Tape) -> bool {
        let is_encrypted = tape.is_encrypted();
        let counter = if is_encrypted { &mut self.encrypted } else { &mut self.unencrypted };
        *counter = counter.saturating_add(1);
        is_encrypted
    }
}

impl Keys {
    /// Remembers that there is another copy of the configured key. It is the caller's to write that down.
    pub(crate) fn confirm(&self, wrapping_key: &str) -> Result<(), MoverError> {
        let Some(wrapping) = &self.wrapping else { return Err(not_encrypted()) };
        let (has, needs) = (wrapping_key.to_owned(), wrapping.id().to_string());
        if has != needs {
            return Err(MoverError::Key(format!("that is key {has}, and the key in use is {needs}")));
        }
        *lock(&self.confirmed) = Some(has);
        Ok(())
    }

    pub(super) fn configured(&self) -> Result<&WrappingKey, MoverError> {
        self.wrapping.as_ref().ok_or_else(not_encrypted)
    }
}

impl Dock {
    /// The keys of all cartridges. Blocks.
    pub(crate) fn keys_info(&self) -> Result<KeysInfo, MoverError> {
        let keys = &self.keys;
        let id = |key: &WrappingKey| key.id().to_string();
        let mut counts: BTreeMap<KeyId, u64> = keys.ring().iter().map(|key| (key.id(), 0)).collect();
        let mut unencrypted: u64 = 0;
        for cartridge in self.store.list()? {
            let Ok(directory) = self.store.look_at(cartridge) else { continue };
            let bundle = Bundle::read(&directory)?;
            unencrypted = unencrypted.saturating_add(u64::from(bundle.keys.is_empty()));
            for wrapped in bundle.keys {
                let count = counts.entry(wrapped.wrapping_key).or_default();
                *count = count.saturating_add(1);
            }
        }
        let count = |(key, cartridges): (KeyId, u64)| KeyCount { wrapping_key: key.to_string(), cartridges };
        Ok(KeysInfo {
            tier: self.link.tier.name().to_owned(),
            wrapping_key: keys.wrapping.as_ref().map(id),
            key_file: keys.file.clone(),
            backup_confirmed: keys.is_confirmed(),
            next_key: lock(&keys.next).as_ref().map(id),
            wrapped: counts.into_iter().map(count).collect(),
            unencrypted,
        })
    }

    /// Opens the wrapped key of every cartridge, here and in the tier, with the key in a file, or the configured one.
    pub(crate) async fn verify_keys(self: &Arc<Self>, file: Option<PathBuf>) -> Result<KeyReport, MoverError> {
        let wrapping = match file {
            Some(file) => key_in(file).await?,
            None => self.keys.configured()?.clone(),
        };
        let mut report = KeyReport::about(&wrapping);
        for id in self.all_tapes().await? {
            let Some(tape) = self.tape_for(id, &mut report).await? else { continue };
            if !report.count(&tape) {
                continue;
            }
            let ring = [wrapping.clone()];
            let here = opened(&tape.here, &ring, "here");
            let there = match tape.is_shipped() {
                true => Some(opened(&self.bundle_in_tier(&tape.name).await?, &ring, "in the tier")),
                false => None,
            };
            let is_another = matches!((&here, &there), (Ok(here), Some(Ok(there))) if here.id() != there.id());
            report.problems.extend(here.err().map(|what| tape.problem(what)));
            report.problems.extend(there.and_then(Result::err).map(|what| tape.problem(what)));
            report.problems.extend(is_another.then(|| tape.problem("here and in the tier are keys that differ")));
        }
        Ok(report)
    }

    pub(super) async fn all_tapes(&self) -> Result<Vec<CartridgeId>, MoverError> {
        let store = self.store.clone();
        Ok(tokio::task::spawn_blocking(move || store.list()).await.map_err(|_| MoverError::Stopped)??)
    }

    /// A cartridge and what lies beside it; `None` if it is gone, or what there is cannot be read, which is a problem.
    pub(super) async fn tape_for(&self, id: CartridgeId, report: &mut KeyReport) -> Result<Option<Tape>, MoverError> {
        let store = self.store.clone();
        let bundle = move || Bundle::read(&store.look_at(id)?);
        let here = tokio::task::spawn_blocking(bundle).await.map_err(|_| MoverError::Stopped)?;
        let known = self.known(id).await;
        match (here, known) {
            (Ok(here), Ok((name, ledger))) => Ok(Some(Tape { name, ledger, here })),
            (Err(MoverError::Store(StoreError::NotFound(_))), _) => Ok(None),
            (Err(MoverError::Stopped), _) | (_, Err(MoverError::Stopped)) => Err(MoverError::Stopped),
            (Err(error), known) => {
                let barcode = known.ok().map(|(name, _)| name.barcode);
                report.problems.push(KeyProblem { barcode, what: error.to_string() });
                Ok(None)
            }
            (Ok(_), Err(error)) => {
                report.problems.push(KeyProblem { barcode: None, what: error.to_string() });
                Ok(None)
            }
        }
    }

    /// The wrapped keys of a cartridge that are in the tier. One that is damaged is left out.
    pub(super) async fn bundle_in_tier(&self, tape: &TapeName) -> Result<Bundle, MoverError> {
        let found = async {
            let mut keys = Vec::new();
            let page = self.link.list(&self.names.wrapped_keys(tape), None).await?;
            for object in page.objects.iter().filter(|object| object.length == wide(WRAPPED_KEY_LENGTH)) {
                let bytes = self.link.read(&object.key, 0..object.length).await?;
                keys.extend(WrappedKey::decode(&bytes));
            }
            Ok(Bundle::new(tape.cartridge, keys))
        };
        self.in_time(found).await
    }

    /// Nobody waits for a tier for ever.
    pub(super) async fn in_time<T>(&self, work: impl Future<Output = Result<T, MoverError>>) -> Result<T, MoverError> {
        let late = || {
            let (tier, seconds) = (self.link.tier.name(), ANSWER.as_secs());
            MoverError::Key(format!("tier {tier} gives no answer within {seconds} s: ask again when it does"))
        };
        timeout(ANSWER, work).await.unwrap_or_else(|_| Err(late()))
    }
}

/// The key in a file.
pub(super) async fn key_in(file: PathBuf) -> Result<WrappingKey, MoverError> {
    let read = tokio::task::spawn_blocking(move || WrappingKey::from_file(&file)).await;
    read.map_err(|_| MoverError::Stopped)?.map_err(|error| MoverError::Key(error.to_string()))
}

fn opened(bundle: &Bundle, ring: &[WrappingKey], place: &str) -> Result<CartridgeKey, String> {
    bundle.open(ring).map_err(|error| match error {
        MoverError::Cartridge { what, .. } => format!("{place}: {what}"),
        other => format!("{place}: {other}"),
    })
}

fn not_encrypted() -> MoverError {
    MoverError::Key("no key file is configured: what is shipped is not encrypted".to_owned())
}
