//! Verifications go on behind everything else and give way to it.

use capstan_library::{ErrorKind, EventKind, FindingKind, JobInfo, JobOutcome, JobState, LibraryError};
use capstan_media::Place;

use crate::bench::{Bench, DRIVE, SLOT, barcode, block};
use crate::disk::Mood;
use crate::host::sense;

/// A library whose first cartridge has twenty blocks on it and is back in its slot.
fn written() -> Bench {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    for number in 0..20 {
        drive.write_good(&block(number, 5000));
    }
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)), None);
    bench
}

fn verify(bench: &Bench, label: &str) -> Result<JobInfo, LibraryError> {
    let barcode = barcode(label);
    bench.ask(|librarian| async move { librarian.verify(barcode).await })
}

fn ended(bench: &Bench, id: u64) -> JobState {
    bench.until(|bench| bench.library().jobs().job(id).unwrap().state.is_ended());
    bench.library().jobs().job(id).unwrap().state
}

fn segment(bench: &Bench) -> std::path::PathBuf {
    let id = bench.tape("CAP001L8").id.to_string();
    let cartridge = bench.state_dir().join("cartridges/tapes").join(&id[..2]).join(&id);
    cartridge.join("000000/000000001.seg")
}

#[test]
fn a_whole_cartridge_is_good_and_a_damaged_one_is_told() {
    let bench = written();
    let job = verify(&bench, "CAP001L8").unwrap();
    let JobState::Done(JobOutcome::Verified(report)) = ended(&bench, job.id) else { panic!("it was not done") };
    assert!(report.is_good(), "{report:?}");
    assert_eq!((report.objects, report.used), (20, 100_000));
    let path = segment(&bench);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[1024 + 3 * 5048 + 100] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let job = verify(&bench, "CAP001L8").unwrap();
    let JobState::Done(JobOutcome::Verified(report)) = ended(&bench, job.id) else { panic!("it was not done") };
    let [finding] = report.findings.as_slice() else { panic!("{report:?}") };
    assert_eq!((finding.kind, &finding.file, finding.offset), (FindingKind::Record, &path, 1024 + 3 * 5048));
    assert_eq!((finding.objects.clone(), report.lost), (3..4, 1));
    bench.until(|bench| bench.library().events().since(0).events.iter().any(|it| it.kind == EventKind::Damaged));
    let events = bench.library().events().since(0).events;
    let event = events.iter().find(|event| event.kind == EventKind::Damaged).unwrap();
    assert_eq!(event.barcode, Some(barcode("CAP001L8")));
    assert!(
        event.text.starts_with("verified: 1 of 20 objects cannot be read; record at byte 16168 of "),
        "{}",
        event.text
    );
}

#[test]
fn a_cartridge_in_a_drive_is_not_verified() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    drop(bench.loaded(&mut changer, 2, 1));
    let error = verify(&bench, "CAP002L8").unwrap_err();
    assert_eq!(error.to_string(), "cartridge CAP002L8 is in drive:1: it cannot be verified there");
    assert_eq!(
        (error.kind(), error.next().as_str()),
        (ErrorKind::InUse, "unload it first: `capstan library unload 1`")
    );
    assert!(matches!(verify(&bench, "NONE"), Err(LibraryError::UnknownTape(_))));
}

#[test]
fn a_move_into_a_drive_goes_first_and_nobody_waits() {
    let mut bench = written();
    bench.disk.set(Mood::HoldingVerifications);
    let job = verify(&bench, "CAP001L8").unwrap();
    bench.until(|bench| bench.library().jobs().job(job.id).unwrap().state == JobState::Running);
    // Another one waits behind it; drives, robot and questions do not.
    let waiting = verify(&bench, "CAP003L8").unwrap();
    let mut changer = bench.changer();
    let mut other = bench.loaded(&mut changer, 2, 1);
    other.write_good(b"meanwhile");
    other.filemarks(1);
    assert_eq!(bench.ask(|librarian| async move { librarian.tapes().await }).unwrap().len(), 4);
    assert_eq!(bench.library().jobs().job(waiting.id).unwrap().state, JobState::Waiting);
    // Between slots it may move.
    bench.ask(|librarian| async move { librarian.move_medium(Place::Slot(1), Place::Slot(7)).await }).unwrap();
    assert_eq!(bench.library().jobs().job(job.id).unwrap().state, JobState::Running);
    changer.attentions();
    assert_eq!(sense(&changer.move_medium(SLOT + 6, DRIVE)), None);
    let cancelled = JobState::Cancelled("the cartridge was wanted in drive:0".to_owned());
    assert_eq!(bench.library().jobs().job(job.id).unwrap().state, cancelled);
    let mut drive = bench.host_with_attentions("drive-00").0;
    drive.rewind();
    assert_eq!(drive.read().unwrap(), block(0, 5000));
    bench.disk.set(Mood::Good);
    assert!(matches!(ended(&bench, waiting.id), JobState::Done(_)));
    assert_eq!(bench.library().jobs().job(job.id).unwrap().state, cancelled);
}

#[test]
fn erasing_deleting_and_stopping_end_it() {
    for what in ["erase", "delete", "cancel", "stop"] {
        let mut bench = written();
        bench.disk.set(Mood::HoldingVerifications);
        let job = verify(&bench, "CAP001L8").unwrap();
        bench.until(|bench| bench.library().jobs().job(job.id).unwrap().state == JobState::Running);
        let jobs = bench.library().jobs();
        let tape = barcode("CAP001L8");
        match what {
            "erase" => bench.ask(|librarian| async move { librarian.erase_tape(tape).await }).unwrap(),
            "delete" => bench.ask(|librarian| async move { librarian.delete_tape(tape).await }).unwrap(),
            "cancel" => assert!(matches!(jobs.cancel(job.id).unwrap().state, JobState::Cancelled(_))),
            _ => {
                let disk = bench.disk.clone();
                let release = std::thread::spawn(move || {
                    std::thread::sleep(std::time::Duration::from_millis(100));
                    disk.set(Mood::Good);
                });
                bench.shutdown();
                release.join().unwrap();
            }
        }
        let JobState::Cancelled(why) = jobs.job(job.id).unwrap().state else { panic!("{what}") };
        let expected = match what {
            "erase" => "the cartridge was erased",
            "delete" => "the cartridge was deleted",
            "cancel" => "it was cancelled",
            _ => "the daemon stopped",
        };
        assert_eq!(why, expected);
        bench.disk.set(Mood::Good);
    }
}
