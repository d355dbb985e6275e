//! Whole conversations with random parameters: all data arrives, whatever the split. And the same with one byte of
//! one header changed: a defined answer, no panic, no growth.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

/// What the initiator does next.
#[derive(Clone, Debug)]
enum Action {
    /// Writes `length` bytes, so many of them at once; the device wants all, or less, or more.
    Write {
        length: u32,
        immediate: u32,
        wanted: u32,
    },
    /// Reads with room for `expected` bytes; the device has `actual`.
    Read {
        expected: u32,
        actual: u32,
        status: u8,
    },
    /// Writes, and aborts before the end.
    Abort {
        length: u32,
    },
    Reset,
    Ping {
        length: usize,
        immediate: bool,
    },
    Text,
}

fn action() -> impl Strategy<Value = Action> {
    let length = || prop_oneof![Just(0u32), 1..40u32, 1..20_000u32];
    prop_oneof![
        6 => (length(), length(), length())
            .prop_map(|(length, immediate, wanted)| Action::Write { length, immediate, wanted }),
        4 => (length(), length(), prop_oneof![Just(0u8), Just(2)])
            .prop_map(|(expected, actual, status)| Action::Read { expected, actual, status }),
        1 => length().prop_map(|length| Action::Abort { length }),
        1 => Just(Action::Reset),
        1 => (0..3000usize, any::<bool>()).prop_map(|(length, immediate)| Action::Ping { length, immediate }),
        1 => Just(Action::Text),
    ]
}

/// Lengths that divide nothing, so that all kinds of splits come up.
#[derive(Clone, Debug)]
struct Terms {
    max_recv: u32,
    max_burst: u32,
    first_burst: u32,
    initial_r2t: bool,
    immediate_data: bool,
    digests: bool,
    /// Longest Data-Out that the initiator sends.
    segment: usize,
    piece: usize,
}

fn terms() -> impl Strategy<Value = Terms> {
    let lengths = (512..9000u32, 512..9000u32, 512..9000u32, 1..5000usize, 1..5000usize);
    (lengths, any::<[bool; 3]>()).prop_map(|((max_recv, max_burst, first_burst, segment, piece), flags)| {
        let [initial_r2t, immediate_data, digests] = flags;
        Terms { max_recv, max_burst, first_burst, initial_r2t, immediate_data, digests, segment, piece }
    })
}

/// One byte of one header that is changed on its way.
#[derive(Clone, Copy, Debug)]
struct Mutation {
    pdu: usize,
    byte: usize,
    xor: u8,
}

struct Conversation {
    bench: Bench,
    terms: Terms,
    mutation: Option<Mutation>,
    sent: usize,
    next_tag: u32,
    /// Data of the write that runs now, and how much of it the device wants.
    data: Vec<u8>,
    wanted: u32,
    answer: Answer,
    /// What the device got.
    got: Vec<u8>,
    /// What the initiator got.
    received: Vec<u8>,
    outcome: Option<(u8, Residual)>,
    others: usize,
    hold: bool,
}

type Result<T = ()> = std::result::Result<T, ProtocolError>;

impl Conversation {
    fn new(terms: &Terms, mutation: Option<Mutation>) -> Self {
        let yes_no = |value: bool| if value { "Yes" } else { "No" };
        let numbers = [terms.max_recv, terms.max_burst, terms.first_burst].map(|number| number.to_string());
        let digest = if terms.digests { "CRC32C" } else { "None" };
        let keys = [
            ("MaxRecvDataSegmentLength", numbers[0].as_str()),
            ("MaxBurstLength", &numbers[1]),
            ("FirstBurstLength", &numbers[2]),
            ("InitialR2T", yes_no(terms.initial_r2t)),
            ("ImmediateData", yes_no(terms.immediate_data)),
            ("HeaderDigest", digest),
            ("DataDigest", digest),
        ];
        let mut bench = Bench::session(Config::default(), &keys);
        bench.piece = terms.piece;
        Self {
            bench,
            terms: terms.clone(),
            mutation,
            sent: 0,
            next_tag: 1,
            data: Vec::new(),
            wanted: 0,
            answer: good(),
            got: Vec::new(),
            received: Vec::new(),
            outcome: None,
            others: 0,
            hold: false,
        }
    }

    fn send(&mut self, pdu: impl Into<Pdu>, data: &[u8]) -> Result {
        let length = u32::try_from(data.len()).unwrap();
        let mut bhs = pdu.into().encode().with_data_segment_length(length);
        let mutation = self.mutation.filter(|mutation| mutation.pdu == self.sent);
        self.sent += 1;
        let Some(Mutation { byte, xor, .. }) = mutation else { return self.bench.send_raw(bhs, &[], data) };
        bhs.0[byte] ^= xor;
        // As long as the changed header says, so that the next header is found again.
        let ahs = vec![0; bhs.total_ahs_length()];
        let mut data = data.to_vec();
        data.resize(usize::try_from(bhs.data_segment_length()).unwrap(), 0);
        self.bench.send_raw(bhs, &ahs, &data)
    }

