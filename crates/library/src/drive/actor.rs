//! The thread of a drive.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use capstan_cartridge::Facts;
use capstan_device::ssc::TapeDrive;
use capstan_media::CartridgeId;

use super::bay::Bay;
use super::failed::FailedDrive;
use super::gate::Gate;
use super::gauge::Gauge;
use super::helm::{Departure, Helm};
use super::life::Life;
use super::report::Reporter;
use super::request::{Answer, Errand, Refusal};
use crate::events::EventKind;
use crate::librarian::LibrarianRequest;
use crate::unit::{Ending, Inbox, Mouth, Unit};
use crate::view::DriveState;

/// What a drive tells the librarian.
pub(crate) enum DriveNews {
    /// A request was served.
    Answered { drive: u16, ticket: u64, answer: Result<Answer, Refusal> },
    /// What the drive holds is threaded now, or no longer, or cannot be.
    Seat {
        drive: u16,
        cartridge: Option<CartridgeId>,
        threaded: bool,
        problem: Option<String>,
        /// What it held when it was unthreaded just now.
        closed: Option<Facts>,
    },
    /// The drive has panicked.
    Failed { drive: u16 },
}

/// A drive.
pub(crate) struct DriveActor {
    pub(crate) index: u16,
    pub(crate) inbox: Inbox<Errand>,
    pub(crate) unit: Unit<TapeDrive>,
    pub(crate) bay: Bay,
    pub(crate) gauge: Arc<Gauge>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) reporter: Reporter,
    pub(crate) news: Mouth<LibrarianRequest>,
    /// The cartridge was threaded when the library stopped.
    pub(crate) thread_at_start: bool,
}

impl DriveActor {
    /// Runs until told to stop.
    pub(crate) fn run(self, helm: &Helm) {
        let mut life = Life::new(self);
        let opened = catch_unwind(AssertUnwindSafe(|| life.open_at_start()));
        let departure = match opened {
            Ok(()) => helm.attend(life),
            Err(panic) => Some(Departure { life, failure: Some(panic_text(&*panic).to_owned()) }),
        };
        let Some(Departure { life, failure }) = departure else { return };
        match failure {
            Some(what) => fail(life, &what),
            None if life.ending == Some(Ending::Close) => life.shut(),
            None => {}
        }
    }
}

/// Answers everything with failure from now on, until told to stop.
fn fail(life: Life, what: &str) {
    let Life { mut actor, requests, serving, ending, .. } = life;
    let index = actor.index;
    let barcode = actor.bay.facts().map(|facts| facts.barcode);
    let text = format!("its commands are answered HARDWARE ERROR from now on: {what}");
    actor.reporter.tell(EventKind::DriveFailed, barcode.as_ref(), text);
    actor.gauge.set_state(DriveState::Failed);
    actor.gauge.set_busy(false);
    let owed = actor.unit.take_owed();
    let (store, options, id) = actor.bay.abandon();
    actor.news.request_blocking(LibrarianRequest::Drive(DriveNews::Failed { drive: index }));
    if let Some(ticket) = serving {
        let answer = Err(Refusal::Fault("the drive has failed".to_owned()));
        let news = DriveNews::Answered { drive: index, ticket, answer };
        actor.news.request_blocking(LibrarianRequest::Drive(news));
    }
    if ending.is_none() {
        FailedDrive { index, store, options, id, news: actor.news }.run(&actor.inbox, owed, requests);
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no message)")
}
