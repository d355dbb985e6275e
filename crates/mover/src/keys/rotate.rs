//! Changing the user's key: every cartridge's key is wrapped with the new one as well, and later the old wrapping goes.
//!
//! A cartridge is done when the new wrapped key lies beside its segments and, if anything of it is there, in the tier, in
//! this order. What is done already is found so, and with the same bytes: a kill costs nothing but time.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use capstan_format::object::WrappedKey;
use capstan_store::CartridgeDirectory;
use capstan_tier::WrappingKey;

use super::bundle::Bundle;
use super::verify::{Tape, key_in};
use super::{KeyReport, Keys, lock};
use crate::MoverError;
use crate::ship::Dock;

impl Dock {
    /// Wraps the key of every cartridge with the key in a file as well. From now on, new ones are wrapped with both.
    pub(crate) async fn rotate_keys(self: &Arc<Self>, file: PathBuf) -> Result<KeyReport, MoverError> {
        let new = key_in(file).await?;
        if new.id() == self.keys.configured()?.id() {
            return Err(MoverError::Key(format!("the file has key {}, which is the one in use", new.id())));
        }
        self.keys.follow_with(new.clone());
        let mut report = KeyReport::about(&new);
        let mut seen = BTreeSet::new();
        // Cartridges may be made meanwhile: those that are new to us have both keys, or get the second now.
        loop {
            let all = self.all_tapes().await?;
            let todo: Vec<_> = all.into_iter().filter(|id| seen.insert(*id)).collect();
            if todo.is_empty() {
                return Ok(report);
            }
            for id in todo {
                let Some(tape) = self.tape_for(id, &mut report).await? else { continue };
                if !report.count(&tape) {
                    continue;
                }
                match self.wrap_anew(&tape, &new).await {
                    Ok(true) => report.changed = report.changed.saturating_add(1),
                    Ok(false) => {}
                    Err(error @ (MoverError::Key(_) | MoverError::Stopped)) => return Err(error),
                    Err(error) => report.problems.push(tape.problem(error.to_string())),
                }
            }
        }
    }

    /// True if anything had to be done.
    async fn wrap_anew(&self, tape: &Tape, new: &WrappingKey) -> Result<bool, MoverError> {
        let (store, keys, id, key) = (self.store.clone(), Arc::clone(&self.keys), tape.name.cartridge, new.clone());
        let wrap = move || keys.wrap_with(&store.look_at(id)?, &key);
        let (wrapped, is_new) = tokio::task::spawn_blocking(wrap).await.map_err(|_| MoverError::Stopped)??;
        let is_there = !tape.is_shipped() || self.bundle_in_tier(&tape.name).await?.keys.contains(&wrapped);
        if !is_there {
            self.in_time(self.place_key(&tape.name, &wrapped)).await?;
        }
        Ok(is_new || !is_there)
    }

    /// Removes what is wrapped with older keys than the configured one, here and in the tier, once that opens everything.
    pub(crate) async fn remove_old_keys(self: &Arc<Self>) -> Result<KeyReport, MoverError> {
        let found = self.verify_keys(None).await?;
        if !found.problems.is_empty() {
            return Err(MoverError::Key(format!(
                "{} of {} cartridges cannot be opened with key {}: what is wrapped with older keys stays",
                found.problems.len(),
                found.encrypted,
                found.wrapping_key
            )));
        }
        let wrapping = self.keys.configured()?.clone();
        let mut report = KeyReport::about(&wrapping);
        for id in self.all_tapes().await? {
            let Some(tape) = self.tape_for(id, &mut report).await? else { continue };
            if report.count(&tape) && self.remove_older(&tape, &wrapping).await? {
                report.changed = report.changed.saturating_add(1);
            }
        }
        Ok(report)
    }

    /// True if there was anything to remove.
    async fn remove_older(&self, tape: &Tape, wrapping: &WrappingKey) -> Result<bool, MoverError> {
        let mut removed = false;
        let _none_is_sent = self.in_time(async { Ok(self.keys.sending.write().await) }).await?;
        if tape.is_shipped() {
            for wrapped in older(&self.bundle_in_tier(&tape.name).await?, wrapping) {
                let name = self.names.wrapped_key(&tape.name, wrapped.number);
                self.in_time(async { Ok(self.link.delete(&name).await?) }).await?;
                removed = true;
            }
        }
        let (store, keys, id, key) =
            (self.store.clone(), Arc::clone(&self.keys), tape.name.cartridge, wrapping.clone());
        let forget = move || keys.forget_older(&store.look_at(id)?, &key);
        Ok(tokio::task::spawn_blocking(forget).await.map_err(|_| MoverError::Stopped)?? || removed)
    }
}

impl Keys {
    /// Another wrapping key is to follow the configured one.
    fn follow_with(&self, next: WrappingKey) {
        *lock(&self.next) = Some(next);
    }

    /// Wraps the key of a cartridge with another key as well; true if it was not yet. Blocks.
    fn wrap_with(&self, directory: &CartridgeDirectory, new: &WrappingKey) -> Result<(WrappedKey, bool), MoverError> {
        let _alone = lock(&self.changing);
        let mut bundle = Bundle::read(directory)?;
        if let Some(wrapped) = bundle.wrapped_with(new.id()) {
            bundle.open(std::slice::from_ref(new))?;
            return Ok((*wrapped, false));
        }
        let key = bundle.open(&self.ring())?;
        let wrapped = bundle.add(new, &key)?;
        bundle.write(directory)?;
        Ok((wrapped, true))
    }

    /// Removes what is wrapped with older keys; true if there was any. Blocks.
    fn forget_older(&self, directory: &CartridgeDirectory, wrapping: &WrappingKey) -> Result<bool, MoverError> {
        let _alone = lock(&self.changing);
        let mut bundle = Bundle::read(directory)?;
        let old = older(&bundle, wrapping);
        bundle.keys.retain(|wrapped| !old.contains(wrapped));
        if !old.is_empty() {
            bundle.write(directory)?;
        }
        Ok(!old.is_empty())
    }
}

/// Those with lower numbers than the one that `wrapping` opens.
fn older(bundle: &Bundle, wrapping: &WrappingKey) -> Vec<WrappedKey> {
    let number = bundle.wrapped_with(wrapping.id()).map_or(0, |own| own.number);
    bundle.keys.iter().filter(|wrapped| wrapped.number < number).copied().collect()
}