    /// Lets device and initiator answer each other until both are silent.
    fn settle(&mut self) -> Result {
        loop {
            let mut idle = true;
            while let Some(event) = self.bench.target.poll_event() {
                idle = false;
                self.device(event);
            }
            let mut solicited = VecDeque::new();
            for sent in self.bench.sent() {
                idle = false;
                solicited.extend(self.initiator(&sent));
            }
            for pdu in solicited {
                self.answer_r2t(&pdu)?;
            }
            let target = &self.bench.target;
            assert!(target.outstanding() <= 40);
            assert!(!idle || target.answers.is_empty() && target.urgent.is_empty());
            if idle || target.is_logged_out() {
                return Ok(());
            }
        }
    }

    fn device(&mut self, event: Event) {
        let target = &mut self.bench.target;
        match event {
            Event::Command(command) if self.hold => drop(command),
            Event::Command(command) => {
                assert!(command.data_out.len() <= usize::try_from(command.data_out_expected).unwrap());
                self.got = command.data_out.to_vec();
                let received = u32::try_from(self.got.len()).unwrap();
                if received < self.wanted.min(command.data_out_expected) {
                    target.need_data(command.tag, received, self.wanted);
                } else {
                    target.complete(command.tag, self.answer.clone());
                }
            }
            Event::DataOut { tag, data, .. } => {
                self.got.extend_from_slice(&data);
                target.complete(tag, self.answer.clone());
            }
            Event::Refused { tag, .. } => target.complete(tag, good()),
            Event::Manage(request) => target.managed(request.tag, TaskManagementOutcome::FUNCTION_COMPLETE),
            Event::SendTargets(_) => target.send_targets(&[]),
            Event::Identify(_) | Event::Establish => panic!("a login in a session"),
            Event::Rejected { .. } | Event::LoggedOut | Event::Proof { .. } => {}
        }
    }

    fn initiator(&mut self, sent: &Sent) -> Option<ReadyToTransfer> {
        match sent.pdu {
            Pdu::ReadyToTransfer(pdu) => {
                assert!(pdu.desired_data_transfer_length <= self.terms.max_burst);
                return Some(pdu);
            }
            Pdu::DataIn(pdu) => {
                assert!(sent.data.len() <= usize::try_from(self.terms.max_recv).unwrap());
                assert_eq!(usize::try_from(pdu.buffer_offset).unwrap(), self.received.len());
                self.received.extend_from_slice(&sent.data);
                self.outcome = pdu.status.map(|status| (status, pdu.residual)).or(self.outcome);
            }
            Pdu::ScsiResponse(pdu) => self.outcome = Some((pdu.status, pdu.residual)),
            _ => self.others += 1,
        }
        None
    }

    fn answer_r2t(&mut self, pdu: &ReadyToTransfer) -> Result {
        let from = usize::try_from(pdu.buffer_offset).unwrap();
        let length = usize::try_from(pdu.desired_data_transfer_length).unwrap();
        let burst = self.data.get(from..from + length).map_or(vec![0; length], <[u8]>::to_vec);
        self.data_outs(pdu.initiator_task_tag, pdu.target_transfer_tag, pdu.buffer_offset, &burst)
    }

    fn data_outs(&mut self, tag: u32, transfer_tag: u32, offset: u32, burst: &[u8]) -> Result {
        let mut place = offset;
        let count = burst.len().div_ceil(self.terms.segment);
        for (number, segment) in burst.chunks(self.terms.segment).enumerate() {
            let data_sn = u32::try_from(number).unwrap();
            self.send(data_out(tag, transfer_tag, data_sn, place, number + 1 == count), segment)?;
            place += u32::try_from(segment.len()).unwrap();
        }
        Ok(())
    }

    /// Sends a write with its unsolicited data; its tag.
    fn begin_write(&mut self, length: u32, immediate: u32) -> Result<u32> {
        let tag = self.next_tag;
        self.next_tag += 1;
        self.data = pattern(usize::try_from(length).unwrap());
        let first_burst = length.min(self.terms.first_burst);
        let immediate = if self.terms.immediate_data { immediate.min(first_burst) } else { 0 };
        let unsolicited = if self.terms.initial_r2t { immediate } else { first_burst };
        let flags = if unsolicited > immediate { Flags::WriteMore } else { Flags::Write };
        let command = self.bench.command(tag, flags, length);
        let place = |offset: u32| usize::try_from(offset).unwrap();
        let data = self.data.clone();
        self.send(command, &data[..place(immediate)])?;
        self.data_outs(tag, RESERVED_TAG, immediate, &data[place(immediate)..place(unsolicited)])?;
        Ok(tag)
    }

    fn manage(&mut self, function: TaskManagementFunction, tag: u32) -> Result {
        let pdu = TaskManagementRequest {
            immediate: true,
            function,
            lun: LUN,
            initiator_task_tag: 0x9999,
            referenced_task_tag: tag,
            cmd_sn: self.bench.cmd_sn,
            exp_stat_sn: 0,
            ref_cmd_sn: self.bench.cmd_sn.wrapping_sub(1),
            exp_data_sn: 0,
        };
        self.send(pdu, b"")
    }

