//! Making cartridges: all that were asked for, or none.
//!
//! Recorded as CREATING with their places first, then made on disk one a turn, so that questions and hosts get their
//! answers in between, then recorded as AVAILABLE in one commit. A start that finds CREATING removes them: nobody was
//! told that they exist.

use std::collections::BTreeSet;

use capstan_cartridge::{Cartridge, NewCartridge};
use capstan_catalog::{CartridgeRow, CartridgeState, Change, PlaceRow};
use capstan_media::{Barcode, CartridgeId, MIN_CARTRIDGE_SIZE, Place};
use capstan_store::Store;

use super::actor::{Current, LibrarianActor};
use super::request::Reply;
use super::tapes::gone;
use crate::LibraryError;
use crate::clock::unix_seconds;
use crate::events::{EventKind, Subject};
use crate::options::{DEFAULT_PREFIX, FirstStart};
use crate::view::{CreateTapes, Labels, TapeInfo};

/// What barcodes end with: LTO-8 media.
const SUFFIX: &str = "L8";

/// Numbers that barcodes get.
const MAX_NUMBER: u32 = 999_999;

/// A cartridge that is to be.
#[derive(Clone, Debug)]
pub(crate) struct NewTape {
    pub(crate) id: CartridgeId,
    pub(crate) row: CartridgeRow,
    pub(crate) place: Place,
}

/// Cartridges that are being made.
pub(super) struct Making {
    tapes: Vec<NewTape>,
    made: usize,
    reply: Reply<Vec<TapeInfo>>,
}

impl NewTape {
    pub(crate) fn new(barcode: Barcode, capacity: u64, place: Place) -> Self {
        let row = CartridgeRow { barcode, capacity, state: CartridgeState::Creating, created: unix_seconds() };
        Self { id: CartridgeId(uuid::Uuid::new_v4().into_bytes()), row, place }
    }

    /// The rows that say that it is being made.
    pub(crate) fn begin(&self) -> [Change; 2] {
        let place = PlaceRow { cartridge: self.id, source: None, placed_by_operator: false, threaded: false };
        [Change::Cartridge(self.id, self.row.clone()), Change::Place(self.place, place)]
    }

    /// The row that says that it is there.
    pub(crate) fn done(&self) -> Change {
        Change::Cartridge(self.id, CartridgeRow { state: CartridgeState::Available, ..self.row.clone() })
    }

    pub(crate) fn make(&self, store: &Store) -> Result<(), LibraryError> {
        let CartridgeRow { barcode, capacity, .. } = self.row.clone();
        Cartridge::create(store, NewCartridge { id: self.id, barcode: barcode.clone(), capacity })
            .map_err(|source| LibraryError::Cartridge { barcode, source })
    }
}

impl LibrarianActor {
    pub(super) fn create(&mut self, new: CreateTapes, reply: Reply<Vec<TapeInfo>>) {
        match self.begin_making(new) {
            Ok(tapes) => self.current = Some(Current::Making(Making { tapes, made: 0, reply })),
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    fn begin_making(&mut self, new: CreateTapes) -> Result<Vec<NewTape>, LibraryError> {
        let size = check_size(new.size.unwrap_or(self.tape_size))?;
        let taken = self.inventory.barcodes();
        let labels = match new.labels {
            Labels::One(barcode) if taken.contains(barcode.as_str()) => {
                return Err(LibraryError::BarcodeTaken(barcode));
            }
            Labels::One(barcode) => vec![barcode],
            Labels::Numbered { count, prefix } => {
                let most = u32::from(self.inventory.layout().slots);
                if count == 0 || count > most {
                    return Err(LibraryError::Count(count, most));
                }
                numbered(prefix.as_deref().unwrap_or(DEFAULT_PREFIX), count, &taken)?
            }
        };
        let slots: Vec<Place> = self.inventory.free_slots().take(labels.len()).collect();
        if slots.len() < labels.len() {
            let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
            return Err(LibraryError::NoFreeSlot { wanted: count(labels.len()), free: count(slots.len()) });
        }
        let tapes: Vec<NewTape> =
            labels.into_iter().zip(slots).map(|(barcode, place)| NewTape::new(barcode, size, place)).collect();
        let changes: Vec<Change> = tapes.iter().flat_map(NewTape::begin).collect();
        self.record(&changes)?;
        Ok(tapes)
    }

    /// Makes the next one, or concludes.
    pub(super) fn make_one(&mut self, mut making: Making) {
        let Some(tape) = making.tapes.get(making.made) else {
            let made = self.conclude(&making.tapes);
            drop(making.reply.send(made));
            return;
        };
        match tape.make(&self.store) {
            Ok(()) => {
                making.made = making.made.saturating_add(1);
                self.current = Some(Current::Making(making));
            }
            Err(error) => {
                self.unmake(&making.tapes);
                drop(making.reply.send(Err(error)));
            }
        }
    }

    fn conclude(&mut self, tapes: &[NewTape]) -> Result<Vec<TapeInfo>, LibraryError> {
        let changes: Vec<Change> = tapes.iter().map(NewTape::done).collect();
        if let Err(error) = self.record(&changes) {
            self.unmake(tapes);
            return Err(error.into());
        }
        for tape in tapes {
            self.inspect(tape.id);
            let text = format!("cartridge {} in {}", tape.id, tape.place);
            self.events.report(EventKind::Created, Subject::new(None, Some(&tape.row.barcode)), text);
        }
        self.unit.server_mut().inventory_changed();
        Ok(tapes.iter().filter_map(|tape| self.tape_info(tape.id)).collect())
    }

    /// Takes back what was begun; what fails is left to the next start.
    fn unmake(&mut self, tapes: &[NewTape]) {
        for tape in tapes {
            // Those that were not made yet are not there.
            let _ = capstan_cartridge::delete(&self.store, tape.id);
        }
        // The robot may have carried it elsewhere while it was being made.
        let changes: Vec<Change> =
            tapes.iter().flat_map(|tape| gone(tape.id, self.inventory.place_of(tape.id))).collect();
        if let Err(error) = self.record(&changes) {
            tracing::error!(%error, "cartridges that could not be made stay listed as CREATING until the next start");
        }
    }
}

/// The labels of the first start: numbers from 1.
pub(crate) fn first_labels(first: &FirstStart, taken: &BTreeSet<&str>) -> Result<Vec<Barcode>, LibraryError> {
    check_size(first.size)?;
    let missing = usize::from(first.count).saturating_sub(taken.len());
    numbered(&first.prefix, u32::try_from(missing).unwrap_or(u32::MAX), taken)
}

/// The lowest `count` numbers after `prefix` that are free.
fn numbered(prefix: &str, count: u32, taken: &BTreeSet<&str>) -> Result<Vec<Barcode>, LibraryError> {
    let wanted = usize::try_from(count).unwrap_or(usize::MAX);
    let labels = (1..=MAX_NUMBER).map(|number| format!("{prefix}{number:03}{SUFFIX}"));
    let free = labels.filter(|label| !taken.contains(label.as_str())).take(wanted);
    let labels: Result<Vec<Barcode>, _> = free.map(|label| Barcode::new(&label)).collect();
    labels.map_err(|error| LibraryError::Prefix(prefix.to_owned(), error.to_string()))
}

pub(super) fn check_size(size: u64) -> Result<u64, LibraryError> {
    if size < MIN_CARTRIDGE_SIZE { Err(LibraryError::TooSmall(size)) } else { Ok(size) }
}
