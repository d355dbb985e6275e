//! A move or an exchange, checked against the inventory: what moves, and which rows of the catalog say so.

use capstan_catalog::{CartridgeState, Change, PlaceRow};
use capstan_media::{Barcode, CartridgeId, ElementAddress, MoveRefused, Place};

use super::Inventory;

/// One cartridge on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Relocation {
    pub(crate) cartridge: CartridgeId,
    pub(crate) barcode: Barcode,
    /// `None` where no element held it.
    pub(crate) from: Option<Place>,
    pub(crate) to: Place,
}

/// What a move comes to. All of it is one commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Plan {
    pub(crate) relocations: Vec<Relocation>,
    pub(crate) changes: Vec<Change>,
}

impl Inventory {
    /// MOVE MEDIUM, by the robot for a host.
    pub(crate) fn plan_move(&self, source: ElementAddress, destination: ElementAddress) -> Result<Plan, MoveRefused> {
        let (from, to) = (self.place(source)?, self.place(destination)?);
        let moving = self.relocation(from, to)?;
        if self.at(to).is_some() {
            return Err(MoveRefused::DestinationFull(destination));
        }
        self.plan(vec![moving], false)
    }

    /// EXCHANGE MEDIUM: both move or neither does. The second destination may be the source. [SMC-3 6.1]
    pub(crate) fn plan_exchange(
        &self,
        source: ElementAddress,
        first_destination: ElementAddress,
        second_destination: ElementAddress,
    ) -> Result<Plan, MoveRefused> {
        let (from, first, second) =
            (self.place(source)?, self.place(first_destination)?, self.place(second_destination)?);
        if from == first {
            return Err(MoveRefused::DestinationFull(first_destination));
        }
        let moving = self.relocation(from, first)?;
        let making_room = self.relocation(first, second)?;
        if second != from && self.at(second).is_some() {
            return Err(MoveRefused::DestinationFull(second_destination));
        }
        self.plan(vec![moving, making_room], false)
    }

    /// A move for an operator: into an import/export slot as if it had been put there by hand.
    pub(crate) fn plan_for_operator(&self, relocation: Relocation) -> Result<Plan, MoveRefused> {
        self.plan(vec![relocation], true)
    }

    fn place(&self, address: ElementAddress) -> Result<Place, MoveRefused> {
        self.layout.place(address).ok_or(MoveRefused::InvalidElement(address))
    }

    fn relocation(&self, from: Place, to: Place) -> Result<Relocation, MoveRefused> {
        let address = self.layout.address(from).unwrap_or(ElementAddress(0));
        let cartridge = self.at(from).ok_or(MoveRefused::SourceEmpty(address))?;
        let barcode = self.barcode(cartridge).ok_or(MoveRefused::SourceEmpty(address))?;
        Ok(Relocation { cartridge, barcode, from: Some(from), to })
    }

    /// The rows that change. Places are emptied before others are filled, so that an exchange ends as it should.
    fn plan(&self, relocations: Vec<Relocation>, by_operator: bool) -> Result<Plan, MoveRefused> {
        let mut changes: Vec<Change> =
            relocations.iter().filter_map(|moving| moving.from.map(Change::PlaceEmpty)).collect();
        for moving in &relocations {
            let drive = matches!(moving.to, Place::Drive(_));
            if drive {
                self.check_loadable(moving)?;
            }
            let row = PlaceRow {
                cartridge: moving.cartridge,
                source: self.source(moving.from),
                placed_by_operator: by_operator && matches!(moving.to, Place::Io(_)),
                threaded: drive,
            };
            changes.push(Change::Place(moving.to, row));
        }
        Ok(Plan { relocations, changes })
    }

    /// The storage element that a cartridge comes from: of one in a drive, the one before that, which is where
    /// `mtx unload` puts it back to.
    fn source(&self, from: Option<Place>) -> Option<ElementAddress> {
        match from? {
            drive @ Place::Drive(_) => self.state.places.get(&drive).and_then(|row| row.source),
            from => self.layout.address(from),
        }
    }

    fn check_loadable(&self, moving: &Relocation) -> Result<(), MoveRefused> {
        use CartridgeState::{Available, Recovered, Retrieved};
        match self.cartridge(moving.cartridge).map(|row| row.state) {
            Some(Available | Retrieved | Recovered) => Ok(()),
            Some(state) => Err(MoveRefused::NotLoadable(moving.barcode.clone(), format!("it is {state}"))),
            None => Err(MoveRefused::NotLoadable(moving.barcode.clone(), "it is not listed".to_owned())),
        }
    }
}
