//! The librarian's thread.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use capstan_catalog::Catalog;
use capstan_device::smc::MediaChanger;
use capstan_store::Store;

use super::adrift::Adrift;
use super::making::Making;
use super::request::{LibrarianRequest, Permit, Work};
use super::robot::RobotJob;
use crate::drive::{DriveMouth, DriveNews, Gauge, panic_text};
use crate::events::{EventKind, Events, Subject};
use crate::images::Images;
use crate::inventory::Inventory;
use crate::jobs::Jobs;
use crate::unit::{Ending, FailedUnit, Inbox, Message, Progress, Unit};

/// How long a proper stop waits for the robot.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// A drive as the librarian knows it.
pub(crate) struct DrivePost {
    pub(crate) mouth: DriveMouth,
    pub(crate) gauge: Arc<Gauge>,
    pub(crate) serial: String,
    /// Why its cartridge cannot be opened, or it has failed itself.
    pub(crate) problem: Option<String>,
    /// It owes an answer that came too late for its job.
    pub(crate) adrift: Option<Adrift>,
}

/// The librarian.
pub(crate) struct LibrarianActor {
    pub(crate) inbox: Inbox<LibrarianRequest>,
    pub(crate) unit: Unit<MediaChanger>,
    pub(crate) inventory: Inventory,
    pub(crate) catalog: Catalog,
    pub(crate) images: Images,
    pub(crate) store: Store,
    pub(crate) drives: Vec<DrivePost>,
    pub(crate) patience: Duration,
    pub(crate) tape_size: u64,
    pub(crate) events: Events,
    pub(crate) jobs: Jobs,
    pub(super) waiting: VecDeque<(Work, Option<Permit>)>,
    pub(super) current: Option<Current>,
    pub(super) next_ticket: u64,
    pub(super) moves: u64,
    ending: Option<Ending>,
}

/// What is being done.
pub(super) enum Current {
    Robot(Box<RobotJob>),
    Making(Making),
}

impl Current {
    pub(super) fn robot(job: RobotJob) -> Self {
        Self::Robot(Box::new(job))
    }
}

/// What a librarian starts with.
pub(crate) struct Beginning {
    pub(crate) inbox: Inbox<LibrarianRequest>,
    pub(crate) unit: Unit<MediaChanger>,
    pub(crate) inventory: Inventory,
    pub(crate) catalog: Catalog,
    pub(crate) images: Images,
    pub(crate) store: Store,
    pub(crate) drives: Vec<DrivePost>,
    pub(crate) patience: Duration,
    pub(crate) tape_size: u64,
    pub(crate) events: Events,
    pub(crate) jobs: Jobs,
}

impl LibrarianActor {
    pub(crate) fn new(beginning: Beginning) -> Self {
        let Beginning { inbox, unit, inventory, catalog, images, store, drives, patience, tape_size, events, jobs } =
            beginning;
        Self {
            inbox,
            unit,
            inventory,
            catalog,
            images,
            store,
            drives,
            patience,
            tape_size,
            events,
            jobs,
            waiting: VecDeque::new(),
            current: None,
            next_ticket: 0,
            moves: 0,
            ending: None,
        }
    }

