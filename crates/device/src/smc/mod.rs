//! The media changer: device server of the robot. [SMC-3]

mod op;

pub use op::{ChangerOp, ChangerResult};
