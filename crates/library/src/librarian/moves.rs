//! What operators ask of the robot.

use capstan_media::{Barcode, CartridgeId, MoveRefused, Place};

use super::actor::{Current, LibrarianActor};
use super::job::Job;
use super::request::Reply;
use super::robot::{Owner, RobotJob};
use crate::LibraryError;
use crate::inventory::{Plan, Relocation, count};
use crate::view::{DriveState, Moved};

impl LibrarianActor {
    /// Begins the job of an operator.
    pub(super) fn operator_move(&mut self, plan: Result<Plan, LibraryError>, reply: Reply<Moved>) {
        match plan {
            Ok(plan) => {
                self.stop_reading(&plan);
                let job = Job::relocate(&plan);
                self.current = Some(Current::robot(RobotJob::new(job, Some(plan), Owner::Operator(reply))));
            }
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    /// Hosts are told that something has moved that they did not move.
    pub(super) fn operator_moved(&mut self, moving: &Relocation) {
        let io = |place: Place| matches!(place, Place::Io(_));
        let changer = self.unit.server_mut();
        if io(moving.to) || moving.from.is_some_and(io) {
            changer.import_export_accessed();
        } else {
            changer.inventory_changed();
        }
    }

    pub(super) fn plan_operator_move(&self, from: Place, to: Place) -> Result<Plan, LibraryError> {
        self.existing(from)?;
        self.existing(to)?;
        let id = self.inventory.at(from).ok_or(LibraryError::Empty(from))?;
        self.plan_to(id, to)
    }

    pub(super) fn plan_load(&self, barcode: &Barcode, drive: Option<u16>) -> Result<Plan, LibraryError> {
        let (id, _) = self.inventory.find(barcode)?;
        if let Some(Place::Drive(holder)) = self.inventory.place_of(id) {
            if drive.is_none_or(|drive| drive == holder) {
                return Err(LibraryError::AlreadyIn(barcode.clone(), Place::Drive(holder)));
            }
            return Err(LibraryError::InDrive { barcode: barcode.clone(), drive: holder, action: "loaded from" });
        }
        let place = match drive {
            Some(drive) => self.existing(Place::Drive(drive))?,
            None => self.free_drive().ok_or(LibraryError::NoFreeDrive)?,
        };
        self.plan_to(id, place)
    }

    pub(super) fn plan_unload(&self, drive: u16) -> Result<Plan, LibraryError> {
        let from = self.existing(Place::Drive(drive))?;
        let id = self.inventory.at(from).ok_or(LibraryError::Empty(from))?;
        let row = self.inventory.state().places.get(&from);
        let source = row.and_then(|row| row.source).and_then(|address| self.inventory.layout().place(address));
        let home = source.filter(|place| matches!(place, Place::Slot(_)) && self.inventory.at(*place).is_none());
        self.plan_to(id, self.slot_or(home)?)
    }

    pub(super) fn plan_import(&self, barcode: &Barcode) -> Result<Plan, LibraryError> {
        let (id, _) = self.inventory.find(barcode)?;
        match self.inventory.place_of(id) {
            Some(Place::Io(_)) | None => self.plan_to(id, self.slot_or(None)?),
            Some(place) => Err(LibraryError::AlreadyIn(barcode.clone(), place)),
        }
    }

    fn plan_to(&self, id: CartridgeId, to: Place) -> Result<Plan, LibraryError> {
        if let Some(holder) = self.inventory.at(to) {
            let barcode = self.inventory.barcode(holder).ok_or(LibraryError::Stopped)?;
            return Err(LibraryError::Occupied { place: to, barcode });
        }
        let row = self.inventory.cartridge(id).ok_or(LibraryError::Stopped)?;
        let from = self.inventory.place_of(id);
        let relocation = Relocation { cartridge: id, barcode: row.barcode.clone(), from, to };
        self.inventory.plan_for_operator(relocation).map_err(|refused| match refused {
            MoveRefused::NotLoadable(barcode, _) => {
                LibraryError::WrongState { barcode, state: row.state.name(), action: "loaded" }
            }
            other => LibraryError::NotRecorded(other.to_string()),
        })
    }

    fn slot_or(&self, preferred: Option<Place>) -> Result<Place, LibraryError> {
        let slot = preferred.or_else(|| self.inventory.free_slots().next());
        slot.ok_or(LibraryError::NoFreeSlot { wanted: 1, free: 0 })
    }

    fn free_drive(&self) -> Option<Place> {
        let posts = (0_u16..).zip(&self.drives);
        let fit = |drive: u16, post: &super::actor::DrivePost| {
            let free = self.inventory.at(Place::Drive(drive)).is_none();
            free && post.adrift.is_none() && post.gauge.state() != DriveState::Failed
        };
        posts.filter(|(drive, post)| fit(*drive, post)).map(|(drive, _)| Place::Drive(drive)).next()
    }

    pub(super) fn existing(&self, place: Place) -> Result<Place, LibraryError> {
        let layout = self.inventory.layout();
        let exists = layout.address(place).is_some();
        exists.then_some(place).ok_or_else(|| LibraryError::UnknownPlace(place, count(layout, place)))
    }
}
