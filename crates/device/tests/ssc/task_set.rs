//! The task set: order, aborts and resets at every stage of a task, with several nexuses.

use std::sync::Arc;

use bytes::Bytes;
use capstan_device::Step;
use capstan_device::ssc::DriveOp;
use capstan_scsi::sam::{
    Attribute, Lun, ManagementFunction, ManagementResponse, NexusId, Status, Task, TaskId, TaskManagement,
};

use crate::host::{ALICE, BOB, NEW_MEDIUM, NO_MEDIUM, NOW, Nobody, Rig, Sense, TEST_UNIT_READY, variable};
use crate::tape::{Tape, pattern};

/// What a step was, without what cannot be compared.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Did {
    Idle,
    Done(TaskId, Status),
    NeedData(TaskId, u32, u32),
    Perform,
    Managed(u64, ManagementResponse),
}

pub(crate) fn step(rig: &mut Rig) -> Did {
    let step = rig.step();
    did(step)
}

pub(crate) fn did(step: Step<DriveOp>) -> Did {
    match step {
        Step::Idle => Did::Idle,
        Step::Done(finished) => Did::Done(finished.task, finished.completion.status),
        Step::NeedData { task, received, length, .. } => Did::NeedData(task, received, length),
        Step::Perform(_) => Did::Perform,
        Step::Managed { tag, response, .. } => Did::Managed(tag, response),
    }
}

pub(crate) fn submit(rig: &mut Rig, nexus: NexusId, cdb: &[u8], data: &[u8], immediate: usize) -> TaskId {
    let task = rig.task(nexus, cdb, data, immediate);
    let id = task.id;
    rig.unit.submit(task);
    id
}

pub(crate) fn manage(rig: &mut Rig, nexus: NexusId, function: ManagementFunction) {
    let request = TaskManagement { nexus, lun: Lun::ZERO, function, tag: 99 };
    rig.unit.manage(NOW, request, Arc::new(Nobody));
}

pub(crate) const COMPLETE: Did = Did::Managed(99, ManagementResponse::FunctionComplete);
const ABSENT: Did = Did::Managed(99, ManagementResponse::TaskDoesNotExist);

/// Alice writes a block of which no data came yet; Bob's and Alice's TEST UNIT READYs wait.
struct Crowd {
    rig: Rig,
    write: TaskId,
    bob: TaskId,
    alice: TaskId,
}

impl Crowd {
    fn waiting_for_data() -> Self {
        let mut rig = Rig::with(Tape::with(&[]));
        let write = submit(&mut rig, ALICE, &variable(0x0a, 100), &pattern(0, 100), 30);
        let bob = submit(&mut rig, BOB, &TEST_UNIT_READY, &[], 0);
        let alice = submit(&mut rig, ALICE, &TEST_UNIT_READY, &[], 0);
        assert_eq!(step(&mut rig), Did::NeedData(write, 0, 100));
        assert_eq!(step(&mut rig), Did::Idle);
        Self { rig, write, bob, alice }
    }

    /// The same with the data there and the operation asked for.
    fn performing() -> (Self, DriveOp) {
        let mut crowd = Self::waiting_for_data();
        crowd.rig.unit.data_out(crowd.write, pattern(0, 100));
        let Step::Perform(op) = crowd.rig.step() else { panic!("no operation") };
        assert!(crowd.rig.unit.is_performing());
        assert_eq!(step(&mut crowd.rig), Did::Idle);
        (crowd, op)
    }

    fn finish(&mut self, op: DriveOp) -> Did {
        let result = self.rig.perform(op);
        did(self.rig.unit.resume(NOW, result))
    }

    fn good(&mut self, tasks: &[TaskId]) {
        for task in tasks {
            assert_eq!(step(&mut self.rig), Did::Done(*task, Status::GOOD));
        }
        assert_eq!(step(&mut self.rig), Did::Idle);
    }

    fn object(&mut self) -> u64 {
        self.rig.tell().0
    }
}

#[test]
fn tasks_run_in_order_one_at_a_time() {
    let (mut crowd, op) = Crowd::performing();
    assert_eq!(crowd.finish(op), Did::Done(crowd.write, Status::GOOD));
    let (bob, alice) = (crowd.bob, crowd.alice);
    crowd.good(&[bob, alice]);
    assert_eq!(crowd.object(), 1);
}

