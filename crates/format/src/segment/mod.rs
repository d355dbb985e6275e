//! A segment: an append-only file that holds consecutive objects of one partition. See `docs/format/segment-v1.md`.
//!
//! ```text
//! segment := header header record* [index trailer]
//! record  := record-header payload
//! ```
//!
//! The header stands there twice, each copy in a sector of its own. Index and trailer end a sealed segment; a segment
//! that a crash left open has none, and [`scan()`] finds its records.

mod header;
mod index;
mod record;
mod run;
mod scan;
mod trailer;
mod varint;

pub use header::{HEADER_LENGTH, Header, RECORDS_OFFSET};
pub use index::{Index, IndexError};
pub use record::{RECORD_HEADER_LENGTH, RecordHeader, RecordKind, RecordSeed};
pub use run::{Run, RunKind};
pub use scan::{Scan, Stopped, scan, was_synchronised};
pub use trailer::{TRAILER_LENGTH, Trailer};
