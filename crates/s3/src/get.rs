//! Read and head: exactly the bytes that were asked for, or an error.

use std::ops::Range;
use std::time::SystemTime;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use bytes::{Bytes, BytesMut};
use capstan_format::wide;
use tokio::time::Instant;

use crate::failure::{Failure, chain};
use crate::request::Limits;
use crate::tier::S3Tier;
use capstan_tier::{ObjectInfo, TierError, TierErrorKind};

/// More than this is not allocated before bytes are there.
const FIRST_ALLOCATION: u64 = 16 << 20;

impl S3Tier {
    pub(crate) async fn get(&self, key: &str, range: Range<u64>) -> Result<Bytes, TierError> {
        let asked = range.end.saturating_sub(range.start);
        if asked == 0 {
            return Ok(Bytes::new());
        }
        let corrupt = |message| TierError {
            kind: TierErrorKind::Corrupt,
            operation: "read",
            key: key.to_owned(),
            message,
            retry_after: None,
        };
        let request = self
            .client()
            .get_object()
            .bucket(self.bucket())
            .key(key)
            .range(format!("bytes={}-{}", range.start, range.end - 1))
            .send();
        let failed = |failure| self.error(failure, "read", key);
        let answer = self.limits().answered(request).await.map_err(failed)?;
        check_range(&answer, &range).map_err(corrupt)?;
        match whole(answer.body, asked, self.limits()).await {
            Ok(bytes) => Ok(bytes),
            Err(Short::Failed(failure)) => Err(failed(failure)),
            Err(Short::TooLong) => {
                Err(corrupt(format!("more than the {asked} bytes of {range:?} came; nothing of it is used")))
            }
        }
    }

    pub(crate) async fn info(&self, key: &str) -> Result<ObjectInfo, TierError> {
        let request = self.client().head_object().bucket(self.bucket()).key(key).send();
        let answer = match self.limits().answered(request).await {
            Ok(answer) => answer,
            Err(failure) => return Err(self.explain(failure, key).await),
        };
        let length = answer.content_length().and_then(|length| u64::try_from(length).ok());
        let Some(length) = length else {
            let nothing =
                Failure { silence: None, status: 200, said: "no Content-Length".to_owned(), ..Failure::default() };
            return Err(self.error(nothing, "head", key));
        };
        Ok(ObjectInfo {
            length,
            etag: answer.e_tag().filter(|etag| !etag.is_empty()).map(str::to_owned),
            class: answer.storage_class().map(|class| class.as_str().to_owned()),
            last_modified: answer.last_modified().and_then(|time| SystemTime::try_from(*time).ok()),
        })
    }

    /// The answer to a HEAD has no body, so that a bucket that is gone looks like an object that is gone, and expired
    /// credentials like a mistake of ours. Another request finds out which.
    async fn explain(&self, failure: Failure, key: &str) -> TierError {
        if failure.silence.is_none() && matches!(failure.status, 301 | 307 | 400 | 403 | 404) {
            let request = self.client().list_objects_v2().bucket(self.bucket()).prefix(key).max_keys(1).send();
            if let Err(reason) = self.limits().answered(request).await {
                let same = reason.status == failure.status && reason.silence.is_none();
                let reason = self.error(reason, "head", key);
                // Otherwise it is a key that may read but not list: the first answer is the better one.
                if same || reason.kind.is_transient() {
                    return reason;
                }
            }
        }
        self.error(failure, "head", key)
    }
}

/// The answer is about the range that was asked for, and of its length.
fn check_range(answer: &GetObjectOutput, range: &Range<u64>) -> Result<(), String> {
    let asked = range.end - range.start;
    let length = answer.content_length().and_then(|length| u64::try_from(length).ok());
    match answer.content_range().map(parse_content_range) {
        Some(Some((first, last))) if first == range.start && last < range.end - 1 => {
            return Err(format!("the object ends after {} bytes, and {range:?} was asked for", last.saturating_add(1)));
        }
        Some(Some((first, last))) if first == range.start && last == range.end - 1 => {}
        Some(_) => {
            return Err(format!(
                "{range:?} was asked for, and \"{}\" came",
                answer.content_range().unwrap_or_default()
            ));
        }
        // The whole object: it may be just what was asked for.
        None if range.start == 0 && length == Some(asked) => {}
        None => {
            let came = length.map_or_else(|| "an unknown number of".to_owned(), |length| length.to_string());
            return Err(format!(
                "{range:?} was asked for, and the whole object came, {came} bytes; the server does no ranges"
            ));
        }
    }
    match length {
        Some(length) if length != asked => Err(format!("{asked} bytes were asked for, and {length} announced")),
        _ => Ok(()),
    }
}

/// First and last byte of `bytes 0-99/1000` [RFC 9110 14.4].
fn parse_content_range(value: &str) -> Option<(u64, u64)> {
    let (range, _) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
}

/// Why a body is not what was asked for.
enum Short {
    Failed(Failure),
    TooLong,
}

/// A body of exactly this length.
async fn whole(mut body: ByteStream, asked: u64, limits: Limits) -> Result<Bytes, Short> {
    let late_at = Instant::now() + limits.whole(asked);
    let mut bytes = BytesMut::with_capacity(usize::try_from(asked.min(FIRST_ALLOCATION)).unwrap_or(0));
    let count = |bytes: &BytesMut| wide(bytes.len());
    loop {
        let limit = late_at.min(Instant::now() + limits.silence);
        let got = count(&bytes);
        match tokio::time::timeout_at(limit, body.next()).await {
            Ok(Some(Ok(piece))) => {
                let more = wide(piece.len());
                if got.saturating_add(more) > asked {
                    return Err(Short::TooLong);
                }
                bytes.extend_from_slice(&piece);
            }
            Ok(Some(Err(error))) => {
                let why = chain(&error);
                return Err(Short::Failed(Failure::broken(format!(
                    "{got} of {asked} bytes came, then the connection broke: {why}"
                ))));
            }
            Ok(None) if got == asked => return Ok(bytes.freeze()),
            Ok(None) => {
                return Err(Short::Failed(Failure::broken(format!("the body ended after {got} of {asked} bytes"))));
            }
            Err(_) if limit == late_at => {
                let limit = limits.whole(asked);
                return Err(Short::Failed(Failure::timeout(format!("only {got} of {asked} bytes came in {limit:?}"))));
            }
            Err(_) => {
                let limit = limits.silence;
                return Err(Short::Failed(Failure::timeout(format!(
                    "{got} of {asked} bytes came, and then none for {limit:?}"
                ))));
            }
        }
    }
}
