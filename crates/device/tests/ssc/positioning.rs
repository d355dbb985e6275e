//! SPACE, LOCATE, READ POSITION, REWIND, and a position that is lost.

use capstan_scsi::sam::Status;

use crate::host::{EOD, FILEMARK, LOAD, POSITION_LOST, REWIND, Rig, Sense, WEOF, fixed, space, variable};
use crate::tape::Tape;

fn locate_16(byte_1: u8, partition: u8, number: u64) -> [u8; 16] {
    let mut cdb = [0; 16];
    (cdb[0], cdb[1], cdb[3]) = (0x92, byte_1, partition);
    cdb[4..12].copy_from_slice(&number.to_be_bytes());
    cdb
}

fn space_16(code: u8, count: i64) -> [u8; 16] {
    let mut cdb = [0; 16];
    (cdb[0], cdb[1]) = (0x91, code);
    cdb[4..12].copy_from_slice(&count.to_be_bytes());
    cdb
}

fn beginning() -> Sense {
    Sense::new(0, 0, 4).eom()
}

#[test]
fn spacing_over_blocks_stops_after_a_filemark_forwards_and_before_it_backwards() {
    // tgt crosses filemarks.
    let mut rig = Rig::with(Tape::with(&[10, 10, 0, 10]));
    assert_eq!(rig.sense(&space(0, 3)), FILEMARK().info(1));
    assert_eq!(rig.tell(), (3, 1));
    rig.good(&space(0, 1));
    assert_eq!(rig.sense(&space(0, -5)), FILEMARK().info(4));
    assert_eq!(rig.tell(), (2, 0));
    assert_eq!(rig.sense(&space(0, -5)), beginning().info(3));
    assert_eq!(rig.tell(), (0, 0));
}

#[test]
fn spacing_over_filemarks_does_not_see_blocks() {
    let mut rig = Rig::with(Tape::with(&[10, 0, 10, 0, 0, 10]));
    rig.good(&space(1, 2));
    assert_eq!(rig.tell(), (4, 2));
    rig.good(&space(1, -2));
    assert_eq!(rig.tell(), (1, 0));
    assert_eq!(rig.sense(&space(1, -1)), beginning().info(1));
}

#[test]
fn file_number_of_the_end_is_asked_minus_information() {
    // How MTEOM works without fast positioning: Bacula and Bareos append by this.
    let mut rig = Rig::with(Tape::with(&[10, 0, 10, 0, 10, 0]));
    assert_eq!(rig.sense(&space(1, 0x7f_ffff)), EOD().info(0x7f_ffff - 3));
    assert_eq!(rig.tell(), (6, 3));
    rig.good(&space(3, 0));
    assert_eq!(rig.tell(), (6, 3));
    assert_eq!(rig.sense(&space(0, 1)), EOD().info(1));
}

#[test]
fn counts_are_signed_and_zero_moves_nothing() {
    let mut rig = Rig::with(Tape::with(&[10, 10]));
    rig.good(&space(0, 0));
    rig.good(&space(1, 0));
    assert!(rig.log.is_empty());
    assert_eq!(rig.sense(&space(0, -0x80_0000)), beginning().info(0x80_0000));
    assert_eq!(rig.sense(&space_16(0, 7)), EOD().info(5));
    rig.good(&space_16(0, -2));
    assert_eq!(rig.tell(), (0, 0));
    rig.good(&space_16(3, 0));
    assert_eq!(rig.tell(), (2, 0));
}

#[test]
fn a_residue_beyond_four_bytes_leaves_valid_at_zero() {
    let mut rig = Rig::with(Tape::with(&[10]));
    assert_eq!(rig.sense(&space_16(0, i64::MAX)), EOD());
    assert_eq!(rig.sense(&space_16(1, i64::MIN)), beginning());
    // What needs the sign bit travels as it is.
    assert_eq!(rig.sense(&space_16(1, 0xffff_ffff)), EOD().info(-1));
}

#[test]
fn sequential_filemarks_and_setmarks_are_refused() {
    let mut rig = Rig::with(Tape::with(&[]));
    for code in [2, 4, 5, 15] {
        assert_eq!(rig.sense(&space(code, 1)), Sense::cdb_field(1, Some(3)));
        assert_eq!(rig.sense(&space_16(code, 1)), Sense::cdb_field(1, Some(3)));
    }
}

