//! The checksums of a request, as headers.

use aws_runtime::auth::PayloadSigningOverride;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::base64;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;
use md5::{Digest as _, Md5};
use sha2::Sha256;

/// Which checksum goes with an upload besides its signed SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `x-amz-checksum-crc32c`.
    Crc32c,
    /// `Content-MD5`.
    Md5,
}

/// The checksum of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    /// Base64 of the value, big-endian.
    Crc32c(String),
    /// Base64 of the digest.
    Md5(String),
}

impl Checksum {
    pub(crate) fn of(parts: &[Bytes], kind: Kind) -> Self {
        match kind {
            Kind::Crc32c => Self::crc32c(parts.iter().fold(0, |sum, part| crc32c::crc32c_append(sum, part))),
            Kind::Md5 => {
                let digest = parts.iter().fold(Md5::new(), |md5, part| md5.chain_update(part)).finalize();
                Self::Md5(base64::encode(digest))
            }
        }
    }

    /// Of a value that is known, or wrong on purpose.
    pub(crate) fn crc32c(value: u32) -> Self {
        Self::Crc32c(base64::encode(value.to_be_bytes()))
    }

    pub(crate) fn header_crc32c(&self) -> Option<String> {
        match self {
            Self::Crc32c(value) => Some(value.clone()),
            Self::Md5(_) => None,
        }
    }

    pub(crate) fn header_md5(&self) -> Option<String> {
        match self {
            Self::Crc32c(_) => None,
            Self::Md5(value) => Some(value.clone()),
        }
    }
}

/// The SHA-256 of a content that is signed though the SDK sees it only as a stream.
#[derive(Debug)]
pub(crate) struct SignedContent(String);

impl SignedContent {
    pub(crate) fn of(parts: &[Bytes]) -> Self {
        let digest = parts.iter().fold(Sha256::new(), |sha, part| sha.chain_update(part)).finalize();
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl Intercept for SignedContent {
    fn name(&self) -> &'static str {
        "SignedContent"
    }

    fn modify_before_signing(
        &self,
        _: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().store_put(PayloadSigningOverride::Precomputed(self.0.clone()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_check_strings_of_their_definitions() {
        let parts = [Bytes::from_static(b"1234"), Bytes::from_static(b"56789")];
        assert_eq!(Checksum::of(&parts, Kind::Crc32c), Checksum::crc32c(0xE306_9283));
        assert_eq!(Checksum::of(&parts, Kind::Crc32c), Checksum::Crc32c("4waSgw==".to_owned()));
        assert_eq!(Checksum::of(&[], Kind::Md5), Checksum::Md5("1B2M2Y8AsgTpgAmY7PhCfg==".to_owned()));
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(SignedContent::of(&[]).0, empty);
    }
}
