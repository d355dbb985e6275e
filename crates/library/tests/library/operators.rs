//! What operators ask for.

use capstan_library::{CreateTapes, ErrorKind, Labels, LibraryError, Moved, TapeInfo};
use capstan_media::{MIN_CARTRIDGE_SIZE, Place};

use crate::bench::{Bench, DRIVE, SLOT, barcode};
use crate::disk::Mood;
use crate::host::{NEW_MEDIUM, sense};

fn create(bench: &Bench, labels: Labels) -> Result<Vec<TapeInfo>, LibraryError> {
    bench.ask(|librarian| async move { librarian.create_tapes(CreateTapes { labels, size: None }).await })
}

fn numbered(count: u32, prefix: Option<&str>) -> Labels {
    Labels::Numbered { count, prefix: prefix.map(str::to_owned) }
}

fn delete(bench: &Bench, label: &str) -> Result<(), LibraryError> {
    let barcode = barcode(label);
    bench.ask(|librarian| async move { librarian.delete_tape(barcode).await })
}

fn erase(bench: &Bench, label: &str) -> Result<(), LibraryError> {
    let barcode = barcode(label);
    bench.ask(|librarian| async move { librarian.erase_tape(barcode).await })
}

fn protect(bench: &Bench, label: &str, protected: bool) {
    let barcode = barcode(label);
    bench.ask(|librarian| async move { librarian.set_protected(barcode, protected).await }).unwrap();
}

fn load(bench: &Bench, label: &str, drive: Option<u16>) -> Result<Moved, LibraryError> {
    let barcode = barcode(label);
    bench.ask(|librarian| async move { librarian.load(barcode, drive).await })
}

fn unload(bench: &Bench, drive: u16) -> Result<Moved, LibraryError> {
    bench.ask(|librarian| async move { librarian.unload(drive).await })
}

fn import(bench: &Bench, label: &str) -> Result<Moved, LibraryError> {
    let barcode = barcode(label);
    bench.ask(|librarian| async move { librarian.import(barcode).await })
}

fn move_to(bench: &Bench, from: Place, to: Place) -> Result<Moved, LibraryError> {
    bench.ask(|librarian| async move { librarian.move_medium(from, to).await })
}

#[test]
fn new_cartridges_get_the_next_free_numbers_and_slots() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let made = create(&bench, numbered(2, None)).unwrap();
    let made: Vec<_> = made.iter().map(|tape| (tape.barcode.as_str(), tape.place, tape.state.name())).collect();
    let expected = [("CAP005L8", Some(Place::Slot(5)), "AVAILABLE"), ("CAP006L8", Some(Place::Slot(6)), "AVAILABLE")];
    assert_eq!(made, expected);
    assert_eq!(changer.attentions(), [NEW_MEDIUM]);
    delete(&bench, "CAP002L8").unwrap();
    let made = create(&bench, numbered(1, None)).unwrap();
    assert_eq!((made[0].barcode.as_str(), made[0].place), ("CAP002L8", Some(Place::Slot(2))));
    let made = create(&bench, Labels::One(barcode("ANNA"))).unwrap();
    assert_eq!((made[0].size, made[0].used, made[0].protected), (MIN_CARTRIDGE_SIZE, 0, false));
    assert_eq!(bench.inventory().len(), 7);
}

#[test]
fn what_cannot_be_made_is_not_begun() {
    let bench = Bench::new();
    let before = bench.ask(|librarian| async move { librarian.tapes().await }).unwrap();
    let kinds = |result: Result<Vec<TapeInfo>, LibraryError>| result.unwrap_err().kind();
    assert_eq!(kinds(create(&bench, Labels::One(barcode("CAP001L8")))), ErrorKind::InUse);
    assert_eq!(kinds(create(&bench, numbered(0, None))), ErrorKind::Invalid);
    assert_eq!(kinds(create(&bench, numbered(9, None))), ErrorKind::Invalid);
    assert_eq!(kinds(create(&bench, numbered(1, Some("low")))), ErrorKind::Invalid);
    let full = create(&bench, numbered(5, None)).unwrap_err();
    assert_eq!((full.kind(), full.to_string()), (ErrorKind::Full, "5 free slots are needed, 4 are free".to_owned()));
    let small = CreateTapes { labels: numbered(1, None), size: Some(MIN_CARTRIDGE_SIZE - 1) };
    let small = bench.ask(|librarian| async move { librarian.create_tapes(small).await });
    assert_eq!(kinds(small), ErrorKind::Invalid);
    assert_eq!(bench.ask(|librarian| async move { librarian.tapes().await }).unwrap(), before);
}

#[test]
fn what_cannot_be_finished_is_taken_back() {
    let mut bench = Bench::new();
    bench.disk.set(Mood::Failing);
    assert_eq!(create(&bench, numbered(3, None)).unwrap_err().kind(), ErrorKind::Io);
    bench.disk.set(Mood::Good);
    assert_eq!(bench.ask(|librarian| async move { librarian.tapes().await }).unwrap().len(), 4);
    assert_eq!(bench.inventory().len(), 4);
    assert_eq!(create(&bench, numbered(3, None)).unwrap().len(), 3);
    bench.kill();
    bench.start();
    assert_eq!(bench.inventory().len(), 7);
}

