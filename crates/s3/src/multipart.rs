//! Objects above what one request takes: parts, several at a time, that become an object all at once or not at all.
//!
//! Whatever ends an upload before its completion, a failure or somebody who does not wait any longer, aborts it. What
//! then still stays (the process died, the server did not answer) costs money and no listing of objects shows it:
//! [`S3Tier::unfinished_uploads`] does.

use std::time::SystemTime;

use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use capstan_format::wide;
use tokio::task::JoinSet;

use crate::checksum::Kind;
use crate::failure::Failure;
use crate::put::Checks;
use crate::tier::S3Tier;
use crate::upload::{Upload, length};
use capstan_tier::{Body, Created, TierError, TierErrorKind};

/// Parts that are under way at once.
const AT_ONCE: usize = 4;
/// The most parts that an object can have. [S3 User Guide, multipart upload limits]
const MOST_PARTS: u64 = 10_000;
/// Pages of unfinished uploads that are read at most.
const MOST_PAGES: usize = 100;

/// An upload that was begun and neither completed nor aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfinishedUpload {
    /// What it was to become.
    pub key: String,
    /// The server's name of the upload.
    pub upload_id: String,
    /// When it was begun.
    pub begun: Option<SystemTime>,
}

impl S3Tier {
    pub(crate) async fn put_in_parts(&self, key: &str, body: &Body) -> Result<Created, TierError> {
        self.put_in_parts_of(key, body.parts(), self.part_size()).await
    }

    /// As [`S3Tier::put_in_parts`], with another size of the parts.
    pub(crate) async fn put_in_parts_of(&self, key: &str, content: &[Bytes], part: u64) -> Result<Created, TierError> {
        let total = length(content);
        if total > part.saturating_mul(MOST_PARTS) {
            let message = format!("{total} bytes are more than an object can have; nothing was sent");
            return Err(TierError {
                kind: TierErrorKind::Misconfigured,
                operation: "create",
                key: key.to_owned(),
                message,
                retry_after: None,
            });
        }
        let mut upload = self.begin(key).await.map_err(|failure| self.error(failure, "create", key))?;
        let result = match upload.send_parts(split(content, part)).await {
            Ok(parts) => upload.complete(parts).await,
            Err(failure) => Err(failure),
        };
        let mut error = match result {
            Ok(()) => {
                upload.open = false;
                return self.stored(key, total).await;
            }
            Err(failure) if failure.status == 412 => None,
            Err(failure) => Some(self.error(failure, "create", key)),
        };
        let aborted = upload.abort().await;
        if let (Some(error), Err(failure)) = (&mut error, aborted) {
            let why = self.error(failure, "abort", key);
            error.message =
                format!("{}; its parts stay at the server, for aborting failed: {}", error.message, why.message);
        }
        error.map_or(Ok(Created::Exists), Err)
    }

    async fn begin(&self, key: &str) -> Result<Ongoing, Failure> {
        let kind = self.checksum();
        let request = self
            .client()
            .create_multipart_upload()
            .bucket(self.bucket())
            .key(key)
            .set_storage_class(self.storage_class())
            .set_server_side_encryption(self.sse())
            .set_ssekms_key_id(self.kms_key())
            .set_checksum_algorithm((kind == Kind::Crc32c).then_some(ChecksumAlgorithm::Crc32C))
            .send();
        let answer = self.limits().answered(request).await?;
        match answer.upload_id() {
            Some(id) if !id.is_empty() => {
                Ok(Ongoing { tier: self.clone(), key: key.to_owned(), id: id.to_owned(), kind, open: true })
            }
            _ => Err(Failure::broken("the server began an upload without a name for it".to_owned())),
        }
    }

    /// The object is there with its whole length: an answer of 200 is not yet a proof with every server.
    async fn stored(&self, key: &str, total: u64) -> Result<Created, TierError> {
        let info = self.info(key).await.map_err(|error| TierError { operation: "create", ..error })?;
        if info.length == total {
            return Ok(Created::New);
        }
        let message =
            format!("{total} bytes were sent in parts, and the object has {}; it must not be used", info.length);
        Err(TierError {
            kind: TierErrorKind::Corrupt,
            operation: "create",
            key: key.to_owned(),
            message,
            retry_after: None,
        })
    }

