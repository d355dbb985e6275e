//! Whole sessions: a script of PDUs, some of them broken, into the target's end of a connection, with a device that
//! echoes, slowly or not at all.
//!
//! Invariants:
//! - each command is handed out once and answered at most once, and none after the connection has ended;
//! - StatSN rises by one with each answer, MaxCmdSN never falls, ExpCmdSN never falls, and their distance never exceeds
//!   the window;
//! - the device gets the bytes that were sent, at their places; the initiator gets the bytes that the device gave, in
//!   order, within the lengths that were agreed on;
//! - R2Ts stay within the burst and the command;
//! - memory stays within what [`capstan_iscsi::target`] says it holds;
//! - the connection lives, and then answers a ping, or has ended for a reason.

mod device;
mod initiator;

use std::sync::Arc;
use std::time::{Duration, Instant};

use capstan_iscsi::target::{Config, Connection, ProtocolError};
use capstan_iscsi::text::{Parameters, Wishes};

use crate::memory::peak_of;
use crate::script::Script;
use device::Device;
use initiator::Initiator;

/// Small limits, so that scripts reach them.
const WINDOW: u32 = 4;
const IMMEDIATE: usize = 2;
const SEGMENT: u32 = 1500;
const FIRST_BURST: u32 = 2000;
const BURST: u32 = 1100;
const TRANSFER: u32 = 9000;
const BUDGET: u32 = 6000;

/// What all of it may hold at a time, with what the script's own side keeps: the module documentation of the target
/// says how much its side is.
const MEMORY: usize = {
    let unsolicited = (WINDOW as usize + IMMEDIATE) * TRANSFER as usize;
    let budgets = 2 * (BUDGET as usize + TRANSFER as usize);
    let kept = 4 * (TRANSFER as usize).next_power_of_two();
    let control = 64 * SEGMENT as usize + (64 << 10);
    unsolicited + budgets + kept + control + (256 << 10)
};

fn config() -> Config {
    Config {
        wishes: Wishes {
            parameters: Parameters {
                initial_r2t: false,
                max_burst_length: BURST,
                first_burst_length: FIRST_BURST,
                ..Parameters::default()
            },
            max_recv_data_segment_length: SEGMENT,
            ..Wishes::default()
        },
        command_window: WINDOW,
        immediate_limit: IMMEDIATE,
        max_transfer_length: TRANSFER,
        data_out_budget: BUDGET,
        data_in_budget: BUDGET,
        ..Config::default()
    }
}

/// Both ends, and a wire between them.
struct Session {
    target: Connection,
    now: Instant,
    initiator: Initiator,
    device: Device,
    /// Why it ended.
    ended: Option<ProtocolError>,
}

pub(crate) fn target(data: &[u8]) {
    let ((), peak) = peak_of(|| play(&mut Script::new(data)));
    assert!(peak <= MEMORY + 64 * data.len(), "{peak} bytes at a time");
}

fn play(script: &mut Script<'_>) {
    let now = Instant::now();
    let target = Connection::new(Arc::new(config()), now);
    let mut session = Session { target, now, initiator: Initiator::default(), device: Device::default(), ended: None };
    let usual = script.byte();
    if usual & 1 == 0 {
        session.log_in(usual);
    }
    while !script.is_over() && session.lives() {
        session.act(script);
        session.check();
    }
    session.finish();
}

impl Session {
    fn lives(&self) -> bool {
        self.ended.is_none() && !self.target.is_logged_out()
    }

    fn note(&mut self, outcome: Result<(), ProtocolError>) {
        if let Err(error) = outcome {
            assert!(!error.to_string().is_empty());
            self.ended.get_or_insert(error);
        }
    }

    /// A login that succeeds, with the keys that `choice` chooses.
    fn log_in(&mut self, choice: u8) {
        let pdu = self.initiator.login(choice);
        self.feed(&pdu);
        self.exchange(true);
        assert_eq!(self.ended, None, "a good login");
        assert!(self.initiator.is_in(), "a good login");
    }

