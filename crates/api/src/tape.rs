//! Cartridges.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A cartridge.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tape {
    /// Its label.
    pub barcode: String,
    /// Its identity: a UUID, never used again.
    pub id: String,
    /// Where in its life it is.
    pub state: TapeState,
    /// Where in the library it is: `slot:N`, `io:N` or `drive:N`; `None` where no element holds it.
    pub location: Option<String>,
    /// Capacity in bytes of the host.
    pub size: u64,
    /// Bytes of the host that it holds.
    pub used: u64,
    /// Write-protected by the administrator.
    pub protected: bool,
    /// Logical objects (blocks and filemarks) before this one are on stable storage here.
    pub durable_to: u64,
    /// Logical objects before this one are in the tier: 0 where there is none.
    pub tier_to: u64,
    /// Bytes of its segments that are only here.
    pub unshipped_bytes: u64,
    /// Bytes of its segments that are here, in the tier or not.
    pub local_bytes: u64,
    /// It is never evicted from the cache.
    pub pinned: bool,
    /// Blocks and filemarks on it.
    pub objects: u64,
    /// Filemarks on it.
    pub filemarks: u64,
    /// When it was made, seconds since 1970 UTC.
    pub created: u64,
    /// Why it cannot be opened, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Where in its life a cartridge is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TapeState {
    /// Being made.
    Creating,
    /// In the library.
    Available,
    /// On its way out, can be called back.
    InTransit,
    /// Being copied to the archive.
    Archiving,
    /// On the shelf.
    Archived,
    /// Being copied back.
    Retrieving,
    /// Back and write-protected.
    Retrieved,
    /// Rebuilt from what was found.
    Recovered,
    /// Known to be lost.
    Irrecoverable,
    /// Being deleted.
    Deleting,
    /// Another gateway goes on with it; all that is on it here is in the tier too.
    Fenced,
    /// Another gateway goes on with it, and some of what is on it is nowhere but here: write-protected.
    Fork,
}

impl fmt::Display for TapeState {
    /// As JSON has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Creating => "CREATING",
            Self::Available => "AVAILABLE",
            Self::InTransit => "IN_TRANSIT",
            Self::Archiving => "ARCHIVING",
            Self::Archived => "ARCHIVED",
            Self::Retrieving => "RETRIEVING",
            Self::Retrieved => "RETRIEVED",
            Self::Recovered => "RECOVERED",
            Self::Irrecoverable => "IRRECOVERABLE",
            Self::Deleting => "DELETING",
            Self::Fenced => "FENCED",
            Self::Fork => "FORK",
        })
    }
}

/// Asks for new cartridges, in free slots.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateTapes {
    /// How many.
    pub count: u32,
    /// Capacity in bytes; `None` for the configured one.
    #[serde(default)]
    pub size: Option<u64>,
    /// The label of the only one; `None` for the next free numbers.
    #[serde(default)]
    pub barcode: Option<String>,
    /// What the labels begin with where they are numbered; `None` for `CAP`.
    #[serde(default)]
    pub prefix: Option<String>,
}

/// Asks that a cartridge become blank.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EraseTape {}

/// Asks that a cartridge become write-protected, or no longer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtectTape {
    /// Whether it shall be write-protected.
    pub protected: bool,
}
