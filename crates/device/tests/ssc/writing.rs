//! WRITE(6), WRITE FILEMARKS(6), ERASE(6): data, early warning, the end of the tape, failures.

use bytes::Bytes;
use capstan_device::ssc::DriveOp;
use capstan_media::{MediumFailureKind, MediumOp};
use capstan_scsi::sam::Status;

use crate::host::{EARLY_WARNING, FLUSH, POSITION_LOST, REWIND, Rig, Sense, WEOF, fixed, space, variable};
use crate::tape::{Object, Tape, pattern};

fn write(rig: &mut Rig, length: usize) -> Option<Sense> {
    let completion = rig.run(&variable(0x0a, length), &pattern(9, length));
    (completion.status == Status::CHECK_CONDITION).then(|| Sense::parse(&completion.sense))
}

#[test]
fn a_block_is_one_operation_however_its_data_comes() {
    for immediate in [0, 1, 65_535, 65_536] {
        let mut rig = Rig::with(Tape::with(&[]));
        let completion = rig.run_split(crate::host::ALICE, &variable(0x0a, 65_536), &pattern(1, 65_536), immediate);
        assert_eq!((completion.status, completion.data_out_length), (Status::GOOD, 65_536));
        assert_eq!(rig.tape.objects, [Object::Block(pattern(1, 65_536))]);
        assert_eq!(rig.log.len(), 1);
    }
}

#[test]
fn the_bytes_of_a_block_are_not_copied() {
    let mut rig = Rig::with(Tape::with(&[]));
    let mut task = rig.task(crate::host::ALICE, &variable(0x0a, 512), &[], 0);
    let data = pattern(3, 512);
    task.data_out.expected = 512;
    task.data_out.received = data.clone();
    rig.unit.submit(task);
    let capstan_device::Step::Perform(DriveOp::Medium(MediumOp::Write { data: written, .. })) = rig.step() else {
        panic!("no write")
    };
    assert_eq!(written.as_ptr(), data.as_ptr());
}

#[test]
fn fixed_blocks_are_split_by_the_medium() {
    let mut rig = Rig::with(Tape::with(&[]));
    rig.setblk(512);
    rig.send(&fixed(0x0a, 3), &pattern(0, 1536));
    assert_eq!(rig.tape.objects.len(), 3);
    assert!(matches!(&rig.log[..], [DriveOp::Medium(MediumOp::Write { block_length: 512, .. })]));
}

#[test]
fn lengths_that_cannot_be_written_are_refused() {
    let mut rig = Rig::with(Tape::with(&[]));
    assert_eq!(rig.refused(&fixed(0x0a, 1), &[0; 512]), Sense::cdb_field(1, Some(0)));
    assert_eq!(rig.sense(&variable(0x0a, (8 << 20) + 1)), Sense::cdb_field(2, None));
    rig.setblk(512);
    assert_eq!(rig.sense(&fixed(0x0a, 0xff_ffff)), Sense::cdb_field(2, None));
    rig.send(&variable(0x0a, 0), &[]);
    rig.send(&fixed(0x0a, 0), &[]);
    assert!(rig.log.is_empty());
}

#[test]
fn a_block_whose_data_does_not_all_come_is_not_written() {
    let mut rig = Rig::with(Tape::with(&[]));
    assert_eq!(rig.refused(&variable(0x0a, 512), &[0; 511]), Sense::new(0x0b, 0x4b, 0));
    assert_eq!(rig.refused(&variable(0x0a, 512), &[]), Sense::new(0x0b, 0x4b, 0));
    // More than the block is the transport's residual.
    rig.send(&variable(0x0a, 512), &[7; 600]);
    assert_eq!(rig.tape.objects, [Object::Block(Bytes::from(vec![7; 512]))]);
}

