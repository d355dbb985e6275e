//! What was found, against what the configuration allows.

use capstan_tier::names::Names;
use capstan_tier::{Capability, Pending, Probe, TierError, TierErrorKind};

use crate::capabilities::Capabilities;
use crate::tier::S3Tier;

/// Finds out whether a bucket can be used as it is configured.
#[derive(Clone, Debug)]
pub struct S3Probe {
    tier: S3Tier,
    names: Names,
    single_gateway: bool,
}

impl S3Probe {
    /// Of a tier whose objects have these names. `single_gateway`: nobody else creates objects there, so that it may be
    /// a server whose creates are not atomic.
    pub fn new(tier: S3Tier, names: Names, single_gateway: bool) -> Self {
        Self { tier, names, single_gateway }
    }

    async fn run(&self) -> Result<Capability, TierError> {
        let found = self.tier.probe(&self.names).await?;
        match self.refusal(&found) {
            Some(message) => Err(TierError::new(TierErrorKind::Misconfigured, "use", &self.tier.address(), message)),
            None => Ok(Capability { read_back: found.unverified(), notes: found.notes }),
        }
    }

    /// Why it cannot be used, and what to do.
    fn refusal(&self, found: &Capabilities) -> Option<String> {
        if let Some(why) = found.unusable() {
            return Some(format!("{why}; use another server"));
        }
        (found.needs_single_gateway() && !self.single_gateway).then(|| {
            "of several who create an object at once the server lets more than one, so that two gateways could write over \
             each other; set single_gateway = true for this tier if no other gateway ever uses this bucket and prefix, or \
             use a server that has If-None-Match"
                .to_owned()
        })
    }
}

impl Probe for S3Probe {
    fn probe(&self) -> Pending<'_, Capability> {
        Box::pin(self.run())
    }
}
