//! `verify`: everything that can be checked is.

mod manifest;
mod segment;

use std::collections::BTreeSet;

use serde::Serialize;

use super::Session;
use crate::cli::{Outcome, Verify};
use crate::error::{Damage, Error};
use crate::manifest::Log;
use crate::source::Source;
use crate::tape::{Layout, Tape, TapeName};
use crate::text;
use crate::tier::{self, Claims};

/// What was found of one tape.
#[derive(Serialize, Default)]
struct Report {
    barcode: String,
    cartridge: String,
    deltas: u64,
    segments: u64,
    /// Bytes of objects that were read and hashed.
    bytes: u64,
    records: u64,
    /// Not all could be looked into for want of a key: stored bytes were checked, records were not.
    sealed: bool,
    /// Objects that no delta names: left by an upload that was given up.
    unclaimed: u64,
    damage: Vec<Damage>,
}

#[derive(Serialize)]
struct Answer {
    tapes: Vec<Report>,
    /// Damage that is of no tape: claims.
    damage: Vec<Damage>,
}

impl Session<'_> {
    pub(crate) fn verify(&mut self, verify: &Verify) -> Result<Outcome, Error> {
        let claims = Claims::read(self.source)?;
        let mut names = Vec::new();
        for barcode in &verify.barcodes {
            names.push(tier::find(self.source, barcode)?);
        }
        if verify.barcodes.is_empty() {
            names = tier::tapes(self.source)?;
        }
        let mut answer = Answer { tapes: Vec::new(), damage: claims.damage.clone() };
        if !verify.barcodes.is_empty() {
            answer.damage.retain(|damage| names.iter().any(|name| damage.key.ends_with(&format!("/{}", name.barcode))));
        }
        for name in names {
            let report = self.verify_tape(name, &claims)?;
            answer.tapes.push(report);
        }
        for damage in answer.tapes.iter().flat_map(|tape| &tape.damage).chain(&answer.damage) {
            self.damaged(damage)?;
        }
        self.answer(&answer, Answer::text)?;
        Ok(self.outcome)
    }

    fn verify_tape(&mut self, name: TapeName, claims: &Claims) -> Result<Report, Error> {
        let source = self.source;
        let mut report =
            Report { barcode: name.barcode.clone(), cartridge: name.cartridge.to_string(), ..Report::default() };
        check_claim(&name, claims, &mut report);
        let Some(found) = manifest::verify(&Log::new(source, &name), &mut report)? else { return Ok(report) };
        let keys = self.key_folder(&found.state.owners(&name), &mut |damage| report.damage.push(damage))?;
        let tape = Tape::new(source, name, found.state, None, keys);
        let mut missing: Vec<Damage> = tape.layout.missing().cloned().collect();
        for version in tape.state.meta.iter().flat_map(|meta| &meta.versions) {
            let layout = Layout::of(&tape.name, &tape.state, Some(version));
            missing.extend(layout.missing().filter(|damage| !missing.contains(damage)).cloned().collect::<Vec<_>>());
        }
        report.damage.append(&mut missing);
        let mut named: BTreeSet<String> = found.released;
        for row in tape.state.rows.values() {
            let place = tape.place(row);
            named.insert(place.key.clone());
            segment::verify(&tape, place, &mut report)?;
        }
        report.unclaimed = unclaimed(source, &tape.name, &named)?;
        Ok(report)
    }
}

/// A barcode whose claim is missing or of another cartridge.
fn check_claim(name: &TapeName, claims: &Claims, report: &mut Report) {
    let key = format!("{}{}", tier::BARCODES, name.barcode);
    let is_damaged = claims.damage.iter().any(|damage| damage.key == key);
    let what = match claims.barcodes.get(&name.barcode) {
        Some(claim) if claim.cartridge == name.cartridge => return,
        Some(claim) => format!("the barcode is claimed for cartridge {}", claim.cartridge),
        None if is_damaged => return,
        None => "nobody claims the barcode".to_owned(),
    };
    report.damage.push(Damage::new(&key, what));
}

fn unclaimed(source: &dyn Source, name: &TapeName, named: &BTreeSet<String>) -> Result<u64, Error> {
    let listed = source.list(&format!("{}segments/", name.folder()))?;
    Ok(listed.iter().map(|listed| u64::from(!named.contains(&listed.key))).sum())
}

impl Answer {
    fn text(&self) -> String {
        if self.tapes.is_empty() {
            return "nothing to verify\n".to_owned();
        }
        let row = |report: &Report| {
            let result = match (report.damage.len(), report.sealed) {
                (0, false) => "whole".to_owned(),
                (0, true) => "whole as stored; not decrypted".to_owned(),
                (damage, _) => text::count(u64::try_from(damage).unwrap_or(u64::MAX), "damage"),
            };
            [
                report.barcode.clone(),
                report.deltas.to_string(),
                report.segments.to_string(),
                report.records.to_string(),
                report.bytes.to_string(),
                report.unclaimed.to_string(),
                result,
            ]
        };
        let heads = ["BARCODE", "DELTAS", "SEGMENTS", "RECORDS", "BYTES", "UNCLAIMED", "RESULT"];
        let right = ["DELTAS", "SEGMENTS", "RECORDS", "BYTES", "UNCLAIMED"];
        text::table(heads, &right, &self.tapes.iter().map(row).collect::<Vec<_>>())
    }
}
