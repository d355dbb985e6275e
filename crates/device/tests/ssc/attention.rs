//! Unit attentions and REQUEST SENSE.

use capstan_scsi::sam::{ManagementFunction, ManagementResponse, NexusId, TaskManagement};
use std::sync::Arc;

use capstan_device::Step;
use capstan_scsi::sam::Lun;

use crate::host::{ALICE, BOB, NEW_MEDIUM, NO_MEDIUM, NOW, Nobody, Rig, Sense, TEST_UNIT_READY};
use crate::tape::Tape;

const REQUEST_SENSE: [u8; 6] = [3, 0, 0, 0, 255, 0];
const POWER_ON: fn() -> Sense = || Sense::new(6, 0x29, 0);

fn reset(rig: &mut Rig) {
    let function = ManagementFunction::LogicalUnitReset;
    rig.unit.manage(NOW, TaskManagement { nexus: BOB, lun: Lun::ZERO, function, tag: 7 }, Arc::new(Nobody));
    let Step::Managed { tag: 7, response: ManagementResponse::FunctionComplete, .. } = rig.unit.step(NOW) else {
        panic!("no answer to the reset")
    };
}

#[test]
fn a_new_nexus_gets_one_power_on_and_one_only() {
    let mut rig = Rig::new();
    rig.establish(ALICE);
    assert_eq!(rig.sense(&TEST_UNIT_READY), POWER_ON());
    assert_eq!(rig.sense(&TEST_UNIT_READY), NO_MEDIUM());
    // The same port logs in again: nothing was lost, nothing is reported.
    rig.unit.nexus_lost(ALICE);
    rig.establish(ALICE);
    assert_eq!(rig.sense(&TEST_UNIT_READY), NO_MEDIUM());
}

#[test]
fn inquiry_report_luns_and_refusals_leave_attentions_alone() {
    let mut rig = Rig::new();
    rig.establish(ALICE);
    rig.good(&[0x12, 0, 0, 0, 96, 0]);
    rig.good(&[0x12, 1, 0x83, 0, 255, 0]);
    rig.good(&[0xa0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0]);
    assert_eq!(rig.sense(&[0xff]), Sense::new(5, 0x20, 0));
    assert_eq!(rig.sense(&[0x12, 1, 0xc0, 0, 255, 0]), Sense::cdb_field(2, None));
    assert_eq!(rig.sense(&[0x1a, 0, 0x25, 0, 255, 0]), Sense::cdb_field(2, Some(5)));
    assert_eq!(rig.sense(&TEST_UNIT_READY), POWER_ON());
}

#[test]
fn request_sense_takes_them_one_by_one_and_then_says_no_sense() {
    let mut rig = Rig::new();
    rig.establish(ALICE);
    rig.insert(Tape::with(&[]), false);
    for sense in [POWER_ON(), NEW_MEDIUM(), Sense::new(0, 0, 0), Sense::new(0, 0, 0)] {
        assert_eq!(Sense::parse(&rig.good(&REQUEST_SENSE)), sense);
    }
    rig.good(&TEST_UNIT_READY);
    assert_eq!(rig.good(&[3, 0, 0, 0, 4, 0])[..], [0x70, 0, 0, 0]);
    assert_eq!(rig.sense(&[3, 1, 0, 0, 18, 0]), Sense::cdb_field(1, Some(0)));
}

#[test]
fn a_nexus_does_not_take_anothers_attention() {
    let mut rig = Rig::known();
    rig.insert(Tape::with(&[]), false);
    rig.good_from(BOB, &REQUEST_SENSE);
    rig.good_from(BOB, &TEST_UNIT_READY);
    assert_eq!(rig.sense(&TEST_UNIT_READY), NEW_MEDIUM());
}

#[test]
fn a_cartridge_that_came_while_a_nexus_was_away_is_told() {
    let mut rig = Rig::known();
    rig.unit.nexus_lost(ALICE);
    rig.insert(Tape::with(&[]), false);
    rig.establish(ALICE);
    assert_eq!(rig.sense(&TEST_UNIT_READY), NEW_MEDIUM());
    rig.good(&TEST_UNIT_READY);
}

#[test]
fn a_reset_tells_every_nexus_and_restores_defaults() {
    let mut rig = Rig::with(Tape::with(&[10]));
    rig.setblk(512);
    rig.good(&[0x1e, 0, 0, 0, 1, 0]);
    rig.good(&[0x16, 0, 0, 0, 0, 0]);
    rig.good(&[8, 1, 0, 0, 0, 0]);
    reset(&mut rig);
    for nexus in [ALICE, BOB] {
        assert_eq!(rig.sense_from(nexus, &TEST_UNIT_READY), Sense::new(6, 0x29, 3));
        rig.good_from(nexus, &TEST_UNIT_READY);
    }
    assert!(!rig.unit.server().removal_prevented());
    assert_eq!(rig.good(&[0x1a, 0, 0, 0, 12, 0])[9..12], [0, 0, 0]);
    assert_eq!(rig.tell(), (0, 0));
}

#[test]
fn mode_changes_are_told_to_the_others() {
    let mut rig = Rig::known();
    rig.setblk(512);
    assert_eq!(rig.sense(&TEST_UNIT_READY), NO_MEDIUM());
    assert_eq!(rig.sense_from(BOB, &TEST_UNIT_READY), Sense::new(6, 0x2a, 1));
    rig.setblk(512);
    assert_eq!(rig.sense_from(BOB, &TEST_UNIT_READY), NO_MEDIUM());
}

#[test]
fn thousands_of_nexuses_come_and_go() {
    let mut rig = Rig::known();
    for number in 10..3000 {
        let nexus = NexusId(number);
        rig.establish(nexus);
        assert_eq!(rig.sense_from(nexus, &TEST_UNIT_READY), POWER_ON());
        rig.unit.nexus_lost(nexus);
    }
    assert_eq!(rig.sense(&TEST_UNIT_READY), NO_MEDIUM());
}
