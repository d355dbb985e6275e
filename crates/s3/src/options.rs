//! What a tier in a bucket has to be told, and what of it cannot be right.
//!
//! Everything that can be judged without the server is judged here, so that a mistake has a name before the first
//! request: what the server makes of the rest, the probe says.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The least that a part which is not the last can have. [S3 User Guide, multipart upload limits]
const LEAST_PART: u64 = 5 << 20;
/// The most that one request can carry, from the same place.
const MOST_AT_ONCE: u64 = 5 << 30;

/// A bucket, the server that has it, and how to talk to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Options {
    /// The bucket's name.
    pub bucket: String,
    /// `http://` or `https://`, a host, perhaps a port. None: Amazon's endpoint of the region.
    pub endpoint: Option<String>,
    /// The region in which requests are signed; most servers besides Amazon's take any.
    pub region: String,
    /// The bucket goes into the path rather than into the host name.
    pub force_path_style: bool,
    /// Who we are.
    pub credentials: CredentialSource,
    /// The storage class of new objects. None: the bucket's own.
    pub storage_class: Option<String>,
    /// Encryption by the server.
    pub sse: ServerSideEncryption,
    /// Certificates (PEM) that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// `http://` and a host with a port: every request goes through it.
    pub proxy: Option<String>,
    /// How uploads are protected on their way.
    pub checksum: ChecksumPolicy,
    /// The largest object that is created with one request; above, in parts.
    pub single_upload: u64,
    /// Bytes of a part; only the last is shorter.
    pub part_size: u64,
    /// The longest time to make a connection.
    pub connect_timeout: Duration,
    /// The longest silence while bytes should come or go.
    pub read_timeout: Duration,
    /// The longest time to an answer after the last byte of a request.
    pub attempt_timeout: Duration,
}

/// Where the keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialSource {
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, if there is one, `AWS_SESSION_TOKEN`.
    Environment,
    /// The `[default]` section of a file in the form of `~/.aws/credentials`.
    File(PathBuf),
    /// A profile of `~/.aws/config` and `~/.aws/credentials`; None is `default` or what `AWS_PROFILE` says.
    Profile(Option<String>),
    /// The role of the virtual machine, from its metadata service (IMDSv2).
    Instance,
    /// These keys.
    Keys(AccessKey),
}

/// A pair of keys. What it prints has no secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: String,
    /// Of temporary keys.
    pub session_token: Option<String>,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What the server encrypts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerSideEncryption {
    /// Nothing is asked of it; the bucket may have a default.
    None,
    /// `AES256`: keys of the server.
    Aes256,
    /// `aws:kms`, with a key or the account's default.
    Kms {
        /// Its identifier or ARN.
        key: Option<String>,
    },
}

/// How an upload is protected against damage on its way. The SHA-256 of the content is signed in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChecksumPolicy {
    /// CRC32C, unless the probe found that the server checks only Content-MD5.
    Auto,
    /// Content-MD5 instead of the newer headers, which old servers refuse or ignore.
    WhenRequired,
    /// CRC32C in any case.
    Crc32c,
}

impl S3Options {
    /// The bucket at Amazon's endpoint of the region, everything else as most want it.
    pub fn new(bucket: &str, region: &str) -> Self {
        Self {
            bucket: bucket.to_owned(),
            endpoint: None,
            region: region.to_owned(),
            force_path_style: false,
            credentials: CredentialSource::Environment,
            storage_class: None,
            sse: ServerSideEncryption::None,
            ca_file: None,
            proxy: None,
            checksum: ChecksumPolicy::Auto,
            single_upload: 128 << 20,
            part_size: 64 << 20,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            attempt_timeout: Duration::from_secs(60),
        }
    }

    /// The first thing that cannot be right.
    pub fn validate(&self) -> Result<(), OptionError> {
        self.mistakes().into_iter().next().map_or(Ok(()), Err)
    }

    /// Everything that cannot be right, in the order of the options. Files are not looked at.
    pub fn mistakes(&self) -> Vec<OptionError> {
        let names = [self.bad_bucket(), self.bad_region(), self.bad_storage_class()];
        let urls = [
            self.endpoint.as_ref().and_then(|url| bad_url("endpoint", url, &["http", "https"])),
            self.proxy.as_ref().and_then(|url| bad_url("proxy", url, &["http"])),
        ];
        let sizes = [("single_upload", self.single_upload), ("part_size", self.part_size)]
            .map(|(name, value)| bad_size(name, value));
        let times = [
            ("connect_timeout", self.connect_timeout),
            ("read_timeout", self.read_timeout),
            ("attempt_timeout", self.attempt_timeout),
        ]
        .map(|(name, value)| bad_timeout(name, value));
        names.into_iter().chain(urls).chain([self.bad_encryption()]).chain(sizes).chain(times).flatten().collect()
    }

    fn bad_bucket(&self) -> Option<OptionError> {
        bad_bucket(&self.bucket).map(|why| OptionError::Bucket { bucket: self.bucket.clone(), why })
    }

    fn bad_region(&self) -> Option<OptionError> {
        let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let is_good = !self.region.is_empty() && self.region.bytes().all(good);
        (!is_good).then(|| OptionError::Region { region: self.region.clone() })
    }

