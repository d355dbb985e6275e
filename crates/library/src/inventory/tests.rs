//! Layouts, elements and plans.

use std::collections::BTreeMap;

use capstan_catalog::{CartridgeState, PlaceRow};
use capstan_media::MoveRefused;

use super::*;
use crate::options::l700_layout;

fn id(number: u8) -> CartridgeId {
    CartridgeId([number; 16])
}

/// Cartridges 1 and 2 in slots 1 and 2, 3 in drive 0 from slot 3, 4 in io 1; 5 nowhere and being deleted.
fn inventory() -> Inventory {
    let row = |number: u8, state| {
        let barcode = Barcode::new(&format!("T{number}")).unwrap();
        (id(number), CartridgeRow { barcode, capacity: 1 << 30, state, created: 0 })
    };
    let mut cartridges: BTreeMap<_, _> = (1..=4).map(|number| row(number, CartridgeState::Available)).collect();
    cartridges.extend([row(5, CartridgeState::Deleting)]);
    let place =
        |number: u8| PlaceRow { cartridge: id(number), source: None, placed_by_operator: false, threaded: false };
    let places = BTreeMap::from([
        (Place::Slot(1), place(1)),
        (Place::Slot(2), place(2)),
        (Place::Drive(0), PlaceRow { source: Some(ElementAddress(1002)), threaded: true, ..place(3) }),
        (Place::Io(1), PlaceRow { placed_by_operator: true, ..place(4) }),
    ]);
    Inventory::new(l700_layout(2, 4, 2), State { identity: None, cartridges, places })
}

fn address(place: Place) -> ElementAddress {
    l700_layout(2, 4, 2).address(place).unwrap()
}

fn apply(inventory: &mut Inventory, plan: &Plan) {
    inventory.apply(&plan.changes);
    inventory.state().check().unwrap();
}

#[test]
fn the_source_is_the_slot_that_a_cartridge_in_a_drive_came_from() {
    let mut inventory = inventory();
    let plan = inventory.plan_move(address(Place::Slot(2)), address(Place::Drive(1))).unwrap();
    apply(&mut inventory, &plan);
    let row = inventory.state().places[&Place::Drive(1)];
    assert_eq!((row.source, row.threaded), (Some(address(Place::Slot(2))), true));
    // From drive to drive or back into a slot the slot stays known.
    let plan = inventory.plan_move(address(Place::Drive(1)), address(Place::Slot(4))).unwrap();
    apply(&mut inventory, &plan);
    let row = inventory.state().places[&Place::Slot(4)];
    assert_eq!((row.source, row.threaded), (Some(address(Place::Slot(2))), false));
}

#[test]
fn elements_are_selected_by_kind_start_and_count() {
    let inventory = inventory();
    let all = inventory.elements(None, ElementAddress(0), u16::MAX, |drive| drive == 0);
    let addresses: Vec<u16> = all.iter().map(|element| element.address.0).collect();
    assert_eq!(addresses, [1, 10, 11, 500, 501, 1000, 1001, 1002, 1003]);
    let of = |address: u16| all.iter().find(|element| element.address.0 == address).unwrap();
    assert!(!of(500).accessible && of(501).accessible && of(1000).accessible);
    assert!(of(10).placed_by_operator && !of(11).placed_by_operator);
    let storage = inventory.elements(Some(ElementKind::Storage), ElementAddress(1001), 2, |_| false);
    assert_eq!(storage.iter().map(|element| element.address.0).collect::<Vec<_>>(), [1001, 1002]);
    assert!(inventory.elements(None, ElementAddress(2000), 9, |_| false).is_empty());
    assert!(inventory.elements(None, ElementAddress(0), 0, |_| false).is_empty());
}

#[test]
fn a_swap_leaves_both_in_one_place() {
    let mut inventory = inventory();
    let (slot, drive) = (address(Place::Slot(1)), address(Place::Drive(0)));
    let plan = inventory.plan_exchange(slot, drive, slot).unwrap();
    apply(&mut inventory, &plan);
    assert_eq!((inventory.at(Place::Slot(1)), inventory.at(Place::Drive(0))), (Some(id(3)), Some(id(1))));
    assert_eq!(inventory.state().places.len(), 4);
    assert_eq!(inventory.state().places[&Place::Slot(1)].source, Some(address(Place::Slot(3))));
}

#[test]
fn a_cartridge_in_another_state_is_not_loaded() {
    let mut inventory = inventory();
    let row = PlaceRow { cartridge: id(5), source: None, placed_by_operator: false, threaded: false };
    inventory.apply(&[Change::Place(Place::Slot(3), row)]);
    let refused = inventory.plan_move(address(Place::Slot(3)), address(Place::Drive(1)));
    assert!(matches!(refused, Err(MoveRefused::NotLoadable(barcode, _)) if barcode.as_str() == "T5"));
}

#[test]
fn layouts_that_do_not_work_are_refused() {
    assert!(check_layout(&l700_layout(10, 100, 10)).is_ok());
    assert!(check_layout(&l700_layout(490, 60_000, 0)).is_ok());
    assert!(check_layout(&l700_layout(501, 100, 10)).is_err(), "drives run into slots");
    assert!(check_layout(&l700_layout(10, 64_537, 10)).is_err(), "slots run over the end");
    assert!(check_layout(&l700_layout(10, 64_536, 10)).is_ok());
    assert!(check_layout(&l700_layout(0, 100, 10)).is_err());
    assert!(check_layout(&l700_layout(10, 0, 10)).is_err());
    assert!(check_layout(&Layout { transport_base: 15, ..l700_layout(1, 1, 10) }).is_err());
}
