//! A tier in an S3 bucket.
//!
//! [`S3Tier`] is five requests (and multipart uploads for objects above 128 MiB) with the SDK's own retries off: every
//! failure comes out at once, with what the server said and what can be done about it. Servers differ in what they
//! leave out, silently for the most part, so [`S3Tier::probe`] tries at the start what cannot be seen from outside:
//! whether creates are atomic, whether wrong checksums are noticed, whether ranges are right.
#![forbid(unsafe_code)]

mod capabilities;
mod checksum;
mod client;
mod failure;
mod get;
mod list;
mod multipart;
mod options;
mod probe;
mod put;
mod request;
mod tier;
mod upload;
mod verdict;
mod walk;

pub use capabilities::{Capabilities, Check, ClockSkew, Setting};
pub use multipart::UnfinishedUpload;
pub use options::{AccessKey, ChecksumPolicy, CredentialSource, OptionError, S3Options, ServerSideEncryption};
pub use probe::S3Probe;
pub use tier::S3Tier;
