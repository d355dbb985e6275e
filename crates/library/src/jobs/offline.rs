//! Verifying without a daemon.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use capstan_cartridge::{Progress, Report, Verified};
use capstan_catalog::Catalog;
use capstan_disk::Disk;
use capstan_media::{Barcode, CartridgeId};
use capstan_store::Store;

use crate::LibraryError;
use crate::state_dir::StateDir;

/// Where the cartridges are.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// As in [`crate::LibraryOptions`].
    pub state_dir: PathBuf,
    /// As in [`crate::LibraryOptions`].
    pub cartridge_dir: Option<PathBuf>,
    /// Where segments are that are in a tier too; `None` for `cache` in the state directory.
    pub cache_dir: Option<PathBuf>,
}

/// A verified cartridge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verification {
    /// The label, if anything says it: the catalog, what is kept beside it, or the cartridge.
    pub barcode: Option<Barcode>,
    /// The cartridge.
    pub cartridge: CartridgeId,
    /// What was found, or why nothing can be said.
    pub report: Result<Box<Report>, String>,
}

/// Verifies the cartridges with these labels, or all. `watch` is told which one, and how far it is, and may end it: what
/// is done by then is given.
///
/// # Errors
/// A daemon runs on the directory, a label is not known, or the disk failed.
pub fn verify_offline(
    options: &VerifyOptions,
    barcodes: Option<&[Barcode]>,
    disk: &Arc<dyn Disk>,
    watch: &mut dyn FnMut(&str, Progress) -> ControlFlow<()>,
) -> Result<Vec<Verification>, LibraryError> {
    let state_dir = StateDir::existing(&options.state_dir, disk)?;
    let store_path = options.cartridge_dir.clone().unwrap_or_else(|| state_dir.cartridges());
    let store = Store::open_as_it_is(&store_path, Arc::clone(disk))?;
    store.open_cache_as_it_is(&options.cache_dir.clone().unwrap_or_else(|| state_dir.cache()))?;
    let mut all = labelled(&state_dir, &store, disk)?;
    all.sort();
    let chosen = match barcodes {
        None => all,
        Some(barcodes) => {
            let find = |barcode: &Barcode| {
                let found = all.iter().find(|(label, _)| label.as_ref() == Some(barcode)).cloned();
                found.ok_or_else(|| LibraryError::UnknownTape(barcode.clone()))
            };
            barcodes.iter().map(find).collect::<Result<_, _>>()?
        }
    };
    let mut verified = Vec::new();
    for (barcode, cartridge) in chosen {
        let name = barcode.as_ref().map_or_else(|| cartridge.to_string(), ToString::to_string);
        let outcome = capstan_cartridge::verify(&store, cartridge, &mut |progress| watch(&name, progress));
        let report = match outcome {
            Ok(Verified::Whole(report)) => Ok(report),
            Ok(Verified::Cancelled) => break,
            Err(error) => Err(error.to_string()),
        };
        verified.push(Verification { barcode, cartridge, report });
    }
    Ok(verified)
}

/// All cartridges of the store with their labels.
fn labelled(
    state_dir: &StateDir,
    store: &Store,
    disk: &Arc<dyn Disk>,
) -> Result<Vec<(Option<Barcode>, CartridgeId)>, LibraryError> {
    let found = Catalog::look_at(&state_dir.catalog(), disk)?;
    let known = match (&found.catalog, found.mirrored()) {
        (Some(Ok((_, state))), _) | (_, Some((_, state))) => state.cartridges.clone(),
        _ => Default::default(),
    };
    let listed = capstan_cartridge::list(store).map_err(LibraryError::Cartridges)?;
    let label = |(id, facts): (CartridgeId, Result<capstan_cartridge::Facts, _>)| {
        let known = known.get(&id).map(|row| row.barcode.clone());
        (known.or_else(|| facts.ok().map(|facts| facts.barcode)), id)
    };
    Ok(listed.into_iter().map(label).collect())
}
