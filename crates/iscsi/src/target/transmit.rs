//! PDUs on their way out.

use bytes::Bytes;

use super::connection::Connection;
use crate::pdu::{
    AsyncMessage, BHS_LENGTH, Bhs, LoginResponse, LogoutOutcome, LogoutResponse, NopIn, Opcode, RESERVED_TAG,
    ReadyToTransfer, Reject, RejectReason, TargetNumbers, TextResponse, digest, padding,
};

/// One PDU: write [`Self::head`], [`Self::data`] and [`Self::tail`] one after another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transmit {
    head: [u8; BHS_LENGTH + 4],
    head_length: u8,
    data: Bytes,
    tail: [u8; 8],
    tail_length: u8,
}

impl Transmit {
    /// Adds lengths, padding, and the digests that are on.
    pub(super) fn new(bhs: Bhs, data: Bytes, header_digest: bool, data_digest: bool) -> Self {
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let Bhs(bytes) = bhs.with_data_segment_length(length);
        let mut head = [0; BHS_LENGTH + 4];
        let mut head_length = 48;
        if let Some(place) = head.first_chunk_mut() {
            *place = bytes;
        }
        if header_digest {
            if let Some(place) = head.last_chunk_mut() {
                *place = digest(&[&bytes]);
            }
            head_length = 52;
        }
        let mut tail = [0; 8];
        let mut tail_length = padding(length);
        if data_digest && length > 0 {
            let fill = tail.get(..usize::from(tail_length)).unwrap_or_default();
            let sum = digest(&[&data, fill]);
            tail.iter_mut().skip(usize::from(tail_length)).zip(sum).for_each(|(place, byte)| *place = byte);
            tail_length += 4;
        }
        Self { head, head_length, data, tail, tail_length }
    }

    /// Header and its digest.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        self.head.get(..usize::from(self.head_length)).unwrap_or(&self.head)
    }

    /// Data segment.
    #[must_use]
    pub fn data(&self) -> &Bytes {
        &self.data
    }

    /// Padding and digest of the data segment.
    #[must_use]
    pub fn tail(&self) -> &[u8] {
        self.tail.get(..usize::from(self.tail_length)).unwrap_or(&self.tail)
    }

    /// Bytes in all.
    #[must_use]
    pub fn len(&self) -> usize {
        self.head().len() + self.data.len() + self.tail().len()
    }

    /// Never: a PDU has a header.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }
}

/// A PDU that does not wait for the data of commands. `numbered`: it ends a request that took a CmdSN.
#[derive(Clone, Debug)]
pub(super) enum Urgent {
    Login { response: LoginResponse, text: Bytes },
    NopIn { initiator_task_tag: u32, target_transfer_tag: u32, data: Bytes, numbered: bool },
    ReadyToTransfer(ReadyToTransfer),
    Text { response: TextResponse, text: Bytes, numbered: bool },
    Logout { initiator_task_tag: u32, response: LogoutOutcome, numbered: bool },
    Reject { reason: RejectReason, bhs: Bhs, numbered: bool },
    Async(AsyncMessage),
}

impl Urgent {
    /// Bytes of data that it holds.
    pub(super) fn data_length(&self) -> usize {
        match self {
            Self::Login { text: data, .. } | Self::NopIn { data, .. } | Self::Text { text: data, .. } => data.len(),
            Self::Reject { .. } => BHS_LENGTH,
            Self::ReadyToTransfer(_) | Self::Logout { .. } | Self::Async(_) => 0,
        }
    }
}

impl Connection {
    /// Queues a PDU before the data of commands.
    pub(super) fn queue(&mut self, urgent: Urgent) {
        self.urgent_bytes = self.urgent_bytes.saturating_add(urgent.data_length());
        self.urgent.push_back(urgent);
    }

    /// Queues a Reject and tells of it. `numbered`: the refused request took a CmdSN.
    pub(super) fn reject(&mut self, bhs: Bhs, reason: RejectReason, numbered: bool) {
        self.events.push_back(super::Event::Rejected { opcode: bhs.opcode(), reason });
        self.queue(Urgent::Reject { reason, bhs, numbered });
    }

