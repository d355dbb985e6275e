//! Making a lost library again from its tier, on an empty machine.
//!
//! First everything is read and planned, and nothing is written anywhere. Then the order is: a mark in the state directory,
//! by which a start refuses and the next attempt knows what it may throw away; the next library state in the tier, which of
//! all who try one creates; each cartridge, here and then in the tier; the catalog; the mark goes. So it can end anywhere
//! and be begun again, and of two one goes on.

mod survey;
mod write;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capstan_cartridge::Facts;
use capstan_catalog::{CartridgeState, State};
use capstan_disk::Disk;
use capstan_media::{Barcode, CartridgeId, Layout, Place};
use capstan_mover::{Broken, GatewayFound, Rehearsal, Remains, Sample};

use super::Remark;
use crate::LibraryError;
use crate::inventory::{check_layout, check_topology};
use crate::state_dir::{CARRIED, MARK, MOVER};
use survey::Survey;

/// What to recover from a tier, and how.
#[derive(Clone, Debug)]
pub struct TierRecoverOptions {
    /// As in [`crate::LibraryOptions`]: missing or empty.
    pub state_dir: PathBuf,
    /// As in [`crate::LibraryOptions`]: the same.
    pub cartridge_dir: Option<PathBuf>,
    /// As in [`crate::LibraryOptions`]: the same.
    pub cache_dir: Option<PathBuf>,
    /// Says which slots there are.
    pub layout: Layout,
    /// What the tier is called.
    pub tier: String,
    /// Where it is, if it is a directory: it may lie in the state directory.
    pub tier_directory: Option<PathBuf>,
    /// Name or UUID of the gateway that is lost.
    pub gateway: String,
    /// These cartridges; all if there are none.
    pub tapes: Vec<Barcode>,
    /// Only say what would be done: nothing is written anywhere.
    pub dry_run: bool,
    /// Read so much of what is there, and prove it.
    pub sample: Option<Sample>,
}

/// What was recovered from a tier, or would be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TierRecovery {
    /// The gateway that comes back.
    pub gateway: GatewayFound,
    /// The change after which the state of its library was shipped; `None` if there is none: places are new then.
    pub change: Option<u64>,
    /// All that the catalog holds.
    pub state: State,
    /// Its cartridges, by barcode.
    pub tapes: Vec<TapeBack>,
    /// What is not as it was, or needs a look.
    pub remarks: Vec<Remark>,
    /// What came of reading a part of it.
    pub rehearsal: Option<Rehearsal>,
    /// It was written.
    pub written: bool,
}

/// A cartridge that comes back, or does not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TapeBack {
    /// The cartridge.
    pub id: CartridgeId,
    /// Its label.
    pub barcode: Barcode,
    /// Where it is.
    pub place: Option<Place>,
    /// What becomes of it.
    pub fate: Fate,
    /// What is on it.
    pub facts: Option<Facts>,
    /// When the last delta was written that counts: milliseconds since 1970 UTC.
    pub written: Option<u64>,
    /// It is encrypted in the tier.
    pub encrypted: bool,
    /// Segments whose objects are not in the tier: their numbers and the objects of the tape that are on them.
    pub missing: Vec<(u64, u64, u64)>,
}

/// What becomes of a cartridge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It comes back as its last delta has it.
    Whole,
    /// It comes back as it was before a delta that cannot be read.
    Cut(Broken),
    /// Nothing of it was ever in the tier: it comes back blank.
    Blank,
    /// Nothing can be made of what is there: why.
    Lost(String),
}

impl TierRecovery {
    /// Something that was there is not, or cannot be read.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        let bad = |tape: &TapeBack| matches!(tape.fate, Fate::Cut(_) | Fate::Lost(_)) || !tape.missing.is_empty();
        self.tapes.iter().any(bad) || self.rehearsal.as_ref().is_some_and(|read| !read.bad.is_empty())
    }
}

/// Who is told what is being done, and how much of how much is done.
pub(crate) type Told<'a> = &'a mut dyn FnMut(&str, u64, u64);

/// Puts together what a gateway had in a tier, and makes its library again in an empty state directory.
///
/// Blocks, on the tier and the disk.
///
/// # Errors
/// There is something in the directories, no such gateway in the tier, a key is missing, somebody else recovers the same
/// gateway, or the tier or the disk failed.
pub fn recover_from_tier(
    options: &TierRecoverOptions,
    remains: &Remains,
    disk: &Arc<dyn Disk>,
    told: Told<'_>,
) -> Result<TierRecovery, LibraryError> {
    check_layout(&options.layout)?;
    if !options.dry_run {
        check_empty(options, disk.as_ref())?;
    }
    let survey = Survey::make(options, remains, told)?;
    let mut planned = survey.plan(&options.layout);
    check_topology(&options.layout, &planned.state)?;
    if let Some(sample) = options.sample {
        let good: Vec<_> = survey.good().cloned().collect();
        let read = remains.rehearse(&good, sample, &mut |done, of| told("proving objects", done, of));
        planned.rehearsal = Some(read?);
    }
    if !options.dry_run {
        write::write(options, remains, disk, &survey, &planned.state, told)?;
        planned.written = true;
    }
    Ok(planned)
}

/// Nothing may be there that somebody could miss, but what an attempt that was cut off has left, or a
/// library that was carried here and did not start: it has no cartridges.
fn check_empty(options: &TierRecoverOptions, disk: &dyn Disk) -> Result<(), LibraryError> {
    let state_dir = options.state_dir.as_path();
    if names(disk, state_dir)?.iter().any(|name| name == MARK) {
        return Ok(());
    }
    let is_carried = names(disk, state_dir)?.iter().any(|name| name == CARRIED);
    let is_of_carried = |directory: &Path, name: &str| {
        let is_file = ["catalog.redb", "library.state."].iter().any(|it| name.starts_with(it));
        directory == state_dir && (is_file || [CARRIED, MOVER].contains(&name))
    };
    let areas = [options.cartridge_dir.as_deref(), options.cache_dir.as_deref()];
    let directories = std::iter::once(state_dir).chain(areas.into_iter().flatten());
    for directory in directories {
        for name in names(disk, directory)? {
            let path = directory.join(&name);
            let is_tier = options.tier_directory.as_ref() == Some(&path);
            // An empty area in the state directory is looked at by itself.
            let is_area = areas.into_iter().flatten().any(|area| area == path);
            let is_carried = is_carried && is_of_carried(directory, &name);
            if !(name == "lock" || is_tier || is_area || is_carried) {
                return Err(LibraryError::NotEmpty(path));
            }
        }
    }
    Ok(())
}

fn names(disk: &dyn Disk, directory: &Path) -> Result<Vec<String>, LibraryError> {
    match disk.list(directory) {
        Ok(entries) => Ok(entries.into_iter().map(|entry| entry.name).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(LibraryError::Io { what: "list", path: directory.to_owned(), source }),
    }
}

/// A row of one that does not come back.
fn lost(state: CartridgeState) -> CartridgeState {
    match state {
        CartridgeState::Deleting => state,
        _ => CartridgeState::Irrecoverable,
    }
}
