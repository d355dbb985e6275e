//! Random commands with random data: each gets a defined answer.

use capstan_scsi::sam::Status;
use proptest::prelude::*;

use crate::host::{ALICE, BOB, Rig, Sense};
use crate::tape::Tape;

const OPCODES: [u8; 30] = [
    0x00, 0x01, 0x03, 0x05, 0x08, 0x0a, 0x10, 0x11, 0x12, 0x15, 0x16, 0x17, 0x19, 0x1a, 0x1b, 0x1d, 0x1e, 0x2b, 0x34,
    0x44, 0x4c, 0x4d, 0x55, 0x56, 0x57, 0x5a, 0x91, 0x92, 0xa0, 0xa3,
];

/// Mostly commands that exist, often with few bits set, so that they get beyond the first check.
fn cdb() -> impl Strategy<Value = [u8; 16]> {
    let opcode = prop_oneof![9 => prop::sample::select(&OPCODES[..]), 1 => any::<u8>()];
    let byte = prop_oneof![5 => Just(0), 3 => 0..16_u8, 2 => any::<u8>()];
    (opcode, prop::array::uniform15(byte)).prop_map(|(opcode, rest)| {
        let mut cdb = [0; 16];
        cdb[0] = opcode;
        cdb[1..].copy_from_slice(&rest);
        cdb
    })
}

/// Bytes that the CDB allows the device to return; `None` where it has no such field.
fn allocation_length(cdb: &[u8; 16]) -> Option<usize> {
    let two = |at: usize| usize::from(u16::from_be_bytes([cdb[at], cdb[at + 1]]));
    match cdb[0] {
        0x12 => Some(two(3)),
        0x03 | 0x1a => Some(usize::from(cdb[4])),
        0x4d | 0x5a | 0x44 => Some(two(7)),
        0x34 if cdb[1] & 0x1f == 8 || two(7) > 0 => Some(two(7)),
        0xa0 | 0xa3 => usize::try_from(u32::from_be_bytes([cdb[6], cdb[7], cdb[8], cdb[9]])).ok(),
        _ => None,
    }
}

#[derive(Clone, Debug)]
enum Event {
    Command { bob: bool, cdb: [u8; 16], data: Vec<u8>, immediate: usize },
    Insert { lost: bool },
    Remove,
    Protect(bool),
    Lose { bob: bool },
}

fn event() -> impl Strategy<Value = Event> {
    let command = (any::<bool>(), cdb(), prop::collection::vec(any::<u8>(), 0..64), 0..64_usize)
        .prop_map(|(bob, cdb, data, immediate)| Event::Command { bob, cdb, data, immediate });
    prop_oneof![
        40 => command,
        2 => any::<bool>().prop_map(|lost| Event::Insert { lost }),
        1 => Just(Event::Remove),
        1 => any::<bool>().prop_map(Event::Protect),
        1 => any::<bool>().prop_map(|bob| Event::Lose { bob }),
    ]
}

fn tape() -> Tape {
    Tape { capacity: 5000, early_warning: 3000, ..Tape::with(&[10, 0, 20, 512, 0, 0, 512]) }
}

fn check(rig: &mut Rig, event: Event) {
    match event {
        Event::Insert { lost } => rig.insert(tape(), lost),
        Event::Remove => {
            rig.seated = false;
            rig.unit.server_mut().cartridge_removed();
        }
        Event::Protect(protected) => rig.unit.server_mut().protection_changed(protected),
        Event::Lose { bob } => {
            let nexus = if bob { BOB } else { ALICE };
            rig.unit.nexus_lost(nexus);
            rig.establish(nexus);
        }
        Event::Command { bob, cdb, data, immediate } => {
            // Filemarks by the million are fair but slow in a vector.
            let cdb = if cdb[0] == 0x10 { [0x10, cdb[1], 0, 0, cdb[4], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] } else { cdb };
            let completion = rig.run_split(if bob { BOB } else { ALICE }, &cdb, &data, immediate);
            match completion.status {
                Status::CHECK_CONDITION => {
                    let sense = Sense::parse(&completion.sense);
                    let known = [0, 2, 3, 5, 6, 7, 8, 0x0b, 0x0d].contains(&sense.key);
                    assert!(known, "{cdb:02x?}: {sense:?}");
                    assert!(sense.key == 5 || sense.field.is_none());
                    assert!(completion.data_in.is_empty() || cdb[0] == 8);
                }
                Status::GOOD | Status::RESERVATION_CONFLICT => assert!(completion.sense.is_empty()),
                other => panic!("{cdb:02x?}: {other:?}"),
            }
            if let Some(length) = allocation_length(&cdb) {
                assert!(completion.data_in.len() <= length, "{cdb:02x?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_command_has_a_defined_answer(events in prop::collection::vec(event(), 1..120)) {
        let mut rig = Rig::known();
        rig.insert(tape(), false);
        events.into_iter().for_each(|event| check(&mut rig, event));
        // Whatever happened, hosts can still find out who and how the drive is.
        prop_assert_eq!(rig.good(&[0x12, 0, 0, 0, 36, 0]).len(), 36);
    }
}

#[test]
fn every_operation_code_with_every_single_bit() {
    for opcode in 0..=u8::MAX {
        for bit in 0..120_usize {
            let mut cdb = [0; 16];
            cdb[0] = opcode;
            cdb[1 + bit / 8] = 1 << (bit % 8);
            let mut rig = Rig::with(tape());
            check(&mut rig, Event::Command { bob: false, cdb, data: vec![0xff; 40], immediate: 7 });
        }
    }
}
