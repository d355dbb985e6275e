//! The pages of the reference that are made from the table and from the kinds of events.

use capstan_library::{EVENTS_KEPT, EventKind, Severity};
use capstan_scsi::asc::Asc;

use crate::rows;

const FAILURES: &str = "\
# When the disk fails

<!-- Made from crates/library/tests/faults; `cargo xtask docs` writes it anew. -->

What hosts are told when something goes wrong below a cartridge, and what can be done then. Each row is played by
`crates/library/tests/faults` on a library whose disk is simulated; after each of them the cartridge in another drive
is written, synchronised and read, the robot moves a third one, and after a loss of power these are what they should
be. Sense data are sense key/additional sense code/qualifier, in hexadecimal. TapeAlert flags are those of the drive:
2 write warning, 3 hard error, 5 read failure, 6 write failure, 55 loading failure, 56 unload failure. The events are
explained in [events](events.md).

A fault of the disk under one cartridge is a MEDIUM ERROR: backup software then takes another cartridge. HARDWARE ERROR
is what it takes a whole drive or library out of use for, and it is answered only for these: a drive that has failed
itself or does not answer the robot, and a catalog that cannot be written.

";

const EVENTS: &str = "\
# Events

<!-- Made from crates/library; `cargo xtask docs` writes it anew. -->

`capstan events` shows the latest of what has happened since the daemon started, `capstan events --follow` goes on, and
the daemon's log has all of it. An event has a number, a time, a severity, a kind, the drive and the cartridge that it
concerns where there are such, and a text for people.

";

fn failures() -> String {
    let mut page = FAILURES.to_owned();
    page.push_str("| what happens | command | answer | TapeAlert | events | afterwards |\n|---|---|---|---|---|---|\n");
    for row in rows() {
        let answer = match row.sense {
            None => "GOOD".to_owned(),
            Some((key, asc, ascq)) => {
                let text = Asc { asc, ascq }.text().expect("a code of the table");
                format!("{key:02X}/{asc:02X}/{ascq:02X} {text}")
            }
        };
        let alerts: Vec<String> = row.alerts.iter().map(ToString::to_string).collect();
        let events: Vec<String> = row.events.iter().map(|kind| format!("`{kind}`")).collect();
        let dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
        let cells = [
            row.event.to_owned(),
            row.command.to_owned(),
            answer,
            dash(alerts.join(", ")),
            dash(events.join(", ")),
            row.afterwards.to_owned(),
        ];
        page.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    page
}

fn events() -> String {
    let mut page = EVENTS.to_owned();
    page.push_str(&format!("The latest {EVENTS_KEPT} are kept.\n\n| kind | severity | meaning |\n|---|---|---|\n"));
    for kind in EventKind::ALL {
        let severity = match kind.severity() {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        page.push_str(&format!("| `{kind}` | {severity} | {} |\n", kind.meaning()));
    }
    page
}

fn compare(name: &str, page: &str) {
    let file = format!("{}/../../docs/reference/{name}.md", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), page, "run cargo xtask docs");
}

#[test]
fn the_reference_page_of_failures_is_the_table() {
    compare("failures", &failures());
}

#[test]
fn the_reference_page_of_events_is_the_list() {
    compare("events", &events());
}
