//! What is kept beside the catalog, and what is done with it.

use std::path::Path;
use std::sync::Arc;

use capstan_disk::{Disk, Loss, RealDisk, SimDisk, SimFault};
use capstan_media::{CartridgeId, Place};

use super::*;
use crate::tests::{ONE, cartridge, holds, open, sample};

fn catalog_path(directory: &Path) -> std::path::PathBuf {
    directory.join("catalog.redb")
}

fn state_files(directory: &Path) -> [std::path::PathBuf; 2] {
    [directory.join("library.state.0"), directory.join("library.state.1")]
}

fn look(directory: &Path) -> Found {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    Catalog::look_at(&catalog_path(directory), &disk).unwrap()
}

#[test]
fn what_was_committed_is_mirrored_by_number() {
    let directory = tempfile::tempdir().unwrap();
    let mut catalog = open(directory.path());
    assert!(look(directory.path()).mirrored().is_none());
    catalog.commit(&sample()).unwrap();
    for number in 2_u8..20 {
        let slot = Place::Slot(u16::from(number));
        catalog.commit(&[Change::Place(slot, PlaceRow { threaded: number % 3 == 0, ..holds(ONE) })]).unwrap();
        let found = look(directory.path());
        let (revision, state) = found.catalog.as_ref().unwrap().as_ref().unwrap();
        assert_eq!((*revision, state.places.len()), (u64::from(number), usize::from(number) + 1));
        assert_eq!(found.mirrored(), Some((*revision, state)));
    }
    catalog.replace(&State::default()).unwrap();
    assert_eq!(look(directory.path()).mirrored(), Some((20, &State::default())));
    drop(catalog);
    let files = || state_files(directory.path()).map(|path| std::fs::read(path).unwrap());
    let before = files();
    drop(open(directory.path()));
    assert_eq!(files(), before, "what is up to date is not written again");
}

#[test]
fn a_mirror_that_lags_behind_or_is_lost_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut catalog = open(directory.path());
    catalog.commit(&sample()).unwrap();
    let old = state_files(directory.path()).map(|path| std::fs::read(path).ok());
    catalog.commit(&[Change::Place(Place::Slot(7), holds(ONE)), Change::PlaceEmpty(Place::Io(3))]).unwrap();
    let expected = catalog.read().unwrap();
    drop(catalog);
    let again = || {
        assert_eq!(open(directory.path()).read().unwrap(), expected);
        assert_eq!(look(directory.path()).mirrored(), Some((2, &expected)));
    };
    // As when the process died between the commit and the mirror.
    for (path, bytes) in state_files(directory.path()).iter().zip(&old) {
        match bytes {
            Some(bytes) => std::fs::write(path, bytes).unwrap(),
            None => std::fs::remove_file(path).unwrap(),
        }
    }
    again();
    for path in state_files(directory.path()) {
        std::fs::write(path, b"rubbish").unwrap();
    }
    again();
    for path in state_files(directory.path()) {
        std::fs::remove_file(path).unwrap();
    }
    again();
}

#[test]
fn a_catalog_that_is_missing_older_or_of_another_library_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = catalog_path(directory.path());
    let mut catalog = open(directory.path());
    catalog.commit(&sample()).unwrap();
    drop(catalog);
    let old = std::fs::read(&path).unwrap();
    let mut catalog = open(directory.path());
    catalog.commit(&[Change::PlaceEmpty(Place::Io(3))]).unwrap();
    drop(catalog);
    let now = std::fs::read(&path).unwrap();
    let refused = || Catalog::open(&path, Arc::new(RealDisk)).unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(refused(), CatalogError::Missing(_)));
    assert!(!path.exists(), "no other one is made");
    std::fs::write(&path, &old).unwrap();
    assert!(matches!(refused(), CatalogError::Older { catalog: 1, state: 2, .. }));
    let elsewhere = tempfile::tempdir().unwrap();
    let mut other = open(elsewhere.path());
    let identity = IdentityRow { uuid: [8; 16], created: 5, stocked: true };
    other.commit(&[Change::Identity(identity)]).unwrap();
    other.commit(&[]).unwrap();
    drop(other);
    std::fs::copy(catalog_path(elsewhere.path()), &path).unwrap();
    assert!(matches!(refused(), CatalogError::Older { catalog: 2, state: 2, .. }));
    std::fs::write(&path, &now).unwrap();
    assert_eq!(open(directory.path()).read().unwrap().places.len(), 1);
}