    /// The numbers for the next PDU. `takes_stat_sn`: it is a response that the initiator acknowledges.
    pub(super) fn numbers(&mut self, takes_stat_sn: bool) -> TargetNumbers {
        let numbers = TargetNumbers {
            stat_sn: self.stat_sn,
            exp_cmd_sn: self.order.exp_cmd_sn(),
            max_cmd_sn: self.order.max_cmd_sn(),
        };
        if takes_stat_sn {
            self.stat_sn = self.stat_sn.wrapping_add(1);
        }
        numbers
    }

    /// A PDU of the full feature phase.
    pub(super) fn transmit(&self, bhs: Bhs, data: Bytes) -> Transmit {
        Transmit::new(bhs, data, self.session.header_digest, self.session.data_digest)
    }

    pub(super) fn transmit_urgent(&mut self, urgent: Urgent) -> Transmit {
        self.urgent_bytes = self.urgent_bytes.saturating_sub(urgent.data_length());
        match urgent {
            Urgent::Login { mut response, text } => {
                // StatSN advances with each Login Response that takes the login on; digests begin after the last.
                response.numbers = self.numbers(true);
                Transmit::new(response.encode(), text, false, false)
            }
            Urgent::NopIn { initiator_task_tag, target_transfer_tag, data, numbered } => {
                self.release(numbered);
                let numbers = self.numbers(initiator_task_tag != RESERVED_TAG);
                let pdu = NopIn { lun: [0; 8], initiator_task_tag, target_transfer_tag, numbers };
                self.transmit(pdu.encode(), data)
            }
            Urgent::ReadyToTransfer(mut pdu) => {
                pdu.numbers = self.numbers(false);
                self.transmit(pdu.encode(), Bytes::new())
            }
            Urgent::Text { mut response, text, numbered } => {
                self.release(numbered);
                response.numbers = self.numbers(true);
                self.transmit(response.encode(), text)
            }
            Urgent::Logout { initiator_task_tag, response, numbered } => {
                self.release(numbered);
                let numbers = self.numbers(true);
                let pdu = LogoutResponse { response, initiator_task_tag, numbers, time_2_wait: 0, time_2_retain: 0 };
                self.transmit(pdu.encode(), Bytes::new())
            }
            Urgent::Reject { reason, bhs, numbered } => {
                self.release(numbered);
                let pdu = Reject { reason, numbers: self.numbers(true), data_sn: 0 };
                self.transmit(pdu.encode(), Bytes::copy_from_slice(&bhs.0))
            }
            Urgent::Async(mut pdu) => {
                pdu.numbers = self.numbers(true);
                self.transmit(pdu.encode(), Bytes::new())
            }
        }
    }

    fn release(&mut self, numbered: bool) {
        if numbered {
            self.order.release();
        }
    }
}

/// Whether only a target sends this.
pub(super) fn is_target_opcode(opcode: Opcode) -> bool {
    opcode.0 & 0x20 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_and_digests() {
        let bhs = Bhs([0; BHS_LENGTH]);
        let plain = Transmit::new(bhs, Bytes::from_static(b"hello"), false, false);
        assert_eq!((plain.head().len(), plain.tail(), plain.len()), (48, &[0, 0, 0][..], 56));
        assert_eq!(plain.head()[5..8], [0, 0, 5]);
        let summed = Transmit::new(bhs, Bytes::from_static(b"hello"), true, true);
        assert_eq!((summed.head().len(), summed.tail().len()), (52, 7));
        assert_eq!(summed.head()[48..], digest(&[&summed.head()[..48]]));
        assert_eq!(summed.tail()[3..], digest(&[b"hello\0\0\0"]));
        let empty = Transmit::new(bhs, Bytes::new(), true, true);
        assert_eq!((empty.head().len(), empty.tail().len()), (52, 0));
    }
}
