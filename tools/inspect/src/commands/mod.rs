//! The commands: one file each.

mod cat;
mod export;
mod ls;
mod verify;

use std::io::Write;

use serde::Serialize;

use crate::cli::{Options, Outcome, Version};
use crate::error::{Damage, Error};
use crate::keys::WrappingKeys;
use crate::manifest::Log;
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
        let log = Log::new(self.source, &name);
        let none = || Error::Absent(format!("there is no manifest of {} yet", name.barcode));
        let reading = log.read(version.number)?.ok_or_else(none)?;
        for damage in reading.damage.values() {
            self.damaged(damage)?;
        }
        let stopped = reading.stopped_at();
        let Some(state) = reading.state else {
            let what = format!("no checkpoint of {} can be read: what is on the tape is not known", name.barcode);
            return Err(Error::Absent(what));
        };
        if let Some(wanted) = version.number
            && (state.number != wanted)
        {
            let what = format!("there is no version {wanted} of {}: the nearest is {}", name.barcode, state.number);
            return Err(Error::Absent(what));
        }
        if let Some(stopped) = stopped {
            writeln!(
                self.notes,
                "note: {} is shown as of delta {}: delta {stopped} cannot be read, and what it and later ones add is missing",
                name.barcode, state.number
            )?;
        }
        let mut bad = Vec::new();
        let keys = name.keys(self.source, &self.keys, &mut |damage| bad.push(damage))?;
        for damage in &bad {
            self.damaged(damage)?;
        }
        Ok(Tape::new(self.source, name, state, keys))
    }
}
