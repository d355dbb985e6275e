//! The media changer: device server of the robot. [SMC-3]
//!
//! Commands that only changers have are read and run in `command`; what every device does is the business of
//! [`crate::spc`]. The library behind is asked by [`ChangerOp`]s.

mod changer;
mod command;
mod identity;
mod inventory;
mod op;
mod pages;
mod refusal;
mod robot;
mod search;

pub use changer::MediaChanger;
pub use identity::{ChangerIdentity, DriveIdentity};
pub use op::{ChangerOp, ChangerResult};
