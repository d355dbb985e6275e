//! The login of a connection: who it is, how that is proven, and the session it leads to.

use std::sync::Arc;
use std::time::Instant;

use capstan_iscsi::chap::{Challenge, Credentials, Demand};
use capstan_iscsi::login::LoginStatus;
use capstan_iscsi::target::{Authentication, Identity, ProtocolError, SessionKind};
use capstan_scsi::sam::InitiatorPort;

use crate::connection::{ConnectionTask, End};
use crate::host::Host;
use crate::initiators::Initiator;
use crate::registry::Claim;

/// Bytes of a challenge.
const CHALLENGE: usize = 32;

impl ConnectionTask {
    /// Decides whether the login may go on, and what it has to prove. Who has to prove something learns only after it
    /// whether the target exists and may be used.
    pub(crate) fn identify(&mut self, identity: &Identity, now: Instant) -> Result<Authentication, LoginStatus> {
        let shared = Arc::clone(&self.member.shared);
        // Names do not differ by case, and a session, a reservation and a log know one spelling. [RFC 3722]
        let name = identity.initiator_name.to_ascii_lowercase();
        let listed = shared.config.initiators.find(&name)?;
        let initiator = InitiatorPort { name, port: identity.isid.0 };
        let verdict = shared.registry.admit(identity, &initiator).and_then(|()| self.choose(identity, &initiator));
        self.member.initiator = Some(initiator);
        let Some(Initiator { chap: Some(credentials), mutual, .. }) = listed else {
            return verdict.map(|()| Authentication::None);
        };
        self.member.verdict = verdict;
        self.may_guess(now)?;
        self.demand(credentials.clone(), mutual.clone()).map(Authentication::Chap)
    }

    /// Finds the target that the login names.
    fn choose(&mut self, identity: &Identity, initiator: &InitiatorPort) -> Result<(), LoginStatus> {
        if let SessionKind::Normal(name) = &identity.kind {
            let found = self.member.find(name).ok_or(LoginStatus::NOT_FOUND)?;
            let allowed = self.member.shared.targets.get(found).is_some_and(|target| target.allows(initiator));
            if !allowed {
                return Err(LoginStatus::AUTHORIZATION_FAILURE);
            }
            self.member.target = Some(found);
        }
        Ok(())
    }

    /// What is to be proven, with a challenge of its own.
    fn demand(&self, initiator: Credentials, target: Option<Credentials>) -> Result<Demand, LoginStatus> {
        let mut random = [0; CHALLENGE + 1];
        if let Err(error) = getrandom::fill(&mut random) {
            tracing::error!(%error, "no random numbers for a challenge: a login that needs one is refused");
            return Err(LoginStatus::TARGET_ERROR);
        }
        let [identifier, bytes @ ..] = random;
        if !self.member.shared.registry.challenge(self.member.ends.id, bytes.to_vec()) {
            return Err(LoginStatus::SERVICE_UNAVAILABLE);
        }
        Ok(Demand { initiator, target, challenge: Challenge { identifier, bytes: bytes.to_vec() } })
    }

    /// Has a proof looked at, and counts it if it is wrong.
    pub(crate) fn prove(&mut self, challenge: Option<&[u8]>, now: Instant) -> Result<(), ProtocolError> {
        let registry = &self.member.shared.registry;
        let reflected = challenge.is_some_and(|challenge| registry.gave_out(challenge));
        if reflected {
            tracing::warn!(peer = %self.member.ends.peer, "a challenge of this portal came back: refused");
        }
        let verdict = if reflected { Err(LoginStatus::AUTHENTICATION_FAILURE) } else { self.may_guess(now) };
        let result = self.connection.examine(verdict);
        if result == Err(ProtocolError::LoginRefused(LoginStatus::AUTHENTICATION_FAILURE)) {
            self.member.shared.guesses.wrong(Host::of(self.member.ends.peer), now);
        }
        result
    }

    /// Refuses hosts that gave too many wrong proofs.
    fn may_guess(&self, now: Instant) -> Result<(), LoginStatus> {
        let (peer, guesses) = (self.member.ends.peer, &self.member.shared.guesses);
        let host = Host::of(peer);
        if guesses.admits(host, now) {
            return Ok(());
        }
        if guesses.shall_warn(host, now) {
            tracing::warn!(%peer, "too many logins with a wrong CHAP name or secret: this address has to wait");
        }
        Err(LoginStatus::SERVICE_UNAVAILABLE)
    }

    /// Makes the session, once an older one of the same port is gone.
    pub(crate) fn establish(&mut self, now: Instant) -> Result<(), End> {
        let Some(initiator) = self.member.initiator.clone() else { return Ok(()) };
        if let Err(status) = self.member.verdict {
            return self.connection.establish(now, Err(status)).map_err(End::Protocol);
        }
        let name = self.member.target().map(|target| target.name.clone());
        let verdict = match self.member.shared.registry.claim(self.member.ends, &initiator, name.as_deref()) {
            Claim::Wait => return Ok(()),
            Claim::Refused(status) => Err(status),
            Claim::Granted { tsih, nexus, counters } => {
                self.member.counters = Some(counters);
                self.member.nexus = nexus;
                if let (Some(nexus), Some(target)) = (nexus, self.member.target()) {
                    target.router.nexus_established(nexus, &initiator);
                }
                let target = name.as_deref().unwrap_or("discovery");
                tracing::info!(peer = %self.member.ends.peer, initiator = initiator.name, target, "logged in");
                Ok(tsih)
            }
        };
        self.connection.establish(now, verdict).map_err(End::Protocol)
    }
}