#[test]
fn one_damaged_place_in_the_mirror_costs_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut catalog = open(directory.path());
    catalog.commit(&sample()).unwrap();
    catalog.commit(&[Change::PlaceEmpty(Place::Io(3))]).unwrap();
    let expected = catalog.read().unwrap();
    for path in state_files(directory.path()) {
        let good = std::fs::read(&path).unwrap();
        assert_eq!(good.len(), 32 << 10);
        let step = 37;
        for offset in (0..400).chain(16_384..16_800).chain((0..good.len()).step_by(step)) {
            let mut bad = good.clone();
            bad[offset] ^= 0x20;
            std::fs::write(&path, bad).unwrap();
            assert_eq!(look(directory.path()).mirrored(), Some((2, &expected)), "{offset}");
        }
        for length in (0..good.len()).step_by(511) {
            std::fs::write(&path, &good[..length]).unwrap();
            let (number, state) =
                look(directory.path()).mirrored().map(|(number, state)| (number, state.clone())).unwrap();
            assert!(number == 2 && state == expected || number == 1, "{length}");
        }
        std::fs::write(&path, &good).unwrap();
    }
}

#[test]
fn a_mirror_grows_and_keeps_its_size() {
    let directory = tempfile::tempdir().unwrap();
    let mut catalog = open(directory.path());
    let many: Vec<Change> =
        (0..250_u8).map(|id| Change::Cartridge(CartridgeId([id; 16]), cartridge(&format!("T{id}")))).collect();
    catalog.commit(&many).unwrap();
    catalog.commit(&[Change::CartridgeGone(CartridgeId([0; 16]))]).unwrap();
    let expected = catalog.read().unwrap();
    assert_eq!(look(directory.path()).mirrored(), Some((2, &expected)));
    let lengths = || state_files(directory.path()).map(|path| path.metadata().unwrap().len());
    assert_eq!(lengths(), [64 << 10; 2]);
    catalog.replace(&State::default()).unwrap();
    assert_eq!((lengths(), look(directory.path()).mirrored()), ([64 << 10; 2], Some((3, &State::default()))));
}

#[test]
fn a_state_of_a_newer_release_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let mut catalog = open(directory.path());
    catalog.commit(&sample()).unwrap();
    drop(catalog);
    let [path, _] = state_files(directory.path());
    let mut bytes = std::fs::read(&path).unwrap();
    (bytes[8], bytes[(16 << 10) + 8]) = (2, 2);
    std::fs::write(&path, bytes).unwrap();
    let error = Catalog::open(&catalog_path(directory.path()), Arc::new(RealDisk)).unwrap_err();
    assert!(error.to_string().ends_with("library.state.0: version 2 is newer than this release can read"), "{error}");
}

#[test]
fn a_rebuilt_catalog_takes_the_place_of_the_old_one_which_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = catalog_path(directory.path());
    let mut state = State::default();
    state.apply(&sample());
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let rebuild = |revision| Catalog::rebuild(&path, &disk, &state, revision).unwrap();
    assert_eq!(rebuild(5), None);
    std::fs::write(&path, b"damaged").unwrap();
    let kept = rebuild(9).unwrap();
    assert_eq!(
        (std::fs::read(&kept).unwrap(), kept),
        (b"damaged".to_vec(), path.with_file_name("catalog.redb.damaged-1"))
    );
    assert_eq!(rebuild(10).unwrap(), path.with_file_name("catalog.redb.damaged-2"));
    let mut catalog = open(directory.path());
    assert_eq!(catalog.read().unwrap(), state);
    catalog.commit(&[]).unwrap();
    assert_eq!(look(directory.path()).mirrored(), Some((11, &state)));
    state.places.insert(Place::Slot(1), holds(ONE));
    assert!(Catalog::rebuild(&path, &disk, &state, 12).is_err(), "a contradictory state");
    assert_eq!(catalog.read().unwrap().places.len(), 2);
}

