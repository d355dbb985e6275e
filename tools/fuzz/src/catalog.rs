//! The catalog: rows of any bytes, a damaged file, and changes with failures and power cuts.
//!
//! Invariants:
//! - rows of any bytes are read as a state that keeps its own rules, or are an error; a state that was read can be
//!   written again and is then the same;
//! - damaged files give the state that was committed, or an error: never another state; and what is kept beside the
//!   catalog is what some commit left;
//! - after failed commits and power cuts the catalog holds what was acknowledged, or that and the change that was under
//!   way: nothing else.

use std::cell::Cell;
use std::io::IoSlice;
use std::panic;
use std::path::Path;
use std::sync::{Arc, Once, OnceLock};

use capstan_catalog::{
    CartridgeRow, CartridgeState, Catalog, CatalogError, Change, IdentityRow, PlaceRow, State, StateError,
};
use capstan_disk::{Disk, File, Loss, Mode, SimDisk, SimFault, read_exact_at, read_up_to, write_all_at};
use capstan_media::{Barcode, CartridgeId, ElementAddress, Place};
use redb::{Builder, StorageBackend, TableDefinition};

use crate::script::Script;

const FILE: &str = "/catalog.redb";

pub(crate) fn target(data: &[u8]) {
    let mut script = Script::new(data);
    match script.byte() % 4 {
        0 => damaged(&mut script),
        1 => planted(&mut script),
        _ => changed(&mut script),
    }
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// redb panics on some kinds of damage and the catalog catches that: no word of it here.
fn quietly<T>(work: impl FnOnce() -> T) -> T {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                previous(info);
            }
        }));
    });
    QUIET.set(true);
    let result = panic::catch_unwind(panic::AssertUnwindSafe(work));
    QUIET.set(false);
    result.unwrap_or_else(|_| panic!("a panic that the catalog did not catch"))
}

fn open(disk: &SimDisk) -> Result<Catalog, CatalogError> {
    quietly(|| Catalog::open(Path::new(FILE), Arc::new(disk.clone())))
}

fn read(disk: &SimDisk) -> Result<State, CatalogError> {
    let catalog = open(disk)?;
    let state = quietly(|| catalog.read());
    quietly(|| drop(catalog));
    state
}

/// Files by their names: the catalog first, then what is kept beside it.
type Files = Vec<(String, Vec<u8>)>;

/// A disk with these files on it.
fn disk_with(files: &Files) -> SimDisk {
    let disk = SimDisk::new();
    for (name, bytes) in files {
        let file = disk.open(&Path::new("/").join(name), Mode::Create).expect("an empty disk");
        write_all_at(file.as_ref(), &mut [IoSlice::new(bytes)], 0).expect("no fault was set");
    }
    disk
}

fn files_of(disk: &SimDisk) -> Files {
    let mut names: Vec<String> =
        disk.list(Path::new("/")).expect("no fault was set").into_iter().map(|entry| entry.name).collect();
    names.sort();
    let bytes = |name: &String| {
        let file = disk.open(&Path::new("/").join(name), Mode::Read).expect("just listed");
        read_up_to(file.as_ref(), 0, u64::MAX).expect("no fault was set")
    };
    names.into_iter().map(|name| (name.clone(), bytes(&name))).collect()
}

/// A catalog after a few commits, and what it holds.
struct Sample {
    /// As it is when the process has ended in order.
    closed: Files,
    /// As it is when the process was killed.
    open: Files,
    /// What each commit left, the last one last.
    states: Vec<State>,
}

impl Sample {
    fn state(&self) -> &State {
        self.states.last().expect("there were commits")
    }
}

fn sample() -> &'static Sample {
    static SAMPLE: OnceLock<Sample> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let disk = SimDisk::new();
        let mut catalog = open(&disk).expect("an empty disk");
        let mut states = vec![State::default()];
        let identity = IdentityRow { uuid: [7; 16], created: 1_800_000_000, stocked: true };
        let mut script = Script::new(&[3; 60]);
        let first = [Change::Identity(identity)];
        let rows: Vec<Change> = (1..4).map(|id| Change::Cartridge(id_of(id), cartridge(id, &mut script))).collect();
        let places = (1..4).map(|id| Change::Place(Place::Slot(u16::from(id)), place(id, &mut script))).collect();
        let moved = vec![Change::PlaceEmpty(Place::Slot(2)), Change::Place(Place::Drive(0), place(2, &mut script))];
        for changes in [first.to_vec(), rows, places, moved] {
            catalog.commit(&changes).expect("no fault was set");
            let mut state = states.last().cloned().unwrap_or_default();
            state.apply(&changes);
            states.push(state);
        }
        let open = files_of(&disk);
        drop(catalog);
        Sample { closed: files_of(&disk), open, states }
    })
}

