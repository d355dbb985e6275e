//! T10 vocabulary: the words of SAM, SPC, SSC and SMC as types, with their byte layouts.
//!
//! The crate knows no device and does no I/O. Device servers (`capstan-device`) act on these types, the iSCSI
//! portal only carries them. Multi-byte fields on the wire are big-endian, here and in `capstan-iscsi` alone.
#![forbid(unsafe_code)]

pub mod asc;
pub mod cdb;
pub mod sam;
pub mod sense;
pub mod smc;
pub mod spc;
pub mod ssc;
pub mod wire;

pub use asc::Asc;
pub use cdb::Opcode;
pub use sense::{CheckCondition, SenseKey};
