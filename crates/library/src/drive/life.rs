//! The state of a drive, and the work that is done with it: by its thread, or briefly by a caller.

mod admission;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use capstan_cartridge::Facts;
use capstan_device::ssc::{DriveOp, DriveResult, Medium};
use capstan_media::{MediumOp, MediumResult, Position};

use super::actor::{DriveActor, DriveNews};
use super::calm::Calm;
use super::gate::Visitor;
use super::request::{Answer, Ask, Errand, Lent, Refusal, Request};
use crate::events::EventKind;
use crate::librarian::LibrarianRequest;
use crate::unit::{Ending, Message, Progress};
use crate::view::DriveState;

/// How old the published contents of a cartridge may be while it is written.
const PUBLISH_EVERY: Duration = Duration::from_millis(100);

/// A drive at work.
pub(crate) struct Life {
    pub(super) actor: DriveActor,
    /// The operation that is to be performed next; the unit waits for its result.
    pending: Option<DriveOp>,
    /// The WRITE whose admission is pending.
    visitor: Visitor,
    /// Requests of the robot, which wait for the end of the command.
    pub(super) requests: VecDeque<Request>,
    /// Work on the cartridge, done between two operations: also while a WRITE waits for room, which may be what makes it.
    lent: VecDeque<Lent>,
    /// The request that is being served.
    pub(super) serving: Option<u64>,
    pub(super) ending: Option<Ending>,
    published: Instant,
    /// The published contents are older than the cartridge.
    stale: bool,
    /// The thread will publish them.
    watched: bool,
    /// What a caller's panic said.
    pub(super) failure: Option<String>,
}

/// What the thread does when there is no work.
pub(super) enum Pause {
    UntilRung,
    UntilRungOr(Duration),
    Stop,
}

impl Life {
    pub(super) fn new(actor: DriveActor) -> Self {
        Self {
            actor,
            pending: None,
            visitor: Visitor::default(),
            requests: VecDeque::new(),
            lent: VecDeque::new(),
            serving: None,
            ending: None,
            published: Instant::now(),
            stale: false,
            watched: false,
            failure: None,
        }
    }

    /// Does all that there is to do.
    pub(super) fn work(&mut self) -> Pause {
        loop {
            self.do_lent();
            if let Some(op) = self.pending.take() {
                match self.perform(op) {
                    None => continue,
                    Some(_) if self.ending.is_some() => return Pause::Stop,
                    Some(patience) => return self.pause(Some(patience)),
                }
            }
            self.drain();
            if self.ending.is_some() {
                return Pause::Stop;
            }
            if let Some(request) = self.requests.pop_front() {
                self.serve(&request);
                continue;
            }
            match self.actor.unit.step() {
                Progress::Idle => break,
                Progress::Stepped => {}
                Progress::Perform(op) => self.pending = Some(op),
            }
        }
        self.pause(None)
    }

    /// Does what whoever ships the cartridge wants done with it.
    fn do_lent(&mut self) {
        if self.lent.is_empty() {
            self.drain();
        }
        while let Some(Lent { cartridge, work }) = self.lent.pop_front() {
            if self.actor.bay.lend(cartridge, work) {
                self.publish();
                self.actor.gauge.set_durable_to(self.actor.bay.durable_to());
            }
        }
    }

    /// Until something comes; no longer than `patience`, nor than what is published may be old.
    fn pause(&mut self, patience: Option<Duration>) -> Pause {
        self.publish_in_time();
        self.watched = self.stale;
        let publish = self.stale.then_some(PUBLISH_EVERY);
        [patience, publish].into_iter().flatten().min().map_or(Pause::UntilRung, Pause::UntilRungOr)
    }

    /// Does what is brief; whether anything is left for the thread.
    pub(super) fn work_briefly(&mut self, calm: &Calm) -> bool {
        if self.failure.is_some() {
            // Its state is not to be trusted: what has come waits for the thread.
            return true;
        }
        loop {
            self.drain();
            let waits = !self.requests.is_empty() || !self.lent.is_empty();
            if self.pending.is_some() || waits || self.ending.is_some() {
                return true;
            }
            match self.actor.unit.step() {
                Progress::Idle => return self.stale && !self.watched,
                Progress::Stepped => {}
                Progress::Perform(op) => self.perform_briefly(op, calm),
            }
        }
    }

