//! The task that owns a session's connection.
//!
//! It numbers and sends requests, answers the target's pings and R2Ts, and hands each answer to who waits for it.
//! When the connection ends, whatever waits is told why. [RFC 7143 4.2]

mod answers;

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use capstan_iscsi::pdu::{
    DataOut, LogoutReason, LogoutRequest, NopOut, RESERVED_TAG, ScsiCommand, TaskManagementFunction,
    TaskManagementOutcome, TaskManagementRequest, TextRequest,
};
use capstan_iscsi::text::Joiner;
use capstan_scsi::sam::Lun;
use tokio::sync::mpsc;

use crate::connection::Connection;
use crate::login::LoggedIn;
use crate::pending::{Pending, Reply, Transfer};
use crate::{Command, Direction, InitiatorError, Management, Outcome};

/// Asks the actor for something. Tags are unique among what is pending.
pub(crate) enum Request {
    /// Execute a command.
    Command(Lun, Command, Reply<Outcome>),
    /// Do a task management function.
    Manage(Management, Reply<TaskManagementOutcome>),
    /// Ping.
    Nop(Bytes, Reply<Bytes>),
    /// Exchange text.
    Text(Bytes, Reply<Vec<u8>>),
    /// Log out: this session ends.
    Logout(Reply<()>),
}

/// Requests that wait while the target takes no more commands.
const MAX_WAITING: usize = 64;

/// Most text that a target may send in one answer, bytes.
const MAX_TEXT: usize = 1 << 20;

pub(crate) struct Actor {
    connection: Connection,
    requests: mpsc::Receiver<(u32, Request)>,
    agreed: LoggedIn,
    cmd_sn: u32,
    exp_stat_sn: u32,
    max_cmd_sn: u32,
    pending: HashMap<u32, Pending>,
    waiting: VecDeque<(u32, Request)>,
    logged_out: bool,
}

impl Actor {
    pub(crate) fn new(connection: Connection, agreed: LoggedIn, requests: mpsc::Receiver<(u32, Request)>) -> Self {
        Self {
            connection,
            requests,
            cmd_sn: agreed.cmd_sn,
            exp_stat_sn: agreed.exp_stat_sn,
            max_cmd_sn: agreed.max_cmd_sn,
            agreed,
            pending: HashMap::new(),
            waiting: VecDeque::new(),
            logged_out: false,
        }
    }

    /// Until the session is dropped, logged out, or broken.
    pub(crate) async fn run(mut self) {
        let error = loop {
            match self.step().await {
                Ok(true) => {}
                Ok(false) => break InitiatorError::Closed,
                Err(error) => break error,
            }
        };
        for pending in self.pending.into_values() {
            pending.fail(error.clone());
        }
        for (_, request) in self.waiting {
            request.into_pending().fail(error.clone());
        }
        self.requests.close();
        while let Ok((_, request)) = self.requests.try_recv() {
            request.into_pending().fail(error.clone());
        }
    }

    /// One request or one PDU; false when the session is over.
    async fn step(&mut self) -> Result<bool, InitiatorError> {
        while self.window_is_open()
            && let Some((tag, request)) = self.waiting.pop_front()
        {
            self.send(tag, request).await?;
        }
        tokio::select! {
            request = self.requests.recv(), if self.waiting.len() < MAX_WAITING => match request {
                Some((tag, request)) if request.is_immediate() || (self.waiting.is_empty() && self.window_is_open()) =>
                    self.send(tag, request).await?,
                Some(waiting) => self.waiting.push_back(waiting),
                None => return Ok(false),
            },
            received = self.connection.receive() => {
                let received = received?;
                self.received(received).await?;
            }
        }
        Ok(!self.logged_out)
    }

    /// CmdSN is within what the target takes, in serial number arithmetic. [RFC 7143 4.2.2.1]
    fn window_is_open(&self) -> bool {
        self.max_cmd_sn.wrapping_sub(self.cmd_sn) < 1 << 31
    }

    fn take_cmd_sn(&mut self) -> u32 {
        let cmd_sn = self.cmd_sn;
        self.cmd_sn = cmd_sn.wrapping_add(1);
        cmd_sn
    }

    async fn send(&mut self, tag: u32, request: Request) -> Result<(), InitiatorError> {
        match request {
            Request::Command(lun, command, reply) => self.command(tag, lun, command, reply).await,
            Request::Manage(management, reply) => self.manage(tag, management, reply).await,
            Request::Nop(data, reply) => {
                self.pending.insert(tag, Pending::Nop(reply));
                self.nop_out([0; 8], tag, RESERVED_TAG, &data).await
            }
            Request::Text(data, reply) => {
                self.pending.insert(tag, Pending::Text { joiner: Joiner::new(MAX_TEXT), reply });
                let cmd_sn = self.take_cmd_sn();
                self.text(tag, [0; 8], RESERVED_TAG, cmd_sn, &data).await
            }
            Request::Logout(reply) => {
                self.pending.insert(tag, Pending::Logout(reply));
                let request = LogoutRequest {
                    immediate: true,
                    reason: LogoutReason::CLOSE_SESSION,
                    initiator_task_tag: tag,
                    cid: 0,
                    cmd_sn: self.cmd_sn,
                    exp_stat_sn: self.exp_stat_sn,
                };
                self.connection.send(request.encode(), &[]).await
            }
        }
    }

