//! What the target sends: that it may, and that it is what the device gave.

use capstan_iscsi::login::LoginStatus;
use capstan_iscsi::pdu::{
    Bhs, DataIn, LoginResponse, Opcode, Pdu, RESERVED_TAG, ReadyToTransfer, Residual, TargetNumbers, digest, padding,
};
use capstan_iscsi::target::Transmit;
use capstan_iscsi::text::pairs;

use super::super::device::{Announced, Answered, Device};
use super::super::{TRANSFER, WINDOW};
use super::{Initiator, PING};

impl Initiator {
    /// What the target sends.
    pub(in crate::session) fn take(&mut self, transmit: &Transmit, device: &mut Device, max_burst: u32) {
        let bhs = Bhs(*transmit.head().first_chunk().expect("a header"));
        let data = transmit.data();
        let pdu = Pdu::decode(&bhs);
        self.check_frame(&bhs, transmit, matches!(pdu, Pdu::LoginResponse(_)));
        self.check_numbers(&bhs, &pdu);
        assert!(data.len() <= usize::try_from(self.max_recv.max(8192)).expect("32 bits"));
        match pdu {
            Pdu::LoginResponse(response) => self.login_answered(&response, data),
            Pdu::NopIn(nop) => {
                if nop.initiator_task_tag == PING {
                    assert_eq!(&data[..], b"are you there");
                    self.echoed = true;
                }
            }
            Pdu::ReadyToTransfer(r2t) => {
                let end = r2t.buffer_offset.checked_add(r2t.desired_data_transfer_length).expect("within the command");
                assert!((1..=max_burst).contains(&r2t.desired_data_transfer_length) && end <= TRANSFER);
                assert!(self.commands.get(&r2t.initiator_task_tag).is_some_and(|sent| *sent > 0));
                self.r2ts.push(ReadyToTransfer { r2t_sn: 0, ..r2t });
            }
            Pdu::DataIn(answer) => self.data_in(&answer, data, device),
            Pdu::ScsiResponse(response) => {
                let itt = response.initiator_task_tag;
                let queue = device.answered.get(&itt).and_then(|queue| queue.front());
                let answered = queue.expect("a response that no device gave");
                assert_eq!(response.status, answered.status);
                let expected = residual(answered).unwrap_or(response.residual);
                assert_eq!(response.residual, expected, "residual of {:?}", answered.announced);
                self.answered(itt, device);
            }
            Pdu::TextResponse(response) => self.text_tag = response.target_transfer_tag,
            Pdu::TaskManagementResponse(_) | Pdu::LogoutResponse(_) | Pdu::AsyncMessage(_) => {}
            Pdu::Reject(_) => assert_eq!(data.len(), 48, "the header comes back"),
            other => panic!("{other:?} from a target"),
        }
    }

    fn login_answered(&mut self, response: &LoginResponse, text: &[u8]) {
        assert!(!self.logged_in, "a login is answered in the login phase");
        for pair in pairs(text).map(|pair| pair.expect("text of a target")) {
            match (pair.key, pair.value) {
                ("HeaderDigest", "CRC32C") => self.agreed.0 = true,
                ("DataDigest", "CRC32C") => self.agreed.1 = true,
                _ => {}
            }
        }
        self.logged_in = response.status == LoginStatus::SUCCESS && response.transit && response.tsih != 0;
        if self.logged_in {
            (self.header_digest, self.data_digest) = self.agreed;
        }
    }

    fn data_in(&mut self, answer: &DataIn, data: &[u8], device: &mut Device) {
        let itt = answer.initiator_task_tag;
        let queue = device.answered.get(&itt).and_then(|queue| queue.front());
        let answered = queue.expect("data that no device gave");
        let from = self.received.entry(itt).or_default();
        assert_eq!(usize::try_from(answer.buffer_offset).expect("32 bits"), *from, "a gap in Data-In");
        let end = *from + data.len();
        assert!(end <= usize::try_from(answered.limit).expect("32 bits"), "more than is taken");
        assert_eq!(data, &answered.data[*from..end], "other bytes than the device gave");
        assert!(data.len() <= usize::try_from(self.max_recv).expect("32 bits"));
        *from = end;
        if let Some(status) = answer.status {
            assert_eq!(status, answered.status);
            let expected = residual(answered).unwrap_or(answer.residual);
            assert_eq!(answer.residual, expected, "residual of {:?}", answered.announced);
            self.answered(itt, device);
        }
    }

