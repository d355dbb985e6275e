//! SCSI device servers of the tape drive and the media changer, without I/O.
//!
//! A [`LogicalUnit`] holds the task set and one [`DeviceServer`]. Whoever drives it (an actor in `capstan-library`)
//! feeds it tasks, data and results and carries out the [`Step`]s it answers, so that aborts, resets and slow
//! media interleave deterministically and can be tested without threads. Time is an argument.
#![forbid(unsafe_code)]

mod logical_unit;
pub mod personality;
mod server;
pub mod smc;
pub mod spc;
pub mod ssc;

pub use logical_unit::{Finished, LogicalUnit, Step};
pub use server::{Begin, Command, DeviceServer, Instant, Outcome};
pub use spc::unknown_logical_unit;
