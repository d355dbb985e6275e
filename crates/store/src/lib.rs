//! The directory in which cartridges keep their files.
//!
//! ```text
//! <root>/lock                                       held as long as the store is open
//! <root>/tapes/c7/c7aa...-.../cartridge.meta        replaced as a whole
//! <root>/tapes/c7/c7aa...-.../000012/000012345.seg  segment 12345: append-only
//! <root>/tapes/c7/c7aa...-.../shipped               what of it is elsewhere: appended to, or replaced
//! <root>/tapes/c7/c7aa...-.../key                   its wrapped key, if it is encrypted elsewhere: replaced as a whole
//! <root>/tapes/c7/c7aa...-.../pinned                all of it is kept here
//! <root>/limbo/c7aa...-.../                         being created or deleted; emptied on open
//! ```
//!
//! Segments that are elsewhere as well move to a second area, which may be lost at any time ([`Store::open_cache`]).
//! What the files hold is the cartridge's business. The store knows names, durability of names, who works on which
//! cartridge, and how many bytes all of them take.
#![forbid(unsafe_code)]

mod arrival;
mod beside;
mod cache;
mod directory;
mod drain;
mod error;
mod names;
mod pace;
mod recall;
mod segment;
mod shipped;
mod store;
mod survey;

pub use arrival::Arrival;
pub use beside::Beside;
pub use cache::CachedSegment;
pub use directory::CartridgeDirectory;
pub use error::{AppendStopped, StoreError};
pub use pace::{Admit, Level, Pace, Turn};
pub use recall::{Evicted, Recall};
pub use segment::Segment;
pub use store::{Store, WeakStore};
pub use survey::{FileKind, FoundFile};
