//! Requests in their order: what is numbered waits for its turn, what is immediate does not.

use std::time::Instant;

use bytes::Bytes;

use super::connection::{Connection, Phase};
use super::event::{Event, TaskTag};
use super::transmit::Urgent;
use crate::pdu::{
    Bhs, LogoutOutcome, LogoutReason, LogoutRequest, NopOut, Opcode, RESERVED_TAG, RejectReason, TaskManagementRequest,
    TextRequest,
};

/// A numbered request that waits for its turn.
#[derive(Clone, Debug)]
pub(super) enum Ordered {
    /// A command; where it is aborted already, its turn just passes.
    Task(TaskTag),
    /// Any other, with its data.
    Request(Bhs, Bytes),
    /// Its number is used up, nothing else is to be done.
    Nothing,
}

impl Connection {
    /// A request that is no command, with all of its data.
    pub(super) fn request_received(&mut self, _now: Instant, bhs: Bhs, data: Bytes) {
        if matches!(self.phase, Phase::LoggedOut) {
            return;
        }
        if bhs.immediate() {
            return self.request(bhs, data, false);
        }
        // CmdSN is at the same place in all requests that have one. [RFC 7143 11.2.1]
        let cmd_sn = NopOut::decode(&bhs).cmd_sn;
        if self.order.admits(cmd_sn) {
            self.order.insert(cmd_sn, Ordered::Request(bhs, data));
            self.deliver();
        }
    }

    /// Carries out all numbered requests whose turn has come. A logout is the last that has one: nobody would be told
    /// how a command after it ended.
    pub(super) fn deliver(&mut self) {
        while let Some(next) = self.order.front() {
            if matches!(self.phase, Phase::LoggedOut) {
                return;
            }
            if let Ordered::Task(tag) = *next
                && !self.may_run(tag)
            {
                return;
            }
            match self.order.pop() {
                Some(Ordered::Task(tag)) => self.run(tag),
                Some(Ordered::Request(bhs, data)) => self.request(bhs, data, true),
                Some(Ordered::Nothing) | None => {}
            }
        }
    }

    /// Uses up the number of a request that is not carried out.
    pub(super) fn skip(&mut self, cmd_sn: u32) {
        self.order.insert(cmd_sn, Ordered::Nothing);
        self.deliver();
    }

    /// Carries out a request. `numbered`: it took a CmdSN.
    fn request(&mut self, bhs: Bhs, data: Bytes, numbered: bool) {
        match bhs.opcode() {
            Opcode::NOP_OUT => self.nop_out(&NopOut::decode(&bhs), data, numbered),
            Opcode::TEXT_REQUEST => self.text_request(bhs, &TextRequest::decode(&bhs), &data, numbered),
            Opcode::LOGOUT_REQUEST => self.logout(&LogoutRequest::decode(&bhs), numbered),
            Opcode::TASK_MANAGEMENT_REQUEST => self.manage(bhs, &TaskManagementRequest::decode(&bhs), numbered),
            _ => self.reject(bhs, RejectReason::COMMAND_NOT_SUPPORTED, numbered),
        }
    }

    /// Answers a ping with its data; the answer to an own ping is answered by nothing. [RFC 7143 11.18]
    fn nop_out(&mut self, pdu: &NopOut, mut data: Bytes, numbered: bool) {
        if pdu.initiator_task_tag == RESERVED_TAG {
            if numbered {
                self.order.release();
            }
            return;
        }
        data.truncate(usize::try_from(self.session.max_send_data_segment_length).unwrap_or(usize::MAX));
        self.queue(Urgent::NopIn {
            initiator_task_tag: pdu.initiator_task_tag,
            target_transfer_tag: RESERVED_TAG,
            data,
            numbered,
        });
    }

    /// Closing the connection is closing the session, for there is only one. [RFC 7143 11.14]
    fn logout(&mut self, pdu: &LogoutRequest, numbered: bool) {
        let response = match pdu.reason {
            LogoutReason::CLOSE_SESSION => LogoutOutcome::CLOSED,
            LogoutReason::CLOSE_CONNECTION if pdu.cid == self.session.cid => LogoutOutcome::CLOSED,
            LogoutReason::CLOSE_CONNECTION => LogoutOutcome::CID_NOT_FOUND,
            _ => LogoutOutcome::RECOVERY_NOT_SUPPORTED,
        };
        if response == LogoutOutcome::CLOSED {
            self.phase = Phase::LoggedOut;
            self.answers.clear();
            self.events.push_back(Event::LoggedOut);
        }
        self.queue(Urgent::Logout { initiator_task_tag: pdu.initiator_task_tag, response, numbered });
    }
}
