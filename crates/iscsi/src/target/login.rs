//! The login phase of a target. [RFC 7143 6.3]

use std::time::Instant;

use super::connection::{Connection, Phase, Session};
use super::error::ProtocolError;
use super::event::{Event, Identity, SessionKind};
use super::order::Order;
use super::security::{Authentication, Security, Taken};
use super::text::TEXT_LIMIT;
use super::transmit::Urgent;
use crate::chap::{self, Step};
use crate::login::{Isid, LoginStatus, Stage};
use crate::pdu::{Bhs, LoginRequest, LoginResponse, Opcode, TargetNumbers};
use crate::text::{Joiner, Negotiation, TextBuilder, Wishes, name, pairs};

/// Login Requests that a login may take.
const REQUESTS_MAX: u32 = 64;
/// Longest iSCSI name, bytes. [RFC 7143 4.2.7.1]
const NAME_MAX: usize = 223;
/// The only portal group: all portals of a process serve all its targets.
const PORTAL_GROUP_TAG: &str = "1";

/// A login under way.
#[derive(Debug)]
pub(super) struct Login {
    wishes: Wishes,
    requests: u32,
    /// The request that is being answered.
    request: Option<LoginRequest>,
    stage: Stage,
    joiner: Joiner,
    /// Known after the first request.
    identity: Option<Identity>,
    negotiation: Option<Negotiation>,
    /// Known once the owner knows the initiator.
    security: Option<Security>,
    /// Pairs of the first request, until the owner knows the initiator.
    held: Vec<(String, String)>,
    /// The owner has a question to answer first.
    awaits_owner: bool,
    text: TextBuilder,
}

impl Login {
    pub(super) fn new(wishes: Wishes) -> Self {
        Self {
            wishes,
            requests: 0,
            request: None,
            stage: Stage::SECURITY,
            joiner: Joiner::new(TEXT_LIMIT),
            identity: None,
            negotiation: None,
            security: None,
            held: Vec::new(),
            awaits_owner: false,
            text: TextBuilder::new(),
        }
    }

    /// Checks a request against what came before. [RFC 7143 11.12]
    fn check(&mut self, pdu: &LoginRequest) -> Result<(), LoginStatus> {
        self.requests += 1;
        if self.requests > REQUESTS_MAX {
            return Err(LoginStatus::INITIATOR_ERROR);
        }
        if self.awaits_owner {
            return Err(LoginStatus::INVALID_DURING_LOGIN);
        }
        if pdu.version_min > 0 {
            return Err(LoginStatus::UNSUPPORTED_VERSION);
        }
        match self.request {
            None if pdu.current_stage == Stage::SECURITY || pdu.current_stage == Stage::OPERATIONAL => {
                self.stage = pdu.current_stage;
            }
            Some(before)
                if (before.isid, before.tsih, before.cid, before.initiator_task_tag)
                    != (pdu.isid, pdu.tsih, pdu.cid, pdu.initiator_task_tag) =>
            {
                return Err(LoginStatus::INVALID_DURING_LOGIN);
            }
            Some(_) if pdu.current_stage == self.stage => {}
            _ => return Err(LoginStatus::INVALID_DURING_LOGIN),
        }
        let next_is_valid = match pdu.next_stage {
            Stage::OPERATIONAL => self.stage == Stage::SECURITY,
            Stage::FULL_FEATURE => true,
            _ => false,
        };
        if pdu.transit && (pdu.continues || !next_is_valid) {
            return Err(LoginStatus::INITIATOR_ERROR);
        }
        Ok(())
    }

