//! The table of jobs by itself: what is shown, what ends what.

use std::sync::Arc;

use capstan_cartridge::{Cartridge, NewCartridge};
use capstan_disk::RealDisk;

use super::*;

fn barcode(number: u8) -> Barcode {
    Barcode::new(&format!("T{number}")).unwrap()
}

fn id(number: u8) -> CartridgeId {
    CartridgeId([number; 16])
}

fn jobs(root: &tempfile::TempDir) -> Jobs {
    Jobs::new(Store::open(root.path(), Arc::new(RealDisk)).unwrap(), Events::default())
}

/// Runs until nothing waits.
fn drain(jobs: &Jobs) {
    let thread = std::thread::spawn({
        let jobs = jobs.clone();
        move || jobs.run()
    });
    while jobs.list().iter().any(|job| !job.state.is_ended()) {
        std::thread::yield_now();
    }
    jobs.stop();
    thread.join().unwrap();
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
    assert!(matches!(&list[0].state, JobState::Done(report) if report.is_good()), "{:?}", list[0]);
    assert!(matches!(&list[1].state, JobState::Done(report) if !report.is_good()), "{:?}", list[1]);
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
    let running = jobs.next().unwrap();
    assert_eq!((running.id, jobs.job(job.id).unwrap().state), (job.id, JobState::Running));
    let progress = Progress { done: 5, total: 10 };
    assert!(jobs.watch(job.id, progress).is_continue());
    assert_eq!(jobs.job(job.id).unwrap().progress, progress);
    jobs.give_up(id(2), "another");
    assert!(jobs.watch(job.id, progress).is_continue());
    jobs.give_up(id(1), "it was loaded");
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
