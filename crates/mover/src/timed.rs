//! A tier whose calls end: each within the time that its bytes need, and at the rate that was set.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use capstan_tier::{Body, Created, Listing, ObjectInfo, Pending, Tier, TierError, TierErrorKind};
use tokio::time::timeout;

use crate::link::Link;

/// Slowest rate at which bytes go, for time-outs.
const SLOWEST: u64 = 64 << 10;

/// The tier of a link, each call of it limited and counted. Nothing is repeated here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timed<'a>(pub(crate) &'a Link);

impl Timed<'_> {
    /// Gives a call up that is not answered in time.
    pub(crate) async fn in_time<T>(
        self,
        length: u64,
        operation: &'static str,
        key: &str,
        call: Pending<'_, T>,
    ) -> Result<T, TierError> {
        let limit = self.0.answer().saturating_add(Duration::from_secs(length / SLOWEST));
        match timeout(limit, call).await {
            Ok(result) => result,
            Err(_) => {
                let message = format!("no answer within {} s", limit.as_secs_f32());
                Err(TierError::new(TierErrorKind::Unavailable, operation, key, message))
            }
        }
    }
}

impl Tier for Timed<'_> {
    fn name(&self) -> &str {
        self.0.tier.name()
    }

    fn create<'a>(&'a self, key: &'a str, body: Body) -> Pending<'a, Created> {
        let length = body.length();
        Box::pin(async move {
            self.0.upload.pass(length).await;
            let created = self.in_time(length, "create", key, self.0.tier.create(key, body)).await?;
            self.0.sent.count(length);
            Ok(created)
        })
    }

    fn read<'a>(&'a self, key: &'a str, range: Range<u64>) -> Pending<'a, Bytes> {
        let length = range.end.saturating_sub(range.start);
        Box::pin(async move {
            self.0.download.pass(length).await;
            let bytes = self.in_time(length, "read", key, self.0.tier.read(key, range)).await?;
            self.0.fetched.count(length);
            Ok(bytes)
        })
    }

    fn head<'a>(&'a self, key: &'a str) -> Pending<'a, ObjectInfo> {
        Box::pin(self.in_time(0, "head", key, self.0.tier.head(key)))
    }

    fn list<'a>(&'a self, prefix: &'a str, after: Option<&'a str>) -> Pending<'a, Listing> {
        Box::pin(self.in_time(0, "list", prefix, self.0.tier.list(prefix, after)))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Pending<'a, ()> {
        Box::pin(self.in_time(0, "delete", key, self.0.tier.delete(key)))
    }
}
