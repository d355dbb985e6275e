//! A plain blocking initiator.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use capstan_iscsi::login::{Isid, LoginStatus, Stage};
use capstan_iscsi::pdu::*;

/// How to log in.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) initiator: String,
    pub(super) port: u8,
    pub(super) tsih: u16,
    /// `None`: a discovery session.
    pub(super) target: Option<String>,
    pub(super) keys: Vec<(&'static str, &'static str)>,
}

impl Login {
    pub(super) fn to(number: usize) -> Self {
        let keys = vec![("InitialR2T", "No"), ("MaxRecvDataSegmentLength", "65536")];
        Self { initiator: "iqn.i".to_owned(), port: 1, tsih: 0, target: Some(format!("iqn.t{number}")), keys }
    }

    pub(super) fn discovery() -> Self {
        Self { target: None, ..Self::to(0) }
    }
}

/// What came of a command.
#[derive(PartialEq, Debug)]
pub(super) struct Outcome {
    pub(super) status: u8,
    pub(super) data: Vec<u8>,
    pub(super) sense: Vec<u8>,
    pub(super) residual: Residual,
}

pub(super) struct Client {
    pub(super) stream: TcpStream,
    pub(super) cmd_sn: u32,
    pub(super) tsih: u16,
    next_tag: u32,
}

