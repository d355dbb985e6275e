//! From what was known and what lies on the disk to what the catalog has to say. Pure.
//!
//! What was known counts, as far as the disk does not prove otherwise; what was not known is added. No cartridge that
//! was known or has readable metadata is left out, whatever contradicts what.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use capstan_cartridge::{Facts, Listed};
use capstan_catalog::{CartridgeRow, CartridgeState, IdentityRow, PlaceRow, State};
use capstan_media::{Barcode, CartridgeId, Layout, Place};

use super::report::{Base, Remark, RemarkKind};

/// Longest label.
const LABEL: usize = 32;

/// What the store has.
pub(super) struct OnDisk {
    pub(super) directory: PathBuf,
    pub(super) cartridges: Vec<Listed>,
}

/// What the catalog is to hold.
pub(super) struct Planned {
    pub(super) state: State,
    pub(super) remarks: Vec<Remark>,
}

struct Planner<'a> {
    layout: &'a Layout,
    now: u64,
    /// What was known may not be the last that was answered.
    stale: bool,
    state: State,
    labels: BTreeSet<Barcode>,
    /// Cartridges that need a slot.
    homeless: Vec<CartridgeId>,
    remarks: Vec<Remark>,
}

/// Plans. `uuid` is for a library of which none is known.
pub(super) fn plan(
    known: Option<&State>,
    base: &Base,
    on_disk: OnDisk,
    layout: &Layout,
    now: u64,
    uuid: [u8; 16],
) -> Planned {
    let mut planner = Planner {
        layout,
        now,
        stale: matches!(base, Base::Mirror { certain: false, .. } | Base::Contradictory),
        state: State::default(),
        labels: BTreeSet::new(),
        homeless: Vec::new(),
        remarks: Vec::new(),
    };
    planner.identity(known, uuid);
    let OnDisk { directory, cartridges } = on_disk;
    let mut files: BTreeMap<_, _> = cartridges.into_iter().collect();
    let empty = State::default();
    let known = known.unwrap_or(&empty);
    for (id, row) in &known.cartridges {
        planner.known_cartridge(*id, row, files.remove(id).map(|facts| facts.map_err(|error| error.to_string())));
    }
    for (id, facts) in files {
        match facts {
            Ok(facts) => planner.found_cartridge(id, &facts),
            Err(error) => {
                let what = format!(
                    "its metadata cannot be read ({error}), so its label is not known: it stays in {} and is not listed",
                    directory.display()
                );
                planner.remark(RemarkKind::Unreadable, Some(id), what);
            }
        }
    }
    planner.places(known);
    planner.settle();
    Planned { state: planner.state, remarks: planner.remarks }
}