    /// Performs an operation and what its command asks for after it; what is not brief is left pending.
    fn perform_briefly(&mut self, op: DriveOp, calm: &Calm) {
        let mut next = Some(op);
        while let Some(op) = next {
            let begin = match &op {
                DriveOp::Admit { .. } => None,
                DriveOp::Medium(op) if self.actor.bay.is_brief(op) => Some(Instant::now()),
                _ => {
                    self.pending = Some(op);
                    return;
                }
            };
            if self.perform(op).is_some() {
                return;
            }
            if let Some(begin) = begin {
                calm.took(begin.elapsed());
            }
            next = self.pending.take();
        }
    }

    pub(super) fn open_at_start(&mut self) {
        if self.actor.thread_at_start {
            self.actor.gauge.set_busy(true);
            // Of a failure the librarian tells.
            if let Ok(medium) = self.actor.bay.load() {
                if let Some(medium) = &medium {
                    let text = "the daemon has started: hosts have to position the cartridge first";
                    self.actor.reporter.tell(EventKind::PositionLost, Some(&medium.barcode), text);
                }
                self.inserted(medium, true);
            }
        }
        self.seat_changed(None);
    }

    /// Closes the cartridge at the end.
    pub(super) fn shut(mut self) {
        self.actor.bay.shut();
    }

    /// Takes what has come, so that an abort finds the tasks that came before it.
    fn drain(&mut self) {
        while let Some(message) = self.actor.inbox.try_next() {
            self.take(message);
        }
    }

    fn take(&mut self, message: Message<Errand>) {
        match message {
            Message::Task(input) => self.actor.unit.input(input),
            Message::Request(Errand::Robot(request)) => self.requests.push_back(request),
            Message::Request(Errand::Lent(lent)) => self.lent.push_back(lent),
            Message::Stop(ending) => self.ending = Some(ending),
        }
    }

    /// Performs an operation. Its command may ask for another. One that cannot be performed yet is pending again; how
    /// long that may take until the next attempt.
    fn perform(&mut self, op: DriveOp) -> Option<Duration> {
        self.actor.gauge.set_busy(true);
        let result = match op {
            DriveOp::Medium(op) => DriveResult::Medium(self.medium_op(op)),
            DriveOp::Admit { bytes } => match self.admit(bytes) {
                Ok(answer) => DriveResult::Admitted(answer),
                Err(patience) => {
                    self.pending = Some(op);
                    return Some(patience);
                }
            },
            DriveOp::Load => DriveResult::Loaded(self.load()),
            DriveOp::Unload => DriveResult::Unloaded(self.unload()),
        };
        self.actor.gauge.set_busy(false);
        self.drain();
        if let Progress::Perform(op) = self.actor.unit.resume(result) {
            self.pending = Some(op);
        }
        self.publish_in_time();
        None
    }

    fn publish_in_time(&mut self) {
        if self.stale && self.published.elapsed() >= PUBLISH_EVERY {
            self.publish();
        }
    }

    fn medium_op(&mut self, op: MediumOp) -> MediumResult {
        let kind = Kind::of(&op);
        let result = self.actor.bay.perform(op);
        let barcode = self.actor.unit.server().medium().map(|medium| &medium.barcode);
        self.actor.reporter.performed(barcode, matches!(kind, Kind::Write(_)), &result);
        let (position, count) = match &result {
            Ok(done) => (done.position, done.count),
            Err(failure) => (failure.position, failure.count),
        };
        let gauge = &self.actor.gauge;
        gauge.set_position(&position);
        match kind {
            Kind::Write(block_length) => {
                gauge.count_written(count.saturating_mul(u64::from(block_length)));
                let start = position.object.0.saturating_sub(count);
                gauge.set_durable_to(gauge.durable_to().min(start));
                self.stale = true;
            }
            Kind::Filemarks => {
                let start = position.object.0.saturating_sub(count);
                gauge.set_durable_to(gauge.durable_to().min(start));
                self.stale = true;
            }
            Kind::Read => {
                let bytes = result.as_ref().map_or(0, |done| done.data.len());
                gauge.count_read(u64::try_from(bytes).unwrap_or(u64::MAX));
            }
            Kind::Synchronise if result.is_ok() => {
                self.publish();
                self.durable();
            }
            Kind::Synchronise | Kind::Other => {}
        }
        result
    }

    fn load(&mut self) -> Result<Option<Medium>, String> {
        let loaded = self.actor.bay.load();
        self.actor.reporter.begin();
        self.seat_changed(None);
        loaded
    }

    fn unload(&mut self) -> Result<(), String> {
        let closed = self.actor.bay.unload().inspect_err(|what| self.not_unloaded(what))?;
        self.seat_changed(closed);
        Ok(())
    }

