//! What is planned for every contradiction between what was known and what lies on the disk.

use capstan_cartridge::{CartridgeError, Facts};
use capstan_catalog::{CartridgeRow, CartridgeState, IdentityRow, PlaceRow, State};
use capstan_media::{Barcode, CartridgeId, ElementAddress, Layout, Place};

use super::plan::{OnDisk, Planned, plan};
use super::{Base, RemarkKind};
use crate::options::l700_layout;

const NOW: u64 = 1_900_000_000;
const CATALOG: Base = Base::Catalog { revision: 5 };
const DOUBTFUL: Base = Base::Mirror { revision: 5, certain: false };

fn id(number: u8) -> CartridgeId {
    CartridgeId([number; 16])
}

fn facts(number: u8, barcode: &str) -> Facts {
    Facts {
        id: id(number),
        barcode: Barcode::new(barcode).unwrap(),
        capacity: 1 << 30,
        used: 0,
        objects: 0,
        filemarks: 0,
        protected: false,
        fenced: false,
        clean: true,
    }
}

fn row(barcode: &str) -> CartridgeRow {
    let barcode = Barcode::new(barcode).unwrap();
    CartridgeRow { barcode, capacity: 1 << 30, state: CartridgeState::Available, created: 7 }
}

fn holds(number: u8) -> PlaceRow {
    PlaceRow { cartridge: id(number), source: None, placed_by_operator: false, threaded: false }
}

/// Cartridges 1 to 3: in slot 2, in an import/export slot, in a drive.
fn known() -> State {
    let loaded = PlaceRow { source: Some(ElementAddress(1004)), threaded: true, ..holds(3) };
    State {
        identity: Some(IdentityRow { uuid: [9; 16], created: 1, stocked: true }),
        cartridges: [(id(1), row("ONE")), (id(2), row("TWO")), (id(3), row("THREE"))].into(),
        places: [
            (Place::Slot(2), holds(1)),
            (Place::Io(1), PlaceRow { placed_by_operator: true, ..holds(2) }),
            (Place::Drive(0), loaded),
        ]
        .into(),
    }
}

fn on_disk(cartridges: Vec<(u8, Result<Facts, CartridgeError>)>) -> OnDisk {
    let cartridges = cartridges.into_iter().map(|(number, facts)| (id(number), facts)).collect();
    OnDisk { directory: "cartridges".into(), cartridges }
}

fn all_on_disk() -> Vec<(u8, Result<Facts, CartridgeError>)> {
    vec![(1, Ok(facts(1, "ONE"))), (2, Ok(facts(2, "TWO"))), (3, Ok(facts(3, "THREE")))]
}

fn damaged() -> CartridgeError {
    CartridgeError::Corrupt { path: "f".into(), offset: 0, what: "bad".to_owned() }
}

fn layout(slots: u16) -> Layout {
    l700_layout(2, slots, 2)
}

fn planned(known: &State, base: &Base, disk: OnDisk, slots: u16) -> Planned {
    let planned = plan(Some(known), base, disk, &layout(slots), NOW, [5; 16]);
    assert_eq!(planned.state.check(), Ok(()));
    planned
}

fn kinds(planned: &Planned) -> Vec<(RemarkKind, Option<&str>)> {
    planned.remarks.iter().map(|remark| (remark.kind, remark.barcode.as_deref())).collect()
}

#[test]
fn what_agrees_stays_as_it_was() {
    let planned = planned(&known(), &CATALOG, on_disk(all_on_disk()), 4);
    assert_eq!(planned.state, known());
    assert_eq!(planned.remarks, []);
}

#[test]
fn a_cartridge_without_files_or_with_bad_ones_stays_where_it_was() {
    let disk = on_disk(vec![(1, Err(damaged())), (3, Ok(facts(3, "THREE")))]);
    let planned = planned(&known(), &CATALOG, disk, 4);
    assert_eq!(planned.state, known());
    assert_eq!(kinds(&planned), [(RemarkKind::Unreadable, Some("ONE")), (RemarkKind::NoFiles, Some("TWO"))]);
    assert_eq!(planned.remarks[0].place, Some(Place::Slot(2)));
}

#[test]
fn what_was_not_known_goes_into_the_first_free_slots() {
    let mut disk = all_on_disk();
    disk.extend([(7, Ok(facts(7, "ZULU"))), (8, Ok(facts(8, "ALPHA"))), (9, Err(damaged()))]);
    let planned = planned(&known(), &CATALOG, on_disk(disk), 3);
    let at = |place| planned.state.places.get(&place).map(|row| row.cartridge);
    assert_eq!((at(Place::Slot(1)), at(Place::Slot(2)), at(Place::Slot(3))), (Some(id(8)), Some(id(1)), Some(id(7))));
    let zulu = &planned.state.cartridges[&id(7)];
    assert_eq!((zulu.state, zulu.created, zulu.capacity), (CartridgeState::Recovered, NOW, 1 << 30));
    let found = RemarkKind::Found;
    assert_eq!(kinds(&planned), [(found, Some("ZULU")), (found, Some("ALPHA")), (RemarkKind::Unreadable, None)]);
    assert_eq!(planned.remarks[0].place, Some(Place::Slot(3)));
    assert!(planned.remarks[2].what.contains("stays in cartridges"), "{}", planned.remarks[2].what);
}

