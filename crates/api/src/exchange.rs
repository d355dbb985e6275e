//! Cartridges of other gateways on the same tier.

use serde::{Deserialize, Serialize};

/// A cartridge of another gateway.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ForeignTape {
    /// Its label.
    pub barcode: String,
    /// Its identity.
    pub id: String,
    /// UUID of the gateway that has it.
    pub owner: String,
    /// The name of that gateway, if it is known.
    pub owner_name: Option<String>,
    /// Capacity in bytes of the host.
    pub size: u64,
    /// Bytes of the host that it holds.
    pub used: u64,
    /// When something of it was shipped last, seconds since 1970 UTC.
    pub written: u64,
    /// It may be adopted.
    pub handed_over: bool,
    /// By this gateway only: its UUID.
    pub handed_over_to: Option<String>,
    /// Why it cannot be read to its end, if that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Asks that a cartridge be given to another gateway.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOverTape {
    /// Name or UUID of the gateway that may adopt it; `None`: any.
    #[serde(default)]
    pub to: Option<String>,
}

/// Asks that a cartridge of another gateway be taken over.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdoptTape {
    /// The slot that it goes to; `None`: the first free one.
    #[serde(default)]
    pub slot: Option<u16>,
    /// Also if it was not given away: the other gateway is lost.
    #[serde(default)]
    pub force: bool,
}
