//! A tier in memory that fails as real ones do, and the suite that every tier has to pass.

mod contract;
mod memory;

pub use contract::contract;
pub use memory::{Fault, MemoryTier, Request, Verb};