#[test]
fn head_of_queue_overtakes_those_that_wait() {
    let mut crowd = Crowd::waiting_for_data();
    let task = crowd.rig.task(BOB, &TEST_UNIT_READY, &[], 0);
    let first = task.id;
    crowd.rig.unit.submit(Task { attribute: Attribute::HeadOfQueue, ..task });
    manage(&mut crowd.rig, ALICE, ManagementFunction::AbortTask(crowd.write));
    assert_eq!(step(&mut crowd.rig), COMPLETE);
    let (bob, alice) = (crowd.bob, crowd.alice);
    crowd.good(&[first, bob, alice]);
}

#[test]
fn attribute_aca_is_refused() {
    let mut rig = Rig::with(Tape::with(&[]));
    let task = rig.task(ALICE, &TEST_UNIT_READY, &[], 0);
    rig.unit.submit(Task { attribute: Attribute::Aca, ..task });
    let Step::Done(done) = rig.unit.step(NOW) else { panic!("no answer") };
    assert_eq!(Sense::parse(&done.completion.sense), Sense::new(5, 0x49, 0));
}

#[test]
fn a_full_queue_says_so_and_keeps_what_it_has() {
    let mut crowd = Crowd::waiting_for_data();
    let mut waiting = vec![crowd.bob, crowd.alice];
    while crowd.rig.unit.waiting() < 16 {
        waiting.push(submit(&mut crowd.rig, BOB, &TEST_UNIT_READY, &[], 0));
    }
    let refused = submit(&mut crowd.rig, BOB, &TEST_UNIT_READY, &[], 0);
    assert_eq!(step(&mut crowd.rig), Did::Done(refused, Status::TASK_SET_FULL));
    manage(&mut crowd.rig, ALICE, ManagementFunction::AbortTask(crowd.write));
    assert_eq!(step(&mut crowd.rig), COMPLETE);
    crowd.good(&waiting);
}

#[test]
fn a_waiting_task_is_aborted_unanswered() {
    let (mut crowd, op) = Crowd::performing();
    manage(&mut crowd.rig, BOB, ManagementFunction::AbortTask(crowd.bob));
    // No need to wait for Alice's operation.
    assert_eq!(step(&mut crowd.rig), COMPLETE);
    assert_eq!(crowd.finish(op), Did::Done(crowd.write, Status::GOOD));
    let alice = crowd.alice;
    crowd.good(&[alice]);
}

#[test]
fn only_the_own_tasks_can_be_aborted_and_only_once() {
    let mut crowd = Crowd::waiting_for_data();
    manage(&mut crowd.rig, BOB, ManagementFunction::AbortTask(crowd.write));
    assert_eq!(step(&mut crowd.rig), ABSENT);
    for answer in [COMPLETE, ABSENT] {
        manage(&mut crowd.rig, ALICE, ManagementFunction::AbortTask(crowd.alice));
        assert_eq!(step(&mut crowd.rig), answer);
    }
    manage(&mut crowd.rig, ALICE, ManagementFunction::AbortTask(TaskId { nexus: ALICE, tag: 12_345 }));
    assert_eq!(step(&mut crowd.rig), ABSENT);
}

#[test]
fn data_for_an_aborted_task_is_dropped() {
    let mut crowd = Crowd::waiting_for_data();
    manage(&mut crowd.rig, ALICE, ManagementFunction::AbortTask(crowd.write));
    crowd.rig.unit.data_out(crowd.write, Bytes::from_static(&[0; 100]));
    assert_eq!(step(&mut crowd.rig), COMPLETE);
    let (bob, alice) = (crowd.bob, crowd.alice);
    crowd.good(&[bob, alice]);
    assert!(crowd.rig.log.is_empty());
}

#[test]
fn an_abort_between_data_and_execution_leaves_the_medium_alone() {
    let mut crowd = Crowd::waiting_for_data();
    crowd.rig.unit.data_out(crowd.write, pattern(0, 100));
    manage(&mut crowd.rig, ALICE, ManagementFunction::AbortTask(crowd.write));
    assert_eq!(step(&mut crowd.rig), COMPLETE);
    let (bob, alice) = (crowd.bob, crowd.alice);
    crowd.good(&[bob, alice]);
    assert_eq!(crowd.object(), 0);
}

