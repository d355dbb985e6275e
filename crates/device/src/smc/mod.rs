//! The media changer: device server of the robot. [SMC-3]
//!
//! [`MediaChanger`] runs the commands of its table: those of every device come from [`crate::spc`], its own are one
//! file each. What is where is known to the library alone, which is asked by [`ChangerOp`]s; the changer keeps only
//! what belongs to hosts.

mod changer;
mod commands;
mod identity;
mod initialize;
mod inventory;
mod op;
mod pages;
mod read_element_status;
mod refusal;
mod robot;
mod search;

pub use changer::MediaChanger;
pub use identity::{ChangerIdentity, DriveIdentity};
pub use op::{ChangerOp, ChangerResult};
