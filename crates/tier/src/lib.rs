//! Where cartridges are shipped to.
//!
//! [`Tier`] is all that the rest of Capstan knows of an object store: five calls, none of which retries. [`DirTier`]
//! keeps the objects in a directory. [`seal()`] makes the object of a segment, [`Opener`] reads it. Retries are made in one place, by [`Retry`], where an operator sees them.
//! What the objects hold is in `docs/format/object-v1.md` and `docs/format/manifest-v1.md`.
#![forbid(unsafe_code)]

mod body;
mod dir;
mod error;
mod limits;
pub mod names;
mod open;
mod probe;
mod proof;
mod retry;
mod seal;
mod secret;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
mod tier;

pub use body::Body;
pub use dir::{DirProbe, DirTier, SharedWith};
pub use error::{TierError, TierErrorKind};
pub use limits::{Days, Limits, Rates, Window};
pub use open::{ObjectError, ObjectFault, OpenError, Opener, TAIL_LENGTH, Whole, check_object};
pub use probe::{Capability, Probe};
pub use proof::{is_stored, read_back};
pub use retry::{Attempt, Retry, RetryPolicy, retry};
pub use seal::{SealError, SealOptions, Sealed, SegmentId, seal};
pub use secret::{CartridgeKey, KeyFileError, UnwrapError, WrappingKey};
#[cfg(any(test, feature = "sim"))]
pub use sim::{Fault, MemoryTier, Verb, contract};
pub use tier::{Created, Listed, Listing, ObjectInfo, PAGE, Pending, Tier};
