//! The algorithms.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use sha3::Sha3_256;

use super::{Challenge, ChapError, Secret, name};
use crate::code::codes;
use crate::text::{list, number};

codes! {
    /// Algorithm of a response. [IANA PPP authentication algorithms, RFC 7143 12.1.3]
    Algorithm {
        /// MD5, which every implementation has.
        MD5 = 5,
        /// SHA-1.
        SHA1 = 6,
        /// SHA-256.
        SHA256 = 7,
        /// SHA3-256.
        SHA3_256 = 8,
    }
}

impl Algorithm {
    /// All of them, the strongest first.
    pub const PREFERRED: [Self; 4] = [Self::SHA256, Self::SHA3_256, Self::SHA1, Self::MD5];

    /// The value with which an initiator offers all.
    #[must_use]
    pub fn offer() -> String {
        Self::PREFERRED.map(|algorithm| algorithm.0.to_string()).join(",")
    }

    /// The strongest of an offer. What is unknown in it is passed over.
    pub(super) fn choose(offer: &str) -> Result<Self, ChapError> {
        if offer.is_empty() {
            return Err(ChapError::Malformed(name::ALGORITHM));
        }
        let offered: Vec<_> = list(offer).filter_map(number).collect();
        let strongest = Self::PREFERRED.into_iter().find(|algorithm| offered.contains(&u32::from(algorithm.0)));
        strongest.ok_or(ChapError::NoAlgorithm)
    }

    /// The one that a target chose.
    pub(super) fn chosen(value: &str) -> Result<Self, ChapError> {
        let code = number(value).ok_or(ChapError::NoAlgorithm)?;
        let chosen = Self::PREFERRED.into_iter().find(|algorithm| u32::from(algorithm.0) == code);
        chosen.ok_or(ChapError::NoAlgorithm)
    }

    /// The answer to a challenge: the hash of identifier, secret and challenge. `None` for an unknown algorithm.
    /// [RFC 1994 4.1]
    #[must_use]
    pub fn response(self, secret: &Secret, challenge: &Challenge) -> Option<Vec<u8>> {
        match self {
            Self::MD5 => Some(hash::<Md5>(secret, challenge)),
            Self::SHA1 => Some(hash::<Sha1>(secret, challenge)),
            Self::SHA256 => Some(hash::<Sha256>(secret, challenge)),
            Self::SHA3_256 => Some(hash::<Sha3_256>(secret, challenge)),
            _ => None,
        }
    }
}

fn hash<D: Digest>(secret: &Secret, challenge: &Challenge) -> Vec<u8> {
    let hash = D::new().chain_update([challenge.identifier]).chain_update(secret.bytes());
    hash.chain_update(&challenge.bytes).finalize().to_vec()
}
