//! `[[tier]]`: where cartridges are shipped to.

mod draft;
mod keys;
mod read;
mod schedule;

use std::path::{Path, PathBuf};

use capstan_s3::S3Options;
use capstan_tier::names::Names;
use capstan_tier::{Limits, WrappingKey};

use super::Config;
pub(super) use keys::rows;
pub(super) use schedule::rows as schedule_rows;

/// The list of tables, as messages name it.
pub(super) const LIST: &str = "tier";

/// A tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TierConfig {
    /// What people call it.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) place: TierPlace,
    /// The names of objects in it.
    pub(crate) names: Names,
    /// No other gateway uses it: it can do without atomic creates.
    pub(crate) single_gateway: bool,
    /// Level of zstd; `None`: not compressed.
    pub(crate) zstd: Option<i32>,
    /// What the keys of cartridges are wrapped with; `None`: not encrypted.
    pub(crate) encrypt: Option<KeyFile>,
    /// How fast it may be used, and when.
    pub(crate) limits: Limits,
}

/// Where a tier is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TierPlace {
    /// A directory.
    Dir(PathBuf),
    /// A bucket.
    S3(Box<S3Options>),
}

/// A key and the file that it was read from.
#[derive(Clone, Debug)]
pub(crate) struct KeyFile {
    /// The file.
    pub(crate) file: PathBuf,
    /// What is there.
    pub(crate) key: WrappingKey,
}

impl PartialEq for KeyFile {
    fn eq(&self, other: &Self) -> bool {
        (&self.file, self.key.id()) == (&other.file, other.key.id())
    }
}

impl Eq for KeyFile {}

impl TierConfig {
    /// The tier of who does not configure any: it costs nothing to be there and nothing to read.
    fn local(state_dir: &Path) -> Self {
        Self {
            name: "local".to_owned(),
            place: TierPlace::Dir(state_dir.join("tier")),
            names: Names::default(),
            single_gateway: false,
            zstd: None,
            encrypt: None,
            limits: Limits::default(),
        }
    }

    /// Its directory, if it is one.
    pub(crate) fn directory(&self) -> Option<&Path> {
        match &self.place {
            TierPlace::Dir(path) => Some(path),
            TierPlace::S3(_) => None,
        }
    }
}

impl Config {
    /// The tier that cartridges are shipped to.
    pub(crate) fn tier(&self) -> TierConfig {
        self.tiers.first().cloned().unwrap_or_else(|| TierConfig::local(&self.gateway.state_dir))
    }
}
