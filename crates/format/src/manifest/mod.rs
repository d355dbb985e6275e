//! Which objects of a tier make up a tape, and who may say so. See `docs/format/manifest-v1.md`.
//!
//! A [`Delta`] is an object in the tier and an entry of the local log ([`read_log`]); [`Manifest`] is what a chain of
//! them adds up to. A [`Claim`] says whose a barcode or a gateway's name is.

mod claim;
mod delta;
mod log;
mod release;
mod row;
mod state;

pub use claim::{CLAIM_LENGTH, Claim, ClaimKind};
pub use delta::{CHECKPOINT_EVERY, DELTA_LENGTH_MIN, Delta, HandOver, Kind, META_LENGTH_MAX};
pub use log::{Ending, Log, read_log};
pub use release::{RecoveryPoint, Release};
pub use row::Row;
pub use state::{Manifest, ManifestError};