    /// Uploads of keys that begin with `prefix` and that never ended, the first few thousand.
    pub async fn unfinished_uploads(&self, prefix: &str) -> Result<Vec<UnfinishedUpload>, TierError> {
        let mut found = Vec::new();
        let (mut key_marker, mut id_marker) = (None, None);
        for _ in 0..MOST_PAGES {
            let request = self
                .client()
                .list_multipart_uploads()
                .bucket(self.bucket())
                .prefix(prefix)
                .set_key_marker(key_marker.take())
                .set_upload_id_marker(id_marker.take())
                .send();
            let page = self
                .limits()
                .answered(request)
                .await
                .map_err(|failure| self.error(failure, "list unfinished uploads of", prefix))?;
            for upload in page.uploads() {
                let (Some(key), Some(id)) = (upload.key().filter(|key| key.starts_with(prefix)), upload.upload_id())
                else {
                    continue;
                };
                let begun = upload.initiated().and_then(|time| SystemTime::try_from(*time).ok());
                found.push(UnfinishedUpload { key: key.to_owned(), upload_id: id.to_owned(), begun });
            }
            key_marker = page.next_key_marker().map(str::to_owned);
            id_marker = page.next_upload_id_marker().map(str::to_owned);
            if !page.is_truncated().unwrap_or(false) || key_marker.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// Throws away what an upload has sent.
    pub async fn abort_upload(&self, upload: &UnfinishedUpload) -> Result<(), TierError> {
        self.abort(&upload.key, &upload.upload_id)
            .await
            .map_err(|failure| self.error(failure, "abort upload", &upload.key))
    }

    async fn abort(&self, key: &str, id: &str) -> Result<(), Failure> {
        let request = self.client().abort_multipart_upload().bucket(self.bucket()).key(key).upload_id(id).send();
        match self.limits().answered(request).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.code == "NoSuchUpload" => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// One part.
    async fn send_part(
        &self,
        key: &str,
        id: &str,
        number: i32,
        content: &[Bytes],
        kind: Kind,
    ) -> Result<CompletedPart, Failure> {
        let checks = Checks::of(content, kind).await?;
        let length = length(content);
        let (stream, sent) = Upload::stream(content);
        let crc32c = checks.checksum.header_crc32c();
        let request = self
            .client()
            .upload_part()
            .bucket(self.bucket())
            .key(key)
            .upload_id(id)
            .part_number(number)
            .content_length(i64::try_from(length).unwrap_or(i64::MAX))
            .set_checksum_crc32_c(crc32c.clone())
            .set_content_md5(checks.checksum.header_md5())
            .body(stream)
            .customize()
            .interceptor(checks.content)
            .send();
        let answer = self.limits().uploaded(request, length, sent).await?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(answer.e_tag).set_checksum_crc32_c(crc32c);
        Ok(part.build())
    }
}

/// An upload that has to be completed or aborted.
struct Ongoing {
    tier: S3Tier,
    key: String,
    id: String,
    kind: Kind,
    open: bool,
}

impl Ongoing {
    /// All parts, in order; the first failure ends the others.
    async fn send_parts(&self, contents: Vec<Vec<Bytes>>) -> Result<Vec<CompletedPart>, Failure> {
        let mut waiting = (1..).zip(contents);
        let mut under_way = JoinSet::new();
        let mut done = Vec::new();
        loop {
            while under_way.len() < AT_ONCE {
                let Some((number, content)) = waiting.next() else { break };
                let (tier, key, id, kind) = (self.tier.clone(), self.key.clone(), self.id.clone(), self.kind);
                under_way.spawn(async move { tier.send_part(&key, &id, number, &content, kind).await });
            }
            match under_way.join_next().await {
                Some(Ok(part)) => done.push(part?),
                Some(Err(error)) => return Err(Failure::broken(format!("the task of a part is gone: {error}"))),
                None => break,
            }
        }
        done.sort_by_key(CompletedPart::part_number);
        Ok(done)
    }

    async fn complete(&self, parts: Vec<CompletedPart>) -> Result<(), Failure> {
        let tier = &self.tier;
        let request = tier
            .client()
            .complete_multipart_upload()
            .bucket(tier.bucket())
            .key(&self.key)
            .upload_id(&self.id)
            .set_if_none_match(tier.conditional().then(|| "*".to_owned()))
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
            .send();
        tier.limits().answered(request).await.map(|_| ())
    }

    async fn abort(&mut self) -> Result<(), Failure> {
        let result = self.tier.abort(&self.key, &self.id).await;
        self.open = false;
        result
    }
}

impl Drop for Ongoing {
    /// Nobody waits for this upload any more.
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.open {
            let (tier, key, id) = (self.tier.clone(), self.key.clone(), self.id.clone());
            runtime.spawn(async move {
                if let Err(failure) = tier.abort(&key, &id).await {
                    let error = tier.error(failure, "abort", &key);
                    tracing::warn!(key, upload = id, error = %error, "the parts of an abandoned upload stay at the server");
                }
            });
        }
    }
}

/// The content in pieces of `part` bytes, without copies.
fn split(content: &[Bytes], part: u64) -> Vec<Vec<Bytes>> {
    let mut parts = Vec::new();
    let mut current = Vec::new();
    let mut room = part;
    for bytes in content {
        let mut bytes = bytes.clone();
        while !bytes.is_empty() {
            let take = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
            room -= wide(take);
            current.push(bytes.split_to(take));
            if room == 0 {
                parts.push(std::mem::take(&mut current));
                room = part;
            }
        }
    }
    if !current.is_empty() {
        parts.push(current);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_their_size_and_lose_nothing() {
        let content = [Bytes::from(vec![1; 5]), Bytes::from(vec![2; 9]), Bytes::new(), Bytes::from(vec![3; 2])];
        for part in 1..=20 {
            let parts = split(&content, part);
            let sizes: Vec<u64> = parts.iter().map(|part| length(part)).collect();
            assert_eq!(sizes.iter().sum::<u64>(), 16);
            assert!(sizes.iter().rev().skip(1).all(|size| *size == part), "{sizes:?}");
            assert!(sizes.last().is_some_and(|size| (1..=part).contains(size)), "{sizes:?}");
            assert_eq!(parts.concat().concat(), content.concat());
        }
    }
}
