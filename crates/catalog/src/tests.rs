//! Round trips, refusals, damage.

use std::path::Path;
use std::sync::Arc;

use capstan_disk::RealDisk;
use capstan_media::{Barcode, CartridgeId, ElementAddress, Place};
use redb::TableDefinition;

use super::*;
use crate::row::{decode, encode};
use crate::tables::{CARTRIDGES, LIBRARY, PLACES, place_key};

pub(crate) const ONE: CartridgeId = CartridgeId([1; 16]);
const TWO: CartridgeId = CartridgeId([2; 16]);

pub(crate) fn open(directory: &Path) -> Catalog {
    Catalog::open(&directory.join("catalog.redb"), Arc::new(RealDisk)).unwrap()
}

pub(crate) fn cartridge(barcode: &str) -> CartridgeRow {
    let barcode = Barcode::new(barcode).unwrap();
    CartridgeRow { barcode, capacity: 10 << 30, state: CartridgeState::Available, created: 1_800_000_000 }
}

pub(crate) fn holds(cartridge: CartridgeId) -> PlaceRow {
    PlaceRow { cartridge, source: None, placed_by_operator: false, threaded: false }
}

pub(crate) fn sample() -> Vec<Change> {
    let drive = PlaceRow { source: Some(ElementAddress(1001)), threaded: true, ..holds(TWO) };
    vec![
        Change::Identity(IdentityRow { uuid: [7; 16], created: 1_800_000_000, stocked: true }),
        Change::Cartridge(ONE, cartridge("CAP001L8")),
        Change::Cartridge(TWO, CartridgeRow { state: CartridgeState::Deleting, ..cartridge("CAP002L8") }),
        Change::Place(Place::Io(3), PlaceRow { placed_by_operator: true, ..holds(ONE) }),
        Change::Place(Place::Drive(9), drive),
    ]
}

/// Writes raw bytes as a value, as another release or a bad disk would leave them.
fn plant<'k, K: redb::Key>(
    directory: &Path,
    table: TableDefinition<'_, K, &'static [u8]>,
    key: K::SelfType<'k>,
    value: &[u8],
) {
    let database = redb::Database::open(directory.join("catalog.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(table).unwrap().insert(key, value).unwrap();
    transaction.commit().unwrap();
}

#[test]
fn stored_rows_are_these_bytes() {
    let identity = IdentityRow { uuid: [7; 16], created: 300, stocked: true };
    let mut bytes = vec![1];
    bytes.extend([7; 16]);
    bytes.extend([0xac, 0x02, 1]);
    assert_eq!(encode(&identity).unwrap(), bytes);
    assert_eq!(decode::<IdentityRow>(&bytes).unwrap(), identity);

    let row = CartridgeRow { capacity: 128, created: 5, ..cartridge("AB") };
    let bytes = [1, 2, b'A', b'B', 0x80, 0x01, 2, 5];
    assert_eq!(encode(&row).unwrap(), bytes);
    assert_eq!(decode::<CartridgeRow>(&bytes).unwrap(), row);

    let place = PlaceRow { source: Some(ElementAddress(1000)), threaded: true, ..holds(ONE) };
    let mut bytes = vec![1];
    bytes.extend([1; 16]);
    bytes.extend([1, 0xe8, 0x07, 0, 1]);
    assert_eq!(encode(&place).unwrap(), bytes);
    assert_eq!(decode::<PlaceRow>(&bytes).unwrap(), place);
}

#[test]
fn every_state_of_a_cartridge_keeps_its_number() {
    let numbers: Vec<u8> = CartridgeState::ALL.into_iter().map(|state| state as u8).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for state in CartridgeState::ALL {
        let row = CartridgeRow { state, ..cartridge("X") };
        assert_eq!(decode::<CartridgeRow>(&encode(&row).unwrap()).unwrap(), row);
    }
}

#[test]
fn what_was_committed_is_there_after_opening_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut catalog = open(directory.path());
    assert_eq!(catalog.read().unwrap(), State::default());
    catalog.commit(&sample()).unwrap();
    let moved = [Change::PlaceEmpty(Place::Drive(9)), Change::Place(Place::Slot(1), holds(TWO))];
    catalog.commit(&moved).unwrap();
    let mut expected = State::default();
    expected.apply(&sample());
    expected.apply(&moved);
    assert_eq!(catalog.read().unwrap(), expected);
    drop(catalog);
    assert_eq!(open(directory.path()).read().unwrap(), expected);
    assert_eq!(expected.places.len(), 2);
}

#[test]
fn a_state_replaces_everything_that_was_there() {
    let directory = tempfile::tempdir().unwrap();
    let mut catalog = open(directory.path());
    catalog.commit(&sample()).unwrap();
    let mut other = State::default();
    other.apply(&[Change::Cartridge(ONE, cartridge("NEW")), Change::Place(Place::Slot(5), holds(ONE))]);
    catalog.replace(&other).unwrap();
    drop(catalog);
    assert_eq!(open(directory.path()).read().unwrap(), other);
}

#[test]
fn a_contradictory_state_is_refused_when_written_and_when_read() {
    let directory = tempfile::tempdir().unwrap();
    let mut catalog = open(directory.path());
    let mut state = State::default();
    state.apply(&sample());
    state.apply(&[Change::Place(Place::Slot(1), holds(ONE))]);
    let twice = StateError::TwoPlaces { cartridge: ONE, first: Place::Slot(1), second: Place::Io(3) };
    assert_eq!(state.check(), Err(twice.clone()));
    assert!(matches!(catalog.replace(&state), Err(CatalogError::Inconsistent(error)) if error == twice));
    assert_eq!(catalog.read().unwrap(), State::default());

    catalog.commit(&[Change::Place(Place::Slot(2), holds(TWO))]).unwrap();
    let unknown = StateError::UnknownCartridge { place: Place::Slot(2), cartridge: TWO };
    assert!(matches!(catalog.read(), Err(CatalogError::Inconsistent(error)) if error == unknown));

    let same = [Change::Cartridge(ONE, cartridge("A")), Change::Cartridge(TWO, cartridge("A"))];
    let mut state = State::default();
    state.apply(&same);
    assert!(matches!(state.check(), Err(StateError::SameBarcode { barcode, .. }) if barcode == "A"));
}

#[test]
fn a_newer_version_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    plant(directory.path(), PLACES, place_key(Place::Io(2)), &[2, 0, 0]);
    let error = open(directory.path()).read().unwrap_err().to_string();
    assert_eq!(error, "catalog, table places, key io:2: version 2 is newer than this release can read (up to 1)");
}