    fn act(&mut self, script: &mut Script<'_>) {
        match script.byte() {
            0..=159 => {
                let pdu = self.initiator.next(script);
                // A socket is not read while its peer does not take what is due to it.
                if !self.target.wants_input() {
                    self.exchange(true);
                }
                self.feed(&pdu);
                self.events();
            }
            160..=191 => self.device.work(&mut self.target, script),
            192..=199 => {
                self.now += Duration::from_secs(u64::from(script.byte() % 40));
                let outcome = self.target.handle_timeout(self.now);
                self.note(outcome);
            }
            200..=203 => match script.byte() {
                0xff => self.target.announce_drop(),
                seconds => self.target.request_logout(u16::from(seconds)),
            },
            204..=223 => {
                // Some of what is to be sent goes out, not all of it.
                for _ in 0..script.byte() % 4 {
                    self.transmit_one();
                }
            }
            choice => self.exchange(choice & 1 != 0),
        }
        self.events();
    }

    /// Bytes into the connection, as a socket would bring them: in pieces.
    fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        // The bytes before these, or these, do not end where their header says: what is taken for data is no data.
        self.device.distrusts |= self.initiator.has_changed_bytes() || !self.target.expects_header();
        let piece = 1 + usize::from(bytes.get(40).copied().unwrap_or(0)) * 16;
        while !rest.is_empty() && self.lives() {
            if self.target.expects_header() {
                let Some((header, after)) = rest.split_first_chunk() else { return };
                self.device.distrusts |= rest.len() != bytes.len();
                rest = after;
                self.initiator.count(header);
                let outcome = self.target.receive_header(self.now, header).map(|_| ());
                self.note(outcome);
            } else {
                use bytes::BufMut as _;
                let missing = self.target.missing();
                assert!(missing > 0);
                let mut place = self.target.destination();
                assert!((1..=missing).contains(&place.remaining_mut()), "room for what is missing, and no more");
                let count = rest.len().min(place.remaining_mut()).min(piece);
                place.put_slice(&rest[..count]);
                rest = &rest[count..];
                let outcome = self.target.advance(self.now, count);
                self.note(outcome);
            }
            self.events();
        }
    }

    fn events(&mut self) {
        while let Some(event) = self.target.poll_event() {
            let outcome = self.device.take(&mut self.target, self.now, event);
            self.note(outcome);
        }
    }

    fn transmit_one(&mut self) -> bool {
        let Some(transmit) = self.target.poll_transmit() else { return false };
        let max_burst = self.target.parameters().max_burst_length;
        self.initiator.take(&transmit, &mut self.device, max_burst);
        self.events();
        true
    }

    /// Everything that is to be sent goes out. `answering`: the device ends everything first.
    fn exchange(&mut self, answering: bool) {
        loop {
            let worked = answering && self.device.work_all(&mut self.target);
            self.events();
            if !self.transmit_one() && !worked {
                break;
            }
        }
        assert!(!self.lives() || self.target.wants_input(), "nothing is due, and nothing is taken");
    }

    fn check(&self) {
        let window = usize::try_from(WINDOW).expect("small");
        assert!(self.target.outstanding() <= window + IMMEDIATE, "{} outstanding", self.target.outstanding());
    }

    /// What was begun is finished; then it lives and answers, or it has ended.
    fn finish(mut self) {
        self.exchange(true);
        if !self.lives() || !self.initiator.is_in() || !self.target.expects_header() {
            // What is still said after the end is no answer to a command.
            while self.transmit_one() {}
            return;
        }
        assert_eq!(self.device.held(), 0);
        let ping = self.initiator.ping();
        self.feed(&ping);
        self.exchange(true);
        assert_eq!(self.ended, None, "a ping");
        assert!(self.initiator.was_echoed(), "a ping is answered");
    }
}
