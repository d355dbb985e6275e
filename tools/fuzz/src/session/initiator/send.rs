//! What the initiator sends: what the script says, of what makes sense now.

use capstan_iscsi::login::Stage;
use capstan_iscsi::pdu::{
    Bhs, DataOut, LogoutReason, LogoutRequest, NopOut, Pdu, RESERVED_TAG, ScsiCommand, SnackRequest, SnackType,
    TaskAttribute, TaskManagementFunction, TaskManagementRequest, TextRequest,
};

use super::super::TRANSFER;
use super::{Initiator, LUN, pattern};
use crate::script::Script;

/// A PDU, its additional header segments and its data.
type Parts = (Pdu, Vec<u8>, Vec<u8>);

impl Initiator {
    /// What the script says: a PDU that is right, nearly right, or any bytes.
    pub(in crate::session) fn next(&mut self, script: &mut Script<'_>) -> Vec<u8> {
        let choice = script.byte();
        if choice < 4 {
            self.changed = true;
            return script.take(usize::from(choice) * 60).to_vec();
        }
        let (pdu, ahs, data) = self.sensible(choice, script);
        let mut bytes = self.pdu(pdu, &ahs, &data);
        match script.byte() {
            // One byte is wrong, or the digest over it is made anew.
            0..=7 => {
                let at = usize::from(script.u16()) % bytes.len();
                bytes[at] ^= script.byte();
                self.changed = true;
            }
            8..=31 => {
                let mut bhs = Bhs(*bytes.first_chunk().expect("a header"));
                let at = script.below(48);
                bhs.0[at] ^= script.byte();
                let ahs = vec![0; bhs.total_ahs_length()];
                let length = usize::try_from(bhs.data_segment_length()).expect("24 bits").min(4000);
                let data = data_for(&bhs, length);
                bytes = self.raw(bhs, &ahs, &data);
            }
            _ => {}
        }
        bytes
    }

    /// A PDU that an initiator could send.
    fn sensible(&mut self, choice: u8, script: &mut Script<'_>) -> Parts {
        let options = script.byte();
        let immediate = options & 0x40 != 0;
        let cmd_sn = self.number(immediate, options);
        let itt = u32::from(options & 7);
        let exp_stat_sn = 0;
        match choice {
            4..=99 => self.command(itt, immediate, cmd_sn, script),
            100..=169 => self.data_out(options, script),
            170..=189 => {
                let target_transfer_tag = if options & 8 != 0 { script.u32() } else { RESERVED_TAG };
                let initiator_task_tag = if options & 16 != 0 { RESERVED_TAG } else { 0x100 + itt };
                let nop = NopOut { immediate, lun: LUN, initiator_task_tag, target_transfer_tag, cmd_sn, exp_stat_sn };
                (nop.into(), vec![], vec![9; usize::from(script.u16() % 1400)])
            }
            190..=209 => {
                let request = TaskManagementRequest {
                    immediate,
                    function: TaskManagementFunction(1 + script.byte() % 9),
                    lun: LUN,
                    initiator_task_tag: 0x200 + itt,
                    referenced_task_tag: u32::from(script.byte() & 7),
                    cmd_sn,
                    exp_stat_sn,
                    ref_cmd_sn: cmd_sn.wrapping_sub(u32::from(script.byte() % 8)),
                    exp_data_sn: 0,
                };
                (request.into(), vec![], vec![])
            }
            210..=229 => {
                let request = TextRequest {
                    immediate,
                    is_final: options & 8 == 0,
                    continues: options & 16 != 0,
                    lun: LUN,
                    initiator_task_tag: 0x300 + itt,
                    target_transfer_tag: if options & 32 != 0 { self.text_tag } else { RESERVED_TAG },
                    cmd_sn,
                    exp_stat_sn,
                };
                (request.into(), vec![], text(script))
            }
            230..=243 => self.end(choice, options, immediate, cmd_sn),
            _ => {
                let stages = [Stage::SECURITY, Stage::OPERATIONAL, Stage(2), Stage::FULL_FEATURE];
                let (from, to) = (script.pick(&stages), script.pick(&stages));
                let request = self.login_request(options & 8 != 0, options & 16 != 0, from, to);
                (request.into(), vec![], text(script))
            }
        }
    }

    /// What asks for something again, or ends everything.
    fn end(&self, choice: u8, options: u8, immediate: bool, cmd_sn: u32) -> Parts {
        let (itt, exp_stat_sn) = (u32::from(options & 7), 0);
        if choice < 240 {
            let request = SnackRequest {
                kind: SnackType(options & 15),
                lun: LUN,
                initiator_task_tag: itt,
                target_transfer_tag: RESERVED_TAG,
                exp_stat_sn,
                beg_run: 0,
                run_length: 0,
            };
            return (request.into(), vec![], vec![]);
        }
        let reason = LogoutReason(options & 3);
        let cid = if options & 8 != 0 { 5 } else { 6 };
        let initiator_task_tag = 0x400 + itt;
        let request = LogoutRequest { immediate, reason, initiator_task_tag, cid, cmd_sn, exp_stat_sn };
        (request.into(), vec![], vec![])
    }

