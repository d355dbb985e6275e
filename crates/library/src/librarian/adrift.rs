//! Answers of drives that come when their job has long failed.

use capstan_media::Place;

use super::actor::LibrarianActor;
use super::job::undo;
use crate::drive::{Answer, Ask, Claim, Refusal, Request};

/// What a drive still owes. It gets nothing else to do until then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Adrift {
    pub(super) ticket: u64,
    pub(super) ask: Ask,
}

impl LibrarianActor {
    /// The job was given up, and the catalog says what was before it: what the drive did after all is undone.
    pub(super) fn late_answer(&mut self, drive: u16, ticket: u64, answer: &Result<Answer, Refusal>) {
        let held = self.inventory.at(Place::Drive(drive));
        let next = self.ticket();
        let Some(post) = self.post(drive) else { return };
        let Some(adrift) = post.adrift.take_if(|adrift| adrift.ticket == ticket) else { return };
        tracing::warn!(drive, ask = ?adrift.ask, ?answer, "a drive has come to an end after all");
        let Some(ask) = answer.as_ref().ok().and_then(|answer| undo(adrift.ask, answer, held)) else { return };
        let request = Request { ticket: next, ask, claim: Claim::default() };
        match post.mouth.request(request) {
            Ok(()) => post.adrift = Some(Adrift { ticket: next, ask }),
            Err(error) => tracing::error!(drive, ?ask, ?error, "what a drive did too late cannot be undone"),
        }
    }
}