    fn serve(&mut self, request: &Request) {
        if !request.claim.take() {
            return;
        }
        self.actor.gauge.set_busy(true);
        self.serving = Some(request.ticket);
        let answer = self.answer(request.ask);
        self.tell_notes();
        self.serving = None;
        self.actor.gauge.set_busy(false);
        let news = DriveNews::Answered { drive: self.actor.index, ticket: request.ticket, answer };
        self.actor.news.request_blocking(LibrarianRequest::Drive(news));
    }

    fn answer(&mut self, ask: Ask) -> Result<Answer, Refusal> {
        if matches!(ask, Ask::Check | Ask::Withdraw) && self.actor.unit.server().removal_prevented() {
            return Err(Refusal::Prevented);
        }
        match ask {
            Ask::Check => Ok(Answer::Done),
            Ask::Withdraw => {
                let withdrawn = self.actor.bay.withdraw().inspect_err(|refusal| {
                    if let Refusal::Medium(what) = refusal {
                        self.not_unloaded(what);
                    }
                })?;
                self.actor.unit.server_mut().cartridge_removed();
                self.show_state();
                Ok(withdrawn)
            }
            Ask::Prepare(id) => self.actor.bay.prepare(id),
            Ask::Present => {
                let medium = self.actor.bay.present();
                self.actor.reporter.begin();
                self.inserted(medium, false);
                self.show_state();
                Ok(Answer::Done)
            }
            Ask::Discard => {
                self.actor.bay.discard();
                Ok(Answer::Done)
            }
            Ask::Restore { id, threaded } => {
                let restored = self.actor.bay.restore(id, threaded);
                let restored = restored.map(|medium| self.inserted(medium, true));
                self.seat_changed(None);
                restored.map(|()| Answer::Done).map_err(Refusal::Medium)
            }
            Ask::Protect(protected) => {
                self.actor.bay.protect(protected).map_err(|error| Refusal::Medium(error.to_string()))?;
                self.actor.unit.server_mut().protection_changed(protected);
                self.publish();
                Ok(Answer::Done)
            }
        }
    }

    fn not_unloaded(&self, what: &str) {
        let barcode = self.actor.unit.server().medium().map(|medium| &medium.barcode);
        self.actor.reporter.tell(EventKind::UnloadFailed, barcode, what);
    }

    fn tell_notes(&mut self) {
        for note in self.actor.bay.take_notes() {
            self.actor.reporter.note(note);
        }
    }

    /// Hosts see the cartridge from now on.
    fn inserted(&mut self, medium: Option<Medium>, position_lost: bool) {
        if let Some(medium) = medium {
            self.actor.unit.server_mut().cartridge_inserted(medium, position_lost);
        }
    }

    /// What the bay holds has changed in a way that the librarian does not know of.
    fn seat_changed(&mut self, closed: Option<Facts>) {
        self.show_state();
        let bay = &self.actor.bay;
        let news = DriveNews::Seat {
            drive: self.actor.index,
            cartridge: bay.id(),
            threaded: bay.state() == DriveState::Loaded,
            problem: bay.problem().map(str::to_owned),
            closed,
        };
        self.actor.news.request_blocking(LibrarianRequest::Drive(news));
    }

    /// The state comes last: whoever sees it sees what belongs to it.
    fn show_state(&mut self) {
        self.tell_notes();
        self.actor.gauge.set_position(&Position::default());
        self.publish();
        self.durable();
        self.actor.gauge.set_threaded(self.actor.bay.threaded_id());
        self.actor.gauge.set_state(self.actor.bay.state());
        self.actor.gauge.set_busy(false);
    }

    /// Publishes what the cartridge holds.
    fn publish(&mut self) {
        if let Some(facts) = self.actor.bay.facts() {
            self.actor.gauge.set_facts(&facts);
            self.actor.unit.server_mut().usage_changed(facts.used, facts.capacity);
        }
        self.stale = false;
        self.published = Instant::now();
    }

    /// All of what was published is on stable storage.
    fn durable(&self) {
        self.actor.gauge.set_durable_to(self.actor.gauge.contents().objects);
    }
}

/// What an operation changes in the numbers.
#[derive(Clone, Copy)]
enum Kind {
    Write(u32),
    Filemarks,
    Read,
    Synchronise,
    Other,
}

impl Kind {
    fn of(op: &MediumOp) -> Self {
        match op {
            MediumOp::Write { block_length, .. } => Self::Write(*block_length),
            MediumOp::WriteFilemarks { synchronise: true, .. } | MediumOp::Erase | MediumOp::Synchronise => {
                Self::Synchronise
            }
            MediumOp::WriteFilemarks { .. } => Self::Filemarks,
            MediumOp::Read(_) => Self::Read,
            _ => Self::Other,
        }
    }
}
