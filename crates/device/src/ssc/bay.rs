//! What sits in the drive.

use capstan_scsi::asc::Asc;
use capstan_scsi::{CheckCondition, SenseKey};

use super::{Medium, TapeDrive};
use crate::spc::Requirement;

/// What sits in the drive.
#[derive(Debug)]
pub(super) enum Bay {
    /// No cartridge, or none that the drive may tell of: it was unloaded and waits for the robot.
    Empty {
        /// A cartridge is there all the same, and LOAD can thread it.
        seated: bool,
    },
    /// A cartridge, unthreaded by UNLOAD with HOLD.
    Held,
    /// A cartridge, threaded.
    Threaded(Medium),
}

/// A cartridge is threaded.
pub(super) const MEDIUM: Requirement<TapeDrive> =
    Requirement { name: "medium", check: |drive| drive.threaded().map(|_| ()) };

/// A cartridge is threaded and the position is known.
pub(super) const POSITION: Requirement<TapeDrive> =
    Requirement { name: "medium, position", check: TapeDrive::check_position };

/// A cartridge is threaded, the position is known and the cartridge is not write-protected.
pub(super) const WRITABLE: Requirement<TapeDrive> =
    Requirement { name: "medium, position, writable", check: check_writable };

impl TapeDrive {
    /// The threaded medium.
    pub(super) fn threaded(&self) -> Result<&Medium, CheckCondition> {
        match &self.bay {
            Bay::Threaded(medium) => Ok(medium),
            Bay::Held => Err(CheckCondition::new(SenseKey::NotReady, Asc::INITIALIZING_COMMAND_REQUIRED)),
            Bay::Empty { .. } => Err(medium_not_present()),
        }
    }

    /// The threaded medium, to be changed.
    pub(super) fn threaded_mut(&mut self) -> Option<&mut Medium> {
        match &mut self.bay {
            Bay::Threaded(medium) => Some(medium),
            Bay::Held | Bay::Empty { .. } => None,
        }
    }

    /// After the daemon was restarted the host believes in a position that the drive does not know: nothing that
    /// depends on it runs until the host positions absolutely.
    pub(super) fn check_position(&self) -> Result<(), CheckCondition> {
        self.threaded()?;
        if self.position_lost {
            Err(CheckCondition::new(SenseKey::MediumError, Asc::SEQUENTIAL_POSITIONING_ERROR))
        } else {
            Ok(())
        }
    }
}

fn check_writable(drive: &TapeDrive) -> Result<(), CheckCondition> {
    drive.check_position()?;
    if drive.threaded()?.protected {
        Err(CheckCondition::new(SenseKey::DataProtect, Asc::WRITE_PROTECTED))
    } else {
        Ok(())
    }
}

pub(super) fn medium_not_present() -> CheckCondition {
    CheckCondition::new(SenseKey::NotReady, Asc::MEDIUM_NOT_PRESENT)
}
