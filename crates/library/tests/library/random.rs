//! Random moves, loads, cartridges made and deleted, stops and deaths, against a map from element to label and what
//! is written on each cartridge.

use std::collections::{BTreeMap, BTreeSet};

use capstan_library::{CreateTapes, DriveState, Labels, LibraryError};
use capstan_media::Place;

use crate::bench::{Bench, barcode};
use crate::host::{END_OF_DATA, sense};

/// xorshift64*: the same numbers for the same seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % limit
    }
}

struct Model {
    /// What each element holds.
    places: BTreeMap<Place, String>,
    /// How many blocks each cartridge holds; block n says `label:n`.
    blocks: BTreeMap<String, u64>,
    protected: BTreeSet<String>,
}

#[test]
fn one_seed() {
    run(1, 600);
}

#[test]
fn another_seed() {
    run(2, 600);
}

#[test]
fn a_third_seed() {
    run(3, 600);
}

fn run(seed: u64, steps: u32) {
    let mut random = Random::new(seed);
    let mut bench = Bench::new();
    let mut model = Model { places: BTreeMap::new(), blocks: BTreeMap::new(), protected: BTreeSet::new() };
    for number in 1..=4 {
        model.places.insert(Place::Slot(number), format!("CAP{number:03}L8"));
        model.blocks.insert(format!("CAP{number:03}L8"), 0);
    }
    for step in 0..steps {
        match random.below(20) {
            0..=7 => host_move(&mut bench, &mut model, &mut random),
            8..=10 => operator_move(&bench, &mut model, &mut random),
            11 => create(&bench, &mut model),
            12 => delete(&bench, &mut model, &mut random),
            13 => protect(&bench, &mut model, &mut random),
            14..=16 => write(&mut bench, &mut model, &mut random),
            17 => exchange(&mut bench, &mut model, &mut random),
            18 => {
                bench.kill();
                bench.start();
            }
            _ => bench.restart(),
        }
        check(&mut bench, &model, seed, step);
    }
    read_all(&mut bench, &model);
}

fn any_place(random: &mut Random) -> Place {
    let number = random.below(12) as u16;
    match number {
        0..=7 => Place::Slot(number + 1),
        8 | 9 => Place::Io(number - 7),
        _ => Place::Drive(number - 10),
    }
}

fn any_label(model: &Model, random: &mut Random) -> Option<String> {
    let count = model.blocks.len() as u64;
    (count > 0).then(|| model.blocks.keys().nth(random.below(count) as usize).unwrap().clone())
}

fn address(bench: &Bench, place: Place) -> u16 {
    bench.options.layout.address(place).unwrap().0
}

fn host_move(bench: &mut Bench, model: &mut Model, random: &mut Random) {
    let (from, to) = (any_place(random), any_place(random));
    let (source, destination) = (address(bench, from), address(bench, to));
    let allowed = model.places.contains_key(&from) && !model.places.contains_key(&to);
    let mut changer = bench.changer();
    assert_eq!(sense(&changer.move_medium(source, destination)).is_none(), allowed, "{from} to {to}");
    if allowed {
        let label = model.places.remove(&from).unwrap();
        model.places.insert(to, label);
    }
}

fn operator_move(bench: &Bench, model: &mut Model, random: &mut Random) {
    let (from, to) = (any_place(random), any_place(random));
    let allowed = model.places.contains_key(&from) && !model.places.contains_key(&to);
    let moved = bench.ask(|librarian| async move { librarian.move_medium(from, to).await });
    assert_eq!(moved.is_ok(), allowed, "{from} to {to}: {moved:?}");
    if allowed {
        let label = model.places.remove(&from).unwrap();
        model.places.insert(to, label);
    }
}

fn exchange(bench: &mut Bench, model: &mut Model, random: &mut Random) {
    let (from, first) = (any_place(random), any_place(random));
    let second = if random.below(2) == 0 { from } else { any_place(random) };
    let addresses = [from, first, second].map(|place| address(bench, place));
    let holds = |place: &Place| model.places.contains_key(place);
    let allowed = holds(&from) && holds(&first) && from != first && (second == from || !holds(&second));
    let mut changer = bench.changer();
    let done = changer.exchange(addresses[0], addresses[1], addresses[2]);
    assert_eq!(sense(&done).is_none(), allowed, "{from}, {first}, {second}");
    if allowed {
        let (moving, making_room) = (model.places.remove(&from).unwrap(), model.places.remove(&first).unwrap());
        model.places.insert(first, moving);
        model.places.insert(second, making_room);
    }
}

