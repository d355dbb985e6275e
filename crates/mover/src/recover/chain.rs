//! The manifest of a tape, as far as it can be read.
//!
//! What cannot be read is not guessed at: the tape is what the last delta says before which nothing is missing, spoiled,
//! or out of its place, from the highest good checkpoint on.

use std::collections::{BTreeMap, BTreeSet};

use capstan_format::manifest::{Delta, Kind, Manifest};
use capstan_format::{FormatError, Meta};
use capstan_tier::names::TapeName;

use super::Look;
use crate::MoverError;

/// What the deltas of a tape add up to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chain {
    /// The state that they lead to; `None` if there is no beginning.
    pub manifest: Option<Manifest>,
    /// When the last delta of it was written: milliseconds since 1970 UTC.
    pub written: u64,
    /// Why they lead no further.
    pub broken: Option<Broken>,
    /// The first number that no delta has and no later one either.
    pub next: u64,
}

/// Where a manifest cannot be followed any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The delta.
    pub number: u64,
    /// What is wrong with it.
    pub why: String,
    /// Deltas behind it, which say nothing without it.
    pub behind: u64,
    /// Objects of the tape up to this one were recorded behind it, as far as that can be read.
    pub recorded_to: Option<u64>,
}

/// A delta as it was found: what is wrong with it, if anything is.
type Found = Result<Delta, String>;

impl Look {
    /// Reads the manifest of a tape. A listing may lag behind: what follows its last delta is asked for, and what it
    /// leaves out as well.
    pub(crate) async fn chain(&self, tape: &TapeName) -> Result<Chain, MoverError> {
        let listed = self.all(&self.names.manifest(tape)).await?;
        let numbers: BTreeSet<u64> =
            listed.iter().filter_map(|object| Some(self.names.parse_delta(&object.key)?.1)).collect();
        let mut next = numbers.last().map_or(0, |last| last.saturating_add(1));
        while self.length(&self.names.delta(tape, next)).await?.is_some() {
            next = next.saturating_add(1);
        }
        let mut read = BTreeMap::new();
        for number in (0..next).rev() {
            let found = self.delta(tape, number).await?;
            let begins = matches!(&found, Ok(delta) if delta.kind == Kind::Checkpoint);
            read.insert(number, found);
            if begins {
                break;
            }
        }
        Ok(add_up(read, next))
    }

    /// Reads a delta. One that does not prove itself is read again: it may have been spoiled on its way.
    async fn delta(&self, tape: &TapeName, number: u64) -> Result<Found, MoverError> {
        let key = self.names.delta(tape, number);
        let bytes = self.link.look_for(&key, |bytes| Delta::decode(bytes).is_ok()).await?;
        let Some(bytes) = bytes else { return Ok(Err("it is not there".to_owned())) };
        match Delta::decode(&bytes) {
            Ok(delta) if delta.cartridge != tape.cartridge => {
                Ok(Err(format!("it is one of cartridge {}", delta.cartridge)))
            }
            Ok(delta) if delta.number != number => Ok(Err(format!("it is delta {}", delta.number))),
            Ok(delta) => Ok(Ok(delta)),
            Err(error @ FormatError::NewerVersion { .. }) => {
                Err(MoverError::Cartridge { id: tape.cartridge, what: format!("{key}: {error}") })
            }
            Err(error) => Ok(Err(error.to_string())),
        }
    }
}

/// Follows deltas from the first one, which has to be a checkpoint. All numbers from there up to `next` are in `read`.
fn add_up(read: BTreeMap<u64, Found>, next: u64) -> Chain {
    let mut chain = Chain { manifest: None, written: 0, broken: None, next };
    let mut rest = read.into_iter();
    while let Some((number, found)) = rest.next() {
        let why = match found {
            Ok(delta) => match chain.follow(delta) {
                Ok(()) => continue,
                Err(why) => why,
            },
            Err(why) => why,
        };
        let recorded = |(_, found): &(u64, Found)| meta_of(found.as_ref().ok()?).map(|meta| meta.end.object);
        let behind: Vec<(u64, Found)> = rest.filter(|(_, found)| found.is_ok()).collect();
        let recorded_to = behind.iter().filter_map(recorded).max();
        let behind = u64::try_from(behind.len()).unwrap_or(u64::MAX);
        chain.broken = Some(Broken { number, why, behind, recorded_to });
        break;
    }
    chain
}

impl Chain {
    fn follow(&mut self, delta: Delta) -> Result<(), String> {
        let written = delta.written;
        match &mut self.manifest {
            Some(manifest) => manifest.apply(delta).map_err(|error| error.to_string())?,
            None => self.manifest = Some(Manifest::begin(delta).map_err(|error| error.to_string())?),
        }
        self.written = written;
        Ok(())
    }
}

fn meta_of(delta: &Delta) -> Option<Meta> {
    Meta::decode(delta.meta.as_deref()?).ok()
}
