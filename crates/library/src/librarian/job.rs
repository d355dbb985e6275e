//! A job of the robot as a state machine: what to ask of which drive next, when to record, how to undo.
//!
//! Withdraw from drives, open for drives, record, show to hosts. Before the record nothing has moved: whatever fails,
//! what was done is undone in reverse and the catalog still says where everything was. After it everything has moved.
//! A kill at any moment therefore leaves each cartridge in the one place that the catalog names; at worst it is
//! closed there, or open in a drive of a process that is no more, and the next start opens it.

use capstan_cartridge::Facts;
use capstan_media::{CartridgeId, Place};

use crate::drive::{Answer, Ask, Refusal};
use crate::inventory::Plan;

/// What a job does next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// Ask this of a drive, then pass on the answer.
    Ask(u16, Ask),
    /// Record the plan, then say how that went.
    Record,
    /// Nothing; it has ended.
    End(Result<(), Failure>),
}

/// Why a job failed. Nothing has moved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    /// A drive refused.
    Drive(u16, Refusal),
    /// The catalog failed.
    Record(String),
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Step {
    Ask(u16, Ask),
    Record,
}

/// A job.
#[derive(Debug)]
pub(crate) struct Job {
    steps: std::vec::IntoIter<Step>,
    current: Option<Step>,
    /// What takes back the steps that were done, latest last.
    undo: Vec<(u16, Ask)>,
    /// The cartridge that a drive held before it was asked to let go.
    held: Vec<(u16, CartridgeId)>,
    failure: Option<Failure>,
    recorded: bool,
    /// Contents of the cartridges that were closed on the way.
    pub(crate) closed: Vec<Facts>,
}

impl Job {
    /// A move or an exchange.
    pub(crate) fn relocate(plan: &Plan) -> Self {
        let from_drives: Vec<(u16, CartridgeId)> =
            plan.relocations.iter().filter_map(|moving| Some((drive(moving.from?)?, moving.cartridge))).collect();
        let to_drives: Vec<(u16, CartridgeId)> =
            plan.relocations.iter().filter_map(|moving| Some((drive(moving.to)?, moving.cartridge))).collect();
        let mut steps = Vec::new();
        if from_drives.len() > 1 {
            // Rather than disturb one drive only to find that the other one holds on.
            steps.extend(from_drives.iter().map(|(drive, _)| Step::Ask(*drive, Ask::Check)));
        }
        steps.extend(from_drives.iter().map(|(drive, _)| Step::Ask(*drive, Ask::Withdraw)));
        steps.extend(to_drives.iter().map(|(drive, id)| Step::Ask(*drive, Ask::Prepare(*id))));
        steps.push(Step::Record);
        steps.extend(to_drives.iter().map(|(drive, _)| Step::Ask(*drive, Ask::Present)));
        Self::new(steps, from_drives)
    }

    /// One request to one drive.
    pub(crate) fn ask(drive: u16, ask: Ask) -> Self {
        Self::new(vec![Step::Ask(drive, ask)], Vec::new())
    }

    fn new(steps: Vec<Step>, held: Vec<(u16, CartridgeId)>) -> Self {
        Self {
            steps: steps.into_iter(),
            current: None,
            undo: Vec::new(),
            held,
            failure: None,
            recorded: false,
            closed: Vec::new(),
        }
    }

    /// What to do next. Call again after [`Job::answered`] or [`Job::recorded`].
    pub(crate) fn next(&mut self) -> Next {
        if self.failure.is_some() {
            self.current = None;
            return match self.undo.pop() {
                Some((drive, ask)) => Next::Ask(drive, ask),
                None => Next::End(self.failure.take().map_or(Ok(()), Err)),
            };
        }
        self.current = self.steps.next();
        match &self.current {
            Some(Step::Ask(drive, ask)) => Next::Ask(*drive, *ask),
            Some(Step::Record) => Next::Record,
            None => Next::End(Ok(())),
        }
    }

    /// How a drive answered.
    pub(crate) fn answered(&mut self, answer: Result<Answer, Refusal>) {
        // While undoing there is nothing to fall back to: the drive itself says what became of its cartridge.
        let Some(Step::Ask(drive, ask)) = self.current.take() else { return };
        match answer {
            Ok(answer) => {
                if let Some(undo) = self.undo_of(drive, ask, &answer) {
                    self.undo.push((drive, undo));
                }
                if let Answer::Withdrawn { facts: Some(facts), .. } = answer {
                    self.closed.push(facts);
                }
            }
            // Once recorded the move is done; a drive that fails now says so to its hosts itself.
            Err(refusal) if self.recorded => {
                tracing::error!(drive, ?refusal, "a drive did not show a cartridge that was moved into it");
            }
            Err(refusal) => self.failure = Some(Failure::Drive(drive, refusal)),
        }
    }

    /// Whether the plan is recorded.
    pub(crate) fn recorded(&mut self, recorded: Result<(), String>) {
        self.current = None;
        match recorded {
            Ok(()) => {
                self.recorded = true;
                self.undo.clear();
            }
            Err(what) => self.failure = Some(Failure::Record(what)),
        }
    }

    fn undo_of(&self, drive: u16, ask: Ask, answer: &Answer) -> Option<Ask> {
        let held = self.held.iter().find(|(holder, _)| *holder == drive).map(|(_, id)| *id);
        undo(ask, answer, held)
    }
}

/// What takes back something that a drive did, where it held a cartridge before.
pub(super) fn undo(ask: Ask, answer: &Answer, held: Option<CartridgeId>) -> Option<Ask> {
    match (ask, answer) {
        (Ask::Withdraw, Answer::Withdrawn { threaded, .. }) => held.map(|id| Ask::Restore { id, threaded: *threaded }),
        (Ask::Prepare(_), _) => Some(Ask::Discard),
        _ => None,
    }
}

fn drive(place: Place) -> Option<u16> {
    match place {
        Place::Drive(index) => Some(index),
        Place::Slot(_) | Place::Io(_) => None,
    }
}

#[cfg(test)]
mod tests;
