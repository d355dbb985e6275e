//! Asynchronous Message.

use super::{Bhs, Opcode, RESERVED_TAG, TargetNumbers};
use crate::code::codes;

codes! {
    /// What happened. [RFC 7143 11.9.1]
    AsyncEvent {
        /// A SCSI asynchronous event; sense data follows.
        SCSI_EVENT = 0,
        /// The target asks for a logout; parameter 3 is the time to do so in seconds.
        LOGOUT_REQUESTED = 1,
        /// The target will drop the connection with the CID in parameter 1.
        CONNECTION_DROPPED = 2,
        /// The target will drop all connections of the session.
        SESSION_DROPPED = 3,
        /// The target asks for a parameter negotiation; parameter 3 is the time to do so in seconds.
        NEGOTIATION_REQUESTED = 4,
        /// All tasks on the logical unit are being terminated.
        TASKS_TERMINATED = 5,
        /// Vendor-specific.
        VENDOR = 255,
    }
}

/// Asynchronous Message. [RFC 7143 11.9]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AsyncMessage {
    /// Logical unit of a SCSI event, else zeros.
    pub lun: [u8; 8],
    /// Sequence numbers.
    pub numbers: TargetNumbers,
    /// AsyncEvent.
    pub event: AsyncEvent,
    /// AsyncVCode: vendor's code.
    pub vendor_code: u8,
    /// Parameter1.
    pub parameter_1: u16,
    /// Parameter2.
    pub parameter_2: u16,
    /// Parameter3.
    pub parameter_3: u16,
}

impl AsyncMessage {
    /// The fields of a header.
    #[must_use]
    pub fn decode(bhs: &Bhs) -> Self {
        Self {
            lun: bhs.lun(),
            numbers: TargetNumbers::decode(bhs),
            event: AsyncEvent(bhs.0[36]),
            vendor_code: bhs.0[37],
            parameter_1: bhs.u16(38),
            parameter_2: bhs.u16(40),
            parameter_3: bhs.u16(42),
        }
    }

    /// The header, without lengths.
    #[must_use]
    pub fn encode(&self) -> Bhs {
        let mut bhs = Bhs::new(Opcode::ASYNC_MESSAGE);
        bhs.put(1, &[0x80]);
        bhs.put(8, &self.lun);
        bhs.put_u32(16, RESERVED_TAG);
        self.numbers.encode(&mut bhs);
        bhs.put(36, &[self.event.0, self.vendor_code]);
        bhs.put_u16(38, self.parameter_1);
        bhs.put_u16(40, self.parameter_2);
        bhs.put_u16(42, self.parameter_3);
        bhs
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    #[test]
    fn golden_bytes() {
        let bytes =
            golden("32800000 00000000 0000000000000000 ffffffff 0 00000001 00000002 00000003 01000004 0005000a 0");
        let pdu = AsyncMessage {
            lun: [0; 8],
            numbers: TargetNumbers { stat_sn: 1, exp_cmd_sn: 2, max_cmd_sn: 3 },
            event: AsyncEvent::LOGOUT_REQUESTED,
            vendor_code: 0,
            parameter_1: 4,
            parameter_2: 5,
            parameter_3: 10,
        };
        assert_eq!(pdu.encode(), bytes);
        assert_eq!(AsyncMessage::decode(&bytes), pdu);
    }
}
