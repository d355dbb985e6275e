//! The tape drive: CDBs and parameter lists from several hosts, with aborts, on a tape that is a `Vec`.
//!
//! Invariants besides those of [`crate::unit`]: the tape holds what the answers say, position and all, and no command
//! but WRITE, WRITE FILEMARKS and ERASE changes it; what is read is what is there; the drive asks for nothing when no
//! cartridge is threaded; a WRITE that finds no room has taken no data; whatever happened, hosts can still find out who it is.

mod effect;
mod tape;

use bytes::Bytes;
use capstan_device::ssc::{DriveIdentity, DriveOp, DriveResult, Medium, Stalled, TapeDrive};
use capstan_media::{Barcode, CartridgeId, MediumFailureKind, MediumOp};
use capstan_scsi::sam::Attribute;

use crate::script::Script;
use crate::unit::{Ended, HOSTS, Hosts, World, cdb};
use effect::Effect;
use tape::{Content, Tape, wide};

const OPCODES: [u8; 36] = [
    0x00, 0x01, 0x03, 0x05, 0x08, 0x08, 0x0a, 0x0a, 0x0a, 0x10, 0x10, 0x11, 0x12, 0x15, 0x15, 0x16, 0x17, 0x19, 0x1a,
    0x1b, 0x1b, 0x1d, 0x1e, 0x2b, 0x34, 0x44, 0x4c, 0x4d, 0x55, 0x56, 0x57, 0x5a, 0x91, 0x92, 0xa0, 0xa3,
];

const FAILURES: [MediumFailureKind; 6] = [
    MediumFailureKind::Corrupt,
    MediumFailureKind::ReadFault,
    MediumFailureKind::WriteFault,
    MediumFailureKind::Poisoned,
    MediumFailureKind::NoSpace,
    MediumFailureKind::WriteProtected,
];

struct Reel {
    tape: Tape,
    /// The tape when the last command had ended.
    before: Content,
    block_length: u32,
    seated: bool,
    threaded: bool,
    protected: bool,
    load_fails: bool,
    /// There is no room for blocks.
    full: bool,
    /// A WRITE was told so since the last command had ended.
    stalled: bool,
    /// Something was asked of the medium since the last command had ended.
    asked: bool,
}

