//! What is waiting for an answer.

use bytes::{Bytes, BytesMut};
use capstan_iscsi::pdu::{DataIn, ScsiResponse, ServiceResponse, TaskManagementOutcome};
use capstan_iscsi::text::Joiner;
use capstan_scsi::sam::{Lun, Status};
use tokio::sync::oneshot;

use crate::{Direction, InitiatorError, Outcome};

/// Where an answer goes. Nobody may be waiting any more.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, InitiatorError>>;

/// A request that the target has not answered yet.
pub(crate) enum Pending {
    /// A SCSI command.
    Command(Transfer),
    /// A task management function.
    Management {
        /// The tag of the task that it aborts, or the logical unit whose tasks it aborts; `None` for all of both.
        aborts: (Option<u32>, Option<Lun>),
        /// Where the answer goes.
        reply: Reply<TaskManagementOutcome>,
    },
    /// A ping.
    Nop(Reply<Bytes>),
    /// A text exchange.
    Text {
        /// What came so far.
        joiner: Joiner,
        /// Where the answer goes.
        reply: Reply<Vec<u8>>,
    },
    /// A logout.
    Logout(Reply<()>),
}

/// A SCSI command under way.
pub(crate) struct Transfer {
    /// The logical unit.
    pub(crate) lun: Lun,
    /// CmdSN that it was sent with.
    pub(crate) cmd_sn: u32,
    /// What data goes which way.
    pub(crate) direction: Direction,
    /// Where the outcome goes.
    pub(crate) reply: Reply<Outcome>,
    parts: Vec<Bytes>,
    received: u32,
    /// A first Data-In sequence with a status ended the command.
    ended: Option<Outcome>,
}

impl Transfer {
    /// A command that is sent now.
    pub(crate) fn new(lun: Lun, cmd_sn: u32, direction: Direction, reply: Reply<Outcome>) -> Self {
        Self { lun, cmd_sn, direction, reply, parts: Vec::new(), received: 0, ended: None }
    }

    /// Takes data from the target; true when the command has ended with it.
    ///
    /// # Errors
    /// Data that nobody asked for, too much, or out of order.
    pub(crate) fn data_in(&mut self, pdu: &DataIn, data: Bytes) -> Result<bool, InitiatorError> {
        let Direction::In(limit) = self.direction else {
            return Err(InitiatorError::Protocol("Data-In for a command that reads nothing"));
        };
        let end = u32::try_from(data.len()).ok().and_then(|length| self.received.checked_add(length));
        match end.filter(|end| *end <= limit) {
            Some(end) if pdu.buffer_offset == self.received => self.received = end,
            Some(_) => return Err(InitiatorError::Protocol("Data-In out of order")),
            None => return Err(InitiatorError::Protocol("more Data-In than was announced")),
        }
        if !data.is_empty() {
            self.parts.push(data);
        }
        let Some(status) = pdu.status else { return Ok(false) };
        let data = self.data();
        self.ended = Some(Outcome { status: Status(status), sense: Bytes::new(), data, residual: pdu.residual });
        Ok(true)
    }

    /// The bytes from `offset` on that an R2T asks for.
    ///
    /// # Errors
    /// A request for what was not announced.
    pub(crate) fn data_out(&self, offset: u32, length: u32) -> Result<Bytes, InitiatorError> {
        let Direction::Out(data) = &self.direction else {
            return Err(InitiatorError::Protocol("R2T for a command that writes nothing"));
        };
        let start = usize::try_from(offset).ok();
        let end = offset.checked_add(length).and_then(|end| usize::try_from(end).ok());
        match (start, end) {
            (Some(start), Some(end)) if start < end && end <= data.len() => Ok(data.slice(start..end)),
            _ => Err(InitiatorError::Protocol("R2T for data beyond what was announced")),
        }
    }

    /// Ends the command that a Data-In PDU with status ended.
    pub(crate) fn complete(mut self) {
        if let Some(outcome) = self.ended.take() {
            let _ = self.reply.send(Ok(outcome));
        }
    }

