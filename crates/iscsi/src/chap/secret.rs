//! Secrets, and what they are tried with.

use std::fmt;

use subtle::ConstantTimeEq as _;

/// A secret; neither shown nor compared in a time that depends on it.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// The secret of these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Who one is, and what proves it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// CHAP_N: often, but not always, an iSCSI name.
    pub user: String,
    /// The secret.
    pub secret: Secret,
}

/// A question that is asked once. Its bytes come from the system's random numbers, 16 at least.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge {
    /// CHAP_I.
    pub identifier: u8,
    /// CHAP_C, 1 to 1024 bytes.
    pub bytes: Vec<u8>,
}
