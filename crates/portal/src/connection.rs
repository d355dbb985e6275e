//! The task of one connection.

use std::future::{Future as _, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use capstan_iscsi::login::LoginStatus;
use capstan_iscsi::pdu::TaskManagementFunction;
use capstan_iscsi::target::{Connection, Event, ManagementRequest, ProtocolError, TaskTag};
use capstan_scsi::sam::{Lun, ManagementResponse, TaskManagement, TaskObserver};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::{Sleep, sleep_until};

use crate::input::Input;
use crate::listen::Shared;
use crate::observer::{Message, Observer};
use crate::output::Output;
use crate::registry::Ends;
use crate::session::Membership;
use crate::translate;

/// How long a last word (a Reject, a refused login, a logout) may take to be sent.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long an idle initiator may take to log out when it is asked to.
const LOGOUT: Duration = Duration::from_secs(1);
/// Rounds after which other tasks of the runtime get their turn.
const ROUNDS: u32 = 64;

/// Why a connection ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The initiator logged out.
    LoggedOut,
    /// The initiator closed the connection.
    Closed,
    /// The socket failed.
    Io(io::Error),
    /// The initiator broke the protocol, or was refused.
    Protocol(ProtocolError),
    /// The portal ended it.
    Dropped,
    /// The portal ended it, and what it has to say goes out first.
    Left,
}

/// A connection on its way from one runtime to another.
pub(crate) struct Detached {
    stream: std::net::TcpStream,
    connection: Connection,
    input: Input,
    output: Output,
    messages: UnboundedReceiver<Message>,
    observer: Arc<dyn TaskObserver>,
    shutdown: Option<(Instant, Instant)>,
    cold_reset: Option<u64>,
    member: Membership,
}

impl Detached {
    /// Goes on in the runtime that this is called in.
    pub(crate) fn attach(self) -> io::Result<ConnectionTask> {
        let Self { stream, connection, input, output, messages, observer, shutdown, cold_reset, member } = self;
        let stream = TcpStream::from_std(stream)?;
        // Fires at once, and is then set to what is due.
        let timer = Box::pin(sleep_until(Instant::now().into()));
        Ok(ConnectionTask {
            stream,
            connection,
            input,
            output,
            messages,
            observer,
            timer,
            shutdown,
            cold_reset,
            member,
        })
    }
}

/// Drives a [`Connection`]: everything that it may wait for is polled in one place, and nothing else is waited for.
pub(crate) struct ConnectionTask {
    stream: TcpStream,
    pub(crate) connection: Connection,
    input: Input,
    output: Output,
    messages: UnboundedReceiver<Message>,
    observer: Arc<dyn TaskObserver>,
    /// Fires at or before the connection's deadline, which mostly moves on before.
    timer: Pin<Box<Sleep>>,
    /// When a shutdown closes the connection, idle or not.
    shutdown: Option<(Instant, Instant)>,
    /// The TARGET COLD RESET that the logical units are working on.
    cold_reset: Option<u64>,
    pub(crate) member: Membership,
}

impl ConnectionTask {
    pub(crate) fn new(
        stream: TcpStream,
        ends: Ends,
        shared: Arc<Shared>,
        sender: UnboundedSender<Message>,
        messages: UnboundedReceiver<Message>,
    ) -> Self {
        let now = Instant::now();
        Self {
            stream,
            connection: Connection::new(Arc::clone(&shared.session), now),
            input: Input::new(),
            output: Output::default(),
            messages,
            observer: Arc::new(Observer { sender }),
            timer: Box::pin(sleep_until((now + shared.session.login_timeout).into())),
            shutdown: None,
            cold_reset: None,
            member: Membership::new(shared, ends),
        }
    }

