//! A library on a simulated disk: worked with until the power goes, and looked at afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capstan_disk::{Disk, Loss, SimDisk};
use capstan_library::{
    CartridgeOptions, CreateTapes, DriveState, FirstStart, Labels, Library, LibraryError, LibraryOptions,
    RecoverOptions, Remark, RemarkKind, l700_layout, recover,
};
use capstan_media::{Barcode, MIN_CARTRIDGE_SIZE, Place};

use crate::host::{END_OF_DATA, FILEMARK, Host, POSITION_LOST, sense};
use crate::script::{Op, SLOTS};
use crate::world::{DRIVES, Object, World, block};

pub struct Site {
    pub disk: SimDisk,
    options: LibraryOptions,
    runtime: tokio::runtime::Runtime,
}

/// How far a script came.
pub struct Run {
    /// As of the last answer.
    pub world: World,
    /// What the operation was about to make, if one was cut.
    pub next: Option<World>,
    /// The last operation, answered or not.
    pub last: Option<Op>,
    pub was_cut: bool,
}

fn barcode(label: &str) -> Barcode {
    Barcode::new(label).unwrap()
}

impl Site {
    pub fn new() -> Self {
        let mut options = LibraryOptions::new(PathBuf::from("/state"));
        options.layout = l700_layout(DRIVES, SLOTS, 2);
        options.tape_size = MIN_CARTRIDGE_SIZE;
        options.first_start = FirstStart { count: 3, size: MIN_CARTRIDGE_SIZE, prefix: "CAP".to_owned() };
        options.cartridge = CartridgeOptions { segment_size: 9000, unsynced_segments: 1, reserve: 0, versions: 3 };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { disk: SimDisk::new(), options, runtime }
    }

    pub fn start(&self) -> Option<Library> {
        self.try_start().ok()
    }

    fn try_start(&self) -> Result<Library, LibraryError> {
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        Library::start(&self.options, disk)
    }

    /// After a loss it has to start.
    fn starts(&self, what: &str) -> Library {
        self.try_start().unwrap_or_else(|error| panic!("{what}: the library does not start: {error}"))
    }

    /// Removes the catalog, and makes it again; `false` if the power goes on the way.
    pub fn recover(&self) -> bool {
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        let catalog = self.options.state_dir.join("catalog.redb");
        let removed = disk.remove_file(&catalog).is_ok();
        let options = RecoverOptions {
            state_dir: self.options.state_dir.clone(),
            cartridge_dir: None,
            layout: self.options.layout,
            dry_run: false,
        };
        match recover(&options, &disk) {
            Ok(recovery) => {
                assert!(recovery.written || !removed, "{recovery:?}");
                // A change that was being written may be torn; which was answered before it is known all the same.
                let told = |remark: &Remark| matches!(remark.kind, RemarkKind::Uncertain | RemarkKind::Corrected);
                assert!(recovery.remarks.iter().all(told), "{:?}", recovery.remarks);
                true
            }
            // The power went before there was a library.
            Err(LibraryError::NothingToRecover(_)) => {
                for number in 0..2 {
                    let _ = disk.remove_file(&self.options.state_dir.join(format!("library.state.{number}")));
                }
                true
            }
            Err(error) => {
                assert!(self.disk.is_off(), "{error}");
                false
            }
        }
    }

    /// Starts, works until something fails, and stops.
    pub fn run(&self, script: &[Op]) -> Run {
        let mut world = World::first();
        let Some(library) = self.start() else {
            return Run { next: Some(world.clone()), world, last: None, was_cut: true };
        };
        let mut last = None;
        let routers = library.routers(None);
        let mut hosts: Vec<Host> = routers.iter().map(|(_, router)| Host::new(router, 1)).collect();
        for op in script {
            let mut next = world.begin(op);
            let done = self.perform(&library, &mut hosts, op);
            // Whatever the librarian does behind the answer is done when it answers this.
            let _ = self.runtime.block_on(library.librarian().statistics());
            if !done {
                return Run { world, next: Some(next), last: Some(op.clone()), was_cut: self.disk.is_off() };
            }
            next.finish(&world, op);
            world = next;
            if self.disk.is_off() {
                return Run { world, next: None, last: Some(op.clone()), was_cut: true };
            }
            last = Some(op.clone());
        }
        library.shutdown();
        Run { world, next: None, last, was_cut: self.disk.is_off() }
    }