#[test]
fn without_a_free_slot_a_cartridge_is_listed_nowhere() {
    let mut disk = all_on_disk();
    disk.extend([(7, Ok(facts(7, "X"))), (8, Ok(facts(8, "Y")))]);
    let planned = planned(&known(), &CATALOG, on_disk(disk), 2);
    assert_eq!(planned.state.cartridges.len(), 5);
    assert_eq!(planned.state.places.len(), 4);
    let expected = [(RemarkKind::Found, Some("X")), (RemarkKind::Found, Some("Y")), (RemarkKind::NoPlace, Some("Y"))];
    assert_eq!(kinds(&planned), expected);
}

#[test]
fn of_two_with_one_label_both_are_listed() {
    let mut disk = all_on_disk();
    disk.extend([(7, Ok(facts(7, "TWO"))), (8, Ok(facts(8, "TWO")))]);
    let planned = planned(&known(), &CATALOG, on_disk(disk), 9);
    let label = |number| planned.state.cartridges[&id(number)].barcode.as_str().to_owned();
    assert_eq!((label(2), label(7), label(8)), ("TWO".to_owned(), "TWO-2".to_owned(), "TWO-3".to_owned()));
    assert_eq!(planned.remarks.iter().filter(|remark| remark.kind == RemarkKind::SameBarcode).count(), 2);
    // It is so again when it is done again.
    let mut disk = all_on_disk();
    disk.extend([(7, Ok(facts(7, "TWO"))), (8, Ok(facts(8, "TWO")))]);
    let again = plan(Some(&planned.state), &CATALOG, on_disk(disk), &layout(9), NOW + 1, [5; 16]);
    assert_eq!((again.state, again.remarks), (planned.state, vec![]));
}

#[test]
fn a_label_of_full_length_makes_room_for_the_number() {
    let long = "L".repeat(32);
    let disk = vec![(7, Ok(facts(7, &long))), (8, Ok(facts(8, &long)))];
    let planned = plan(None, &Base::Cartridges, on_disk(disk), &layout(9), NOW, [5; 16]);
    assert_eq!(planned.state.cartridges[&id(8)].barcode.as_str(), format!("{}-2", "L".repeat(30)));
}

#[test]
fn places_that_contradict_each_other_are_told_and_nothing_is_lost() {
    let mut known = known();
    known.places.insert(Place::Slot(4), holds(3));
    known.places.insert(Place::Slot(3), holds(6));
    let planned = planned(&known, &Base::Contradictory, on_disk(all_on_disk()), 4);
    // A slot comes before a drive.
    let at = |place| planned.state.places.get(&place).map(|row| row.cartridge);
    assert_eq!((at(Place::Slot(4)), at(Place::Drive(0)), at(Place::Slot(3))), (Some(id(3)), None, None));
    assert_eq!(planned.state.cartridges.len(), 3);
    let place = RemarkKind::Place;
    assert_eq!(kinds(&planned), [(RemarkKind::Uncertain, None), (place, None), (place, Some("THREE"))]);
}

#[test]
fn a_size_is_what_the_cartridge_says() {
    let mut disk = all_on_disk();
    disk[0].1 = Ok(Facts { capacity: 2 << 30, ..facts(1, "ONE") });
    let planned = planned(&known(), &CATALOG, on_disk(disk), 4);
    assert_eq!(planned.state.cartridges[&id(1)].capacity, 2 << 30);
    assert_eq!(kinds(&planned), [(RemarkKind::Corrected, Some("ONE"))]);
}

#[test]
fn what_was_being_made_is_kept_if_it_may_be_in_use() {
    let mut known = known();
    known.cartridges.get_mut(&id(1)).unwrap().state = CartridgeState::Creating;
    let state = |planned: &Planned| planned.state.cartridges[&id(1)].state;
    assert_eq!(state(&planned(&known, &CATALOG, on_disk(all_on_disk()), 4)), CartridgeState::Creating);
    assert_eq!(state(&planned(&known, &DOUBTFUL, on_disk(all_on_disk()), 4)), CartridgeState::Recovered);
    let mut disk = all_on_disk();
    disk[0].1 = Ok(Facts { objects: 1, ..facts(1, "ONE") });
    assert_eq!(state(&planned(&known, &CATALOG, on_disk(disk), 4)), CartridgeState::Recovered);
}

#[test]
fn with_nothing_but_cartridges_there_is_a_new_identity() {
    let planned = plan(None, &Base::Cartridges, on_disk(all_on_disk()), &layout(4), NOW, [5; 16]);
    assert_eq!(planned.state.identity, Some(IdentityRow { uuid: [5; 16], created: NOW, stocked: true }));
    let slots: Vec<_> = planned.state.places.iter().map(|(place, row)| (*place, row.cartridge)).collect();
    assert_eq!(slots, [(Place::Slot(1), id(1)), (Place::Slot(2), id(3)), (Place::Slot(3), id(2))], "by label");
    assert_eq!(planned.remarks[0].kind, RemarkKind::NewIdentity);
}
