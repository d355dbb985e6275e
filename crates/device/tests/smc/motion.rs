//! MOVE MEDIUM, EXCHANGE MEDIUM, POSITION TO ELEMENT, and the sense data that clients choose their texts by.

use capstan_device::smc::ChangerOp;
use capstan_media::{Barcode, ElementAddress, MoveRefused};
use capstan_scsi::sam::Status;

use crate::host::{ALICE, Host, sense};

fn move_medium(transport: u16, source: u16, destination: u16) -> [u8; 12] {
    let ([t1, t0], [s1, s0], [d1, d0]) = (transport.to_be_bytes(), source.to_be_bytes(), destination.to_be_bytes());
    [0xa5, 0, t1, t0, s1, s0, d1, d0, 0, 0, 0, 0]
}

#[test]
fn a_cartridge_goes_to_a_drive_and_back() {
    let mut host = Host::ready();
    assert_eq!(host.read(&move_medium(1, 1000, 500)).len(), 0);
    assert_eq!((host.library.barcode(1000), host.library.barcode(500)), (None, Some("CAP001L8")));
    // The picker by its default address, and the LUN that `ch` puts into byte 1.
    let mut back = move_medium(0, 500, 1000);
    back[1] = 0xe0;
    host.read(&back);
    assert_eq!(host.library.barcode(1000), Some("CAP001L8"));
    let op = |source, destination| ChangerOp::Move {
        source: ElementAddress(source),
        destination: ElementAddress(destination),
    };
    assert_eq!(host.library.log, [op(1000, 500), op(500, 1000)]);
}

#[test]
fn what_the_library_refuses() {
    let address = ElementAddress(1000);
    let rows = [
        (MoveRefused::InvalidElement(address), [5, 0x21, 0x01]),
        (MoveRefused::SourceEmpty(address), [5, 0x3b, 0x0e]),
        (MoveRefused::DestinationFull(address), [5, 0x3b, 0x0d]),
        (MoveRefused::RemovalPrevented(address), [5, 0x53, 0x02]),
        (MoveRefused::DriveFault(address, String::new()), [4, 0x53, 0x00]),
        (MoveRefused::NotLoadable(Barcode::new("A").unwrap(), String::new()), [3, 0x53, 0x00]),
        (MoveRefused::NotRecorded(String::new()), [4, 0x44, 0x00]),
    ];
    let mut host = Host::ready();
    for (refused, expected) in rows {
        host.library.refuse = Some(refused.clone());
        assert_eq!(host.refused(&move_medium(1, 1000, 500)).0, expected, "{refused}");
        assert_eq!(host.library.barcode(1000), Some("CAP001L8"));
    }
}

#[test]
fn full_and_empty_elements() {
    let mut host = Host::ready();
    assert_eq!(host.refused(&move_medium(1, 1000, 1001)).0, [5, 0x3b, 0x0d]);
    assert_eq!(host.refused(&move_medium(1, 1002, 1003)).0, [5, 0x3b, 0x0e]);
}

#[test]
fn addresses_without_an_element_are_pointed_at() {
    let mut host = Host::ready();
    for (cdb, field) in [
        (move_medium(2, 1000, 500), 2),
        (move_medium(1, 999, 500), 4),
        (move_medium(1, 1000, 502), 6),
        (move_medium(1, 1, 500), 4),
        (move_medium(1, 1000, 1), 6),
    ] {
        assert_eq!(host.refused(&cdb), ([5, 0x21, 1], [0xc0, 0, field]), "{cdb:02x?}");
    }
    let exchange = [0xa6, 0, 0, 1, 0x03, 0xe8, 0x01, 0xf4, 0x01, 0xf6, 0, 0];
    assert_eq!(host.refused(&exchange), ([5, 0x21, 1], [0xc0, 0, 8]));
    assert_eq!(host.refused(&[0x2b, 0, 0, 1, 0, 9, 0, 0, 0, 0]), ([5, 0x21, 1], [0xc0, 0, 4]));
    assert!(host.library.log.is_empty());
}

#[test]
fn exchange_takes_three_addresses() {
    let mut host = Host::ready();
    host.read(&[0xa6, 0, 0, 1, 0x03, 0xe8, 0x01, 0xf5, 0x03, 0xea, 0, 0]);
    assert_eq!(host.library.barcode(501), Some("CAP001L8"));
    assert_eq!(host.library.barcode(1002), Some("CAP004L8"));
    assert_eq!(host.library.barcode(1000), None);
}

#[test]
fn the_picker_goes_anywhere() {
    let mut host = Host::ready();
    for address in [1_u16, 10, 501, 1003] {
        let [high, low] = address.to_be_bytes();
        host.read(&[0x2b, 0, 0, 0, high, low, 0, 0, 0, 0]);
    }
    assert!(host.library.log.is_empty());
}

#[test]
fn nothing_is_turned_over() {
    let mut host = Host::ready();
    let mut cdb = move_medium(1, 1000, 500);
    cdb[10] = 1;
    assert_eq!(host.refused(&cdb), ([5, 0x24, 0], [0xc8, 0, 10]));
    assert_eq!(host.refused(&[0xa6, 0, 0, 1, 0x03, 0xe8, 1, 0xf4, 3, 0xe9, 2, 0]), ([5, 0x24, 0], [0xc9, 0, 10]));
    assert_eq!(host.refused(&[0x2b, 0, 0, 1, 0x03, 0xe8, 0, 0, 1, 0]), ([5, 0x24, 0], [0xc8, 0, 8]));
}

#[test]
fn labels_are_always_known() {
    let mut host = Host::ready();
    host.read(&[0x07, 0, 0, 0, 0, 0]);
    host.read(&[0x07, 0x60, 0, 0, 0, 0]);
    for opcode in [0x37, 0xe7] {
        host.read(&[opcode, 0, 0xff, 0xff, 0, 0, 0, 1, 0, 0]);
        host.read(&[opcode, 3, 0x03, 0xe8, 0, 0, 0, 4, 0, 0]);
        assert_eq!(host.refused(&[opcode, 1, 0x03, 0xec, 0, 0, 0, 1, 0, 0]), ([5, 0x21, 1], [0xc0, 0, 2]));
    }
    assert!(host.library.log.is_empty());
}

#[test]
fn an_answer_of_the_wrong_kind_is_an_internal_failure() {
    use capstan_device::{DeviceServer, Step};
    let mut host = Host::ready();
    let answer = host.send(ALICE, &move_medium(1, 1000, 500), &[]);
    assert_eq!(answer.status, Status::GOOD);
    let mut cdb = [0; 16];
    cdb[..12].copy_from_slice(&move_medium(1, 500, 1000));
    let command = capstan_device::Command { nexus: ALICE, cdb: capstan_scsi::sam::Cdb(cdb) };
    let elements = capstan_device::smc::ChangerResult::Elements(Vec::new());
    match host.unit.server_mut().resume(crate::host::NOW, &command, elements) {
        capstan_device::Outcome::Done(answer) => assert_eq!(sense(&answer).0, [4, 0x44, 0]),
        capstan_device::Outcome::Perform(_) => panic!("asked for more"),
    }
    assert!(matches!(host.unit.step(crate::host::NOW), Step::Idle));
}
