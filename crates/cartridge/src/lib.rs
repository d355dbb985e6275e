//! One tape: medium operations on a log of segments.
//!
//! A cartridge is a chain of append-only segment files. Appending fills the last one; writing anywhere else begins a
//! new one, whose header says from which object on it replaces what came before. So nothing is ever modified, and
//! what the tape holds follows from the newest segment alone, by way of the ancestors that each header names
//! (`docs/format/segment-v1.md` has the argument). [`Cartridge`] keeps one row a segment in memory, and the index of
//! the one that is being read or written.
//!
//! | event | what survives |
//! |---|---|
//! | a write is answered | the death of the process |
//! | a recovery point (synchronous filemark, [`Cartridge::synchronise`], erase, close) is answered | loss of power |
#![forbid(unsafe_code)]

mod cartridge;
mod chain;
mod cloning;
mod error;
mod facts;
mod fault;
mod lineage;
mod looking;
mod manage;
#[cfg(any(test, feature = "model"))]
pub mod model;
mod motion;
mod reader;
mod reading;
mod recovery;
mod room;
mod shipped;
mod shipping;
mod superseded;
mod synchronise;
mod tail;
mod verify;
mod versions;
mod writing;

pub use capstan_format::{Cause, Version};
pub use cartridge::{Cartridge, Options};
pub use cloning::{Branch, clones_of};
pub use error::CartridgeError;
pub use facts::{Facts, NewCartridge, filemark_limit};
pub use manage::{Listed, delete, erase, inspect, list, set_protected};
pub use recovery::Recovered;
pub use shipped::{Unshipped, evicted};
pub use shipping::Shipment;
pub use verify::{Finding, FindingKind, Progress, Report, Verified, verify};
pub use versions::{VersionFacts, expired_versions, forget_version, hold_version, roll_back, tape_segments, versions};