fn id_of(number: u8) -> CartridgeId {
    CartridgeId([number; 16])
}

fn cartridge(number: u8, script: &mut Script<'_>) -> CartridgeRow {
    CartridgeRow {
        barcode: Barcode::new(&format!("CAP{number:03}L8")).expect("a good one"),
        capacity: script.u64(),
        state: script.pick(&CartridgeState::ALL),
        created: u64::from(script.u32()),
    }
}

fn place(number: u8, script: &mut Script<'_>) -> PlaceRow {
    let flags = script.byte();
    PlaceRow {
        cartridge: id_of(number),
        source: (flags & 1 != 0).then(|| ElementAddress(script.u16())),
        placed_by_operator: flags & 2 != 0,
        threaded: flags & 4 != 0,
    }
}

/// Flips, zeroes, copies and cuts of the files, mostly of the catalog.
fn damaged(script: &mut Script<'_>) {
    let sample = sample();
    let mut files = if script.flag() { sample.open.clone() } else { sample.closed.clone() };
    while !script.is_over() {
        let which = match script.byte() {
            0..=199 => 0,
            choice => usize::from(choice) % files.len(),
        };
        if files[which].1.is_empty() {
            break;
        }
        damage(&mut files[which].1, script);
    }
    let disk = disk_with(&files);
    let kept: Arc<dyn Disk> = Arc::new(disk.clone());
    if let Ok(found) = quietly(|| Catalog::look_at(Path::new(FILE), &kept)) {
        if let Some((revision, state)) = found.mirrored() {
            let revision = usize::try_from(revision).expect("few commits");
            assert_eq!(Some(state), sample.states.get(revision), "no commit left this beside the catalog");
        }
        if let Some(Ok((_, state))) = &found.catalog {
            assert_eq!(state, sample.state(), "another state than was committed");
        }
    }
    if let Ok(found) = read(&disk) {
        assert_eq!(&found, sample.state(), "another state than was committed");
    }
}

fn damage(bytes: &mut Vec<u8>, script: &mut Script<'_>) {
    let choice = script.byte();
    // Most of what matters is at the beginning: the header and its two commit slots.
    let at = match choice & 3 {
        0 => usize::from(script.u16()) % 320,
        _ => usize::try_from(script.u32()).expect("32 bits"),
    } % bytes.len();
    let end = (at + 1 + usize::from(script.byte())).min(bytes.len());
    match (choice >> 2) % 6 {
        0 | 1 => bytes[at] ^= script.byte().max(1),
        2 => bytes[at..end].fill(script.byte()),
        3 => {
            let page = at / 4096 * 4096;
            let end = (page + 4096).min(bytes.len());
            bytes[page..end].fill(0);
        }
        4 => {
            let to = usize::try_from(script.u32()).expect("32 bits") % (bytes.len() - (end - at) + 1);
            bytes.copy_within(at..end, to);
        }
        _ => bytes.truncate(at),
    }
}

/// redb's storage on a simulated file, to write what the catalog would not.
#[derive(Debug)]
struct Backend(Box<dyn File>);

impl StorageBackend for Backend {
    fn len(&self) -> std::io::Result<u64> {
        self.0.length()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        read_exact_at(self.0.as_ref(), &mut [std::io::IoSliceMut::new(out)], offset)
    }

    fn set_len(&self, length: u64) -> std::io::Result<()> {
        let now = self.0.length()?;
        if length <= now {
            return self.0.truncate(length);
        }
        let missing = usize::try_from(length - now).expect("small");
        self.write(now, &vec![0; missing])
    }

    fn sync_data(&self) -> std::io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        write_all_at(self.0.as_ref(), &mut [IoSlice::new(data)], offset).map_err(|stopped| stopped.error)
    }
}

