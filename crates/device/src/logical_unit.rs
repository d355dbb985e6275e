//! A logical unit: the task set in front of a device server. [SAM-5 8]
//!
//! Tape devices work in order, so one task runs at a time and the others wait. Invariants: a task is answered exactly
//! once or aborted, never both; no task that a management function aborted is answered after the function was.
//!
//! An operation that is being performed cannot be called back. When its task is aborted the device server still
//! gets the result, so that it knows where the medium stands, and only the answer is dropped; until then no other
//! task starts, so whoever comes next finds the operation either done or not. The management function does not
//! wait for it: a slow operation is the very reason why hosts abort, and they escalate when the abort takes long too.
//! Who performs an operation that may be given up without a trace, such as a wait, asks
//! [`LogicalUnit::is_awaited`].

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use capstan_scsi::asc::Asc;
use capstan_scsi::sam::{
    Attribute, Completion, InitiatorPort, ManagementFunction, ManagementResponse, NexusId, Status, Task, TaskId,
    TaskManagement, TaskObserver,
};
use capstan_scsi::{CheckCondition, SenseKey};

use crate::server::{Begin, Command, DeviceServer, Instant, Outcome};

/// What the owner of a logical unit must do next. After each step ask again with [`LogicalUnit::step`], until
/// [`Step::Idle`].
pub enum Step<Op> {
    /// Nothing to do until a task, data, a result or a management request comes.
    Idle,
    /// Tell the observer that a task ended.
    Done(Finished),
    /// Tell the observer that data is needed, then pass it on with [`LogicalUnit::data_out`].
    NeedData {
        /// The task that needs it.
        task: TaskId,
        /// Who can get it.
        observer: Arc<dyn TaskObserver>,
        /// Bytes that are there.
        received: u32,
        /// Bytes needed in all.
        length: u32,
    },
    /// Perform the operation, then pass its result to [`LogicalUnit::resume`].
    Perform(Op),
    /// Tell the observer that a management function ended.
    Managed {
        /// Which.
        tag: u64,
        /// How.
        response: ManagementResponse,
        /// Who asked.
        observer: Arc<dyn TaskObserver>,
    },
}

/// A task that ended.
pub struct Finished {
    /// Its name.
    pub task: TaskId,
    /// How it ended.
    pub completion: Completion,
    /// Who is to be told.
    pub observer: Arc<dyn TaskObserver>,
}

enum Stage {
    /// Whether its data may come is being asked; nothing has been transferred.
    Admission { needed: u32 },
    /// `begin` said how much is needed; the rest is on its way.
    Data { needed: u32 },
    /// All data is there; not executed yet.
    Ready { data: Bytes, needed: u32 },
    /// An operation is being performed.
    Operation { needed: u32 },
    /// The task was aborted while its operation was being performed: nobody waits for an answer.
    Aborted,
    /// The task was aborted while its admission was being asked: the answer changes nothing.
    Forgotten,
}

struct Running {
    task: Task,
    stage: Stage,
}

impl Running {
    /// Somebody waits for the answer.
    fn is_alive(&self) -> bool {
        !matches!(self.stage, Stage::Aborted | Stage::Forgotten)
    }

    /// An operation is being performed for it, or was when it was aborted.
    fn is_performing(&self) -> bool {
        matches!(self.stage, Stage::Admission { .. } | Stage::Operation { .. }) || !self.is_alive()
    }
}

struct PendingManagement {
    nexus: NexusId,
    tag: u64,
    response: ManagementResponse,
    observer: Arc<dyn TaskObserver>,
}

/// The task set and its device server.
pub struct LogicalUnit<S: DeviceServer> {
    server: S,
    waiting: VecDeque<Task>,
    limit: usize,
    running: Option<Running>,
    answers: VecDeque<Finished>,
    managed: VecDeque<PendingManagement>,
}

impl<S: DeviceServer> LogicalUnit<S> {
    /// A logical unit that lets at most `limit` tasks wait.
    pub fn new(server: S, limit: usize) -> Self {
        Self {
            server,
            waiting: VecDeque::new(),
            limit,
            running: None,
            answers: VecDeque::new(),
            managed: VecDeque::new(),
        }
    }

    /// The device server, for events that are not commands.
    pub fn server(&self) -> &S {
        &self.server
    }

    /// The device server, for events that are not commands.
    pub fn server_mut(&mut self) -> &mut S {
        &mut self.server
    }