impl Client {
    pub(super) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self { stream, cmd_sn: 1, tsih: 0, next_tag: 1 }
    }

    pub(super) fn log_in(address: SocketAddr, login: Login) -> Result<Self, LoginStatus> {
        let mut client = Self::connect(address);
        client.send_login(login);
        let (Pdu::LoginResponse(response), _) = client.receive() else { panic!() };
        if !response.status.is_success() {
            assert!(client.is_closed());
            return Err(response.status);
        }
        assert!(response.transit && response.tsih != 0);
        client.tsih = response.tsih;
        Ok(client)
    }

    pub(super) fn send_login(&mut self, login: Login) {
        let kind = match login.target {
            Some(target) => format!("TargetName={target}\0"),
            None => "SessionType=Discovery\0".to_owned(),
        };
        let mut text = format!("InitiatorName={}\0{kind}", login.initiator);
        for (key, value) in login.keys {
            text.push_str(&format!("{key}={value}\0"));
        }
        let pdu = LoginRequest {
            transit: true,
            continues: false,
            current_stage: Stage::OPERATIONAL,
            next_stage: Stage::FULL_FEATURE,
            version_max: 0,
            version_min: 0,
            isid: Isid([0x80, 0, 0, 0, 0, login.port]),
            tsih: login.tsih,
            initiator_task_tag: 0,
            cid: 0,
            cmd_sn: self.cmd_sn,
            exp_stat_sn: 0,
        };
        self.send(pdu, text.as_bytes());
    }

    pub(super) fn send(&mut self, pdu: impl Into<Pdu>, data: &[u8]) {
        let length = u32::try_from(data.len()).unwrap();
        let Bhs(header) = pdu.into().encode().with_data_segment_length(length);
        let fill = [0; 3];
        let whole = [&header[..], data, &fill[..usize::from(padding(length))]].concat();
        self.stream.write_all(&whole).unwrap();
    }

    pub(super) fn receive(&mut self) -> (Pdu, Vec<u8>) {
        let mut header = [0; 48];
        self.stream.read_exact(&mut header).unwrap();
        let bhs = Bhs(header);
        let length = bhs.data_segment_length();
        let mut data = vec![0; usize::try_from(length).unwrap() + usize::from(padding(length))];
        self.stream.read_exact(&mut data).unwrap();
        data.truncate(usize::try_from(length).unwrap());
        (Pdu::decode(&bhs), data)
    }

    /// Whether the target closed the connection.
    pub(super) fn is_closed(&mut self) -> bool {
        let mut rest = [0; 4096];
        loop {
            match self.stream.read(&mut rest) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return true,
                Err(_) => return false,
            }
        }
    }

    /// Sends a command with as much of its data as may go with it; its tag.
    pub(super) fn send_command(&mut self, cdb: &[u8], read: u32, write: &[u8]) -> u32 {
        let tag = self.next_tag;
        self.next_tag += 1;
        let mut whole = [0; 16];
        whole[..cdb.len()].copy_from_slice(cdb);
        let expected = if write.is_empty() { read } else { u32::try_from(write.len()).unwrap() };
        let pdu = ScsiCommand {
            immediate: false,
            is_final: true,
            read: read > 0,
            write: !write.is_empty(),
            attribute: TaskAttribute::SIMPLE,
            lun: [0; 8],
            initiator_task_tag: tag,
            expected_data_transfer_length: expected,
            cmd_sn: self.cmd_sn,
            exp_stat_sn: 0,
            cdb: whole,
        };
        self.cmd_sn += 1;
        self.send(pdu, &write[..write.len().min(65536)]);
        tag
    }

    /// Runs a command to its end, answering R2Ts and pings.
    pub(super) fn command(&mut self, cdb: &[u8], read: u32, write: &[u8]) -> Outcome {
        let tag = self.send_command(cdb, read, write);
        self.finish(tag, write)
    }

    pub(super) fn finish(&mut self, tag: u32, write: &[u8]) -> Outcome {
        let mut data = Vec::new();
        loop {
            match self.receive() {
                (Pdu::ReadyToTransfer(pdu), _) => self.answer(&pdu, write),
                (Pdu::DataIn(pdu), segment) => {
                    assert_eq!(pdu.initiator_task_tag, tag);
                    assert_eq!(usize::try_from(pdu.buffer_offset).unwrap(), data.len());
                    data.extend(segment);
                    if let Some(status) = pdu.status {
                        return Outcome { status, data, sense: Vec::new(), residual: pdu.residual };
                    }
                }
                (Pdu::ScsiResponse(pdu), segment) => {
                    assert_eq!(pdu.initiator_task_tag, tag);
                    let sense = segment.get(2..).unwrap_or_default().to_vec();
                    return Outcome { status: pdu.status, data, sense, residual: pdu.residual };
                }
                (Pdu::NopIn(pdu), _) => self.pong(&pdu),
                other => panic!("{other:?}"),
            }
        }
    }

    pub(super) fn pong(&mut self, ping: &NopIn) {
        let pdu = NopOut {
            immediate: true,
            lun: ping.lun,
            initiator_task_tag: RESERVED_TAG,
            target_transfer_tag: ping.target_transfer_tag,
            cmd_sn: self.cmd_sn,
            exp_stat_sn: 0,
        };
        self.send(pdu, b"");
    }

    fn answer(&mut self, r2t: &ReadyToTransfer, write: &[u8]) {
        let from = usize::try_from(r2t.buffer_offset).unwrap();
        let burst = &write[from..from + usize::try_from(r2t.desired_data_transfer_length).unwrap()];
        let count = burst.chunks(100_000).count();
        for (number, chunk) in burst.chunks(100_000).enumerate() {
            let pdu = DataOut {
                is_final: number + 1 == count,
                lun: r2t.lun,
                initiator_task_tag: r2t.initiator_task_tag,
                target_transfer_tag: r2t.target_transfer_tag,
                exp_stat_sn: 0,
                data_sn: u32::try_from(number).unwrap(),
                buffer_offset: r2t.buffer_offset + u32::try_from(number * 100_000).unwrap(),
            };
            self.send(pdu, chunk);
        }
    }

    /// Sends a ping and waits for its answer; PDUs before it are thrown away.
    pub(super) fn ping(&mut self) {
        let pdu = NopOut {
            immediate: true,
            lun: [0; 8],
            initiator_task_tag: 0x7fff_0000,
            target_transfer_tag: RESERVED_TAG,
            cmd_sn: self.cmd_sn,
            exp_stat_sn: 0,
        };
        self.send(pdu, b"are you there");
        loop {
            if let (Pdu::NopIn(pong), data) = self.receive()
                && pong.initiator_task_tag == 0x7fff_0000
            {
                assert_eq!(data, b"are you there");
                return;
            }
        }
    }

    pub(super) fn log_out(mut self) {
        let pdu = LogoutRequest {
            immediate: true,
            reason: LogoutReason::CLOSE_SESSION,
            initiator_task_tag: 0x7fff_0001,
            cid: 0,
            cmd_sn: self.cmd_sn,
            exp_stat_sn: 0,
        };
        self.send(pdu, b"");
        let (Pdu::LogoutResponse(response), _) = self.receive() else { panic!() };
        assert_eq!(response.response, LogoutOutcome::CLOSED);
        assert!(self.is_closed());
    }

    /// Asks for targets in a discovery session.
    pub(super) fn send_targets(&mut self, value: &str) -> String {
        let pdu = TextRequest {
            immediate: true,
            is_final: true,
            continues: false,
            lun: [0; 8],
            initiator_task_tag: 5,
            target_transfer_tag: RESERVED_TAG,
            cmd_sn: self.cmd_sn,
            exp_stat_sn: 0,
        };
        self.send(pdu, format!("SendTargets={value}\0").as_bytes());
        let (Pdu::TextResponse(response), text) = self.receive() else { panic!() };
        assert!(response.is_final);
        String::from_utf8(text).unwrap().replace('\0', ";")
    }
}

pub(super) const TEST_UNIT_READY: [u8; 6] = [0; 6];
/// Never answered, until it is aborted or [`super::Device::release`] is called.
pub(super) const STUCK: [u8; 6] = [0xff, 0, 0, 0, 0, 0];

pub(super) fn transfer(opcode: u8, length: usize) -> [u8; 6] {
    let [_, high, middle, low] = u32::try_from(length).unwrap().to_be_bytes();
    [opcode, 0, high, middle, low, 0]
}
