//! A task set driven by an actor, with a list of the tasks that are owed an answer.
//!
//! The list duplicates what the task set knows, on purpose: when a device server panics, its state is not to be
//! trusted any more, and every task still gets exactly one answer.

use std::sync::Arc;

use capstan_device::{DeviceServer, Finished, LogicalUnit, Step};
use capstan_scsi::sam::{ManagementFunction, TaskId, TaskObserver};

use super::inbox::TaskInput;
use crate::clock::Clock;

/// Tasks that can wait in a task set.
const LIMIT: usize = 128;

/// A logical unit and the answers that it owes.
pub(crate) struct Unit<S: DeviceServer> {
    unit: LogicalUnit<S>,
    clock: Clock,
    owed: Vec<(TaskId, Arc<dyn TaskObserver>)>,
}

impl<S: DeviceServer> Unit<S> {
    pub(crate) fn new(server: S, clock: Clock) -> Self {
        Self { unit: LogicalUnit::new(server, LIMIT), clock, owed: Vec::with_capacity(LIMIT) }
    }

    pub(crate) fn server(&self) -> &S {
        self.unit.server()
    }

    pub(crate) fn server_mut(&mut self) -> &mut S {
        self.unit.server_mut()
    }

    /// Passes on what came from a transport.
    pub(crate) fn input(&mut self, input: TaskInput) {
        match input {
            TaskInput::Established(nexus, initiator) => self.unit.nexus_established(nexus, &initiator),
            TaskInput::Lost(nexus) => {
                self.owed.retain(|(task, _)| task.nexus != nexus);
                self.unit.nexus_lost(nexus);
            }
            TaskInput::Submit(task) => {
                self.owed.push((task.id, Arc::clone(&task.observer)));
                self.unit.submit(task);
            }
            TaskInput::DataOut(task, data) => self.unit.data_out(task, data),
            TaskInput::Manage(request, observer) => {
                match request.function {
                    ManagementFunction::AbortTask(id) if id.nexus == request.nexus => {
                        self.owed.retain(|(task, _)| *task != id);
                    }
                    // The task set answers the tasks of others one by one.
                    ManagementFunction::AbortTaskSet | ManagementFunction::ClearTaskSet => {
                        self.owed.retain(|(task, _)| task.nexus != request.nexus);
                    }
                    ManagementFunction::AbortTask(_) => {}
                    ManagementFunction::LogicalUnitReset | ManagementFunction::TargetReset => self.owed.clear(),
                }
                self.unit.manage(self.clock.now(), request, observer);
            }
        }
    }

    /// Somebody waits for the command whose operation is being performed.
    pub(crate) fn is_awaited(&self) -> bool {
        self.unit.is_awaited()
    }

    /// Takes one step; what it answers goes to the observer.
    pub(crate) fn step(&mut self) -> Progress<S::Op> {
        let step = self.unit.step(self.clock.now());
        self.deliver(step)
    }

    /// Passes on the result of an operation.
    pub(crate) fn resume(&mut self, result: S::OpResult) -> Progress<S::Op> {
        let step = self.unit.resume(self.clock.now(), result);
        self.deliver(step)
    }

    /// The tasks that are owed an answer, when the unit cannot give it any more.
    pub(crate) fn take_owed(&mut self) -> Vec<(TaskId, Arc<dyn TaskObserver>)> {
        std::mem::take(&mut self.owed)
    }

    fn deliver(&mut self, step: Step<S::Op>) -> Progress<S::Op> {
        match step {
            Step::Idle => return Progress::Idle,
            Step::Perform(op) => return Progress::Perform(op),
            Step::Done(Finished { task, completion, observer }) => {
                if let Some(at) = self.owed.iter().position(|(owed, _)| *owed == task) {
                    self.owed.swap_remove(at);
                }
                observer.completed(task, completion);
            }
            Step::NeedData { task, observer, received, length } => observer.need_data(task, received, length),
            Step::Managed { tag, response, observer } => observer.managed(tag, response),
        }
        Progress::Stepped
    }
}

/// What a step came to.
pub(crate) enum Progress<Op> {
    /// Nothing to do until something comes.
    Idle,
    /// Something was answered; there may be more.
    Stepped,
    /// This is to be performed.
    Perform(Op),
}
