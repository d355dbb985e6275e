//! One bucket in memory, as S3 describes it as far as a tier uses it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_smithy_types::base64;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use md5::{Digest as _, Md5};
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};

use super::{BUCKET, Manners};

/// What is there.
#[derive(Debug)]
pub(crate) struct Bucket {
    manners: Manners,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<String, Stored>,
    uploads: BTreeMap<String, Ongoing>,
    begun: usize,
    class: Option<String>,
    sse: Option<String>,
}

#[derive(Clone, Debug)]
struct Stored {
    content: Bytes,
    class: Option<StorageClass>,
    created: SystemTime,
}

#[derive(Debug)]
struct Ongoing {
    key: String,
    class: Option<StorageClass>,
    parts: BTreeMap<i32, (Bytes, Option<String>)>,
    begun: SystemTime,
}

impl Bucket {
    pub(super) fn new(manners: Manners) -> Self {
        Self { manners, state: Mutex::default() }
    }

    /// The content of an object.
    pub(crate) fn get(&self, key: &str) -> Option<Bytes> {
        self.state.lock().unwrap().objects.get(key).map(|stored| stored.content.clone())
    }

    pub(crate) fn put(&self, key: &str, content: &'static [u8]) {
        let stored = Stored { content: Bytes::from_static(content), class: None, created: SystemTime::now() };
        self.state.lock().unwrap().objects.insert(key.to_owned(), stored);
    }

    /// Keys of all objects.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.state.lock().unwrap().objects.keys().cloned().collect()
    }

    /// Uploads that are neither completed nor aborted.
    pub(crate) fn uploads(&self) -> usize {
        self.state.lock().unwrap().uploads.len()
    }

    /// Storage class and encryption of the last create.
    pub(crate) fn last_attributes(&self) -> (Option<String>, Option<String>) {
        let state = self.state.lock().unwrap();
        (state.class.clone(), state.sse.clone())
    }

    /// Checks what came against what was said to come.
    fn verify(&self, content: &[u8], crc32c: Option<&str>, md5: Option<&str>) -> S3Result<()> {
        let digest = base64::encode(Md5::digest(content));
        if md5.is_some_and(|md5| md5 != digest) && !self.manners.no_md5 {
            return Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received."));
        }
        let sum = base64::encode(crc32c::crc32c(content).to_be_bytes());
        if crc32c.is_some_and(|crc32c| crc32c != sum) && !self.manners.no_crc32c {
            return Err(s3_error!(BadDigest, "The CRC32C you specified did not match the calculated checksum."));
        }
        Ok(())
    }

    fn taken(&self, state: &State, key: &str, condition: Option<&IfNoneMatch>, ignored: bool) -> S3Result<()> {
        if condition == Some(&ETagCondition::Any) && !ignored && state.objects.contains_key(key) {
            return Err(s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold"));
        }
        Ok(())
    }
}

/// The requests.
pub(super) struct Api(pub(super) Arc<Bucket>);

impl Api {
    fn known(&self, bucket: &str) -> S3Result<()> {
        if bucket == BUCKET { Ok(()) } else { Err(s3_error!(NoSuchBucket, "The specified bucket does not exist")) }
    }
}

async fn content(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let Some(body) = body else { return Ok(Bytes::new()) };
    let collected = s3s::Body::from(body).collect().await;
    collected.map(|body| body.to_bytes()).map_err(|error| s3_error!(IncompleteBody, "{error}"))
}

fn etag(content: &[u8]) -> ETag {
    ETag::Strong(Md5::digest(content).iter().map(|byte| format!("{byte:02x}")).collect())
}

