//! Byte layouts of segments, cartridge metadata, objects in a tier and manifests: encode and decode only; no I/O.
//!
//! The tables are in `docs/format/`; the structures here mirror them field by field, little-endian, laid out by
//! hand. Decoding trusts nothing: each structure proves itself by magic, version and CRC32C before a field is
//! believed, nothing is allocated by a length that was not compared with the bytes at hand, and whatever is wrong is
//! a specific [`FormatError`].
#![forbid(unsafe_code)]

mod crc;
mod error;
mod lineage;
pub mod manifest;
mod meta;
pub mod object;
mod point;
mod proof;
pub mod segment;
mod width;

pub use crc::{checksum, extend};
pub use error::FormatError;
pub use lineage::{ANCESTORS, Ancestor};
pub use meta::{Cause, ENTRIES_MAX, ENTRY_LENGTH, META_LENGTH, Meta, Origin, Version};
pub use point::Point;
pub use width::wide;