    /// True while a result is awaited: [`LogicalUnit::resume`] must come before another task runs.
    pub fn is_performing(&self) -> bool {
        self.running.as_ref().is_some_and(Running::is_performing)
    }

    /// True while a result is awaited that somebody still waits for: the task has not been aborted.
    pub fn is_awaited(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.is_performing() && running.is_alive())
    }

    /// Tasks that wait to be started.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Queue a task; it is answered TASK SET FULL when too many wait, and CHECK CONDITION with the attribute ACA,
    /// since no condition here lasts. [SAM-5 8.6]
    pub fn submit(&mut self, task: Task) {
        if self.waiting.len() >= self.limit {
            self.answer(task, Completion::status(Status::TASK_SET_FULL));
            return;
        }
        match task.attribute {
            Attribute::Simple | Attribute::Ordered => self.waiting.push_back(task),
            Attribute::HeadOfQueue => self.waiting.push_front(task),
            Attribute::Aca => {
                let refused = CheckCondition::new(SenseKey::IllegalRequest, Asc::INVALID_MESSAGE_ERROR);
                self.answer(task, refused.into_completion(Bytes::new()));
            }
        }
    }

    fn answer(&mut self, task: Task, completion: Completion) {
        self.answers.push_back(Finished { task: task.id, completion, observer: task.observer });
    }

    /// What to do next.
    pub fn step(&mut self, now: Instant) -> Step<S::Op> {
        loop {
            if let Some(answer) = self.answers.pop_front() {
                return Step::Done(answer);
            }
            if let Some(PendingManagement { tag, response, observer, .. }) = self.managed.pop_front() {
                return Step::Managed { tag, response, observer };
            }
            match &self.running {
                None => {
                    let Some(task) = self.waiting.pop_front() else { return Step::Idle };
                    if let Some(step) = self.start(now, task) {
                        return step;
                    }
                }
                Some(Running { stage: Stage::Ready { .. }, .. }) => return self.execute(now),
                Some(_) => return Step::Idle,
            }
        }
    }

    /// The data that [`Step::NeedData`] asked for. Data for a task that is no longer there (it was aborted meanwhile) is
    /// dropped.
    pub fn data_out(&mut self, task: TaskId, data: Bytes) {
        let Some(running) = self.running.as_mut().filter(|running| running.task.id == task) else { return };
        let Stage::Data { needed } = running.stage else { return };
        running.stage = Stage::Ready { data: cut(data, needed), needed };
    }

    /// The result of an operation.
    pub fn resume(&mut self, now: Instant, result: S::OpResult) -> Step<S::Op> {
        let Some(running) = self.running.take() else { return self.step(now) };
        match running.stage {
            Stage::Admission { needed } => match self.server.admitted(now, &command(&running.task), result) {
                Ok(()) => self.solicit(running.task, needed).unwrap_or_else(|| self.step(now)),
                Err(completion) => {
                    self.answer(running.task, *completion);
                    self.step(now)
                }
            },
            Stage::Forgotten => self.step(now),
            Stage::Operation { needed } => {
                let outcome = self.server.resume(now, &command(&running.task), result);
                self.conclude(running.task, needed, outcome)
            }
            Stage::Aborted => {
                // What the server makes of it reaches nobody, a further operation is not performed.
                let _ = self.server.resume(now, &command(&running.task), result);
                self.step(now)
            }
            stage => {
                self.running = Some(Running { task: running.task, stage });
                self.step(now)
            }
        }
    }

    /// A nexus exists from now on.
    pub fn nexus_established(&mut self, nexus: NexusId, initiator: &InitiatorPort) {
        self.server.nexus_established(nexus, initiator);
    }

    /// A nexus is gone: its tasks are aborted unanswered, and what it has not been told yet it is not told any more.
    pub fn nexus_lost(&mut self, nexus: NexusId) {
        self.abort(|task| task.id.nexus == nexus);
        self.answers.retain(|answer| answer.task.nexus != nexus);
        self.managed.retain(|pending| pending.nexus != nexus);
        self.server.nexus_lost(nexus);
    }

    /// Carry out a task management function; the answer comes as [`Step::Managed`].
    pub fn manage(&mut self, now: Instant, request: TaskManagement, observer: Arc<dyn TaskObserver>) {
        let nexus = request.nexus;
        let response = match request.function {
            ManagementFunction::AbortTask(id) if id.nexus != nexus || self.abort(|task| task.id == id) == 0 => {
                ManagementResponse::TaskDoesNotExist
            }
            ManagementFunction::AbortTask(_) => ManagementResponse::FunctionComplete,
            ManagementFunction::AbortTaskSet => {
                self.abort(|task| task.id.nexus == nexus);
                ManagementResponse::FunctionComplete
            }
            ManagementFunction::ClearTaskSet => {
                self.abort_telling_others(nexus);
                ManagementResponse::FunctionComplete
            }
            ManagementFunction::LogicalUnitReset | ManagementFunction::TargetReset => {
                self.abort(|_| true);
                self.server.reset(now);
                ManagementResponse::FunctionComplete
            }
        };
        self.managed.push_back(PendingManagement { nexus, tag: request.tag, response, observer });
    }

    fn start(&mut self, now: Instant, task: Task) -> Option<Step<S::Op>> {
        match self.server.begin(now, &command(&task)) {
            Ok(Begin::Data(needed)) => self.solicit(task, needed),
            Ok(Begin::Admission { op, needed }) => {
                self.running = Some(Running { task, stage: Stage::Admission { needed } });
                Some(Step::Perform(op))
            }
            Err(completion) => {
                self.answer(task, *completion);
                None
            }
        }
    }

    /// Asks for the data of a task, unless all of it is there.
    fn solicit(&mut self, mut task: Task, needed: u32) -> Option<Step<S::Op>> {
        let received = std::mem::take(&mut task.data_out.received);
        let there = u32::try_from(received.len()).unwrap_or(u32::MAX);
        if there >= needed.min(task.data_out.expected) {
            self.running = Some(Running { task, stage: Stage::Ready { data: cut(received, needed), needed } });
            return None;
        }
        // All of it is asked for: the transport still has what came, and puts the rest behind it.
        let (id, observer) = (task.id, Arc::clone(&task.observer));
        self.running = Some(Running { task, stage: Stage::Data { needed } });
        Some(Step::NeedData { task: id, observer, received: 0, length: needed })
    }

    fn execute(&mut self, now: Instant) -> Step<S::Op> {
        match self.running.take() {
            Some(Running { task, stage: Stage::Ready { data, needed } }) => {
                let outcome = self.server.execute(now, &command(&task), data);
                self.conclude(task, needed, outcome)
            }
            running => {
                self.running = running;
                Step::Idle
            }
        }
    }

    fn conclude(&mut self, task: Task, needed: u32, outcome: Outcome<S::Op>) -> Step<S::Op> {
        match outcome {
            Outcome::Perform(op) => {
                self.running = Some(Running { task, stage: Stage::Operation { needed } });
                Step::Perform(op)
            }
            Outcome::Done(mut completion) => {
                completion.data_out_length = needed;
                Step::Done(Finished { task: task.id, completion, observer: task.observer })
            }
        }
    }

    /// Drops the tasks that `which` chooses; returns how many there were, without those that were aborted before.
    fn abort(&mut self, which: impl Fn(&Task) -> bool) -> usize {
        let before = self.waiting.len();
        self.waiting.retain(|task| !which(task));
        let mut aborted = before.saturating_sub(self.waiting.len());
        if let Some(running) = self.running.as_mut().filter(|running| running.is_alive() && which(&running.task)) {
            aborted = aborted.saturating_add(1);
            match running.stage {
                Stage::Operation { .. } => running.stage = Stage::Aborted,
                Stage::Admission { .. } => running.stage = Stage::Forgotten,
                _ => self.running = None,
            }
        }
        aborted
    }

    /// Drops every task; those of other nexuses than `nexus` are answered TASK ABORTED. [SAM-5 5.3.1]
    fn abort_telling_others(&mut self, nexus: NexusId) {
        let running = self.running.as_ref().filter(|running| running.is_alive()).map(|running| &running.task);
        let told = running.into_iter().chain(self.waiting.iter()).filter(|task| task.id.nexus != nexus);
        let answers: Vec<Finished> = told
            .map(|task| Finished {
                task: task.id,
                completion: Completion::status(Status::TASK_ABORTED),
                observer: Arc::clone(&task.observer),
            })
            .collect();
        self.abort(|_| true);
        self.answers.extend(answers);
    }
}

fn command(task: &Task) -> Command {
    Command { nexus: task.id.nexus, cdb: task.cdb }
}

fn cut(mut data: Bytes, needed: u32) -> Bytes {
    data.truncate(usize::try_from(needed).unwrap_or(usize::MAX));
    data
}
