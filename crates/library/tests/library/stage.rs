//! Cartridges are brought into the cache behind everything else, wherever they are.

use std::sync::Arc;
use std::sync::mpsc;

use capstan_library::{ErrorKind, JobInfo, JobKind, JobOutcome, JobState, LibraryError};
use capstan_mover::StageProgress;
use capstan_mover::sim::{Shown, SimOperations};

use crate::bench::{Bench, barcode};

fn stage(bench: &Bench, label: &str) -> Result<JobInfo, LibraryError> {
    let barcode = barcode(label);
    bench.ask(|librarian| async move { librarian.stage(barcode).await })
}

#[test]
fn a_cartridge_in_a_drive_is_staged() {
    let mut bench = Bench::new();
    let error = stage(&bench, "CAP002L8").unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::NotFound, "there is no tier"));
    let (staged, stagings) = mpsc::channel();
    let operations = SimOperations::new(Shown::default()).staging(Box::new(move |cartridge, watch| {
        staged.send(cartridge).unwrap();
        let progress = StageProgress { done: 900, total: 900 };
        assert!(watch(progress).is_continue());
        Ok(progress)
    }));
    bench.library().set_operations(Arc::new(operations));
    assert!(matches!(stage(&bench, "NONE"), Err(LibraryError::UnknownTape(_))));
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 2, 1);
    let job = stage(&bench, "CAP002L8").unwrap();
    assert_eq!((job.kind, job.barcode), (JobKind::Stage, barcode("CAP002L8")));
    assert_eq!(stagings.recv().unwrap(), bench.tape("CAP002L8").id);
    bench.until(|bench| bench.library().jobs().job(job.id).unwrap().state.is_ended());
    let job = bench.library().jobs().job(job.id).unwrap();
    assert_eq!((job.state, job.progress.done), (JobState::Done(JobOutcome::Staged(900)), 900));
    drive.write_good(b"as ever");
}
