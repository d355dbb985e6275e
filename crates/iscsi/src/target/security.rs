//! The security stage of a login: whether, and how, the initiator proves who it is. [RFC 7143 12]

use crate::chap::{self, ChapError, Pairs, Step, Verifier};
use crate::login::{LoginStatus, Stage};
use crate::text::{list, name};

/// How an initiator has to prove who it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Authentication {
    /// Not at all.
    None,
    /// With CHAP.
    Chap(chap::Demand),
}

/// What the security stage has come to.
#[derive(Debug)]
pub(super) struct Security {
    /// What has to be proven before anything else is.
    verifier: Option<Verifier>,
    /// The method that the initiator offered and the target took.
    method: Option<&'static str>,
}

const NONE: &str = "None";
const CHAP: &str = "CHAP";

impl Security {
    pub(super) fn new(authentication: Authentication) -> Self {
        let verifier = match authentication {
            Authentication::None => None,
            Authentication::Chap(demand) => Some(Verifier::new(demand)),
        };
        Self { verifier, method: None }
    }

    /// Takes a pair; what to answer at once. `None` inside where it is another's.
    pub(super) fn take(&mut self, stage: Stage, key: &str, value: &str) -> Result<Taken, LoginStatus> {
        if key == name::AUTH_METHOD {
            return self.choose(stage, value).map(Taken::Answer);
        }
        if !key.starts_with(name::CHAP_PREFIX) {
            return Ok(Taken::Not);
        }
        let Some(verifier) = &mut self.verifier else { return Err(LoginStatus::AUTHENTICATION_FAILURE) };
        if self.method.is_none() || stage != Stage::SECURITY {
            return Err(LoginStatus::INITIATOR_ERROR);
        }
        verifier.receive(key, value).map_err(ChapError::status)?;
        Ok(Taken::Silently)
    }

    /// Answers a list of methods, once. What is required is taken, and nothing else is required than was asked for.
    fn choose(&mut self, stage: Stage, offered: &str) -> Result<&'static str, LoginStatus> {
        if stage != Stage::SECURITY || self.method.is_some() {
            return Err(LoginStatus::INITIATOR_ERROR);
        }
        let method = if self.verifier.is_some() { CHAP } else { NONE };
        if !list(offered).any(|each| each == method) {
            return Err(LoginStatus::AUTHENTICATION_FAILURE);
        }
        self.method = Some(method);
        Ok(method)
    }

    /// All pairs of a request were taken; what it comes to. `transit`: the initiator wants to leave the stage.
    pub(super) fn step(&mut self, stage: Stage, transit: bool) -> Result<Step, LoginStatus> {
        let Some(verifier) = &mut self.verifier else { return Ok(Step::Wait) };
        let is_proven = verifier.is_proven();
        // Who begins in another stage says that it will not authenticate. [RFC 7143 6.3]
        if stage != Stage::SECURITY && !is_proven {
            return Err(LoginStatus::AUTHENTICATION_FAILURE);
        }
        let has_chosen = self.method.is_some();
        let step = verifier.step().map_err(ChapError::status)?;
        if transit && step == Step::Wait && !is_proven && !has_chosen {
            return Err(LoginStatus::AUTHENTICATION_FAILURE);
        }
        Ok(step)
    }

    /// What the initiator wants the target to answer.
    pub(super) fn asked(&self) -> Option<&chap::Challenge> {
        self.verifier.as_ref()?.asked()
    }

    /// Looks at the initiator's proof.
    pub(super) fn verify(&mut self) -> Result<Pairs, LoginStatus> {
        let verifier = self.verifier.as_mut().ok_or(LoginStatus::TARGET_ERROR)?;
        verifier.verify().map_err(ChapError::status)
    }

    /// Nothing is left to be proven.
    pub(super) fn is_over(&self) -> bool {
        self.verifier.as_ref().is_none_or(Verifier::is_proven)
    }
}

/// What became of a pair.
pub(super) enum Taken {
    /// It is not about security.
    Not,
    /// It is answered with the whole message, or not at all.
    Silently,
    /// This is the answer.
    Answer(&'static str),
}
