//! Writing what was planned, so that it can end anywhere and be begun again.

use std::path::Path;
use std::sync::Arc;

use capstan_cartridge::{Cartridge, NewCartridge};
use capstan_catalog::{Catalog, State};
use capstan_disk::Disk;
use capstan_mover::{Remains, Successor, TakenOver, TapeFound};
use capstan_store::Store;

use super::survey::Survey;
use super::{TierRecoverOptions, Told, names};
use crate::LibraryError;
use crate::state_dir::StateDir;

/// How often a cartridge is taken over again that somebody has written to meanwhile.
const ATTEMPTS: u32 = 8;

/// Makes the library.
pub(super) fn write(
    options: &TierRecoverOptions,
    remains: &Remains,
    disk: &Arc<dyn Disk>,
    survey: &Survey,
    state: &State,
    told: Told<'_>,
) -> Result<(), LibraryError> {
    let state_dir = StateDir::open(&options.state_dir, disk)?;
    state_dir.mark(disk.as_ref())?;
    state_dir.unmark_carried(disk.as_ref())?;
    remove_attempt(&options.state_dir, disk.as_ref())?;
    let store_path = options.cartridge_dir.clone().unwrap_or_else(|| state_dir.cartridges());
    let store = Store::open(&store_path, Arc::clone(disk))?;
    for id in store.list()? {
        store.claim(id)?.delete()?;
    }
    let change = survey.highest.saturating_add(1);
    let mark: [u8; 8] = random();
    let image = state.encode(change, mark);
    if !remains.claim_library_state(survey.gateway.id, change, &image, &mark)? {
        return Err(LibraryError::Overtaken(survey.gateway.name.clone()));
    }
    let tapes: Vec<&TapeFound> = survey.good().collect();
    let count = u64::try_from(tapes.len()).unwrap_or(u64::MAX);
    for (done, tape) in (0..).zip(tapes) {
        told("bringing back", done, count);
        take_over(remains, &store, tape, survey, change)?;
    }
    for facts in survey.blank() {
        let new = NewCartridge { id: facts.id, barcode: facts.barcode.clone(), capacity: facts.capacity };
        let made = Cartridge::create(&store, new);
        made.map_err(|source| LibraryError::Cartridge { barcode: facts.barcode, source })?;
    }
    told("bringing back", count, count);
    check_not_overtaken(remains, survey, change)?;
    survey.gateway.remember(&state_dir.mover(), &options.tier, disk.as_ref())?;
    // The state that was claimed is in the tier with a mark: the library's own begin behind it.
    Catalog::rebuild(&state_dir.catalog(), disk, state, change.saturating_add(1))?;
    state_dir.unmark(disk.as_ref())
}

/// Takes a cartridge over. Whoever writes to it meanwhile is fenced by the next attempt, unless he has the library.
fn take_over(
    remains: &Remains,
    store: &Store,
    tape: &TapeFound,
    survey: &Survey,
    change: u64,
) -> Result<(), LibraryError> {
    let successor = Successor::now(survey.gateway.id);
    let mut tape = tape.clone();
    for _ in 0..ATTEMPTS {
        if remains.take_over(store, &tape, successor)? == TakenOver::Ours {
            return Ok(());
        }
        check_not_overtaken(remains, survey, change)?;
        let again = remains.tapes(vec![tape.tape.clone()], &mut |_, _| {})?;
        tape = again.into_iter().next().unwrap_or(tape);
    }
    Err(LibraryError::Overtaken(survey.gateway.name.clone()))
}

fn check_not_overtaken(remains: &Remains, survey: &Survey, change: u64) -> Result<(), LibraryError> {
    match remains.library_states(survey.gateway.id)?.first() {
        Some(newest) if *newest > change => Err(LibraryError::Overtaken(survey.gateway.name.clone())),
        _ => Ok(()),
    }
}

/// Removes the catalog that an attempt before this one has made: nothing was done with it.
fn remove_attempt(state_dir: &Path, disk: &dyn Disk) -> Result<(), LibraryError> {
    for name in names(disk, state_dir)? {
        if name.starts_with("catalog.redb") || name.starts_with("library.state.") {
            let path = state_dir.join(name);
            let removed = disk.remove_file(&path);
            removed.map_err(|source| LibraryError::Io { what: "remove", path, source })?;
        }
    }
    Ok(())
}

/// Random bytes.
fn random() -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = uuid::Uuid::new_v4().into_bytes();
    [a, b, c, d, e, f, g, h]
}