    /// A command has ended: all of its data came before.
    fn answered(&mut self, itt: u32, device: &mut Device) {
        let received = self.received.remove(&itt).unwrap_or(0);
        let answered = device.answered.get(&itt).and_then(|queue| queue.front()).expect("just looked at");
        let limit = usize::try_from(answered.limit).expect("32 bits");
        assert_eq!(received, answered.data.len().min(limit), "an answer before all of its data");
        self.r2ts.retain(|r2t| r2t.initiator_task_tag != itt);
        device.answered.get_mut(&itt).expect("just looked at").pop_front();
        let sent = self.commands.get_mut(&itt).expect("an answer to nothing");
        *sent = sent.checked_sub(1).expect("answered more often than sent");
    }

    /// Lengths, padding and digests.
    fn check_frame(&self, bhs: &Bhs, transmit: &Transmit, login: bool) {
        let (head, data, tail) = (transmit.head(), transmit.data(), transmit.tail());
        assert_eq!(usize::try_from(bhs.data_segment_length()).expect("24 bits"), data.len());
        let fill = usize::from(padding(bhs.data_segment_length()));
        if self.header_digest && !login {
            assert_eq!(head[48..], digest(&[&bhs.0]));
        }
        if self.data_digest && !login && !data.is_empty() {
            assert_eq!(tail[fill..], digest(&[data, &tail[..fill]]));
        }
        assert!(tail[..fill].iter().all(|byte| *byte == 0));
    }

    fn check_numbers(&mut self, bhs: &Bhs, pdu: &Pdu) {
        let numbers = TargetNumbers::decode(bhs);
        let takes_stat_sn = match pdu {
            // The numbers of a refused login mean nothing. [RFC 7143 11.13.5]
            Pdu::LoginResponse(response) if !response.status.is_success() => return,
            Pdu::DataIn(answer) => answer.status.is_some(),
            Pdu::ReadyToTransfer(_) => false,
            Pdu::NopIn(nop) => nop.initiator_task_tag != RESERVED_TAG,
            _ => true,
        };
        if takes_stat_sn {
            if let Some(last) = self.stat_sn {
                assert_eq!(numbers.stat_sn, last.wrapping_add(1), "StatSN of {:?}", bhs.opcode());
            }
            self.stat_sn = Some(numbers.stat_sn);
        }
        let (exp, max) = (numbers.exp_cmd_sn, numbers.max_cmd_sn);
        let room = max.wrapping_sub(exp).wrapping_add(1);
        assert!(room <= WINDOW, "a window of {room}");
        if let Some((exp_before, max_before)) = self.window {
            assert!(exp.wrapping_sub(exp_before) < 0x8000_0000, "ExpCmdSN fell");
            assert!(max.wrapping_sub(max_before) < 0x8000_0000, "MaxCmdSN fell");
        }
        if bhs.opcode() != Opcode::LOGIN_RESPONSE {
            self.window = Some((exp, max));
        }
    }
}

/// What the device moved, compared with what was announced, where that is known. [RFC 7143 11.4.5]
fn residual(answered: &Answered) -> Option<Residual> {
    let data_in = u64::try_from(answered.data.len()).expect("64 bits");
    Some(match answered.announced {
        Announced::Refused => return None,
        Announced::Out(length) => Residual::of(length, u64::from(answered.data_out_length)),
        Announced::In if answered.limit > 0 => Residual::of(answered.limit, data_in),
        Announced::In => Residual::of(0, data_in.max(u64::from(answered.data_out_length))),
    })
}
