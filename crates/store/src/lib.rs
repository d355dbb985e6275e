//! Segments of cartridges on the disk cache.
#![forbid(unsafe_code)]

mod error;
mod store;

pub use error::StoreError;
pub use store::Store;
