//! All that makes a library what it is, save its cartridges and its secrets: what is carried to another machine.

use serde::{Deserialize, Serialize};

/// A library without its cartridges.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LibraryState {
    /// Name of the gateway.
    pub gateway: String,
    /// Identity of the library, from which serial numbers come: a UUID.
    pub library: String,
    /// Number of the last change of the library.
    pub change: u64,
    /// What is where, as `docs/format/library-state-v1.md` has it, in hexadecimal digits.
    pub image: String,
    /// By what the gateway knows its tiers again.
    pub claims: Vec<TierClaim>,
    /// The configuration that is in effect.
    pub configuration: Configuration,
}

/// By what a gateway knows a tier again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TierClaim {
    /// The tier.
    pub tier: String,
    /// The claim, in hexadecimal digits.
    pub claim: String,
}

/// A configuration, without what a secret is.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Configuration {
    /// The file, without comments and without `gateway.state_dir`.
    pub text: String,
    /// The files with secrets that it names.
    pub secret_files: Vec<String>,
    /// The keys that wrap those of cartridges.
    pub wrapping_keys: Vec<WrappingKeyId>,
    /// Values that were left out, since they hold a secret.
    pub left_out: Vec<String>,
}

/// Which key wraps those of the cartridges in a tier.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WrappingKeyId {
    /// The tier.
    pub tier: String,
    /// The file with the key.
    pub file: String,
    /// The key, as `capstan key list` names it.
    pub id: String,
}

/// Bytes as hexadecimal digits.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that hexadecimal digits are; `None` if they are none.
#[must_use]
pub fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let value = |digit: &u8| char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(value(high)? << 4 | value(low)?),
        _ => None,
    };
    digits.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_bytes() {
        assert_eq!(to_hex(&[0, 0x7f, 0xff]), "007fff");
        assert_eq!(from_hex("007FfF"), Some(vec![0, 0x7f, 0xff]));
        assert_eq!((from_hex("0"), from_hex("0g"), from_hex("")), (None, None, Some(Vec::new())));
    }
}