    /// Runs until told to stop.
    pub(crate) fn run(mut self) {
        let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.live())) else { return };
        tracing::error!(
            panic = panic_text(&*panic),
            "the librarian has failed; the changer's commands are answered HARDWARE ERROR, the drives go on"
        );
        let unit = FailedUnit::new(self.unit.take_owed());
        // Whoever waits for work that will not be done learns that the library has stopped.
        self.waiting.clear();
        self.current = None;
        if self.ending.is_some() {
            return;
        }
        loop {
            match self.inbox.next() {
                Message::Task(input) => unit.input(input),
                Message::Request(_) => {}
                Message::Stop(_) => return,
            }
        }
    }

    fn live(&mut self) {
        while self.ending.is_none() {
            self.drain();
            if self.ending.is_none() && !self.turn() {
                self.wait();
            }
        }
        self.waiting.clear();
        self.finish();
    }

    /// Takes what has come, so that an abort finds the tasks that came before it.
    fn drain(&mut self) {
        while let Some(message) = self.inbox.try_next() {
            self.take(message);
        }
    }

    fn wait(&mut self) {
        let message = match self.robot_deadline() {
            None => Some(self.inbox.next()),
            Some(deadline) => self.inbox.next_within(deadline.saturating_duration_since(Instant::now())),
        };
        match message {
            Some(message) => self.take(message),
            None => self.robot_late(),
        }
    }

    /// Does one thing that needs no waiting; false if there is none.
    fn turn(&mut self) -> bool {
        match self.current.take() {
            Some(Current::Making(making)) => {
                self.make_one(making);
                return true;
            }
            Some(Current::Robot(job)) => {
                if job.is_waiting() {
                    self.current = Some(Current::Robot(job));
                } else {
                    self.advance(job);
                    return true;
                }
            }
            None => {
                if let Some((work, permit)) = self.waiting.pop_front() {
                    self.start(work);
                    drop(permit);
                    return true;
                }
            }
        }
        match self.unit.step() {
            Progress::Idle => false,
            Progress::Stepped => true,
            Progress::Perform(op) => {
                self.host_op(op);
                true
            }
        }
    }

    fn take(&mut self, message: Message<LibrarianRequest>) {
        match message {
            Message::Task(input) => self.unit.input(input),
            Message::Request(LibrarianRequest::Drive(news)) => self.news(news),
            Message::Request(LibrarianRequest::Question(question, permit)) => {
                self.answer(question);
                drop(permit);
            }
            Message::Request(LibrarianRequest::Work(work, permit)) => self.waiting.push_back((work, Some(permit))),
            Message::Request(LibrarianRequest::Made(tape, said, reply)) => {
                self.waiting.push_back((Work::Made(tape, said, reply), None));
            }
            Message::Stop(ending) => self.ending = Some(ending),
        }
    }

    fn start(&mut self, work: Work) {
        match work {
            Work::Create(new, reply) => self.create(new, reply),
            Work::Reserve(barcode, size, slot, reply) => drop(reply.send(self.reserve(barcode, size, slot))),
            Work::ConcludeReserved(reserved, kind, text, reply) => {
                drop(reply.send(self.conclude_reserved(&reserved, kind, text)));
            }
            Work::GiveUpReserved(reserved, reply) => drop(reply.send(self.give_up_reserved(&reserved))),
            Work::Delete(barcode, reply) => drop(reply.send(self.delete(&barcode))),
            Work::Erase(barcode, reply) => drop(reply.send(self.erase(&barcode))),
            Work::Protect(barcode, protected, reply) => self.protect(&barcode, protected, reply),
            Work::RollBack(barcode, number, reply) => drop(reply.send(self.roll_back(&barcode, number))),
            Work::Version(barcode, number, change, reply) => {
                drop(reply.send(self.change_version(&barcode, number, change)));
            }
            Work::Move(from, to, reply) => self.operator_move(self.plan_operator_move(from, to), reply),
            Work::Load(barcode, drive, reply) => self.operator_move(self.plan_load(&barcode, drive), reply),
            Work::Unload(drive, reply) => self.operator_move(self.plan_unload(drive), reply),
            Work::Verify(barcode, reply) => drop(reply.send(self.verify(&barcode))),
            Work::Stage(barcode, reply) => drop(reply.send(self.stage(&barcode))),
            Work::Export(barcode, order, reply) => drop(reply.send(self.export(&barcode, order))),
            Work::ImportTape(order, reply) => drop(reply.send(self.import_tape(order))),
            Work::Made(tape, said, reply) => drop(reply.send(self.made(&tape, said))),
            Work::Import(barcode, reply) => self.operator_move(self.plan_import(&barcode), reply),
            Work::SetAside(barcode, reply) => drop(reply.send(self.set_aside(&barcode))),
            Work::Keep(barcode, reply) => drop(reply.send(self.keep(&barcode))),
            Work::LetGo(barcode, reply) => drop(reply.send(self.let_go(&barcode))),
            Work::RoomFor(barcode, slot, reply) => drop(reply.send(self.room_for(&barcode, slot).map(drop))),
            Work::TakeIn(facts, slot, reply) => drop(reply.send(self.take_in(&facts, slot))),
            Work::Host(op) => self.host_move(op),
        }
    }

    fn news(&mut self, news: DriveNews) {
        match news {
            DriveNews::Answered { drive, ticket, answer } => self.answered(drive, ticket, answer),
            DriveNews::Seat { drive, cartridge, threaded, problem, closed } => {
                if let Some(facts) = closed {
                    self.inventory.set_contents(facts.id, Ok(facts));
                }
                self.record_threading(drive, cartridge, threaded, problem.is_some());
                if let Some(what) = &problem {
                    let barcode = cartridge.and_then(|id| self.inventory.barcode(id));
                    let subject = Subject::new(Some(drive), barcode.as_ref());
                    self.events.report(EventKind::LoadFailed, subject, what.as_str());
                }
                if let Some(post) = self.post(drive) {
                    post.problem = problem;
                }
            }
            DriveNews::Failed { drive } => {
                if let Some(post) = self.post(drive) {
                    post.problem = Some("the drive has failed; start the daemon again to get it back".to_owned());
                }
            }
        }
    }

    pub(super) fn post(&mut self, drive: u16) -> Option<&mut DrivePost> {
        self.drives.get_mut(usize::from(drive))
    }

    /// A proper stop lets the robot finish; what is being made is undone by the next start.
    fn finish(&mut self) {
        if self.ending != Some(Ending::Close) {
            return;
        }
        let until = Instant::now() + STOP_PATIENCE;
        while let Some(Current::Robot(job)) = self.current.take() {
            if !job.is_waiting() {
                self.advance(job);
                continue;
            }
            self.current = Some(Current::Robot(job));
            match self.inbox.next_within(until.saturating_duration_since(Instant::now())) {
                Some(Message::Request(LibrarianRequest::Drive(news))) => self.news(news),
                Some(_) => {}
                None => return,
            }
        }
    }
}
