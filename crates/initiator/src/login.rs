//! Logging in: from a connection to a session.

use std::sync::Arc;

use capstan_iscsi::chap::{Challenge, ChapError, Credentials, Prover};
use capstan_iscsi::login::{Isid, LoginStatus, Stage};
use capstan_iscsi::pdu::{LoginRequest, LoginResponse, Pdu};
use capstan_iscsi::text::{Joiner, Negotiation, Parameters, TextBuilder, Wishes, name, pairs};

use crate::InitiatorError;
use crate::connection::Connection;

/// As whom to log in, where, and what to ask for.
#[derive(Clone, Debug)]
pub struct Login {
    /// The initiator's iSCSI name.
    pub initiator_name: String,
    /// Tells sessions of one initiator with one target apart: a second login with the same takes the first one over.
    pub isid: Isid,
    /// The target's iSCSI name; `None` for a discovery session.
    pub target_name: Option<String>,
    /// What to negotiate for.
    pub wishes: Wishes,
    /// What this initiator proves with CHAP, if the target asks for it.
    pub chap: Option<Credentials>,
    /// What the target must prove in turn; only together with `chap`.
    pub mutual: Option<Credentials>,
}

impl Login {
    /// A normal session with what this initiator prefers.
    #[must_use]
    pub fn new(initiator_name: &str, target_name: &str) -> Self {
        Self { target_name: Some(target_name.to_owned()), ..Self::discovery(initiator_name) }
    }

    /// A discovery session.
    #[must_use]
    pub fn discovery(initiator_name: &str) -> Self {
        Self {
            initiator_name: initiator_name.to_owned(),
            // Type "random" of the RFC, with a number that is ours. [RFC 7143 11.12.5]
            isid: Isid([0x80, 0x43, 0x50, 0x53, 0x00, 0x01]),
            target_name: None,
            wishes: Wishes::default(),
            chap: None,
            mutual: None,
        }
    }
}

/// What a login leads to.
#[derive(Clone, Debug)]
pub(crate) struct LoggedIn {
    /// What was agreed on.
    pub(crate) parameters: Parameters,
    /// Longest data segment that the target takes, bytes.
    pub(crate) peer_max_recv_data_segment_length: u32,
    /// CmdSN of the first command.
    pub(crate) cmd_sn: u32,
    /// The next StatSN that is expected.
    pub(crate) exp_stat_sn: u32,
    /// The last CmdSN that the target takes now.
    pub(crate) max_cmd_sn: u32,
    /// Target session identifying handle.
    pub(crate) tsih: u16,
}

/// A target that goes on talking without getting anywhere is left after so many exchanges.
const MAX_EXCHANGES: usize = 32;

/// Most text that a target may send in one answer, bytes.
const MAX_TEXT: usize = 64 << 10;

/// Bytes of a challenge.
const CHALLENGE: usize = 32;

const FIRST_CMD_SN: u32 = 1;

struct Handshake<'a> {
    connection: &'a mut Connection,
    login: &'a Login,
    negotiation: Negotiation,
    chap: Option<Prover>,
    stage: Stage,
    exp_stat_sn: u32,
    max_cmd_sn: u32,
    tsih: u16,
}

/// Takes the connection through the login phase.
pub(crate) async fn log_in(connection: &mut Connection, login: &Login) -> Result<LoggedIn, InitiatorError> {
    let mut handshake = Handshake {
        connection,
        login,
        negotiation: Negotiation::new(login.wishes.clone(), login.target_name.is_none()),
        chap: prover(login)?,
        stage: Stage::SECURITY,
        exp_stat_sn: 0,
        max_cmd_sn: FIRST_CMD_SN,
        tsih: 0,
    };
    let mut say = handshake.identity();
    for _ in 0..MAX_EXCHANGES {
        let before = handshake.stage;
        say = handshake.exchange(say).await?;
        if handshake.stage == Stage::FULL_FEATURE {
            return match handshake.negotiation.unmet() {
                None => Ok(handshake.finish()),
                Some(_) => Err(InitiatorError::Protocol("a login without a digest that is required")),
            };
        }
        if before == Stage::SECURITY && handshake.stage == Stage::OPERATIONAL {
            for (key, value) in handshake.negotiation.offers() {
                say.push(key, &value);
            }
        }
    }
    Err(InitiatorError::Protocol("a login that never ends"))
}

/// The initiator's side of CHAP, with a challenge of its own where the target must prove something.
fn prover(login: &Login) -> Result<Option<Prover>, InitiatorError> {
    let Some(own) = &login.chap else {
        return match login.mutual {
            None => Ok(None),
            Some(_) => Err(InitiatorError::Request("mutual CHAP needs credentials of the initiator, too")),
        };
    };
    let mut mutual = None;
    if let Some(target) = &login.mutual {
        let mut random = [0; CHALLENGE + 1];
        getrandom::fill(&mut random).map_err(|error| InitiatorError::Io(Arc::new(error.into())))?;
        let [identifier, bytes @ ..] = random;
        mutual = Some((target.clone(), Challenge { identifier, bytes: bytes.to_vec() }));
    }
    Ok(Some(Prover::new(own.clone(), mutual)?))
}

