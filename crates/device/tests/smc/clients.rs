//! How two clients read a changer, written from what is known of them and not from our own decoder:
//! mtx sizes requests by mode page 1Dh and walks pages and descriptors; the Linux `ch` driver reads one element a
//! time and looks at fixed offsets.

use capstan_scsi::sam::Status;

use crate::host::{ALICE, Host, sense};

/// A line of `mtx status`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Line {
    pub(crate) element_type: u8,
    pub(crate) address: u16,
    pub(crate) full: bool,
    pub(crate) by_operator: bool,
    pub(crate) source: Option<u16>,
    pub(crate) volume_tag: String,
}

fn be(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |value, byte| value * 256 + usize::from(*byte))
}

/// Firsts and counts by element type, from MODE SENSE(6) with DBD.
pub(crate) fn mtx_mode_sense(host: &mut Host) -> [(usize, usize); 5] {
    let data = host.read(&[0x1a, 0x08, 0x1d, 0, 136, 0]);
    assert_eq!(usize::from(data[0]) + 1, data.len());
    let page = &data[4 + usize::from(data[3])..];
    assert_eq!(page[0] & 0x3f, 0x1d);
    let pair = |at: usize| (be(&page[at..at + 2]), be(&page[at + 2..at + 4]));
    [(0, 0), pair(2), pair(6), pair(10), pair(14)]
}

/// `mtx status`: INQUIRY, MODE SENSE, then READ ELEMENT STATUS for slots, mail slots, drives and the picker.
pub(crate) fn mtx_status(host: &mut Host) -> Vec<Line> {
    let inquiry = host.read(&[0x12, 0, 0, 0, 56, 0]);
    assert_eq!((inquiry.len(), inquiry[0]), (56, 8));
    // A unit attention may meet MODE SENSE; mtx then asks for sense until there is none, and tries once more.
    let first = host.send(ALICE, &[0x1a, 0x08, 0x1d, 0, 136, 0], &[]);
    if first.status == Status::CHECK_CONDITION {
        assert_eq!(sense(&first).0[0], 6);
        let mut tries = 0..10;
        while host.read(&[3, 0, 0, 0, 18, 0])[2] & 0x0f != 0 {
            assert!(tries.next().is_some(), "sense without end");
        }
    }
    let ranges = mtx_mode_sense(host);
    let mut lines = Vec::new();
    for element_type in [2, 3, 4, 1] {
        let (first, count) = ranges[usize::from(element_type)];
        if count > 0 {
            lines.extend(mtx_elements(host, element_type, first, count));
        }
    }
    lines
}

fn mtx_elements(host: &mut Host, element_type: u8, first: usize, count: usize) -> Vec<Line> {
    let allocation = 8 + 4 * 8 + count * 84;
    let two = |value: usize| u16::try_from(value).unwrap().to_be_bytes();
    let ([s1, s0], [c1, c0]) = (two(first), two(count));
    let length = u32::try_from(allocation).unwrap().to_be_bytes();
    // eepos of mtx: vendor-specific bits of the control byte.
    let cdb = [0xb8, 0x10 | element_type, s1, s0, c1, c0, 0, length[1], length[2], length[3], 0, 0xc0];
    let data = host.read(&cdb);
    let available = be(&data[5..8]) + 8;
    assert!(available <= allocation, "mtx would ask again");
    assert_eq!(available, data.len());
    assert_eq!(be(&data[2..4]), count, "page 1Dh and the report differ");
    walk(&data)
}

/// Walks pages and descriptors of a complete report.
pub(crate) fn walk(data: &[u8]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut rest = &data[8..];
    while !rest.is_empty() {
        let (element_type, flags) = (rest[0], rest[1]);
        let (length, bytes) = (be(&rest[2..4]), be(&rest[5..8]));
        assert_eq!(flags & 0x7f, 0, "an alternate volume tag");
        assert!(length >= 12 && bytes % length == 0);
        for descriptor in rest[8..8 + bytes].chunks(length) {
            let tag =
                if flags & 0x80 != 0 { String::from_utf8(descriptor[12..44].to_vec()).unwrap() } else { String::new() };
            lines.push(Line {
                element_type,
                address: u16::try_from(be(&descriptor[..2])).unwrap(),
                full: descriptor[2] & 1 != 0,
                by_operator: descriptor[2] & 2 != 0,
                source: (descriptor[9] & 0x80 != 0).then(|| u16::try_from(be(&descriptor[10..12])).unwrap()),
                volume_tag: tag.trim_end_matches([' ', '\0']).to_owned(),
            });
        }
        rest = &rest[8 + bytes..];
    }
    lines
}

/// What the `ch` driver sees of one element: type code set, one element, 255 bytes, the LUN in byte 1.
pub(crate) fn ch_element(host: &mut Host, element_type: u8, address: u16) -> Vec<u8> {
    let [high, low] = address.to_be_bytes();
    let lun = 3 << 5;
    let data = host.read(&[0xb8, lun | 0x10 | element_type, high, low, 0, 1, 0, 0, 0, 255, 0, 0]);
    assert_eq!(data[16..18], [high, low]);
    data[16..].to_vec()
}
