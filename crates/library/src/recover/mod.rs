//! Making a lost catalog again, from what is kept beside it and from the cartridges themselves.
//!
//! Nothing is deleted and no cartridge is touched: what is known of the library is put together, compared with what
//! lies on the disk, and written as a new catalog; the old one gets another name. Without a daemon: this holds the lock.

mod carry;
mod plan;
mod report;
#[cfg(test)]
mod tests;
mod tier;

pub use carry::{Carried, CarriedState, CarryOptions, carry, read_state};
pub use report::{Base, CatalogWas, Recovery, Remark, RemarkKind};
pub use tier::{Fate, TapeBack, TierRecoverOptions, TierRecovery, recover_from_tier};

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capstan_catalog::{Catalog, Found, MirrorFile, State};
use capstan_disk::Disk;
use capstan_media::Layout;
use capstan_store::Store;

use crate::LibraryError;
use crate::clock::unix_seconds;
use crate::inventory::check_layout;
use crate::state_dir::StateDir;
use plan::{OnDisk, plan};

/// What names begin with by which a state directory is known.
const LIBRARY: [&str; 3] = ["catalog.redb", "library.state.", "cartridges"];

/// What to recover, and how.
#[derive(Clone, Debug)]
pub struct RecoverOptions {
    /// As in [`crate::LibraryOptions`].
    pub state_dir: PathBuf,
    /// As in [`crate::LibraryOptions`].
    pub cartridge_dir: Option<PathBuf>,
    /// Says which slots are free.
    pub layout: Layout,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// Puts together what the library held, and writes it as its catalog unless that says the same.
///
/// Blocks on the disk.
///
/// # Errors
/// A daemon runs on the directory, nothing is there to recover from, something was written by a newer release, or the
/// disk failed.
pub fn recover(options: &RecoverOptions, disk: &Arc<dyn Disk>) -> Result<Recovery, LibraryError> {
    check_layout(&options.layout)?;
    // Not even a lock is made where no library is.
    let names = disk.list(&options.state_dir).unwrap_or_default();
    if !names.iter().any(|entry| LIBRARY.iter().any(|name| entry.name.starts_with(name))) {
        return Err(LibraryError::NothingToRecover(options.state_dir.clone()));
    }
    let state_dir = StateDir::existing(&options.state_dir, disk)?;
    let path = state_dir.catalog();
    let found = Catalog::look_at(&path, disk)?;
    let store_path = options.cartridge_dir.clone().unwrap_or_else(|| state_dir.cartridges());
    let on_disk = cartridges(&store_path, disk)?;
    let (base, known) = Base::choose(&found);
    if known.is_none() && on_disk.cartridges.is_empty() {
        return Err(LibraryError::NothingToRecover(options.state_dir.clone()));
    }
    let uuid = uuid::Uuid::new_v4().into_bytes();
    let planned = plan(known.as_ref(), &base, on_disk, &options.layout, unix_seconds(), uuid);
    let was = catalog_was(&found);
    let changed = match &found.catalog {
        Some(Ok((_, state))) => was != CatalogWas::Good || *state != planned.state,
        _ => true,
    };
    let mut recovery = Recovery {
        catalog: was,
        base,
        changed,
        written: false,
        kept_aside: None,
        revision: newest_revision(&found).saturating_add(u64::from(changed)),
        state: planned.state,
        remarks: planned.remarks,
    };
    if changed && !options.dry_run {
        recovery.kept_aside = Catalog::rebuild(&path, disk, &recovery.state, recovery.revision)?;
        recovery.written = true;
    }
    Ok(recovery)
}

/// What the store has. Without a directory there are no cartridges; what the base says of them stays.
fn cartridges(path: &Path, disk: &Arc<dyn Disk>) -> Result<OnDisk, LibraryError> {
    let directory = path.to_owned();
    if !is_there(path, disk.as_ref())? {
        return Ok(OnDisk { directory, cartridges: Vec::new() });
    }
    let store = match Store::open_as_it_is(path, Arc::clone(disk)) {
        // The first start did not come as far as to make it.
        Err(error) if error.is_missing() => return Ok(OnDisk { directory, cartridges: Vec::new() }),
        opened => opened?,
    };
    let mut cartridges = capstan_cartridge::list(&store).map_err(LibraryError::Cartridges)?;
    cartridges.sort_by_key(|(id, _)| *id);
    Ok(OnDisk { directory, cartridges })
}

fn is_there(path: &Path, disk: &dyn Disk) -> Result<bool, LibraryError> {
    match disk.length(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(LibraryError::Io { what: "look at", path: path.to_owned(), source }),
    }
}

fn catalog_was(found: &Found) -> CatalogWas {
    match &found.catalog {
        None => CatalogWas::Missing,
        Some(Err(error)) => CatalogWas::Damaged(error.to_string()),
        Some(Ok((_, state))) if state.identity.is_none() => CatalogWas::Missing,
        Some(Ok((revision, state))) => match (state.check(), found.mirrored()) {
            (Err(error), _) => CatalogWas::Damaged(error.to_string()),
            (_, Some((newest, _))) if newest > *revision => CatalogWas::Older { has: *revision, newest },
            (_, Some((_, other))) if other.identity.map(|row| row.uuid) != state.identity.map(|row| row.uuid) => {
                CatalogWas::Damaged("it is that of another library".to_owned())
            }
            (_, Some((newest, other))) if newest == *revision && other != state => {
                CatalogWas::Damaged("it differs from what is kept beside it".to_owned())
            }
            _ => CatalogWas::Good,
        },
    }
}

fn newest_revision(found: &Found) -> u64 {
    let catalog = match &found.catalog {
        Some(Ok((revision, _))) => *revision,
        _ => 0,
    };
    catalog.max(found.mirrored().map_or(0, |(revision, _)| revision))
}

impl Base {
    /// The newest state that is known: a good catalog, else what is kept beside it, else a catalog that contradicts
    /// itself.
    fn choose(found: &Found) -> (Self, Option<State>) {
        if catalog_was(found) == CatalogWas::Good
            && let Some(Ok((revision, state))) = &found.catalog
        {
            return (Self::Catalog { revision: *revision }, Some(state.clone()));
        }
        if let Some((revision, state)) = found.mirrored() {
            let certain = !found.copies.iter().any(|copy| matches!(copy, MirrorFile::Damaged(_)));
            return (Self::Mirror { revision, certain }, Some(state.clone()));
        }
        match &found.catalog {
            Some(Ok((_, state))) if state.identity.is_some() => (Self::Contradictory, Some(state.clone())),
            _ => (Self::Cartridges, None),
        }
    }
}
