//! What hosts are told when the disk under the library fails, and what can be done afterwards: one table, played row
//! by row on a real library, and the reference page made from it (`docs/reference/failures.md`).
//!
//! After every row: the cartridge in the other drive is written, synchronised and read, the robot moves a third one,
//! and the three of them are what they should be after a loss of power.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    unreachable_pub
)]

#[path = "../library/host.rs"]
#[allow(dead_code, reason = "each test uses a part of it")]
mod host;
mod page;
mod rows_buffer;
mod rows_full;
mod rows_load;
mod rows_read;
mod rows_robot;
mod rows_write;
mod scene;

use capstan_library::EventKind;
use capstan_scsi::sam::Completion;
use host::{Sense, sense};
use scene::Scene;

/// One row of the table.
pub struct Row {
    /// What happens.
    pub event: &'static str,
    /// The command that meets it.
    pub command: &'static str,
    /// What it is told; `None` for GOOD.
    pub sense: Option<Sense>,
    /// TapeAlert flags of the drive.
    pub alerts: &'static [usize],
    /// What operators are told, in this order.
    pub events: &'static [EventKind],
    /// What can be done then.
    pub afterwards: &'static str,
    /// Lets it happen.
    pub play: fn(&mut Scene) -> Completion,
    /// Proves what `afterwards` says.
    pub after: fn(&mut Scene),
}

/// All of them.
pub fn rows() -> Vec<Row> {
    [rows_read::ROWS, rows_write::ROWS, rows_full::ROWS, rows_buffer::ROWS, rows_load::ROWS, rows_robot::ROWS]
        .into_iter()
        .flat_map(|rows| rows())
        .collect()
}

#[test]
fn every_row_of_the_table() {
    for row in rows() {
        let what = format!("{} x {}", row.event, row.command);
        // Shown when the row fails.
        eprintln!("{what}");
        let mut scene = Scene::new(&what);
        scene.forget_what_happened();
        let completion = (row.play)(&mut scene);
        assert_eq!(sense(&completion), row.sense, "{what}: sense data");
        assert_eq!(scene.alerts(), row.alerts, "{what}: TapeAlert flags");
        assert_eq!(scene.events(), row.events, "{what}: events");
        scene.others_go_on();
        (row.after)(&mut scene);
        scene.others_go_on();
        scene.disk.heal();
        scene.disk.limit_space(None);
        scene.others_are_whole();
    }
}
