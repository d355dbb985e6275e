//! WRITE while there is no room for its data: it waits with nothing transferred, and ends as if it had never come.

use capstan_device::Step;
use capstan_device::ssc::{DriveOp, DriveResult, Stalled, TapeAlertFlag};
use capstan_scsi::sam::{ManagementFunction, Status, TaskId};

use crate::host::{ALICE, BOB, FLUSH, NO_MEDIUM, NOW, Rig, Sense, TEST_UNIT_READY, UNLOAD, WEOF, fixed, variable};
use crate::tape::{Object, Tape, pattern};
use crate::task_set::{COMPLETE, Did, did, manage, step, submit};

const ALERTS: [u8; 10] = [0x4d, 0, 0x6e, 0, 0, 0, 0, 1, 0x44, 0];

/// Alice's WRITE of 100 bytes, 30 of which came with it, asks for admission; Bob waits behind it.
struct Asking {
    rig: Rig,
    write: TaskId,
    bob: TaskId,
}

impl Asking {
    fn new() -> Self {
        let mut rig = Rig::with(Tape::with(&[]));
        let write = submit(&mut rig, ALICE, &variable(0x0a, 100), &pattern(0, 100), 30);
        let bob = submit(&mut rig, BOB, &TEST_UNIT_READY, &[], 0);
        assert!(matches!(rig.unit.step(NOW), Step::Perform(DriveOp::Admit { bytes: 100 })));
        assert_eq!(did(rig.unit.step(NOW)), Did::Idle, "nothing overtakes it");
        assert!(rig.unit.is_performing() && rig.unit.is_awaited());
        Self { rig, write, bob }
    }

    fn answer(&mut self, answer: Result<(), Stalled>) -> Did {
        did(self.rig.unit.resume(NOW, DriveResult::Admitted(answer)))
    }

    /// Nobody waits for the answer; when it comes it changes nothing.
    fn is_forgotten(&mut self) {
        assert!(self.rig.unit.is_performing() && !self.rig.unit.is_awaited());
        assert_eq!(did(self.rig.unit.step(NOW)), Did::Idle, "nothing starts before the answer");
    }
}

#[test]
fn data_is_asked_for_once_it_may_come() {
    let mut asking = Asking::new();
    let (write, bob) = (asking.write, asking.bob);
    assert_eq!(asking.answer(Ok(())), Did::NeedData(write, 0, 100));
    assert!(!asking.rig.unit.is_awaited(), "that was all that was asked");
    asking.rig.unit.data_out(write, pattern(0, 100));
    let Step::Perform(op) = asking.rig.unit.step(NOW) else { panic!("no operation") };
    assert!(asking.rig.unit.is_awaited());
    let result = asking.rig.perform(op);
    assert_eq!(did(asking.rig.unit.resume(NOW, result)), Did::Done(write, Status::GOOD));
    assert_eq!(step(&mut asking.rig), Did::Done(bob, Status::GOOD));
    assert_eq!(asking.rig.tape.objects, [Object::Block(pattern(0, 100))]);
}

#[test]
fn what_is_there_already_goes_on_in_the_same_step() {
    let mut rig = Rig::with(Tape::with(&[]));
    submit(&mut rig, ALICE, &variable(0x0a, 100), &pattern(0, 100), 100);
    let Step::Perform(DriveOp::Admit { bytes: 100 }) = rig.unit.step(NOW) else { panic!("not asked") };
    let next = rig.unit.resume(NOW, DriveResult::Admitted(Ok(())));
    assert!(matches!(next, Step::Perform(DriveOp::Medium(_))));
}

#[test]
fn a_write_without_room_has_transferred_nothing_and_says_so() {
    for (block_length, cdb) in [(0, variable(0x0a, 1024)), (512, fixed(0x0a, 2))] {
        let mut rig = Rig::with(Tape::with(&[]));
        rig.setblk(block_length);
        rig.send(&cdb, &pattern(1, 1024));
        let before = rig.tell();
        rig.stalled = true;
        for immediate in [0, 100, 1024] {
            let refused = rig.run_split(ALICE, &cdb, &pattern(2, 1024), immediate);
            assert_eq!(
                (refused.status, refused.data_out_length),
                (Status::CHECK_CONDITION, 0),
                "all of it is residual"
            );
            assert_eq!(
                refused.sense[..],
                [0x70, 0, 0x02, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x04, 0x07, 0, 0, 0, 0],
                "{immediate}"
            );
        }
        assert_eq!(rig.tell(), before);
        assert_eq!((rig.log.len(), &rig.asked[..]), (1, &[1024; 4][..]), "the medium hears of one WRITE");
        assert!(rig.unit.server().alerts().was_raised(TapeAlertFlag::WRITE_WARNING));
        let page = rig.good(&ALERTS);
        let raised: Vec<usize> = (1..=64).filter(|flag| page[4 + (flag - 1) * 5 + 4] & 1 != 0).collect();
        assert_eq!(raised, [2]);
        // The same WRITE with room.
        rig.stalled = false;
        rig.send(&cdb, &pattern(2, 1024));
        assert_eq!(rig.tell().0, before.0 * 2);
    }
}

