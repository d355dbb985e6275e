//! The upload buffer is full: writes wait or are refused, everything else goes on.

use std::time::Duration;

use capstan_library::{EventKind, UploadBuffer};
use capstan_scsi::sam::{Lun, ManagementFunction, ManagementResponse, Status};

use crate::bench::{Bench, DRIVE, SLOT, barcode, block};
use crate::host::{END_OF_DATA, Event, FILEMARK, Host, NO_MEDIUM, sense, write};

const SIZE: u64 = 1 << 20;
const LENGTH: usize = 64 << 10;
const NO_ROOM: crate::host::Sense = (2, 4, 7);
/// The robot's answer about a drive that does not come to an end.
const BUSY: u8 = 4;
const FOR_EVER: Duration = Duration::from_secs(3600);

/// A library whose buffer is full of the third cartridge, which is in its slot again.
fn full(stall_limit: Duration) -> (Bench, Host) {
    let mut bench = Bench::with(|options| {
        options.upload_buffer = Some(UploadBuffer { size: SIZE, stall_limit });
        options.robot_patience = Duration::from_millis(200);
    });
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 3, 0);
    // Each block is admitted while there is room for a part of it.
    for number in 0..SIZE / LENGTH as u64 {
        drive.write_good(&block(number, LENGTH));
    }
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT + 2)), None, "a move takes no blocks");
    assert_eq!(told(&bench), []);
    (bench, changer)
}

/// What operators have been told of the buffer.
fn told(bench: &Bench) -> Vec<EventKind> {
    let kinds = bench.library().events().since(0).events.into_iter().map(|event| event.kind);
    kinds.filter(|kind| matches!(kind, EventKind::BufferFull | EventKind::BufferHasRoom)).collect()
}

fn make_room(bench: &Bench) {
    bench.ask(|librarian| async move { librarian.delete_tape(barcode("CAP003L8")).await }).unwrap();
}

/// A WRITE none of whose data has come; it waits in front of the gate.
fn stalled(bench: &Bench, drive: &mut Host, index: u16, data: &[u8]) -> capstan_scsi::sam::TaskId {
    let task = drive.submit_with(&write(data.len()), data, 0);
    bench.wait_busy(index);
    bench.until(|bench| told(bench) == [EventKind::BufferFull]);
    assert!(drive.nothing_within(Duration::ZERO), "no data is asked for");
    task
}

fn send(drive: &Host, task: capstan_scsi::sam::TaskId, data: &[u8]) {
    let Event::NeedData { task: asked, received: 0, length } = drive.event() else { panic!("no need for data") };
    assert_eq!((asked, length as usize), (task, data.len()));
    drive.router.data_out(Lun::ZERO, task, bytes::Bytes::copy_from_slice(data));
    assert_eq!(drive.wait(task).status, Status::GOOD);
}

#[test]
fn writes_wait_for_room_and_then_go_on() {
    let (mut bench, mut changer) = full(FOR_EVER);
    let mut drives = [bench.loaded(&mut changer, 1, 0), bench.loaded(&mut changer, 2, 1)];
    let data = [block(71, 100_000), block(72, 100_001)];
    let first = stalled(&bench, &mut drives[0], 0, &data[0]);
    // The other drive does all but write blocks.
    drives[1].good(&[0x12, 0, 0, 0, 36, 0], &[]);
    drives[1].filemarks(1);
    drives[1].unload();
    drives[1].load();
    assert_eq!(drives[1].attentions(), [crate::host::NEW_MEDIUM]);
    assert_eq!(drives[1].read(), Err(FILEMARK));
    assert_eq!(changer.elements().len(), 13);
    assert_eq!(sense(&changer.move_medium(SLOT + 3, SLOT + 6)), None);
    let second = stalled(&bench, &mut drives[1], 1, &data[1]);
    // What came behind the WRITE waits for it.
    let behind = drives[0].submit(&[0; 6], &[]);
    assert!(drives[0].nothing_within(Duration::ZERO));
    make_room(&bench);
    send(&drives[0], first, &data[0]);
    assert_eq!(drives[0].wait(behind).status, Status::GOOD);
    send(&drives[1], second, &data[1]);
    assert_eq!(told(&bench), [EventKind::BufferFull, EventKind::BufferHasRoom]);
    for (drive, data) in drives.iter_mut().zip(&data) {
        drive.rewind();
        let read = drive.read();
        let read = if read == Err(FILEMARK) { drive.read() } else { read };
        assert_eq!(read.as_deref(), Ok(&data[..]));
        assert_eq!(drive.read(), Err(END_OF_DATA));
    }
}