    async fn command(
        &mut self,
        tag: u32,
        lun: Lun,
        command: Command,
        reply: Reply<Outcome>,
    ) -> Result<(), InitiatorError> {
        let Some(expected) = command.expected_data_transfer_length() else {
            drop(reply.send(Err(InitiatorError::Request("a command moves at most 4 GiB"))));
            return Ok(());
        };
        let parameters = &self.agreed.parameters;
        let first_burst = parameters.first_burst_length.min(expected);
        let writes = matches!(command.direction, Direction::Out(_));
        let immediate = match writes && parameters.immediate_data {
            true => first_burst.min(self.agreed.peer_max_recv_data_segment_length),
            false => 0,
        };
        let unsolicited = if writes && !parameters.initial_r2t { first_burst } else { immediate };
        let cmd_sn = self.take_cmd_sn();
        let pdu = ScsiCommand {
            immediate: false,
            is_final: unsolicited <= immediate,
            read: matches!(command.direction, Direction::In(_)),
            write: writes,
            attribute: command.attribute,
            lun: lun.0,
            initiator_task_tag: tag,
            expected_data_transfer_length: expected,
            cmd_sn,
            exp_stat_sn: self.exp_stat_sn,
            cdb: command.cdb.0,
        };
        let transfer = Transfer::new(lun, cmd_sn, command.direction, reply);
        let data = if immediate > 0 { transfer.data_out(0, immediate)? } else { Bytes::new() };
        let rest = match unsolicited.saturating_sub(immediate) {
            0 => Bytes::new(),
            length => transfer.data_out(immediate, length)?,
        };
        self.pending.insert(tag, Pending::Command(transfer));
        self.connection.send(pdu.encode(), &data).await?;
        self.burst([0; 8], tag, RESERVED_TAG, immediate, rest).await
    }

    /// Sends Data-Out PDUs; none where there is no data.
    async fn burst(
        &mut self,
        lun: [u8; 8],
        tag: u32,
        target_transfer_tag: u32,
        mut offset: u32,
        mut data: Bytes,
    ) -> Result<(), InitiatorError> {
        let limit = usize::try_from(self.agreed.peer_max_recv_data_segment_length).unwrap_or(usize::MAX);
        let mut data_sn = 0;
        while !data.is_empty() {
            let part = data.split_to(data.len().min(limit));
            let pdu = DataOut {
                is_final: data.is_empty(),
                lun,
                initiator_task_tag: tag,
                target_transfer_tag,
                exp_stat_sn: self.exp_stat_sn,
                data_sn,
                buffer_offset: offset,
            };
            self.connection.send(pdu.encode(), &part).await?;
            data_sn = data_sn.wrapping_add(1);
            offset = offset.wrapping_add(u32::try_from(part.len()).unwrap_or(u32::MAX));
        }
        Ok(())
    }

    async fn manage(
        &mut self,
        tag: u32,
        management: Management,
        reply: Reply<TaskManagementOutcome>,
    ) -> Result<(), InitiatorError> {
        let (function, lun, referenced) = management.parts();
        let ref_cmd_sn = match referenced.and_then(|tag| self.pending.get(&tag)) {
            Some(Pending::Command(transfer)) => transfer.cmd_sn,
            _ => self.cmd_sn,
        };
        self.pending.insert(tag, Pending::Management { aborts: (referenced, lun), reply });
        let pdu = TaskManagementRequest {
            immediate: true,
            function,
            lun: lun.unwrap_or(Lun::ZERO).0,
            initiator_task_tag: tag,
            referenced_task_tag: referenced.unwrap_or(RESERVED_TAG),
            cmd_sn: self.cmd_sn,
            exp_stat_sn: self.exp_stat_sn,
            ref_cmd_sn: if function == TaskManagementFunction::ABORT_TASK { ref_cmd_sn } else { 0 },
            exp_data_sn: 0,
        };
        self.connection.send(pdu.encode(), &[]).await
    }

    async fn nop_out(&mut self, lun: [u8; 8], tag: u32, target_tag: u32, data: &[u8]) -> Result<(), InitiatorError> {
        let pdu = NopOut {
            immediate: true,
            lun,
            initiator_task_tag: tag,
            target_transfer_tag: target_tag,
            cmd_sn: self.cmd_sn,
            exp_stat_sn: self.exp_stat_sn,
        };
        self.connection.send(pdu.encode(), data).await
    }

    async fn text(
        &mut self,
        tag: u32,
        lun: [u8; 8],
        target_tag: u32,
        cmd_sn: u32,
        data: &[u8],
    ) -> Result<(), InitiatorError> {
        let pdu = TextRequest {
            immediate: false,
            is_final: true,
            continues: false,
            lun,
            initiator_task_tag: tag,
            target_transfer_tag: target_tag,
            cmd_sn,
            exp_stat_sn: self.exp_stat_sn,
        };
        self.connection.send(pdu.encode(), data).await
    }
}

impl Request {
    /// Takes no CmdSN, so it does not wait for the window.
    fn is_immediate(&self) -> bool {
        matches!(self, Self::Manage(..) | Self::Nop(..) | Self::Logout(..))
    }

    /// As something that can be told of a failure.
    fn into_pending(self) -> Pending {
        match self {
            Self::Command(lun, command, reply) => Pending::Command(Transfer::new(lun, 0, command.direction, reply)),
            Self::Manage(_, reply) => Pending::Management { aborts: (None, None), reply },
            Self::Nop(_, reply) => Pending::Nop(reply),
            Self::Text(_, reply) => Pending::Text { joiner: Joiner::new(0), reply },
            Self::Logout(reply) => Pending::Logout(reply),
        }
    }
}