impl Handshake<'_> {
    fn identity(&self) -> TextBuilder {
        let mut text = TextBuilder::new();
        text.push(name::INITIATOR_NAME, &self.login.initiator_name);
        match &self.login.target_name {
            Some(target) => {
                text.push(name::SESSION_TYPE, "Normal");
                text.push(name::TARGET_NAME, target);
            }
            None => text.push(name::SESSION_TYPE, "Discovery"),
        }
        text.push(name::AUTH_METHOD, self.methods());
        text
    }

    /// The methods that are acceptable. A target that must prove itself cannot choose not to.
    fn methods(&self) -> &'static str {
        match &self.chap {
            None => "None",
            Some(prover) if prover.is_owed() => "CHAP",
            Some(_) => "CHAP,None",
        }
    }

    /// Whether nothing is left to say in this stage.
    fn may_transit(&self) -> bool {
        self.stage != Stage::SECURITY || self.chap.as_ref().is_none_or(Prover::is_ready)
    }

    /// Says something and takes the answer; what is to be said next.
    async fn exchange(&mut self, text: TextBuilder) -> Result<TextBuilder, InitiatorError> {
        let mut joiner = Joiner::new(MAX_TEXT);
        let transit = self.may_transit();
        let mut response = self.round_trip(transit, &text.finish(), &mut joiner).await?;
        while response.continues {
            response = self.round_trip(false, &[], &mut joiner).await?;
        }
        let mut answers = TextBuilder::new();
        for pair in pairs(&joiner.take()) {
            let pair = pair?;
            if let Some((key, answer)) = self.pair(pair.key, pair.value)? {
                answers.push(key, &answer);
            }
        }
        for (key, value) in self.chap.as_mut().map_or(Ok(Vec::new()), Prover::step)? {
            answers.push(key, &value);
        }
        if response.transit {
            if !transit {
                return Err(InitiatorError::Protocol("a login that goes on before the initiator is ready"));
            }
            if self.chap.as_ref().is_some_and(Prover::is_owed) {
                return Err(ChapError::Unproven.into());
            }
            if response.next_stage <= self.stage {
                return Err(InitiatorError::Protocol("a login that goes back a stage"));
            }
            self.stage = response.next_stage;
        }
        Ok(answers)
    }

    async fn round_trip(
        &mut self,
        transit: bool,
        text: &[u8],
        joiner: &mut Joiner,
    ) -> Result<LoginResponse, InitiatorError> {
        let next_stage = if self.stage == Stage::SECURITY { Stage::OPERATIONAL } else { Stage::FULL_FEATURE };
        let request = LoginRequest {
            transit,
            continues: false,
            current_stage: self.stage,
            next_stage: if transit { next_stage } else { Stage(0) },
            version_max: 0,
            version_min: 0,
            isid: self.login.isid,
            tsih: 0,
            initiator_task_tag: 0,
            cid: 0,
            cmd_sn: FIRST_CMD_SN,
            exp_stat_sn: self.exp_stat_sn,
        };
        self.connection.send(request.encode(), text).await?;
        let received = self.connection.receive().await?;
        let Pdu::LoginResponse(response) = Pdu::decode(&received.bhs) else {
            return Err(InitiatorError::Protocol("something else than a login response during the login"));
        };
        if !response.status.is_success() {
            return Err(InitiatorError::Login(response.status));
        }
        self.exp_stat_sn = response.numbers.stat_sn.wrapping_add(1);
        self.max_cmd_sn = response.numbers.max_cmd_sn;
        self.tsih = response.tsih;
        joiner.add(&received.data)?;
        Ok(response)
    }

    /// Takes one pair of the target; the pair that it wants.
    fn pair<'k>(&mut self, key: &'k str, value: &str) -> Result<Option<(&'k str, String)>, InitiatorError> {
        match key {
            name::AUTH_METHOD if !self.methods().split(',').any(|method| method == value) => {
                Err(InitiatorError::Login(LoginStatus::AUTHENTICATION_FAILURE))
            }
            name::AUTH_METHOD => {
                self.chap = self.chap.take().filter(|_| value == "CHAP");
                Ok(self.chap.as_ref().map(Prover::offer))
            }
            key if key.starts_with(name::CHAP_PREFIX) => match &mut self.chap {
                Some(prover) => Ok(prover.receive(key, value).map(|()| None)?),
                None => Err(InitiatorError::Protocol("CHAP that was not agreed on")),
            },
            name::TARGET_ALIAS | name::TARGET_PORTAL_GROUP_TAG | name::TARGET_ADDRESS => Ok(None),
            _ => Ok(self.negotiation.receive(key, value)?.map(|answer| (key, answer))),
        }
    }

    fn finish(self) -> LoggedIn {
        let parameters = self.negotiation.agreed().clone();
        let framing = &mut self.connection.framing;
        framing.header_digest = parameters.header_digest;
        framing.data_digest = parameters.data_digest;
        framing.max_recv_data_segment_length = self.negotiation.own_max_recv_data_segment_length();
        LoggedIn {
            parameters,
            peer_max_recv_data_segment_length: self.negotiation.peer_max_recv_data_segment_length(),
            cmd_sn: FIRST_CMD_SN,
            exp_stat_sn: self.exp_stat_sn,
            max_cmd_sn: self.max_cmd_sn,
            tsih: self.tsih,
        }
    }
}
