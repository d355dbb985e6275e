//! Login Response.

use super::bhs::flag;
use super::{Bhs, Opcode, TargetNumbers};
use crate::login::{Isid, LoginStatus, Stage};

/// Login Response; `key=value` pairs are the data segment. [RFC 7143 11.13]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoginResponse {
    /// T bit: the target goes to `next_stage`.
    pub transit: bool,
    /// C bit: the pairs go on in the next response.
    pub continues: bool,
    /// CSG.
    pub current_stage: Stage,
    /// NSG, only with the T bit.
    pub next_stage: Stage,
    /// Highest version that the target speaks.
    pub version_max: u8,
    /// The version in use.
    pub version_active: u8,
    /// Initiator session identifier, as in the request.
    pub isid: Isid,
    /// Target session identifying handle: the new session's in its last response.
    pub tsih: u16,
    /// Initiator task tag of the request.
    pub initiator_task_tag: u32,
    /// Sequence numbers.
    pub numbers: TargetNumbers,
    /// Status class and detail.
    pub status: LoginStatus,
}

impl LoginResponse {
    /// The fields of a header.
    #[must_use]
    pub fn decode(bhs: &Bhs) -> Self {
        Self {
            transit: bhs.bit(1, 0x80),
            continues: bhs.bit(1, 0x40),
            current_stage: Stage(bhs.0[1] >> 2 & 0x03),
            next_stage: Stage(bhs.0[1] & 0x03),
            version_max: bhs.0[2],
            version_active: bhs.0[3],
            isid: Isid(bhs.array(8)),
            tsih: bhs.u16(14),
            initiator_task_tag: bhs.initiator_task_tag(),
            numbers: TargetNumbers::decode(bhs),
            status: LoginStatus { class: bhs.0[36], detail: bhs.0[37] },
        }
    }

    /// The header, without lengths.
    #[must_use]
    pub fn encode(&self) -> Bhs {
        let mut bhs = Bhs::new(Opcode::LOGIN_RESPONSE);
        let stages = (self.current_stage.0 & 0x03) << 2 | self.next_stage.0 & 0x03;
        let flags = flag(self.transit, 0x80) | flag(self.continues, 0x40) | stages;
        bhs.put(1, &[flags, self.version_max, self.version_active]);
        bhs.put(8, &self.isid.0);
        bhs.put_u16(14, self.tsih);
        bhs.put_u32(16, self.initiator_task_tag);
        self.numbers.encode(&mut bhs);
        bhs.put(36, &[self.status.class, self.status.detail]);
        bhs
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    #[test]
    fn golden_bytes() {
        let bytes = golden("23810000 00000000 00023d000000 0007 00000001 0 00000002 00000003 00000004 02030000 0 0");
        let pdu = LoginResponse {
            transit: true,
            continues: false,
            current_stage: Stage::SECURITY,
            next_stage: Stage::OPERATIONAL,
            version_max: 0,
            version_active: 0,
            isid: Isid([0x00, 0x02, 0x3d, 0, 0, 0]),
            tsih: 7,
            initiator_task_tag: 1,
            numbers: TargetNumbers { stat_sn: 2, exp_cmd_sn: 3, max_cmd_sn: 4 },
            status: LoginStatus::NOT_FOUND,
        };
        assert_eq!(pdu.encode(), bytes);
        assert_eq!(LoginResponse::decode(&bytes), pdu);
    }
}
