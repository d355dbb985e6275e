//! The bounded inbox of an actor.
//!
//! A `std::sync::mpsc::sync_channel`: `try_send` works from any thread, also one of an async runtime; `recv_timeout`
//! gives the actor deadlines without a runtime; a blocked receive costs one futex. The channel is one, so that order
//! is kept, and each kind of message has its own share of it, so that a flood of tasks cannot keep an abort out.
//! Shares that are full are answered at once: TASK SET FULL, Rejected, or a typed error for operators.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use bytes::Bytes;
use capstan_scsi::sam::{
    Completion, InitiatorPort, ManagementResponse, NexusId, Status, Task, TaskId, TaskManagement, TaskObserver,
};

/// Tasks that can wait in front of a task set.
const TASKS: usize = 128;

/// Task management functions that can wait.
const MANAGEMENT: usize = 64;

/// Nexus events and data on its way: a unit asks for data of one task at a time, and reconnections are slow.
const OTHER: usize = 1024;

/// What a transport sends to a logical unit.
pub(crate) enum TaskInput {
    Established(NexusId, InitiatorPort),
    Lost(NexusId),
    Submit(Task),
    DataOut(TaskId, Bytes),
    Manage(TaskManagement, Arc<dyn TaskObserver>),
}

/// What an actor receives.
pub(crate) enum Message<R> {
    Task(TaskInput),
    Request(R),
    Stop(Ending),
}

/// How an actor ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    /// Everything is closed properly.
    Close,
    /// Everything is dropped, as by the death of the process.
    Abandon,
}

#[derive(Default)]
struct Shares {
    tasks: AtomicUsize,
    management: AtomicUsize,
    other: AtomicUsize,
}

impl Shares {
    /// The count that a message is part of, and its limit.
    fn of(&self, input: &TaskInput) -> (&AtomicUsize, usize) {
        match input {
            TaskInput::Submit(_) => (&self.tasks, TASKS),
            TaskInput::Manage(..) => (&self.management, MANAGEMENT),
            TaskInput::Established(..) | TaskInput::Lost(_) | TaskInput::DataOut(..) => (&self.other, OTHER),
        }
    }
}

/// The way into an actor's inbox.
pub(crate) struct Mouth<R> {
    sender: SyncSender<Message<R>>,
    shares: Arc<Shares>,
}

impl<R> Clone for Mouth<R> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), shares: Arc::clone(&self.shares) }
    }
}

/// Why a request was not queued.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NotQueued {
    /// No room.
    Full,
    /// The actor has ended.
    Gone,
}

/// The actor's end.
pub(crate) struct Inbox<R> {
    receiver: Receiver<Message<R>>,
    shares: Arc<Shares>,
}

/// An inbox with room for `requests` requests besides what comes from the transport.
pub(crate) fn inbox<R>(requests: usize) -> (Mouth<R>, Inbox<R>) {
    let (sender, receiver) = sync_channel(TASKS.saturating_add(MANAGEMENT).saturating_add(OTHER + requests));
    let shares = Arc::new(Shares::default());
    (Mouth { sender, shares: Arc::clone(&shares) }, Inbox { receiver, shares })
}

impl<R> Mouth<R> {
    /// Queues what comes from a transport; never blocks.
    pub(crate) fn post(&self, input: TaskInput) {
        let (waiting, limit) = self.shares.of(&input);
        if waiting.fetch_add(1, Ordering::AcqRel) >= limit {
            waiting.fetch_sub(1, Ordering::AcqRel);
            return refuse(input);
        }
        match self.sender.try_send(Message::Task(input)) {
            Ok(()) => {}
            Err(TrySendError::Full(message) | TrySendError::Disconnected(message)) => {
                waiting.fetch_sub(1, Ordering::AcqRel);
                if let Message::Task(input) = message {
                    refuse(input);
                }
            }
        }
    }

    /// Queues a request; never blocks.
    pub(crate) fn request(&self, request: R) -> Result<(), NotQueued> {
        self.sender.try_send(Message::Request(request)).map_err(|error| match error {
            TrySendError::Full(_) => NotQueued::Full,
            TrySendError::Disconnected(_) => NotQueued::Gone,
        })
    }

    /// Queues a request, or gives it back; never blocks.
    pub(crate) fn offer(&self, request: R) -> Result<(), Option<R>> {
        self.sender.try_send(Message::Request(request)).map_err(|error| match error {
            TrySendError::Full(Message::Request(request)) | TrySendError::Disconnected(Message::Request(request)) => {
                Some(request)
            }
            TrySendError::Full(_) | TrySendError::Disconnected(_) => None,
        })
    }

    /// Queues a request, waiting for room. Only for actors that the receiver never waits for.
    pub(crate) fn request_blocking(&self, request: R) {
        // A receiver that has gone needs no news.
        let _ = self.sender.send(Message::Request(request));
    }

    /// Tells the actor to stop, waiting for room.
    pub(crate) fn stop(&self, ending: Ending) {
        let _ = self.sender.send(Message::Stop(ending));
    }
}

impl<R> Inbox<R> {
    /// The next message if there is one.
    pub(crate) fn try_next(&self) -> Option<Message<R>> {
        self.receiver.try_recv().ok().inspect(|message| self.taken(message))
    }

    /// The next message; `None` after `patience`.
    pub(crate) fn next_within(&self, patience: std::time::Duration) -> Option<Message<R>> {
        match self.receiver.recv_timeout(patience) {
            Ok(message) => {
                self.taken(&message);
                Some(message)
            }
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => None,
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => Some(Message::Stop(Ending::Abandon)),
        }
    }

    /// The next message; [`Message::Stop`] when nobody can send any more.
    pub(crate) fn next(&self) -> Message<R> {
        self.receiver.recv().map_or(Message::Stop(Ending::Abandon), |message| {
            self.taken(&message);
            message
        })
    }

    fn taken(&self, message: &Message<R>) {
        if let Message::Task(input) = message {
            self.shares.of(input).0.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Answers what cannot be queued. A nexus event that is dropped leaves the nexus as it was.
fn refuse(input: TaskInput) {
    match input {
        TaskInput::Submit(task) => {
            task.observer.completed(task.id, Completion::status(Status::TASK_SET_FULL));
        }
        TaskInput::Manage(request, observer) => observer.managed(request.tag, ManagementResponse::Rejected),
        TaskInput::Established(nexus, _) | TaskInput::Lost(nexus) => {
            tracing::error!(nexus = nexus.0, "a logical unit's inbox is full: a nexus event is lost");
        }
        TaskInput::DataOut(task, _) => {
            tracing::error!(nexus = task.nexus.0, tag = task.tag, "a logical unit's inbox is full: data is lost");
        }
    }
}
