//! Drives.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A drive.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Drive {
    /// Its number, from 0.
    pub index: u16,
    /// Its unit serial number.
    pub serial: String,
    /// The target that it is reached by.
    pub target: String,
    /// Its logical unit number there.
    pub lun: u16,
    /// The cartridge in it.
    pub barcode: Option<String>,
    /// What it holds.
    pub state: DriveState,
    /// An operation is going on.
    pub busy: bool,
    /// Where the loaded cartridge stands.
    pub position: Option<Position>,
    /// Why the cartridge in it cannot be opened, or the drive has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Bytes that hosts have written since the daemon started.
    pub write_bytes: u64,
    /// Bytes that hosts have read since the daemon started.
    pub read_bytes: u64,
}

/// Where a cartridge stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Position {
    /// The partition.
    pub partition: u8,
    /// The logical object (block or filemark) that comes next.
    pub object: u64,
    /// Filemarks before it.
    pub file: u64,
}

/// What a drive holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriveState {
    /// No cartridge.
    Empty,
    /// A cartridge, which can be read and written.
    Loaded,
    /// A cartridge, which a host has unloaded: the robot can take it.
    Unloaded,
    /// A cartridge that cannot be opened: the robot can take it.
    Faulty,
    /// The drive has failed: it answers no more until the daemon starts again.
    Failed,
}

impl fmt::Display for DriveState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Empty => "empty",
            Self::Loaded => "loaded",
            Self::Unloaded => "unloaded",
            Self::Faulty => "faulty",
            Self::Failed => "failed",
        })
    }
}
