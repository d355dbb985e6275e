//! Mode and log pages.

use capstan_scsi::sam::Status;

use crate::clients::mtx_mode_sense;
use crate::host::{ALICE, Host, sense};

const ADDRESSES: [u8; 20] = [0x1d, 18, 0, 1, 0, 1, 0x03, 0xe8, 0, 4, 0, 10, 0, 2, 0x01, 0xf4, 0, 2, 0, 0];
const GEOMETRY: [u8; 4] = [0x1e, 2, 0, 0];
const CAPABILITIES: [u8; 20] = [0x1f, 18, 0x0e, 0, 0, 0x0e, 0x0e, 0x0e, 0, 0, 0, 0, 0, 0x0e, 0x0e, 0x0e, 0, 0, 0, 0];

#[test]
fn golden_pages_by_both_commands_with_and_without_dbd() {
    let mut host = Host::ready();
    let all = [&ADDRESSES[..], &GEOMETRY, &CAPABILITIES].concat();
    let pages = [(0x1d, ADDRESSES.to_vec()), (0x1e, GEOMETRY.to_vec()), (0x1f, CAPABILITIES.to_vec()), (0x3f, all)];
    for (code, page) in pages {
        let length = u8::try_from(page.len()).unwrap();
        for dbd in [0, 8] {
            let six = [&[length + 3, 0, 0, 0], &page[..]].concat();
            assert_eq!(host.read(&[0x1a, dbd, code, 0, 255, 0]), six);
            let ten = [&[0, length + 6, 0, 0, 0, 0, 0, 0], &page[..]].concat();
            assert_eq!(host.read(&[0x5a, dbd, code, 0, 0, 0, 0, 1, 0, 0]), ten);
            for allocation in 0..=255 {
                let cut = usize::from(allocation).min(six.len());
                assert_eq!(host.read(&[0x1a, dbd, code, 0, allocation, 0]), six[..cut]);
            }
        }
    }
}

#[test]
fn default_values_are_the_current_ones_and_nothing_is_changeable_or_saved() {
    let mut host = Host::ready();
    assert_eq!(host.read(&[0x1a, 8, 0x9d, 0, 255, 0])[4..], ADDRESSES);
    let mut mask = [0; 20];
    mask[..2].copy_from_slice(&ADDRESSES[..2]);
    assert_eq!(host.read(&[0x1a, 8, 0x5d, 0, 255, 0])[4..], mask);
    assert_eq!(host.refused(&[0x1a, 8, 0xdd, 0, 255, 0]).0, [5, 0x39, 0]);
    assert_eq!(host.refused(&[0x1a, 8, 0x0f, 0, 255, 0]), ([5, 0x24, 0], [0xcd, 0, 2]));
}

#[test]
fn counts_of_page_1d_are_those_of_the_report() {
    let mut host = Host::ready();
    for (element_type, (first, count)) in mtx_mode_sense(&mut host).into_iter().enumerate().skip(1) {
        let data = host.read(&[0xb8, u8::try_from(element_type).unwrap(), 0, 0, 0xff, 0xff, 0, 0, 4, 0, 0, 0]);
        assert_eq!((usize::from(data[0]) * 256 + usize::from(data[1]), usize::from(data[3])), (first, count));
    }
}

#[test]
fn select_accepts_what_is_and_refuses_what_is_not() {
    let mut host = Host::ready();
    let list = [&[0; 4], &ADDRESSES[..]].concat();
    let mut select = |list: &[u8]| host.send(ALICE, &[0x15, 0x10, 0, 0, u8::try_from(list.len()).unwrap(), 0], list);
    assert_eq!(select(&list).status, Status::GOOD);
    assert_eq!(select(&[]).status, Status::GOOD);
    let mut other = list.clone();
    other[11] = 5;
    assert_eq!(sense(&select(&other)).0, [5, 0x26, 0]);
    assert_eq!(sense(&select(&list[..23])).0, [5, 0x1a, 0]);
    let ten = [&[0; 8], &GEOMETRY[..]].concat();
    let answer = host.send(ALICE, &[0x55, 0x10, 0, 0, 0, 0, 0, 0, 12, 0], &ten);
    assert_eq!(answer.status, Status::GOOD);
}

#[test]
fn golden_log_pages() {
    let mut host = Host::ready();
    // PC=00 as tapeinfo asks, PC=01 as others do.
    for control in [0x00, 0x40] {
        assert_eq!(host.read(&[0x4d, 0, control, 0, 0, 0, 0, 1, 0, 0])[..], [0, 0, 0, 2, 0, 0x2e]);
        let alerts = host.read(&[0x4d, 0, control | 0x2e, 0, 0, 0, 0, 2, 0, 0]);
        assert_eq!(alerts.len(), 4 + 64 * 5);
        assert_eq!((alerts[0] & 0x3f, alerts[1], alerts[2], alerts[3]), (0x2e, 0, 0x01, 0x40));
        for (index, parameter) in alerts[4..].chunks(5).enumerate() {
            assert_eq!([parameter[0], parameter[1]], u16::try_from(index + 1).unwrap().to_be_bytes());
            assert_eq!((parameter[3], parameter[4]), (1, 0));
        }
    }
    assert_eq!(host.read(&[0x4d, 0, 0x6e, 0, 0, 0, 0, 0, 4, 0]).len(), 4);
    assert_eq!(host.refused(&[0x4d, 0, 0x71, 0, 0, 0, 0, 1, 0, 0]).0, [5, 0x24, 0]);
}
