//! Files and the rules of fsync.
#![forbid(unsafe_code)]

mod disk;
mod file;
mod real;

pub use disk::{Disk, Entry, Lock, Mode};
pub use file::{File, WriteStopped, is_no_space, read_exact_at, read_up_to, write_all_at};
pub use real::RealDisk;