#[test]
fn damage_is_reported_with_table_and_key() {
    let cases: [(&[u8], &str); 5] = [
        (&[], "the value is empty"),
        (&[0], "there never was a version 0"),
        (&[1, 9, b'A'], "does not decode: Hit the end of buffer, expected more data"),
        (&[1, 1, b'A', 1, 11, 1], "11 is no state of a cartridge"),
        (&[1, 1, b'A', 1, 2, 1, 0], "1 bytes follow the value"),
    ];
    for (value, what) in cases {
        let directory = tempfile::tempdir().unwrap();
        drop(open(directory.path()));
        plant(directory.path(), CARTRIDGES, &ONE.0, value);
        let error = open(directory.path()).read().unwrap_err().to_string();
        assert_eq!(error, format!("catalog, table cartridges, key {ONE}: {what}"));
    }
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    plant(directory.path(), LIBRARY, "spell", &[1]);
    let error = open(directory.path()).read().unwrap_err().to_string();
    assert_eq!(error, "catalog, table library, key spell: an unknown key");
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    plant(directory.path(), PLACES, (9, 1), &[1]);
    let error = open(directory.path()).read().unwrap_err().to_string();
    assert_eq!(error, "catalog, table places, key (9, 1): no kind of place has this number");
}

#[test]
fn a_file_that_is_no_database_is_an_error_and_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.redb");
    std::fs::write(&path, [0x5a; 5000]).unwrap();
    let error = Catalog::open(&path, Arc::new(RealDisk)).unwrap_err();
    assert!(matches!(error, CatalogError::Database { what: "open the catalog", .. }), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), [0x5a; 5000]);
}

#[test]
fn a_file_that_lost_all_its_bytes_is_damaged_and_not_a_new_library() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.redb");
    for bytes in [&[][..], &[0x5a; 4095]] {
        std::fs::write(&path, bytes).unwrap();
        let error = Catalog::open(&path, Arc::new(RealDisk)).unwrap_err();
        assert!(matches!(error, CatalogError::Unreadable { what: "open the catalog", .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
}

/// The disk was full, or the power went, while the file grew: its length is one that redb never asked for.
#[test]
fn growth_that_ended_in_the_middle_of_a_page_is_no_damage() {
    for more in [1, 511, 4095, 4096, 5000, 70_000] {
        let directory = tempfile::tempdir().unwrap();
        let mut catalog = open(directory.path());
        catalog.commit(&sample()).unwrap();
        let expected = catalog.read().unwrap();
        drop(catalog);
        let path = directory.path().join("catalog.redb");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.resize(bytes.len() + more, 0);
        std::fs::write(&path, &bytes).unwrap();
        let mut catalog = open(directory.path());
        assert_eq!(catalog.read().unwrap(), expected, "{more} bytes more");
        // It grows again, over what was left there.
        let more: Vec<Change> = (10..200).map(|id| Change::Cartridge(CartridgeId([id; 16]), many(id))).collect();
        catalog.commit(&more).unwrap();
        assert_eq!(catalog.read().unwrap().cartridges.len(), 192);
        drop(catalog);
        assert_eq!(open(directory.path()).read().unwrap().cartridges.len(), 192);
    }
}

fn many(id: u8) -> CartridgeRow {
    cartridge(&format!("MANY{id}"))
}

#[test]
fn a_flipped_bit_is_found_or_harmless() {
    let directory = tempfile::tempdir().unwrap();
    let mut catalog = open(directory.path());
    catalog.commit(&sample()).unwrap();
    let expected = catalog.read().unwrap();
    drop(catalog);
    let path = directory.path().join("catalog.redb");
    let whole = std::fs::read(&path).unwrap();
    let used = whole.chunks(256).enumerate().filter(|(_, chunk)| chunk.iter().any(|byte| *byte != 0));
    let (mut found, mut harmless) = (0, 0);
    for (index, _) in used {
        let at = index * 256 + (index * 37) % 256;
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&path, &bytes).unwrap();
        match Catalog::open(&path, Arc::new(RealDisk)).and_then(|catalog| catalog.read()) {
            Ok(state) => assert_eq!(state, expected, "byte {at}"),
            Err(_) => found += 1,
        }
        harmless += 1;
    }
    harmless -= found;
    assert!(found > 10 && harmless > 10, "{found} found, {harmless} harmless");
}

#[test]
fn a_half_made_file_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("catalog.redb.new"), b"half").unwrap();
    let mut catalog = open(directory.path());
    catalog.commit(&sample()).unwrap();
    assert!(!directory.path().join("catalog.redb.new").exists());
}