fn create(bench: &Bench, model: &mut Model) {
    let new = CreateTapes { labels: Labels::Numbered { count: 1, prefix: None }, size: None };
    let made = bench.ask(|librarian| async move { librarian.create_tapes(new).await });
    let free = (1..=8).map(Place::Slot).find(|place| !model.places.contains_key(place));
    match (made, free) {
        (Ok(made), Some(place)) => {
            assert_eq!(made[0].place, Some(place));
            let label = made[0].barcode.to_string();
            assert_eq!(model.blocks.insert(label.clone(), 0), None);
            model.places.insert(place, label);
        }
        (Err(LibraryError::NoFreeSlot { .. }), None) => {}
        (made, free) => panic!("{made:?}, {free:?}"),
    }
}

fn delete(bench: &Bench, model: &mut Model, random: &mut Random) {
    let Some(label) = any_label(model, random) else { return };
    let place = *model.places.iter().find(|(_, holds)| **holds == label).unwrap().0;
    let allowed = !matches!(place, Place::Drive(_)) && !model.protected.contains(&label);
    let named = barcode(&label);
    let deleted = bench.ask(|librarian| async move { librarian.delete_tape(named).await });
    assert_eq!(deleted.is_ok(), allowed, "{label} in {place}: {deleted:?}");
    if allowed {
        model.places.remove(&place);
        model.blocks.remove(&label);
    }
}

fn protect(bench: &Bench, model: &mut Model, random: &mut Random) {
    let Some(label) = any_label(model, random) else { return };
    let protected = !model.protected.contains(&label);
    let named = barcode(&label);
    bench.ask(|librarian| async move { librarian.set_protected(named, protected).await }).unwrap();
    if protected {
        model.protected.insert(label);
    } else {
        model.protected.remove(&label);
    }
}

/// Appends to what a drive holds.
fn write(bench: &mut Bench, model: &mut Model, random: &mut Random) {
    let index = random.below(2) as u16;
    let Some(label) = model.places.get(&Place::Drive(index)).cloned() else { return };
    let mut drive = bench.drive(index);
    drive.good(&[0x11, 3, 0, 0, 0, 0], &[]);
    let count = random.below(4) + 1;
    for _ in 0..count {
        let number = model.blocks[&label];
        let written = sense(&drive.write(format!("{label}:{number}").as_bytes()));
        if model.protected.contains(&label) {
            assert_eq!(written, Some((7, 0x27, 0)));
        } else {
            assert_eq!(written, None);
            model.blocks.insert(label.clone(), number + 1);
        }
    }
    if random.below(2) == 0 {
        drive.good(&[0x10, 0, 0, 0, 0, 0], &[]);
    }
}

/// Every cartridge is in exactly the one place, and is what it should be.
fn check(bench: &mut Bench, model: &Model, seed: u64, step: u32) {
    for index in 0..2 {
        let loaded = model.places.contains_key(&Place::Drive(index));
        bench.wait_for(index, if loaded { DriveState::Loaded } else { DriveState::Empty });
    }
    let tapes = bench.ask(|librarian| async move { librarian.tapes().await }).unwrap();
    let places: BTreeMap<Place, String> =
        tapes.iter().map(|tape| (tape.place.expect("a place"), tape.barcode.to_string())).collect();
    assert_eq!(places, model.places, "seed {seed}, step {step}");
    let protected: BTreeSet<String> =
        tapes.iter().filter(|tape| tape.protected).map(|tape| tape.barcode.to_string()).collect();
    assert_eq!(model.protected, protected, "seed {seed}, step {step}");
    let seen: Vec<(u16, String)> = bench.inventory();
    let mut expected: Vec<(u16, String)> =
        model.places.iter().map(|(place, label)| (address(bench, *place), label.clone())).collect();
    expected.sort();
    assert_eq!(seen, expected, "seed {seed}, step {step}");
}

/// Reads each cartridge to its end: in its drive, or in the first one, in exchange for what that holds.
fn read_all(bench: &mut Bench, model: &Model) {
    let drive_0 = address(bench, Place::Drive(0));
    for (place, label) in &model.places {
        let at = address(bench, *place);
        let full = model.places.contains_key(&Place::Drive(0));
        let swap = |bench: &mut Bench, to_drive: bool| {
            let mut changer = bench.changer();
            let done = match (full, to_drive) {
                (true, _) => changer.exchange(at, drive_0, at),
                (false, true) => changer.move_medium(at, drive_0),
                (false, false) => changer.move_medium(drive_0, at),
            };
            assert_eq!(sense(&done), None);
        };
        let index = if let Place::Drive(index) = place { Some(*index) } else { None };
        if index.is_none() {
            swap(bench, true);
        }
        let mut drive = bench.drive(index.unwrap_or(0));
        drive.rewind();
        for number in 0..model.blocks[label] {
            assert_eq!(drive.read().unwrap(), format!("{label}:{number}").as_bytes());
        }
        assert_eq!(drive.read(), Err(END_OF_DATA));
        if index.is_none() {
            swap(bench, false);
        }
    }
}
