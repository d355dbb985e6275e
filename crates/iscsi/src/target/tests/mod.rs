//! Sessions with a scripted initiator, in memory and in virtual time.

mod chap;
mod conversation;
mod discovery;
mod limits;
mod login;
mod management;
mod order;
mod random;
mod read;
mod write;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{BufMut as _, Bytes};

use super::*;
use crate::login::{Isid, LoginStatus, Stage};
use crate::pdu::*;

pub(super) const LUN: [u8; 8] = [0, 1, 0, 0, 0, 0, 0, 0];
pub(super) const TSIH: u16 = 7;
pub(super) const FIRST_CMD_SN: u32 = 100;

/// A target's connection and what an initiator would see of it.
pub(super) struct Bench {
    pub(super) target: Connection,
    pub(super) now: Instant,
    pub(super) cmd_sn: u32,
    /// Data goes in pieces of this size.
    piece: usize,
    header_digest: bool,
    data_digest: bool,
    last_stat_sn: Option<u32>,
    max_cmd_sn: u32,
}

/// A PDU from the target.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Sent {
    pub(super) pdu: Pdu,
    pub(super) data: Bytes,
}

impl Bench {
    pub(super) fn new(config: Config) -> Self {
        let now = Instant::now();
        Self {
            target: Connection::new(Arc::new(config), now),
            now,
            cmd_sn: FIRST_CMD_SN,
            piece: 1000,
            header_digest: false,
            data_digest: false,
            last_stat_sn: None,
            max_cmd_sn: FIRST_CMD_SN - 1,
        }
    }

    /// A normal session in the full feature phase, with these keys negotiated.
    pub(super) fn session(config: Config, keys: &[(&str, &str)]) -> Self {
        let mut bench = Self::new(config);
        bench.log_in("SessionType=Normal\0TargetName=iqn.t\0", keys);
        bench
    }

    /// With the usual limits, and unsolicited data allowed.
    pub(super) fn usual() -> Self {
        Self::session(Config::default(), &[("InitialR2T", "No"), ("MaxRecvDataSegmentLength", "8192")])
    }

    pub(super) fn log_in(&mut self, kind: &str, keys: &[(&str, &str)]) {
        let mut text = format!("InitiatorName=iqn.i\0{kind}");
        for (key, value) in keys {
            text.push_str(&format!("{key}={value}\0"));
        }
        self.send(self.login(Stage::OPERATIONAL, Stage::FULL_FEATURE), text.as_bytes()).unwrap();
        assert!(matches!(self.event(), Event::Identify(_)));
        self.target.identified(Ok(Authentication::None)).unwrap();
        assert_eq!(self.event(), Event::Establish);
        self.target.establish(self.now, Ok(TSIH)).unwrap();
        let Sent { pdu: Pdu::LoginResponse(response), .. } = self.one() else { panic!() };
        assert_eq!(response.status, LoginStatus::SUCCESS);
        assert_eq!(response.tsih, TSIH);
        self.header_digest = keys.contains(&("HeaderDigest", "CRC32C"));
        self.data_digest = keys.contains(&("DataDigest", "CRC32C"));
    }