#[test]
fn after_early_warning_every_write_says_so_and_is_written() {
    let mut rig = Rig::with(Tape::new(10_000, 2000));
    assert_eq!(write(&mut rig, 1000), None);
    for written in 2..5 {
        assert_eq!(write(&mut rig, 1000), Some(EARLY_WARNING()));
        assert_eq!(rig.tape.objects.len(), written);
    }
    assert_eq!(rig.sense(&WEOF), EARLY_WARNING());
    assert_eq!(rig.sense(&[0x10, 1, 0, 0, 2, 0]), EARLY_WARNING());
    rig.good(&FLUSH);
    assert_eq!(rig.tape.objects.len(), 7);
    // READ POSITION has EOP there; reading and spacing there is nothing special.
    assert_eq!(rig.good(&[0x34, 6, 0, 0, 0, 0, 0, 0, 0, 0])[0], 0x40);
    rig.good(&space(1, -3));
    rig.good(&space(0, -1));
    assert_eq!(rig.good(&variable(8, 1000)), pattern(9, 1000));
}

#[test]
fn the_end_of_the_tape_is_a_volume_overflow_with_everything_left() {
    let mut rig = Rig::with(Tape::new(2500, 500));
    write(&mut rig, 1000);
    write(&mut rig, 1000);
    for _ in 0..2 {
        assert_eq!(write(&mut rig, 1000), Some(Sense::new(0x0d, 0, 2).eom().info(1000)));
        assert_eq!(rig.tape.objects.len(), 2);
    }
    rig.setblk(200);
    assert_eq!(rig.refused(&fixed(0x0a, 5), &[0; 1000]), Sense::new(0x0d, 0, 2).eom().info(3));
    assert_eq!(rig.tape.objects.len(), 4);
    assert_eq!(rig.sense(&WEOF), EARLY_WARNING());
}

#[test]
fn bacula_checks_its_last_block_after_the_end() {
    let mut rig = Rig::with(Tape::new(2500, 500));
    write(&mut rig, 1000);
    write(&mut rig, 1000);
    write(&mut rig, 1000);
    assert_eq!(rig.sense(&WEOF), EARLY_WARNING());
    rig.good(&space(1, -1));
    rig.good(&space(0, -1));
    assert_eq!(rig.good(&variable(8, 1000)), pattern(9, 1000));
}

#[test]
fn filemarks_are_synchronous_unless_immediate_and_zero_only_flushes() {
    let mut rig = Rig::with(Tape::with(&[]));
    rig.good(&[0x10, 1, 0, 0, 2, 0]);
    assert_eq!((rig.tape.objects.len(), rig.tape.synchronised), (2, 0));
    rig.good(&WEOF);
    assert_eq!((rig.tape.objects.len(), rig.tape.synchronised), (3, 1));
    rig.good(&FLUSH);
    assert_eq!((rig.tape.objects.len(), rig.tape.synchronised), (3, 2));
    rig.good(&[0x10, 1, 0, 0, 0, 0]);
    assert_eq!((rig.log.len(), rig.tape.synchronised), (3, 2));
    // Setmarks went with SSC-2.
    assert_eq!(rig.sense(&[0x10, 2, 0, 0, 1, 0]), Sense::cdb_field(1, Some(1)));
    assert_eq!(rig.unit.server().statistics().filemarks, 3);
}

#[test]
fn a_flush_does_not_cut_the_tape() {
    let mut rig = Rig::with(Tape::with(&[100, 0, 100]));
    rig.good(&FLUSH);
    rig.good(&[0x10, 1, 0, 0, 0, 0]);
    assert_eq!(rig.tape.objects.len(), 3);
}

#[test]
fn unbuffered_writes_end_on_stable_storage() {
    let mut rig = Rig::with(Tape::new(3000, 1000));
    rig.send(&[0x15, 0x10, 0, 0, 4, 0], &[0, 0, 0x00, 0]);
    assert_eq!(write(&mut rig, 500), None);
    assert_eq!(rig.tape.synchronised, 1);
    assert_eq!(write(&mut rig, 500), Some(EARLY_WARNING()));
    assert_eq!(rig.tape.synchronised, 2);
    rig.send(&[0x15, 0x10, 0, 0, 4, 0], &[0, 0, 0x10, 0]);
    assert_eq!(write(&mut rig, 500), Some(EARLY_WARNING()));
    assert_eq!(rig.tape.synchronised, 2);
}