impl Planner<'_> {
    fn identity(&mut self, known: Option<&State>, uuid: [u8; 16]) {
        let identity = known.and_then(|state| state.identity);
        if identity.is_none() {
            let what = "nothing says what it was: hosts will see devices with other serial numbers";
            self.remark(RemarkKind::NewIdentity, None, what);
        }
        if self.stale {
            let what = "what is kept beside the catalog is damaged in part: the last change may be missing";
            self.remark(RemarkKind::Uncertain, None, what);
        }
        // Nothing is made at the next start in a library that had its cartridges.
        self.state.identity = identity.or(Some(IdentityRow { uuid, created: self.now, stocked: true }));
    }

    fn known_cartridge(&mut self, id: CartridgeId, row: &CartridgeRow, files: Option<Result<Facts, String>>) {
        let mut row = row.clone();
        match files {
            None => {
                // One that was being made or deleted has none, and the next start finishes that.
                let expected = matches!(row.state, CartridgeState::Creating | CartridgeState::Deleting);
                self.list(id, row);
                if !expected {
                    self.remark(RemarkKind::NoFiles, Some(id), "there are no files of it: it stays listed");
                }
                return;
            }
            Some(Err(error)) => {
                self.list(id, row);
                return self.remark(RemarkKind::Unreadable, Some(id), error);
            }
            Some(Ok(facts)) => self.correct(id, &mut row, &facts),
        }
        self.list(id, row);
    }

    /// A cartridge describes itself; what was recorded of it is a copy.
    fn correct(&mut self, id: CartridgeId, row: &mut CartridgeRow, facts: &Facts) {
        if row.capacity != facts.capacity {
            let what = format!("{} bytes fit on it, {} were recorded", facts.capacity, row.capacity);
            row.capacity = facts.capacity;
            self.remark(RemarkKind::Corrected, Some(id), what);
        }
        // One that was being made is undone by the next start, unless somebody must have been told of it.
        let in_use = facts.objects > 0 || !facts.clean;
        if row.state == CartridgeState::Creating && (in_use || self.stale) {
            row.state = CartridgeState::Recovered;
            self.remark(RemarkKind::Corrected, Some(id), "it was recorded as being made, and it is there");
        }
    }

    fn found_cartridge(&mut self, id: CartridgeId, facts: &Facts) {
        let row = CartridgeRow {
            barcode: facts.barcode.clone(),
            capacity: facts.capacity,
            state: CartridgeState::Recovered,
            created: self.now,
        };
        self.list(id, row);
        self.homeless.push(id);
        self.remark(RemarkKind::Found, Some(id), "it was not known");
    }

    /// Lists a cartridge; one whose label is taken gets another.
    fn list(&mut self, id: CartridgeId, mut row: CartridgeRow) {
        if self.labels.contains(&row.barcode) {
            let label = self.free_label(&row.barcode);
            let what = format!("another cartridge is labelled {} too: this one is listed as {label}", row.barcode);
            row.barcode = label;
            self.labels.insert(row.barcode.clone());
            self.state.cartridges.insert(id, row);
            return self.remark(RemarkKind::SameBarcode, Some(id), what);
        }
        self.labels.insert(row.barcode.clone());
        self.state.cartridges.insert(id, row);
    }

    fn free_label(&self, taken: &Barcode) -> Barcode {
        let label = |number: u32| {
            let suffix = format!("-{number}");
            let kept: String = taken.as_str().chars().take(LABEL.saturating_sub(suffix.len())).collect();
            Barcode::new(&format!("{kept}{suffix}")).ok()
        };
        (2..).find_map(|number| label(number).filter(|label| !self.labels.contains(label))).unwrap_or(taken.clone())
    }

    /// The places as they were known, one for each cartridge.
    fn places(&mut self, known: &State) {
        let mut seen = BTreeMap::new();
        for (place, row) in &known.places {
            let id = row.cartridge;
            if !self.state.cartridges.contains_key(&id) {
                let what = format!("{place} was said to hold it, and nothing else is known of it: {place} is empty");
                self.remark(RemarkKind::Place, Some(id), what);
            } else if let Some(first) = seen.get(&id) {
                let what = format!("{first} and {place} were said to hold it: it is in {first}, {place} is empty");
                self.remark(RemarkKind::Place, Some(id), what);
            } else {
                seen.insert(id, *place);
                self.state.places.insert(*place, *row);
            }
        }
    }

    /// Puts those without a place into free slots.
    fn settle(&mut self) {
        let mut slots = (1..=self.layout.slots).map(Place::Slot);
        let mut homeless = std::mem::take(&mut self.homeless);
        homeless.retain(|id| !self.state.places.values().any(|row| row.cartridge == *id));
        homeless.sort_by_key(|id| self.state.cartridges.get(id).map(|row| row.barcode.clone()));
        for id in homeless {
            match slots.find(|slot| !self.state.places.contains_key(slot)) {
                Some(slot) => {
                    let row = PlaceRow { cartridge: id, source: None, placed_by_operator: false, threaded: false };
                    self.state.places.insert(slot, row);
                }
                None => self.remark(RemarkKind::NoPlace, Some(id), "no slot is free for it"),
            }
        }
        for remark in &mut self.remarks {
            let Some(id) = remark.cartridge else { continue };
            let at = self.state.places.iter().find(|(_, row)| row.cartridge == id);
            remark.place = at.map(|(place, _)| *place);
            remark.barcode = self.state.cartridges.get(&id).map(|row| row.barcode.to_string());
        }
    }

    fn remark(&mut self, kind: RemarkKind, cartridge: Option<CartridgeId>, what: impl Into<String>) {
        self.remarks.push(Remark { kind, barcode: None, cartridge, place: None, what: what.into() });
    }
}