#[test]
fn locate_finds_objects_files_and_the_end() {
    let mut rig = Rig::with(Tape::with(&[10, 0, 10, 0, 10]));
    rig.good(&[0x2b, 0, 0, 0, 0, 0, 3, 0, 0, 0]);
    assert_eq!(rig.tell(), (3, 1));
    // BT, and CP with the partition that is there.
    rig.good(&[0x2b, 6, 0, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(rig.tell(), (1, 0));
    rig.good(&locate_16(0, 0, 4));
    assert_eq!(rig.tell(), (4, 2));
    rig.good(&locate_16(0x08, 0, 1));
    assert_eq!(rig.tell(), (2, 1));
    rig.good(&locate_16(0x18, 0, 0));
    assert_eq!(rig.tell(), (5, 2));
    rig.good(&locate_16(0x01, 0, 0));
    assert_eq!(rig.tell(), (0, 0));
}

#[test]
fn locate_past_the_end_stands_at_the_end() {
    let mut rig = Rig::with(Tape::with(&[10, 0, 10]));
    assert_eq!(rig.sense(&[0x2b, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0]), EOD());
    assert_eq!(rig.tell(), (3, 1));
    rig.good(&REWIND);
    // LTFS goes to end of data by this number.
    assert_eq!(rig.sense(&locate_16(2, 0, u64::MAX)), EOD());
    assert_eq!(rig.tell(), (3, 1));
    assert_eq!(rig.sense(&locate_16(0x08, 0, 9)), EOD());
    rig.good(&locate_16(0, 0, 3));
}

#[test]
fn partitions_that_are_not_there_are_pointed_at() {
    let mut rig = Rig::with(Tape::with(&[10]));
    assert_eq!(rig.sense(&[0x2b, 2, 0, 0, 0, 0, 0, 0, 1, 0]), Sense::cdb_field(8, None));
    assert_eq!(rig.sense(&locate_16(2, 1, 0)), Sense::cdb_field(3, None));
    assert_eq!(rig.sense(&locate_16(0x10, 0, 0)), Sense::cdb_field(1, Some(5)));
    assert_eq!(rig.sense(&locate_16(0x20, 0, 0)), Sense::cdb_field(1, Some(5)));
    // Without CP the field says nothing.
    rig.good(&locate_16(0, 1, 0));
}

#[test]
fn golden_read_position_forms() {
    // tgt returns zeros.
    let mut rig = Rig::with(Tape::with(&[10, 0]));
    assert_eq!(rig.good(&[0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0])[..2], [0x80, 0]);
    rig.good(&space(3, 0));
    let short = [0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(rig.good(&[0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0])[..], short);
    assert_eq!(rig.good(&[0x34, 1, 0, 0, 0, 0, 0, 0, 0, 0])[..], short);
    let long = rig.good(&[0x34, 6, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!((long.len(), long[15], long[23]), (32, 2, 1));
    let extended = rig.good(&[0x34, 8, 0, 0, 0, 0, 0, 0, 32, 0]);
    assert_eq!((extended.len(), extended[3], extended[15], extended[23]), (32, 28, 2, 2));
    assert_eq!(rig.good(&[0x34, 8, 0, 0, 0, 0, 0, 0, 4, 0]).len(), 4);
    assert_eq!(rig.good(&[0x34, 6, 0, 0, 0, 0, 0, 0, 4, 0]).len(), 4);
    for service_action in [2, 3, 5, 7, 9, 0x1f] {
        assert_eq!(rig.sense(&[0x34, service_action, 0, 0, 0, 0, 0, 0, 0, 0]), Sense::cdb_field(1, Some(4)));
    }
}

/// A drive whose daemon was restarted with a tape in it.
fn lost() -> Rig {
    let mut rig = Rig::known();
    rig.insert(Tape::with(&[10, 0, 10]), true);
    rig.sense(&[0; 6]);
    rig
}

#[test]
fn a_lost_position_stops_everything_that_depends_on_it() {
    let mut rig = lost();
    rig.good(&[0; 6]);
    let relative = [&variable(8, 10)[..], &variable(8, 0), &WEOF, &[0x10, 0, 0, 0, 0, 0], &[0x19, 1, 0, 0, 0, 0]];
    for cdb in relative {
        assert_eq!(rig.sense(cdb), POSITION_LOST(), "{cdb:02x?}");
    }
    // st counted a refused SPACE as done: without a residue it takes it that everything was passed.
    for (cdb, residue) in [(&space(0, 1)[..], 1), (&space(1, -2), 2), (&space(1, 0), 0), (&space_16(1, 3), 3)] {
        assert_eq!(rig.sense(cdb), Sense { information: Some(residue), ..POSITION_LOST() }, "{cdb:02x?}");
    }
    assert_eq!(rig.refused(&variable(0x0a, 1), &[0]), POSITION_LOST());
    assert!(rig.log.is_empty());
    assert_eq!(rig.good(&[0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0])[..8], [4, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(rig.good(&[0x34, 6, 0, 0, 0, 0, 0, 0, 0, 0])[..8], [0x0c, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(rig.good(&[0x34, 8, 0, 0, 0, 0, 0, 0, 32, 0])[0], 4);
    assert!(rig.unit.server().position_lost());
    // A CDB that is wrong anyway is refused as such.
    assert_eq!(rig.sense(&fixed(8, 1)), Sense::cdb_field(1, Some(0)));
}

#[test]
fn absolute_positioning_finds_the_position_again() {
    let cures =
        [&REWIND[..], &LOAD, &space(3, 0), &space_16(3, 0), &[0x2b, 0, 0, 0, 0, 0, 1, 0, 0, 0], &locate_16(0, 0, 1)];
    for cdb in cures {
        let mut rig = lost();
        rig.good(cdb);
        rig.good(&space(0, 0));
        assert_eq!(rig.good(&[0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0])[0] & 4, 0, "{cdb:02x?}");
    }
    // So does a LOCATE beyond the end: it stands at the end.
    let mut rig = lost();
    assert_eq!(rig.sense(&locate_16(0, 0, 99)), EOD());
    assert_eq!(rig.tell(), (3, 1));
}

#[test]
fn a_failed_rewind_finds_nothing() {
    let mut rig = lost();
    rig.fail(capstan_media::MediumFailureKind::ReadFault, 0);
    assert_eq!(rig.sense(&REWIND), Sense::new(3, 0x11, 1));
    assert_eq!(rig.sense(&WEOF), POSITION_LOST());
}

#[test]
fn positions_count_filemarks_and_blocks_alike() {
    let mut rig = Rig::with(Tape::with(&[]));
    for _ in 0..3 {
        rig.send(&variable(0x0a, 10), &[1; 10]);
        rig.good(&WEOF);
    }
    assert_eq!(rig.tell(), (6, 3));
    rig.good(&REWIND);
    assert_eq!(rig.tell(), (0, 0));
    rig.good(&[1, 1, 0, 0, 0, 0]);
    assert_eq!(rig.run(&[0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[]).status, Status::GOOD);
}