    fn perform(&self, library: &Library, hosts: &mut [Host], op: &Op) -> bool {
        let librarian = library.librarian();
        for host in &mut *hosts {
            host.attentions();
        }
        let drive = |index: &u16| usize::from(*index) + 1;
        let good = |completion| sense(&completion).is_none();
        match op {
            Op::Move(from, to) => good(hosts[0].move_medium(*from, *to)),
            Op::Exchange(from, first, second) => good(hosts[0].exchange(*from, *first, *second)),
            Op::Write(index, number, length) => good(hosts[drive(index)].write(&block(*number, *length))),
            Op::Filemarks(index, count, immediate) => {
                good(hosts[drive(index)].run(&[0x10, u8::from(*immediate), 0, 0, *count, 0], &[]))
            }
            Op::Locate(index, object) => {
                let [a, b, c, d] = (*object as u32).to_be_bytes();
                good(hosts[drive(index)].run(&[0x2b, 0, 0, a, b, c, d, 0, 0, 0], &[]))
            }
            Op::EndOfData(index) => good(hosts[drive(index)].run(&[0x11, 3, 0, 0, 0, 0], &[])),
            Op::Erase(index) => good(hosts[drive(index)].run(&[0x19, 0, 0, 0, 0, 0], &[])),
            Op::Unload(index) => good(hosts[drive(index)].run(&[0x1b, 0, 0, 0, 0, 0], &[])),
            Op::Load(index) => good(hosts[drive(index)].run(&[0x1b, 0, 0, 0, 1, 0], &[])),
            Op::Create(label) => {
                let new = CreateTapes { labels: Labels::One(barcode(label)), size: None };
                self.runtime.block_on(librarian.create_tapes(new)).is_ok()
            }
            Op::Delete(label) => self.runtime.block_on(librarian.delete_tape(barcode(label))).is_ok(),
            Op::Protect(label, protected) => {
                self.runtime.block_on(librarian.set_protected(barcode(label), *protected)).is_ok()
            }
            Op::EraseTape(label) => self.runtime.block_on(librarian.erase_tape(barcode(label))).is_ok(),
        }
    }

    /// Starts after a loss, and compares everything with what may be.
    pub fn check(&self, run: &Run, loss: Loss, what: &str) {
        let library = self.starts(what);
        let what = format!("{what}, in {:?}", run.last);
        let allowed: Vec<&World> = std::iter::once(&run.world).chain(&run.next).collect();
        let places = self.places(&library);
        let found = allowed.iter().find(|world| world.places == places);
        assert!(found.is_some(), "{what}: places {places:?}, and not {:?}", allowed.iter().map(|world| &world.places));
        self.check_changer(&library, &places, &what);
        self.check_drives(&library, run, &allowed, &what);
        for label in places.values() {
            let reels: Vec<_> = allowed.iter().filter_map(|world| world.reels.get(label)).collect();
            let read = self.read(&library, label, &what);
            let may_be = |state: &[Object]| bytes(state) == read;
            let possible = reels.iter().any(|reel| {
                let states = if loss == Loss::Nothing { &reel.latest } else { &reel.possible };
                states.iter().any(|state| may_be(state))
            });
            if !possible {
                panic!("{what}: {label} holds {}, and not one of {:?}", shown(&read), states_of(&reels, loss));
            }
            let tape = self.runtime.block_on(library.librarian().tape(barcode(label))).unwrap();
            assert!(reels.iter().any(|reel| reel.protected == tape.protected), "{what}: protection of {label}");
        }
    }

    fn places(&self, library: &Library) -> BTreeMap<u16, String> {
        let tapes = self.runtime.block_on(library.librarian().tapes()).unwrap();
        let address = |place: Place| self.options.layout.address(place).unwrap().0;
        tapes.iter().map(|tape| (address(tape.place.unwrap()), tape.barcode.to_string())).collect()
    }

    /// What the changer shows, what is listed, and what lies on the disk are the same.
    fn check_changer(&self, library: &Library, places: &BTreeMap<u16, String>, what: &str) {
        let tapes = self.runtime.block_on(library.librarian().tapes()).unwrap();
        assert_eq!(tapes.len(), places.len(), "{what}: one place each");
        for tape in &tapes {
            assert!(tape.problem.is_none(), "{what}: {tape:?}");
        }
        let mut changer = Host::new(&library.routers(None)[0].1, 8);
        changer.attentions();
        let seen: BTreeMap<u16, String> =
            changer.elements().into_iter().filter_map(|one| Some((one.address, one.barcode?))).collect();
        assert_eq!(&seen, places, "{what}: READ ELEMENT STATUS");
        let root = Path::new("/state/cartridges/tapes");
        let fans = self.disk.list(root).unwrap();
        let on_disk: BTreeSet<String> = fans
            .iter()
            .flat_map(|fan| self.disk.list(&root.join(&fan.name)).unwrap())
            .map(|entry| entry.name)
            .collect();
        let listed: BTreeSet<String> = tapes.iter().map(|tape| tape.id.to_string()).collect();
        assert_eq!(on_disk, listed, "{what}: cartridges on the disk");
    }

