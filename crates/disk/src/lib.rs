//! Files and the rules of fsync.
//!
//! Everything above works on the trait [`Disk`], so that one simulated disk can lose power at any moment, fail any
//! call and fill up, and the code that runs on it is the code that runs in production.
#![forbid(unsafe_code)]

mod disk;
mod file;
mod real;
#[cfg(any(test, feature = "sim"))]
mod sim;

pub use disk::{Disk, Entry, Lock, Mode};
pub use file::{File, WriteStopped, is_no_space, read_exact_at, read_up_to, write_all_at};
pub use real::RealDisk;
#[cfg(any(test, feature = "sim"))]
pub use sim::{Loss, SimCall, SimDisk, SimFault};