    /// Takes the pairs of one negotiation step. In the first request the identifying ones make the identity.
    fn take_pairs(&mut self, pdu: &LoginRequest, text: &[u8]) -> Result<Option<Identity>, LoginStatus> {
        let mut identifying = Identifying::default();
        for pair in pairs(text) {
            let pair = pair.map_err(|_| LoginStatus::INITIATOR_ERROR)?;
            if !identifying.take(pair.key, pair.value)? {
                self.held.push((pair.key.to_owned(), pair.value.to_owned()));
            }
        }
        if self.identity.is_some() {
            // Who it is was said in the first request. [RFC 7143 6.3]
            return if identifying.is_empty() { Ok(None) } else { Err(LoginStatus::INITIATOR_ERROR) };
        }
        let identity = identifying.identity(pdu.isid, pdu.tsih, pdu.cid)?;
        let discovery = identity.kind == SessionKind::Discovery;
        self.negotiation = Some(Negotiation::new(self.wishes.clone(), discovery));
        self.identity = Some(identity.clone());
        Ok(Some(identity))
    }

    /// Answers the held pairs; what the security stage wants next.
    fn negotiate(&mut self, transit: bool) -> Result<Step, LoginStatus> {
        let security = self.security.as_mut().ok_or(LoginStatus::TARGET_ERROR)?;
        let negotiation = self.negotiation.as_mut().ok_or(LoginStatus::TARGET_ERROR)?;
        for (key, value) in std::mem::take(&mut self.held) {
            match security.take(self.stage, &key, &value)? {
                Taken::Answer(answer) => self.text.push(&key, answer),
                Taken::Silently => {}
                Taken::Not => {
                    let answer = negotiation.receive(&key, &value).map_err(|_| LoginStatus::INITIATOR_ERROR)?;
                    if let Some(answer) = answer {
                        self.text.push(&key, &answer);
                    }
                }
            }
        }
        let step = security.step(self.stage, transit)?;
        if self.stage == Stage::OPERATIONAL
            && let Some((key, value)) = negotiation.declare()
        {
            self.text.push(key, &value);
        }
        Ok(step)
    }

    /// Says what belongs to the exchange of proofs.
    fn say(&mut self, pairs: chap::Pairs) {
        for (key, value) in pairs {
            self.text.push(key, &value);
        }
    }
}

/// Keys that say who logs in to what; each at most once.
#[derive(Default)]
struct Identifying {
    initiator_name: Option<String>,
    target_name: Option<String>,
    session_type: Option<String>,
    initiator_alias: Option<String>,
}

impl Identifying {
    /// Takes a pair; false if it is another key.
    fn take(&mut self, key: &str, value: &str) -> Result<bool, LoginStatus> {
        let place = match key {
            name::INITIATOR_NAME => &mut self.initiator_name,
            name::TARGET_NAME => &mut self.target_name,
            name::SESSION_TYPE => &mut self.session_type,
            name::INITIATOR_ALIAS => &mut self.initiator_alias,
            _ => return Ok(false),
        };
        let is_name = key == name::INITIATOR_NAME || key == name::TARGET_NAME;
        let is_valid = value.len() <= 255 && (!is_name || (1..=NAME_MAX).contains(&value.len()));
        if !is_valid || place.replace(value.to_owned()).is_some() {
            return Err(LoginStatus::INITIATOR_ERROR);
        }
        Ok(true)
    }

    /// Nothing but an alias, which may change at any time.
    fn is_empty(&self) -> bool {
        self.initiator_name.is_none() && self.target_name.is_none() && self.session_type.is_none()
    }

    fn identity(self, isid: Isid, tsih: u16, cid: u16) -> Result<Identity, LoginStatus> {
        let initiator_name = self.initiator_name.ok_or(LoginStatus::MISSING_PARAMETER)?;
        let kind = match self.session_type.as_deref() {
            Some("Discovery") => SessionKind::Discovery,
            Some("Normal") | None => SessionKind::Normal(self.target_name.ok_or(LoginStatus::MISSING_PARAMETER)?),
            Some(_) => return Err(LoginStatus::SESSION_TYPE_NOT_SUPPORTED),
        };
        Ok(Identity { initiator_name, isid, tsih, cid, kind })
    }
}

