//! Keys, of which only identifiers are ever shown.

use serde::{Deserialize, Serialize};

/// The keys of all cartridges.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Keys {
    /// The tier that they are for.
    pub tier: String,
    /// The wrapping key that is configured; `None` if nothing is encrypted.
    pub wrapping_key: Option<String>,
    /// The file that it is in.
    pub key_file: Option<String>,
    /// Somebody has shown another copy of it.
    pub backup_confirmed: bool,
    /// The wrapping key that is to follow it.
    pub next_key: Option<String>,
    /// Cartridges for each wrapping key. While the key is changed, a cartridge has two.
    pub wrapped: Vec<WrappedWith>,
    /// Cartridges without a key.
    pub unencrypted: u64,
}

/// A wrapping key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WrappedWith {
    /// Which.
    pub wrapping_key: String,
    /// Cartridges whose key is wrapped with it.
    pub cartridges: u64,
}

/// Says that there is another copy of the wrapping key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmBackup {
    /// Which key the copy has.
    pub wrapping_key: String,
}

/// Asks to open the wrapped keys of all cartridges.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyKeys {
    /// With the key in this file; `None` for the configured one.
    #[serde(default)]
    pub key_file: Option<String>,
}

/// Asks to wrap the keys of all cartridges with another key as well.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotateKeys {
    /// The file with that key.
    pub new_key_file: String,
}

/// Asks to remove what is wrapped with older keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveOldKeys {}

/// What became of the keys of all cartridges.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyReport {
    /// The wrapping key that it was about.
    pub wrapping_key: String,
    /// Cartridges with a key.
    pub encrypted: u64,
    /// Cartridges without one.
    pub unencrypted: u64,
    /// Those of the encrypted ones for which something was done.
    pub changed: u64,
    /// What is wrong.
    pub problems: Vec<KeyProblem>,
}

/// What is wrong with the key of a cartridge.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyProblem {
    /// The cartridge, if that is known.
    pub barcode: Option<String>,
    /// What is wrong.
    pub what: String,
}