    /// A cartridge that was threaded is so again, and its position is lost. That a host has just threaded it, or
    /// unthreaded it, is recorded after the answer: this alone may be forgotten.
    fn check_drives(&self, library: &Library, run: &Run, allowed: &[&World], what: &str) {
        for drive in 0..DRIVES {
            let forgettable = [Some(Op::Load(drive)), Some(Op::Unload(drive))].contains(&run.last);
            let mut host = Host::new(&library.routers(None)[usize::from(drive) + 1].1, 7);
            host.attentions();
            let infos = self.runtime.block_on(library.librarian().drives()).unwrap();
            let state = infos[usize::from(drive)].state;
            let loaded = state == DriveState::Loaded;
            let threaded: Vec<bool> = allowed.iter().map(|world| world.heads[usize::from(drive)].is_some()).collect();
            let known = threaded.iter().all(|threaded| *threaded) && !forgettable;
            assert!(loaded || !known, "{what}: drive {drive} is {state:?}");
            if loaded {
                assert_eq!(host.read(), Err(POSITION_LOST), "{what}: READ");
                assert_eq!(sense(&host.write(b"stray")), Some(POSITION_LOST), "{what}: WRITE");
                host.fails(&[0x10, 0, 0, 0, 1, 0], &[], POSITION_LOST);
            }
        }
    }

    /// Everything on a cartridge, in its drive or in the first one, which is emptied for that.
    fn read(&self, library: &Library, label: &str, what: &str) -> Vec<Option<Vec<u8>>> {
        let drive = self.mount(library, label, what);
        let mut host = Host::new(&library.routers(None)[usize::from(drive) + 1].1, 9);
        host.attentions();
        if host.run(&[0; 6], &[]).status != capstan_scsi::sam::Status::GOOD {
            host.load();
            host.attentions();
        }
        host.rewind();
        let mut objects = Vec::new();
        loop {
            match host.read() {
                Ok(block) => objects.push(Some(block.to_vec())),
                Err(FILEMARK) => objects.push(None),
                Err(end) => {
                    assert_eq!(end, END_OF_DATA, "{what}: READ of object {} of {label}", objects.len());
                    return objects;
                }
            }
        }
    }

    fn mount(&self, library: &Library, label: &str, what: &str) -> u16 {
        let librarian = library.librarian();
        let place = self.runtime.block_on(librarian.tape(barcode(label))).unwrap().place.unwrap();
        if let Place::Drive(index) = place {
            return index;
        }
        // Emptied for the one before, or holding another one.
        let _ = self.runtime.block_on(librarian.unload(0));
        let loaded = self.runtime.block_on(librarian.load(barcode(label), Some(0)));
        assert!(loaded.is_ok(), "{what}: {label}: {loaded:?}");
        0
    }

    /// After what was found: a block is appended and made durable on each tape, and survives another loss.
    pub fn goes_on(&self, what: &str) {
        let library = self.starts(what);
        let mut expected = BTreeMap::new();
        for label in self.places(&library).into_values() {
            let protected = self.runtime.block_on(library.librarian().tape(barcode(&label))).unwrap().protected;
            let mut objects = self.read(&library, &label, what);
            let drive = self.mount(&library, &label, what);
            let mut host = Host::new(&library.routers(None)[usize::from(drive) + 1].1, 10);
            host.attentions();
            if !protected {
                let added = block(99, 1500);
                host.write_good(&added);
                host.filemarks(1);
                objects.extend([Some(added), None]);
            }
            expected.insert(label, objects);
        }
        drop(library);
        self.disk.restart(Loss::All);
        let library = self.starts(what);
        for (label, objects) in expected {
            assert_eq!(shown(&self.read(&library, &label, what)), shown(&objects), "{what}: {label} after going on");
        }
    }
}

fn bytes(objects: &[Object]) -> Vec<Option<Vec<u8>>> {
    let bytes = |object: &Object| match object {
        Object::Block(number, length) => Some(block(*number, *length)),
        Object::Filemark => None,
    };
    objects.iter().map(bytes).collect()
}

fn states_of(reels: &[&crate::world::Reel], loss: Loss) -> Vec<String> {
    let states = reels.iter().flat_map(|reel| if loss == Loss::Nothing { &reel.latest } else { &reel.possible });
    states.map(|state| shown(&bytes(state))).collect()
}

/// Objects in short: number and length of blocks, and filemarks.
fn shown(objects: &[Option<Vec<u8>>]) -> String {
    let one = |object: &Option<Vec<u8>>| match object {
        Some(block) => format!("{:02x?}..({})", &block[..block.len().min(8)], block.len()),
        None => "mark".to_owned(),
    };
    format!("[{}]", objects.iter().map(one).collect::<Vec<_>>().join(" "))
}
