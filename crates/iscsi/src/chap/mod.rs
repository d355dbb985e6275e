//! CHAP for both roles: who logs in proves that it knows a secret, and may ask the target for the same.
//! [RFC 7143 12.1.3, RFC 1994]
//!
//! [`Verifier`] is the target's side of an exchange, [`Prover`] the initiator's. Challenges are arguments, one for
//! each login. What CHAP gives is no more than this: nobody who lacks the secret gets in, and a recorded exchange
//! is of no use later. What goes over the wire stays readable, and a short secret can be guessed from a recording.
//!
//! **Reflection.** An attacker without the secret could have the other side compute the answer. So a challenge that
//! comes back is refused, in the same exchange here and in any other by the owner ([`Verifier::asked`]), and a mutual
//! secret that equals the initiator's is never used.

mod algorithm;
mod binary;
mod error;
mod keys;
mod prover;
mod secret;
#[cfg(test)]
mod tests;
mod verifier;

pub use algorithm::Algorithm;
pub use error::ChapError;
pub use prover::Prover;
pub use secret::{Challenge, Credentials, Secret};
pub use verifier::{Demand, Step, Verifier};

/// Pairs to send.
pub type Pairs = Vec<(&'static str, String)>;

/// Names of the keys.
pub mod name {
    /// Algorithms: a list from the initiator, one from the target.
    pub const ALGORITHM: &str = "CHAP_A";
    /// Identifier of a challenge.
    pub const IDENTIFIER: &str = "CHAP_I";
    /// Challenge.
    pub const CHALLENGE: &str = "CHAP_C";
    /// Name of who answers a challenge.
    pub const NAME: &str = "CHAP_N";
    /// The answer.
    pub const RESPONSE: &str = "CHAP_R";
}

/// Longest challenge, bytes. [RFC 7143 12.1.3]
pub const CHALLENGE_MAX: usize = 1024;
/// Longest name, bytes. [RFC 7143 12.1.3]
pub const NAME_MAX: usize = 255;
