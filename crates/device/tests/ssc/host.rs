//! Hosts in front of one drive.

use std::sync::Arc;

use bytes::Bytes;
use capstan_device::ssc::{DriveIdentity, DriveOp, DriveResult, Medium, Stalled, TapeDrive};
use capstan_device::{Instant, LogicalUnit, Step};
use capstan_media::{Barcode, CartridgeId, MediumFailureKind};
use capstan_scsi::sam::{
    Attribute, Cdb, Completion, DataOut, InitiatorPort, ManagementResponse, NexusId, Status, Task, TaskId, TaskObserver,
};

use crate::tape::Tape;

pub(crate) const NOW: Instant = Instant(0);
pub(crate) const ALICE: NexusId = NexusId(1);
pub(crate) const BOB: NexusId = NexusId(2);
pub(crate) const SERIAL: &str = "CAP0123456";
pub(crate) const NAA: u64 = 0x3123_4567_89ab_cdef;
pub(crate) const TARGET: &str = "iqn.2026-11.io.capstan:gw.drive-00";

pub(crate) struct Nobody;

impl TaskObserver for Nobody {
    fn need_data(&self, _: TaskId, _: u32, _: u32) {}
    fn completed(&self, _: TaskId, _: Completion) {}
    fn managed(&self, _: u64, _: ManagementResponse) {}
}

/// Sense data taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Sense {
    pub(crate) key: u8,
    pub(crate) code: (u8, u8),
    pub(crate) filemark: bool,
    pub(crate) eom: bool,
    pub(crate) ili: bool,
    /// INFORMATION if VALID.
    pub(crate) information: Option<i32>,
    /// Byte and bit that a field pointer names, and whether it is in the CDB.
    pub(crate) field: Option<(bool, u16, Option<u8>)>,
}

impl Sense {
    pub(crate) fn parse(sense: &[u8]) -> Self {
        assert_eq!(sense.len(), 18, "fixed format, 18 bytes");
        assert_eq!((sense[0] & 0x7f, sense[1], sense[7]), (0x70, 0, 10));
        let information = i32::from_be_bytes(sense[3..7].try_into().unwrap());
        assert!(sense[0] & 0x80 != 0 || information == 0);
        Self {
            key: sense[2] & 0x0f,
            code: (sense[12], sense[13]),
            filemark: sense[2] & 0x80 != 0,
            eom: sense[2] & 0x40 != 0,
            ili: sense[2] & 0x20 != 0,
            information: (sense[0] & 0x80 != 0).then_some(information),
            field: (sense[15] & 0x80 != 0).then(|| {
                let bit = (sense[15] & 0x08 != 0).then_some(sense[15] & 7);
                (sense[15] & 0x40 != 0, u16::from_be_bytes([sense[16], sense[17]]), bit)
            }),
        }
    }

    pub(crate) fn new(key: u8, asc: u8, ascq: u8) -> Self {
        let code = (asc, ascq);
        Self { key, code, filemark: false, eom: false, ili: false, information: None, field: None }
    }

    pub(crate) fn filemark(self) -> Self {
        Self { filemark: true, ..self }
    }

    pub(crate) fn eom(self) -> Self {
        Self { eom: true, ..self }
    }

    pub(crate) fn ili(self) -> Self {
        Self { ili: true, ..self }
    }

    pub(crate) fn info(self, information: i32) -> Self {
        Self { information: Some(information), ..self }
    }

    /// INVALID FIELD IN CDB.
    pub(crate) fn cdb_field(byte: u16, bit: Option<u8>) -> Self {
        Self { field: Some((true, byte, bit)), ..Self::new(5, 0x24, 0) }
    }

    /// INVALID FIELD IN PARAMETER LIST.
    pub(crate) fn list_field(byte: u16, bit: Option<u8>) -> Self {
        Self { field: Some((false, byte, bit)), ..Self::new(5, 0x26, 0) }
    }
}

pub(crate) const EOD: fn() -> Sense = || Sense::new(8, 0, 5);
pub(crate) const FILEMARK: fn() -> Sense = || Sense::new(0, 0, 1).filemark();
pub(crate) const EARLY_WARNING: fn() -> Sense = || Sense::new(0, 0, 2).eom();
pub(crate) const NO_MEDIUM: fn() -> Sense = || Sense::new(2, 0x3a, 0);
pub(crate) const POSITION_LOST: fn() -> Sense = || Sense::new(3, 0x3b, 0);
pub(crate) const NEW_MEDIUM: fn() -> Sense = || Sense::new(6, 0x28, 0);

/// A drive, the tape that is or was in it, and hosts.
pub(crate) struct Rig {
    pub(crate) unit: LogicalUnit<TapeDrive>,
    pub(crate) tape: Tape,
    /// What the drive asked for.
    pub(crate) log: Vec<DriveOp>,
    /// The robot has a cartridge in the drive.
    pub(crate) seated: bool,
    pub(crate) load_fails: bool,
    /// Bytes that the drive asked to be admitted, of each time.
    pub(crate) asked: Vec<u32>,
    /// There is no room for them.
    pub(crate) stalled: bool,
    tag: u64,
}