    /// Does one thing to its end. Without a mutation it must end as it should.
    fn act(&mut self, action: &Action) -> Result {
        self.outcome = None;
        self.received.clear();
        self.got.clear();
        self.others = 0;
        self.wanted = 0;
        match *action {
            Action::Write { length, immediate, wanted } => self.write(length, immediate, wanted)?,
            Action::Read { expected, actual, status } => self.read(expected, actual, status)?,
            Action::Abort { length } => self.abort(length)?,
            Action::Reset => {
                self.manage(TaskManagementFunction::LOGICAL_UNIT_RESET, RESERVED_TAG)?;
                self.settle()?;
                assert!(!self.exact() || self.others == 1);
            }
            Action::Ping { length, immediate } => self.ping(length, immediate)?,
            Action::Text => self.text()?,
        }
        if self.exact() {
            assert_eq!(self.bench.target.outstanding(), 0);
            assert_eq!((self.bench.target.data_in_used, self.bench.target.data_out_used), (0, 0));
            assert_eq!(self.bench.target.order.max_cmd_sn(), self.bench.cmd_sn + 31);
        }
        Ok(())
    }

    fn exact(&self) -> bool {
        self.mutation.is_none()
    }

    fn write(&mut self, length: u32, immediate: u32, wanted: u32) -> Result {
        self.wanted = wanted;
        self.answer = Answer { data_out_length: wanted, ..good() };
        self.begin_write(length, immediate)?;
        self.settle()?;
        if self.exact() {
            assert_eq!(self.outcome, Some((0, Residual::of(length, u64::from(wanted)))));
            let all = usize::try_from(length.min(wanted)).unwrap();
            assert!(self.got.len() >= all && self.data.starts_with(&self.got));
        }
        Ok(())
    }

    fn read(&mut self, expected: u32, actual: u32, status: u8) -> Result {
        let data = Bytes::from(pattern(usize::try_from(actual).unwrap()));
        self.answer = Answer { status, data_in: data.clone(), ..good() };
        let tag = self.next_tag;
        self.next_tag += 1;
        let command = self.bench.command(tag, Flags::Read, expected);
        self.send(command, b"")?;
        self.settle()?;
        if self.exact() {
            assert_eq!(self.outcome, Some((status, Residual::of(expected, u64::from(actual)))));
            assert_eq!(self.received, data[..usize::try_from(expected.min(actual)).unwrap()]);
        }
        Ok(())
    }

    fn abort(&mut self, length: u32) -> Result {
        self.hold = true;
        let tag = self.begin_write(length, length / 2)?;
        self.settle()?;
        self.hold = false;
        self.manage(TaskManagementFunction::ABORT_TASK, tag)?;
        self.settle()?;
        assert!(!self.exact() || (self.others, self.outcome) == (1, None));
        Ok(())
    }

    fn ping(&mut self, length: usize, immediate: bool) -> Result {
        let cmd_sn = self.bench.cmd_sn;
        self.bench.cmd_sn += u32::from(!immediate);
        let pdu = NopOut {
            immediate,
            lun: [0; 8],
            initiator_task_tag: 0x8888,
            target_transfer_tag: RESERVED_TAG,
            cmd_sn,
            exp_stat_sn: 0,
        };
        self.send(pdu, &pattern(length))?;
        self.settle()?;
        assert!(!self.exact() || self.others == 1);
        Ok(())
    }

    fn text(&mut self) -> Result {
        let pdu = TextRequest {
            immediate: true,
            is_final: true,
            continues: false,
            lun: [0; 8],
            initiator_task_tag: 0x7777,
            target_transfer_tag: RESERVED_TAG,
            cmd_sn: self.bench.cmd_sn,
            exp_stat_sn: 0,
        };
        self.send(pdu, b"SendTargets=\0")?;
        self.settle()?;
        assert!(!self.exact() || self.others == 1);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn all_data_arrives(terms in terms(), actions in proptest::collection::vec(action(), 1..12)) {
        let mut conversation = Conversation::new(&terms, None);
        for action in &actions {
            conversation.act(action).unwrap();
        }
    }

    #[test]
    fn one_byte_of_one_header_is_wrong(
        terms in terms(),
        actions in proptest::collection::vec(action(), 1..8),
        pdu in 0..12usize,
        byte in 0..48usize,
        xor in 1..=255u8,
    ) {
        let mutation = Mutation { pdu, byte, xor };
        let mut conversation = Conversation::new(&terms, Some(mutation));
        let result = actions.iter().try_for_each(|action| conversation.act(action));
        // A digest is made over the changed header, so it never ends by a digest.
        prop_assert!(!matches!(result, Err(ProtocolError::HeaderDigest | ProtocolError::DataDigest)));
    }
}
