//! A session with one target.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use capstan_iscsi::pdu::{RESERVED_TAG, TaskManagementFunction, TaskManagementOutcome};
use capstan_iscsi::text::Parameters;
use capstan_scsi::sam::Lun;
use tokio::sync::{mpsc, oneshot};

use crate::actor::{Actor, Request};
use crate::connection::Connection;
use crate::login::log_in;
use crate::pending::Reply;
use crate::{Command, InitiatorError, Login, Outcome};

/// A session that is logged in. Copies are the same session; when the last one is dropped, the connection is closed.
#[derive(Clone, Debug)]
pub struct Session {
    requests: mpsc::Sender<(u32, Request)>,
    tags: Arc<AtomicU32>,
    parameters: Arc<Parameters>,
    tsih: u16,
}

/// Requests that may wait for the task that owns the connection.
const QUEUE: usize = 64;

/// A task management function with what it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Management {
    /// Abort the task with this tag on this logical unit.
    AbortTask(Lun, u32),
    /// Abort the tasks of this session on a logical unit.
    AbortTaskSet(Lun),
    /// Abort the tasks of all sessions on a logical unit.
    ClearTaskSet(Lun),
    /// Reset a logical unit.
    LogicalUnitReset(Lun),
    /// Reset all logical units of the target.
    TargetWarmReset,
    /// The same; then the target ends all sessions, this one too.
    TargetColdReset,
}

impl Management {
    /// The function, its logical unit, and the tag of the task that it is about.
    pub(crate) fn parts(self) -> (TaskManagementFunction, Option<Lun>, Option<u32>) {
        match self {
            Self::AbortTask(lun, tag) => (TaskManagementFunction::ABORT_TASK, Some(lun), Some(tag)),
            Self::AbortTaskSet(lun) => (TaskManagementFunction::ABORT_TASK_SET, Some(lun), None),
            Self::ClearTaskSet(lun) => (TaskManagementFunction::CLEAR_TASK_SET, Some(lun), None),
            Self::LogicalUnitReset(lun) => (TaskManagementFunction::LOGICAL_UNIT_RESET, Some(lun), None),
            Self::TargetWarmReset => (TaskManagementFunction::TARGET_WARM_RESET, None, None),
            Self::TargetColdReset => (TaskManagementFunction::TARGET_COLD_RESET, None, None),
        }
    }
}

/// A command that was sent and has not been waited for.
#[derive(Debug)]
pub struct Running {
    tag: u32,
    outcome: oneshot::Receiver<Result<Outcome, InitiatorError>>,
}

impl Running {
    /// Its initiator task tag.
    #[must_use]
    pub fn tag(&self) -> u32 {
        self.tag
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// [`InitiatorError`]; a SCSI status other than GOOD is none.
    pub async fn wait(&mut self, timeout: Duration) -> Result<Outcome, InitiatorError> {
        within("a command", timeout, &mut self.outcome).await
    }
}

impl Session {
    /// Connects and logs in.
    ///
    /// # Errors
    /// [`InitiatorError`]: no connection, a refused login, a negotiation that fails, the time is up.
    pub async fn log_in(address: SocketAddr, login: &Login, timeout: Duration) -> Result<Self, InitiatorError> {
        let attempt = async {
            let mut connection = Connection::open(address).await?;
            let agreed = log_in(&mut connection, login).await?;
            Ok::<_, InitiatorError>((connection, agreed))
        };
        let late = |_| InitiatorError::Timeout { what: "the login", after: timeout };
        let (connection, agreed) = tokio::time::timeout(timeout, attempt).await.map_err(late)??;
        let (requests, receiver) = mpsc::channel(QUEUE);
        let parameters = Arc::new(agreed.parameters.clone());
        let tsih = agreed.tsih;
        tokio::spawn(Actor::new(connection, agreed, receiver).run());
        Ok(Self { requests, tags: Arc::new(AtomicU32::new(1)), parameters, tsih })
    }

    /// What was agreed on at login.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The target's handle of this session.
    #[must_use]
    pub fn tsih(&self) -> u16 {
        self.tsih
    }

    /// Executes a command and waits until it has ended. When the time is up it may still be running.
    ///
    /// # Errors
    /// [`InitiatorError`]; a SCSI status other than GOOD is none.
    pub async fn execute(&self, lun: Lun, command: Command, timeout: Duration) -> Result<Outcome, InitiatorError> {
        self.start(lun, command).await?.wait(timeout).await
    }

    /// Sends a command.
    ///
    /// # Errors
    /// [`InitiatorError::Closed`].
    pub async fn start(&self, lun: Lun, command: Command) -> Result<Running, InitiatorError> {
        let (reply, outcome) = oneshot::channel();
        let tag = self.request(|_| Request::Command(lun, command, reply)).await?;
        Ok(Running { tag, outcome })
    }

    /// Does a task management function. Tasks that it aborts end with [`InitiatorError::Aborted`].
    ///
    /// # Errors
    /// [`InitiatorError`].
    pub async fn manage(
        &self,
        management: Management,
        timeout: Duration,
    ) -> Result<TaskManagementOutcome, InitiatorError> {
        self.ask("task management", timeout, |reply| Request::Manage(management, reply)).await
    }

    /// Pings the target; what it sends back.
    ///
    /// # Errors
    /// [`InitiatorError`].
    pub async fn nop(&self, data: Bytes, timeout: Duration) -> Result<Bytes, InitiatorError> {
        self.ask("a ping", timeout, |reply| Request::Nop(data, reply)).await
    }

    /// Sends `key=value` pairs in the full feature phase; the pairs that come back.
    ///
    /// # Errors
    /// [`InitiatorError`].
    pub async fn text(&self, pairs: Bytes, timeout: Duration) -> Result<Vec<u8>, InitiatorError> {
        self.ask("a text request", timeout, |reply| Request::Text(pairs, reply)).await
    }

    /// Logs out and closes the connection, for all copies of this session.
    ///
    /// # Errors
    /// [`InitiatorError`].
    pub async fn log_out(&self, timeout: Duration) -> Result<(), InitiatorError> {
        self.ask("the logout", timeout, Request::Logout).await
    }

    async fn ask<T>(
        &self,
        what: &'static str,
        timeout: Duration,
        request: impl FnOnce(Reply<T>) -> Request,
    ) -> Result<T, InitiatorError> {
        let (reply, mut answer) = oneshot::channel();
        self.request(|_| request(reply)).await?;
        within(what, timeout, &mut answer).await
    }

    async fn request(&self, request: impl FnOnce(u32) -> Request) -> Result<u32, InitiatorError> {
        let mut tag = self.tags.fetch_add(1, Ordering::Relaxed);
        if tag == RESERVED_TAG {
            tag = self.tags.fetch_add(1, Ordering::Relaxed);
        }
        self.requests.send((tag, request(tag))).await.map_err(|_| InitiatorError::Closed)?;
        Ok(tag)
    }
}

async fn within<T>(
    what: &'static str,
    after: Duration,
    answer: &mut oneshot::Receiver<Result<T, InitiatorError>>,
) -> Result<T, InitiatorError> {
    match tokio::time::timeout(after, answer).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(InitiatorError::Closed),
        Err(_) => Err(InitiatorError::Timeout { what, after }),
    }
}