#[test]
fn a_write_that_waits_too_long_is_refused_and_can_be_sent_again() {
    for stall_limit in [Duration::ZERO, Duration::from_millis(150)] {
        let (mut bench, mut changer) = full(stall_limit);
        let mut drive = bench.loaded(&mut changer, 1, 0);
        for immediate in [0, 100, 5000] {
            let task = drive.submit_with(&write(5000), &block(1, 5000), immediate);
            let refused = drive.wait(task);
            assert_eq!((sense(&refused), refused.data_out_length), (Some(NO_ROOM), 0), "nothing was transferred");
            assert_eq!(drive.position(), 0);
        }
        let page = drive.good(&[0x4d, 0, 0x6e, 0, 0, 0, 0, 1, 0x44, 0], &[]);
        let alerts: Vec<usize> =
            page[4..].chunks(5).zip(1..).filter(|(flag, _)| flag[4] == 1).map(|(_, n)| n).collect();
        assert_eq!(alerts, [2]);
        assert_eq!(told(&bench), [EventKind::BufferFull], "once, not for each command");
        drive.filemarks(1);
        make_room(&bench);
        drive.write_good(&block(1, 5000));
        assert_eq!(told(&bench), [EventKind::BufferFull, EventKind::BufferHasRoom]);
        drive.rewind();
        assert_eq!(drive.read(), Err(FILEMARK));
        assert_eq!(drive.read().unwrap(), block(1, 5000));
        assert_eq!(drive.read(), Err(END_OF_DATA));
    }
}

#[test]
fn a_write_that_waits_can_be_aborted() {
    let (mut bench, mut changer) = full(FOR_EVER);
    let mut drive = bench.loaded(&mut changer, 1, 0);
    let mut other = bench.drive(0);
    let task = stalled(&bench, &mut drive, 0, b"one");
    assert_eq!(drive.manage(ManagementFunction::AbortTask(task)), ManagementResponse::FunctionComplete);
    assert_eq!(drive.position(), 0, "the drive is at work again");
    stalled(&bench, &mut drive, 0, b"two");
    assert_eq!(other.manage(ManagementFunction::LogicalUnitReset), ManagementResponse::FunctionComplete);
    assert_eq!((drive.attentions(), other.attentions()), (vec![(6, 0x29, 3)], vec![(6, 0x29, 3)]));
    stalled(&bench, &mut drive, 0, b"three");
    drive.router.nexus_lost(drive.nexus);
    assert_eq!(other.position(), 0);
    // None of them is written when there is room.
    make_room(&bench);
    other.write_good(b"four");
    other.rewind();
    assert_eq!(other.read().unwrap(), &b"four"[..]);
    assert_eq!(other.read(), Err(END_OF_DATA));
    assert!(drive.nothing_within(Duration::ZERO));
}

#[test]
fn the_robot_gives_up_on_a_drive_whose_write_waits() {
    let (mut bench, mut changer) = full(FOR_EVER);
    let mut drive = bench.loaded(&mut changer, 1, 0);
    let task = stalled(&bench, &mut drive, 0, b"waits");
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)).map(|sense| sense.0), Some(BUSY));
    assert!(drive.nothing_within(Duration::ZERO));
    assert_eq!(drive.manage(ManagementFunction::AbortTask(task)), ManagementResponse::FunctionComplete);
    // What was given up is not carried out behind our back.
    assert_eq!((drive.position(), drive.attentions()), (0, vec![]));
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)), None);
    assert_eq!(drive.attentions(), [NO_MEDIUM]);
}

#[test]
fn a_library_stops_while_writes_wait() {
    let (mut bench, mut changer) = full(FOR_EVER);
    for kill in [false, true] {
        let mut drives = [bench.loaded(&mut changer, 1, 0), bench.loaded(&mut changer, 2, 1)];
        drives[1].filemarks(1);
        stalled(&bench, &mut drives[0], 0, b"waits");
        if kill {
            bench.kill();
        } else {
            bench.shutdown();
        }
        bench.start();
        changer = bench.changer();
        for index in 0..2 {
            assert_eq!(sense(&changer.move_medium(DRIVE + index, SLOT + index)), None);
        }
        assert_eq!((bench.tape("CAP001L8").objects, bench.tape("CAP003L8").objects), (0, 16));
    }
}