#[test]
fn loaded_and_protected_cartridges_are_not_deleted_or_erased() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    drive.write_good(b"data");
    let error = delete(&bench, "CAP001L8").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InUse);
    assert_eq!(error.to_string(), "cartridge CAP001L8 is in drive:0: it cannot be deleted there");
    assert_eq!(error.next(), "unload it first: `capstan library unload 0`");
    assert_eq!(erase(&bench, "CAP001L8").unwrap_err().kind(), ErrorKind::InUse);
    drive.unload();
    assert_eq!(delete(&bench, "CAP001L8").unwrap_err().kind(), ErrorKind::InUse);
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)), None);

    protect(&bench, "CAP001L8", true);
    assert!(bench.tape("CAP001L8").protected);
    assert_eq!(delete(&bench, "CAP001L8").unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(erase(&bench, "CAP001L8").unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(bench.tape("CAP001L8").used, 4);
    protect(&bench, "CAP001L8", false);
    erase(&bench, "CAP001L8").unwrap();
    assert_eq!((bench.tape("CAP001L8").used, bench.tape("CAP001L8").objects), (0, 0));
    delete(&bench, "CAP001L8").unwrap();
    assert_eq!(delete(&bench, "CAP001L8").unwrap_err().kind(), ErrorKind::NotFound);
    bench.restart();
    assert_eq!(bench.inventory().len(), 3);
}

#[test]
fn protection_reaches_a_loaded_cartridge_at_once() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    drive.write_good(b"one");
    protect(&bench, "CAP001L8", true);
    assert_eq!(sense(&drive.write(b"two")), Some((7, 0x27, 0)));
    assert!(bench.tape("CAP001L8").protected);
    protect(&bench, "CAP001L8", false);
    drive.write_good(b"two");
    protect(&bench, "CAP001L8", true);
    drive.unload();
    bench.wait_for(0, capstan_library::DriveState::Unloaded);
    assert!(bench.tape("CAP001L8").protected);
    protect(&bench, "CAP001L8", false);
    assert!(!bench.tape("CAP001L8").protected);
    drive.load();
    assert_eq!(drive.attentions(), [NEW_MEDIUM]);
    drive.write_good(b"three");
}

#[test]
fn load_and_unload_find_their_way() {
    let bench = Bench::new();
    let moved = |label: &str, from: Place, to: Place| Moved { barcode: barcode(label), from: Some(from), to };
    let first = load(&bench, "CAP001L8", None).unwrap();
    assert_eq!(first, moved("CAP001L8", Place::Slot(1), Place::Drive(0)));
    let second = load(&bench, "CAP002L8", None).unwrap();
    assert_eq!(second, moved("CAP002L8", Place::Slot(2), Place::Drive(1)));
    assert!(matches!(load(&bench, "CAP003L8", None), Err(LibraryError::NoFreeDrive)));
    assert!(matches!(load(&bench, "CAP003L8", Some(1)), Err(LibraryError::Occupied { .. })));
    assert!(matches!(load(&bench, "CAP003L8", Some(2)), Err(LibraryError::UnknownPlace(..))));
    assert!(matches!(load(&bench, "CAP001L8", None), Err(LibraryError::AlreadyIn(_, Place::Drive(0)))));
    assert!(matches!(load(&bench, "CAP001L8", Some(1)), Err(LibraryError::InDrive { drive: 0, .. })));
    assert!(matches!(load(&bench, "NOBODY", None), Err(LibraryError::UnknownTape(_))));
    assert_eq!(unload(&bench, 0).unwrap(), moved("CAP001L8", Place::Drive(0), Place::Slot(1)));
    assert!(matches!(unload(&bench, 0), Err(LibraryError::Empty(Place::Drive(0)))));
    // Its slot is taken meanwhile.
    move_to(&bench, Place::Slot(1), Place::Slot(2)).unwrap();
    assert_eq!(unload(&bench, 1).unwrap(), moved("CAP002L8", Place::Drive(1), Place::Slot(1)));
}

#[test]
fn an_operator_does_not_take_what_a_host_holds_on_to() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    drive.prevent(true);
    let error = unload(&bench, 0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(error.to_string(), "a host prevents removal of cartridge CAP001L8 from drive:0");
}

#[test]
fn import_takes_from_import_export_slots_only() {
    let bench = Bench::new();
    move_to(&bench, Place::Slot(3), Place::Io(1)).unwrap();
    assert!(matches!(import(&bench, "CAP001L8"), Err(LibraryError::AlreadyIn(_, Place::Slot(1)))));
    let moved = import(&bench, "CAP003L8").unwrap();
    assert_eq!((moved.from, moved.to), (Some(Place::Io(1)), Place::Slot(3)));
    assert!(matches!(move_to(&bench, Place::Slot(9), Place::Io(1)), Err(LibraryError::UnknownPlace(..))));
    assert!(matches!(move_to(&bench, Place::Slot(8), Place::Io(1)), Err(LibraryError::Empty(Place::Slot(8)))));
}

#[test]
fn elements_and_statistics_agree_with_what_is_there() {
    let bench = Bench::new();
    load(&bench, "CAP002L8", Some(1)).unwrap();
    let elements = bench.ask(|librarian| async move { librarian.elements().await }).unwrap();
    assert_eq!(elements.len(), 12);
    let full: Vec<_> = elements
        .iter()
        .filter_map(|one| Some((one.place, one.element.barcode.clone()?.to_string(), one.source)))
        .collect();
    let expected = [
        (Place::Slot(1), "CAP001L8".to_owned(), None),
        (Place::Slot(3), "CAP003L8".to_owned(), None),
        (Place::Slot(4), "CAP004L8".to_owned(), None),
        (Place::Drive(1), "CAP002L8".to_owned(), Some(Place::Slot(2))),
    ];
    assert_eq!(full, expected);
    let statistics = bench.ask(|librarian| async move { librarian.statistics().await }).unwrap();
    assert_eq!((statistics.moves, statistics.capacity), (1, 4 * MIN_CARTRIDGE_SIZE));
    assert_eq!(statistics.tapes_by_state, [(capstan_library::CartridgeState::Available, 4)]);
}
