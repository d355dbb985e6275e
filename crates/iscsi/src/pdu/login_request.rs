//! Login Request.

use super::bhs::flag;
use super::{Bhs, Opcode};
use crate::login::{Isid, Stage};

/// Login Request; `key=value` pairs are the data segment. [RFC 7143 11.12]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoginRequest {
    /// T bit: the initiator is ready to go to `next_stage`.
    pub transit: bool,
    /// C bit: the pairs go on in the next request.
    pub continues: bool,
    /// CSG.
    pub current_stage: Stage,
    /// NSG, only with the T bit.
    pub next_stage: Stage,
    /// Highest version that the initiator speaks.
    pub version_max: u8,
    /// Lowest version that the initiator speaks.
    pub version_min: u8,
    /// Initiator session identifier.
    pub isid: Isid,
    /// Target session identifying handle; 0 for a new session.
    pub tsih: u16,
    /// Initiator task tag, the same for the whole login.
    pub initiator_task_tag: u32,
    /// Connection identifier.
    pub cid: u16,
    /// CmdSN; the login does not take it.
    pub cmd_sn: u32,
    /// ExpStatSN.
    pub exp_stat_sn: u32,
}

impl LoginRequest {
    /// The fields of a header.
    #[must_use]
    pub fn decode(bhs: &Bhs) -> Self {
        Self {
            transit: bhs.bit(1, 0x80),
            continues: bhs.bit(1, 0x40),
            current_stage: Stage(bhs.0[1] >> 2 & 0x03),
            next_stage: Stage(bhs.0[1] & 0x03),
            version_max: bhs.0[2],
            version_min: bhs.0[3],
            isid: Isid(bhs.array(8)),
            tsih: bhs.u16(14),
            initiator_task_tag: bhs.initiator_task_tag(),
            cid: bhs.u16(20),
            cmd_sn: bhs.u32(24),
            exp_stat_sn: bhs.u32(28),
        }
    }

    /// The header, without lengths. A login is always immediate.
    #[must_use]
    pub fn encode(&self) -> Bhs {
        let mut bhs = Bhs::new(Opcode::LOGIN_REQUEST).with_immediate(true);
        let stages = (self.current_stage.0 & 0x03) << 2 | self.next_stage.0 & 0x03;
        let flags = flag(self.transit, 0x80) | flag(self.continues, 0x40) | stages;
        bhs.put(1, &[flags, self.version_max, self.version_min]);
        bhs.put(8, &self.isid.0);
        bhs.put_u16(14, self.tsih);
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
        let bytes = golden("43870000 00000123 00023d000000 0000 00000001 00020000 00000003 00000004 0 0 0 0");
        let pdu = LoginRequest {
            transit: true,
            continues: false,
            current_stage: Stage::OPERATIONAL,
            next_stage: Stage::FULL_FEATURE,
            version_max: 0,
            version_min: 0,
            isid: Isid([0x00, 0x02, 0x3d, 0, 0, 0]),
            tsih: 0,
            initiator_task_tag: 1,
            cid: 2,
            cmd_sn: 3,
            exp_stat_sn: 4,
        };
        assert_eq!(pdu.encode().with_data_segment_length(0x123), bytes);
        assert_eq!(LoginRequest::decode(&bytes), pdu);
    }
}
