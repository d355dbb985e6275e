//! What is where: the catalog's state in memory, and what of it moves allow.
//!
//! Pure: a plan says which rows change, the librarian records them, and only then [`Inventory::apply`]s them here.

mod plan;

pub(crate) use plan::{Plan, Relocation};

use std::collections::{BTreeMap, BTreeSet};

use capstan_cartridge::Facts;
use capstan_catalog::{CartridgeRow, Change, State};
use capstan_media::{Barcode, CartridgeId, Element, ElementAddress, ElementKind, Layout, Place};

use crate::LibraryError;

/// The inventory.
pub(crate) struct Inventory {
    layout: Layout,
    state: State,
    /// What closed cartridges hold, or why they cannot be opened.
    contents: BTreeMap<CartridgeId, Result<Facts, String>>,
}

impl Inventory {
    pub(crate) fn new(layout: Layout, state: State) -> Self {
        Self { layout, state, contents: BTreeMap::new() }
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Makes changes that are recorded.
    pub(crate) fn apply(&mut self, changes: &[Change]) {
        self.state.apply(changes);
        for change in changes {
            if let Change::CartridgeGone(id) = change {
                self.contents.remove(id);
            }
        }
    }

    pub(crate) fn set_contents(&mut self, id: CartridgeId, contents: Result<Facts, String>) {
        self.contents.insert(id, contents);
    }

    pub(crate) fn contents(&self, id: CartridgeId) -> Option<&Result<Facts, String>> {
        self.contents.get(&id)
    }

    pub(crate) fn cartridge(&self, id: CartridgeId) -> Option<&CartridgeRow> {
        self.state.cartridges.get(&id)
    }

    /// The cartridge with a label.
    pub(crate) fn find(&self, barcode: &Barcode) -> Result<(CartridgeId, &CartridgeRow), LibraryError> {
        let mut cartridges = self.state.cartridges.iter();
        let found = cartridges.find(|(_, row)| row.barcode == *barcode);
        found.map(|(id, row)| (*id, row)).ok_or_else(|| LibraryError::UnknownTape(barcode.clone()))
    }

    /// The label of a cartridge.
    pub(crate) fn barcode(&self, id: CartridgeId) -> Option<Barcode> {
        self.cartridge(id).map(|row| row.barcode.clone())
    }

    /// Where a cartridge is.
    pub(crate) fn place_of(&self, id: CartridgeId) -> Option<Place> {
        self.state.places.iter().find(|(_, row)| row.cartridge == id).map(|(place, _)| *place)
    }

    /// What a place holds.
    pub(crate) fn at(&self, place: Place) -> Option<CartridgeId> {
        self.state.places.get(&place).map(|row| row.cartridge)
    }

    /// Free storage slots, lowest first.
    pub(crate) fn free_slots(&self) -> impl Iterator<Item = Place> + '_ {
        let slots = (1..=self.layout.slots).map(Place::Slot);
        slots.filter(|place| !self.state.places.contains_key(place))
    }

    /// All labels.
    pub(crate) fn barcodes(&self) -> BTreeSet<&str> {
        self.state.cartridges.values().map(|row| row.barcode.as_str()).collect()
    }

    /// At most `count` elements of a kind (all if `None`) from an address on, ascending by address.
    pub(crate) fn elements(
        &self,
        kind: Option<ElementKind>,
        start: ElementAddress,
        count: u16,
        threaded: impl Fn(u16) -> bool,
    ) -> Vec<Element> {
        use ElementKind::{DataTransfer, ImportExport, MediumTransport, Storage};
        let mut ranges: Vec<(ElementKind, ElementAddress, u16)> =
            [MediumTransport, Storage, ImportExport, DataTransfer]
                .into_iter()
                .filter(|each| kind.is_none_or(|kind| kind == *each))
                .map(|kind| {
                    let (first, count) = self.layout.range(kind);
                    (kind, first, count)
                })
                .collect();
        ranges.sort_by_key(|(_, first, _)| *first);
        let addresses = ranges.into_iter().flat_map(|(kind, first, count)| {
            (0..count).filter_map(move |index| Some((kind, ElementAddress(first.0.checked_add(index)?))))
        });
        addresses
            .filter(|(_, address)| *address >= start)
            .take(usize::from(count))
            .map(|(kind, address)| self.element(kind, address, &threaded))
            .collect()
    }

    fn element(&self, kind: ElementKind, address: ElementAddress, threaded: &impl Fn(u16) -> bool) -> Element {
        let place = self.layout.place(address);
        let row = place.and_then(|place| self.state.places.get(&place));
        let in_use = matches!(place, Some(Place::Drive(index)) if row.is_some() && threaded(index));
        Element {
            address,
            kind,
            barcode: row.and_then(|row| self.barcode(row.cartridge)),
            source: row.and_then(|row| row.source),
            accessible: !in_use,
            placed_by_operator: row.is_some_and(|row| row.placed_by_operator),
        }
    }
}

/// Every place that holds a cartridge exists.
pub(crate) fn check_topology(layout: &Layout, state: &State) -> Result<(), LibraryError> {
    for (place, row) in &state.places {
        if layout.address(*place).is_none() {
            let barcode = state.cartridges.get(&row.cartridge).map(|cartridge| cartridge.barcode.clone());
            if let Some(barcode) = barcode {
                return Err(LibraryError::Topology { barcode, place: *place, has: count(layout, *place) });
            }
        }
    }
    Ok(())
}

/// How many places of the kind there are, for messages.
pub(crate) fn count(layout: &Layout, place: Place) -> String {
    let (count, noun) = match place {
        Place::Slot(_) => (layout.slots, "slot"),
        Place::Io(_) => (layout.io_slots, "import/export slot"),
        Place::Drive(_) => (layout.drives, "drive"),
    };
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The addresses of the four kinds fit into 16 bits and do not overlap; there is a drive at least.
pub(crate) fn check_layout(layout: &Layout) -> Result<(), LibraryError> {
    use ElementKind::{DataTransfer, ImportExport, MediumTransport, Storage};
    let mut ranges = Vec::new();
    for kind in [MediumTransport, ImportExport, DataTransfer, Storage] {
        let (first, count) = layout.range(kind);
        let end = u32::from(first.0) + u32::from(count);
        if end > 0x1_0000 {
            return Err(LibraryError::Layout(format!("{count} elements from {first} on exceed 65535")));
        }
        ranges.push((u32::from(first.0), end));
    }
    ranges.retain(|(first, end)| first < end);
    ranges.sort_unstable();
    for (one, next) in ranges.iter().zip(ranges.iter().skip(1)) {
        if one.1 > next.0 {
            return Err(LibraryError::Layout(format!(
                "elements {} to {} overlap those from {} on",
                one.0,
                one.1 - 1,
                next.0
            )));
        }
    }
    if layout.drives == 0 || layout.slots == 0 {
        return Err(LibraryError::Layout("a library has at least one drive and one slot".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
