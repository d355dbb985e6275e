//! REPORT SUPPORTED OPERATION CODES, and that it tells the truth.

use capstan_device::spc::SpcDevice;
use capstan_device::ssc::TapeDrive;

use crate::host::{ALICE, Rig, Sense};
use crate::tape::Tape;

fn report(options: u8, opcode: u8, service_action: u8) -> [u8; 12] {
    [0xa3, 0x0c, options, opcode, 0, service_action, 0, 0, 0x10, 0, 0, 0]
}

#[test]
fn all_commands_with_timeouts_as_ltfs_asks() {
    let mut rig = Rig::known();
    let data = rig.good(&report(0x80, 0, 0));
    let length = usize::try_from(u32::from_be_bytes(data[..4].try_into().unwrap())).unwrap();
    assert_eq!((length, length % 20, length < 4096), (data.len() - 4, 0, true));
    assert_eq!(length / 20, TapeDrive::commands().len());
    for descriptor in data[4..].chunks(20) {
        let recommended = u32::from_be_bytes(descriptor[16..20].try_into().unwrap());
        assert!((1..100_000).contains(&recommended), "{descriptor:02x?}");
        assert_eq!((descriptor[5] & 2, descriptor[9]), (2, 10));
    }
    let plain = rig.good(&report(0, 0, 0));
    assert_eq!(plain.len(), 4 + TapeDrive::commands().len() * 8);
}

#[test]
fn one_command() {
    let mut rig = Rig::known();
    assert_eq!(rig.good(&report(1, 0x08, 0))[..], [0, 3, 0, 6, 0x08, 3, 0xff, 0xff, 0xff, 0]);
    assert_eq!(rig.good(&report(1, 0x04, 0))[..], [0, 1, 0, 0]);
    assert_eq!(rig.good(&report(2, 0xa3, 0x0c))[..6], [0, 3, 0, 12, 0xa3, 0x1f]);
    assert_eq!(rig.good(&report(2, 0xa3, 0x0d))[..], [0, 1, 0, 0]);
    assert_eq!(rig.good(&report(3, 0x34, 6))[..6], [0, 3, 0, 10, 0x34, 0x1f]);
    assert_eq!(rig.good(&report(3, 0x00, 0))[..4], [0, 3, 0, 6]);
    assert_eq!(rig.good(&report(3, 0x00, 1))[..], [0, 1, 0, 0]);
    let timed = rig.good(&report(0x81, 0x19, 0));
    assert_eq!((timed.len(), timed[1], &timed[10..12]), (22, 0x83, &[0, 10][..]));
    let refused = Sense::cdb_field(2, Some(2));
    assert_eq!(rig.sense(&report(1, 0xa3, 0)), refused);
    assert_eq!(rig.sense(&report(2, 0x00, 0)), refused);
    assert_eq!(rig.sense(&report(4, 0x00, 0)), refused);
}

#[test]
fn commands_are_in_order_and_named_once() {
    let rows: Vec<_> = TapeDrive::commands().iter().map(|row| (row.opcode, row.service_action)).collect();
    assert!(rows.is_sorted());
    assert!(rows.windows(2).all(|pair| pair[0] != pair[1]));
    for row in TapeDrive::commands() {
        let length = match row.opcode.0 >> 5 {
            0 => 6,
            1 | 2 => 10,
            4 => 16,
            5 => 12,
            group => panic!("group {group}"),
        };
        assert_eq!((row.usage.len(), row.usage[0]), (length, row.opcode.0), "{}", row.name);
    }
}

#[test]
fn whatever_is_not_reported_is_refused() {
    let mut rig = Rig::with(Tape::with(&[]));
    for opcode in 0..=u8::MAX {
        let known = TapeDrive::commands().iter().any(|row| row.opcode.0 == opcode);
        let completion = rig.run_from(ALICE, &[opcode, 0, 0, 0, 0, 0], &[]);
        let invalid = completion.sense.get(12) == Some(&0x20);
        assert_eq!(known, !invalid, "{opcode:#x}");
    }
    assert_eq!(rig.sense(&[0xa3, 0x0f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Sense::cdb_field(1, Some(4)));
}
