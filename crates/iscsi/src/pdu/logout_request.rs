//! Logout Request.

use super::{Bhs, Opcode};
use crate::code::codes;

codes! {
    /// What to close, 7 bits. [RFC 7143 11.14.1]
    LogoutReason {
        /// Close the session.
        CLOSE_SESSION = 0,
        /// Close the connection named by the CID.
        CLOSE_CONNECTION = 1,
        /// Remove the connection for recovery.
        REMOVE_FOR_RECOVERY = 2,
    }
}

/// Logout Request. [RFC 7143 11.14]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogoutRequest {
    /// I bit.
    pub immediate: bool,
    /// Reason.
    pub reason: LogoutReason,
    /// Initiator task tag.
    pub initiator_task_tag: u32,
    /// The connection to close; not meaningful when the session is closed.
    pub cid: u16,
    /// CmdSN.
    pub cmd_sn: u32,
    /// ExpStatSN.
    pub exp_stat_sn: u32,
}

impl LogoutRequest {
    /// The fields of a header.
    #[must_use]
    pub fn decode(bhs: &Bhs) -> Self {
        Self {
            immediate: bhs.immediate(),
            reason: LogoutReason(bhs.0[1] & 0x7f),
            initiator_task_tag: bhs.initiator_task_tag(),
            cid: bhs.u16(20),
            cmd_sn: bhs.u32(24),
            exp_stat_sn: bhs.u32(28),
        }
    }

    /// The header, without lengths.
    #[must_use]
    pub fn encode(&self) -> Bhs {
        let mut bhs = Bhs::new(Opcode::LOGOUT_REQUEST).with_immediate(self.immediate);
        bhs.put(1, &[0x80 | self.reason.0 & 0x7f]);
        bhs.put_u32(16, self.initiator_task_tag);
        bhs.put_u16(20, self.cid);
        bhs.put_u32(24, self.cmd_sn);
        bhs.put_u32(28, self.exp_stat_sn);
        bhs
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    #[test]
    fn golden_bytes() {
        let bytes = golden("46810000 00000000 0000000000000000 00000001 00050000 00000002 00000003 0 0 0 0");
        let pdu = LogoutRequest {
            immediate: true,
            reason: LogoutReason::CLOSE_CONNECTION,
            initiator_task_tag: 1,
            cid: 5,
            cmd_sn: 2,
            exp_stat_sn: 3,
        };
        assert_eq!(pdu.encode(), bytes);
        assert_eq!(LogoutRequest::decode(&bytes), pdu);
    }
}
