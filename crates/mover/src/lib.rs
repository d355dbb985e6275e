//! Ships cartridges to a tier, evicts what is there, and recalls it. See `docs/adr/0007-shipping-evicting-recalling.md`.
//!
//! [`Mover`] has a runtime of its own. It gets at cartridges through [`Keeper`], which has the drives, or by opening them
//! for a moment; nobody waits for it but a drive that reads what was evicted. What is where follows from the files and the
//! log beside them, so that there is nothing else to lose: a kill costs the work under way.
#![forbid(unsafe_code)]

mod area;
mod claims;
mod clock;
mod clone;
mod control;
mod crew;
mod error;
mod exchange;
mod keeper;
mod keys;
mod ledger;
mod library_state;
mod link;
mod mover;
mod notice;
mod operations;
mod place;
mod rate;
mod recall;
mod recover;
mod room;
mod scrub;
mod seal;
mod ship;
#[cfg(feature = "sim")]
pub mod sim;
mod timed;
mod versions;
mod view;

pub use area::AreaRules;
pub use capstan_tier::names::TapeName;
pub use clone::Clone as CloneTape;
pub use control::Control;
pub use error::MoverError;
pub use keeper::{Keeper, NoDrives, Work};
pub use keys::{KeyCount, KeyProblem, KeyReport, KeysInfo};
pub use library_state::{LibraryImage, LibraryImages};
pub use link::Patience;
pub use mover::{Mover, MoverOptions, TierSetup};
pub use notice::{Listener, Notice, NoticeKind};
pub use operations::{Answer, LimitChange, Operations};
pub use recover::{
    Broken, Chain, ClaimedTape, GatewayFound, KeyFound, Rehearsal, Remains, Sample, Successor, TakenOver, TapeFound,
    Told,
};
pub use room::CacheLimits;
pub use scrub::Scrubbed;
pub use ship::ShippingRules;
pub use versions::VersionRules;
pub use view::{
    Adopted, AreaInfo, ForeignTape, ShippingInfo, StageProgress, TapeShipping, TestStep, TierInfo, TierState, TierTest,
};
