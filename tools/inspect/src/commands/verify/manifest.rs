//! Every delta of a tape, in order.

use std::collections::BTreeSet;

use super::Report;
use crate::error::{Damage, Error};
use crate::manifest::{Log, State};

/// What the log says in the end.
pub(super) struct Found {
    pub(super) state: State,
    /// Objects that were named once and may be gone.
    pub(super) released: BTreeSet<String>,
}

/// Reads every delta that is listed. What is damaged or missing is told; the state is that of the last one that counts.
pub(super) fn verify(log: &Log<'_>, report: &mut Report) -> Result<Option<Found>, Error> {
    let (numbers, others) = log.numbers()?;
    for key in others {
        report.damage.push(Damage::new(&key, "it is no delta's key"));
    }
    let Some(reading) = log.read(None)? else {
        report.damage.push(Damage::new(&log.name().delta(0), "there is no manifest"));
        return Ok(None);
    };
    let mut damage = reading.damage;
    let mut released = BTreeSet::new();
    let mut expected = 0;
    for &number in &numbers {
        if number > expected {
            let what = match number - expected {
                1 => "it is not there".to_owned(),
                missing => format!("it and the {} after it are not there", missing - 1),
            };
            damage.entry(expected).or_insert_with(|| Damage::new(&log.name().delta(expected), what));
        }
        expected = number.saturating_add(1);
        match log.delta(number)? {
            Ok(delta) => {
                report.deltas += 1;
                let key = |release: &crate::format::Release| {
                    log.name().segment(release.sequence, release.epoch, release.random)
                };
                released.extend(delta.releases.iter().map(key));
            }
            Err(bad) => {
                damage.entry(number).or_insert(bad);
            }
        }
    }
    let is_known = reading.state.is_some();
    report.damage.extend(damage.into_values());
    if !is_known {
        report.damage.push(Damage::new(&log.name().delta(reading.last), "no checkpoint before it can be read"));
    }
    Ok(reading.state.map(|state| Found { state, released }))
}
