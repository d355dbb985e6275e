//! A drive: a thread with a task set, and the bay that a cartridge sits in.
//!
//! The thread does all file I/O of its cartridge that may take long; what is brief its callers do themselves ([`Helm`]). The robot asks it for things by [`Request`]s through the
//! same inbox as the transport's tasks, served between operations, never within one; it answers through the
//! librarian's inbox, for which it may wait, since the librarian never waits for a drive.

mod actor;
mod bay;
mod calm;
mod failed;
mod gate;
mod gauge;
mod helm;
mod lending;
mod life;
mod report;
mod request;

pub(crate) use actor::{DriveActor, DriveNews, panic_text};
pub(crate) use bay::Bay;
pub(crate) use calm::Calm;
pub(crate) use gate::Gate;
pub(crate) use gauge::Gauge;
pub(crate) use helm::{DriveMouth, Helm};
pub(crate) use lending::Lending;
pub(crate) use report::Reporter;
pub(crate) use request::{Answer, Ask, Claim, Refusal, Request};