#[test]
fn only_blocks_need_room() {
    let mut rig = Rig::with(Tape::with(&[10]));
    rig.stalled = true;
    rig.good(&WEOF);
    rig.good(&FLUSH);
    rig.send(&variable(0x0a, 0), &[]);
    rig.good(&[0x19, 0, 0, 0, 0, 0]);
    rig.good(&UNLOAD);
    assert_eq!(rig.asked, []);
    // What is wrong with a WRITE is found before anything is asked.
    assert_eq!(rig.refused(&variable(0x0a, 10), &[0; 10]), NO_MEDIUM());
    let mut rig = Rig::with(Tape::with(&[]));
    rig.unit.server_mut().protection_changed(true);
    assert_eq!(rig.refused(&variable(0x0a, 10), &[0; 10]), Sense::new(7, 0x27, 0));
    assert_eq!(rig.asked, []);
}

#[test]
fn an_abort_ends_the_wait_without_a_trace() {
    for answer in [Ok(()), Err(Stalled)] {
        let mut asking = Asking::new();
        let (write, bob) = (asking.write, asking.bob);
        manage(&mut asking.rig, ALICE, ManagementFunction::AbortTask(write));
        assert_eq!(step(&mut asking.rig), COMPLETE);
        asking.is_forgotten();
        assert_eq!(asking.answer(answer), Did::Done(bob, Status::GOOD));
        asking.rig.unit.data_out(write, pattern(0, 100));
        assert_eq!(step(&mut asking.rig), Did::Idle);
        assert_eq!((asking.rig.tell(), asking.rig.log.len()), ((0, 0), 0));
        assert!(!asking.rig.unit.server().alerts().was_raised(TapeAlertFlag::WRITE_WARNING));
    }
}

#[test]
fn others_can_clear_it_away() {
    let mut asking = Asking::new();
    let write = asking.write;
    manage(&mut asking.rig, BOB, ManagementFunction::ClearTaskSet);
    assert_eq!(step(&mut asking.rig), Did::Done(write, Status::TASK_ABORTED));
    assert_eq!(step(&mut asking.rig), COMPLETE);
    asking.is_forgotten();
    manage(&mut asking.rig, BOB, ManagementFunction::ClearTaskSet);
    assert_eq!(step(&mut asking.rig), COMPLETE, "it is not answered twice");
    assert_eq!(asking.answer(Ok(())), Did::Idle);
}

#[test]
fn resets_and_a_lost_nexus_end_the_wait() {
    for function in [ManagementFunction::LogicalUnitReset, ManagementFunction::TargetReset] {
        let mut asking = Asking::new();
        manage(&mut asking.rig, BOB, function);
        assert_eq!(step(&mut asking.rig), COMPLETE);
        asking.is_forgotten();
        assert_eq!(asking.answer(Err(Stalled)), Did::Idle);
        assert_eq!(asking.rig.sense(&TEST_UNIT_READY), Sense::new(6, 0x29, 3));
    }
    let mut asking = Asking::new();
    let bob = asking.bob;
    asking.rig.unit.nexus_lost(ALICE);
    asking.is_forgotten();
    assert_eq!(asking.answer(Ok(())), Did::Done(bob, Status::GOOD));
    assert_eq!(step(&mut asking.rig), Did::Idle);
}

#[test]
fn an_answer_to_something_else_is_a_fault_of_the_target() {
    let mut asking = Asking::new();
    let write = asking.write;
    let Step::Done(finished) = asking.rig.unit.resume(NOW, DriveResult::Unloaded(Ok(()))) else { panic!("no end") };
    assert_eq!(finished.task, write);
    assert_eq!(Sense::parse(&finished.completion.sense), Sense::new(4, 0x44, 0));
    assert_eq!(finished.completion.data_out_length, 0);
}