impl Rig {
    /// An empty drive that nobody knows yet.
    pub(crate) fn new() -> Self {
        let identity = DriveIdentity { serial: SERIAL.to_owned(), naa: NAA, target: Some(TARGET.to_owned()) };
        Self {
            unit: LogicalUnit::new(TapeDrive::new(identity), 16),
            tape: Tape::new(1 << 40, 1 << 39),
            log: Vec::new(),
            seated: false,
            load_fails: false,
            asked: Vec::new(),
            stalled: false,
            tag: 0,
        }
    }

    /// An empty drive, known to Alice and Bob, who have seen their unit attentions.
    pub(crate) fn known() -> Self {
        let mut rig = Self::new();
        for nexus in [ALICE, BOB] {
            rig.establish(nexus);
            assert_eq!(rig.sense_from(nexus, &[0; 6]), Sense::new(6, 0x29, 0));
        }
        rig
    }

    /// `tape` in the drive, all unit attentions seen.
    pub(crate) fn with(tape: Tape) -> Self {
        let mut rig = Self::known();
        rig.insert(tape, false);
        for nexus in [ALICE, BOB] {
            assert_eq!(rig.sense_from(nexus, &[0; 6]), NEW_MEDIUM());
        }
        rig
    }

    pub(crate) fn establish(&mut self, nexus: NexusId) {
        let initiator = InitiatorPort { name: format!("iqn.host{}", nexus.0), port: [0; 6] };
        self.unit.nexus_established(nexus, &initiator);
    }

    pub(crate) fn insert(&mut self, tape: Tape, position_lost: bool) {
        self.tape = tape;
        self.seated = true;
        let medium = self.medium();
        self.unit.server_mut().cartridge_inserted(medium, position_lost);
    }

    pub(crate) fn medium(&self) -> Medium {
        Medium {
            id: CartridgeId([1; 16]),
            barcode: Barcode::new("CAP001L8").unwrap(),
            capacity: self.tape.capacity,
            used: 0,
            protected: false,
            position: self.tape.position(),
        }
    }

    pub(crate) fn task(&mut self, nexus: NexusId, cdb: &[u8], data: &[u8], immediate: usize) -> Task {
        self.tag += 1;
        let mut block = Cdb::default();
        block.0[..cdb.len()].copy_from_slice(cdb);
        Task {
            id: TaskId { nexus, tag: self.tag },
            attribute: Attribute::Simple,
            cdb: block,
            data_out: DataOut {
                expected: u32::try_from(data.len()).unwrap(),
                received: Bytes::copy_from_slice(&data[..immediate.min(data.len())]),
            },
            data_in_limit: u32::MAX,
            observer: Arc::new(Nobody),
        }
    }

    pub(crate) fn perform(&mut self, op: DriveOp) -> DriveResult {
        if let DriveOp::Admit { bytes } = op {
            self.asked.push(bytes);
            return DriveResult::Admitted(if self.stalled { Err(Stalled) } else { Ok(()) });
        }
        self.log.push(op.clone());
        match op {
            DriveOp::Admit { .. } => unreachable!("just answered"),
            DriveOp::Medium(op) => DriveResult::Medium(self.tape.perform(op)),
            DriveOp::Load if self.load_fails => DriveResult::Loaded(Err("as asked".to_owned())),
            DriveOp::Load => {
                self.tape.at = 0;
                DriveResult::Loaded(Ok(self.seated.then(|| self.medium())))
            }
            DriveOp::Unload if self.load_fails => DriveResult::Unloaded(Err("as asked".to_owned())),
            DriveOp::Unload => DriveResult::Unloaded(Ok(())),
        }
    }

    /// The next step after those that only ask for admission.
    pub(crate) fn step(&mut self) -> Step<DriveOp> {
        match self.unit.step(NOW) {
            Step::Perform(op @ DriveOp::Admit { .. }) => {
                let answer = self.perform(op);
                self.unit.resume(NOW, answer)
            }
            step => step,
        }
    }

    /// Runs one command with its data, of which `immediate` bytes come with it and the rest when asked for.
    pub(crate) fn run_split(&mut self, nexus: NexusId, cdb: &[u8], data: &[u8], immediate: usize) -> Completion {
        let task = self.task(nexus, cdb, data, immediate);
        let id = task.id;
        self.unit.submit(task);
        let mut step = self.unit.step(NOW);
        loop {
            step = match step {
                Step::Done(finished) => {
                    assert_eq!(finished.task, id);
                    assert!(matches!(self.unit.step(NOW), Step::Idle));
                    return finished.completion;
                }
                Step::NeedData { task, received, length, .. } => {
                    assert_eq!(task, id);
                    let received = usize::try_from(received).unwrap();
                    let wanted = data.len().min(usize::try_from(length).unwrap());
                    self.unit.data_out(id, Bytes::copy_from_slice(&data[received..wanted]));
                    self.unit.step(NOW)
                }
                Step::Perform(op) => {
                    let result = self.perform(op);
                    self.unit.resume(NOW, result)
                }
                Step::Idle => panic!("no answer to {cdb:02x?}"),
                Step::Managed { .. } => panic!("nothing was managed"),
            };
        }
    }

