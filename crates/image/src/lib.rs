//! Tapes as files that other programs read and write: SIMH `.tap` images, and directories of tape files.
//!
//! Readers say which bytes they want next and take them; whoever calls has the file. So nothing here waits, and
//! nothing is allocated: a length that an image names is checked against the image and the longest block first.
#![forbid(unsafe_code)]

pub mod index;
pub mod tap;
