//! RESERVE and RELEASE, and what another nexus may do meanwhile.

use capstan_scsi::sam::Status;

use crate::host::{ALICE, BOB, NEW_MEDIUM, Rig, Sense, TEST_UNIT_READY};
use crate::tape::Tape;

const RESERVE: [u8; 6] = [0x16, 0, 0, 0, 0, 0];
const RELEASE: [u8; 6] = [0x17, 0, 0, 0, 0, 0];

fn status(rig: &mut Rig, cdb: &[u8]) -> Status {
    let completion = rig.run_from(BOB, cdb, &[]);
    assert!(completion.status == Status::CHECK_CONDITION || completion.sense.is_empty());
    completion.status
}

#[test]
fn what_conflicts_with_a_reservation_and_what_does_not() {
    let mut rig = Rig::with(Tape::with(&[10]));
    rig.good(&RESERVE);
    rig.good(&RESERVE);
    rig.good(&TEST_UNIT_READY);
    let conflicts: [&[u8]; 12] = [
        &TEST_UNIT_READY,
        &RESERVE,
        &[0x56, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[8, 0, 0, 0, 10, 0],
        &[0x0a, 0, 0, 0, 10, 0],
        &[0x10, 0, 0, 0, 1, 0],
        &[1, 0, 0, 0, 0, 0],
        &[0x1a, 0, 0x3f, 0, 255, 0],
        &[0x1e, 0, 0, 0, 1, 0],
        &[0x1b, 0, 0, 0, 0, 0],
        &[0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0x1d, 4, 0, 0, 0, 0],
    ];
    for cdb in conflicts {
        assert_eq!(status(&mut rig, cdb), Status::RESERVATION_CONFLICT, "{cdb:02x?}");
    }
    let allowed: [&[u8]; 9] = [
        &[0x12, 0, 0, 0, 255, 0],
        &[3, 0, 0, 0, 18, 0],
        &[0xa0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0],
        &[0x1e, 0, 0, 0, 0, 0],
        &[0x4d, 0, 0x6e, 0, 0, 0, 0, 1, 0x44, 0],
        &[5, 0, 0, 0, 0, 0],
        &[0x44, 0, 0, 0, 0, 0, 0, 0, 255, 0],
        &[0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0],
        &RELEASE,
    ];
    for cdb in allowed {
        assert_eq!(status(&mut rig, cdb), Status::GOOD, "{cdb:02x?}");
    }
    // Bob's RELEASE released nothing.
    assert_eq!(status(&mut rig, &TEST_UNIT_READY), Status::RESERVATION_CONFLICT);
    assert!(rig.log.is_empty());
    rig.good(&[0x57, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(status(&mut rig, &TEST_UNIT_READY), Status::GOOD);
}

#[test]
fn an_attention_comes_before_the_conflict_and_a_bad_cdb_before_both() {
    let mut rig = Rig::with(Tape::with(&[10]));
    rig.good(&RESERVE);
    let medium = rig.medium();
    rig.unit.server_mut().cartridge_inserted(medium, false);
    assert_eq!(rig.sense_from(BOB, &[0x16, 1, 0, 0, 0, 0]), Sense::cdb_field(1, Some(0)));
    assert_eq!(rig.sense_from(BOB, &TEST_UNIT_READY), NEW_MEDIUM());
    assert_eq!(status(&mut rig, &TEST_UNIT_READY), Status::RESERVATION_CONFLICT);
}

#[test]
fn a_lost_nexus_loses_its_reservation_and_is_told() {
    let mut rig = Rig::with(Tape::with(&[10]));
    rig.good(&RESERVE);
    assert_eq!(rig.unit.server().reservation_holder(), Some(ALICE));
    rig.unit.nexus_lost(ALICE);
    assert_eq!(status(&mut rig, &TEST_UNIT_READY), Status::GOOD);
    rig.establish(ALICE);
    assert_eq!(rig.sense(&TEST_UNIT_READY), Sense::new(6, 0x29, 7));
    rig.good(&TEST_UNIT_READY);
}

#[test]
fn third_parties_and_extents_are_refused() {
    let mut rig = Rig::known();
    assert_eq!(rig.sense(&[0x16, 0x10, 0, 0, 0, 0]), Sense::cdb_field(1, Some(4)));
    assert_eq!(rig.sense(&[0x56, 0x12, 0, 0, 0, 0, 0, 0, 8, 0]), Sense::cdb_field(1, Some(4)));
    assert_eq!(rig.sense(&[0x5e, 0, 0, 0, 0, 0, 0, 0, 8, 0]), Sense::new(5, 0x20, 0));
}