/// Rows of any bytes under any keys.
fn planted(script: &mut Script<'_>) {
    const LIBRARY: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("library");
    const CARTRIDGES: TableDefinition<'_, &[u8; 16], &[u8]> = TableDefinition::new("cartridges");
    const PLACES: TableDefinition<'_, (u8, u16), &[u8]> = TableDefinition::new("places");
    let sample = sample();
    // Without what is kept beside it, or every such catalog would be another than the one that was written last.
    let disk = disk_with(&sample.closed.iter().take(1).cloned().collect());
    let file = disk.open(Path::new(FILE), Mode::Write).expect("just made");
    let database = Builder::new().create_with_backend(Backend(file)).expect("a good file");
    let transaction = database.begin_write().expect("no fault was set");
    let mut rows = 0_u32;
    while !script.is_over() {
        let (choice, number) = (script.byte(), script.byte());
        let length = usize::from(script.byte() % 80);
        let mut value = vec![if choice < 200 { 1 } else { script.byte() }];
        value.extend_from_slice(script.take(length));
        let value = value.as_slice();
        let inserted = match choice % 3 {
            0 => {
                let key = ["identity", "revision", "name"][usize::from(number) % 3];
                transaction.open_table(LIBRARY).expect("a good file").insert(key, value).map(drop)
            }
            1 => transaction.open_table(CARTRIDGES).expect("a good file").insert(&[number; 16], value).map(drop),
            _ => {
                let key = (number % 4, u16::from(number / 4));
                transaction.open_table(PLACES).expect("a good file").insert(key, value).map(drop)
            }
        };
        inserted.expect("no fault was set");
        rows += 1;
    }
    transaction.commit().expect("no fault was set");
    drop(database);
    match read(&disk) {
        Ok(found) => {
            found.check().expect("what is read keeps its rules");
            assert!(rows > 0 || &found == sample.state());
            let other = SimDisk::new();
            let mut catalog = open(&other).expect("an empty disk");
            catalog.replace(&found).expect("what was read can be written");
            drop(catalog);
            assert_eq!(read(&other).expect("just written"), found);
        }
        Err(CatalogError::Damaged { table, key, what }) => {
            assert!(["library", "cartridges", "places"].contains(&table) && !key.is_empty() && !what.is_empty());
        }
        Err(CatalogError::NewerVersion { version, known, .. }) => assert!(version > known),
        Err(CatalogError::Inconsistent(error)) => match error {
            StateError::UnknownCartridge { .. } => {}
            StateError::TwoPlaces { first, second, .. } => assert_ne!(first, second),
            StateError::SameBarcode { first, second, .. } => assert_ne!(first, second),
        },
        Err(other) => panic!("a good file with odd rows: {other}"),
    }
    assert!(rows < 1000);
}

/// Commits, with faults of the disk and power cuts between and in them.
fn changed(script: &mut Script<'_>) {
    let disk = SimDisk::new();
    let Ok(mut catalog) = open(&disk) else { panic!("an empty disk") };
    disk.sync_directory(Path::new("/")).expect("no fault was set");
    // What was acknowledged: the first change of every library is who it is.
    let identity = IdentityRow { uuid: [7; 16], created: 0, stocked: false };
    catalog.commit(&[Change::Identity(identity)]).expect("no fault was set");
    let mut sure = State { identity: Some(identity), ..State::default() };
    for _ in 0..8 {
        if script.is_over() {
            break;
        }
        let changes = changes(script);
        let mut next = sure.clone();
        next.apply(&changes);
        if next.check().is_err() {
            continue;
        }
        let fault = script.byte();
        if fault < 100 {
            let kinds = [SimFault::PowerOff, SimFault::Io, SimFault::NoSpace];
            disk.fail_at(disk.calls() + 1 + u64::from(fault % 30), kinds[usize::from(fault / 30) % 3]);
        }
        let committed = quietly(|| catalog.commit(&changes)).is_ok();
        if committed {
            sure = next.clone();
        }
        assert_eq!(catalog.is_unsettled(), !committed);
        if committed && fault & 1 == 0 {
            assert_eq!(catalog.read().expect("no fault so far"), sure);
            continue;
        }
        quietly(|| drop(catalog));
        let loss = [Loss::All, Loss::Nothing, Loss::Random(u64::from(fault))][usize::from(script.byte() % 3)];
        disk.restart(loss);
        let found = read(&disk).expect("a power cut damages nothing");
        assert!(found == sure || found == next, "neither before nor after the change");
        sure = found;
        catalog = open(&disk).expect("it was just read");
        if script.flag() {
            catalog.replace(&sure).expect("no fault was set");
        }
    }
    quietly(|| drop(catalog));
}

fn changes(script: &mut Script<'_>) -> Vec<Change> {
    let count = 1 + usize::from(script.byte() % 4);
    let mut change = || {
        let (kind, number) = (script.byte(), script.byte() % 5);
        let at = match number {
            0 => Place::Io(1),
            1 => Place::Drive(0),
            number => Place::Slot(u16::from(number)),
        };
        match kind % 6 {
            0 => Change::Identity(IdentityRow { uuid: [7; 16], created: script.u64(), stocked: kind > 128 }),
            1 | 2 => Change::Cartridge(id_of(number), cartridge(number, script)),
            3 => Change::CartridgeGone(id_of(number)),
            4 => Change::Place(at, place(script.byte() % 5, script)),
            _ => Change::PlaceEmpty(at),
        }
    };
    (0..count).map(|_| change()).collect()
}
