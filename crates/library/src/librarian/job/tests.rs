//! Jobs step by step, and what each failure undoes.

use super::*;
use crate::inventory::Relocation;
use capstan_media::Barcode;

const A: CartridgeId = CartridgeId([1; 16]);
const B: CartridgeId = CartridgeId([2; 16]);

fn moving(cartridge: CartridgeId, from: Place, to: Place) -> Relocation {
    Relocation { cartridge, barcode: Barcode::new("X").unwrap(), from: Some(from), to }
}

fn job(relocations: Vec<Relocation>) -> Job {
    Job::relocate(&Plan { relocations, changes: Vec::new() })
}

fn swap() -> Job {
    job(vec![moving(A, Place::Drive(0), Place::Drive(1)), moving(B, Place::Drive(1), Place::Drive(0))])
}

/// Runs a job; request or record number `failing` (from 0) fails. Returns what was asked, in order.
fn run(mut job: Job, failing: Option<usize>) -> (Vec<Next>, Result<(), Failure>) {
    let mut trace = Vec::new();
    loop {
        let next = job.next();
        let fails = failing == Some(trace.len());
        match &next {
            Next::End(result) => return (trace, result.clone()),
            Next::Record => job.recorded(if fails { Err("planted".to_owned()) } else { Ok(()) }),
            Next::Ask(_, ask) => job.answered(match ask {
                _ if fails => Err(Refusal::Busy),
                Ask::Withdraw => Ok(Answer::Withdrawn { threaded: true, facts: None }),
                _ => Ok(Answer::Done),
            }),
        }
        trace.push(next);
    }
}

#[test]
fn between_slots_there_is_only_the_record() {
    let (trace, result) = run(job(vec![moving(A, Place::Slot(1), Place::Slot(2))]), None);
    assert_eq!((trace, result), (vec![Next::Record], Ok(())));
}

#[test]
fn out_of_a_drive_the_cartridge_is_closed_before_the_record() {
    let (trace, _) = run(job(vec![moving(A, Place::Drive(3), Place::Slot(2))]), None);
    assert_eq!(trace, [Next::Ask(3, Ask::Withdraw), Next::Record]);
}

#[test]
fn into_a_drive_it_is_shown_after_the_record() {
    let (trace, _) = run(job(vec![moving(A, Place::Slot(2), Place::Drive(3))]), None);
    assert_eq!(trace, [Next::Ask(3, Ask::Prepare(A)), Next::Record, Next::Ask(3, Ask::Present)]);
}

#[test]
fn every_failure_before_the_record_is_undone_in_reverse() {
    let whole = [
        Next::Ask(0, Ask::Check),
        Next::Ask(1, Ask::Check),
        Next::Ask(0, Ask::Withdraw),
        Next::Ask(1, Ask::Withdraw),
        Next::Ask(1, Ask::Prepare(A)),
        Next::Ask(0, Ask::Prepare(B)),
        Next::Record,
        Next::Ask(1, Ask::Present),
        Next::Ask(0, Ask::Present),
    ];
    assert_eq!(run(swap(), None), (whole.to_vec(), Ok(())));
    let restore = |drive, id| Next::Ask(drive, Ask::Restore { id, threaded: true });
    let undo = [Next::Ask(0, Ask::Discard), Next::Ask(1, Ask::Discard), restore(1, B), restore(0, A)];
    // Steps done before the one that fails, and how much of `undo` that takes.
    for (failing, undone) in [(0, 0), (1, 0), (2, 0), (3, 1), (4, 2), (5, 3), (6, 4)] {
        let (trace, result) = run(swap(), Some(failing));
        let expected: Vec<Next> =
            whole.iter().take(failing + 1).chain(undo.iter().skip(undo.len() - undone)).cloned().collect();
        assert_eq!(trace, expected, "failure at {failing}");
        assert!(result.is_err());
    }
    // After the record the move is done, whatever a drive makes of it.
    for failing in [7, 8] {
        assert_eq!(run(swap(), Some(failing)), (whole.to_vec(), Ok(())));
    }
}

#[test]
fn a_failing_undo_does_not_stop_the_rest_of_it() {
    let mut job = swap();
    let mut asked = Vec::new();
    loop {
        match job.next() {
            Next::End(result) => {
                assert_eq!(result, Err(Failure::Record("planted".to_owned())));
                break;
            }
            Next::Record => job.recorded(Err("planted".to_owned())),
            Next::Ask(drive, ask) => {
                asked.push((drive, ask));
                job.answered(match ask {
                    Ask::Discard | Ask::Restore { .. } => Err(Refusal::Fault("planted".to_owned())),
                    Ask::Withdraw => Ok(Answer::Withdrawn { threaded: false, facts: None }),
                    _ => Ok(Answer::Done),
                });
            }
        }
    }
    let undone: Vec<Ask> = asked.into_iter().map(|(_, ask)| ask).skip(6).collect();
    let restore = |id| Ask::Restore { id, threaded: false };
    assert_eq!(undone, [Ask::Discard, Ask::Discard, restore(B), restore(A)]);
}
