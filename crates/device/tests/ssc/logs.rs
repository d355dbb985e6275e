//! LOG SENSE and LOG SELECT.

use capstan_device::ssc::TapeAlertFlag;
use capstan_media::MediumFailureKind;

use crate::host::{ALICE, BOB, Rig, Sense, variable};
use crate::tape::Tape;

/// LOG SENSE with PC 01b.
fn log(page: u8, length: u16) -> [u8; 10] {
    let [high, low] = length.to_be_bytes();
    [0x4d, 0, 0x40 | page, 0, 0, 0, 0, high, low, 0]
}

/// Number of the flags that are set.
fn flags(data: &[u8]) -> Vec<usize> {
    assert_eq!((data.len(), &data[..4]), (324, &[0xae, 0, 1, 0x40][..]));
    let set = |(index, parameter): (usize, &[u8])| {
        assert_eq!(parameter[..4], [0, u8::try_from(index + 1).unwrap(), 3, 1]);
        (parameter[4] == 1).then_some(index + 1)
    };
    data[4..].chunks(5).enumerate().filter_map(set).collect()
}

#[test]
fn golden_lists_of_pages() {
    let mut rig = Rig::known();
    assert_eq!(rig.good(&log(0, 255))[..], [0, 0, 0, 5, 0x00, 0x0c, 0x17, 0x2e, 0x31]);
    let subpages = rig.good(&[0x4d, 0, 0x40, 0xff, 0, 0, 0, 0, 255, 0]);
    assert_eq!(subpages[..8], [0x40, 0xff, 0, 12, 0, 0, 0, 0xff]);
    assert_eq!(subpages[8..], [0x0c, 0, 0x17, 0, 0x2e, 0, 0x31, 0]);
    for page in [0x02, 0x03, 0x37, 0x3f] {
        assert_eq!(rig.sense(&log(page, 255)), Sense::cdb_field(2, Some(5)));
    }
    assert_eq!(rig.sense(&[0x4d, 0, 0x6e, 1, 0, 0, 0, 0, 255, 0]), Sense::cdb_field(3, None));
    assert_eq!(rig.sense(&[0x4d, 1, 0x6e, 0, 0, 0, 0, 0, 255, 0]), Sense::cdb_field(1, Some(0)));
}