#[test]
fn looking_changes_nothing_whatever_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = catalog_path(directory.path());
    let mut catalog = open(directory.path());
    catalog.commit(&sample()).unwrap();
    drop(catalog);
    let whole = std::fs::read(&path).unwrap();
    let (mut good, mut bad) = (0, 0);
    for offset in (0..whole.len()).step_by(1009) {
        let mut bytes = whole.clone();
        bytes[offset] ^= 0x40;
        std::fs::write(&path, &bytes).unwrap();
        match look(directory.path()).catalog.unwrap() {
            Ok((1, state)) => {
                let mut expected = State::default();
                expected.apply(&sample());
                assert_eq!(state, expected, "{offset}");
                good += 1;
            }
            // What redb falls back to is older, and its number says so.
            Ok((revision, _)) => assert_eq!(revision, 0, "{offset}"),
            Err(_) => bad += 1,
        }
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        std::fs::write(&path, &whole[..offset]).unwrap();
        assert!(look(directory.path()).catalog.unwrap().map_or(true, |(revision, _)| revision < 2));
    }
    assert!(good > 0 && bad > 0, "{good} {bad}");
}

/// The power goes while the state is written, and takes any of its pages: the state before it is there, or the new one.
#[test]
fn a_torn_state_leaves_the_one_before() {
    let many = |from: u8| -> Vec<Change> {
        (from..250).map(|id| Change::Cartridge(CartridgeId([id; 16]), cartridge(&format!("T{id}-{from}")))).collect()
    };
    let path = Path::new("/state/catalog.redb");
    let (mut torn, mut after) = (0, 0);
    let mut calls_of_a_change = 0;
    for seed in 0..80_u64 {
        let sim = SimDisk::new();
        let disk: Arc<dyn Disk> = Arc::new(sim.clone());
        disk.create_directory(Path::new("/state")).unwrap();
        disk.sync_directory(Path::new("/")).unwrap();
        let mut catalog = Catalog::open(path, Arc::clone(&disk)).unwrap();
        catalog.commit(&many(0)).unwrap();
        catalog.commit(&many(1)).unwrap();
        let before = catalog.read().unwrap();
        let mut next = before.clone();
        next.apply(&many(2));
        // One of the last calls of the change, which are those that write the state; the first time none.
        let calls = sim.calls();
        if seed > 0 {
            sim.fail_at(calls + calls_of_a_change - seed % 6, SimFault::PowerOff);
        }
        let answered = catalog.commit(&many(2)).is_ok();
        calls_of_a_change = if seed == 0 { sim.calls() - calls } else { calls_of_a_change };
        drop(catalog);
        sim.restart(if answered { Loss::All } else { Loss::Random(seed) });
        let found = Catalog::look_at(path, &disk).unwrap();
        let (revision, state) = found.mirrored().unwrap_or_else(|| panic!("{seed}: nothing is left"));
        match revision {
            2 => assert!(!answered && *state == before, "{seed}"),
            3 => assert!(*state == next, "{seed}"),
            _ => panic!("{seed}: change {revision}"),
        }
        torn += u64::from(found.copies.iter().any(|copy| matches!(copy, MirrorFile::Damaged(_))));
        after += u64::from(revision == 3);
    }
    assert!(torn > 3 && after > 0, "{torn} torn, {after} after the change");
}
