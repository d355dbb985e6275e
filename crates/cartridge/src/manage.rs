//! What is done with cartridges that are not loaded.

use std::path::Path;

use capstan_format::{FormatError, Meta};
use capstan_media::{CartridgeId, MediumOp};
use capstan_store::Store;

use crate::{Cartridge, CartridgeError, Facts};

/// Reads the facts of a cartridge, loaded or not. Of a loaded one they are those of its last load or unload.
///
/// # Errors
/// No such cartridge, damaged metadata, a newer format, or the disk failed.
pub fn inspect(store: &Store, id: CartridgeId) -> Result<Facts, CartridgeError> {
    let meta = decode_meta(id, &store.read_meta(id)?, &store.meta_path(id))?;
    Ok(Facts { fenced: store.look_at(id)?.is_fenced()?, ..Facts::new(&meta, meta.end) })
}

/// Write-protects an unloaded cartridge or lifts that, durably.
///
/// # Errors
/// As [`inspect`], or the cartridge is loaded.
pub fn set_protected(store: &Store, id: CartridgeId, protected: bool) -> Result<(), CartridgeError> {
    let directory = store.claim(id)?;
    let meta = decode_meta(id, &directory.read_meta()?, &directory.meta_path())?;
    Ok(directory.write_meta(&Meta { protected, ..meta }.encode())?)
}

/// Erases an unloaded cartridge: it is blank afterwards, durably.
///
/// # Errors
/// As [`Cartridge::open`]; also when the cartridge is write-protected.
pub fn erase(store: &Store, id: CartridgeId) -> Result<(), CartridgeError> {
    let mut cartridge = Cartridge::open(store, id)?;
    let Facts { protected, fenced, .. } = cartridge.facts();
    if protected || fenced {
        return Err(CartridgeError::WriteProtected(id));
    }
    let erased = cartridge.perform(MediumOp::Erase);
    erased.map_err(|failure| CartridgeError::Poisoned { id, what: failure.message })?;
    cartridge.close()?;
    Ok(())
}

/// Deletes an unloaded cartridge. A crash leaves it whole or gone.
///
/// # Errors
/// No such cartridge, loaded, or the disk failed.
pub fn delete(store: &Store, id: CartridgeId) -> Result<(), CartridgeError> {
    Ok(store.claim(id)?.delete()?)
}

/// A cartridge of [`list`]: its facts, or why they cannot be read.
pub type Listed = (CartridgeId, Result<Facts, CartridgeError>);

/// All cartridges in the store, each with its facts or why they cannot be read.
///
/// # Errors
/// The directories of the store cannot be read.
pub fn list(store: &Store) -> Result<Vec<Listed>, CartridgeError> {
    let ids = store.list()?;
    Ok(ids.into_iter().map(|id| (id, inspect(store, id))).collect())
}

pub(crate) fn decode_meta(id: CartridgeId, bytes: &[u8], path: &Path) -> Result<Meta, CartridgeError> {
    let corrupt = |what| CartridgeError::Corrupt { path: path.to_owned(), offset: 0, what };
    match Meta::decode(bytes) {
        Ok(meta) if meta.cartridge == id => Ok(meta),
        Ok(meta) => Err(corrupt(format!("it describes cartridge {}", meta.cartridge))),
        Err(FormatError::NewerVersion { version, known }) => {
            Err(CartridgeError::NewerVersion { path: path.to_owned(), version, known })
        }
        Err(error) => Err(corrupt(error.to_string())),
    }
}
