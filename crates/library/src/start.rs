//! What a start does before anything runs: finish what a kill interrupted, check that everything has its place, and
//! make the cartridges of the first start.

use std::path::Path;

use capstan_cartridge::CartridgeError;
use capstan_catalog::{CartridgeState, Catalog, CatalogError, Change, IdentityRow, State};
use capstan_media::{CartridgeId, Place};
use capstan_store::{Store, StoreError};

use crate::clock::unix_seconds;
use crate::events::{EventKind, Events, Subject};
use crate::inventory::{Inventory, check_topology};
use crate::librarian::{NewTape, first_labels, gone};
use crate::{LibraryError, LibraryOptions};

/// The catalog and the cartridges agree; nothing is open yet.
pub(crate) struct Started {
    pub(crate) catalog: Catalog,
    pub(crate) inventory: Inventory,
    pub(crate) identity: IdentityRow,
}

/// Brings catalog and cartridges into agreement.
pub(crate) fn start(
    mut catalog: Catalog,
    store: &Store,
    store_path: &Path,
    options: &LibraryOptions,
    events: &Events,
) -> Result<Started, LibraryError> {
    let mut state = catalog.read()?;
    let listed = capstan_cartridge::list(store).map_err(LibraryError::Cartridges)?;
    let identity = match state.identity {
        Some(identity) => identity,
        None if !listed.is_empty() => {
            return Err(LibraryError::CatalogMissing { store: store_path.to_owned(), count: listed.len() });
        }
        None => first_start(&mut catalog, &mut state)?,
    };
    finish_interrupted(&mut catalog, &mut state, store, events)?;
    check_topology(&options.layout, &state)?;
    if !identity.stocked {
        stock(&mut catalog, &mut state, store, options, identity)?;
    }
    let mut inventory = Inventory::new(options.layout, state);
    look_at_all(&mut inventory, store)?;
    Ok(Started { catalog, inventory, identity })
}

fn first_start(catalog: &mut Catalog, state: &mut State) -> Result<IdentityRow, CatalogError> {
    let uuid = uuid::Uuid::new_v4();
    let identity = IdentityRow { uuid: uuid.into_bytes(), created: unix_seconds(), stocked: false };
    record(catalog, state, &[Change::Identity(identity)])?;
    tracing::info!(%uuid, "a new library");
    Ok(identity)
}

/// What was being made is removed, nobody was told of it; what was being deleted is deleted.
fn finish_interrupted(
    catalog: &mut Catalog,
    state: &mut State,
    store: &Store,
    events: &Events,
) -> Result<(), LibraryError> {
    let half = |state: CartridgeState| matches!(state, CartridgeState::Creating | CartridgeState::Deleting);
    let interrupted: Vec<_> = state.cartridges.iter().filter(|(_, row)| half(row.state)).collect();
    let mut changes = Vec::new();
    for (id, row) in interrupted {
        match capstan_cartridge::delete(store, *id) {
            Ok(()) | Err(CartridgeError::Store(StoreError::NotFound(_))) => {}
            Err(source) => return Err(LibraryError::Cartridge { barcode: row.barcode.clone(), source }),
        }
        let text = format!("the last stop interrupted this while it was {}: removed", row.state);
        events.report(EventKind::Deleted, Subject::new(None, Some(&row.barcode)), text);
        changes.extend(gone(*id, place_of(state, *id)));
    }
    if !changes.is_empty() {
        record(catalog, state, &changes)?;
    }
    Ok(())
}

/// Makes the cartridges of the first start; interrupted, the next start makes those that are missing.
fn stock(
    catalog: &mut Catalog,
    state: &mut State,
    store: &Store,
    options: &LibraryOptions,
    identity: IdentityRow,
) -> Result<(), LibraryError> {
    let first = &options.first_start;
    let taken = state.cartridges.values().map(|row| row.barcode.as_str()).collect();
    let labels = if first.count == 0 { Vec::new() } else { first_labels(first, &taken)? };
    let slots: Vec<Place> =
        (1..=options.layout.slots).map(Place::Slot).filter(|place| !state.places.contains_key(place)).collect();
    if slots.len() < labels.len() {
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        return Err(LibraryError::NoFreeSlot { wanted: count(labels.len()), free: count(slots.len()) });
    }
    let tapes: Vec<NewTape> =
        labels.into_iter().zip(slots).map(|(barcode, place)| NewTape::new(barcode, first.size, place)).collect();
    let begin: Vec<Change> = tapes.iter().flat_map(NewTape::begin).collect();
    record(catalog, state, &begin)?;
    for tape in &tapes {
        tape.make(store)?;
    }
    let stocked = Change::Identity(IdentityRow { stocked: true, ..identity });
    let done: Vec<Change> = tapes.iter().map(NewTape::done).chain([stocked]).collect();
    record(catalog, state, &done)?;
    Ok(())
}

/// Reads what every cartridge holds. One that cannot be read stays listed; one that is not listed is left alone.
fn look_at_all(inventory: &mut Inventory, store: &Store) -> Result<(), LibraryError> {
    for (id, facts) in capstan_cartridge::list(store).map_err(LibraryError::Cartridges)? {
        match inventory.barcode(id) {
            Some(_) => inventory.set_contents(id, facts.map_err(|error| error.to_string())),
            None => {
                let barcode = facts.map_or_else(|error| error.to_string(), |facts| facts.barcode.to_string());
                tracing::warn!(cartridge = %id, %barcode, "on disk and not in the catalog: left alone");
            }
        }
    }
    let ids: Vec<CartridgeId> = inventory.state().cartridges.keys().copied().collect();
    for id in ids {
        if inventory.contents(id).is_none() {
            inventory.set_contents(id, Err("there are no files of it".to_owned()));
        }
        if let (Some(Err(problem)), Some(barcode)) = (inventory.contents(id), inventory.barcode(id)) {
            tracing::error!(%barcode, cartridge = %id, %problem, "this cartridge cannot be read");
        }
    }
    Ok(())
}

fn place_of(state: &State, id: CartridgeId) -> Option<Place> {
    state.places.iter().find(|(_, row)| row.cartridge == id).map(|(place, _)| *place)
}

fn record(catalog: &mut Catalog, state: &mut State, changes: &[Change]) -> Result<(), CatalogError> {
    catalog.commit(changes)?;
    state.apply(changes);
    Ok(())
}
