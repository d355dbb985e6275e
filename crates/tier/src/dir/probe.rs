//! Whether a directory does what a tier needs.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::{DirTier, SharedWith};
use crate::names::Names;
use crate::{Body, Capability, Created, Pending, Probe, Tier as _, TierError, TierErrorKind};

/// What is written to find out.
const CONTENT: &[u8] = b"written to see whether it can be read";

/// Finds out whether a directory can be used: by an object of its own, which is deleted afterwards.
#[derive(Clone, Debug)]
pub struct DirProbe {
    tier: DirTier,
    names: Names,
    near: PathBuf,
}

impl DirProbe {
    /// Of a tier whose objects have these names. `near` is where the cartridges are: it is worth a note if both are on
    /// one file system.
    #[must_use]
    pub fn new(tier: DirTier, names: Names, near: &Path) -> Self {
        Self { tier, names, near: near.to_owned() }
    }

    async fn run(&self) -> Result<Capability, TierError> {
        self.tier.blocking("probe", "", |files, _| files.tidy()).await?;
        let failed = |message: String| TierError::new(TierErrorKind::Unavailable, "probe", "the directory", message);
        let random = getrandom::u64().map_err(|error| failed(format!("no random numbers: {error}")))?;
        let key = self.names.probe(random);
        let tried = self.create_and_read(&key).await;
        // What was found counts more than what is left.
        let deleted = self.tier.delete(&key).await;
        tried.and(deleted)?;
        let shares = self.tier.shares_file_system(&self.near) == Ok(SharedWith::FileSystem);
        let note = "The tier is on the file system of the cartridges: there is no second copy on another disk.";
        Ok(Capability { read_back: false, notes: shares.then(|| note.to_owned()).into_iter().collect() })
    }

    async fn create_and_read(&self, key: &str) -> Result<(), TierError> {
        let broken = |message: &str| Err(TierError::new(TierErrorKind::Misconfigured, "probe", key, message));
        let content = Bytes::from_static(CONTENT);
        self.tier.create(key, Body::new(vec![content.clone()])).await?;
        if self.tier.create(key, Body::new(vec![Bytes::new()])).await? != Created::Exists {
            return broken("the file system lets a file be replaced by one of the same name; use another");
        }
        let length = self.tier.head(key).await?.length;
        if self.tier.read(key, 0..length).await? != content {
            return broken("the file system gives back other bytes than were written; use another");
        }
        Ok(())
    }
}

impl Probe for DirProbe {
    fn probe(&self) -> Pending<'_, Capability> {
        Box::pin(self.run())
    }
}
