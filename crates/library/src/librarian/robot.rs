//! Jobs of the robot: requests to drives, deadlines, and the answer to whoever asked.

use std::time::Instant;

use capstan_media::{CartridgeId, ElementAddress, MoveRefused, Place};

use super::actor::{Current, LibrarianActor};
use super::adrift::Adrift;
use super::job::{Failure, Job, Next};
use super::request::Reply;
use crate::LibraryError;
use crate::drive::{Answer, Ask, Claim, Refusal, Request};
use crate::events::{EventKind, Subject};
use crate::inventory::{Plan, Relocation};
use crate::view::Moved;

/// A job, what it waits for, and who asked for it.
pub(super) struct RobotJob {
    pub(super) job: Job,
    pub(super) plan: Option<Plan>,
    pub(super) owner: Owner,
    outstanding: Option<Outstanding>,
}

/// Who asked for a job.
pub(super) enum Owner {
    /// The command that the changer's task set is performing.
    Host,
    /// An operator, for a move.
    Operator(Reply<Moved>),
    /// An operator, for protection; after that the cartridge is looked at anew.
    Protection(CartridgeId, bool, Reply<()>),
}

struct Outstanding {
    drive: u16,
    ask: Ask,
    ticket: u64,
    claim: Claim,
    deadline: Instant,
    /// The drive had begun when its time was up, and got as long again.
    overtime: bool,
}

impl RobotJob {
    pub(super) fn new(job: Job, plan: Option<Plan>, owner: Owner) -> Self {
        Self { job, plan, owner, outstanding: None }
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.outstanding.is_some()
    }
}

impl LibrarianActor {
    /// When the robot stops waiting.
    pub(super) fn robot_deadline(&self) -> Option<Instant> {
        match &self.current {
            Some(Current::Robot(job)) => job.outstanding.as_ref().map(|outstanding| outstanding.deadline),
            _ => None,
        }
    }

    /// Takes a job one step on.
    pub(super) fn advance(&mut self, mut job: Box<RobotJob>) {
        match job.job.next() {
            Next::Ask(drive, ask) => match self.send(drive, ask) {
                Ok(outstanding) => job.outstanding = Some(outstanding),
                Err(refusal) => job.job.answered(Err(refusal)),
            },
            Next::Record => {
                let changes = job.plan.as_ref().map_or(&[][..], |plan| &plan.changes);
                let recorded = self.record(changes);
                job.job.recorded(recorded.map_err(|error| error.to_string()));
            }
            Next::End(result) => return self.end(*job, result),
        }
        self.current = Some(Current::Robot(job));
    }

    fn send(&mut self, drive: u16, ask: Ask) -> Result<Outstanding, Refusal> {
        let ticket = self.ticket();
        let deadline = Instant::now() + self.patience;
        let post = self.post(drive).ok_or_else(|| Refusal::Fault("there is no such drive".to_owned()))?;
        if post.adrift.is_some() {
            return Err(Refusal::Busy);
        }
        let claim = Claim::default();
        post.mouth.request(Request { ticket, ask, claim: claim.clone() }).map_err(|_| Refusal::Busy)?;
        Ok(Outstanding { drive, ask, ticket, claim, deadline, overtime: false })
    }

    pub(super) fn ticket(&mut self) -> u64 {
        self.next_ticket = self.next_ticket.wrapping_add(1);
        self.next_ticket
    }

    /// A drive has answered.
    pub(super) fn answered(&mut self, drive: u16, ticket: u64, answer: Result<Answer, Refusal>) {
        if let Some(Current::Robot(job)) = &mut self.current
            && job.outstanding.take_if(|outstanding| outstanding.ticket == ticket).is_some()
        {
            job.job.answered(answer);
        } else {
            self.late_answer(drive, ticket, &answer);
        }
    }

    /// A drive has not answered in time.
    pub(super) fn robot_late(&mut self) {
        let Some(Current::Robot(mut job)) = self.current.take() else { return };
        let Some(mut outstanding) = job.outstanding.take() else {
            self.current = Some(Current::Robot(job));
            return;
        };
        if Instant::now() < outstanding.deadline {
            job.outstanding = Some(outstanding);
        } else if !outstanding.ask.is_settling() && outstanding.claim.cancel() {
            tracing::warn!(drive = outstanding.drive, ask = ?outstanding.ask, "a drive is busy: the robot gives up");
            job.job.answered(Err(Refusal::Busy));
        } else if !outstanding.overtime {
            outstanding.overtime = true;
            outstanding.deadline = Instant::now() + self.patience;
            job.outstanding = Some(outstanding);
        } else {
            let Outstanding { drive, ask, ticket, .. } = outstanding;
            tracing::error!(drive, ?ask, "a drive does not come to an end: the robot leaves it alone until it does");
            if let Some(post) = self.post(drive) {
                post.adrift = Some(Adrift { ticket, ask });
            }
            job.job.answered(Err(Refusal::Busy));
        }
        self.current = Some(Current::Robot(job));
    }

