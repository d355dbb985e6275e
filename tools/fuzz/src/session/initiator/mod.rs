//! The initiator's side: what it sends, mostly right, and what it makes of what comes.

mod receive;
mod send;

use std::collections::BTreeMap;

use capstan_iscsi::login::{Isid, Stage};
use capstan_iscsi::pdu::{Bhs, LoginRequest, NopOut, Pdu, RESERVED_TAG, ReadyToTransfer, digest, padding};

const LUN: [u8; 8] = [0; 8];
const PING: u32 = 0x5151_5151;

/// Bytes of a command's data: they tell the command, and where they belong.
pub(in crate::session) fn pattern(itt: u32, from: usize, length: usize) -> Vec<u8> {
    let seed = itt.to_be_bytes()[3].wrapping_mul(31);
    (from..from + length).map(|at| seed.wrapping_add((at % 251).to_be_bytes()[7]).wrapping_mul(5)).collect()
}

#[derive(Debug)]
pub(in crate::session) struct Initiator {
    cmd_sn: u32,
    /// The numbers of the last answer.
    stat_sn: Option<u32>,
    window: Option<(u32, u32)>,
    header_digest: bool,
    data_digest: bool,
    max_recv: u32,
    logged_in: bool,
    echoed: bool,
    /// Commands sent and not answered, by initiator task tag.
    commands: BTreeMap<u32, u32>,
    /// Data-In so far, by initiator task tag.
    received: BTreeMap<u32, usize>,
    r2ts: Vec<ReadyToTransfer>,
    /// What an unsolicited burst goes on with: command, DataSN, offset.
    burst: (u32, u32, u32),
    text_tag: u32,
    /// Digests that the login has agreed on: header, data.
    agreed: (bool, bool),
    changed: bool,
}

impl Default for Initiator {
    fn default() -> Self {
        Self {
            cmd_sn: 100,
            stat_sn: None,
            window: None,
            header_digest: false,
            data_digest: false,
            max_recv: 8192,
            logged_in: false,
            echoed: false,
            commands: BTreeMap::new(),
            received: BTreeMap::new(),
            r2ts: Vec::new(),
            burst: (0, 0, 0),
            text_tag: RESERVED_TAG,
            agreed: (false, false),
            changed: false,
        }
    }
}

impl Initiator {
    pub(in crate::session) fn is_in(&self) -> bool {
        self.logged_in
    }

    pub(in crate::session) fn was_echoed(&self) -> bool {
        self.echoed
    }

    /// A login in one step.
    pub(in crate::session) fn login(&mut self, choice: u8) -> Vec<u8> {
        let digests = choice & 2 != 0;
        let mut text = "InitiatorName=iqn.i\0".to_owned();
        text.push_str(if choice & 0x40 != 0 { "SessionType=Discovery\0" } else { "TargetName=iqn.t\0" });
        text.push_str(if choice & 4 != 0 { "InitialR2T=Yes\0" } else { "InitialR2T=No\0" });
        text.push_str(if choice & 8 != 0 { "ImmediateData=No\0" } else { "ImmediateData=Yes\0" });
        if choice & 16 != 0 {
            text.push_str("MaxRecvDataSegmentLength=700\0");
        }
        if choice & 32 == 0 {
            text.push_str("MaxBurstLength=4096\0FirstBurstLength=4096\0");
        }
        if digests {
            text.push_str("HeaderDigest=CRC32C\0DataDigest=CRC32C\0");
        }
        let login = self.login_request(true, false, Stage::OPERATIONAL, Stage::FULL_FEATURE);
        let pdu = self.pdu(login.into(), &[], text.as_bytes());
        if choice & 16 != 0 {
            self.max_recv = 700;
        }
        pdu
    }

    fn login_request(&self, transit: bool, continues: bool, from: Stage, to: Stage) -> LoginRequest {
        LoginRequest {
            transit,
            continues,
            current_stage: from,
            next_stage: to,
            version_max: 0,
            version_min: 0,
            isid: Isid([0x80, 0, 0, 1, 2, 3]),
            tsih: 0,
            initiator_task_tag: 1,
            cid: 5,
            cmd_sn: self.cmd_sn,
            exp_stat_sn: 40,
        }
    }

    pub(in crate::session) fn ping(&mut self) -> Vec<u8> {
        self.echoed = false;
        let ping = NopOut {
            immediate: true,
            lun: LUN,
            initiator_task_tag: PING,
            target_transfer_tag: RESERVED_TAG,
            cmd_sn: self.cmd_sn,
            exp_stat_sn: 0,
        };
        self.pdu(ping.into(), &[], b"are you there")
    }

    /// A PDU with its digests and padding.
    fn pdu(&self, pdu: Pdu, ahs: &[u8], data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).expect("small");
        let words = u8::try_from(ahs.len() / 4).expect("small");
        self.raw(pdu.encode().with_data_segment_length(length).with_total_ahs_words(words), ahs, data)
    }

    fn raw(&self, bhs: Bhs, ahs: &[u8], data: &[u8]) -> Vec<u8> {
        let mut bytes = bhs.0.to_vec();
        bytes.extend_from_slice(ahs);
        if self.header_digest {
            bytes.extend(digest(&[&bytes]));
        }
        let fill = &[0; 3][..usize::from(padding(u32::try_from(data.len()).expect("small")))];
        bytes.extend_from_slice(data);
        bytes.extend_from_slice(fill);
        if self.data_digest && !data.is_empty() {
            bytes.extend(digest(&[data, fill]));
        }
        bytes
    }

    /// Bytes were changed on their way since this was asked last.
    pub(in crate::session) fn has_changed_bytes(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Remembers a command that the target sees.
    pub(in crate::session) fn count(&mut self, header: &[u8; 48]) {
        if let Pdu::ScsiCommand(command) = Pdu::decode(&Bhs(*header)) {
            *self.commands.entry(command.initiator_task_tag).or_default() += 1;
        }
    }
}
