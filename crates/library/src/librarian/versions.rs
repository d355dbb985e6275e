//! Older versions of tapes: going back to them, holding and forgetting them.

use capstan_cartridge::{CartridgeError, Cause, VersionFacts};
use capstan_media::{Barcode, CartridgeId};

use super::actor::LibrarianActor;
use crate::LibraryError;
use crate::events::{EventKind, Subject};
use crate::view::VersionChange;

impl LibrarianActor {
    pub(super) fn roll_back(&mut self, barcode: &Barcode, number: u32) -> Result<(), LibraryError> {
        let (id, _) = self.idle(barcode, "rolled back")?;
        self.jobs.give_up(id, "the cartridge was rolled back");
        let rolled_back = capstan_cartridge::roll_back(&self.store, id, number);
        self.inspect(id);
        let before = rolled_back.map_err(|source| failed(barcode, source))?;
        let undo = match before.end.object {
            0 => "it was blank before".to_owned(),
            _ => format!("what it was before is version {}", before.number),
        };
        self.report(EventKind::RolledBack, barcode, format!("to version {number}; {undo}"));
        Ok(())
    }

    pub(super) fn change_version(
        &mut self,
        barcode: &Barcode,
        number: u32,
        change: VersionChange,
    ) -> Result<(), LibraryError> {
        let action = match change {
            VersionChange::Hold | VersionChange::LetGo => "changed",
            VersionChange::Forget => "made to forget a version",
        };
        let (id, _) = self.unloaded(barcode, action)?;
        if change != VersionChange::Hold {
            self.check_clones(barcode, id, number)?;
        }
        match change {
            VersionChange::Hold => capstan_cartridge::hold_version(&self.store, id, number, true),
            VersionChange::LetGo => capstan_cartridge::hold_version(&self.store, id, number, false),
            VersionChange::Forget => capstan_cartridge::forget_version(&self.store, id, number),
        }
        .map_err(|source| failed(barcode, source))?;
        if change == VersionChange::Forget {
            self.report(EventKind::VersionForgotten, barcode, format!("version {number}: by an operator"));
        }
        Ok(())
    }

    /// What clones share is not forgotten while they are there.
    fn check_clones(&self, barcode: &Barcode, id: CartridgeId, number: u32) -> Result<(), LibraryError> {
        let failed = |source| failed(barcode, source);
        let (_, versions) = capstan_cartridge::versions(&self.store, id).map_err(failed)?;
        let is_cloned = |it: &VersionFacts| it.version.number == number && it.version.cause == Cause::Cloned;
        let clones = capstan_cartridge::clones_of(&self.store, id).map_err(failed)?;
        if !clones.is_empty() && versions.iter().any(is_cloned) {
            return Err(LibraryError::HasClones { barcode: barcode.clone(), number, clones });
        }
        Ok(())
    }

    fn report(&self, kind: EventKind, barcode: &Barcode, text: String) {
        self.events.report(kind, Subject::new(None, Some(barcode)), text);
    }
}

fn failed(barcode: &Barcode, source: CartridgeError) -> LibraryError {
    let barcode = barcode.clone();
    match source {
        CartridgeError::NoVersion { number, .. } => LibraryError::UnknownVersion { barcode, number },
        source => LibraryError::Cartridge { barcode, source },
    }
}
