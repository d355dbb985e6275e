//! The tape drive: sequential-access device server. [SSC-5]

mod op;

pub use op::{DriveOp, DriveResult, Medium};