#[test]
fn every_page_control_reports_current_values() {
    // tapeinfo and Bareos ask with PC 00b.
    let mut rig = Rig::with(Tape { capacity: 10 << 30, ..Tape::with(&[]) });
    rig.unit.server_mut().usage_changed(1 << 30, 10 << 30);
    for control in 0..4_u8 {
        let data = rig.good(&[0x4d, 0, control << 6 | 0x31, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(data[..12], [0xb1, 0, 0, 32, 0, 1, 0, 4, 0, 0, 0x24, 0]);
        assert_eq!(data[12..], [0, 2, 0, 4, 0, 0, 0, 0, 0, 3, 0, 4, 0, 0, 0x28, 0, 0, 4, 0, 4, 0, 0, 0, 0]);
        assert!(flags(&rig.good(&[0x4d, 0, control << 6 | 0x2e, 0, 0, 0, 0, 1, 0x44, 0])).is_empty());
    }
}

#[test]
fn alerts_are_read_and_cleared_by_each_nexus_for_itself() {
    let mut rig = Rig::with(Tape::with(&[10]));
    rig.fail(MediumFailureKind::Corrupt, 0);
    rig.sense(&variable(8, 10));
    rig.unit.server_mut().raise_alert(TapeAlertFlag::WRITE_WARNING);
    // A look at the header clears nothing (sg_logs begins with one), nor does a part of the page.
    assert_eq!(rig.good(&log(0x2e, 4))[..], [0xae, 0, 1, 0x40]);
    assert_eq!(rig.good(&log(0x2e, 323)).len(), 323);
    rig.good(&[0x4d, 0, 0x6e, 0, 0, 0, 5, 1, 0x44, 0]);
    assert_eq!(flags(&rig.good(&log(0x2e, 324))), [2, 3, 5]);
    assert!(flags(&rig.good(&log(0x2e, 0xffff))).is_empty());
    assert_eq!(flags(&rig.good_from(BOB, &log(0x2e, 0xffff))), [2, 3, 5]);
    assert!(rig.unit.server().alerts().was_raised(TapeAlertFlag::READ_FAILURE));
}

#[test]
fn failures_to_write_raise_their_flags() {
    let mut rig = Rig::with(Tape::with(&[]));
    rig.fail(MediumFailureKind::WriteFault, 0);
    rig.refused(&variable(0x0a, 10), &[0; 10]);
    assert_eq!(flags(&rig.good(&log(0x2e, 324))), [3, 6]);
    rig.fail(MediumFailureKind::NoSpace, 0);
    rig.refused(&variable(0x0a, 10), &[0; 10]);
    assert_eq!(flags(&rig.good(&log(0x2e, 324))), [2]);
    rig.fail(MediumFailureKind::WriteProtected, 0);
    rig.refused(&variable(0x0a, 10), &[0; 10]);
    assert!(flags(&rig.good(&log(0x2e, 324))).is_empty());
}

#[test]
fn transfers_are_counted_and_can_be_reset() {
    let mut rig = Rig::with(Tape::with(&[]));
    rig.send(&variable(0x0a, 300), &[0; 300]);
    rig.good(&[1, 0, 0, 0, 0, 0]);
    rig.good(&variable(8, 300));
    rig.good(&[1, 0, 0, 0, 0, 0]);
    rig.good(&variable(8, 300));
    let counters = |data: &[u8]| -> Vec<u64> {
        assert_eq!(data[..4], [0x8c, 0, 0, 53]);
        assert_eq!(data[52..], [1, 0, 3, 1, 0]);
        data[4..52].chunks(12).map(|parameter| u64::from_be_bytes(parameter[4..].try_into().unwrap())).collect()
    };
    assert_eq!(counters(&rig.good(&log(0x0c, 255))), [300, 300, 600, 600]);
    // From parameter 3 on, and beyond the last.
    assert_eq!(rig.good(&[0x4d, 0, 0x4c, 0, 0, 0, 3, 0, 255, 0]).len(), 4 + 12 + 5);
    assert_eq!(rig.sense(&[0x4d, 0, 0x4c, 0, 0, 1, 1, 0, 255, 0]), Sense::cdb_field(5, None));
    rig.good(&[0x4c, 0, 0x4c, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(counters(&rig.good(&log(0x0c, 255)))[0], 300);
    rig.good(&[0x4c, 2, 0x4c, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(counters(&rig.good(&log(0x0c, 255))), [0; 4]);
    rig.good(&[0x4c, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(rig.unit.server().statistics().read_bytes, 600);
    assert_eq!(rig.sense(&[0x4c, 2, 0x42, 0, 0, 0, 0, 0, 0, 0]), Sense::cdb_field(2, Some(5)));
    assert_eq!(rig.sense(&[0x4c, 2, 0, 0, 0, 0, 0, 0, 8, 0]), Sense::cdb_field(8, Some(3)));
}

#[test]
fn volume_statistics_have_one_record_for_the_one_partition() {
    let mut rig = Rig::with(Tape { capacity: 12_000_000_000, ..Tape::with(&[]) });
    rig.send(&variable(0x0a, 3_000_000), &vec![0; 3_000_000]);
    let data = rig.good(&log(0x17, 255));
    assert_eq!(data[..9], [0x97, 0, 0, 41, 0, 0, 3, 1, 1]);
    assert_eq!(data[9..21], [2, 2, 3, 8, 7, 0, 0, 0, 0, 0, 0x2e, 0xe0]);
    assert_eq!(data[21..33], [2, 3, 3, 8, 7, 0, 0, 0, 0, 0, 0, 3]);
    assert_eq!(data[33..], [2, 4, 3, 8, 7, 0, 0, 0, 0, 0, 0x2e, 0xdd]);
    rig.unit.server_mut().cartridge_removed();
    assert_eq!(rig.good_from(ALICE, &log(0x17, 255))[..], [0x97, 0, 0, 5, 0, 0, 3, 1, 0]);
}

#[test]
fn used_capacity_starts_again_at_the_beginning_of_the_tape() {
    let mut rig = Rig::with(Tape::with(&[]));
    let used = |rig: &Rig| rig.unit.server().medium().unwrap().used;
    rig.send(&variable(0x0a, 100), &[0; 100]);
    rig.send(&variable(0x0a, 100), &[0; 100]);
    assert_eq!(used(&rig), 200);
    rig.good(&[1, 0, 0, 0, 0, 0]);
    rig.send(&variable(0x0a, 50), &[0; 50]);
    assert_eq!(used(&rig), 50);
    rig.good(&[1, 0, 0, 0, 0, 0]);
    rig.good(&[0x19, 0, 0, 0, 0, 0]);
    assert_eq!(used(&rig), 0);
}
