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
    /// What it is doing.
    pub state: DriveState,
    /// Bytes that hosts have written since the daemon started.
    pub write_bytes: u64,
    /// Bytes that hosts have read since the daemon started.
    pub read_bytes: u64,
}

/// What a drive is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriveState {
    /// No cartridge.
    Empty,
    /// A cartridge, which can be read and written.
    Loaded,
    /// A cartridge, which a host has unloaded: the robot can take it.
    Unloaded,
}

impl fmt::Display for DriveState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Empty => "empty",
            Self::Loaded => "loaded",
            Self::Unloaded => "unloaded",
        })
    }
}
