//! What operators see of keys: their identifiers, never the keys.

use std::path::PathBuf;

use capstan_media::Barcode;

/// The keys of all cartridges.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeysInfo {
    /// The tier that they are for.
    pub tier: String,
    /// The wrapping key that is configured.
    pub wrapping_key: Option<String>,
    /// The file that it is in.
    pub key_file: Option<PathBuf>,
    /// Somebody has shown another copy of it.
    pub backup_confirmed: bool,
    /// The wrapping key that is to follow it.
    pub next_key: Option<String>,
    /// The wrapping keys, and how many cartridges have their key wrapped with each.
    pub wrapped: Vec<KeyCount>,
    /// Cartridges without a key.
    pub unencrypted: u64,
}

/// A wrapping key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyCount {
    /// Which.
    pub wrapping_key: String,
    /// Cartridges whose key is wrapped with it.
    pub cartridges: u64,
}

/// What became of the keys of all cartridges.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
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
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyProblem {
    /// The cartridge; `None` if not even that is known.
    pub barcode: Option<Barcode>,
    /// What is wrong.
    pub what: String,
}
