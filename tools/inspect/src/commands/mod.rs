//! The commands: one file each.

mod cat;
mod export;
mod ls;
mod verify;

use std::io::Write;

use serde::Serialize;

use crate::cli::{Options, Outcome, Version};
use crate::error::{Damage, Error};
use crate::format::TapeVersion;
use crate::keys::{KeyFolder, WrappingKeys};
use crate::manifest::{Log, State};
use crate::source::Source;
use crate::tape::{Tape, TapeName};
use crate::tier;

/// One run of the program.
pub(crate) struct Session<'s> {
    source: &'s dyn Source,
    keys: WrappingKeys,
    json: bool,
    output: &'s mut dyn Write,
    notes: &'s mut dyn Write,
    outcome: Outcome,
}

impl<'s> Session<'s> {
    pub(crate) fn new(
        source: &'s dyn Source,
        options: &Options,
        json: bool,
        output: &'s mut dyn Write,
        notes: &'s mut dyn Write,
    ) -> Result<Self, Error> {
        let keys = WrappingKeys::read(&options.key_file)?;
        Ok(Self { source, keys, json, output, notes, outcome: Outcome::Whole })
    }

    /// Says that something is damaged. The command goes on.
    fn damaged(&mut self, damage: &Damage) -> Result<(), Error> {
        self.outcome = Outcome::Damaged;
        Ok(writeln!(self.notes, "damage: {damage}")?)
    }

    /// Prints an answer: as JSON, or as `text` makes it for people.
    fn answer<T: Serialize>(&mut self, value: &T, text: impl FnOnce(&T) -> String) -> Result<(), Error> {
        if self.json {
            serde_json::to_writer_pretty(&mut *self.output, value).map_err(std::io::Error::from)?;
            writeln!(self.output)?;
        } else {
            self.output.write_all(text(value).as_bytes())?;
        }
        Ok(())
    }

    /// A tape in one of its states. What is damaged in its manifest and keys is told.
    fn tape(&mut self, wanted: &str, version: &Version) -> Result<Tape<'s>, Error> {
        let name = tier::find(self.source, wanted)?;
        self.open(name, version)
    }

    fn open(&mut self, name: TapeName, version: &Version) -> Result<Tape<'s>, Error> {
        let state = self.state(&name, version)?;
        let wanted = match version.number {
            Some(number) => Some(find_version(&name, &state, number)?),
            None => None,
        };
        let keys = self.key_folder(&state.owners(&name), &mut |_| {})?;
        Ok(Tape::new(self.source, name, state, wanted, keys))
    }

    /// What the manifest says of a cartridge.
    fn state(&mut self, name: &TapeName, version: &Version) -> Result<State, Error> {
        let log = Log::new(self.source, name);
        let delta = match version.at {
            Some(time) => {
                let none = || Error::Absent(format!("{} was not in the tier yet", name.barcode));
                Some(log.at(time)?.ok_or_else(none)?)
            }
            None => version.delta,
        };
        let none = || Error::Absent(format!("there is no manifest of {} yet", name.barcode));
        let reading = log.read(delta)?.ok_or_else(none)?;
        for damage in reading.damage.values() {
            self.damaged(damage)?;
        }
        let stopped = reading.stopped_at();
        let Some(state) = reading.state else {
            let what = format!("no checkpoint of {} can be read: what is on the tape is not known", name.barcode);
            return Err(Error::Absent(what));
        };
        if let Some(wanted) = delta.filter(|&wanted| wanted > reading.last) {
            return Err(Error::Absent(format!("there is no delta {wanted} of {} yet", name.barcode)));
        }
        if let Some(stopped) = stopped {
            writeln!(
                self.notes,
                "note: {} is shown as of delta {}: delta {stopped} cannot be read, and nothing behind it counts",
                name.barcode, state.number
            )?;
        }
        Ok(state)
    }

    /// The keys of cartridges, as far as they can be opened.
    fn key_folder(&mut self, names: &[TapeName], damaged: &mut dyn FnMut(Damage)) -> Result<KeyFolder, Error> {
        let mut folder = KeyFolder::default();
        let mut bad = Vec::new();
        for name in names {
            name.add_keys(self.source, &self.keys, &mut folder, &mut |damage| bad.push(damage))?;
        }
        for damage in bad {
            self.damaged(&damage)?;
            damaged(damage);
        }
        Ok(folder)
    }
}

/// A version by its number.
fn find_version(name: &TapeName, state: &State, number: u32) -> Result<TapeVersion, Error> {
    let versions = state.meta.as_ref().map(|meta| meta.versions.as_slice()).unwrap_or_default();
    let found = versions.iter().find(|version| version.number == number).cloned();
    found.ok_or_else(|| {
        let numbers: Vec<String> = versions.iter().map(|version| version.number.to_string()).collect();
        let there = if numbers.is_empty() { "none".to_owned() } else { numbers.join(", ") };
        Error::Absent(format!("there is no version {number} of {}: older versions are: {there}", name.barcode))
    })
}
