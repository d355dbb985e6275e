//! RFC 7143 as state machines for target and initiator; no I/O.
//!
//! The story by folder: [`pdu`] lays out every protocol data unit, [`text`] parses and negotiates `key=value` pairs,
//! [`login`] holds what both roles share of the login phase, [`chap`] is authentication for both, and [`target`] is the
//! target's end of one connection.
//! CDBs, LUNs and sense data are opaque bytes here. Bytes, events and time come in through calls, bytes to send and
//! events go out through polls; nothing waits, reads a clock or allocates by a length that was not checked first.
#![forbid(unsafe_code)]

pub mod chap;
mod code;
pub mod login;
pub mod pdu;
pub mod target;
pub mod text;
