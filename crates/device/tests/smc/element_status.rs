//! READ ELEMENT STATUS: golden bytes and windows, and what mtx and `ch` make of them.

use capstan_media::ElementAddress;

use crate::clients::{Line, ch_element, mtx_status, walk};
use crate::host::{ALICE, Host, LAYOUT};

fn tag(barcode: &str) -> [u8; 36] {
    let mut tag = [0; 36];
    tag[..32].fill(b' ');
    tag[..barcode.len()].copy_from_slice(barcode.as_bytes());
    tag
}

#[test]
fn golden_storage_with_volume_tags() {
    let mut host = Host::ready();
    let data = host.read(&[0xb8, 0x12, 0x03, 0xe8, 0, 3, 0, 0, 4, 0, 0, 0]);
    let mut golden = vec![0x03, 0xe8, 0, 3, 0, 0, 0, 164, 2, 0x80, 0, 52, 0, 0, 0, 156];
    for (address, flags, tag) in [(0xe8, 9, tag("CAP001L8")), (0xe9, 9, tag("CAP002L8")), (0xea, 8, [0; 36])] {
        golden.extend([0x03, address, flags, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        golden.extend(tag);
        golden.extend([0; 4]);
    }
    assert_eq!(data, golden);
}

#[test]
fn golden_all_types_in_one_report() {
    let mut host = Host::ready();
    let data = host.read(&[0xb8, 0, 0, 0, 0xff, 0xff, 0, 0, 4, 0, 0, 0]);
    #[rustfmt::skip]
    let golden = [
        0, 1, 0, 9, 0, 0, 0, 176,
        1, 0, 0, 16, 0, 0, 0, 16,
        0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        3, 0, 0, 16, 0, 0, 0, 32,
        0, 10, 0x3b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 11, 0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        4, 0, 0, 16, 0, 0, 0, 32,
        0x01, 0xf4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0x01, 0xf5, 1, 0, 0, 0, 0, 0, 0, 0x80, 0x03, 0xeb, 0, 0, 0, 0,
        2, 0, 0, 16, 0, 0, 0, 64,
        0x03, 0xe8, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0x03, 0xe9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0x03, 0xea, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0x03, 0xeb, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    assert_eq!(data[..], golden[..]);
}

#[test]
fn golden_drives_with_identifiers_and_volume_tags() {
    let mut host = Host::ready();
    let data = host.read(&[0xb8, 0x14, 0x01, 0xf4, 0, 2, 1, 0, 4, 0, 0, 0]);
    let mut golden = vec![0x01, 0xf4, 0, 2, 0, 0, 0, 180, 4, 0x80, 0, 86, 0, 0, 0, 172];
    golden.extend([0x01, 0xf4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    golden.extend([0; 36]);
    golden.extend(b"\x02\x01\x00\x22IBM     ULT3580-TD8     CAP0000000");
    golden.extend([0x01, 0xf5, 1, 0, 0, 0, 0, 0, 0, 0x80, 0x03, 0xeb]);
    golden.extend(tag("CAP004L8"));
    golden.extend(b"\x02\x01\x00\x22IBM     ULT3580-TD8     CAP0000001");
    assert_eq!(data, golden);
}

#[test]
fn identifiers_belong_to_drives_only() {
    let mut host = Host::ready();
    let slots = host.read(&[0xb8, 2, 0x03, 0xe8, 0, 1, 1, 0, 4, 0, 0, 0]);
    assert_eq!(slots[8..16], [2, 0, 0, 16, 0, 0, 0, 16]);
    let all = host.read(&[0xb8, 0, 0, 0, 0xff, 0xff, 1, 0, 4, 0, 0, 0]);
    assert_eq!(all.len(), 8 + 4 * 8 + 7 * 16 + 2 * 50);
    assert_eq!(walk(&all).len(), 9);
}

#[test]
fn any_allocation_length_keeps_the_counts_and_ends_after_a_descriptor() {
    let mut host = Host::ready();
    let request = |length: u16| {
        let [high, low] = length.to_be_bytes();
        [0xb8, 0x10, 0, 0, 0xff, 0xff, 0, 0, high, low, 0, 0]
    };
    let whole = host.read(&request(u16::MAX));
    assert_eq!(whole.len(), 8 + 4 * 8 + 9 * 52);
    assert_eq!(usize::from(whole[6]) * 256 + usize::from(whole[7]) + 8, whole.len());
    // Ends of the header, of page headers and of descriptors.
    let mut ends = vec![8];
    for descriptors in [1, 2, 2, 4] {
        let page = ends.last().unwrap() + 8;
        ends.extend((0..=descriptors).map(|count| page + count * 52));
    }
    for length in 0..=600_u16 {
        let allocation = usize::from(length);
        let end = if allocation < 8 { allocation } else { *ends.iter().rfind(|end| **end <= allocation).unwrap() };
        assert_eq!(host.read(&request(length)), whole[..end], "allocation length {length}");
    }
}

#[test]
fn start_and_count_make_a_window() {
    let mut host = Host::ready();
    let mut addresses = |element_type: u8, start: u16, count: u16| {
        let ([s1, s0], [c1, c0]) = (start.to_be_bytes(), count.to_be_bytes());
        let data = host.read(&[0xb8, element_type, s1, s0, c1, c0, 0, 0, 4, 0, 0, 0]);
        let lines = walk(&data);
        assert_eq!(usize::from(data[3]), lines.len());
        let first = lines.first().map_or(0, |line| line.address);
        assert_eq!(data[..2], first.to_be_bytes());
        lines.into_iter().map(|line| line.address).collect::<Vec<_>>()
    };
    assert_eq!(addresses(2, 1001, 2), [1001, 1002]);
    assert_eq!(addresses(2, 0, 2), [1000, 1001]);
    assert_eq!(addresses(2, 1003, 100), [1003]);
    assert_eq!(addresses(3, 11, 1), [11]);
    assert_eq!(addresses(0, 11, 3), [11, 500, 501]);
    assert_eq!(addresses(0, 501, 2), [501, 1000]);
    assert_eq!(addresses(0, 0, 0), [0; 0]);
    assert_eq!(addresses(4, 1, 1), [500]);
}

#[test]
fn a_walk_by_address_ends_with_invalid_element_address() {
    let mut host = Host::ready();
    let beyond = ([5, 0x21, 1], [0xc0, 0, 2]);
    assert_eq!(host.refused(&[0xb8, 0, 0x03, 0xec, 0, 1, 0, 0, 4, 0, 0, 0]), beyond);
    assert_eq!(host.refused(&[0xb8, 4, 0x01, 0xf6, 0, 1, 0, 0, 4, 0, 0, 0]), beyond);
    assert!(host.library.log.is_empty());
}

#[test]
fn a_type_without_elements_reports_none() {
    let mut host = Host::new(capstan_media::Layout { io_slots: 0, ..LAYOUT });
    host.login(ALICE);
    host.settle(ALICE);
    assert_eq!(host.read(&[0xb8, 3, 0, 10, 0, 1, 0, 0, 4, 0, 0, 0])[..], [0; 8]);
}

#[test]
fn undefined_types_are_refused() {
    let mut host = Host::ready();
    for element_type in 5..16 {
        assert_eq!(host.refused(&[0xb8, element_type, 0, 0, 0, 1, 0, 0, 4, 0, 0, 0]), ([5, 0x24, 0], [0xcb, 0, 1]));
    }
}

#[test]
fn mtx_sees_the_library() {
    let mut host = Host::ready();
    let line = |element_type, address, volume_tag: &str| Line {
        element_type,
        address,
        full: !volume_tag.is_empty(),
        by_operator: address == 10,
        source: (address == 501).then_some(1003),
        volume_tag: volume_tag.to_owned(),
    };
    let expected = [
        line(2, 1000, "CAP001L8"),
        line(2, 1001, "CAP002L8"),
        line(2, 1002, ""),
        line(2, 1003, ""),
        line(3, 10, "CAP003L8"),
        line(3, 11, ""),
        line(4, 500, ""),
        line(4, 501, "CAP004L8"),
        line(1, 1, ""),
    ];
    assert_eq!(mtx_status(&mut host), expected);
}

#[test]
fn mtx_sees_a_large_library_at_once() {
    let layout = capstan_media::Layout { slots: 1500, io_slots: 60, drives: 10, ..LAYOUT };
    let mut host = Host::new(layout);
    host.login(ALICE);
    for slot in 0..1500_u16 {
        host.library.put(1000 + slot, &format!("CAP{slot:03}L8"));
    }
    let lines = mtx_status(&mut host);
    assert_eq!(lines.len(), 1500 + 60 + 10 + 1);
    assert_eq!(lines[1499].volume_tag, "CAP1499L8");
}

#[test]
fn ch_sees_each_element() {
    let mut host = Host::ready();
    for (element_type, address) in [(1, 1), (2, 1000), (2, 1003), (3, 10), (4, 500), (4, 501)] {
        assert_eq!(ch_element(&mut host, element_type, address).len(), 52);
    }
    let drive = ch_element(&mut host, 4, 501);
    assert_eq!((drive[2] & 1, drive[6], drive[9]), (1, 0, 0x80));
    assert_eq!(&drive[12..20], b"CAP004L8");
}

#[test]
fn a_source_is_reported_only_with_a_cartridge() {
    let mut host = Host::ready();
    host.library.elements.get_mut(&500).unwrap().source = Some(ElementAddress(1000));
    let drive = ch_element(&mut host, 4, 500);
    assert_eq!(drive[9..12], [0, 0, 0]);
}
