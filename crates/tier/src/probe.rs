//! Finding out what a tier does with what it is given.

use std::fmt;

use crate::Pending;

/// What a probe found.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Capability {
    /// What was stored has to be read back before it counts: nobody else checks it. See [`crate::read_back`].
    pub read_back: bool,
    /// What an operator should know, in sentences.
    pub notes: Vec<String>,
}

/// A way to find out what a tier does, now and again later.
pub trait Probe: Send + Sync + fmt::Debug {
    /// Tries the tier with objects of its own, and has the tier used from now on as it wants to be.
    ///
    /// A transient error says nothing of the tier: nobody was there to ask. Any other says that it cannot be used as
    /// it is configured, and what to do about that.
    fn probe(&self) -> Pending<'_, Capability>;
}
