//! Ships cartridges to a tier, evicts what is there, and recalls it. See `docs/adr/0007-shipping-evicting-recalling.md`.
#![forbid(unsafe_code)]

mod error;
mod operations;
#[cfg(feature = "sim")]
pub mod sim;
mod view;

pub use error::MoverError;
pub use operations::{Answer, LimitChange, Operations};
pub use view::{AreaInfo, ShippingInfo, StageProgress, TapeShipping, TestStep, TierInfo, TierState, TierTest};
