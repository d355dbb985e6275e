//! LOAD UNLOAD, PREVENT ALLOW MEDIUM REMOVAL and the robot.

use capstan_device::ssc::{DriveOp, TapeAlertFlag};

use crate::host::{
    ALICE, BOB, LOAD, NEW_MEDIUM, NO_MEDIUM, REWIND, Rig, Sense, TEST_UNIT_READY, UNLOAD, WEOF, variable,
};
use crate::tape::Tape;

const HOLD: [u8; 6] = [0x1b, 0, 0, 0, 8, 0];
const PREVENT: [u8; 6] = [0x1e, 0, 0, 0, 1, 0];
const ALLOW: [u8; 6] = [0x1e, 0, 0, 0, 0, 0];

#[test]
fn an_empty_drive_says_so() {
    let mut rig = Rig::known();
    for cdb in [
        &TEST_UNIT_READY[..],
        &REWIND,
        &LOAD,
        &UNLOAD,
        &WEOF,
        &variable(8, 1),
        &[0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0x44, 1, 0, 0, 0, 0, 0, 0, 255, 0],
        &[0x19, 1, 0, 0, 0, 0],
        &[0x11, 3, 0, 0, 0, 0],
    ] {
        assert_eq!(rig.sense(cdb), NO_MEDIUM(), "{cdb:02x?}");
    }
    assert!(rig.unit.server().medium().is_none());
}

#[test]
fn a_cartridge_from_the_robot_is_told_to_every_nexus_once() {
    let mut rig = Rig::known();
    rig.insert(Tape::with(&[10]), false);
    for nexus in [ALICE, BOB] {
        assert_eq!(rig.sense_from(nexus, &TEST_UNIT_READY), NEW_MEDIUM());
        rig.good_from(nexus, &TEST_UNIT_READY);
    }
    rig.unit.server_mut().cartridge_removed();
    assert_eq!(rig.sense(&TEST_UNIT_READY), NO_MEDIUM());
}

#[test]
fn unload_takes_the_medium_away_and_load_brings_it_back() {
    // tgt stays ready after an unload.
    let mut rig = Rig::with(Tape::with(&[10]));
    rig.good(&variable(8, 10));
    rig.good(&UNLOAD);
    assert!(matches!(rig.log.last(), Some(DriveOp::Unload)));
    assert_eq!(rig.sense(&TEST_UNIT_READY), NO_MEDIUM());
    rig.good(&UNLOAD);
    rig.good(&LOAD);
    for nexus in [ALICE, BOB] {
        assert_eq!(rig.sense_from(nexus, &TEST_UNIT_READY), NEW_MEDIUM());
    }
    assert_eq!(rig.tell(), (0, 0));
}

#[test]
fn load_of_a_threaded_cartridge_goes_to_the_beginning() {
    for byte in [1, 3] {
        let mut rig = Rig::with(Tape::with(&[10]));
        rig.good(&variable(8, 10));
        rig.good(&[0x1b, 1, 0, 0, byte, 0]);
        assert_eq!(rig.tell(), (0, 0));
        rig.good(&TEST_UNIT_READY);
    }
}

#[test]
fn hold_leaves_the_cartridge_unthreaded() {
    let mut rig = Rig::with(Tape::with(&[10]));
    rig.good(&HOLD);
    let initialize = Sense::new(2, 4, 2);
    assert_eq!(rig.sense(&TEST_UNIT_READY), initialize);
    rig.good(&[0x1b, 0, 0, 0, 9, 0]);
    assert_eq!(rig.sense(&TEST_UNIT_READY), initialize);
    rig.good(&LOAD);
    assert_eq!(rig.sense(&TEST_UNIT_READY), NEW_MEDIUM());
    rig.good(&HOLD);
    rig.good(&UNLOAD);
    assert_eq!(rig.sense(&TEST_UNIT_READY), NO_MEDIUM());
}

#[test]
fn end_of_tape_goes_with_unload_only() {
    let mut rig = Rig::with(Tape::with(&[10]));
    assert_eq!(rig.sense(&[0x1b, 0, 0, 0, 5, 0]), Sense::cdb_field(4, Some(2)));
    rig.good(&[0x1b, 0, 0, 0, 4, 0]);
}

#[test]
fn load_after_the_robot_took_the_cartridge_finds_nothing() {
    let mut rig = Rig::with(Tape::with(&[10]));
    rig.good(&UNLOAD);
    rig.seated = false;
    assert_eq!(rig.sense(&LOAD), NO_MEDIUM());
    assert_eq!(rig.sense(&UNLOAD), NO_MEDIUM());
    assert_eq!(rig.sense(&[0x1b, 0, 0, 0, 9, 0]), NO_MEDIUM());
}

#[test]
fn load_finds_a_cartridge_that_was_unloaded_before_a_restart() {
    let mut rig = Rig::known();
    rig.seated = true;
    assert_eq!(rig.sense(&TEST_UNIT_READY), NO_MEDIUM());
    rig.good(&LOAD);
    assert_eq!(rig.sense(&TEST_UNIT_READY), NEW_MEDIUM());
    rig.good(&TEST_UNIT_READY);
}

#[test]
fn loads_and_unloads_that_fail_raise_an_alert() {
    let mut rig = Rig::with(Tape::with(&[10]));
    let failed = Sense::new(3, 0x53, 0);
    rig.load_fails = true;
    assert_eq!(rig.sense(&UNLOAD), failed);
    rig.good(&TEST_UNIT_READY);
    rig.load_fails = false;
    rig.good(&UNLOAD);
    rig.load_fails = true;
    assert_eq!(rig.sense(&LOAD), failed);
    assert_eq!(rig.sense(&TEST_UNIT_READY), NO_MEDIUM());
    let alerts = rig.unit.server().alerts();
    assert!(alerts.was_raised(TapeAlertFlag::LOADING_FAILURE));
    assert!(alerts.was_raised(TapeAlertFlag::UNRECOVERABLE_UNLOAD_FAILURE));
}

#[test]
fn removal_is_prevented_while_any_nexus_prevents() {
    let mut rig = Rig::with(Tape::with(&[10]));
    rig.good(&PREVENT);
    rig.good_from(BOB, &PREVENT);
    assert!(rig.unit.server().removal_prevented());
    for nexus in [ALICE, BOB] {
        assert_eq!(rig.sense_from(nexus, &UNLOAD), Sense::new(5, 0x53, 2));
    }
    rig.good(&ALLOW);
    assert!(rig.unit.server().removal_prevented());
    rig.unit.nexus_lost(BOB);
    assert!(!rig.unit.server().removal_prevented());
    rig.good(&UNLOAD);
    assert_eq!(rig.sense(&[0x1e, 0, 0, 0, 2, 0]), Sense::cdb_field(4, Some(1)));
    assert_eq!(rig.sense(&[0x1e, 0, 0, 0, 3, 0]), Sense::cdb_field(4, Some(1)));
}

#[test]
fn a_drive_can_be_locked_empty() {
    let mut rig = Rig::known();
    rig.good(&PREVENT);
    assert!(rig.unit.server().removal_prevented());
}