    /// The next CmdSN, mostly.
    fn number(&mut self, immediate: bool, options: u8) -> u32 {
        let cmd_sn = self.cmd_sn;
        if options & 0x80 != 0 {
            // A gap, a repetition, or one beyond the window.
            return cmd_sn.wrapping_add(u32::from(options >> 3 & 7)).wrapping_sub(2);
        }
        self.cmd_sn = cmd_sn.wrapping_add(u32::from(!immediate));
        cmd_sn
    }

    fn command(&mut self, initiator_task_tag: u32, immediate: bool, cmd_sn: u32, script: &mut Script<'_>) -> Parts {
        let flags = script.byte();
        let length = match flags & 3 {
            0 => u32::from(script.byte()),
            1 => script.within(0, TRANSFER),
            _ => u32::from(script.u16() % 10_000),
        };
        let (read, write) = match (flags >> 2) & 7 {
            0 => (false, false),
            1 => (true, true),
            2..=4 => (true, false),
            _ => (false, true),
        };
        let unsolicited = if write && flags & 0x40 != 0 { usize::from(script.u16() % 1500) } else { 0 };
        let immediate_data = unsolicited.min(usize::try_from(length).expect("32 bits"));
        let pdu = ScsiCommand {
            immediate,
            is_final: flags & 0x80 == 0,
            read,
            write,
            attribute: TaskAttribute(flags & 7),
            lun: LUN,
            initiator_task_tag,
            expected_data_transfer_length: length,
            cmd_sn,
            exp_stat_sn: 0,
            cdb: [flags; 16],
        };
        let offset = u32::try_from(immediate_data).expect("small");
        self.burst = (initiator_task_tag, 0, offset);
        let ahs = if flags == 0xff { vec![0, 5, 1 + script.byte() % 3, 0, 0, 0, 0, 0] } else { vec![] };
        (pdu.into(), ahs, pattern(initiator_task_tag, 0, immediate_data))
    }

    /// Data-Out for an R2T, or unsolicited, from where it stands.
    fn data_out(&mut self, options: u8, script: &mut Script<'_>) -> Parts {
        let wanted = 1 + u32::from(script.u16() % 1500);
        let (itt, transfer_tag, data_sn, offset, length, is_final) = match self.r2ts.first_mut() {
            Some(r2t) if options & 8 == 0 => {
                let length = wanted.min(r2t.desired_data_transfer_length);
                let last = length == r2t.desired_data_transfer_length;
                let sent = (r2t.initiator_task_tag, r2t.target_transfer_tag, r2t.r2t_sn, r2t.buffer_offset);
                r2t.buffer_offset += length;
                r2t.desired_data_transfer_length -= length;
                // From here on it counts Data-Outs.
                r2t.r2t_sn += 1;
                if last {
                    self.r2ts.remove(0);
                }
                (sent.0, sent.1, sent.2, sent.3, length, last)
            }
            _ => {
                let (itt, data_sn, offset) = self.burst;
                self.burst = (itt, data_sn + 1, offset.wrapping_add(wanted));
                (itt, RESERVED_TAG, data_sn, offset, wanted, options & 16 != 0)
            }
        };
        let pdu = DataOut {
            is_final,
            lun: LUN,
            initiator_task_tag: itt,
            target_transfer_tag: transfer_tag,
            exp_stat_sn: 0,
            data_sn,
            buffer_offset: offset,
        };
        let from = usize::try_from(offset).expect("32 bits");
        (pdu.into(), vec![], pattern(itt, from, usize::try_from(length).expect("32 bits")))
    }
}

/// Data as it belongs to a header that was changed.
fn data_for(bhs: &Bhs, length: usize) -> Vec<u8> {
    match Pdu::decode(bhs) {
        Pdu::DataOut(pdu) => {
            pattern(pdu.initiator_task_tag, usize::try_from(pdu.buffer_offset).expect("32 bits"), length)
        }
        Pdu::ScsiCommand(pdu) => pattern(pdu.initiator_task_tag, 0, length),
        _ => vec![0; length],
    }
}

fn text(script: &mut Script<'_>) -> Vec<u8> {
    const PAIRS: [&str; 12] = [
        "SendTargets=All\0",
        "SendTargets=\0",
        "InitiatorName=iqn.i\0",
        "InitiatorName=iqn.nobody\0",
        "SessionType=Discovery\0",
        "TargetName=iqn.t\0",
        "AuthMethod=CHAP,None\0",
        "MaxRecvDataSegmentLength=512\0",
        "HeaderDigest=CRC32C,None\0",
        "MaxBurstLength=512\0",
        "X-unknown=1\0",
        "InitialR2T=maybe\0",
    ];
    let mut text = Vec::new();
    for _ in 0..script.byte() % 6 {
        let choice = script.byte();
        if choice < 230 {
            text.extend_from_slice(PAIRS[usize::from(choice) % PAIRS.len()].as_bytes());
        } else {
            text.extend_from_slice(script.take(usize::from(choice - 230) * 4));
        }
    }
    text
}
