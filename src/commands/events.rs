//! `capstan events`

use capstan_api::{Event, Events as Answer};
use clap::Args;

use crate::cli::Globals;
use crate::failure::Failure;
use crate::output;

/// Show what has happened since the daemon started
#[derive(Args)]
pub(crate) struct Events {
    /// Go on with what happens from now on, until interrupted; with --json a line for each event
    #[arg(long, short)]
    follow: bool,
    /// Only events after this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    since: u64,
}

/// How long one question waits for an answer, in seconds.
const WAIT: u64 = 30;

impl Events {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.client().await?;
        let mut answer = client.events(self.since, 0).await?;
        if !self.follow {
            globals.answer(&answer.events, |_| text(&answer));
            return Ok(());
        }
        loop {
            if globals.json {
                answer.events.iter().for_each(output::json_line);
            } else if !answer.events.is_empty() {
                output::print(&text(&answer));
            }
            answer = client.events(answer.next, WAIT).await?;
        }
    }
}

fn text(answer: &Answer) -> String {
    let missed = match answer.missed {
        0 => String::new(),
        missed => format!("({} before these are not kept any more: see the log)\n", output::count(missed, "event")),
    };
    answer.events.iter().fold(missed, |text, event| text + &line(event))
}

fn line(event: &Event) -> String {
    let drive = event.drive.map(|drive| format!("drive:{drive} ")).unwrap_or_default();
    let barcode = event.barcode.as_ref().map(|barcode| format!("{barcode} ")).unwrap_or_default();
    let Event { sequence, time, severity, kind, text, .. } = event;
    format!("{sequence:>5}  {}  {severity:<7}  {kind:<13}  {drive}{barcode}{text}\n", output::utc(*time))
}

#[cfg(test)]
mod tests {
    use capstan_api::Severity;

    use super::*;

    #[test]
    fn lines_for_people() {
        let event = Event {
            sequence: 12,
            time: 1_795_132_800,
            severity: Severity::Error,
            kind: "sync_failed".into(),
            drive: Some(3),
            barcode: Some("CAP001L8".into()),
            text: "cannot synchronise x".into(),
        };
        let other =
            Event { drive: None, barcode: None, severity: Severity::Info, kind: "moved".into(), ..event.clone() };
        let answer = Answer { events: vec![event, other], next: 13, missed: 1 };
        assert_eq!(
            text(&answer),
            "(1 event before these are not kept any more: see the log)\n   \
             12  2026-11-20 00:00:00Z  error    sync_failed    drive:3 CAP001L8 cannot synchronise x\n   \
             12  2026-11-20 00:00:00Z  info     moved          cannot synchronise x\n"
        );
    }
}