    pub(crate) fn run_from(&mut self, nexus: NexusId, cdb: &[u8], data: &[u8]) -> Completion {
        self.run_split(nexus, cdb, data, usize::MAX)
    }

    pub(crate) fn run(&mut self, cdb: &[u8], data: &[u8]) -> Completion {
        self.run_from(ALICE, cdb, data)
    }

    /// Runs a command that must succeed; its data.
    pub(crate) fn good(&mut self, cdb: &[u8]) -> Bytes {
        self.good_from(ALICE, cdb)
    }

    pub(crate) fn good_from(&mut self, nexus: NexusId, cdb: &[u8]) -> Bytes {
        let completion = self.run_from(nexus, cdb, &[]);
        assert_eq!(completion.status, Status::GOOD, "{cdb:02x?}: {:02x?}", completion.sense);
        completion.data_in
    }

    /// Runs a command with data that must succeed.
    pub(crate) fn send(&mut self, cdb: &[u8], data: &[u8]) {
        let completion = self.run(cdb, data);
        assert_eq!(completion.status, Status::GOOD, "{cdb:02x?}: {:02x?}", completion.sense);
    }

    /// Runs a command that must end in CHECK CONDITION without data.
    pub(crate) fn sense(&mut self, cdb: &[u8]) -> Sense {
        self.sense_from(ALICE, cdb)
    }

    pub(crate) fn sense_from(&mut self, nexus: NexusId, cdb: &[u8]) -> Sense {
        let completion = self.run_from(nexus, cdb, &[]);
        assert_eq!(completion.status, Status::CHECK_CONDITION, "{cdb:02x?}");
        assert!(completion.data_in.is_empty());
        Sense::parse(&completion.sense)
    }

    /// Runs a command with data that must end in CHECK CONDITION.
    pub(crate) fn refused(&mut self, cdb: &[u8], data: &[u8]) -> Sense {
        let completion = self.run(cdb, data);
        assert_eq!(completion.status, Status::CHECK_CONDITION, "{cdb:02x?}");
        Sense::parse(&completion.sense)
    }

    pub(crate) fn fail(&mut self, kind: MediumFailureKind, count: u64) {
        self.tape.fail = Some((kind, count));
    }

    /// Object number and file number by READ POSITION, long form.
    pub(crate) fn tell(&mut self) -> (u64, u64) {
        let data = self.good(&[0x34, 6, 0, 0, 0, 0, 0, 0, 0, 0]);
        let number = |at: usize| u64::from_be_bytes(data[at..at + 8].try_into().unwrap());
        (number(8), number(16))
    }

    /// Sets the block length by MODE SELECT(6), as `mt setblk` does.
    pub(crate) fn setblk(&mut self, length: u16) {
        let [high, low] = length.to_be_bytes();
        self.send(&[0x15, 0x10, 0, 0, 12, 0], &[0, 0, 0x10, 8, 0, 0, 0, 0, 0, 0, high, low]);
    }
}

/// READ(6) or WRITE(6), FIXED=0.
pub(crate) fn variable(opcode: u8, length: usize) -> [u8; 6] {
    let [_, high, middle, low] = u32::try_from(length).unwrap().to_be_bytes();
    [opcode, 0, high, middle, low, 0]
}

/// READ(6) or WRITE(6), FIXED=1.
pub(crate) fn fixed(opcode: u8, count: u32) -> [u8; 6] {
    let [_, high, middle, low] = count.to_be_bytes();
    [opcode, 1, high, middle, low, 0]
}

/// SPACE(6).
pub(crate) fn space(code: u8, count: i32) -> [u8; 6] {
    let [_, high, middle, low] = count.to_be_bytes();
    [0x11, code, high, middle, low, 0]
}

pub(crate) const TEST_UNIT_READY: [u8; 6] = [0; 6];
pub(crate) const REWIND: [u8; 6] = [1, 0, 0, 0, 0, 0];
pub(crate) const LOAD: [u8; 6] = [0x1b, 0, 0, 0, 1, 0];
pub(crate) const UNLOAD: [u8; 6] = [0x1b, 0, 0, 0, 0, 0];
pub(crate) const WEOF: [u8; 6] = [0x10, 0, 0, 0, 1, 0];
pub(crate) const FLUSH: [u8; 6] = [0x10, 0, 0, 0, 0, 0];
