//! One request with its limits of time.
//!
//! Three things can be slow: the bytes on their way there, the answer, and the bytes on their way back. Each has its
//! limit, and none is the sum: a large upload over a slow link is not late as long as it moves.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use tokio::time::Instant;

use crate::failure::Failure;

/// Slower than this, the whole of a body takes too long, though it moves.
const SLOWEST_BYTES_PER_SECOND: u64 = 64 << 10;

/// The limits of a tier.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The longest silence while bytes should come or go.
    pub(crate) silence: Duration,
    /// The longest time to an answer.
    pub(crate) answer: Duration,
}

impl Limits {
    /// When a body of this length must have come or gone.
    pub(crate) fn whole(&self, length: u64) -> Duration {
        self.answer.saturating_add(Duration::from_secs(length / SLOWEST_BYTES_PER_SECOND))
    }

    /// A request whose body is of no size.
    pub(crate) async fn answered<T, E>(&self, request: impl Future<Output = Sdk<T, E>>) -> Result<T, Failure>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        match tokio::time::timeout(self.answer, request).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(Failure::of(&error)),
            Err(_) => Err(Failure::timeout(format!("no answer for {:?}", self.answer))),
        }
    }

    /// A request with a body that counts what has gone.
    pub(crate) async fn uploaded<T, E>(
        &self,
        request: impl Future<Output = Sdk<T, E>>,
        length: u64,
        sent: Arc<AtomicU64>,
    ) -> Result<T, Failure>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        tokio::select! {
            biased;
            result = request => result.map_err(|error| Failure::of(&error)),
            stalled = self.stalls(length, &sent) => Err(stalled),
        }
    }

    /// Ends when the upload does not move any more, or its answer does not come.
    async fn stalls(&self, length: u64, sent: &AtomicU64) -> Failure {
        let begun = Instant::now();
        let (mut seen, mut moved) = (sent.load(Ordering::Relaxed), begun);
        loop {
            let limit = if seen < length { self.silence } else { self.answer };
            let (silent_at, late_at) = (moved + limit, begun + self.whole(length));
            tokio::time::sleep_until(silent_at.min(Instant::now() + limit / 4)).await;
            let (now, count) = (Instant::now(), sent.load(Ordering::Relaxed));
            if count != seen {
                (seen, moved) = (count, now);
            } else if now >= silent_at && seen < length {
                return Failure::timeout(format!("it took {seen} of {length} bytes and then none for {limit:?}"));
            } else if now >= silent_at {
                return Failure::timeout(format!("no answer for {limit:?} after the last of {length} bytes"));
            }
            if now >= late_at && seen < length {
                return Failure::timeout(format!(
                    "only {seen} of {length} bytes were sent in {:?}",
                    self.whole(length)
                ));
            }
        }
    }
}

/// What a request of the SDK ends with.
pub(crate) type Sdk<T, E> = Result<T, SdkError<E, HttpResponse>>;
