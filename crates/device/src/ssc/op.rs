//! What a tape drive asks of the library: operations on its cartridge.

use capstan_media::{Barcode, CartridgeId, MediumOp, MediumResult, Position};

/// One operation that a drive needs.
#[derive(Clone, Debug)]
pub enum DriveOp {
    /// Something on the loaded medium.
    Medium(MediumOp),
    /// May so many bytes come that are going to be written? The answer may take its time, while what is written
    /// faster than it is shipped leaves no room.
    Admit {
        /// Bytes of one WRITE.
        bytes: u32,
    },
    /// Thread the cartridge that sits in the drive, unloaded; the position is the beginning afterwards.
    Load,
    /// Make everything durable and unthread the cartridge; it stays in the drive, where the robot can take it.
    Unload,
}

/// The answer to a [`DriveOp`].
#[derive(Clone, Debug)]
pub enum DriveResult {
    /// To [`DriveOp::Medium`].
    Medium(MediumResult),
    /// To [`DriveOp::Admit`].
    Admitted(Result<(), Stalled>),
    /// To [`DriveOp::Load`]: the medium, `None` when no cartridge sits in the drive, or why it cannot be threaded.
    Loaded(Result<Option<Medium>, String>),
    /// To [`DriveOp::Unload`]; an error leaves the cartridge threaded.
    Unloaded(Result<(), String>),
}

/// There was no room for as long as a command may wait for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stalled;

/// A threaded cartridge as the drive sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Medium {
    /// Identity.
    pub id: CartridgeId,
    /// Label.
    pub barcode: Barcode,
    /// Host bytes that fit.
    pub capacity: u64,
    /// Host bytes on it now.
    pub used: u64,
    /// Write-protected.
    pub protected: bool,
    /// Where it stands.
    pub position: Position,
}
