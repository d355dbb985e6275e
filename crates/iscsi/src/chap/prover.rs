//! The initiator's side of an exchange.

use subtle::ConstantTimeEq as _;

use super::binary::encode;
use super::keys::{Keys, ask};
use super::{Algorithm, Challenge, ChapError, Credentials, Pairs, name};

/// Proves who an initiator is, and has the target prove the same where that is wanted.
#[derive(Clone, Debug)]
pub struct Prover {
    own: Credentials,
    /// What the target must know, and what it is asked.
    mutual: Option<(Credentials, Challenge)>,
    keys: Keys,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Offered,
    Asked(Algorithm),
    Over,
}

impl Prover {
    /// An exchange that begins: what to say first is [`Self::offer`].
    ///
    /// # Errors
    /// Both directions have the same secret.
    pub fn new(own: Credentials, mutual: Option<(Credentials, Challenge)>) -> Result<Self, ChapError> {
        if mutual.as_ref().is_some_and(|(target, _)| target.secret == own.secret) {
            return Err(ChapError::SameSecret);
        }
        Ok(Self { own, mutual, keys: Keys::default(), state: State::Offered })
    }

    /// The algorithms to choose from.
    #[must_use]
    pub fn offer(&self) -> (&'static str, String) {
        (name::ALGORITHM, Algorithm::offer())
    }

    /// Takes a pair of the message that is being read.
    ///
    /// # Errors
    /// A key is there twice, or there is no such key.
    pub fn receive(&mut self, key: &str, value: &str) -> Result<(), ChapError> {
        self.keys.take(key, value)
    }

    /// The message is over; what to say next.
    ///
    /// # Errors
    /// [`ChapError`]: what the target said is malformed, comes at the wrong time, or is no proof.
    pub fn step(&mut self) -> Result<Pairs, ChapError> {
        let mut keys = std::mem::take(&mut self.keys);
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        match self.state {
            State::Offered => {
                let value = keys.algorithm.take().ok_or(ChapError::Missing(name::ALGORITHM))?;
                let algorithm = Algorithm::chosen(&value)?;
                let challenge = keys.challenge()?.ok_or(ChapError::Missing(name::CHALLENGE))?;
                keys.finish()?;
                self.answer(algorithm, &challenge)
            }
            State::Asked(algorithm) => {
                let (name, response) = keys.proof()?;
                keys.finish()?;
                self.state = State::Over;
                let Some((target, challenge)) = &self.mutual else { return Err(ChapError::Unexpected(name::RESPONSE)) };
                let expected = algorithm.response(&target.secret, challenge).ok_or(ChapError::NoAlgorithm)?;
                let right = expected.ct_eq(&response) & target.user.as_bytes().ct_eq(name.as_bytes());
                if !bool::from(right) {
                    return Err(ChapError::Proof);
                }
                self.mutual = None;
                Ok(Vec::new())
            }
            State::Over => keys.finish().map(|()| Vec::new()),
        }
    }

    fn answer(&mut self, algorithm: Algorithm, challenge: &Challenge) -> Result<Pairs, ChapError> {
        let response = algorithm.response(&self.own.secret, challenge).ok_or(ChapError::NoAlgorithm)?;
        let mut pairs = vec![(name::NAME, self.own.user.clone()), (name::RESPONSE, encode(&response))];
        if let Some((_, own)) = &self.mutual {
            if own.bytes == challenge.bytes {
                return Err(ChapError::Reflected);
            }
            pairs.extend(ask(own));
        }
        self.state = State::Asked(algorithm);
        Ok(pairs)
    }

    /// Whether all that this side can prove was said, so that it may go on to the next stage.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.state != State::Offered
    }

    /// Whether the target still has to prove who it is.
    #[must_use]
    pub fn is_owed(&self) -> bool {
        self.mutual.is_some()
    }
}
