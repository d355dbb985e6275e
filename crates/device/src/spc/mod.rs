//! What every device server shares: the command table, unit attentions, reservations, pages. [SPC-5]
//!
//! A device server implements [`SpcDevice`], lists its commands in one table of [`CommandSpec`]s (those of
//! [`commands`] and its own) and lets [`begin`], [`execute`] and [`resume`] run them. A command passes, in this order:
//! 1. operation code, service action, reserved bits and NACA, then the command's own look at its CDB
//!    (ILLEGAL REQUEST; does not consume a unit attention);
//! 2. a pending unit attention of the nexus [SAM-5 5.14];
//! 3. the reservation of another nexus (RESERVATION CONFLICT), lower in precedence than a unit attention [SAM-5 5.3.3];
//! 4. the state that it needs: medium present, position known, not write-protected, in this order;
//! 5. its admission, where it has one: it waits here, with nothing transferred;
//! 6. its data;
//! 7. 2 and 4 once more, for the robot does not wait for data; then what is wrong with the data.
mod absent;
mod attention;
pub mod commands;
mod device;
mod removal;
mod reservation;
mod state;
mod table;

pub use absent::unknown_logical_unit;
pub use attention::UnitAttentions;
pub use device::{ModeChange, SpcDevice};
pub use removal::RemovalPrevention;
pub use reservation::Reservation;
pub use state::{Identity, SpcState};
pub use table::{
    Admission, CommandSpec, Reply, Requirement, UnderReservation, admitted, begin, execute, no_parameter_list, resume,
    supported_commands,
};

use bytes::Bytes;
use capstan_scsi::sam::Completion;

use crate::server::Outcome;

/// GOOD with `data` cut to `allocation_length`: the one place that truncates. [SPC-5 4.2.5.6]
pub fn data_in<Op>(mut data: Vec<u8>, allocation_length: u32) -> Outcome<Op> {
    data.truncate(usize::try_from(allocation_length).unwrap_or(usize::MAX));
    Outcome::Done(Completion::good_with(Bytes::from(data)))
}

/// GOOD without data.
pub fn good<Op>() -> Outcome<Op> {
    Outcome::Done(Completion::good())
}
