//! How an exchange fails.

use crate::login::LoginStatus;

/// Why an exchange ends without proof.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ChapError {
    /// A value that cannot be read, is empty, or is too long.
    #[error("the value of {0} is malformed")]
    Malformed(&'static str),
    /// A key for the second time, at the wrong time, or that CHAP does not have.
    #[error("{0} is not expected now")]
    Unexpected(&'static str),
    /// A key that goes with another is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// No algorithm that both sides have.
    #[error("no CHAP algorithm in common")]
    NoAlgorithm,
    /// The name, or the answer to the challenge, is wrong.
    #[error("the other side did not prove who it is: its CHAP name or secret is wrong")]
    Proof,
    /// The login went on, and no answer to the challenge came.
    #[error("the other side was asked who it is and did not prove it")]
    Unproven,
    /// The initiator wants a proof that the target has no secret for.
    #[error("no secret to prove with who the target is")]
    NotMutual,
    /// The other side's challenge is this side's own.
    #[error("a challenge came back: the other side does not know the secret but tries to learn the answer")]
    Reflected,
    /// Both directions have the same secret, so either side could have the other compute its answer.
    #[error("the mutual secret is the initiator's secret; give each direction its own")]
    SameSecret,
}

impl ChapError {
    /// What a target answers. [RFC 7143 11.13.5]
    #[must_use]
    pub fn status(self) -> LoginStatus {
        match self {
            Self::Malformed(_) | Self::Unexpected(_) | Self::Missing(_) => LoginStatus::INITIATOR_ERROR,
            Self::NoAlgorithm | Self::Proof | Self::Unproven | Self::NotMutual | Self::Reflected | Self::SameSecret => {
                LoginStatus::AUTHENTICATION_FAILURE
            }
        }
    }
}
