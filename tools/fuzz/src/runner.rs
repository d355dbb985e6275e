//! Running a target on generated inputs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::Target;
use crate::mutation::generate;
use crate::random::Random;

/// When to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// After so many inputs.
    Runs(u64),
    /// After so long.
    Elapsed(Duration),
}

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report {
    /// Inputs.
    pub runs: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// An input that breaks an invariant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The input.
    pub input: Vec<u8>,
    /// How many inputs before it were good.
    pub runs: u64,
}

/// Runs `target` on inputs made from `corpus` and `seed`.
///
/// # Errors
/// The first input that breaks an invariant; the panic's message went to stderr.
pub fn run(target: &Target, corpus: &[Vec<u8>], seed: u64, until: Until) -> Result<Report, Failure> {
    let mut random = Random::new(seed);
    let began = Instant::now();
    let mut runs = 0;
    while match until {
        Until::Runs(limit) => runs < limit,
        Until::Elapsed(limit) => began.elapsed() < limit,
    } {
        let input = generate(&mut random, corpus, target.longest);
        if catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).is_err() {
            return Err(Failure { input, runs });
        }
        runs += 1;
    }
    Ok(Report { runs, elapsed: began.elapsed() })
}
