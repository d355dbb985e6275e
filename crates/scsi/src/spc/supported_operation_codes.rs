//! REPORT SUPPORTED OPERATION CODES parameter data. [SPC-5 6.34]

use crate::cdb::Opcode;
use crate::wire;

/// A supported command as it is reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SupportedCommand {
    /// OPERATION CODE.
    pub opcode: Opcode,
    /// SERVICE ACTION, for commands that have one.
    pub service_action: Option<u16>,
    /// CDB USAGE DATA: operation code, then one mask per byte. Its length is the CDB's.
    pub usage: &'static [u8],
    /// Command timeouts in seconds, nominal and recommended.
    pub timeouts: Timeouts,
}

/// Command timeouts descriptor. [SPC-5 6.34.4]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// NOMINAL COMMAND PROCESSING TIMEOUT in seconds.
    pub nominal: u32,
    /// RECOMMENDED COMMAND TIMEOUT in seconds. LTFS uses it as it stands.
    pub recommended: u32,
}

impl Timeouts {
    fn encode(self) -> [u8; 12] {
        let mut data = [0; 12];
        data[1] = 10;
        data[4..8].copy_from_slice(&self.nominal.to_be_bytes());
        data[8..12].copy_from_slice(&self.recommended.to_be_bytes());
        data
    }
}

const CTDP: u8 = 0x02;
const SERVACTV: u8 = 0x01;

/// All commands; with `rctd` each descriptor carries its timeouts. [SPC-5 6.34.2]
#[must_use]
pub fn encode_all(commands: &[SupportedCommand], rctd: bool) -> Vec<u8> {
    let mut list = Vec::new();
    for command in commands {
        let flags = if rctd { CTDP } else { 0 } | if command.service_action.is_some() { SERVACTV } else { 0 };
        list.extend([command.opcode.0, 0]);
        list.extend(command.service_action.unwrap_or(0).to_be_bytes());
        list.extend([0, flags]);
        list.extend(wire::length_u16(command.usage.len()).to_be_bytes());
        if rctd {
            list.extend(command.timeouts.encode());
        }
    }
    let mut data = wire::length_u32(list.len()).to_be_bytes().to_vec();
    data.extend(list);
    data
}

/// SUPPORT values of the one-command format. [SPC-5 6.34.3]
const NOT_SUPPORTED: u8 = 0b001;
const SUPPORTED: u8 = 0b011;

/// One command, or that it is not supported. [SPC-5 6.34.3]
#[must_use]
pub fn encode_one(command: Option<&SupportedCommand>, rctd: bool) -> Vec<u8> {
    let Some(command) = command else { return vec![0, NOT_SUPPORTED, 0, 0] };
    let mut data = vec![0, SUPPORTED | if rctd { 0x80 } else { 0 }];
    data.extend(wire::length_u16(command.usage.len()).to_be_bytes());
    data.extend(command.usage);
    if rctd {
        data.extend(command.timeouts.encode());
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    const TUR: SupportedCommand = SupportedCommand {
        opcode: Opcode::TEST_UNIT_READY,
        service_action: None,
        usage: &[0, 0, 0, 0, 0, 0],
        timeouts: Timeouts { nominal: 1, recommended: 0x3c },
    };
    const RSOC: SupportedCommand = SupportedCommand {
        opcode: Opcode::MAINTENANCE_IN,
        service_action: Some(0x0c),
        usage: &[0xa3, 0x1f, 0x87, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0],
        timeouts: Timeouts { nominal: 0, recommended: 0x3c },
    };

    #[test]
    fn golden_all_commands() {
        let data = encode_all(&[TUR, RSOC], false);
        assert_eq!(data, [0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 6, 0xa3, 0, 0, 0x0c, 0, 1, 0, 12]);
        let data = encode_all(&[TUR], true);
        let expected = [0, 0, 0, 20, 0, 0, 0, 0, 0, 2, 0, 6, 0, 10, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x3c];
        assert_eq!(data, expected);
    }

    #[test]
    fn golden_one_command() {
        assert_eq!(encode_one(None, true), [0, 1, 0, 0]);
        assert_eq!(encode_one(Some(&TUR), false), [0, 3, 0, 6, 0, 0, 0, 0, 0, 0]);
        let data = encode_one(Some(&RSOC), true);
        assert_eq!(&data[..6], &[0, 0x83, 0, 12, 0xa3, 0x1f]);
        assert_eq!(data.len(), 4 + 12 + 12);
    }
}