impl Connection {
    /// A Login Request with its text is there.
    pub(super) fn login_received(&mut self, bhs: Bhs, text: &[u8]) -> Result<(), ProtocolError> {
        let pdu = LoginRequest::decode(&bhs);
        let Phase::Login(login) = &mut self.phase else { return Err(ProtocolError::Unexpected(bhs.opcode())) };
        let first = login.request.is_none();
        if first {
            // The login does not take its CmdSN; the first command has the same. [RFC 7143 11.12.8]
            self.order = Order::new(pdu.cmd_sn, self.config.command_window);
            self.stat_sn = pdu.exp_stat_sn;
        }
        let step = login.check(&pdu).and_then(|()| {
            login.request = Some(pdu);
            login.joiner.add(text).map_err(|_| LoginStatus::INITIATOR_ERROR)?;
            if pdu.continues {
                return Ok(None);
            }
            let text = login.joiner.take();
            login.take_pairs(&pdu, &text)
        });
        match step {
            Err(status) => Err(self.refuse(&pdu, status)),
            Ok(_) if pdu.continues => {
                self.respond_login(&pdu, false, 0);
                Ok(())
            }
            Ok(Some(identity)) => {
                login.awaits_owner = true;
                self.events.push_back(Event::Identify(identity));
                Ok(())
            }
            Ok(None) => self.proceed(&pdu),
        }
    }

    /// The owner knows, or does not know, the initiator of [`Event::Identify`].
    ///
    /// # Errors
    /// The login ends here: send what [`Self::poll_transmit`] has, then close.
    pub fn identified(&mut self, verdict: Result<Authentication, LoginStatus>) -> Result<(), ProtocolError> {
        let Phase::Login(login) = &mut self.phase else { return Ok(()) };
        let (Some(pdu), true) = (login.request, login.awaits_owner) else { return Ok(()) };
        login.awaits_owner = false;
        match verdict {
            Err(status) => Err(self.refuse(&pdu, status)),
            Ok(authentication) => {
                login.security = Some(Security::new(authentication));
                if matches!(login.identity, Some(Identity { kind: SessionKind::Normal(_), .. })) {
                    login.text.push(name::TARGET_PORTAL_GROUP_TAG, PORTAL_GROUP_TAG);
                }
                self.proceed(&pdu)
            }
        }
    }

    /// The owner lets the proof of [`Event::Proof`] be looked at, or does not. A proof that is wrong ends the login
    /// with [`LoginStatus::AUTHENTICATION_FAILURE`] in this call, so that the owner can count them.
    ///
    /// # Errors
    /// The login ends here: send what [`Self::poll_transmit`] has, then close.
    pub fn examine(&mut self, verdict: Result<(), LoginStatus>) -> Result<(), ProtocolError> {
        let Phase::Login(login) = &mut self.phase else { return Ok(()) };
        let (Some(pdu), true) = (login.request, login.awaits_owner) else { return Ok(()) };
        login.awaits_owner = false;
        let Some(security) = &mut login.security else { return Ok(()) };
        match verdict.and_then(|()| security.verify()) {
            Err(status) => Err(self.refuse(&pdu, status)),
            Ok(pairs) => {
                login.say(pairs);
                self.go_to_next_stage(&pdu)
            }
        }
    }

    /// The owner has made a session for [`Event::Establish`], with this handle (not 0), or has no room for it.
    ///
    /// # Errors
    /// The login ends here: send what [`Self::poll_transmit`] has, then close.
    pub fn establish(&mut self, now: Instant, verdict: Result<u16, LoginStatus>) -> Result<(), ProtocolError> {
        let Phase::Login(login) = &mut self.phase else { return Ok(()) };
        let (Some(pdu), true) = (login.request, login.awaits_owner) else { return Ok(()) };
        login.awaits_owner = false;
        let tsih = match verdict {
            Ok(tsih) => tsih,
            Err(status) => return Err(self.refuse(&pdu, status)),
        };
        let (Some(negotiation), Some(identity)) = (&login.negotiation, &login.identity) else { return Ok(()) };
        let session = Session::agreed(negotiation, pdu.cid, &identity.kind, true);
        self.respond_login(&pdu, true, tsih);
        self.session = session;
        self.phase = Phase::FullFeature;
        self.keepalive.begin(now);
        Ok(())
    }

