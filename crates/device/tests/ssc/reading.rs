//! READ(6): lengths that fit and lengths that do not, filemarks, end of data.

use bytes::Bytes;
use capstan_device::ssc::DriveOp;
use capstan_media::{MediumFailureKind, MediumOp, ReadRequest};
use capstan_scsi::sam::Status;

use crate::host::{EOD, FILEMARK, Rig, Sense, fixed, variable};
use crate::tape::{Object, Tape, pattern};

/// The answer to a READ: sense data, if any, and data.
fn read(rig: &mut Rig, cdb: &[u8]) -> (Option<Sense>, Bytes) {
    let completion = rig.run(cdb, &[]);
    let sense = (completion.status == Status::CHECK_CONDITION).then(|| Sense::parse(&completion.sense));
    (sense, completion.data_in)
}

fn ili(information: i32) -> Sense {
    Sense::new(0, 0, 0).ili().info(information)
}

#[test]
fn a_block_of_the_asked_length_is_one_operation_and_its_bytes_pass_through() {
    let mut rig = Rig::with(Tape::with(&[64_512]));
    let (sense, data) = read(&mut rig, &variable(8, 64_512));
    assert_eq!((sense, &data), (None, &pattern(0, 64_512)));
    let [DriveOp::Medium(MediumOp::Read(request))] = rig.log[..] else { panic!("{:?}", rig.log) };
    assert_eq!(request, ReadRequest { block_length: 64_512, count: 1 });
}

#[test]
fn a_short_block_is_read_with_a_positive_difference() {
    let mut rig = Rig::with(Tape::with(&[100, 100]));
    assert_eq!(read(&mut rig, &variable(8, 4096)), (Some(ili(3996)), pattern(0, 100)));
    assert_eq!(rig.tell(), (1, 0));
}

#[test]
fn a_long_block_is_cut_with_a_negative_difference_and_passed_over() {
    let mut rig = Rig::with(Tape::with(&[100, 100]));
    assert_eq!(read(&mut rig, &variable(8, 60)), (Some(ili(-40)), pattern(0, 60)));
    assert_eq!(rig.tell(), (1, 0));
}

#[test]
fn sili_hides_short_blocks() {
    // tgt reports them all the same; LTFS takes the length from the residual.
    let mut rig = Rig::with(Tape::with(&[100]));
    assert_eq!(read(&mut rig, &[8, 2, 0, 0x10, 0, 0]), (None, pattern(0, 100)));
}

#[test]
fn sili_hides_long_blocks_unless_a_block_length_is_set() {
    let mut rig = Rig::with(Tape::with(&[100, 100]));
    assert_eq!(read(&mut rig, &[8, 2, 0, 0, 60, 0]), (None, pattern(0, 60)));
    rig.setblk(512);
    assert_eq!(read(&mut rig, &[8, 2, 0, 0, 60, 0]), (Some(ili(-40)), pattern(1, 60)));
}

#[test]
fn filemarks_and_end_of_data_leave_the_whole_length_as_residue() {
    let mut rig = Rig::with(Tape::with(&[100, 0, 0]));
    rig.good(&variable(8, 100));
    for object in 2..4 {
        assert_eq!(read(&mut rig, &variable(8, 1 << 20)), (Some(FILEMARK().info(1 << 20)), Bytes::new()));
        assert_eq!(rig.tell(), (object, object - 1));
    }
    for _ in 0..2 {
        assert_eq!(read(&mut rig, &variable(8, 512)), (Some(EOD().info(512)), Bytes::new()));
    }
    // A SILI read meets them just the same.
    assert_eq!(read(&mut rig, &[8, 2, 0, 2, 0, 0]), (Some(EOD().info(512)), Bytes::new()));
}

#[test]
fn a_blank_tape_says_end_of_data_at_once() {
    let mut rig = Rig::with(Tape::with(&[]));
    assert_eq!(read(&mut rig, &variable(8, 64_512)), (Some(EOD().info(64_512)), Bytes::new()));
}

#[test]
fn nothing_is_read_by_a_length_of_zero() {
    let mut rig = Rig::with(Tape::with(&[0]));
    assert_eq!(read(&mut rig, &variable(8, 0)), (None, Bytes::new()));
    rig.setblk(512);
    assert_eq!(read(&mut rig, &fixed(8, 0)), (None, Bytes::new()));
    assert!(rig.log.is_empty());
}

