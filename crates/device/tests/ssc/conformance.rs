//! The table of commands in the manual is the table that runs them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use capstan_device::smc::MediaChanger;
use capstan_device::spc::{CommandSpec, SpcDevice, UnderReservation};
use capstan_device::ssc::TapeDrive;

const HEAD: &str = "# SCSI commands

What each device answers, generated from the tables that dispatch the commands
(`cargo xtask docs` writes this page). Every other operation code
ends with ILLEGAL REQUEST, INVALID COMMAND OPERATION CODE; a bit outside CDB usage with INVALID FIELD IN CDB, pointing
at it. LUN bits in byte 1 and the vendor-specific bits of the control byte are ignored.

- CDB usage: the bits that the command evaluates, byte by byte, as REPORT SUPPORTED OPERATION CODES reports them.
- Attention: `reports` = a pending unit attention ends the command, `runs` = it runs and leaves the attention alone.
- Reserved: what it meets while another initiator holds a reservation.
- Needs: the state without which it ends, checked in this order.
- Timeout: the recommended command timeout in seconds.
";

fn table<S: SpcDevice>(title: &str) -> String {
    let mut text = format!(
        "\n## {title}\n\n| Code | Command | CDB usage | Attention | Reserved | Needs | Timeout |\n\
         |---|---|---|---|---|---|---|\n"
    );
    for row in S::commands() {
        writeln!(text, "{}", line(row)).unwrap();
    }
    text
}

fn line<S: SpcDevice>(row: &CommandSpec<S>) -> String {
    let code = match row.service_action {
        Some(service_action) => format!("{:02X}/{service_action:02X}", row.opcode.0),
        None => format!("{:02X}", row.opcode.0),
    };
    let usage: Vec<String> = row.usage.iter().map(|byte| format!("{byte:02x}")).collect();
    let attention = if row.despite_unit_attention { "runs" } else { "reports" };
    let reserved = match row.under_reservation {
        UnderReservation::Conflict => "conflict",
        UnderReservation::Allowed => "runs",
        UnderReservation::AllowedIf(_) => "depends on the CDB",
    };
    let (name, needs, timeout) = (row.name, row.requires.name, row.timeouts.recommended);
    format!("| {code} | {name} | `{}` | {attention} | {reserved} | {needs} | {timeout} |", usage.join(" "))
}

#[test]
fn conformance_table_is_up_to_date() {
    let drive = table::<TapeDrive>("Tape drive");
    let changer = table::<MediaChanger>("Media changer");
    let expected = [HEAD, &drive, &changer].concat();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/scsi-commands.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let actual = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(actual, expected, "run cargo xtask docs");
}

/// The names in `DEVIATION(name)` comments of the sources under `directory`.
fn deviations(directory: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            deviations(&path, names);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            let marks = text.split("DEVIATION(").skip(1);
            names.extend(marks.filter_map(|mark| mark.split_once(')')).map(|(name, _)| name.to_owned()));
        }
    }
}

#[test]
fn every_deviation_is_listed_and_every_listed_one_is_in_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut marked = BTreeSet::new();
    deviations(&root.join("crates/scsi/src"), &mut marked);
    deviations(&root.join("crates/device/src"), &mut marked);
    let page = std::fs::read_to_string(root.join("docs/deviations.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |"));
    let is_ours = |name: &&str| ["spc-", "ssc-", "smc-"].iter().any(|prefix| name.starts_with(prefix));
    let listed: BTreeSet<String> = rows.map(|(name, _)| name).filter(is_ours).map(str::to_owned).collect();
    assert_eq!(marked, listed);
}