    /// Runs the connection until a session with a target begins; nothing is left if it ends before.
    pub(crate) async fn log_in(mut self) -> Option<Self> {
        let end = poll_fn(|cx| match self.poll(cx) {
            Poll::Ready(end) => Poll::Ready(Some(end)),
            Poll::Pending if self.member.nexus.is_some() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        match end.await {
            Some(end) => {
                self.finish(end).await;
                None
            }
            None => Some(self),
        }
    }

    /// Runs the connection to its end.
    pub(crate) async fn run(mut self) {
        let end = poll_fn(|cx| self.poll(cx)).await;
        self.finish(end).await;
    }

    /// Takes the connection away from its runtime.
    pub(crate) fn detach(self) -> io::Result<Detached> {
        let Self { stream, connection, input, output, messages, observer, timer: _, shutdown, cold_reset, member } =
            self;
        let stream = stream.into_std()?;
        Ok(Detached { stream, connection, input, output, messages, observer, shutdown, cold_reset, member })
    }

    /// Says the last word, and why the connection ended.
    async fn finish(&mut self, end: End) {
        if matches!(end, End::Protocol(_) | End::Left) {
            let farewell = poll_fn(|cx| self.poll_farewell(cx));
            let _ = tokio::time::timeout(FAREWELL, farewell).await;
        }
        let peer = self.member.ends.peer;
        let initiator = self.member.initiator.as_ref().map_or("-", |initiator| initiator.name.as_str());
        match end {
            // Told by those who refuse and evict, now and then; an attacker must not fill the log.
            End::Protocol(ProtocolError::LoginRefused(LoginStatus::SERVICE_UNAVAILABLE)) => {
                tracing::debug!(%peer, initiator, "login refused for now");
            }
            End::Dropped if self.member.counters.is_none() => tracing::debug!(%peer, initiator, "dropped before login"),
            End::LoggedOut => tracing::info!(%peer, initiator, "logged out"),
            End::Closed => tracing::info!(%peer, initiator, "connection closed by the initiator"),
            End::Dropped | End::Left => tracing::info!(%peer, initiator, "connection dropped"),
            End::Io(error) => tracing::warn!(%peer, initiator, %error, "connection lost"),
            End::Protocol(error) => tracing::warn!(%peer, initiator, %error, "connection ended"),
        }
    }

    /// Does all that can be done now; ready when the connection is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let now = Instant::now();
        for _ in 0..ROUNDS {
            match self.poll_round(cx, now) {
                Ok(true) => {}
                Ok(false) => return Poll::Pending,
                Err(end) => return Poll::Ready(end),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// One round; whether there may be more to do at once.
    fn poll_round(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<bool, End> {
        let mut progress = false;
        while let Poll::Ready(Some(message)) = self.messages.poll_recv(cx) {
            progress = true;
            self.take_message(message, now)?;
        }
        self.handle_events(now)?;
        progress |= self.output.fill(&mut self.connection);
        self.handle_events(now)?;
        if !self.output.is_empty() {
            match self.output.poll(cx, &mut self.stream) {
                Poll::Ready(result) => {
                    result.map_err(End::Io)?;
                    progress = true;
                }
                Poll::Pending => {}
            }
        } else if self.connection.is_logged_out() {
            return Err(End::LoggedOut);
        }
        if self.connection.wants_input()
            && let Poll::Ready(result) = self.input.poll(cx, &mut self.stream, &mut self.connection, now)
        {
            result?;
            progress = true;
        }
        self.handle_events(now)?;
        self.publish();
        progress |= self.poll_timer(cx, now)?;
        Ok(progress)
    }

    /// Sends what is left to say.
    fn poll_farewell(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.output.fill(&mut self.connection);
            if self.output.is_empty() {
                return Poll::Ready(());
            }
            match self.output.poll(cx, &mut self.stream) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Handles what is due, and sees to it that the timer fires no later than the next deadline.
    fn poll_timer(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<bool, End> {
        let mut due = false;
        if self.timer.as_mut().poll(cx).is_ready() {
            due = true;
            self.connection.handle_timeout(now).map_err(End::Protocol)?;
            self.end_of_shutdown(now)?;
        }
        let idle = now + Duration::from_secs(3600);
        let mut deadline = self.connection.poll_timeout().unwrap_or(idle);
        if let Some((soft, hard)) = self.shutdown {
            deadline = deadline.min(if soft > now { soft } else { hard });
        }
        if due || deadline < self.timer.deadline().into_std() {
            self.timer.as_mut().reset(deadline.into());
            due = true;
        }
        Ok(due)
    }

    /// Ends the connection at shutdown: when nothing runs after the time to log out, or when the grace is over.
    fn end_of_shutdown(&self, now: Instant) -> Result<(), End> {
        match self.shutdown {
            Some((_, hard)) if now >= hard => Err(End::Dropped),
            Some((soft, _)) if now >= soft && self.is_idle() => Err(End::Dropped),
            _ => Ok(()),
        }
    }

    fn is_idle(&self) -> bool {
        self.connection.outstanding() == 0 && self.output.is_empty()
    }

    fn publish(&self) {
        if let Some(counters) = &self.member.counters {
            counters.publish(self.connection.statistics());
        }
    }

    fn take_message(&mut self, message: Message, now: Instant) -> Result<(), End> {
        match message {
            Message::NeedData { task, received, length } => {
                self.connection.need_data(TaskTag(task.tag), received, length);
            }
            Message::Completed { task, completion } => {
                self.connection.complete(TaskTag(task.tag), translate::answer(completion));
                self.end_of_shutdown_when_idle(now);
            }
            Message::Managed { tag, response } => {
                self.connection.managed(tag, translate::outcome(response));
                if self.cold_reset == Some(tag) {
                    return self.end_of_cold_reset(response);
                }
            }
            Message::Retry => self.establish(now)?,
            Message::Drop => return Err(End::Dropped),
            Message::Leave => {
                self.connection.announce_drop();
                return Err(End::Left);
            }
            Message::Shutdown if self.member.nexus.is_none() => return Err(End::Dropped),
            Message::Shutdown => {
                let grace = self.member.shared.config.grace;
                self.shutdown = Some((now + LOGOUT.min(grace), now + grace));
                self.connection.request_logout(u16::try_from(grace.as_secs()).unwrap_or(u16::MAX));
            }
        }
        Ok(())
    }

    /// Once its logical units are reset, a target closes all its connections, the last word being the answer to who
    /// asked for it. [RFC 7143 11.5.1]
    fn end_of_cold_reset(&mut self, response: ManagementResponse) -> Result<(), End> {
        self.cold_reset = None;
        let Some(target) = self.member.target().filter(|_| response == ManagementResponse::FunctionComplete) else {
            return Ok(());
        };
        tracing::info!(peer = %self.member.ends.peer, target = target.name, "target cold reset: all sessions end");
        self.member.shared.registry.drop_others(&target.name, self.member.ends.id);
        Err(End::Left)
    }

    /// After the time to log out, a shutdown waits for nothing but running commands: look again soon.
    fn end_of_shutdown_when_idle(&mut self, now: Instant) {
        if let Some((soft, hard)) = &mut self.shutdown
            && now >= *soft
        {
            *soft = (now + Duration::from_millis(50)).min(*hard);
        }
    }

    fn handle_events(&mut self, now: Instant) -> Result<(), End> {
        while let Some(event) = self.connection.poll_event() {
            self.handle_event(event, now)?;
        }
        Ok(())
    }

    fn handle_event(&mut self, event: Event, now: Instant) -> Result<(), End> {
        match event {
            Event::Identify(identity) => {
                let verdict = self.identify(&identity, now);
                return self.connection.identified(verdict).map_err(End::Protocol);
            }
            Event::Proof { challenge } => return self.prove(challenge.as_deref(), now).map_err(End::Protocol),
            Event::Establish => return self.establish(now),
            Event::SendTargets(query) => {
                let targets = self.member.send_targets(&query);
                self.connection.send_targets(&targets);
            }
            Event::Refused { tag, refusal } => self.connection.complete(tag, translate::refusal(refusal)),
            Event::Rejected { opcode, reason } => {
                tracing::warn!(peer = %self.member.ends.peer, ?opcode, ?reason, "PDU rejected");
            }
            Event::LoggedOut => {}
            Event::Command(command) => {
                if let (Some(nexus), Some(target)) = (self.member.nexus, self.member.target()) {
                    let lun = Lun(command.lun);
                    target.router.submit(lun, translate::task(nexus, command, Arc::clone(&self.observer)));
                }
            }
            Event::DataOut { tag, lun, data } => {
                if let (Some(nexus), Some(target)) = (self.member.nexus, self.member.target()) {
                    target.router.data_out(Lun(lun), translate::task_id(nexus, tag), data);
                }
            }
            Event::Manage(request) => self.manage(&request),
        }
        Ok(())
    }

    fn manage(&mut self, request: &ManagementRequest) {
        let (Some(nexus), Some(target)) = (self.member.nexus, self.member.target()) else { return };
        match translate::function(nexus, request) {
            Some(function) => {
                if request.function == TaskManagementFunction::TARGET_COLD_RESET {
                    self.cold_reset = Some(request.tag);
                }
                let request = TaskManagement { nexus, lun: Lun(request.lun), function, tag: request.tag };
                target.router.manage(request, Arc::clone(&self.observer));
            }
            None => self.connection.managed(request.tag, translate::outcome(ManagementResponse::NotSupported)),
        }
    }
}
