//! Text negotiation: `key=value` pairs, the keys of the RFC with their rules, and the outcome.
//!
//! [`pairs`] and [`TextBuilder`] are the wire form, [`Joiner`] collects what comes in several PDUs under a bound,
//! [`Negotiation`] applies each key's rule and remembers what was said, for both roles. Keys that identify rather
//! than negotiate (names, addresses, authentication) are the login's business. [RFC 7143 6, 13]

mod builder;
mod joiner;
mod key;
mod negotiation;
#[cfg(test)]
mod negotiation_tests;
mod pairs;
mod parameters;
mod value;

pub use builder::TextBuilder;
pub use joiner::Joiner;
pub use key::{Key, Rule, name};
pub use negotiation::{Negotiation, NegotiationError};
pub use pairs::{MAX_KEY_LENGTH, MAX_VALUE_LENGTH, Pair, TextError, pairs};
pub use parameters::{DEFAULT_MAX_RECV_DATA_SEGMENT_LENGTH, Digest, DigestPolicy, Parameters, Wishes};
pub use value::{boolean, list, number, yes_no};

/// Answer to a key that the responder does not know. [RFC 7143 6.2]
pub const NOT_UNDERSTOOD: &str = "NotUnderstood";
/// Answer to a key that means nothing in this session. [RFC 7143 6.2]
pub const IRRELEVANT: &str = "Irrelevant";
/// Answer to a value that is not allowed or not acceptable. [RFC 7143 6.2]
pub const REJECT: &str = "Reject";
