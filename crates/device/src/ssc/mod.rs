//! The tape drive: sequential-access device server. [SSC-5]
//!
//! [`TapeDrive`] runs the commands of `table`, one file each, on the cartridge that the library puts into it. It keeps
//! no data: READ and WRITE become one [`DriveOp`] each, whose `Bytes` pass through untouched.

mod bay;
mod drive;
mod erase;
mod limits;
mod load_unload;
mod locate;
mod log;
mod medium_failure;
mod mode;
mod op;
mod position;
mod read;
mod rewind;
mod space;
mod statistics;
mod table;
mod tape_alert;
mod transfer;
mod vpd;
mod write;
mod write_filemarks;

pub use drive::{DriveIdentity, TapeDrive};
pub use medium_failure::sense_of;
pub use op::{DriveOp, DriveResult, Medium, Stalled};
pub use statistics::DriveStatistics;
pub use tape_alert::{TapeAlertFlag, TapeAlerts};
