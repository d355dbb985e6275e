//! A bucket as a tier.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{ServerSideEncryption as Sse, StorageClass};
use bytes::Bytes;

use crate::checksum::Kind;
use crate::failure::{Failure, Place};
use crate::options::{ChecksumPolicy, OptionError, S3Options, ServerSideEncryption};
use crate::request::Limits;
use capstan_tier::{Body, Created, Listing, ObjectInfo, Pending, Tier, TierError};

/// A tier in an S3 bucket, with the keys of the bucket: [`capstan_tier::names`] has the prefix. Cheap to clone: clones are
/// the same tier.
#[derive(Clone, Debug)]
pub struct S3Tier {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: String,
    client: Client,
    place: Place,
    limits: Limits,
    single_upload: u64,
    part_size: u64,
    storage_class: Option<StorageClass>,
    sse: Option<Sse>,
    kms_key: Option<String>,
    policy: ChecksumPolicy,
    /// The probe found that only Content-MD5 is of use.
    only_md5: AtomicBool,
    /// The probe found that `If-None-Match` is ignored or refused.
    unconditional: AtomicBool,
    /// The probe found that listings are in the order of directories.
    by_directories: AtomicBool,
}

impl S3Tier {
    /// A tier with these options. Nothing is sent yet: [`S3Tier::probe`] does that.
    pub fn open(name: &str, options: &S3Options) -> Result<Self, OptionError> {
        options.validate()?;
        let (sse, kms_key) = match &options.sse {
            ServerSideEncryption::None => (None, None),
            ServerSideEncryption::Aes256 => (Some(Sse::Aes256), None),
            ServerSideEncryption::Kms { key } => (Some(Sse::AwsKms), key.clone()),
        };
        let endpoint = options.endpoint.clone().unwrap_or_else(|| format!("Amazon S3 in {}", options.region));
        let inner = Inner {
            name: name.to_owned(),
            client: crate::client::connect(options)?,
            place: Place { bucket: options.bucket.clone(), endpoint },
            limits: Limits { silence: options.read_timeout, answer: options.attempt_timeout },
            single_upload: options.single_upload,
            part_size: options.part_size,
            storage_class: options.storage_class.as_deref().map(StorageClass::from),
            sse,
            kms_key,
            policy: options.checksum,
            only_md5: AtomicBool::new(false),
            unconditional: AtomicBool::new(false),
            by_directories: AtomicBool::new(false),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Endpoint and bucket, for a person.
    pub fn address(&self) -> String {
        let Place { bucket, endpoint } = &self.inner.place;
        format!("bucket {bucket} at {endpoint}")
    }

    pub(crate) fn client(&self) -> &Client {
        &self.inner.client
    }

    pub(crate) fn bucket(&self) -> &str {
        &self.inner.place.bucket
    }

    pub(crate) fn limits(&self) -> Limits {
        self.inner.limits
    }

    pub(crate) fn single_upload(&self) -> u64 {
        self.inner.single_upload
    }

    pub(crate) fn part_size(&self) -> u64 {
        self.inner.part_size
    }

    pub(crate) fn storage_class(&self) -> Option<StorageClass> {
        self.inner.storage_class.clone()
    }

    pub(crate) fn sse(&self) -> Option<Sse> {
        self.inner.sse.clone()
    }

    pub(crate) fn kms_key(&self) -> Option<String> {
        self.inner.kms_key.clone()
    }

    pub(crate) fn policy(&self) -> ChecksumPolicy {
        self.inner.policy
    }

    /// The checksum that uploads carry now.
    pub(crate) fn checksum(&self) -> Kind {
        match self.inner.policy {
            ChecksumPolicy::WhenRequired => Kind::Md5,
            ChecksumPolicy::Auto if self.inner.only_md5.load(Ordering::Relaxed) => Kind::Md5,
            ChecksumPolicy::Auto | ChecksumPolicy::Crc32c => Kind::Crc32c,
        }
    }

    /// Creates are conditions on the server, rather than a look before.
    pub(crate) fn conditional(&self) -> bool {
        !self.inner.unconditional.load(Ordering::Relaxed)
    }

    /// What the probe found is used from now on.
    pub(crate) fn adopt(&self, checksum: Kind, conditional: bool) {
        self.inner.only_md5.store(checksum == Kind::Md5, Ordering::Relaxed);
        self.inner.unconditional.store(!conditional, Ordering::Relaxed);
    }

    /// Listings are in the order of directories rather than of bytes.
    pub(crate) fn lists_by_directories(&self) -> bool {
        self.inner.by_directories.load(Ordering::Relaxed)
    }

    /// Which order that is, from now on.
    pub(crate) fn adopt_order(&self, by_directories: bool) {
        self.inner.by_directories.store(by_directories, Ordering::Relaxed);
    }

    /// A failure as the caller sees it.
    pub(crate) fn error(&self, failure: Failure, operation: &'static str, key: &str) -> TierError {
        failure.into_error(&self.inner.place, operation, key)
    }
}

impl Tier for S3Tier {
    fn name(&self) -> &str {
        &self.inner.name
    }

    fn create<'a>(&'a self, key: &'a str, body: Body) -> Pending<'a, Created> {
        Box::pin(self.put(key, body))
    }

    fn read<'a>(&'a self, key: &'a str, range: Range<u64>) -> Pending<'a, Bytes> {
        Box::pin(self.get(key, range))
    }

    fn head<'a>(&'a self, key: &'a str) -> Pending<'a, ObjectInfo> {
        Box::pin(self.info(key))
    }

    fn list<'a>(&'a self, prefix: &'a str, after: Option<&'a str>) -> Pending<'a, Listing> {
        Box::pin(self.page(prefix, after))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Pending<'a, ()> {
        Box::pin(self.remove(key))
    }
}
