//! The power goes at every few calls of a script; after each loss every cartridge is in exactly one place, the one
//! that was answered or, of the operation that was cut, the one before or after it, and what was synchronised is there.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use capstan_disk::{Disk, Loss, SimDisk, SimFault};
use capstan_library::{CreateTapes, FirstStart, Labels, Library, LibraryOptions, l700_layout};
use capstan_media::{MIN_CARTRIDGE_SIZE, Place};

use crate::bench::{DRIVE, SLOT, barcode};
use crate::host::{Host, sense};

/// A step of the script, with what it does to the world.
#[derive(Clone, Copy, Debug)]
enum Op {
    Move(u16, u16),
    Exchange(u16, u16, u16),
    Write(u16, &'static str),
    Filemark(u16),
    Create(&'static str),
    Delete(&'static str),
    Protect(&'static str, bool),
}

const SCRIPT: [Op; 18] = [
    Op::Move(SLOT, DRIVE),
    Op::Write(0, "one"),
    Op::Filemark(0),
    Op::Move(SLOT + 1, DRIVE + 1),
    Op::Write(1, "other"),
    Op::Write(0, "two"),
    Op::Exchange(DRIVE, DRIVE + 1, DRIVE),
    Op::Create("NEW"),
    Op::Protect("CAP003L8", true),
    Op::Exchange(SLOT + 2, DRIVE, SLOT + 2),
    Op::Move(DRIVE + 1, SLOT + 6),
    Op::Delete("NEW"),
    Op::Move(SLOT + 6, 10),
    Op::Protect("CAP003L8", false),
    Op::Create("NEXT"),
    Op::Move(DRIVE, SLOT + 5),
    Op::Move(10, DRIVE),
    Op::Write(0, "tail"),
];

/// What has to be: places by address, and what is on each cartridge with how much of it is durable.
#[derive(Clone, PartialEq, Eq, Debug)]
struct World {
    places: BTreeMap<u16, String>,
    contents: BTreeMap<String, (Vec<Option<&'static str>>, usize)>,
    protected: BTreeMap<String, bool>,
}

impl World {
    fn first() -> Self {
        let labels = ["CAP001L8", "CAP002L8", "CAP003L8"].map(str::to_owned);
        Self {
            places: (SLOT..).zip(labels.clone()).collect(),
            contents: labels.clone().into_iter().map(|label| (label, (Vec::new(), 0))).collect(),
            protected: labels.into_iter().map(|label| (label, false)).collect(),
        }
    }

    /// What leaves a drive is durable, and the drive loses its place on it: writing goes on at the beginning.
    fn take(&mut self, address: u16) -> String {
        let label = self.places.remove(&address).unwrap();
        let (objects, durable) = self.contents.get_mut(&label).unwrap();
        *durable = objects.len();
        label
    }

    fn after(&self, op: Op) -> Self {
        let mut next = self.clone();
        match op {
            Op::Move(from, to) => {
                let label = next.take(from);
                next.places.insert(to, label);
            }
            Op::Exchange(from, first, second) => {
                let (moving, making_room) = (next.take(from), next.take(first));
                next.places.insert(first, moving);
                next.places.insert(second, making_room);
            }
            Op::Write(drive, text) => next.append(drive, Some(text), false),
            Op::Filemark(drive) => next.append(drive, None, true),
            Op::Create(label) => {
                let free = (SLOT..).find(|slot| !next.places.contains_key(slot)).unwrap();
                next.places.insert(free, label.to_owned());
                next.contents.insert(label.to_owned(), (Vec::new(), 0));
                next.protected.insert(label.to_owned(), false);
            }
            Op::Delete(label) => {
                next.places.retain(|_, holds| holds != label);
                next.contents.remove(label);
                next.protected.remove(label);
            }
            Op::Protect(label, protected) => {
                next.protected.insert(label.to_owned(), protected);
            }
        }
        next
    }

    fn append(&mut self, drive: u16, object: Option<&'static str>, synchronise: bool) {
        let label = &self.places[&(DRIVE + drive)];
        let (objects, durable) = self.contents.get_mut(label).unwrap();
        objects.push(object);
        if synchronise {
            *durable = objects.len();
        }
    }
}

struct Site {
    disk: SimDisk,
    options: LibraryOptions,
    runtime: tokio::runtime::Runtime,
}

impl Site {
    fn new() -> Self {
        let mut options = LibraryOptions::new(PathBuf::from("/state"));
        options.layout = l700_layout(2, 8, 2);
        options.tape_size = MIN_CARTRIDGE_SIZE;
        options.first_start = FirstStart { count: 3, size: MIN_CARTRIDGE_SIZE, prefix: "CAP".to_owned() };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { disk: SimDisk::new(), options, runtime }
    }

    fn start(&self) -> Option<Library> {
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        Library::start(&self.options, disk).ok()
    }

    /// Runs the script until something fails. Returns the last world that was answered, and the one that was asked for.
    fn run(&self, library: &Library) -> (World, Option<World>) {
        let routers = library.routers();
        let mut hosts: Vec<Host> = routers.iter().take(3).map(|(_, router)| Host::new(router, 1)).collect();
        let mut world = World::first();
        for op in SCRIPT {
            let next = world.after(op);
            if !self.perform(library, &mut hosts, op) {
                return (world, Some(next));
            }
            world = next;
        }
        (world, None)
    }

    fn perform(&self, library: &Library, hosts: &mut [Host], op: Op) -> bool {
        let librarian = library.librarian();
        for host in &mut *hosts {
            host.attentions();
        }
        let drive = |index: u16| usize::from(index) + 1;
        match op {
            Op::Move(from, to) => sense(&hosts[0].move_medium(from, to)).is_none(),
            Op::Exchange(from, first, second) => sense(&hosts[0].exchange(from, first, second)).is_none(),
            Op::Write(index, text) => {
                let host = &mut hosts[drive(index)];
                sense(&host.run(&[0x11, 3, 0, 0, 0, 0], &[])).is_none() && sense(&host.write(text.as_bytes())).is_none()
            }
            Op::Filemark(index) => sense(&hosts[drive(index)].run(&[0x10, 0, 0, 0, 1, 0], &[])).is_none(),
            Op::Create(label) => {
                let new = CreateTapes { labels: Labels::One(barcode(label)), size: None };
                self.runtime.block_on(librarian.create_tapes(new)).is_ok()
            }
            Op::Delete(label) => self.runtime.block_on(librarian.delete_tape(barcode(label))).is_ok(),
            Op::Protect(label, protected) => {
                self.runtime.block_on(librarian.set_protected(barcode(label), protected)).is_ok()
            }
        }
    }

    /// What is there after the loss, in terms of one of the allowed worlds.
    fn check(&self, library: &Library, allowed: &[&World], what: &str) {
        let tapes = self.runtime.block_on(library.librarian().tapes()).unwrap();
        let layout = self.options.layout;
        let places: BTreeMap<u16, String> = tapes
            .iter()
            .map(|tape| (layout.address(tape.place.unwrap()).unwrap().0, tape.barcode.to_string()))
            .collect();
        assert_eq!(places.len(), tapes.len(), "{what}");
        let world = allowed.iter().find(|world| world.places == places);
        assert!(world.is_some(), "{what}: {places:?} is none of {allowed:#?}");
        for tape in tapes {
            let label = tape.barcode.to_string();
            assert!(tape.problem.is_none(), "{what}: {tape:?}");
            let states = allowed.iter().filter_map(|world| world.contents.get(&label));
            let durable = states.clone().map(|(_, durable)| *durable).min().unwrap();
            let written = states.map(|(objects, _)| objects).max_by_key(|objects| objects.len()).unwrap();
            let read = self.read(library, &label);
            assert!(read.len() >= durable && read.len() <= written.len(), "{what}: {label} holds {read:?}");
            let expected: Vec<Option<String>> =
                written.iter().take(read.len()).map(|object| object.map(str::to_owned)).collect();
            assert_eq!(read, expected, "{what}: {label}");
            let protected = self.runtime.block_on(library.librarian().tape(barcode(&label))).unwrap().protected;
            assert!(allowed.iter().any(|world| world.protected.get(&label) == Some(&protected)), "{what}: {label}");
        }
    }

    /// Everything on a cartridge, in its drive or in the first one, which is emptied for that.
    fn read(&self, library: &Library, label: &str) -> Vec<Option<String>> {
        let librarian = library.librarian();
        let place = self.runtime.block_on(librarian.tape(barcode(label))).unwrap().place.unwrap();
        let drive = if let Place::Drive(index) = place { index } else { 0 };
        if !matches!(place, Place::Drive(_)) {
            // Emptied for the one before, or holding another one.
            let _ = self.runtime.block_on(librarian.unload(0));
            self.runtime.block_on(librarian.load(barcode(label), Some(0))).unwrap();
        }
        let mut host = Host::new(&library.routers()[usize::from(drive) + 1].1, 9);
        host.attentions();
        host.rewind();
        let mut objects = Vec::new();
        loop {
            match host.read() {
                Ok(block) => objects.push(Some(String::from_utf8(block.to_vec()).unwrap())),
                Err((0, 0, 1)) => objects.push(None),
                Err(end) => {
                    assert_eq!(end, crate::host::END_OF_DATA);
                    return objects;
                }
            }
        }
    }
}

#[test]
fn the_power_goes_at_any_moment() {
    let site = Site::new();
    let library = site.start().unwrap();
    let before = site.disk.calls();
    let (world, failed) = site.run(&library);
    assert!(failed.is_none());
    let calls = site.disk.calls();
    library.shutdown();
    site.disk.restart(Loss::All);
    let library = site.start().unwrap();
    site.check(&library, &[&world], "a proper stop");
    drop(library);

    assert!(before > 20 && calls > before + 100, "{before}, {calls}");
    let mut finished = 0;
    for call in (1..=calls).step_by(3) {
        let loss = [Loss::All, Loss::Nothing, Loss::Random(call), Loss::Random(!call)][(call % 4) as usize];
        finished += u32::from(cut(call, loss));
    }
    assert!(finished < 20, "{finished} runs met no cut");
}

/// One run with a loss of power at a call; whether it came to the end nevertheless.
fn cut(call: u64, loss: Loss) -> bool {
    let site = Site::new();
    site.disk.fail_at(call, SimFault::PowerOff);
    let (world, next) = match site.start() {
        None => (World::first(), Some(World::first())),
        Some(library) => site.run(&library),
    };
    site.disk.restart(loss);
    let what = format!("call {call}, {loss:?}");
    let library = site.start().unwrap_or_else(|| panic!("{what}: it does not start"));
    let allowed: Vec<&World> = std::iter::once(&world).chain(&next).collect();
    site.check(&library, &allowed, &what);
    next.is_none()
}
