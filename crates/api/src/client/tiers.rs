//! What is asked about tiers.

use bytes::Bytes;
use capstan_media::Barcode;
use hyper::Method;

use super::{Client, ClientError};
use crate::{
    AdoptTape, Done, ForeignTape, HandOverTape, ScrubTier, Scrubbed, SetLimits, StageTape, Staged, Tape, Tier,
    TierTest, path,
};

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

    /// The cartridges of other gateways.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn foreign_tapes(&self) -> Result<Vec<ForeignTape>, ClientError> {
        self.get(path::FOREIGN).await
    }

    /// Gives a cartridge to another gateway.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn hand_over_tape(&self, barcode: &Barcode, request: &HandOverTape) -> Result<Done, ClientError> {
        self.post(&path::handover(barcode), request).await
    }

    /// Takes over a cartridge of another gateway.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn adopt_tape(&self, barcode: &Barcode, request: &AdoptTape) -> Result<Tape, ClientError> {
        self.post(&path::adopt(barcode), request).await
    }

    /// Begins to bring a cartridge into the cache, or lets it be evicted again.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn stage_tape(&self, barcode: &Barcode, request: &StageTape) -> Result<Staged, ClientError> {
        self.post(&path::stage(barcode), request).await
    }
}
