//! The tier against a server of our own that fails on demand, and against any server that the environment names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod contract;
mod faults;
mod multipart;
mod options;
mod probe;
mod real;
mod server;
