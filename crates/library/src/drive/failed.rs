//! A drive whose thread has panicked. Its commands are answered HARDWARE ERROR; the robot can still take the
//! cartridge out.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use capstan_cartridge::{Cartridge, Options};
use capstan_media::CartridgeId;
use capstan_scsi::sam::{TaskId, TaskObserver};
use capstan_store::Store;

use super::actor::DriveNews;
use super::bay::Bay;
use super::request::{Answer, Ask, Errand, Refusal, Request};
use crate::librarian::LibrarianRequest;
use crate::unit::{FailedUnit, Inbox, Message, Mouth};

/// What is left of a drive.
pub(super) struct FailedDrive {
    pub(super) index: u16,
    pub(super) store: Store,
    pub(super) options: Options,
    /// The cartridge in it. It was dropped as by the death of the process.
    pub(super) id: Option<CartridgeId>,
    pub(super) news: Mouth<LibrarianRequest>,
}

impl FailedDrive {
    /// Runs until told to stop.
    pub(super) fn run(
        mut self,
        inbox: &Inbox<Errand>,
        owed: Vec<(TaskId, Arc<dyn TaskObserver>)>,
        requests: VecDeque<Request>,
    ) {
        let unit = FailedUnit::new(owed);
        for request in requests {
            self.serve(&request);
        }
        loop {
            match inbox.next() {
                Message::Task(input) => unit.input(input),
                Message::Request(Errand::Robot(request)) => self.serve(&request),
                // Its cartridge is closed.
                Message::Request(Errand::Lent(_)) => {}
                Message::Stop(_) => return,
            }
        }
    }

    fn serve(&mut self, request: &Request) {
        if !request.claim.take() {
            return;
        }
        let answer = match request.ask {
            Ask::Check | Ask::Discard => Ok(Answer::Done),
            Ask::Withdraw => self.withdraw(),
            Ask::Restore { id, .. } => {
                self.id = Some(id);
                Ok(Answer::Done)
            }
            Ask::Prepare(_) | Ask::Present | Ask::Protect(_) => Err(Refusal::Fault("the drive has failed".to_owned())),
        };
        let news = DriveNews::Answered { drive: self.index, ticket: request.ticket, answer };
        self.news.request_blocking(LibrarianRequest::Drive(news));
    }

    /// Opens the cartridge once more, to make durable what it acknowledged, and closes it.
    fn withdraw(&mut self) -> Result<Answer, Refusal> {
        let Some(id) = self.id else { return Ok(Answer::Withdrawn { threaded: false, facts: None }) };
        let (store, options) = (&self.store, self.options);
        let closed = catch_unwind(AssertUnwindSafe(|| {
            let cartridge = Cartridge::open_with(store, id, options).map_err(|error| error.to_string())?;
            Bay::threaded(store.clone(), options, cartridge).unload()
        }));
        let facts =
            closed.unwrap_or_else(|_| Err("closing the cartridge failed".to_owned())).map_err(Refusal::Fault)?;
        self.id = None;
        Ok(Answer::Withdrawn { threaded: true, facts })
    }
}