    /// A first login request.
    pub(super) fn login(&self, current_stage: Stage, next_stage: Stage) -> LoginRequest {
        LoginRequest {
            transit: true,
            continues: false,
            current_stage,
            next_stage,
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

    /// Sends a PDU with its data, in pieces.
    pub(super) fn send(&mut self, pdu: impl Into<Pdu>, data: &[u8]) -> Result<(), ProtocolError> {
        let length = u32::try_from(data.len()).unwrap();
        self.send_raw(pdu.into().encode().with_data_segment_length(length), &[], data)
    }

    /// Sends a header as it is, additional segments, and data, which must be as long as the header says.
    pub(super) fn send_raw(&mut self, bhs: Bhs, ahs: &[u8], data: &[u8]) -> Result<(), ProtocolError> {
        let mut rest = ahs.to_vec();
        if self.header_digest {
            rest.extend(digest(&[&bhs.0, ahs]));
        }
        rest.extend(data);
        let fill = usize::from(padding(u32::try_from(data.len()).unwrap()));
        rest.extend(&[0; 3][..fill]);
        if self.data_digest && !data.is_empty() {
            rest.extend(digest(&[data, &[0; 3][..fill]]));
        }
        self.feed(&bhs.0, &rest)
    }

    pub(super) fn feed(&mut self, header: &[u8; 48], mut rest: &[u8]) -> Result<(), ProtocolError> {
        assert!(self.target.expects_header());
        self.target.receive_header(self.now, header)?;
        while !self.target.expects_header() {
            let count = rest.len().min(self.target.missing()).min(self.piece);
            assert!(count > 0, "the target wants {} bytes more", self.target.missing());
            let mut place = self.target.destination();
            let count = count.min(place.remaining_mut());
            place.put_slice(&rest[..count]);
            rest = &rest[count..];
            self.target.advance(self.now, count)?;
        }
        assert!(rest.is_empty(), "{} bytes too many", rest.len());
        Ok(())
    }

    pub(super) fn event(&mut self) -> Event {
        self.target.poll_event().expect("an event")
    }

    pub(super) fn no_event(&mut self) {
        assert_eq!(self.target.poll_event(), None);
    }

    /// All that the target sends now. Checks digests, lengths, and that sequence numbers go as they must.
    pub(super) fn sent(&mut self) -> Vec<Sent> {
        let mut all = Vec::new();
        while let Some(transmit) = self.target.poll_transmit() {
            let (head, tail) = (transmit.head(), transmit.tail());
            let bhs = Bhs(*head.first_chunk().unwrap());
            let is_login = bhs.opcode() == Opcode::LOGIN_RESPONSE;
            let length = transmit.data().len();
            assert_eq!(usize::try_from(bhs.data_segment_length()).unwrap(), length);
            let fill = usize::from(padding(bhs.data_segment_length()));
            if self.header_digest && !is_login {
                assert_eq!(head[48..], digest(&[&bhs.0]));
            } else {
                assert_eq!(head.len(), 48);
            }
            if self.data_digest && !is_login && length > 0 {
                assert_eq!(tail[fill..], digest(&[transmit.data(), &[0; 3][..fill]]));
            } else {
                assert_eq!(tail.len(), fill);
            }
            self.check_numbers(&bhs);
            all.push(Sent { pdu: Pdu::decode(&bhs), data: transmit.data().clone() });
        }
        all
    }

    fn check_numbers(&mut self, bhs: &Bhs) {
        let numbers = TargetNumbers::decode(bhs);
        // The numbers of a refused login mean nothing. [RFC 7143 11.13.5]
        if matches!(Pdu::decode(bhs), Pdu::LoginResponse(pdu) if !pdu.status.is_success()) {
            return;
        }
        let takes_stat_sn = match Pdu::decode(bhs) {
            Pdu::DataIn(pdu) => pdu.status.is_some(),
            Pdu::ReadyToTransfer(_) => false,
            Pdu::NopIn(pdu) => pdu.initiator_task_tag != RESERVED_TAG,
            _ => true,
        };
        // In a Data-In without status the field is reserved; R2Ts and pings carry the next one.
        if takes_stat_sn {
            if let Some(last) = self.last_stat_sn {
                assert_eq!(numbers.stat_sn, last.wrapping_add(1), "{bhs:?}");
            }
            self.last_stat_sn = Some(numbers.stat_sn);
        }
        assert!(numbers.max_cmd_sn.wrapping_sub(self.max_cmd_sn) < 0x8000_0000, "MaxCmdSN fell");
        self.max_cmd_sn = numbers.max_cmd_sn;
    }

    /// The only PDU that the target sends now.
    pub(super) fn one(&mut self) -> Sent {
        let mut all = self.sent();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// The next command of this session.
    pub(super) fn command(&mut self, tag: u32, flags: Flags, length: u32) -> ScsiCommand {
        let cmd_sn = self.cmd_sn;
        self.cmd_sn += 1;
        ScsiCommand {
            immediate: false,
            is_final: flags != Flags::WriteMore,
            read: flags == Flags::Read,
            write: flags == Flags::Write || flags == Flags::WriteMore,
            attribute: TaskAttribute::SIMPLE,
            lun: LUN,
            initiator_task_tag: tag,
            expected_data_transfer_length: length,
            cmd_sn,
            exp_stat_sn: 0,
            cdb: [9; 16],
        }
    }

    /// The command that was handed out.
    pub(super) fn handed_out(&mut self) -> Command {
        match self.event() {
            Event::Command(command) => command,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn pass(&mut self, seconds: u64) -> Result<(), ProtocolError> {
        self.now += Duration::from_secs(seconds);
        self.target.handle_timeout(self.now)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flags {
    None,
    Read,
    Write,
    /// A write with unsolicited Data-Out after it.
    WriteMore,
}

pub(super) fn data_out(tag: u32, transfer_tag: u32, data_sn: u32, offset: u32, is_final: bool) -> DataOut {
    DataOut {
        is_final,
        lun: LUN,
        initiator_task_tag: tag,
        target_transfer_tag: transfer_tag,
        exp_stat_sn: 0,
        data_sn,
        buffer_offset: offset,
    }
}

pub(super) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
}

pub(super) fn good() -> Answer {
    Answer::default()
}

pub(super) fn reject_of(sent: &Sent) -> RejectReason {
    match sent.pdu {
        Pdu::Reject(reject) => {
            assert_eq!(sent.data.len(), 48, "the header comes back");
            reject.reason
        }
        other => panic!("{other:?}"),
    }
}
