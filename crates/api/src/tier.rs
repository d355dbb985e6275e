//! Tiers: where cartridges are shipped to.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// A tier.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tier {
    /// Its name in the configuration.
    pub name: String,
    /// What it is: `dir`, `s3`.
    pub kind: String,
    /// Where it is: a directory, or endpoint and bucket.
    pub place: String,
    /// How it is doing.
    pub state: TierState,
    /// Why it is not ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What the start found that an operator should know.
    pub notes: Vec<String>,
    /// How what is stored is proved: `checked` or `read back`.
    pub proof: String,
    /// The key that objects are encrypted with; `None` if they are not.
    pub encryption: Option<String>,
    /// Objects on their way.
    pub uploads: u64,
    /// How many can be on their way at the same time now.
    pub parallel: u64,
    /// Bytes sent since the daemon started.
    pub uploaded_bytes: u64,
    /// Bytes fetched since the daemon started.
    pub downloaded_bytes: u64,
    /// Bytes a second sent in the last ten seconds.
    pub upload_rate: u64,
    /// Bytes a second fetched in the last ten seconds.
    pub download_rate: u64,
    /// Bytes a second that may be sent; `None` for no limit.
    pub upload_limit: Option<u64>,
    /// Bytes a second that may be fetched; `None` for no limit.
    pub download_limit: Option<u64>,
    /// Calls that were repeated since the daemon started.
    pub retries: u64,
    /// The last error since the daemon started.
    pub last_error: Option<TierError>,
}

/// An error of a tier.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TierError {
    /// When it was, seconds since 1970 UTC.
    pub time: u64,
    /// What it was, for a person.
    pub text: String,
}

/// How a tier is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TierState {
    /// Nothing was heard of it yet.
    Connecting,
    /// The last call to it succeeded.
    Ready,
    /// Calls to it fail, and are repeated.
    Unavailable,
    /// An operator has paused it: nothing is shipped, what is there is read all the same.
    Paused,
    /// It is not what it was: nothing is written to it until an operator has looked at it.
    Refused,
}

impl fmt::Display for TierState {
    /// As JSON has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Connecting => "connecting",
            Self::Ready => "ready",
            Self::Unavailable => "unavailable",
            Self::Paused => "paused",
            Self::Refused => "refused",
        })
    }
}

/// What a test of a tier came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TierTest {
    /// The tier.
    pub name: String,
    /// All steps went well.
    pub good: bool,
    /// What was tried, in this order.
    pub steps: Vec<TestStep>,
}

/// A step of a test.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TestStep {
    /// What was tried.
    pub what: String,
    /// How long it took, in thousandths of a second.
    pub milliseconds: u64,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Asks to delete what is nobody's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScrubTier {
    /// Only what has not changed for so long.
    pub older_than_seconds: u64,
}

/// What was looked at and deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Scrubbed {
    /// Objects that were looked at.
    pub objects: u64,
    /// Deleted ones of uploads that were given up.
    pub orphans: u64,
    /// Deleted ones of data that is not on the tape any more.
    pub released: u64,
    /// Bytes of both.
    pub bytes: u64,
}

/// Asks for other limits, until the daemon starts again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetLimits {
    /// Bytes a second that may be sent: left out it stays as it is, `null` lifts the limit.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub upload: Option<Option<u64>>,
    /// Bytes a second that may be fetched, likewise.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub download: Option<Option<u64>>,
}

/// What is there was given, also `null`.
fn given<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::deserialize(source).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_left_lifted_or_set() {
        let both = SetLimits { upload: Some(None), download: Some(Some(5)) };
        for (limits, json) in [
            (SetLimits::default(), "{}"),
            (SetLimits { upload: Some(None), download: None }, r#"{"upload":null}"#),
            (both, r#"{"upload":null,"download":5}"#),
        ] {
            assert_eq!(serde_json::to_string(&limits).unwrap(), json);
            assert_eq!(serde_json::from_str::<SetLimits>(json).unwrap(), limits);
        }
        assert!(serde_json::from_str::<SetLimits>(r#"{"both":1}"#).is_err());
    }

    #[test]
    fn states_print_as_json_has_them() {
        use TierState::{Connecting, Paused, Ready, Refused, Unavailable};
        for state in [Connecting, Ready, Unavailable, Paused, Refused] {
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{state}\""));
        }
    }
}
