//! The librarian: the thread that owns the inventory, the catalog and the changer's task set.
//!
//! It never waits for a drive. A job of the robot ([`job`]) asks drives by message and goes on when the answer comes
//! or its time is up; meanwhile tasks are taken in, aborts are obeyed and questions are answered. The robot has one
//! picker: jobs run one after the other, whoever asks for them.
//!
//! A drive in the middle of a long operation does not hold the robot for ever. A request that the drive has not begun
//! within `robot_patience` is cancelled, and nothing has happened. One that it has begun gets as long again; then the
//! job fails and the drive counts as adrift: it gets no new requests until its late answer has come and been undone.
//! Hosts see the changer as SAM has it, one command at a time: READ ELEMENT STATUS waits behind MOVE MEDIUM, for as long
//! as that at most. Operators' questions never wait.

mod actor;
mod adrift;
mod background;
mod exchange;
mod handle;
mod hosts;
mod job;
mod making;
mod moves;
mod record;
mod request;
mod reserving;
mod robot;
mod tapes;
mod versions;
mod views;

pub(crate) use actor::{Beginning, DrivePost, LibrarianActor};
pub use handle::Librarian;
pub(crate) use making::{NewTape, first_labels};
pub(crate) use request::{JOB_REQUESTS, LibrarianRequest, OPERATOR_REQUESTS};
pub(crate) use tapes::gone;