    /// Answers what was offered, and goes on to the next stage if the initiator wants to.
    fn proceed(&mut self, pdu: &LoginRequest) -> Result<(), ProtocolError> {
        let Phase::Login(login) = &mut self.phase else { return Ok(()) };
        match login.negotiate(pdu.transit) {
            Err(status) => return Err(self.refuse(pdu, status)),
            Ok(Step::Verify) => {
                let asked = login.security.as_ref().and_then(Security::asked).map(|asked| asked.bytes.clone());
                login.awaits_owner = true;
                self.events.push_back(Event::Proof { challenge: asked });
                return Ok(());
            }
            Ok(Step::Say(pairs)) => login.say(pairs),
            Ok(Step::Wait) => {}
        }
        self.go_to_next_stage(pdu)
    }

    /// Goes on to the next stage if the initiator wants to and has proven what it must.
    fn go_to_next_stage(&mut self, pdu: &LoginRequest) -> Result<(), ProtocolError> {
        let Phase::Login(login) = &mut self.phase else { return Ok(()) };
        let is_open = login.security.as_ref().is_some_and(Security::is_over);
        if !(pdu.transit && is_open) {
            self.respond_login(pdu, false, pdu.tsih);
            return Ok(());
        }
        if pdu.next_stage == Stage::FULL_FEATURE {
            if login.negotiation.as_ref().is_some_and(|negotiation| negotiation.unmet().is_some()) {
                return Err(self.refuse(pdu, LoginStatus::INITIATOR_ERROR));
            }
            login.awaits_owner = true;
            self.events.push_back(Event::Establish);
            return Ok(());
        }
        login.stage = pdu.next_stage;
        self.respond_login(pdu, true, pdu.tsih);
        Ok(())
    }

    fn respond_login(&mut self, pdu: &LoginRequest, transit: bool, tsih: u16) {
        let Phase::Login(login) = &mut self.phase else { return };
        let text = std::mem::take(&mut login.text).finish();
        // Reserved where there is no transit. [RFC 7143 11.13.3]
        let next_stage = if transit { pdu.next_stage } else { Stage::SECURITY };
        let response = LoginResponse { transit, next_stage, tsih, ..answer_to(pdu, LoginStatus::SUCCESS) };
        self.queue(Urgent::Login { response, text });
    }

    fn refuse(&mut self, pdu: &LoginRequest, status: LoginStatus) -> ProtocolError {
        self.queue(Urgent::Login { response: answer_to(pdu, status), text: bytes::Bytes::new() });
        ProtocolError::LoginRefused(status)
    }

    /// A PDU that has no place in a login. [RFC 7143 6.3.1]
    pub(super) fn refuse_in_login(&mut self, bhs: Bhs) -> ProtocolError {
        if bhs.opcode() == Opcode::LOGIN_REQUEST {
            return self.refuse(&LoginRequest::decode(&bhs), LoginStatus::INITIATOR_ERROR);
        }
        let pdu =
            LoginRequest { isid: Isid([0; 6]), tsih: 0, current_stage: Stage::SECURITY, ..LoginRequest::decode(&bhs) };
        self.refuse(&pdu, LoginStatus::INVALID_DURING_LOGIN)
    }
}

/// A response that stays in its stage.
fn answer_to(pdu: &LoginRequest, status: LoginStatus) -> LoginResponse {
    LoginResponse {
        transit: false,
        continues: false,
        current_stage: pdu.current_stage,
        next_stage: Stage::SECURITY,
        version_max: 0,
        version_active: 0,
        isid: pdu.isid,
        tsih: pdu.tsih,
        initiator_task_tag: pdu.initiator_task_tag,
        numbers: TargetNumbers::default(),
        status,
    }
}