#[test]
fn a_failed_synchronisation_of_an_unbuffered_write_is_reported_with_the_write() {
    let mut rig = Rig::with(Tape::new(3000, 1000));
    rig.send(&[0x15, 0x10, 0, 0, 4, 0], &[0, 0, 0x00, 0]);
    let task = rig.task(crate::host::ALICE, &variable(0x0a, 500), &[0; 500], 500);
    rig.unit.submit(task);
    let capstan_device::Step::Perform(op) = rig.unit.step(crate::host::NOW) else { panic!("no write") };
    let written = rig.perform(op);
    let capstan_device::Step::Perform(op) = rig.unit.resume(crate::host::NOW, written) else { panic!("no sync") };
    rig.fail(MediumFailureKind::WriteFault, 0);
    let failed = rig.perform(op);
    let capstan_device::Step::Done(done) = rig.unit.resume(crate::host::NOW, failed) else { panic!("no end") };
    assert_eq!(Sense::parse(&done.completion.sense), Sense::new(3, 0x0c, 0).info(500));
}

#[test]
fn failures_say_what_was_not_written() {
    let rows = [
        (MediumFailureKind::WriteFault, Sense::new(3, 0x0c, 0).info(512)),
        (MediumFailureKind::Poisoned, Sense::new(3, 0x50, 0).info(512)),
        (MediumFailureKind::NoSpace, Sense::new(2, 0x04, 7)),
        (MediumFailureKind::WriteProtected, Sense::new(7, 0x27, 0)),
    ];
    let mut rig = Rig::with(Tape::with(&[]));
    for (kind, sense) in rows {
        rig.fail(kind, 0);
        assert_eq!(write(&mut rig, 512), Some(sense), "{kind:?}");
    }
    rig.fail(MediumFailureKind::WriteFault, 1);
    assert_eq!(rig.sense(&[0x10, 0, 0, 0, 3, 0]), Sense::new(3, 0x0c, 0).info(2));
    assert!(rig.tape.objects.is_empty());
}

#[test]
fn a_protected_cartridge_takes_nothing_but_a_flush() {
    let mut rig = Rig::with(Tape::with(&[100]));
    rig.unit.server_mut().protection_changed(true);
    let protected = Sense::new(7, 0x27, 0);
    assert_eq!(write(&mut rig, 10), Some(protected));
    assert_eq!(rig.sense(&WEOF), protected);
    assert_eq!(rig.sense(&[0x19, 1, 0, 0, 0, 0]), protected);
    rig.good(&FLUSH);
    assert_eq!(rig.good(&[0x1a, 0, 0, 0, 12, 0])[2], 0x90);
    rig.good(&variable(8, 100));
    rig.unit.server_mut().protection_changed(false);
    assert_eq!(rig.good(&[0x1a, 0, 0, 0, 12, 0])[2], 0x10);
    assert_eq!(write(&mut rig, 10), None);
}

#[test]
fn erase_makes_the_position_end_of_data() {
    for byte in [0, 1, 2, 3] {
        let mut rig = Rig::with(Tape::with(&[100, 0, 100]));
        rig.good(&space(0, 1));
        rig.good(&[0x19, byte, 0, 0, 0, 0]);
        assert_eq!(rig.tape.objects.len(), 1);
        rig.good(&REWIND);
        rig.good(&[0x19, byte, 0, 0, 0, 0]);
        assert!(rig.tape.objects.is_empty());
    }
}

#[test]
fn a_stray_filemark_after_a_restart_lands_nowhere() {
    let mut rig = Rig::known();
    rig.insert(Tape::with(&[100, 100]), true);
    rig.sense(&[0; 6]);
    assert_eq!(rig.sense(&WEOF), POSITION_LOST());
    assert_eq!(write(&mut rig, 10), Some(POSITION_LOST()));
    assert_eq!(rig.tape.objects.len(), 2);
}
