//! The target's side of an exchange.

use subtle::ConstantTimeEq as _;

use super::binary::encode;
use super::keys::{Keys, ask};
use super::{Algorithm, Challenge, ChapError, Credentials, Pairs, name};

/// What an initiator has to prove, and what the target can prove in turn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Demand {
    /// What the initiator must know.
    pub initiator: Credentials,
    /// What the target proves, if the initiator asks for it.
    pub target: Option<Credentials>,
    /// What the initiator is asked.
    pub challenge: Challenge,
}

/// What comes next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nothing was said: the initiator goes on when it wants to.
    Wait,
    /// Say this.
    Say(Pairs),
    /// A proof is there: [`Verifier::verify`] looks at it.
    Verify,
}

/// Asks an initiator who it is.
#[derive(Clone, Debug)]
pub struct Verifier {
    demand: Demand,
    keys: Keys,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Algorithm,
    Proof(Algorithm),
    Offered(Algorithm, Proof),
    Over { proven: bool },
}

/// What the initiator said.
#[derive(Clone, Debug)]
struct Proof {
    name: String,
    response: Vec<u8>,
    /// What it wants the target to answer.
    challenge: Option<Challenge>,
}

impl Verifier {
    /// An exchange that begins.
    #[must_use]
    pub fn new(demand: Demand) -> Self {
        Self { demand, keys: Keys::default(), state: State::Algorithm }
    }

    /// Takes a pair of the message that is being read.
    ///
    /// # Errors
    /// A key is there twice, or there is no such key.
    pub fn receive(&mut self, key: &str, value: &str) -> Result<(), ChapError> {
        self.keys.take(key, value)
    }

    /// The message is over.
    ///
    /// # Errors
    /// [`ChapError`]: what was said is malformed, comes at the wrong time, or cannot be accepted.
    pub fn step(&mut self) -> Result<Step, ChapError> {
        let mut keys = std::mem::take(&mut self.keys);
        if keys.is_empty() {
            return Ok(Step::Wait);
        }
        match &self.state {
            State::Algorithm => {
                let offer = keys.algorithm.take();
                keys.finish()?;
                let algorithm = Algorithm::choose(&offer.unwrap_or_default())?;
                self.state = State::Proof(algorithm);
                let mut pairs = vec![(name::ALGORITHM, algorithm.0.to_string())];
                pairs.extend(ask(&self.demand.challenge));
                Ok(Step::Say(pairs))
            }
            State::Proof(algorithm) => {
                let algorithm = *algorithm;
                let (name, response) = keys.proof()?;
                let challenge = keys.challenge()?;
                keys.finish()?;
                self.state = State::Offered(algorithm, Proof { name, response, challenge });
                Ok(Step::Verify)
            }
            State::Offered(..) | State::Over { .. } => keys.finish().map(|()| Step::Wait),
        }
    }

    /// The challenge that came with the proof: one that this target gave out in another login must be refused.
    #[must_use]
    pub fn asked(&self) -> Option<&Challenge> {
        match &self.state {
            State::Offered(_, proof) => proof.challenge.as_ref(),
            State::Algorithm | State::Proof(_) | State::Over { .. } => None,
        }
    }

    /// Looks at the proof, once; what to say where it is right. A wrong name takes as long as a wrong answer.
    ///
    /// # Errors
    /// [`ChapError`]: the proof is wrong, or the initiator wants one in turn that it cannot have.
    pub fn verify(&mut self) -> Result<Pairs, ChapError> {
        let State::Offered(algorithm, proof) = std::mem::replace(&mut self.state, State::Over { proven: false }) else {
            return Err(ChapError::Proof);
        };
        let Demand { initiator, target, challenge } = &self.demand;
        let expected = algorithm.response(&initiator.secret, challenge).ok_or(ChapError::NoAlgorithm)?;
        let right = expected.ct_eq(&proof.response) & initiator.user.as_bytes().ct_eq(proof.name.as_bytes());
        if !bool::from(right) {
            return Err(ChapError::Proof);
        }
        let mut pairs = Vec::new();
        if let Some(asked) = &proof.challenge {
            let target = target.as_ref().ok_or(ChapError::NotMutual)?;
            if asked.bytes == challenge.bytes {
                return Err(ChapError::Reflected);
            }
            if target.secret == initiator.secret {
                return Err(ChapError::SameSecret);
            }
            let response = algorithm.response(&target.secret, asked).ok_or(ChapError::NoAlgorithm)?;
            pairs.extend([(name::NAME, target.user.clone()), (name::RESPONSE, encode(&response))]);
        }
        self.state = State::Over { proven: true };
        Ok(pairs)
    }

    /// Whether the initiator has proven who it is.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        matches!(self.state, State::Over { proven: true })
    }
}
