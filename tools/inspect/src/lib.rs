//! Reads what Capstan keeps in a tier, without Capstan.
//!
//! Written from `docs/format/` alone and sharing no code with the writer, so that the documents are proved to be enough,
//! and so that a mistake of the writer's is not repeated by who checks it. Everything that is read is damaged until it
//! proves itself: lengths are compared with what is there before memory is taken for them, and damage is told with object,
//! frame and offset and passed over where what follows can be found.
#![forbid(unsafe_code)]

mod cli;
mod commands;
mod error;
#[cfg(test)]
mod fixtures;
mod format;
mod keys;
mod looks;
mod manifest;
mod object;
mod source;
mod tape;
mod text;
mod tier;
mod zstd;

pub use cli::{Inspect, Outcome};
pub use error::{Damage, Error};
