//! SIMH `.tap` images. [SIMH Magtape Representation and Handling, 17 Jan 2022]
//!
//! An image is a series of records and markers. A record is its length in four bytes, its data, a byte more if the data
//! is odd, and the length again; a marker is four bytes. Numbers are little-endian, and the four highest bits of each
//! are its class: 0 is good data (and 0 alone a filemark), 8 data that could not be read without errors, F a marker of
//! the format itself. All other classes say nothing about what is on the tape, and readers pass over them.

mod marker;
mod reader;
mod writer;

pub use reader::{Object, Reader, TapError, Want};
pub use writer::{END_OF_MEDIUM, FILEMARK, Frame, UNREADABLE};