pub(crate) fn target(data: &[u8]) {
    let mut script = Script::new(data);
    let identity = DriveIdentity { serial: "CAP0123456".to_owned(), naa: 0x3123_4567_89ab_cdef, target: None };
    let tape = Tape::new();
    let before = tape.content.clone();
    let reel = Reel {
        tape,
        before,
        block_length: 0,
        seated: false,
        threaded: false,
        protected: false,
        load_fails: false,
        full: false,
        stalled: false,
        asked: false,
    };
    let mut hosts = Hosts::new(TapeDrive::new(identity), reel);
    if script.flag() {
        insert(&mut hosts, false);
    }
    while !script.is_over() {
        act(&mut hosts, &mut script);
    }
    hosts.settle();
    let inquiry = [0x12, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    hosts.submit(HOSTS[0], inquiry, Bytes::new(), 0, Attribute::Simple);
    hosts.settle();
}

fn act(hosts: &mut Hosts<Reel>, script: &mut Script<'_>) {
    match script.byte() {
        0..=159 => command(hosts, script),
        160..=175 => hosts.disturb(script),
        176..=191 => event(hosts, script),
        _ => {
            hosts.turn();
        }
    }
}

fn command(hosts: &mut Hosts<Reel>, script: &mut Script<'_>) {
    let mut cdb = cdb(script, &OPCODES);
    // Filemarks by the million are fair, but slow in a vector.
    if cdb[0] == 0x10 {
        (cdb[2], cdb[3]) = (0, 0);
    }
    let options = script.byte();
    let nexus = HOSTS[usize::from(options & 3) % HOSTS.len()];
    let attribute = match (options >> 2) & 7 {
        0 => Attribute::HeadOfQueue,
        1 if options & 0x20 != 0 => Attribute::Aca,
        2 => Attribute::Ordered,
        _ => Attribute::Simple,
    };
    let data = data_of(hosts.world.data_out_length(&cdb), script);
    let immediate = if options & 0x40 != 0 { usize::MAX } else { usize::from(script.byte()) };
    hosts.submit(nexus, cdb, data, immediate, attribute);
    if options & 0x80 == 0 {
        while hosts.turn() {}
    }
}

/// What a host sends: as much as the CDB says, or not.
fn data_of(length: u32, script: &mut Script<'_>) -> Bytes {
    let length = usize::try_from(length).expect("32 bits").min(1500);
    match script.byte() {
        0..=127 => {
            let mut data = script.take(length.min(40)).to_vec();
            data.resize(length, 0x5a);
            data.into()
        }
        128..=191 => Bytes::from(vec![0; length]),
        short => {
            let count = usize::from(short & 31);
            Bytes::copy_from_slice(script.take(count))
        }
    }
}

fn event(hosts: &mut Hosts<Reel>, script: &mut Script<'_>) {
    let choice = script.byte();
    if choice % 8 >= 6 {
        hosts.world.tape.fail = Some(script.pick(&FAILURES));
        return;
    }
    // The library does these things between two operations.
    if !hosts.is_quiet() {
        return;
    }
    match choice % 8 {
        0 => insert(hosts, choice & 0x80 != 0),
        1 => {
            (hosts.world.seated, hosts.world.threaded) = (false, false);
            hosts.unit.server_mut().cartridge_removed();
        }
        2 => {
            hosts.world.protected = choice & 0x80 != 0;
            hosts.unit.server_mut().protection_changed(choice & 0x80 != 0);
        }
        3 => hosts.unit.server_mut().usage_changed(script.u64(), script.u64()),
        4 => hosts.world.tape.capacity = usize::from(script.u16()),
        _ => (hosts.world.load_fails, hosts.world.full) = (choice & 0x80 != 0, choice & 0x40 != 0),
    }
}

fn insert(hosts: &mut Hosts<Reel>, lost: bool) {
    let reel = &mut hosts.world;
    (reel.seated, reel.threaded) = (true, true);
    reel.tape.content.at = if lost { reel.tape.content.objects.len() / 2 } else { 0 };
    reel.before = reel.tape.content.clone();
    let medium = reel.medium();
    hosts.unit.server_mut().cartridge_inserted(medium, lost);
}

impl Reel {
    fn medium(&self) -> Medium {
        Medium {
            id: CartridgeId([1; 16]),
            barcode: Barcode::new("CAP001L8").expect("a good one"),
            capacity: wide(self.tape.capacity),
            used: wide(self.tape.content.used()),
            protected: self.protected,
            position: self.tape.position(),
        }
    }

    /// What GOOD for MODE SELECT has set.
    fn mode_selected(&mut self, ended: &Ended<'_>) {
        let (header, descriptor) = match ended.cdb[0] {
            0x15 if ended.cdb[4] > 0 => (4, 3),
            0x55 if u16::from_be_bytes([ended.cdb[7], ended.cdb[8]]) > 0 => (8, 7),
            _ => return,
        };
        if ended.completion.status.0 == 0 && ended.data[descriptor] == 8 {
            let length = &ended.data[header + 5..header + 8];
            self.block_length = u32::from_be_bytes([0, length[0], length[1], length[2]]);
        }
    }
}

impl World for Reel {
    type Device = TapeDrive;

    fn perform(&mut self, op: DriveOp) -> DriveResult {
        if let DriveOp::Admit { bytes } = op {
            assert!(self.threaded && !self.protected && bytes > 0, "room for what cannot be written");
            self.stalled = self.full;
            return DriveResult::Admitted(if self.full { Err(Stalled) } else { Ok(()) });
        }
        self.asked = true;
        match op {
            DriveOp::Admit { .. } => unreachable!("just answered"),
            DriveOp::Medium(op) => {
                assert!(self.threaded, "{op:?} on nothing");
                let writes = matches!(op, MediumOp::Write { .. } | MediumOp::Erase)
                    || matches!(op, MediumOp::WriteFilemarks { count: 1.., .. });
                assert!(!(writes && self.protected), "{op:?} on a protected cartridge");
                DriveResult::Medium(self.tape.perform(op))
            }
            DriveOp::Load if self.load_fails => DriveResult::Loaded(Err("as asked".to_owned())),
            DriveOp::Load => {
                self.tape.content.at = 0;
                self.threaded = self.seated;
                DriveResult::Loaded(Ok(self.seated.then(|| self.medium())))
            }
            DriveOp::Unload if self.load_fails => DriveResult::Unloaded(Err("as asked".to_owned())),
            DriveOp::Unload => {
                self.threaded = false;
                DriveResult::Unloaded(Ok(()))
            }
        }
    }

    fn ended(&mut self, ended: &Ended<'_>) {
        if matches!(ended.cdb[0], 0x15 | 0x55) {
            self.mode_selected(ended);
        }
        if !ended.disturbed {
            assert!(self.asked || self.tape.content == self.before);
            if self.stalled {
                let took = ended.completion.data_out_length;
                assert_eq!((ended.cdb[0], ended.key, took, self.asked), (0x0a, Some(2), 0, false), "no room");
            }
            let (before, after) = (&self.before, &self.tape.content);
            Effect { ended, before, after, block_length: self.block_length }.check();
        }
        self.settled();
    }

    fn settled(&mut self) {
        self.before = self.tape.content.clone();
        (self.asked, self.stalled) = (false, false);
    }

    fn reset(&mut self) {
        self.block_length = 0;
    }

    fn allocation_length(cdb: &[u8; 16]) -> Option<u32> {
        let two = |at: usize| u32::from(u16::from_be_bytes([cdb[at], cdb[at + 1]]));
        match cdb[0] {
            0x12 => Some(two(3)),
            0x03 | 0x1a => Some(u32::from(cdb[4])),
            0x4d | 0x5a | 0x44 => Some(two(7)),
            0x34 if cdb[1] & 0x1f == 8 || two(7) > 0 => Some(two(7)),
            0x34 => Some(32),
            0xa0 | 0xa3 => Some(u32::from_be_bytes([cdb[6], cdb[7], cdb[8], cdb[9]])),
            0x05 => Some(6),
            0x08 => None,
            _ => Some(0),
        }
    }

    fn data_out_length(&self, cdb: &[u8; 16]) -> u32 {
        let length = u32::from_be_bytes([0, cdb[2], cdb[3], cdb[4]]);
        match cdb[0] {
            0x0a if cdb[1] & 1 != 0 => length.saturating_mul(self.block_length),
            0x0a => length,
            0x15 => u32::from(cdb[4]),
            0x55 => u32::from(u16::from_be_bytes([cdb[7], cdb[8]])),
            _ => 0,
        }
    }
}
