//! INQUIRY, vital product data, REPORT LUNS, the list of commands: how a host recognises the changer.

use capstan_scsi::sam::Status;

use crate::host::{ALICE, Host};

#[test]
fn golden_standard_inquiry() {
    let mut host = Host::ready();
    let data = host.read(&[0x12, 0, 0, 0, 255, 0]);
    assert_eq!(data[..8], [0x08, 0x80, 0x06, 0x02, 0x45, 0, 0, 0x02]);
    assert_eq!(data[8..36], *b"STK     L700            0105");
    // A library with bar codes said that it had no reader.
    assert_eq!(data[36..56], *b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01");
    assert_eq!(data.len(), 74);
    assert_eq!(host.read(&[0x12, 0, 0, 0, 36, 0]), data[..36]);
    assert_eq!(host.read(&[0x12, 0, 0, 0, 5, 0]), data[..5]);
}

#[test]
fn golden_vital_product_data() {
    let mut host = Host::ready();
    assert_eq!(host.read(&[0x12, 1, 0x00, 0, 255, 0])[..], [8, 0, 0, 3, 0, 0x80, 0x83]);
    assert_eq!(host.read(&[0x12, 1, 0x80, 0, 255, 0])[..], *b"\x08\x80\x00\x0aCAPCHANGER");
    let identification = host.read(&[0x12, 1, 0x83, 0, 255, 0]);
    assert_eq!(usize::from(identification[3]) + 4, identification.len());
    assert_eq!(identification[4..16], [1, 3, 0, 8, 0x31, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);
    assert_eq!(identification[16..54], *b"\x02\x01\x00\x22STK     L700            CAPCHANGER");
    for page in [0x01, 0x86, 0xb0, 0xb1, 0xc0, 0xff] {
        assert_eq!(host.refused(&[0x12, 1, page, 0, 255, 0]).0, [5, 0x24, 0], "{page:02x}");
    }
}

#[test]
fn every_listed_command_is_known_and_no_other() {
    let mut host = Host::ready();
    let list = host.read(&[0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0]);
    assert_eq!(u32::from_be_bytes(list[..4].try_into().unwrap()), u32::try_from(list.len() - 4).unwrap());
    let mut listed: Vec<u8> = list[4..].chunks(8).map(|descriptor| descriptor[0]).collect();
    listed.dedup();
    let expected = [
        0x00, 0x03, 0x07, 0x12, 0x15, 0x16, 0x17, 0x1a, 0x1d, 0x1e, 0x2b, 0x37, 0x4c, 0x4d, 0x55, 0x56, 0x57, 0x5a,
        0xa0, 0xa3, 0xa5, 0xa6, 0xb5, 0xb6, 0xb8, 0xe7,
    ];
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    for opcode in 0..=255 {
        let answer = host.send(ALICE, &[opcode, 0, 0, 0, 0, 0], &[]);
        let unknown = answer.status == Status::CHECK_CONDITION && answer.sense[12..14] == [0x20, 0];
        assert_eq!(unknown, !listed.contains(&opcode), "{opcode:02x}");
    }
}

#[test]
fn the_list_of_commands_with_timeouts_suits_its_readers() {
    let mut host = Host::ready();
    let list = host.read(&[0xa3, 0x0c, 0x80, 0, 0, 0, 0, 0, 0x10, 0, 0, 0]);
    assert_eq!((list.len() - 4) % 20, 0);
    for descriptor in list[4..].chunks(20) {
        assert_eq!(descriptor[5] & 2, 2);
        assert_ne!(u32::from_be_bytes(descriptor[16..20].try_into().unwrap()), 0, "{descriptor:02x?}");
    }
}

#[test]
fn usage_of_element_commands() {
    let mut host = Host::ready();
    let mut usage = |opcode: u8| {
        let data = host.read(&[0xa3, 0x0c, 1, opcode, 0, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(data[1] & 7, 3);
        data[4..].to_vec()
    };
    assert_eq!(usage(0xa5), [0xa5, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
    assert_eq!(usage(0xb8), [0xb8, 0x1f, 0xff, 0xff, 0xff, 0xff, 3, 0xff, 0xff, 0xff, 0, 0]);
    assert_eq!(usage(0x07), [7, 0, 0, 0, 0, 0]);
}