#[test]
fn an_abort_during_the_operation_is_answered_at_once_and_the_position_is_still_right() {
    let (mut crowd, op) = Crowd::performing();
    manage(&mut crowd.rig, ALICE, ManagementFunction::AbortTask(crowd.write));
    assert_eq!(step(&mut crowd.rig), COMPLETE);
    manage(&mut crowd.rig, ALICE, ManagementFunction::AbortTask(crowd.write));
    assert_eq!(step(&mut crowd.rig), ABSENT);
    // Nothing starts before the result is there, and the result is no answer.
    assert_eq!(step(&mut crowd.rig), Did::Idle);
    assert_eq!(crowd.finish(op), Did::Done(crowd.bob, Status::GOOD));
    let alice = crowd.alice;
    crowd.good(&[alice]);
    assert_eq!(crowd.object(), 1);
    assert_eq!(crowd.rig.unit.server().statistics().write_bytes, 100);
}

#[test]
fn an_aborted_unload_has_unloaded() {
    let mut rig = Rig::with(Tape::with(&[]));
    let unload = submit(&mut rig, ALICE, &crate::host::UNLOAD, &[], 0);
    let Step::Perform(op) = rig.unit.step(NOW) else { panic!("no operation") };
    manage(&mut rig, ALICE, ManagementFunction::AbortTask(unload));
    assert_eq!(step(&mut rig), COMPLETE);
    let result = rig.perform(op);
    assert_eq!(did(rig.unit.resume(NOW, result)), Did::Idle);
    assert_eq!(rig.sense(&TEST_UNIT_READY), crate::host::NO_MEDIUM());
}

#[test]
fn abort_task_set_takes_the_tasks_of_one_nexus() {
    for performing in [false, true] {
        let (mut crowd, op) = if performing {
            let (crowd, op) = Crowd::performing();
            (crowd, Some(op))
        } else {
            (Crowd::waiting_for_data(), None)
        };
        manage(&mut crowd.rig, ALICE, ManagementFunction::AbortTaskSet);
        assert_eq!(step(&mut crowd.rig), COMPLETE);
        let bob = crowd.bob;
        match op {
            Some(op) => assert_eq!(crowd.finish(op), Did::Done(bob, Status::GOOD)),
            None => crowd.good(&[bob]),
        }
        assert_eq!(step(&mut crowd.rig), Did::Idle);
    }
}

#[test]
fn clear_task_set_tells_the_others_before_its_own_answer() {
    let mut crowd = Crowd::waiting_for_data();
    manage(&mut crowd.rig, BOB, ManagementFunction::ClearTaskSet);
    assert_eq!(step(&mut crowd.rig), Did::Done(crowd.write, Status::TASK_ABORTED));
    assert_eq!(step(&mut crowd.rig), Did::Done(crowd.alice, Status::TASK_ABORTED));
    assert_eq!(step(&mut crowd.rig), COMPLETE);
    assert_eq!(step(&mut crowd.rig), Did::Idle);
}

#[test]
fn clear_task_set_does_not_answer_what_was_aborted_before() {
    let (mut crowd, op) = Crowd::performing();
    manage(&mut crowd.rig, ALICE, ManagementFunction::AbortTask(crowd.write));
    assert_eq!(step(&mut crowd.rig), COMPLETE);
    manage(&mut crowd.rig, BOB, ManagementFunction::ClearTaskSet);
    assert_eq!(step(&mut crowd.rig), Did::Done(crowd.alice, Status::TASK_ABORTED));
    assert_eq!(step(&mut crowd.rig), COMPLETE);
    assert_eq!(crowd.finish(op), Did::Idle);
}

#[test]
fn resets_abort_everything_and_tell_everyone() {
    for function in [ManagementFunction::LogicalUnitReset, ManagementFunction::TargetReset] {
        let (mut crowd, op) = Crowd::performing();
        manage(&mut crowd.rig, BOB, function);
        assert_eq!(step(&mut crowd.rig), COMPLETE);
        assert_eq!(crowd.finish(op), Did::Idle);
        for nexus in [ALICE, BOB] {
            assert_eq!(crowd.rig.sense_from(nexus, &TEST_UNIT_READY), Sense::new(6, 0x29, 3));
        }
        assert_eq!(crowd.object(), 1);
    }
}

