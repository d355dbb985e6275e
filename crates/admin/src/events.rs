//! Events: those that are kept, or the next ones as soon as there are any.

use std::time::Duration;

use axum::Json;
use axum::extract::{RawQuery, State};
use capstan_api as api;
use capstan_library::{Event, EventsSince, Severity};

use crate::problem::Problem;
use crate::routes::Admin;

/// The longest that a question may wait for an answer.
const LONGEST: u64 = 60;

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Question {
    since: u64,
    wait: u64,
}

/// Answers at once if there are events after number `since`, else when there is one, at the latest after `wait`
/// seconds.
pub(crate) async fn events(
    State(admin): State<Admin>,
    RawQuery(query): RawQuery,
) -> Result<Json<api::Events>, Problem> {
    let Question { since, wait } = parse(query.as_deref().unwrap_or_default())?;
    if wait > 0 {
        let patience = Duration::from_secs(wait);
        // Nothing has happened: that is an answer too.
        let _ = tokio::time::timeout(patience, admin.events.after(since)).await;
    }
    let EventsSince { events, next, missed } = admin.events.since(since);
    Ok(Json(api::Events { events: events.iter().map(view).collect(), next, missed }))
}

fn parse(query: &str) -> Result<Question, Problem> {
    let mut question = Question::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let invalid = || {
            let failure = api::Failure::new(api::ErrorKind::Invalid, format!("{pair:?} is not understood"));
            Problem(failure.next(format!("since=NUMBER and wait=SECONDS (up to {LONGEST}) are")))
        };
        let (name, value) = pair.split_once('=').ok_or_else(invalid)?;
        let value: u64 = value.parse().map_err(|_| invalid())?;
        match name {
            "since" => question.since = value,
            "wait" if value <= LONGEST => question.wait = value,
            _ => return Err(invalid()),
        }
    }
    Ok(question)
}

fn view(event: &Event) -> api::Event {
    api::Event {
        sequence: event.sequence,
        time: event.time,
        severity: match event.kind.severity() {
            Severity::Info => api::Severity::Info,
            Severity::Warning => api::Severity::Warning,
            Severity::Error => api::Severity::Error,
        },
        kind: event.kind.name().to_owned(),
        drive: event.drive,
        barcode: event.barcode.as_ref().map(ToString::to_string),
        text: event.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions() {
        assert_eq!(parse("").unwrap(), Question { since: 0, wait: 0 });
        assert_eq!(parse("since=7&wait=30").unwrap(), Question { since: 7, wait: 30 });
        for wrong in ["since", "since=", "since=-1", "wait=61", "until=3"] {
            assert_eq!(parse(wrong).unwrap_err().0.kind, api::ErrorKind::Invalid, "{wrong}");
        }
    }
}
