//! Fuzz targets: functions from any bytes to nothing, which panic when an invariant does not hold.
//!
//! A target reads its input as a [`script::Script`], so that any bytes mean something and small changes of them mean
//! small changes of what happens. What must hold is said in each target's module: never only "no panic".
//!
//! The same functions run in three ways: replayed from `corpus/` with a short seeded run in the tests, at length by
//! seed in the binary (`cargo run -p fuzz --release -- TARGET`), and guided by coverage from `guided/`.
// A test tool: an input that breaks an expectation has to stop it, where it is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod catalog;
mod changer;
mod corpus;
mod drive;
mod login;
mod manifest;
mod memory;
mod meta;
mod mutation;
mod negotiation;
mod object;
mod pdu;
mod random;
mod runner;
pub mod script;
mod segment;
mod session;
mod tap;
mod unit;

pub use corpus::{corpus_of, directory_of};
pub use runner::{Failure, Report, Until, run};

/// A target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its directory in the corpus.
    pub name: &'static str,
    /// Runs it on an input; panics where an invariant is broken.
    pub run: fn(&[u8]),
    /// Inputs of the short run in the tests: some are slower than others.
    pub short: u32,
    /// Longest input that is generated, bytes.
    pub longest: usize,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "pdu", run: pdu::target, short: 20_000, longest: 1200 },
    Target { name: "negotiation", run: negotiation::target, short: 10_000, longest: 600 },
    Target { name: "login", run: login::target, short: 10_000, longest: 300 },
    Target { name: "session", run: session::target, short: 4_000, longest: 800 },
    Target { name: "drive", run: drive::target, short: 4_000, longest: 800 },
    Target { name: "changer", run: changer::target, short: 4_000, longest: 600 },
    Target { name: "segment", run: segment::target, short: 4_000, longest: 1500 },
    Target { name: "meta", run: meta::target, short: 10_000, longest: 4096 },
    Target { name: "object", run: object::target, short: 1_500, longest: 600 },
    Target { name: "manifest", run: manifest::target, short: 4_000, longest: 1000 },
    Target { name: "catalog", run: catalog::target, short: 150, longest: 300 },
    Target { name: "tap", run: tap::target, short: 10_000, longest: 600 },
];

/// The target of that name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
