//! What a tape was before it was overwritten, erased or gone back.

use serde::{Deserialize, Serialize};

/// A tape and its older versions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TapeVersions {
    /// Label of the cartridge.
    pub barcode: String,
    /// Blocks and filemarks on the tape as it is, as of its last unload or recovery.
    pub objects: u64,
    /// Filemarks on it.
    pub filemarks: u64,
    /// Host bytes on it.
    pub used: u64,
    /// What it was before, oldest first.
    pub versions: Vec<TapeVersion>,
}

/// An older version of a tape.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TapeVersion {
    /// Its number; none is given twice to a cartridge.
    pub number: u32,
    /// When it ceased to be the tape, seconds since 1970 UTC.
    pub until: u64,
    /// What took its place.
    pub cause: VersionCause,
    /// It is not forgotten by age or for lack of room.
    pub held: bool,
    /// Blocks and filemarks on it.
    pub objects: u64,
    /// Filemarks on it.
    pub filemarks: u64,
    /// Host bytes on it.
    pub used: u64,
    /// Bytes of segments, here or in the tier, that neither the tape nor a later version has.
    pub own_bytes: u64,
    /// Those of them that are not in the tier.
    pub unshipped_bytes: u64,
    /// Blocks and filemarks of which the segments are neither here nor in the tier.
    pub missing: u64,
}

/// What took the place of a version.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionCause {
    /// It was overwritten or erased.
    Overwritten,
    /// An older version was gone back to.
    RolledBack,
    /// Nothing: it is held since a clone was made of it.
    Cloned,
}

/// Asks that a version be the tape again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollBack {
    /// Its number.
    pub to: u32,
}

/// Asks that something be done with a version.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeVersion {
    /// Its number.
    pub version: u32,
    /// What.
    pub change: VersionChange,
}

/// What is done with a version.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionChange {
    /// It is not forgotten by age or for lack of room.
    Hold,
    /// It may be.
    LetGo,
    /// It is forgotten now.
    Forget,
}

/// Asks for a cartridge that begins with what another one holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloneTape {
    /// Label of the new one.
    pub barcode: String,
    /// Which version; left out: the tape as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}