    fn end(&mut self, mut job: RobotJob, result: Result<(), Failure>) {
        for facts in std::mem::take(&mut job.job.closed) {
            self.inventory.set_contents(facts.id, Ok(facts));
        }
        let relocations = job.plan.map(|plan| plan.relocations).unwrap_or_default();
        if result.is_ok() {
            self.moves = self.moves.saturating_add(u64::try_from(relocations.len()).unwrap_or(u64::MAX));
        }
        self.tell_moves(&job.owner, &relocations, result.as_ref().err());
        match job.owner {
            Owner::Host => self.host_moved(result.map_err(|failure| self.refused(failure))),
            Owner::Operator(reply) => {
                let moving = relocations.into_iter().next();
                let moved = match (result, moving) {
                    (Ok(()), Some(moving)) => {
                        self.operator_moved(&moving);
                        Ok(Moved { barcode: moving.barcode, from: moving.from, to: moving.to })
                    }
                    (Ok(()), None) => Err(LibraryError::Stopped),
                    (Err(failure), _) => Err(self.error(failure)),
                };
                // Whoever asked may have gone.
                let _ = reply.send(moved);
            }
            Owner::Protection(id, protected, reply) => {
                self.inspect(id);
                if let Some(barcode) = self.inventory.barcode(id).filter(|_| result.is_ok()) {
                    self.tell_protection(&barcode, protected);
                }
                let _ = reply.send(result.map_err(|failure| self.error(failure)));
            }
        }
    }

    fn tell_moves(&self, owner: &Owner, relocations: &[Relocation], failure: Option<&Failure>) {
        let who = if matches!(owner, Owner::Host) { "a host" } else { "an operator" };
        for Relocation { barcode, from, to, .. } in relocations {
            let from_name = from.map_or_else(|| "nowhere".to_owned(), |place| place.to_string());
            let (kind, drive) = match (from, to) {
                _ if failure.is_some() => (EventKind::NotMoved, None),
                (_, Place::Drive(drive)) => (EventKind::Loaded, Some(*drive)),
                (Some(Place::Drive(drive)), _) => (EventKind::Unloaded, Some(*drive)),
                _ => (EventKind::Moved, None),
            };
            let mut text = format!("{from_name} -> {to}, for {who}");
            if let Some(failure) = failure {
                text.push_str(&format!(": {}", self.error(failure.clone())));
            }
            self.events.report(kind, Subject::new(drive, Some(barcode)), text);
        }
    }

    fn refused(&self, failure: Failure) -> MoveRefused {
        let address = |drive| {
            let address = self.inventory.layout().address(Place::Drive(drive));
            address.unwrap_or(ElementAddress(0))
        };
        match failure {
            Failure::Drive(drive, Refusal::Prevented) => MoveRefused::RemovalPrevented(address(drive)),
            Failure::Drive(drive, Refusal::Busy) => {
                MoveRefused::DriveFault(address(drive), "it is busy and did not answer in time".to_owned())
            }
            Failure::Drive(drive, Refusal::Medium(what)) => MoveRefused::MediumFault(address(drive), what),
            Failure::Drive(drive, Refusal::Fault(what)) => MoveRefused::DriveFault(address(drive), what),
            Failure::Record(what) => MoveRefused::NotRecorded(what),
        }
    }

    fn error(&self, failure: Failure) -> LibraryError {
        match failure {
            Failure::Drive(drive, Refusal::Prevented) => {
                let held = self.inventory.at(Place::Drive(drive));
                match held.and_then(|id| self.inventory.barcode(id)) {
                    Some(barcode) => LibraryError::RemovalPrevented { drive, barcode },
                    None => LibraryError::DriveBusy(drive),
                }
            }
            Failure::Drive(drive, Refusal::Busy) => LibraryError::DriveBusy(drive),
            Failure::Drive(drive, Refusal::Medium(what) | Refusal::Fault(what)) => {
                LibraryError::DriveFault { drive, what }
            }
            Failure::Record(what) => LibraryError::NotRecorded(what),
        }
    }
}
