//! The sequence numbers in every PDU from a target.

use super::Bhs;

/// StatSN, ExpCmdSN and MaxCmdSN, at the same place in every PDU from a target. [RFC 7143 11.4.8-10]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TargetNumbers {
    /// Status sequence number: this PDU's where it takes one, else the next.
    pub stat_sn: u32,
    /// The next CmdSN that the target expects.
    pub exp_cmd_sn: u32,
    /// The last CmdSN that the target takes now.
    pub max_cmd_sn: u32,
}

impl TargetNumbers {
    /// The numbers of a PDU from a target.
    #[must_use]
    pub fn decode(bhs: &Bhs) -> Self {
        Self { stat_sn: bhs.u32(24), exp_cmd_sn: bhs.u32(28), max_cmd_sn: bhs.u32(32) }
    }

    pub(super) fn encode(self, bhs: &mut Bhs) {
        bhs.put_u32(24, self.stat_sn);
        bhs.put_u32(28, self.exp_cmd_sn);
        bhs.put_u32(32, self.max_cmd_sn);
    }
}
