//! Slots, drives and what is moved between them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An element of the library.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Element {
    /// Its name: `slot:N`, `io:N` or `drive:N`.
    pub name: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: ElementType,
    /// Its address on the SCSI bus.
    pub address: u16,
    /// The number that `mtx` gives it: storage slots from 1, import/export slots after them; drives from 0.
    pub mtx: u32,
    /// The cartridge in it.
    pub barcode: Option<String>,
    /// Whether the robot can take the cartridge: false while a drive has it loaded.
    pub accessible: bool,
    /// The storage slot that the cartridge in it came from.
    pub source: Option<String>,
}

/// What an element is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ElementType {
    /// A storage slot.
    Slot,
    /// An import/export slot.
    Io,
    /// A drive.
    Drive,
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Slot => "slot",
            Self::Io => "io",
            Self::Drive => "drive",
        })
    }
}

/// Asks that the robot move a cartridge.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// From this element.
    pub from: String,
    /// To this one.
    pub to: String,
}

/// Asks that a cartridge be put into a drive.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Which cartridge.
    pub barcode: String,
    /// Into which drive; `None` for the first empty one.
    #[serde(default)]
    pub drive: Option<u16>,
}

/// Asks that a drive be emptied: back to where its cartridge came from, else into the first free slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unload {
    /// Which drive.
    pub drive: u16,
}

/// Asks that cartridges be taken out of import/export slots into storage slots.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// Which.
    pub barcodes: Vec<String>,
}

/// A cartridge was moved.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Moved {
    /// Which.
    pub barcode: String,
    /// From where.
    pub from: String,
    /// To where.
    pub to: String,
}
