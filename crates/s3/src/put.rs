//! Create: one request, or parts for large objects.

use bytes::Bytes;

use crate::checksum::{Checksum, Kind, SignedContent};
use crate::failure::Failure;
use crate::tier::S3Tier;
use crate::upload::{Upload, length};
use capstan_tier::{Body, Created, TierError, TierErrorKind};

/// Less than this is hashed where it is.
const HASH_HERE: u64 = 256 << 10;

/// What goes with the bytes.
pub(crate) struct Checks {
    pub(crate) checksum: Checksum,
    pub(crate) content: SignedContent,
}

impl Checks {
    /// Of the parts; large ones are hashed by a thread that may block.
    pub(crate) async fn of(parts: &[Bytes], kind: Kind) -> Result<Self, Failure> {
        let hash =
            move |parts: &[Bytes]| Self { checksum: Checksum::of(parts, kind), content: SignedContent::of(parts) };
        if length(parts) <= HASH_HERE {
            return Ok(hash(parts));
        }
        let parts = parts.to_vec();
        tokio::task::spawn_blocking(move || hash(&parts))
            .await
            .map_err(|error| Failure::broken(format!("the thread that hashes the content is gone: {error}")))
    }
}

impl S3Tier {
    pub(crate) async fn put(&self, key: &str, body: Body) -> Result<Created, TierError> {
        let large = body.length() > self.single_upload();
        // Not every server that checks the condition for a PUT also does for the end of a multipart upload; and it is
        // cheaper to ask first than to send so much in vain.
        if (large || !self.conditional()) && self.exists(key).await? {
            return Ok(Created::Exists);
        }
        if large {
            return self.put_in_parts(key, &body).await;
        }
        let failed = |failure| self.error(failure, "create", key);
        let checks = Checks::of(body.parts(), self.checksum()).await.map_err(failed)?;
        self.put_once(key, body.parts(), checks, self.conditional()).await.map_err(failed)
    }

    /// One PUT.
    pub(crate) async fn put_once(
        &self,
        key: &str,
        parts: &[Bytes],
        checks: Checks,
        conditional: bool,
    ) -> Result<Created, Failure> {
        let length = length(parts);
        let (stream, sent) = Upload::stream(parts);
        let request = self
            .client()
            .put_object()
            .bucket(self.bucket())
            .key(key)
            .content_length(i64::try_from(length).unwrap_or(i64::MAX))
            .set_if_none_match(conditional.then(|| "*".to_owned()))
            .set_storage_class(self.storage_class())
            .set_server_side_encryption(self.sse())
            .set_ssekms_key_id(self.kms_key())
            .set_checksum_crc32_c(checks.checksum.header_crc32c())
            .set_content_md5(checks.checksum.header_md5())
            .body(stream)
            .customize()
            .interceptor(checks.content)
            .send();
        match self.limits().uploaded(request, length, sent).await {
            Ok(_) => Ok(Created::New),
            Err(failure) if failure.status == 412 => Ok(Created::Exists),
            Err(failure) => Err(failure),
        }
    }

    /// Whether the key is taken.
    async fn exists(&self, key: &str) -> Result<bool, TierError> {
        match self.info(key).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == TierErrorKind::NotFound => Ok(false),
            Err(error) => Err(TierError { operation: "create", ..error }),
        }
    }
}
