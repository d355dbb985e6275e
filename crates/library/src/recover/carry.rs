//! A library without its cartridges, carried from one machine to another: its identity, and what is where.

use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capstan_catalog::{Catalog, CatalogError, State};
use capstan_disk::{Disk, Mode, write_all_at};
use capstan_media::{Barcode, CartridgeId};

use super::{CatalogWas, cartridges, catalog_was};
use crate::LibraryError;
use crate::state_dir::{StateDir, create_all};

/// The state of a library that no daemon has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CarriedState {
    /// Identity of the library.
    pub uuid: [u8; 16],
    /// Number of its last change.
    pub change: u64,
    /// What is where, as `docs/format/library-state-v1.md` has it.
    pub image: Vec<u8>,
}

/// What is put into an empty state directory.
#[derive(Clone, Debug)]
pub struct CarryOptions {
    /// As in [`crate::LibraryOptions`]: missing or empty.
    pub state_dir: PathBuf,
    /// Where cartridges may be already; `None` for `cartridges` in the state directory.
    pub cartridge_dir: Option<PathBuf>,
    /// What is where.
    pub image: Vec<u8>,
    /// By what the gateway knows its tiers again: their names, and claims.
    pub claims: Vec<(String, Vec<u8>)>,
}

/// A library that was put there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Carried {
    /// Its identity.
    pub uuid: [u8; 16],
    /// Number of its last change.
    pub change: u64,
    /// Its cartridges.
    pub tapes: Vec<Barcode>,
    /// Those of them whose files are not here.
    pub absent: Vec<Barcode>,
}

/// Reads the state of a library.
///
/// # Errors
/// A daemon runs on the directory, there is no good catalog, or the disk failed.
pub fn read_state(state_dir: &Path, disk: &Arc<dyn Disk>) -> Result<CarriedState, LibraryError> {
    let state_dir = StateDir::existing(state_dir, disk)?;
    state_dir.check_whole(disk.as_ref())?;
    let path = state_dir.catalog();
    let found = Catalog::look_at(&path, disk)?;
    let is_good = catalog_was(&found) == CatalogWas::Good;
    match found.catalog {
        Some(Ok((change, state))) if is_good => {
            let uuid = state.identity.map(|identity| identity.uuid).unwrap_or_default();
            Ok(CarriedState { uuid, change, image: state.encode(change, [0; 8]) })
        }
        Some(Err(error)) => Err(error.into()),
        Some(Ok(_)) | None => Err(CatalogError::Missing(path).into()),
    }
}

/// Makes a library in an empty directory that is the one whose state it is. Until all of it is there a start refuses it.
///
/// # Errors
/// There is something in the directory, the state is none, damaged or of a newer release, or the disk failed.
pub fn carry(options: &CarryOptions, disk: &Arc<dyn Disk>) -> Result<Carried, LibraryError> {
    let (change, state) = State::decode(&options.image).map_err(|error| LibraryError::BadState(error.to_string()))?;
    state.check().map_err(|error| LibraryError::BadState(error.to_string()))?;
    let Some(identity) = state.identity else { return Err(LibraryError::BadState("it is of no library".to_owned())) };
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it));
    if let Some((name, _)) = options.claims.iter().find(|(name, _)| !is_name(name)) {
        return Err(LibraryError::BadState(format!("{name:?} is no name of a tier")));
    }
    check_empty(&options.state_dir, disk.as_ref())?;
    let state_dir = StateDir::open(&options.state_dir, disk)?;
    state_dir.mark_carried(disk.as_ref())?;
    if !options.claims.is_empty() {
        create_all(&state_dir.mover(), disk.as_ref())?;
    }
    for (tier, claim) in &options.claims {
        write(&state_dir.mover().join(format!("{tier}.claim")), claim, disk.as_ref())?;
    }
    Catalog::rebuild(&state_dir.catalog(), disk, &state, change)?;
    let store_path = options.cartridge_dir.clone().unwrap_or_else(|| state_dir.cartridges());
    let here = cartridges(&store_path, disk)?;
    let is_here = |id: &CartridgeId| here.cartridges.iter().any(|(other, _)| other == id);
    let sorted = |mut barcodes: Vec<Barcode>| {
        barcodes.sort();
        barcodes
    };
    let absent = state.cartridges.iter().filter(|(id, _)| !is_here(id)).map(|(_, row)| row.barcode.clone()).collect();
    let tapes = state.cartridges.values().map(|row| row.barcode.clone()).collect();
    Ok(Carried { uuid: identity.uuid, change, tapes: sorted(tapes), absent: sorted(absent) })
}

fn check_empty(path: &Path, disk: &dyn Disk) -> Result<(), LibraryError> {
    let entries = disk.list(path).unwrap_or_default();
    match entries.into_iter().find(|entry| entry.name != "lock") {
        Some(entry) => Err(LibraryError::NotEmpty(path.join(entry.name))),
        None => Ok(()),
    }
}

fn write(path: &Path, bytes: &[u8], disk: &dyn Disk) -> Result<(), LibraryError> {
    let failed = |what| move |source| LibraryError::Io { what, path: path.to_owned(), source };
    let file = disk.open(path, Mode::Create).map_err(failed("create"))?;
    let written = write_all_at(file.as_ref(), &mut [IoSlice::new(bytes)], 0);
    written.map_err(|stop| failed("write")(stop.error))?;
    file.sync_data().map_err(failed("synchronise"))?;
    let parent = path.parent().unwrap_or(Path::new("."));
    disk.sync_directory(parent).map_err(failed("synchronise the directory of"))
}