#[test]
fn tasks_of_a_lost_nexus_vanish_and_the_others_go_on() {
    let (mut crowd, op) = Crowd::performing();
    crowd.rig.unit.nexus_lost(ALICE);
    assert_eq!(step(&mut crowd.rig), Did::Idle);
    // The same port is back before its old operation ended; its tags begin anew.
    crowd.rig.establish(ALICE);
    let mut task = crowd.rig.task(ALICE, &TEST_UNIT_READY, &[], 0);
    task.id = crowd.write;
    crowd.rig.unit.submit(task);
    let bob = crowd.bob;
    assert_eq!(crowd.finish(op), Did::Done(bob, Status::GOOD));
    let write = crowd.write;
    crowd.good(&[write]);
}

#[test]
fn a_lost_nexus_is_told_nothing_more() {
    let mut crowd = Crowd::waiting_for_data();
    while crowd.rig.unit.waiting() < 16 {
        submit(&mut crowd.rig, ALICE, &TEST_UNIT_READY, &[], 0);
    }
    submit(&mut crowd.rig, ALICE, &TEST_UNIT_READY, &[], 0);
    let full = submit(&mut crowd.rig, BOB, &TEST_UNIT_READY, &[], 0);
    manage(&mut crowd.rig, ALICE, ManagementFunction::AbortTaskSet);
    crowd.rig.unit.nexus_lost(ALICE);
    assert_eq!(step(&mut crowd.rig), Did::Done(full, Status::TASK_SET_FULL));
    let bob = crowd.bob;
    crowd.good(&[bob]);
}

#[test]
fn a_nexus_lost_while_its_data_is_awaited_lets_the_others_run() {
    let mut crowd = Crowd::waiting_for_data();
    crowd.rig.unit.nexus_lost(ALICE);
    let bob = crowd.bob;
    crowd.good(&[bob]);
}

#[test]
fn a_result_that_nobody_asked_for_is_ignored() {
    let mut crowd = Crowd::waiting_for_data();
    let result = crowd.rig.perform(DriveOp::Unload);
    assert_eq!(did(crowd.rig.unit.resume(NOW, result)), Did::Idle);
    crowd.rig.unit.data_out(crowd.write, pattern(0, 100));
    assert_eq!(step(&mut crowd.rig), Did::Perform);
}

#[test]
fn a_command_refused_at_once_takes_no_data() {
    let mut rig = Rig::known();
    let completion = rig.run_split(ALICE, &variable(0x0a, 100), &[0; 100], 0);
    assert_eq!((completion.status, completion.data_out_length), (Status::CHECK_CONDITION, 0));
}

/// The robot does not wait for a host that is slow to send: the data went to whatever cartridge was there when it came.
#[test]
fn data_that_was_on_its_way_does_not_reach_another_cartridge() {
    let answer = |rig: &mut Rig, write| {
        rig.unit.data_out(write, pattern(0, 100));
        let Step::Done(finished) = rig.unit.step(NOW) else { panic!("it went on") };
        assert_eq!((finished.task, finished.completion.data_out_length), (write, 100));
        Sense::parse(&finished.completion.sense)
    };
    let other = || Tape::with(&[10, 20]);

    let Crowd { mut rig, write, .. } = Crowd::waiting_for_data();
    rig.unit.server_mut().cartridge_removed();
    assert_eq!(answer(&mut rig, write), NO_MEDIUM());

    let Crowd { mut rig, write, .. } = Crowd::waiting_for_data();
    rig.unit.server_mut().cartridge_removed();
    rig.insert(other(), false);
    assert_eq!(answer(&mut rig, write), NEW_MEDIUM());
    assert_eq!(rig.tape.objects, other().objects);
    // That was the unit attention: the command sent again is meant for this cartridge.
    let again = submit(&mut rig, ALICE, &variable(0x0a, 100), &pattern(0, 100), 100);
    while !matches!(step(&mut rig), Did::Perform) {}
    assert_ne!(again, write);

    let Crowd { mut rig, write, .. } = Crowd::waiting_for_data();
    rig.unit.server_mut().protection_changed(true);
    assert_eq!(answer(&mut rig, write), Sense::new(7, 0x27, 0));
}
