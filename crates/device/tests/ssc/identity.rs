//! INQUIRY, VPD pages, REPORT LUNS, READ BLOCK LIMITS, REPORT DENSITY SUPPORT.

use capstan_scsi::sam::Lun;

use crate::host::{ALICE, NAA, Rig, SERIAL, Sense, TARGET};
use crate::tape::Tape;

fn vpd(rig: &mut Rig, page: u8) -> Vec<u8> {
    rig.good(&[0x12, 1, page, 0, 255, 0]).to_vec()
}

#[test]
fn golden_inquiry() {
    let mut rig = Rig::known();
    let data = rig.good(&[0x12, 0, 0, 0, 255, 0]);
    assert_eq!(data.len(), 74);
    assert_eq!(&data[..36], b"\x01\x80\x06\x02\x45\x00\x00\x02IBM     ULT3580-TD8     HB82");
    assert_eq!(&data[58..66], &[0x00, 0xa0, 0x04, 0x60, 0x05, 0x20, 0x09, 0x60]);
    // Linux asks for 36 bytes first; mtx looks at MChngr, byte 6 bit 3.
    assert_eq!(rig.good(&[0x12, 0, 0, 0, 36, 0])[..], data[..36]);
    assert_eq!(data[6] & 8, 0);
    assert!(rig.good(&[0x12, 0, 0, 0, 0, 0]).is_empty());
    assert_eq!(rig.sense(&[0x12, 0, 0x80, 0, 255, 0]), Sense::cdb_field(2, None));
    assert_eq!(rig.sense(&[0x12, 2, 0, 0, 255, 0]), Sense::cdb_field(1, Some(1)));
}

#[test]
fn golden_vpd_pages() {
    let mut rig = Rig::known();
    assert_eq!(vpd(&mut rig, 0x00), [1, 0, 0, 6, 0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2]);
    assert_eq!(vpd(&mut rig, 0x80), [&[1, 0x80, 0, 10], SERIAL.as_bytes()].concat());
    assert_eq!(vpd(&mut rig, 0xb0), [1, 0xb0, 0, 2, 0, 0]);
    assert_eq!(vpd(&mut rig, 0xb1), [&[1, 0xb1, 0, 10], SERIAL.as_bytes()].concat());
    // Flags 2, 3, 5, 6, 55 and 56.
    assert_eq!(vpd(&mut rig, 0xb2), [1, 0xb2, 0, 8, 0x6c, 0, 0, 0, 0, 0, 0x03, 0]);
    for page in [0x01, 0x86, 0x89, 0xb3, 0xc0, 0xff] {
        assert_eq!(rig.sense(&[0x12, 1, page, 0, 255, 0]), Sense::cdb_field(2, None));
    }
}

#[test]
fn golden_device_identification() {
    let mut rig = Rig::known();
    let port = format!("{TARGET},t,0x0001\0\0\0\0");
    let device = format!("{TARGET}\0\0");
    let expected = [
        &[1, 0x03, 0, 8][..],
        &NAA.to_be_bytes(),
        &[2, 0x01, 0, 34],
        b"IBM     ULT3580-TD8     CAP0123456",
        &[0x51, 0x94, 0, 4, 0, 0, 0, 1],
        &[0x53, 0x98, 0, 44],
        &port.as_bytes()[..44],
        &[0x53, 0xa8, 0, 36],
        &device.as_bytes()[..36],
    ]
    .concat();
    let data = vpd(&mut rig, 0x83);
    assert_eq!(data[..4], [1, 0x83, 0, u8::try_from(expected.len()).unwrap()]);
    assert_eq!(data[4..], expected);
}

#[test]
fn luns_are_those_of_the_target() {
    let mut rig = Rig::known();
    let report = |select| [0xa0, 0, select, 0, 0, 0, 0, 0, 1, 0, 0, 0];
    assert_eq!(rig.good(&report(0))[..], [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    rig.unit.server_mut().set_luns(vec![Lun::ZERO, Lun::flat(1)]);
    let data = rig.good(&report(2));
    assert_eq!((data.len(), data[3], data[17]), (24, 16, 1));
    assert_eq!(rig.good(&report(1))[..], [0; 8]);
    assert_eq!(rig.sense(&report(0x10)), Sense::cdb_field(2, None));
    assert_eq!(rig.good_from(ALICE, &[0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0]).len(), 4);
}

#[test]
fn golden_block_limits() {
    let mut rig = Rig::known();
    assert_eq!(rig.good(&[5, 0, 0, 0, 0, 0])[..], [0, 0x80, 0, 0, 0, 1]);
    // MLOI
    assert_eq!(rig.sense(&[5, 1, 0, 0, 0, 0]), Sense::cdb_field(1, Some(0)));
}

#[test]
fn densities_of_the_drive_and_of_the_medium() {
    let mut rig = Rig::with(Tape::with(&[]));
    let all = rig.good(&[0x44, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
    assert_eq!((all.len(), all[0], all[1], all[4], all[56]), (4 + 2 * 52, 0, 106, 0x5c, 0x5e));
    let medium = rig.good(&[0x44, 1, 0, 0, 0, 0, 0, 1, 0, 0]);
    assert_eq!(medium[..9], [0, 54, 0, 0, 0x5e, 0x5e, 0xa0, 0, 0]);
    assert_eq!(&medium[20..36], b"LTO-CVE U-832   ");
    assert_eq!(rig.good(&[0x44, 0, 0, 0, 0, 0, 0, 0, 10, 0]).len(), 10);
    assert_eq!(rig.sense(&[0x44, 2, 0, 0, 0, 0, 0, 0, 10, 0]), Sense::cdb_field(1, Some(1)));
}

#[test]
fn the_lun_in_byte_one_and_vendor_control_bits_are_ignored() {
    let mut rig = Rig::with(Tape::with(&[]));
    rig.good(&[0, 0xe0, 0, 0, 0, 0xc0]);
    rig.good(&[0x12, 0x20, 0, 0, 96, 0]);
    assert_eq!(rig.sense(&[0, 0, 0, 0, 0, 4]), Sense::cdb_field(5, Some(2)));
    assert_eq!(rig.sense(&[0, 0, 0, 8, 0, 0]), Sense::cdb_field(3, Some(3)));
}

#[test]
fn the_self_test_passes() {
    let mut rig = Rig::known();
    rig.good(&[0x1d, 4, 0, 0, 0, 0]);
    rig.good(&[0x1d, 0, 0, 0, 0, 0]);
    assert_eq!(rig.sense(&[0x1d, 0x20, 0, 0, 0, 0]), Sense::cdb_field(1, Some(7)));
    assert_eq!(rig.sense(&[0x1d, 0x10, 0, 0, 4, 0]), Sense::cdb_field(4, Some(2)));
}
