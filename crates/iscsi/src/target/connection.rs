//! The state machine's state, and what drives it from outside.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::answers::Queued;
use super::buffers::Buffers;
use super::config::Config;
use super::error::ProtocolError;
use super::event::{Event, SessionKind};
use super::keepalive::{Due, Keepalive};
use super::login::Login;
use super::management::Managing;
use super::order::Order;
use super::receive::Receiver;
use super::requests::Ordered;
use super::task::Tasks;
use super::text::TextExchange;
use super::transmit::{Transmit, Urgent};
use crate::pdu::{AsyncEvent, AsyncMessage, RESERVED_TAG, TargetNumbers};
use crate::text::{Digest, Negotiation, Parameters};

/// PDUs that wait to be sent before no more is received.
const CONTROL_BACKLOG_PDUS: usize = 64;
/// Data in them before no more is received, bytes.
const CONTROL_BACKLOG: usize = 64 << 10;

/// The target's end of one connection.
#[derive(Debug)]
pub struct Connection {
    pub(super) config: Arc<Config>,
    pub(super) phase: Phase,
    pub(super) session: Session,
    pub(super) receiver: Receiver,
    pub(super) tasks: Tasks,
    pub(super) buffers: Buffers,
    pub(super) order: Order<Ordered>,
    pub(super) managing: Vec<Managing>,
    pub(super) text: TextExchange,
    pub(super) urgent: VecDeque<Urgent>,
    pub(super) urgent_bytes: usize,
    pub(super) answers: VecDeque<Queued>,
    pub(super) events: VecDeque<Event>,
    /// Commands whose solicited data waits for the budget.
    pub(super) awaiting_budget: VecDeque<super::TaskTag>,
    pub(super) data_out_used: u32,
    pub(super) data_in_used: u32,
    pub(super) stat_sn: u32,
    pub(super) next_transfer_tag: u32,
    pub(super) keepalive: Keepalive,
    pub(super) statistics: Statistics,
}

/// Where a connection is.
#[derive(Debug)]
pub(super) enum Phase {
    Login(Box<Login>),
    FullFeature,
    LoggedOut,
}

/// What login agreed on.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) parameters: Parameters,
    pub(super) discovery: bool,
    pub(super) cid: u16,
    /// Longest data segment that the target takes, bytes.
    pub(super) max_recv_data_segment_length: u32,
    /// Longest data segment that the initiator takes, bytes.
    pub(super) max_send_data_segment_length: u32,
    pub(super) header_digest: bool,
    pub(super) data_digest: bool,
}

impl Session {
    /// What holds in the login phase.
    pub(super) fn new() -> Self {
        Self::agreed(&Negotiation::new(crate::text::Wishes::default(), false), 0, &SessionKind::Discovery, false)
    }

    /// What holds after it.
    pub(super) fn agreed(negotiation: &Negotiation, cid: u16, kind: &SessionKind, digests: bool) -> Self {
        let parameters = negotiation.agreed().clone();
        Self {
            discovery: *kind == SessionKind::Discovery,
            cid,
            max_recv_data_segment_length: negotiation.own_max_recv_data_segment_length(),
            max_send_data_segment_length: negotiation.peer_max_recv_data_segment_length(),
            header_digest: digests && parameters.header_digest == Digest::Crc32c,
            data_digest: digests && parameters.data_digest == Digest::Crc32c,
            parameters,
        }
    }
}

/// What went over a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Statistics {
    /// SCSI commands given to logical units.
    pub commands: u64,
    /// Data of commands sent to the initiator, bytes.
    pub data_in_bytes: u64,
    /// Data of commands received from the initiator, bytes.
    pub data_out_bytes: u64,
}

