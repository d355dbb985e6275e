//! What operators see of the library.

use capstan_catalog::CartridgeState;
use capstan_media::{Barcode, CartridgeId, Element, Place, Position};

/// A cartridge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TapeInfo {
    /// Label.
    pub barcode: Barcode,
    /// Identity.
    pub id: CartridgeId,
    /// Where it is in its life.
    pub state: CartridgeState,
    /// The element that holds it.
    pub place: Option<Place>,
    /// Capacity in host bytes.
    pub size: u64,
    /// Host bytes on it. While it is in a drive, as of at most some tenths of a second ago.
    pub used: u64,
    /// Blocks and filemarks on it.
    pub objects: u64,
    /// Filemarks on it.
    pub filemarks: u64,
    /// Write-protected by an operator.
    pub protected: bool,
    /// Objects before this one are on stable storage here.
    pub durable_to: u64,
    /// When it was made, seconds since 1970 UTC.
    pub created: u64,
    /// Why it cannot be opened, if that is known.
    pub problem: Option<String>,
}

/// What a drive holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DriveState {
    /// No cartridge.
    Empty,
    /// A threaded cartridge.
    Loaded,
    /// A cartridge that a host has unloaded: the robot can take it.
    Unloaded,
    /// A cartridge that cannot be opened: the robot can take it.
    Faulty,
    /// The drive itself has failed: every command is answered HARDWARE ERROR until the daemon starts again.
    Failed,
}

/// A drive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DriveInfo {
    /// Its number, from 0.
    pub index: u16,
    /// Unit serial number.
    pub serial: String,
    /// Suffix of its target, `drive-00`.
    pub target_suffix: String,
    /// What it holds.
    pub state: DriveState,
    /// An operation is going on.
    pub busy: bool,
    /// The cartridge in it.
    pub barcode: Option<Barcode>,
    /// Bytes that hosts have written since the daemon started.
    pub write_bytes: u64,
    /// Bytes that hosts have read since the daemon started.
    pub read_bytes: u64,
    /// Where the threaded cartridge stands.
    pub position: Option<Position>,
    /// Why the cartridge in it cannot be opened, or the drive has failed.
    pub problem: Option<String>,
}

/// An element.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ElementInfo {
    /// As READ ELEMENT STATUS has it.
    pub element: Element,
    /// Its name.
    pub place: Place,
    /// Name of the element that the cartridge in it came from.
    pub source: Option<Place>,
}

/// A cartridge was moved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    /// Which.
    pub barcode: Barcode,
    /// From here; `None` where no element held it.
    pub from: Option<Place>,
    /// To there.
    pub to: Place,
}

/// New cartridges to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateTapes {
    /// How they are labelled.
    pub labels: Labels,
    /// Host bytes of each; `None` for the configured size.
    pub size: Option<u64>,
}

/// Labels of new cartridges.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Labels {
    /// One cartridge with this label.
    One(Barcode),
    /// So many with the next free numbers: prefix, three digits or more, `L8`.
    Numbered {
        /// How many.
        count: u32,
        /// What the labels begin with; `None` for `CAP`.
        prefix: Option<String>,
    },
}

/// Numbers about the whole.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Statistics {
    /// Cartridges in each state of life.
    pub tapes_by_state: Vec<(CartridgeState, u64)>,
    /// Host bytes on all cartridges.
    pub used: u64,
    /// Host bytes that fit on all cartridges.
    pub capacity: u64,
    /// Moves of the robot since the daemon started.
    pub moves: u64,
    /// Bytes that hosts have written since the daemon started.
    pub write_bytes: u64,
    /// Bytes that hosts have read since the daemon started.
    pub read_bytes: u64,
}

/// What is done with an older version of a tape.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VersionChange {
    /// It is not forgotten by age or for lack of room.
    Hold,
    /// It may be.
    LetGo,
    /// It is forgotten now.
    Forget,
}

/// A barcode and a slot that are kept for a cartridge that is being made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reserved {
    /// Its identity.
    pub id: CartridgeId,
    /// Its label.
    pub barcode: Barcode,
    /// Host bytes that it is to hold.
    pub size: u64,
    /// Where it is to be.
    pub place: Place,
}
