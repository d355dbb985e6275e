//! The tape drive as hosts see it: whole commands through the task set, onto a tape in memory.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "helpers of tests may end them"
)]

mod admission;
mod attention;
mod conformance;
mod host;
mod identity;
mod loading;
mod logs;
mod modes;
mod nonsense;
mod operation_codes;
mod positioning;
mod reading;
mod reservation;
mod tape;
mod task_set;
mod writing;