impl Connection {
    /// A connection that was just accepted.
    #[must_use]
    pub fn new(config: Arc<Config>, now: Instant) -> Self {
        let keepalive = Keepalive::new(now, config.login_timeout, config.nop_interval, config.nop_timeout);
        let login = Login::new(config.wishes.clone());
        Self {
            phase: Phase::Login(Box::new(login)),
            session: Session::new(),
            receiver: Receiver::new(),
            tasks: Tasks::default(),
            buffers: Buffers::default(),
            order: Order::new(0, config.command_window),
            managing: Vec::new(),
            text: TextExchange::new(),
            urgent: VecDeque::new(),
            urgent_bytes: 0,
            answers: VecDeque::new(),
            events: VecDeque::new(),
            awaiting_budget: VecDeque::new(),
            data_out_used: 0,
            data_in_used: 0,
            stat_sn: 0,
            next_transfer_tag: 0,
            keepalive,
            statistics: Statistics::default(),
            config,
        }
    }

    /// What happened. Poll until `None` after every other call that takes `&mut self`.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// A PDU to send. Poll until `None` after every other call, and again once the socket takes more; poll events
    /// after it, for what was sent may let a waiting command run.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        match self.urgent.pop_front() {
            Some(urgent) => Some(self.transmit_urgent(urgent)),
            None => self.next_answer(),
        }
    }

    /// Whether more may be received: false while the initiator does not take the answers to what it sent.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        let window = usize::try_from(self.config.command_window).unwrap_or(usize::MAX);
        self.urgent.len() < CONTROL_BACKLOG_PDUS
            && self.urgent_bytes < CONTROL_BACKLOG
            && self.answers.len() < CONTROL_BACKLOG_PDUS.saturating_add(window)
    }

    /// When to call [`Self::handle_timeout`], if nothing comes before. Changes with every call that takes a time.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::LoggedOut => None,
            Phase::Login(_) | Phase::FullFeature => Some(self.keepalive.deadline()),
        }
    }

    /// Time has come to `now`. May produce PDUs to send.
    ///
    /// # Errors
    /// The login or the answer to a NOP-In takes too long: close.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), ProtocolError> {
        match self.keepalive.expire(now) {
            None => Ok(()),
            Some(Due::LoginTimedOut) => Err(ProtocolError::LoginTimedOut),
            Some(Due::PingTimedOut) => Err(ProtocolError::NopTimedOut),
            Some(Due::Ping) => {
                let target_transfer_tag = self.transfer_tag();
                self.queue(Urgent::NopIn {
                    initiator_task_tag: RESERVED_TAG,
                    target_transfer_tag,
                    data: Bytes::new(),
                    numbered: false,
                });
                Ok(())
            }
        }
    }

    /// Asks the initiator to log out within `seconds`. Nothing in the login phase.
    pub fn request_logout(&mut self, seconds: u16) {
        self.announce(AsyncEvent::LOGOUT_REQUESTED, 0, seconds);
    }

    /// Says that the session is about to be dropped: close once [`Self::poll_transmit`] has nothing more. The initiator
    /// may come back after DefaultTime2Wait; no task outlives the session. Nothing in the login phase.
    pub fn announce_drop(&mut self) {
        let wait = u16::try_from(self.session.parameters.default_time_2_wait).unwrap_or(u16::MAX);
        self.announce(AsyncEvent::SESSION_DROPPED, wait, 0);
    }

    fn announce(&mut self, event: AsyncEvent, parameter_2: u16, parameter_3: u16) {
        if let Phase::FullFeature = self.phase {
            self.queue(Urgent::Async(AsyncMessage {
                lun: [0; 8],
                numbers: TargetNumbers::default(),
                event,
                vendor_code: 0,
                parameter_1: 0,
                parameter_2,
                parameter_3,
            }));
        }
    }

    /// Whether the initiator logged out: close once [`Self::poll_transmit`] has nothing more.
    #[must_use]
    pub fn is_logged_out(&self) -> bool {
        matches!(self.phase, Phase::LoggedOut)
    }

    /// Commands and task management functions that are not answered yet.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.tasks.len() + self.managing.len()
    }

    /// What went over the connection.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.statistics
    }

    /// What was agreed on at login, the RFC's defaults before.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.session.parameters
    }

    /// A target transfer tag that was not given out lately.
    pub(super) fn transfer_tag(&mut self) -> u32 {
        self.next_transfer_tag = self.next_transfer_tag.wrapping_add(1);
        if self.next_transfer_tag == RESERVED_TAG {
            self.next_transfer_tag = 1;
        }
        self.next_transfer_tag
    }
}
