//! A tier as its keys say it, before they are looked at together.

use std::path::PathBuf;

use capstan_s3::S3Options;
use capstan_tier::Rates;
use capstan_tier::names::Names;

/// What a tier is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    S3,
    Dir,
}

impl Kind {
    /// As the file says it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Dir => "dir",
        }
    }
}

/// Where the keys to a bucket come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Credentials {
    Env,
    File,
    Profile,
    Instance,
}

/// What the server encrypts with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sse {
    Off,
    Aes256,
    Kms,
}

/// All keys of a tier, of either kind.
pub(super) struct Draft {
    pub(super) name: Option<String>,
    pub(super) kind: Option<Kind>,
    pub(super) single_gateway: bool,
    pub(super) zstd: Option<i32>,
    pub(super) encrypt_key_file: Option<PathBuf>,
    pub(super) usual: Rates,
    pub(super) path: Option<PathBuf>,
    pub(super) names: Names,
    pub(super) s3: S3Options,
    pub(super) force_path_style: Option<bool>,
    pub(super) credentials: Credentials,
    pub(super) credentials_file: Option<PathBuf>,
    pub(super) credentials_profile: Option<String>,
    pub(super) sse: Sse,
    pub(super) kms_key: Option<String>,
}

/// Level of zstd where the file does not say: little work for most of what there is to be saved.
const ZSTD: i32 = 3;

/// Region in which requests are signed where the file does not say: what servers without regions call theirs.
const REGION: &str = "us-east-1";

impl Default for Draft {
    fn default() -> Self {
        Self {
            name: None,
            kind: None,
            single_gateway: false,
            zstd: Some(ZSTD),
            encrypt_key_file: None,
            usual: Rates::default(),
            path: None,
            names: Names::default(),
            s3: S3Options::new("", REGION),
            force_path_style: None,
            credentials: Credentials::Env,
            credentials_file: None,
            credentials_profile: None,
            sse: Sse::Off,
            kms_key: None,
        }
    }
}
