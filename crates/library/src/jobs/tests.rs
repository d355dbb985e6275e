//! The table of jobs by itself: what is shown, what ends what.

use std::sync::Arc;

use capstan_cartridge::{Cartridge, NewCartridge};
use capstan_disk::RealDisk;
use capstan_mover::sim::{Shown, SimOperations};
use capstan_mover::{MoverError, StageProgress};

use super::*;

fn barcode(number: u8) -> Barcode {
    Barcode::new(&format!("T{number}")).unwrap()
}

fn id(number: u8) -> CartridgeId {
    CartridgeId([number; 16])
}

fn jobs(root: &tempfile::TempDir) -> Jobs {
    let means = Means { disk: Arc::new(RealDisk), options: capstan_cartridge::Options::default(), upload_buffer: None };
    Jobs::new(Store::open(root.path(), Arc::new(RealDisk)).unwrap(), Events::default(), means)
}

/// Runs until nothing waits.
fn drain(jobs: &Jobs) {
    let threads = JobKind::ALL.map(|kind| {
        let jobs = jobs.clone();
        std::thread::spawn(move || jobs.run(kind))
    });
    while jobs.list().iter().any(|job| !job.state.is_ended()) {
        std::thread::yield_now();
    }
    jobs.stop();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn jobs_are_done_one_after_the_other_and_shown() {
    let root = tempfile::tempdir().unwrap();
    let jobs = jobs(&root);
    for number in 1..=3 {
        let new = NewCartridge { id: id(number), barcode: barcode(number), capacity: 1000 };
        Cartridge::create(&jobs.0.store, new).unwrap();
    }
    let damaged = jobs.0.store.meta_path(id(2));
    let mut meta = std::fs::read(&damaged).unwrap();
    meta[100] ^= 1;
    std::fs::write(&damaged, meta).unwrap();
    for number in [3, 2, 9, 1] {
        assert_eq!(jobs.verify(id(number), barcode(number)).unwrap().state, JobState::Waiting);
    }
    assert_eq!(jobs.verify(id(9), barcode(9)).unwrap().id, 3, "the same job");
    assert_eq!(jobs.cancel(4).unwrap().state, JobState::Cancelled("it was cancelled".to_owned()));
    drain(&jobs);
    let list = jobs.list();
    assert_eq!(list.iter().map(|job| job.id).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(
        matches!(&list[0].state, JobState::Done(JobOutcome::Verified(report)) if report.is_good()),
        "{:?}",
        list[0]
    );
    assert!(
        matches!(&list[1].state, JobState::Done(JobOutcome::Verified(report)) if !report.is_good()),
        "{:?}",
        list[1]
    );
    assert!(matches!(&list[2].state, JobState::Failed(what) if what.contains("no cartridge")), "{:?}", list[2]);
    assert_eq!(list[3].state, JobState::Cancelled("it was cancelled".to_owned()));
    let events = jobs.0.events.since(0).events;
    assert_eq!(events.len(), 1);
    assert!(
        events[0].text.starts_with("verified: 0 of 0 objects cannot be read; metadata at byte 0 of "),
        "{events:?}"
    );
    assert!(matches!(jobs.job(5), Err(LibraryError::UnknownJob(5))));
    assert!(matches!(jobs.verify(id(1), barcode(1)), Err(LibraryError::Stopped)));
}

#[test]
fn what_is_wanted_elsewhere_is_given_up_and_its_result_does_not_count() {
    let root = tempfile::tempdir().unwrap();
    let jobs = jobs(&root);
    let job = jobs.verify(id(1), barcode(1)).unwrap();
    let (running, _) = jobs.next(JobKind::Verify).unwrap();
    assert_eq!((running.id, jobs.job(job.id).unwrap().state), (job.id, JobState::Running));
    let progress = Progress { done: 5, total: 10 };
    assert!(jobs.watch(job.id, progress).is_continue());
    assert_eq!(jobs.job(job.id).unwrap().progress, progress);
    jobs.give_up(id(2), "another");
    assert!(jobs.watch(job.id, progress).is_continue());
    jobs.give_up_reading(id(1), "it was loaded");
    assert!(jobs.watch(job.id, progress).is_break());
    jobs.finish(job.id, JobState::Failed("what was read meanwhile".to_owned()));
    assert_eq!(jobs.job(job.id).unwrap().state, JobState::Cancelled("it was loaded".to_owned()));
    // It can be asked for again.
    assert_eq!(jobs.verify(id(1), barcode(1)).unwrap().id, job.id + 1);
}

#[test]
fn waiting_and_ended_jobs_are_bounded() {
    let root = tempfile::tempdir().unwrap();
    let jobs = jobs(&root);
    for number in 0..64 {
        jobs.verify(id(number), barcode(number)).unwrap();
    }
    assert!(matches!(jobs.verify(id(64), barcode(64)), Err(LibraryError::Busy)));
    for number in 0..200 {
        jobs.cancel(number + 1).unwrap();
        jobs.verify(id(0), barcode(0)).unwrap();
    }
    let list = jobs.list();
    assert!((ENDED..=ENDED + 1).contains(&list.len()), "{}", list.len());
    assert!(list.iter().map(|job| job.id).is_sorted());
}

/// A mover that brings in what it is told to, or fails.
fn mover() -> Arc<SimOperations> {
    Arc::new(SimOperations::new(Shown::default()).staging(Box::new(|cartridge, watch| match cartridge.0[0] {
        1 | 2 => Ok(StageProgress { done: 700, total: 700 }),
        3 => Err(MoverError::NoRoom { needed: 10, free: 5 }),
        4 => Err(MoverError::Stopped),
        5 => panic!("a mistake in the mover"),
        // Goes on until it is told to stop.
        _ => loop {
            if watch(StageProgress { done: 5, total: 700 }).is_break() {
                return Err(MoverError::Cancelled);
            }
            std::thread::yield_now();
        },
    })))
}

#[test]
fn cartridges_are_staged_beside_verifications() {
    let root = tempfile::tempdir().unwrap();
    let jobs = jobs(&root);
    assert!(matches!(jobs.stage(id(1), barcode(1)), Err(LibraryError::NoTier)));
    jobs.set_operations(mover());
    for number in 1..=5 {
        assert_eq!(jobs.stage(id(number), barcode(number)).unwrap().id, u64::from(number));
    }
    assert_eq!(jobs.stage(id(2), barcode(2)).unwrap().id, 2, "the same job");
    // Of the same cartridge, yet another job.
    assert_eq!(jobs.verify(id(1), barcode(1)).unwrap().id, 6);
    drain(&jobs);
    let ended: Vec<_> = jobs.list().into_iter().map(|job| (job.kind, job.state)).collect();
    assert_eq!(ended[0], (JobKind::Stage, JobState::Done(JobOutcome::Staged(700))));
    assert_eq!(ended[1], (JobKind::Stage, JobState::Done(JobOutcome::Staged(700))));
    let why = "the cache has no room: 10 bytes are needed and 5 are free; make [cache] size larger";
    assert_eq!(ended[2], (JobKind::Stage, JobState::Failed(why.to_owned())));
    assert_eq!(ended[3], (JobKind::Stage, JobState::Cancelled("the daemon stopped".to_owned())));
    assert_eq!(ended[4], (JobKind::Stage, JobState::Failed("the job itself failed".to_owned())));
    assert!(matches!(&ended[5], (JobKind::Verify, JobState::Failed(_))), "{:?}", ended[5]);
    let told: Vec<_> = jobs.0.events.since(0).events.into_iter().map(|it| (it.kind, it.barcode, it.text)).collect();
    assert_eq!(
        told,
        [
            (EventKind::RecallFailed, Some(barcode(3)), format!("staging: {why}")),
            (EventKind::RecallFailed, Some(barcode(5)), "staging: the job itself failed".to_owned()),
        ]
    );
}

#[test]
fn a_drive_may_have_what_is_staged_but_nobody_may_erase_it() {
    let root = tempfile::tempdir().unwrap();
    let jobs = jobs(&root);
    jobs.set_operations(mover());
    let job = jobs.stage(id(9), barcode(9)).unwrap();
    let thread = std::thread::spawn({
        let jobs = jobs.clone();
        move || jobs.run(JobKind::Stage)
    });
    while jobs.job(job.id).unwrap().progress != (Progress { done: 5, total: 700 }) {
        std::thread::yield_now();
    }
    jobs.give_up_reading(id(9), "it was loaded");
    assert_eq!(jobs.job(job.id).unwrap().state, JobState::Running);
    jobs.give_up(id(9), "it was erased");
    assert_eq!(jobs.job(job.id).unwrap().state, JobState::Cancelled("it was erased".to_owned()));
    // The next one waits for its end.
    let next = jobs.stage(id(8), barcode(8)).unwrap();
    while jobs.job(next.id).unwrap().state != JobState::Running {
        std::thread::yield_now();
    }
    jobs.stop();
    thread.join().unwrap();
    assert_eq!(jobs.job(next.id).unwrap().state, JobState::Cancelled("the daemon stopped".to_owned()));
    assert_eq!(jobs.0.events.since(0).events, []);
}