    fn bad_storage_class(&self) -> Option<OptionError> {
        let class = self.storage_class.as_ref()?;
        let good = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        let why = match class.as_str() {
            "GLACIER" | "DEEP_ARCHIVE" => {
                "its objects cannot be read without a retrieval first, so no cartridge could be loaded from it"
            }
            class if class.is_empty() || !class.bytes().all(good) => "it is written like STANDARD_IA",
            _ => return None,
        };
        Some(OptionError::StorageClass { class: class.clone(), why })
    }

    /// A key identifier that would never be sent, or is empty.
    fn bad_encryption(&self) -> Option<OptionError> {
        match &self.sse {
            ServerSideEncryption::Kms { key: Some(key) } if key.trim().is_empty() => Some(OptionError::EmptyKmsKey),
            _ => None,
        }
    }
}

fn bad_size(name: &'static str, value: u64) -> Option<OptionError> {
    (!(LEAST_PART..=MOST_AT_ONCE).contains(&value)).then_some(OptionError::Size { name, value })
}

fn bad_timeout(name: &'static str, value: Duration) -> Option<OptionError> {
    (value.is_zero() || value > Duration::from_secs(3600)).then_some(OptionError::Timeout { name, value })
}

/// What is wrong with a bucket's name, by the rules that every server shares.
fn bad_bucket(bucket: &str) -> Option<&'static str> {
    if bucket.len() < 3 || bucket.len() > 63 {
        return Some("a bucket's name has 3 to 63 characters");
    }
    if !bucket.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.' || b == b'_') {
        return Some("a bucket's name has lower-case letters, digits, dots and hyphens only");
    }
    let ends = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    (!ends(bucket.bytes().next()) || !ends(bucket.bytes().last()))
        .then_some("a bucket's name begins and ends with a letter or a digit")
}

/// What is wrong with a URL, which is a scheme and a host, perhaps with a port, and nothing after it.
fn bad_url(option: &'static str, url: &str, schemes: &'static [&'static str]) -> Option<OptionError> {
    let bad = |why| Some(OptionError::Url { option, url: url.to_owned(), why });
    let Some((scheme, rest)) = url.split_once("://") else {
        return bad("it has no scheme, such as http://");
    };
    if !schemes.contains(&scheme) {
        return bad("its scheme is not supported here");
    }
    if rest.contains('@') {
        return bad("it must not hold a name or a password");
    }
    let host = rest.strip_suffix('/').unwrap_or(rest);
    if host.contains(['/', '?', '#']) {
        return bad("it must end after the host and its port");
    }
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    if name.is_empty() || name.contains(char::is_whitespace) {
        return bad("it has no host");
    }
    match port.map(str::parse::<u16>) {
        Some(Ok(0) | Err(_)) => bad("its port is not a number from 1 to 65535"),
        _ => None,
    }
}

/// An option that cannot be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptionError {
    /// Of the bucket's name.
    #[error("bucket \"{bucket}\": {why}")]
    Bucket {
        /// The name.
        bucket: String,
        /// The rule.
        why: &'static str,
    },
    /// No region, or not one.
    #[error("region \"{region}\": a region is a name like us-east-1; servers that have none take any such name")]
    Region {
        /// What it is.
        region: String,
    },
    /// Of the storage class.
    #[error("storage_class \"{class}\": {why}")]
    StorageClass {
        /// What it is.
        class: String,
        /// The rule.
        why: &'static str,
    },
    /// An endpoint or a proxy.
    #[error("{option} \"{url}\": {why}")]
    Url {
        /// Which option.
        option: &'static str,
        /// What it is.
        url: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A key of aws:kms that is empty.
    #[error("kms_key is empty: leave it out for the account's default key")]
    EmptyKmsKey,
    /// A size out of range.
    #[error("{name} is {value} bytes: it can be 5 MiB to 5 GiB")]
    Size {
        /// Which.
        name: &'static str,
        /// What it is.
        value: u64,
    },
    /// A time-out out of range.
    #[error("{name} is {value:?}: it can be up to an hour, and not 0")]
    Timeout {
        /// Which.
        name: &'static str,
        /// What it is.
        value: Duration,
    },
    /// The file of certificates.
    #[error("ca_file {}: {why}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why it is of no use.
        why: String,
    },
    /// The proxy, as the HTTP client sees it.
    #[error("proxy \"{url}\": {why}")]
    Proxy {
        /// What it is.
        url: String,
        /// Why it is of no use.
        why: String,
    },
}

impl OptionError {
    /// The name of the option, as the configuration has it.
    pub fn option(&self) -> &'static str {
        match self {
            Self::Bucket { .. } => "bucket",
            Self::Region { .. } => "region",
            Self::StorageClass { .. } => "storage_class",
            Self::Url { option, .. } => option,
            Self::EmptyKmsKey => "kms_key",
            Self::Size { name, .. } | Self::Timeout { name, .. } => name,
            Self::CaFile { .. } => "ca_file",
            Self::Proxy { .. } => "proxy",
        }
    }
}
