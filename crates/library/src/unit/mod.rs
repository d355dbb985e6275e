//! A logical unit as an actor sees it: its inbox, the way into it for the transport, and its task set.

mod actor;
mod failed;
mod inbox;
mod router;

pub(crate) use actor::{Progress, Unit};
pub(crate) use failed::FailedUnit;
pub(crate) use inbox::{Ending, Inbox, Message, Mouth, NotQueued, TaskInput, inbox};
pub use router::DeviceAccess;
pub(crate) use router::{Part, UnitRouter, Unitlike};
