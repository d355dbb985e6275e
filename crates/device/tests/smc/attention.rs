//! Unit attentions, reservations, removal prevention: what the changer keeps for each host.

use capstan_scsi::sam::Status;

use crate::clients::mtx_status;
use crate::host::{ALICE, BOB, Host, sense};

const TEST_UNIT_READY: [u8; 6] = [0; 6];
const IMPORT_EXPORT: [u8; 2] = [0x28, 0x01];

#[test]
fn a_login_is_told_once_of_power_on() {
    let mut host = Host::new(crate::host::LAYOUT);
    host.login(ALICE);
    assert_eq!(host.settle(ALICE), [[0x29, 0]]);
    assert_eq!(host.settle(ALICE), [[0; 2]; 0]);
}

#[test]
fn every_host_is_told_of_the_mail_slot_once() {
    let mut host = Host::ready();
    host.unit.server_mut().import_export_accessed();
    host.unit.server_mut().import_export_accessed();
    for nexus in [ALICE, BOB] {
        assert_eq!(host.settle(nexus), [IMPORT_EXPORT]);
    }
}

#[test]
fn one_attention_waits_at_a_time() {
    let mut host = Host::ready();
    host.unit.server_mut().import_export_accessed();
    host.unit.server_mut().inventory_changed();
    assert_eq!(host.settle(ALICE).len(), 1);
    host.reset();
    host.unit.server_mut().import_export_accessed();
    assert_eq!(host.settle(BOB).len(), 1);
    host.login(crate::host::ALICE);
    assert!(host.settle(ALICE).len() <= 1);
}

#[test]
fn a_reset_is_told_even_when_something_waits() {
    let mut host = Host::ready();
    host.unit.server_mut().import_export_accessed();
    host.reset();
    let seen = host.settle(ALICE);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0][0], 0x29);
}

#[test]
fn inquiry_report_luns_and_request_sense_are_not_stopped() {
    let mut host = Host::ready();
    host.unit.server_mut().import_export_accessed();
    host.read(&[0x12, 0, 0, 0, 36, 0]);
    assert_eq!(host.read(&[0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0])[..8], [0, 0, 0, 8, 0, 0, 0, 0]);
    let popped = host.read(&[3, 0, 0, 0, 18, 0]);
    assert_eq!((popped[2], popped[12], popped[13]), (6, 0x28, 1));
    let nothing = host.read(&[3, 0, 0, 0, 18, 0]);
    assert_eq!((nothing[2], nothing[12], nothing[13]), (0, 0, 0));
    assert_eq!(host.settle(ALICE), [[0; 2]; 0]);
    assert_eq!(host.settle(BOB), [IMPORT_EXPORT]);
}

#[test]
fn mtx_keeps_its_barcodes_through_an_attention() {
    let mut host = Host::ready();
    host.unit.server_mut().import_export_accessed();
    let lines = mtx_status(&mut host);
    assert_eq!(lines[0].volume_tag, "CAP001L8");
    assert_eq!(lines.len(), 9);
}

#[test]
fn prevention_is_held_by_each_host_until_it_goes() {
    let mut host = Host::ready();
    let prevent = |host: &mut Host, nexus, value| host.send(nexus, &[0x1e, 0, 0, 0, value, 0], &[]).status;
    assert!(!host.unit.server().removal_prevented());
    assert_eq!(prevent(&mut host, ALICE, 1), Status::GOOD);
    assert_eq!(prevent(&mut host, BOB, 1), Status::GOOD);
    assert_eq!(prevent(&mut host, ALICE, 0), Status::GOOD);
    assert!(host.unit.server().removal_prevented());
    host.unit.nexus_lost(BOB);
    assert!(!host.unit.server().removal_prevented());
    prevent(&mut host, ALICE, 1);
    host.reset();
    assert!(!host.unit.server().removal_prevented());
}

#[test]
fn a_reservation_keeps_others_from_moving() {
    let mut host = Host::ready();
    let move_medium = [0xa5, 0, 0, 1, 0x03, 0xe8, 0x01, 0xf4, 0, 0, 0, 0];
    for (reserve, release) in [(&[0x16_u8, 0, 0, 0, 0, 0][..], &[0x17_u8, 0, 0, 0, 0, 0][..]), (&[0x56; 1], &[0x57; 1])]
    {
        assert_eq!(host.send(ALICE, reserve, &[]).status, Status::GOOD);
        for cdb in [&move_medium[..], &TEST_UNIT_READY, &[0xb8, 0, 0, 0, 0, 1, 0, 0, 0, 255, 0, 0]] {
            assert_eq!(host.send(BOB, cdb, &[]).status, Status::RESERVATION_CONFLICT, "{cdb:02x?}");
        }
        assert_eq!(host.send(BOB, &[0x12, 0, 0, 0, 36, 0], &[]).status, Status::GOOD);
        assert_eq!(host.send(ALICE, release, &[]).status, Status::GOOD);
        assert_eq!(host.send(BOB, &TEST_UNIT_READY, &[]).status, Status::GOOD);
    }
    host.send(ALICE, &[0x16, 0, 0, 0, 0, 0], &[]);
    host.unit.nexus_lost(ALICE);
    assert_eq!(host.send(BOB, &move_medium, &[]).status, Status::GOOD);
}

#[test]
fn element_status_without_motion_is_read_under_a_reservation() {
    let mut host = Host::ready();
    host.send(ALICE, &[0x16, 0, 0, 0, 0, 0], &[]);
    let read = |current_data| [0xb8, 0, 0, 0, 0, 1, current_data, 0, 0, 255, 0, 0];
    assert_eq!(host.send(BOB, &read(0), &[]).status, Status::RESERVATION_CONFLICT);
    assert_eq!(host.send(BOB, &read(2), &[]).status, Status::GOOD);
}

#[test]
fn a_wrong_cdb_leaves_the_attention_waiting() {
    let mut host = Host::ready();
    host.unit.server_mut().import_export_accessed();
    assert_eq!(host.refused(&[0xa5, 0, 0, 9, 0x03, 0xe8, 0x01, 0xf4, 0, 0, 0, 0]).0, [5, 0x21, 1]);
    assert_eq!(host.refused(&[0xff]).0, [5, 0x20, 0]);
    assert_eq!(host.settle(ALICE), [IMPORT_EXPORT]);
}

#[test]
fn elements_cannot_be_reserved() {
    let mut host = Host::ready();
    for cdb in [&[0x16, 1, 0, 0, 6, 0][..], &[0x56, 1, 0, 0, 0, 0, 0, 0, 6, 0]] {
        assert_eq!(sense(&host.send(ALICE, cdb, &[])).0, [5, 0x24, 0]);
    }
    assert_eq!(host.send(BOB, &TEST_UNIT_READY, &[]).status, Status::GOOD);
}

#[test]
fn the_default_self_test_passes() {
    let mut host = Host::ready();
    host.read(&[0x1d, 4, 0, 0, 0, 0]);
}