#[test]
fn blocks_of_eight_mebibytes() {
    let mut rig = Rig::with(Tape::with(&[8 << 20, 8 << 20]));
    assert_eq!(read(&mut rig, &variable(8, 8 << 20)), (None, pattern(0, 8 << 20)));
    // More than any block has: the block is short.
    assert_eq!(read(&mut rig, &variable(8, 0xff_ffff)), (Some(ili((8 << 20) - 1)), pattern(1, 8 << 20)));
}

#[test]
fn fixed_blocks_come_in_one_piece() {
    let mut rig = Rig::with(Tape::with(&[512, 512, 512]));
    rig.setblk(512);
    let expected = [pattern(0, 512), pattern(1, 512)].concat();
    assert_eq!(read(&mut rig, &fixed(8, 2)), (None, Bytes::from(expected)));
    assert_eq!(read(&mut rig, &fixed(8, 5)), (Some(EOD().info(4)), pattern(2, 512)));
}

#[test]
fn a_filemark_ends_a_fixed_read_with_the_blocks_not_read() {
    let mut rig = Rig::with(Tape::with(&[512, 0, 512]));
    rig.setblk(512);
    assert_eq!(read(&mut rig, &fixed(8, 10)), (Some(FILEMARK().info(9)), pattern(0, 512)));
    assert_eq!(rig.tell(), (2, 1));
}

#[test]
fn a_block_of_another_length_ends_a_fixed_read_and_is_not_transferred() {
    for odd in [100, 600] {
        let mut rig = Rig::with(Tape::with(&[512, odd, 512]));
        rig.setblk(512);
        assert_eq!(read(&mut rig, &fixed(8, 3)), (Some(ili(2)), pattern(0, 512)));
        assert_eq!(rig.tell(), (2, 0));
    }
}

#[test]
fn fixed_needs_a_block_length_and_no_sili_and_sane_amounts() {
    let mut rig = Rig::with(Tape::with(&[512]));
    assert_eq!(rig.sense(&fixed(8, 1)), Sense::cdb_field(1, Some(0)));
    rig.setblk(512);
    assert_eq!(rig.sense(&[8, 3, 0, 0, 1, 0]), Sense::cdb_field(1, Some(1)));
    assert_eq!(rig.sense(&fixed(8, 0xff_ffff)), Sense::cdb_field(2, None));
    assert_eq!(rig.sense(&fixed(8, 32_769)), Sense::cdb_field(2, None));
    assert_eq!(read(&mut rig, &fixed(8, 32_768)), (Some(EOD().info(32_767)), pattern(0, 512)));
}

#[test]
fn variable_reads_work_while_a_block_length_is_set() {
    let mut rig = Rig::with(Tape::with(&[100]));
    rig.setblk(512);
    assert_eq!(read(&mut rig, &variable(8, 100)), (None, pattern(0, 100)));
}

#[test]
fn failures_report_what_was_not_read() {
    let mut rig = Rig::with(Tape::with(&[512; 8]));
    rig.fail(MediumFailureKind::Corrupt, 0);
    assert_eq!(read(&mut rig, &variable(8, 512)), (Some(Sense::new(3, 0x11, 0).info(512)), Bytes::new()));
    rig.setblk(512);
    rig.fail(MediumFailureKind::ReadFault, 3);
    let good: Bytes = (0..3).flat_map(|index| pattern(index, 512)).collect();
    assert_eq!(read(&mut rig, &fixed(8, 8)), (Some(Sense::new(3, 0x11, 1).info(5)), good), "what is good is delivered");
    let statistics = rig.unit.server().statistics();
    assert_eq!((statistics.read_errors, statistics.read_bytes, statistics.read_blocks), (2, 1536, 3));
}

#[test]
fn what_is_read_is_counted() {
    let mut rig = Rig::with(Tape::with(&[512, 512, 100, 0]));
    rig.setblk(512);
    rig.good(&fixed(8, 2));
    rig.good(&variable(8, 100));
    rig.sense(&variable(8, 100));
    let statistics = rig.unit.server().statistics();
    assert_eq!((statistics.read_bytes, statistics.read_blocks), (1124, 3));
    assert_eq!(rig.tape.objects.last(), Some(&Object::Filemark));
}
