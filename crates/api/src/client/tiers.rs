//! What is asked about tiers.

use bytes::Bytes;
use capstan_media::Barcode;
use hyper::Method;

use super::{Client, ClientError};
use crate::{ScrubTier, Scrubbed, SetLimits, StageTape, Staged, Tier, TierTest, path};

impl Client {
    /// All tiers.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn tiers(&self) -> Result<Vec<Tier>, ClientError> {
        self.get(path::TIERS).await
    }

    /// Tries a tier.
    ///
    /// # Errors
    /// [`ClientError`]. What fails in the tier is in the answer.
    pub async fn test_tier(&self, name: &str) -> Result<TierTest, ClientError> {
        self.send(Method::POST, &path::tier_test(name), Bytes::new()).await
    }

    /// Ships nothing more to a tier.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn pause_tier(&self, name: &str) -> Result<Tier, ClientError> {
        self.send(Method::POST, &path::tier_pause(name), Bytes::new()).await
    }

    /// Ships to a tier again.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn resume_tier(&self, name: &str) -> Result<Tier, ClientError> {
        self.send(Method::POST, &path::tier_resume(name), Bytes::new()).await
    }

    /// Changes how fast may be sent to a tier and fetched from it, until the daemon starts again.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn limit_tier(&self, name: &str, limits: &SetLimits) -> Result<Tier, ClientError> {
        self.post(&path::tier_limit(name), limits).await
    }

    /// Deletes what is nobody's in a tier.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn scrub_tier(&self, name: &str, request: &ScrubTier) -> Result<Scrubbed, ClientError> {
        self.post(&path::tier_scrub(name), request).await
    }

    /// Begins to bring all of a cartridge into the cache, or lets it be evicted again.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn stage_tape(&self, barcode: &Barcode, request: &StageTape) -> Result<Staged, ClientError> {
        self.post(&path::stage(barcode), request).await
    }
}
