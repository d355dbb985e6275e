//! Commands of every operation code with any fields and any data: each has a defined end, none returns more than it
//! was asked for, and no cartridge is lost.

use capstan_scsi::Asc;
use capstan_scsi::sam::{Completion, NexusId, Status};
use proptest::prelude::*;

use crate::host::{ALICE, BOB, Host};

/// A command without its operation code.
#[derive(Clone, Debug)]
struct Body {
    by_bob: bool,
    bytes: [u8; 15],
    addresses: Option<[u16; 4]>,
    data: Vec<u8>,
}

impl Body {
    fn nexus(&self) -> NexusId {
        if self.by_bob { BOB } else { ALICE }
    }

    fn cdb(&self, opcode: u8) -> [u8; 16] {
        let mut cdb = [0; 16];
        cdb[0] = opcode;
        cdb[1..].copy_from_slice(&self.bytes);
        for (field, address) in cdb[2..10].chunks_mut(2).zip(self.addresses.into_iter().flatten()) {
            field.copy_from_slice(&address.to_be_bytes());
        }
        cdb
    }
}

fn body() -> impl Strategy<Value = Body> {
    let byte = prop_oneof![4 => Just(0_u8), 1 => 0..8_u8, 1 => any::<u8>()];
    let address = prop::sample::select(vec![0_u16, 1, 10, 11, 500, 501, 502, 1000, 1001, 1002, 1003, 1004, 0xffff]);
    let addresses = prop::option::of(prop::array::uniform4(address));
    let data = prop_oneof![Just(Vec::new()), prop::collection::vec(prop_oneof![Just(0_u8), any::<u8>()], 0..64)];
    (any::<bool>(), prop::array::uniform15(byte), addresses, data).prop_map(|(by_bob, bytes, addresses, data)| Body {
        by_bob,
        bytes,
        addresses,
        data,
    })
}

/// ALLOCATION LENGTH by the layouts of the standards; commands without one return nothing.
fn allocation_length(cdb: &[u8; 16]) -> usize {
    let bytes = match cdb[0] {
        0x03 | 0x1a => &cdb[4..5],
        0x12 => &cdb[3..5],
        0x4d | 0x5a => &cdb[7..9],
        0xa0 | 0xa3 => &cdb[6..10],
        0xb5 | 0xb8 => &cdb[7..10],
        _ => &[],
    };
    bytes.iter().fold(0, |length, byte| length * 256 + usize::from(*byte))
}

fn check(cdb: &[u8; 16], answer: &Completion) {
    assert!(answer.data_in.len() <= allocation_length(cdb), "{cdb:02x?} returned {} bytes", answer.data_in.len());
    match answer.status {
        Status::GOOD | Status::RESERVATION_CONFLICT => assert!(answer.sense.is_empty()),
        Status::CHECK_CONDITION => {
            assert_eq!((answer.sense.len(), answer.sense[0], answer.sense[7]), (18, 0x70, 10));
            assert!(answer.data_in.is_empty());
            let (asc, ascq) = (answer.sense[12], answer.sense[13]);
            assert!(Asc { asc, ascq }.text().is_some(), "{asc:02x}/{ascq:02x}");
            // Whoever is told of a wrong field is told which one.
            let pointer = answer.sense[15] & 0xc0;
            match asc {
                0x24 => assert_eq!(pointer, 0xc0, "{cdb:02x?}"),
                0x26 => assert_eq!(pointer, 0x80, "{cdb:02x?}"),
                _ => {}
            }
        }
        other => panic!("{other:?}"),
    }
}

fn cartridges(host: &Host) -> Vec<String> {
    let barcodes = host.library.elements.values().filter_map(|element| element.barcode.as_ref());
    let mut barcodes: Vec<String> = barcodes.map(ToString::to_string).collect();
    barcodes.sort();
    barcodes
}

/// What happens besides commands.
fn disturb(host: &mut Host, opcode: u8, body: &Body) {
    match (opcode & 0x1f, body.bytes[0]) {
        (1, _) => host.unit.server_mut().import_export_accessed(),
        (2, _) => host.unit.server_mut().inventory_changed(),
        (3, 7) => host.reset(),
        (4, 0) => {
            host.unit.nexus_lost(body.nexus());
            host.login(body.nexus());
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_operation_code_ends(bodies in prop::collection::vec(body(), 256)) {
        let mut host = Host::ready();
        let before = cartridges(&host);
        for (opcode, body) in (0..=255_u8).zip(&bodies) {
            disturb(&mut host, opcode, body);
            let cdb = body.cdb(opcode);
            let answer = host.send(body.nexus(), &cdb, &body.data);
            check(&cdb, &answer);
        }
        prop_assert_eq!(cartridges(&host), before);
    }

    #[test]
    fn the_commands_it_has_end(commands in prop::collection::vec((any::<prop::sample::Index>(), body()), 1..60)) {
        const OPCODES: [u8; 12] = [0x07, 0x15, 0x1a, 0x2b, 0x37, 0x55, 0x5a, 0xa5, 0xa6, 0xb5, 0xb6, 0xb8];
        let mut host = Host::ready();
        let before = cartridges(&host);
        for (index, body) in &commands {
            let opcode = OPCODES[index.index(OPCODES.len())];
            let mut cdb = body.cdb(opcode);
            match opcode {
                0xb8 | 0xb5 => cdb[10..].fill(0),
                0xb6 => cdb[4..].copy_from_slice(&[0, body.bytes[4] & 5, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0]),
                _ => cdb[8..].fill(0),
            }
            let answer = host.send(body.nexus(), &cdb, &body.data);
            check(&cdb, &answer);
        }
        prop_assert_eq!(cartridges(&host), before);
    }
}