#[test]
fn after_a_failed_commit_only_a_whole_state_settles_it() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Arc::new(failing::FailingDisk::default());
    let path = directory.path().join("catalog.redb");
    let mut catalog = Catalog::open(&path, disk.clone()).unwrap();
    catalog.commit(&sample()).unwrap();
    let mut state = catalog.read().unwrap();
    let change = [Change::PlaceEmpty(Place::Io(3)), Change::Place(Place::Slot(1), holds(ONE))];
    disk.fail_syncs(true);
    assert!(matches!(catalog.commit(&change), Err(CatalogError::Database { .. })));
    assert!(catalog.is_unsettled());
    assert!(matches!(catalog.commit(&change), Err(CatalogError::Unsettled)));
    assert!(matches!(catalog.read(), Err(CatalogError::Unsettled)));
    assert!(catalog.replace(&state).is_err());
    disk.fail_syncs(false);
    state.apply(&change);
    catalog.replace(&state).unwrap();
    assert!(!catalog.is_unsettled());
    drop(catalog);
    assert_eq!(open(directory.path()).read().unwrap(), state);
}

/// The real disk, whose `sync_data` can be made to fail.
mod failing {
    use std::io::{self, IoSlice, IoSliceMut};
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use capstan_disk::{Disk, Entry, File, Lock, Mode, RealDisk};

    #[derive(Debug, Default)]
    pub(super) struct FailingDisk {
        fails: Arc<AtomicBool>,
    }

    impl FailingDisk {
        pub(super) fn fail_syncs(&self, fails: bool) {
            self.fails.store(fails, Ordering::SeqCst);
        }
    }

    #[derive(Debug)]
    struct FailingFile(Box<dyn File>, Arc<AtomicBool>);

    impl File for FailingFile {
        fn write_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
            self.0.write_at(parts, offset)
        }
        fn read_at(&self, parts: &mut [IoSliceMut<'_>], offset: u64) -> io::Result<usize> {
            self.0.read_at(parts, offset)
        }
        fn sync_data(&self) -> io::Result<()> {
            if self.1.load(Ordering::SeqCst) { Err(io::Error::other("planted")) } else { self.0.sync_data() }
        }
        fn truncate(&self, length: u64) -> io::Result<()> {
            self.0.truncate(length)
        }
        fn length(&self) -> io::Result<u64> {
            self.0.length()
        }
        fn forget_cache(&self) -> io::Result<()> {
            self.0.forget_cache()
        }
    }

    impl Disk for FailingDisk {
        fn open(&self, path: &Path, mode: Mode) -> io::Result<Box<dyn File>> {
            Ok(Box::new(FailingFile(RealDisk.open(path, mode)?, Arc::clone(&self.fails))))
        }
        fn create_directory(&self, path: &Path) -> io::Result<()> {
            RealDisk.create_directory(path)
        }
        fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
            RealDisk.list(path)
        }
        fn sync_directory(&self, path: &Path) -> io::Result<()> {
            RealDisk.sync_directory(path)
        }
        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            RealDisk.rename(from, to)
        }
        fn remove_file(&self, path: &Path) -> io::Result<()> {
            RealDisk.remove_file(path)
        }
        fn remove_directory(&self, path: &Path) -> io::Result<()> {
            RealDisk.remove_directory(path)
        }
        fn length(&self, path: &Path) -> io::Result<u64> {
            RealDisk.length(path)
        }
        fn free_space(&self, path: &Path) -> io::Result<u64> {
            RealDisk.free_space(path)
        }
        fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
            RealDisk.lock(path)
        }
    }
}