#[async_trait::async_trait]
impl S3 for Api {
    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let (bucket, input) = (&self.0, request.input);
        self.known(&input.bucket)?;
        let content = content(input.body).await?;
        bucket.verify(&content, input.checksum_crc32c.as_deref(), input.content_md5.as_deref())?;
        let ignored = bucket.manners.no_conditions;
        if bucket.manners.racy {
            bucket.taken(&bucket.state.lock().unwrap(), &input.key, input.if_none_match.as_ref(), ignored)?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let mut state = bucket.state.lock().unwrap();
        if !bucket.manners.racy {
            bucket.taken(&state, &input.key, input.if_none_match.as_ref(), ignored)?;
        }
        let e_tag = Some(etag(&content));
        state.class = input.storage_class.as_ref().map(|class| class.as_str().to_owned());
        state.sse = input.server_side_encryption.as_ref().map(|sse| sse.as_str().to_owned());
        let stored = Stored { content, class: input.storage_class, created: SystemTime::now() };
        state.objects.insert(input.key, stored);
        Ok(S3Response::new(PutObjectOutput { e_tag, ..Default::default() }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        self.known(&input.bucket)?;
        let Some(whole) = self.0.get(&input.key) else {
            return Err(s3_error!(NoSuchKey, "The specified key does not exist."));
        };
        let length = u64::try_from(whole.len()).unwrap();
        let (content, content_range) = match input.range {
            None => (whole, None),
            Some(range) => {
                let range = range.check(length)?;
                let header = format!("bytes {}-{}/{length}", range.start, range.end - 1);
                (whole.slice(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()), Some(header))
            }
        };
        let content_length = Some(i64::try_from(content.len()).unwrap());
        let body = Some(StreamingBlob::from(s3s::Body::from(content)));
        Ok(S3Response::new(GetObjectOutput { body, content_length, content_range, ..Default::default() }))
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        self.known(&input.bucket)?;
        let stored = self.0.state.lock().unwrap().objects.get(&input.key).cloned();
        let Some(stored) = stored else { return Err(s3_error!(NoSuchKey)) };
        Ok(S3Response::new(HeadObjectOutput {
            content_length: Some(i64::try_from(stored.content.len()).unwrap()),
            e_tag: Some(etag(&stored.content)),
            storage_class: stored.class,
            last_modified: Some(stored.created.into()),
            ..Default::default()
        }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        self.known(&input.bucket)?;
        let state = self.0.state.lock().unwrap();
        let prefix = input.prefix.unwrap_or_default();
        // In the order of directories a slash comes before everything.
        let directories = self.0.manners.directories;
        let place = |key: &str| if directories { key.replace('/', "\0") } else { key.to_owned() };
        let mut found: BTreeMap<String, Object> = BTreeMap::new();
        for (key, stored) in state.objects.iter().filter(|(key, _)| key.starts_with(&prefix)) {
            let folder = input.delimiter.as_ref().and_then(|delimiter| key[prefix.len()..].find(delimiter.as_str()));
            let key = folder.map_or(key.as_str(), |end| &key[..=prefix.len() + end]);
            // Directories have no size here.
            let size = folder.is_none().then(|| i64::try_from(stored.content.len()).unwrap());
            found.insert(place(key), Object { key: Some(key.to_owned()), size, ..Default::default() });
        }
        let after = place(&input.continuation_token.or(input.start_after).unwrap_or_default());
        found.retain(|place, _| *place > after && !self.0.manners.late_listings);
        let most = self.0.manners.page.unwrap_or(1000).min(usize::try_from(input.max_keys.unwrap_or(1000)).unwrap());
        let is_truncated = Some(found.len() > most);
        let mut page: Vec<Object> = found.into_values().take(most).collect();
        let next_continuation_token = page.last().and_then(|last| last.key.clone());
        if self.0.manners.no_order {
            page.reverse();
        }
        let (objects, folders): (Vec<Object>, Vec<Object>) = page.into_iter().partition(|found| found.size.is_some());
        let folders = folders.into_iter().map(|folder| CommonPrefix { prefix: folder.key });
        Ok(S3Response::new(ListObjectsV2Output {
            contents: Some(objects),
            common_prefixes: Some(folders.collect()),
            is_truncated,
            next_continuation_token,
            ..Default::default()
        }))
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.known(&request.input.bucket)?;
        self.0.state.lock().unwrap().objects.remove(&request.input.key);
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = request.input;
        self.known(&input.bucket)?;
        if self.0.manners.no_parts {
            return Err(s3_error!(NotImplemented));
        }
        let mut state = self.0.state.lock().unwrap();
        state.begun += 1;
        let id = format!("upload-{}", state.begun);
        let ongoing =
            Ongoing { key: input.key, class: input.storage_class, parts: BTreeMap::new(), begun: SystemTime::now() };
        state.uploads.insert(id.clone(), ongoing);
        Ok(S3Response::new(CreateMultipartUploadOutput { upload_id: Some(id), ..Default::default() }))
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        let input = request.input;
        self.known(&input.bucket)?;
        let content = content(input.body).await?;
        self.0.verify(&content, input.checksum_crc32c.as_deref(), input.content_md5.as_deref())?;
        let e_tag = Some(etag(&content));
        let mut state = self.0.state.lock().unwrap();
        let Some(upload) = state.uploads.get_mut(&input.upload_id) else { return Err(s3_error!(NoSuchUpload)) };
        upload.parts.insert(input.part_number, (content, input.checksum_crc32c.clone()));
        Ok(S3Response::new(UploadPartOutput { e_tag, checksum_crc32c: input.checksum_crc32c, ..Default::default() }))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        self.known(&input.bucket)?;
        let mut state = self.0.state.lock().unwrap();
        let ignored = self.0.manners.no_conditions || self.0.manners.no_conditions_in_parts;
        self.0.taken(&state, &input.key, input.if_none_match.as_ref(), ignored)?;
        let Some(upload) = state.uploads.get(&input.upload_id) else { return Err(s3_error!(NoSuchUpload)) };
        let mut whole = Vec::new();
        for part in input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default() {
            let number = part.part_number.unwrap_or_default();
            let Some((content, crc32c)) = upload.parts.get(&number) else { return Err(s3_error!(InvalidPart)) };
            if part.e_tag != Some(etag(content)) || part.checksum_crc32c != *crc32c {
                return Err(s3_error!(InvalidPart));
            }
            whole.extend_from_slice(content);
        }
        let stored = Stored { content: whole.into(), class: upload.class.clone(), created: SystemTime::now() };
        state.objects.insert(input.key, stored);
        state.uploads.remove(&input.upload_id);
        Ok(S3Response::new(CompleteMultipartUploadOutput::default()))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let gone = self.0.state.lock().unwrap().uploads.remove(&request.input.upload_id);
        if gone.is_none() {
            return Err(s3_error!(NoSuchUpload));
        }
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let prefix = request.input.prefix.unwrap_or_default();
        let after = request.input.upload_id_marker.unwrap_or_default();
        let state = self.0.state.lock().unwrap();
        let mut found = state.uploads.iter().filter(|(id, upload)| upload.key.starts_with(&prefix) && **id > after);
        // One a page.
        let Some((id, upload)) = found.next() else {
            return Ok(S3Response::new(ListMultipartUploadsOutput::default()));
        };
        let listed = MultipartUpload {
            key: Some(upload.key.clone()),
            upload_id: Some(id.clone()),
            initiated: Some(upload.begun.into()),
            ..Default::default()
        };
        Ok(S3Response::new(ListMultipartUploadsOutput {
            is_truncated: Some(found.next().is_some()),
            next_key_marker: Some(upload.key.clone()),
            next_upload_id_marker: Some(id.clone()),
            uploads: Some(vec![listed]),
            ..Default::default()
        }))
    }

    async fn get_bucket_versioning(
        &self,
        _: S3Request<GetBucketVersioningInput>,
    ) -> S3Result<S3Response<GetBucketVersioningOutput>> {
        let enabled = BucketVersioningStatus::from_static(BucketVersioningStatus::ENABLED);
        let status = self.0.manners.versioned.then_some(enabled);
        Ok(S3Response::new(GetBucketVersioningOutput { status, ..Default::default() }))
    }
}