    /// Ends the command with a SCSI Response.
    pub(crate) fn respond(mut self, pdu: &ScsiResponse, segment: &Bytes) {
        let outcome = if pdu.response == ServiceResponse::COMPLETED {
            let data = self.data();
            Ok(Outcome { status: Status(pdu.status), sense: sense(segment), data, residual: pdu.residual })
        } else {
            Err(InitiatorError::Delivery(pdu.response))
        };
        let _ = self.reply.send(outcome);
    }

    /// All that came, in one piece; not copied where it came in one.
    fn data(&mut self) -> Bytes {
        if self.parts.len() <= 1 {
            return self.parts.pop().unwrap_or_default();
        }
        let mut all = BytesMut::with_capacity(usize::try_from(self.received).unwrap_or(0));
        for part in self.parts.drain(..) {
            all.extend_from_slice(&part);
        }
        all.freeze()
    }
}

/// Sense data stands behind its length. [RFC 7143 11.4.7]
fn sense(segment: &Bytes) -> Bytes {
    let Some((length, rest)) = segment.split_first_chunk::<2>() else { return Bytes::new() };
    let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
    segment.slice_ref(rest.get(..length).unwrap_or_default())
}

impl Pending {
    /// Ends the request without an answer.
    pub(crate) fn fail(self, error: InitiatorError) {
        match self {
            Self::Command(transfer) => drop(transfer.reply.send(Err(error))),
            Self::Management { reply, .. } => drop(reply.send(Err(error))),
            Self::Nop(reply) => drop(reply.send(Err(error))),
            Self::Text { reply, .. } => drop(reply.send(Err(error))),
            Self::Logout(reply) => drop(reply.send(Err(error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use capstan_iscsi::pdu::{Residual, TargetNumbers};

    use super::*;

    fn pdu(offset: u32, status: Option<u8>) -> DataIn {
        DataIn {
            is_final: true,
            acknowledge: false,
            status,
            residual: Residual::None,
            lun: [0; 8],
            initiator_task_tag: 1,
            target_transfer_tag: u32::MAX,
            numbers: TargetNumbers { stat_sn: 0, exp_cmd_sn: 0, max_cmd_sn: 0 },
            data_sn: 0,
            buffer_offset: offset,
        }
    }

    fn transfer(direction: Direction) -> (Transfer, oneshot::Receiver<Result<Outcome, InitiatorError>>) {
        let (reply, outcome) = oneshot::channel();
        (Transfer::new(Lun::ZERO, 1, direction, reply), outcome)
    }

    #[test]
    fn data_comes_in_parts_and_in_order() {
        let (mut read, mut outcome) = transfer(Direction::In(10));
        assert!(!read.data_in(&pdu(0, None), Bytes::from_static(b"hello")).unwrap());
        assert!(read.data_in(&pdu(5, Some(0)), Bytes::from_static(b"tape")).unwrap());
        read.complete();
        assert_eq!(outcome.try_recv().unwrap().unwrap().data, "hellotape");
    }

    #[test]
    fn what_a_target_may_not_send_is_refused() {
        let (mut read, _outcome) = transfer(Direction::In(4));
        assert!(read.data_in(&pdu(1, None), Bytes::from_static(b"a")).is_err());
        assert!(read.data_in(&pdu(0, None), Bytes::from_static(b"hello")).is_err());
        assert!(read.data_out(0, 1).is_err());
        let (write, _outcome) = transfer(Direction::Out(Bytes::from_static(b"hello")));
        assert_eq!(write.data_out(1, 4).unwrap(), "ello");
        for (offset, length) in [(0, 0), (0, 6), (5, 1), (u32::MAX, 2)] {
            assert!(write.data_out(offset, length).is_err(), "{offset} {length}");
        }
    }

    #[test]
    fn sense_data_is_cut_to_what_came() {
        assert_eq!(sense(&Bytes::from_static(&[0, 2, 7, 8, 9])), [7, 8][..]);
        assert_eq!(sense(&Bytes::from_static(&[0, 9, 7])), [7][..]);
        assert_eq!(sense(&Bytes::from_static(&[0])), Bytes::new());
    }
}
