//! MODE SENSE and MODE SELECT as st, mt, LTFS, tapeinfo and sg_modes send them.

use capstan_scsi::sam::Status;

use crate::host::{ALICE, Rig, Sense};
use crate::tape::Tape;

fn sense_6(page: u8, length: u8) -> [u8; 6] {
    [0x1a, 0, page, 0, length, 0]
}

fn sense_10(page: u8, subpage: u8, length: u8) -> [u8; 10] {
    [0x5a, 0, page, subpage, 0, 0, 0, 0, length, 0]
}

#[test]
fn what_st_asks_for_at_every_open() {
    let mut rig = Rig::with(Tape::with(&[]));
    assert_eq!(rig.good(&sense_6(0, 12))[..], [11, 0x88, 0x10, 8, 0x5e, 0, 0, 0, 0, 0, 0, 0]);
    rig.unit.server_mut().cartridge_removed();
    assert_eq!(rig.good(&sense_6(0, 12))[..], [11, 0, 0x10, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn golden_pages() {
    let mut rig = Rig::with(Tape { capacity: 10 << 30, ..Tape::with(&[]) });
    let pages: [(u8, &[u8]); 8] = [
        (0x01, &[0x01, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        (0x02, &[0x02, 14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        (0x0a, &[0x0a, 10, 2, 0, 0, 0x40, 0, 0, 0, 0, 0, 0]),
        (0x0f, &[0x0f, 14, 0xc0, 0x80, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]),
        (0x10, &[0x10, 14, 0, 0, 0, 0, 0, 0, 0x40, 0, 0x18, 0, 0, 0, 1, 0]),
        (0x11, &[0x11, 8, 0, 0, 0x18, 3, 9, 0, 0, 11]),
        (0x1c, &[0x1c, 10, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        (0x1d, &[0x1d, 30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ];
    for (code, page) in pages {
        let six = rig.good(&sense_6(code, 255));
        assert_eq!((&six[12..], usize::from(six[0])), (page, six.len() - 1), "{code:#x}");
        let ten = rig.good(&sense_10(code, 0, 255));
        assert_eq!((&ten[16..], usize::from(ten[1]), ten[7]), (page, ten.len() - 2, 8), "{code:#x}");
        let bare = rig.good(&[0x1a, 8, code, 0, 255, 0]);
        assert_eq!((&bare[4..], bare[3]), (page, 0), "{code:#x}");
    }
}

#[test]
fn the_device_configuration_extension_is_48_bytes_for_ltfs() {
    let mut rig = Rig::with(Tape::with(&[]));
    let data = rig.good(&sense_10(0x10, 1, 48));
    assert_eq!((data.len(), &data[16..20], &data[20..]), (48, &[0x50, 1, 0, 0x1c][..], &[0; 28][..]));
    assert_eq!(rig.good(&sense_10(0x10, 1, 255)).len(), 48);
    assert_eq!(rig.good(&sense_10(0x10, 0xff, 255)).len(), 16 + 16 + 32);
}

#[test]
fn all_pages_and_cut_answers() {
    let mut rig = Rig::with(Tape::with(&[]));
    let all = rig.good(&sense_6(0x3f, 255));
    assert_eq!((all.len(), usize::from(all[0])), (12 + 12 + 16 + 12 + 16 + 16 + 10 + 12 + 32, all.len() - 1));
    assert_eq!(rig.good(&sense_10(0x3f, 0xff, 255)).len(), 16 + 126 + 32);
    for length in [0, 1, 4, 12, 13, 100] {
        assert_eq!(rig.good(&sense_6(0x3f, length))[..], all[..usize::from(length)]);
    }
}

#[test]
fn page_control() {
    let mut rig = Rig::with(Tape::with(&[]));
    rig.send(&[0x15, 0x10, 0, 0, 20, 0], &compression(false));
    assert_eq!(rig.good(&sense_6(0x0f, 255))[14], 0x40);
    assert_eq!(rig.good(&sense_6(0x40 | 0x0f, 255))[12..16], [0x0f, 14, 0x80, 0]);
    assert_eq!(rig.good(&sense_6(0x80 | 0x0f, 255))[14], 0xc0);
    assert_eq!(rig.sense(&sense_6(0xc0 | 0x0f, 255)), Sense::new(5, 0x39, 0));
    assert_eq!(rig.sense(&sense_10(0xc0 | 0x3f, 0, 255)), Sense::new(5, 0x39, 0));
}

#[test]
fn pages_that_are_not_there_are_pointed_at() {
    let mut rig = Rig::with(Tape::with(&[]));
    for page in [0x03, 0x08, 0x24, 0x25, 0x1e, 0x3e] {
        assert_eq!(rig.sense(&sense_6(page, 255)), Sense::cdb_field(2, Some(5)));
    }
    assert_eq!(rig.sense(&sense_10(0x0a, 0xf0, 48)), Sense::cdb_field(3, Some(7)));
    assert_eq!(rig.sense(&[0x5a, 0x10, 0x0a, 0, 0, 0, 0, 0, 48, 0]), Sense::cdb_field(1, Some(4)));
}

/// Page 0Fh with DCE on or off behind a header without block descriptor.
fn compression(dce: bool) -> [u8; 20] {
    let dce = if dce { 0xc0 } else { 0x40 };
    [0, 0, 0x10, 0, 0x0f, 14, dce, 0x80, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]
}

#[test]
fn mt_compression_reads_the_page_and_writes_it_back() {
    let mut rig = Rig::with(Tape::with(&[]));
    let mut list = rig.good(&sense_6(0x0f, 255)).to_vec();
    (list[0], list[14]) = (0, list[14] & 0x7f);
    rig.send(&[0x15, 0x10, 0, 0, 28, 0], &list);
    assert_eq!(rig.good(&sense_6(0x0f, 255))[14], 0x40);
    assert_eq!(rig.good(&sense_6(0x10, 255))[12 + 14], 0);
    // By the other page.
    let mut list = rig.good(&sense_10(0x10, 0, 255)).to_vec();
    list[16 + 14] = 1;
    rig.send(&[0x55, 0x10, 0, 0, 0, 0, 0, 0, 32, 0], &list);
    assert_eq!(rig.good(&sense_6(0x0f, 255))[14], 0xc0);
}

#[test]
fn what_was_sensed_can_be_selected_whole() {
    let mut rig = Rig::with(Tape::with(&[]));
    let list = rig.good(&[0x5a, 0, 0x3f, 0xff, 0, 0, 0, 1, 0, 0]);
    rig.send(&[0x55, 0x10, 0, 0, 0, 0, 0, 0, u8::try_from(list.len()).unwrap(), 0], &list);
    let list = rig.good(&sense_6(0x3f, 255));
    rig.send(&[0x15, 0x10, 0, 0, u8::try_from(list.len()).unwrap(), 0], &list);
}

#[test]
fn block_lengths() {
    let mut rig = Rig::with(Tape::with(&[]));
    rig.setblk(512);
    assert_eq!(rig.good(&sense_6(0, 12))[9..], [0, 2, 0]);
    let with = |density, length: [u8; 3]| [0, 0, 0x10, 8, density, 0, 0, 0, 0, length[0], length[1], length[2]];
    let select = [0x15, 0x10, 0, 0, 12, 0];
    assert_eq!(rig.refused(&select, &with(0, [0x80, 0, 1])), Sense::list_field(9, None));
    assert_eq!(rig.refused(&select, &with(0x58, [0, 2, 0])), Sense::list_field(4, None));
    assert_eq!(rig.good(&sense_6(0, 12))[9..], [0, 2, 0]);
    for density in [0, 0x5e, 0x7f] {
        rig.send(&select, &with(density, [0x80, 0, 0]));
    }
    rig.send(&select, &with(0, [0; 3]));
    // st sends PF; SCSI-1 programs do not, and need it for no more than this.
    rig.send(&[0x15, 0, 0, 0, 12, 0], &with(0, [0, 2, 0]));
    assert_eq!(rig.refused(&[0x15, 0, 0, 0, 20, 0], &compression(true)), Sense::cdb_field(1, Some(4)));
}

#[test]
fn lists_that_are_wrong_change_nothing() {
    let mut rig = Rig::with(Tape::with(&[]));
    let length_error = Sense::new(5, 0x1a, 0);
    // The list ends before its length, or in the middle of something.
    assert_eq!(rig.refused(&[0x15, 0x10, 0, 0, 20, 0], &compression(false)[..19]), length_error);
    let header_and_descriptor = [0, 0, 0x10, 8, 0, 0, 0, 0, 0, 0, 2, 0];
    assert_eq!(rig.refused(&[0x15, 0x10, 0, 0, 13, 0], &header_and_descriptor), length_error);
    assert_eq!(rig.good(&sense_6(0, 12))[9..], [0, 0, 0]);
    assert_eq!(rig.refused(&[0x15, 0x10, 0, 0, 3, 0], &[0, 0, 0x10]), length_error);
    assert_eq!(rig.refused(&[0x15, 0x10, 0, 0, 10, 0], &[0, 0, 0x10, 8, 0, 0, 0, 0, 0, 0]), length_error);
    assert_eq!(rig.refused(&[0x55, 0x10, 0, 0, 0, 0, 0, 0, 4, 0], &[0, 0, 0, 0x10]), length_error);
    assert_eq!(rig.refused(&[0x15, 0x10, 0, 0, 4, 0], &[0, 0, 0x10, 4]), Sense::list_field(3, None));
    assert_eq!(rig.refused(&[0x15, 0x10, 0, 0, 4, 0], &[0, 0, 0x20, 0]), Sense::list_field(2, Some(6)));
    // The second page is wrong: the first is not taken either.
    let two = [&compression(false)[..], &[0x0a, 10, 6, 0, 0, 0x40, 0, 0, 0, 0, 0, 0]].concat();
    assert_eq!(rig.refused(&[0x15, 0x10, 0, 0, 32, 0], &two), Sense::list_field(22, Some(2)));
    assert_eq!(rig.good(&sense_6(0x0f, 255))[14], 0xc0);
    assert_eq!(rig.refused(&[0x15, 0x11, 0, 0, 4, 0], &[0, 0, 0x10, 0]), Sense::cdb_field(1, Some(0)));
    rig.send(&[0x15, 0x10, 0, 0, 0, 0], &[]);
    // LTFS asks for a second partition and lives with the refusal.
    let partitions = [0, 0, 0, 0x10, 0, 0, 0, 0, 0x11, 10, 0, 1, 0x38, 3, 9, 0, 0, 1, 0xff, 0xff];
    assert_eq!(rig.refused(&[0x55, 0x10, 0, 0, 0, 0, 0, 0, 20, 0], &partitions), Sense::list_field(9, None));
}

#[test]
fn wanted_bytes_are_the_parameter_list_length() {
    let mut rig = Rig::with(Tape::with(&[]));
    let completion = rig.run_split(ALICE, &[0x15, 0x10, 0, 0, 4, 0], &[0, 0, 0x10, 0, 9, 9], 0);
    assert_eq!((completion.status, completion.data_out_length), (Status::GOOD, 4));
}
