//! Drives that hang, panic or cannot write: the rest of the library goes on.

use std::time::{Duration, Instant};

use capstan_library::{DriveState, LibraryError};
use capstan_scsi::sam::{ManagementFunction, ManagementResponse};

use crate::bench::{Bench, DRIVE, SLOT, block};
use crate::disk::Mood;
use crate::host::{FAILED, NEW_MEDIUM, POSITION_LOST, sense};

const BUSY: u8 = 4;

#[test]
fn a_drive_in_a_long_operation_does_not_hold_the_robot() {
    let mut bench = Bench::with(|options| options.robot_patience = Duration::from_millis(200));
    let mut changer = bench.changer();
    let mut other = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    drive.write_good(b"data");
    bench.disk.set(Mood::Waiting);
    let slow = drive.submit(&[0x10, 0, 0, 0, 1, 0], &[]);
    bench.wait_busy(0);
    let began = Instant::now();
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)).map(|sense| sense.0), Some(BUSY));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(bench.drive_info(0).busy);
    assert_eq!(other.elements().len(), 13);
    let error = bench.ask(|librarian| async move { librarian.unload(0).await }).unwrap_err();
    assert!(matches!(error, LibraryError::DriveBusy(0)), "{error}");
    bench.disk.set(Mood::Good);
    assert_eq!(sense(&drive.wait(slow)), None);
    // The cancelled requests were not carried out behind our back.
    assert_eq!((drive.position(), drive.attentions()), (2, vec![]));
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)), None);
}

#[test]
fn questions_are_answered_while_the_robot_waits() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    drive.write_good(b"data");
    bench.disk.set(Mood::Waiting);
    let moving = changer.submit(&crate::host::move_cdb(DRIVE, SLOT), &[]);
    bench.wait_busy(0);
    let began = Instant::now();
    assert_eq!(bench.ask(|librarian| async move { librarian.tapes().await }).unwrap().len(), 4);
    let doomed = changer.submit(&crate::host::move_cdb(SLOT + 1, SLOT + 6), &[]);
    assert_eq!(changer.manage(ManagementFunction::AbortTask(doomed)), ManagementResponse::FunctionComplete);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    bench.disk.set(Mood::Good);
    assert_eq!(sense(&changer.wait(moving)), None);
    assert_eq!(bench.inventory()[1], (1001, "CAP002L8".to_owned()));
}

#[test]
fn an_unload_that_comes_too_late_is_taken_back() {
    let mut bench = Bench::with(|options| options.robot_patience = Duration::from_millis(600));
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    drive.write_good(&block(1, 5000));
    bench.disk.set(Mood::Waiting);
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)).map(|sense| sense.0), Some(BUSY));
    // It is in the middle of it: refused at once from now on.
    let began = Instant::now();
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)).map(|sense| sense.0), Some(BUSY));
    assert!(began.elapsed() < Duration::from_millis(500));
    assert_eq!(sense(&changer.move_medium(SLOT + 1, SLOT + 6)), None, "the rest goes on");
    bench.disk.set(Mood::Good);
    bench.wait_for(0, DriveState::Loaded);
    assert_eq!(drive.attentions(), [NEW_MEDIUM]);
    drive.fails(&[0x08, 2, 0, 0x20, 0, 0], &[], POSITION_LOST);
    drive.rewind();
    assert_eq!(drive.read().unwrap(), block(1, 5000));
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)), None);
}

#[test]
fn a_panic_in_a_drive_stays_in_that_drive() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    let mut other = bench.loaded(&mut changer, 2, 1);
    drive.write_good(&block(1, 5000));
    drive.filemarks(1);
    bench.disk.set(Mood::Panicking);
    assert_eq!(sense(&drive.write(b"last words")), Some(FAILED));
    bench.disk.set(Mood::Good);
    drive.fails(&[0; 6], &[], FAILED);
    assert_eq!(drive.manage(ManagementFunction::LogicalUnitReset), ManagementResponse::FunctionComplete);
    other.write_good(b"unmoved");
    bench.wait_for(0, DriveState::Failed);
    assert!(bench.drive_info(0).problem.is_some());
    // The robot gets the cartridge out, and nothing that was answered is lost.
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)), None);
    assert_eq!(sense(&changer.move_medium(SLOT + 2, DRIVE)).map(|sense| sense.0), Some(BUSY));
    assert_eq!(sense(&changer.move_medium(DRIVE + 1, SLOT + 1)), None);
    let mut second = bench.loaded(&mut changer, 1, 1);
    assert_eq!(second.read().unwrap(), block(1, 5000));
    bench.restart();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 3, 0);
    drive.write_good(b"well again");
}

#[test]
fn a_panic_in_the_middle_of_a_move_is_an_answer() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    drive.write_good(&block(1, 5000));
    bench.disk.set(Mood::Panicking);
    let began = Instant::now();
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)).map(|sense| sense.0), Some(BUSY));
    assert!(began.elapsed() < Duration::from_secs(10));
    bench.disk.set(Mood::Good);
    drive.fails(&[0; 6], &[], FAILED);
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)), None);
    let mut second = bench.loaded(&mut changer, 1, 1);
    assert_eq!(second.read().unwrap(), block(1, 5000));
}

#[test]
fn a_cartridge_that_cannot_be_synchronised_stays_until_its_host_was_told() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    drive.write_good(&block(1, 5000));
    drive.filemarks(1);
    drive.write_good(&block(2, 5000));
    bench.disk.set(Mood::Failing);
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)), Some((3, 0x53, 0)));
    assert_eq!(bench.drive_info(0).state, DriveState::Loaded);
    bench.disk.set(Mood::Good);
    // Now the fault is known, the cartridge can go; what was durable is there.
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)), None);
    let mut second = bench.loaded(&mut changer, 1, 1);
    assert_eq!(second.read().unwrap(), block(1, 5000));
    second.write_good(b"writable again");
}
