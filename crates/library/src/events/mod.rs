//! What happens, for operators: kept in memory, the latest so many, and written to the log.
//!
//! The only state that actors share. Whoever reports never waits; whoever reads gets copies.

mod kind;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use capstan_media::Barcode;
use tokio::sync::watch;

pub use kind::{EventKind, Severity};

use crate::clock::unix_seconds;

/// How many are kept.
pub const EVENTS_KEPT: usize = 1000;

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Number, from 1 for each run of the daemon.
    pub sequence: u64,
    /// Seconds since 1970 UTC.
    pub time: u64,
    /// What happened.
    pub kind: EventKind,
    /// The drive that it concerns.
    pub drive: Option<u16>,
    /// The cartridge that it concerns.
    pub barcode: Option<Barcode>,
    /// For a person.
    pub text: String,
}

/// Events after a given one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventsSince {
    /// In the order in which they happened.
    pub events: Vec<Event>,
    /// What to ask for next.
    pub next: u64,
    /// How many there were that are not kept any more.
    pub missed: u64,
}

/// The events of a library. Clones are the same.
#[derive(Clone, Debug)]
pub struct Events(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ring: Mutex<VecDeque<Event>>,
    last: watch::Sender<u64>,
}

/// What an event concerns.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Subject {
    pub(crate) drive: Option<u16>,
    pub(crate) barcode: Option<Barcode>,
}

impl Subject {
    pub(crate) fn new(drive: Option<u16>, barcode: Option<&Barcode>) -> Self {
        Self { drive, barcode: barcode.cloned() }
    }
}

impl Default for Events {
    fn default() -> Self {
        Self(Arc::new(Shared { ring: Mutex::default(), last: watch::Sender::new(0) }))
    }
}

impl Events {
    /// Something happened outside the library: to a tier, to the areas of the disk, or to a cartridge on its way
    /// between them.
    pub fn report_tier(&self, kind: EventKind, barcode: Option<&Barcode>, text: impl Into<String>) {
        self.report(kind, Subject::new(None, barcode), text);
    }

    /// Something happened.
    pub(crate) fn report(&self, kind: EventKind, subject: Subject, text: impl Into<String>) {
        let Subject { drive, barcode } = subject;
        let text = text.into();
        log(kind, drive, barcode.as_ref(), &text);
        let mut ring = self.ring();
        let sequence = self.last().saturating_add(1);
        if ring.len() >= EVENTS_KEPT {
            ring.pop_front();
        }
        ring.push_back(Event { sequence, time: unix_seconds(), kind, drive, barcode, text });
        self.0.last.send_replace(sequence);
    }

    /// Number of the latest; 0 before the first.
    #[must_use]
    pub fn last(&self) -> u64 {
        *self.0.last.borrow()
    }

    /// Those after number `since` that are still kept.
    #[must_use]
    pub fn since(&self, since: u64) -> EventsSince {
        let ring = self.ring();
        let oldest = ring.front().map_or(1, |event| event.sequence);
        EventsSince {
            missed: oldest.saturating_sub(1).saturating_sub(since),
            next: self.last(),
            events: ring.iter().filter(|event| event.sequence > since).cloned().collect(),
        }
    }

    /// Waits until there is one after number `since`.
    pub async fn after(&self, since: u64) {
        // An error says that nobody can report any more; this handle can.
        let _ = self.0.last.subscribe().wait_for(|last| *last > since).await;
    }

    fn ring(&self) -> MutexGuard<'_, VecDeque<Event>> {
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log(kind: EventKind, drive: Option<u16>, barcode: Option<&Barcode>, text: &str) {
    let (event, barcode) = (kind.name(), barcode.map(Barcode::as_str));
    match kind.severity() {
        Severity::Info => tracing::info!(event, drive, barcode, "{text}"),
        Severity::Warning => tracing::warn!(event, drive, barcode, "{text}"),
        Severity::Error => tracing::error!(event, drive, barcode, "{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(count: usize) -> Events {
        let events = Events::default();
        for number in 0..count {
            events.report(EventKind::Created, Subject::default(), number.to_string());
        }
        events
    }

    #[test]
    fn the_latest_are_kept_and_the_others_are_counted() {
        let events = reported(EVENTS_KEPT + 5);
        let all = events.since(0);
        assert_eq!((all.events.len(), all.missed, all.next), (EVENTS_KEPT, 5, 1005));
        assert_eq!((all.events[0].sequence, all.events[0].text.as_str()), (6, "5"));
        let late = events.since(1003);
        assert_eq!(late.events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1004, 1005]);
        assert_eq!((late.missed, events.since(1005).events.len(), events.since(3).missed), (0, 0, 2));
        assert_eq!(reported(0).since(0), EventsSince::default());
    }

    #[test]
    fn waiting_ends_with_the_next_one() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let events = reported(2);
            events.after(1).await;
            let waiting = tokio::time::timeout(std::time::Duration::from_millis(20), events.after(2));
            assert!(waiting.await.is_err());
            let (mut waiting, reporter) = (std::pin::pin!(events.after(2)), events.clone());
            std::thread::spawn(move || reporter.report(EventKind::Moved, Subject::default(), "now"));
            waiting.as_mut().await;
            assert_eq!(events.since(2).events[0].text, "now");
        });
    }

    #[test]
    fn what_happens_outside_is_told_of_a_cartridge_or_of_none() {
        let (events, barcode) = (Events::default(), Barcode::new("CAP001L8").unwrap());
        events.report_tier(EventKind::TierRefused, None, "another bucket");
        events.report_tier(EventKind::Fenced, Some(&barcode), "gateway 7 goes on with it");
        let told = events.since(0).events;
        let shown: Vec<_> = told.iter().map(|it| (it.kind, it.barcode.as_ref(), it.drive, it.text.as_str())).collect();
        assert_eq!(
            shown,
            [
                (EventKind::TierRefused, None, None, "another bucket"),
                (EventKind::Fenced, Some(&barcode), None, "gateway 7 goes on with it"),
            ]
        );
    }

    #[test]
    fn names_are_distinct_and_say_what_they_are() {
        let names: std::collections::BTreeSet<&str> = EventKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), EventKind::ALL.len());
        assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
        assert_eq!(EventKind::SyncFailed.to_string(), "sync_failed");
    }
}
