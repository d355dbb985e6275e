//! Moves of hosts.

use capstan_library::DriveState;

use crate::bench::{Bench, DRIVE, IO, SLOT};
use crate::disk::Mood;
use crate::host::{NEW_MEDIUM, NO_MEDIUM, sense};

const PREVENTED: (u8, u8, u8) = (5, 0x53, 2);
const EMPTY: (u8, u8, u8) = (5, 0x3b, 0x0e);
const FULL: (u8, u8, u8) = (5, 0x3b, 0x0d);

#[test]
fn the_first_start_fills_the_first_slots() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let elements = changer.elements();
    assert_eq!(elements.len(), 1 + 2 + 2 + 8);
    let full: Vec<(u16, &str)> =
        elements.iter().filter_map(|one| Some((one.address, one.barcode.as_deref()?))).collect();
    assert_eq!(full, [(1000, "CAP001L8"), (1001, "CAP002L8"), (1002, "CAP003L8"), (1003, "CAP004L8")]);
    let kinds: Vec<(u8, u16)> = elements.iter().map(|one| (one.kind, one.address)).collect();
    assert!(kinds.is_sorted_by_key(|(_, address)| *address));
    assert_eq!(kinds[0], (1, 1));
}

#[test]
fn a_move_there_and_back() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 3, 0);
    drive.write_good(b"data");
    let loaded = changer.elements().into_iter().find(|one| one.address == DRIVE).unwrap();
    assert_eq!(loaded.barcode.as_deref(), Some("CAP003L8"));
    assert_eq!((loaded.access, loaded.source), (false, Some(1002)));
    // Not unloaded first: the robot does that.
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT + 6)), None);
    drive.fails(&[0; 6], &[], NO_MEDIUM);
    let slot = changer.elements().into_iter().find(|one| one.address == SLOT + 6).unwrap();
    assert_eq!((slot.barcode.as_deref(), slot.access), (Some("CAP003L8"), true));
    let tape = bench.tape("CAP003L8");
    assert_eq!((tape.used, tape.objects, tape.durable_to), (4, 1, 1));
    let mut other = bench.loaded(&mut changer, 7, 1);
    assert_eq!(other.read().unwrap(), &b"data"[..]);
}

#[test]
fn what_cannot_move_is_refused_and_stays() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let before = bench.inventory();
    assert_eq!(sense(&changer.move_medium(SLOT + 7, DRIVE)), Some(EMPTY));
    assert_eq!(sense(&changer.move_medium(SLOT, SLOT + 1)), Some(FULL));
    assert_eq!(sense(&changer.move_medium(SLOT, SLOT)), Some(FULL));
    assert_eq!(sense(&changer.move_medium(SLOT, 9999)), Some((5, 0x21, 1)));
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT + 7)), Some(EMPTY));
    assert_eq!(bench.inventory(), before);
}

#[test]
fn a_host_that_prevents_removal_keeps_the_cartridge() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    drive.write_good(b"mine");
    drive.prevent(true);
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)), Some(PREVENTED));
    assert_eq!(drive.position(), 1);
    assert_eq!(drive.attentions(), []);
    drive.prevent(false);
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)), None);
}

#[test]
fn an_exchange_moves_both_or_neither() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    drive.write_good(b"one");
    // Slot 2 into the drive, what was there into slot 1.
    assert_eq!(sense(&changer.exchange(SLOT + 1, DRIVE, SLOT)), None);
    assert_eq!(drive.attentions(), [NEW_MEDIUM]);
    assert_eq!(drive.position(), 0);
    drive.write_good(b"two");
    // A swap with a slot.
    assert_eq!(sense(&changer.exchange(SLOT, DRIVE, SLOT)), None);
    assert_eq!(drive.attentions(), [NEW_MEDIUM]);
    assert_eq!(drive.read().unwrap(), &b"one"[..]);
    let expected = [(500, "CAP001L8"), (1000, "CAP002L8"), (1002, "CAP003L8"), (1003, "CAP004L8")];
    let holds = |bench: &mut Bench, expected: &[(u16, &str)]| {
        let inventory = bench.inventory();
        assert_eq!(inventory.iter().map(|(at, label)| (*at, label.as_str())).collect::<Vec<_>>(), expected);
    };
    holds(&mut bench, &expected);

    // Refused: a full second destination, an empty source, an empty first destination.
    assert_eq!(sense(&changer.exchange(SLOT, DRIVE, SLOT + 2)), Some(FULL));
    assert_eq!(sense(&changer.exchange(SLOT + 6, DRIVE, SLOT + 7)), Some(EMPTY));
    assert_eq!(sense(&changer.exchange(SLOT, DRIVE + 1, SLOT + 7)), Some(EMPTY));
    // Two drives, one of which holds on: the other one is not disturbed either.
    let mut second = bench.loaded(&mut changer, 3, 1);
    second.write_good(b"three");
    drive.prevent(true);
    assert_eq!(sense(&changer.exchange(DRIVE + 1, DRIVE, DRIVE + 1)), Some(PREVENTED));
    assert_eq!((second.position(), second.attentions()), (1, vec![]));
    drive.prevent(false);
    assert_eq!(sense(&changer.exchange(DRIVE + 1, DRIVE, DRIVE + 1)), None);
    assert_eq!((drive.attentions(), second.attentions()), (vec![NEW_MEDIUM], vec![NEW_MEDIUM]));
    assert_eq!(drive.read().unwrap(), &b"three"[..]);
    assert_eq!(second.read().unwrap(), &b"one"[..]);
    holds(&mut bench, &[(500, "CAP003L8"), (501, "CAP001L8"), (1000, "CAP002L8"), (1003, "CAP004L8")]);
}

#[test]
fn an_exchange_whose_second_half_fails_is_undone() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    drive.write_good(b"stays");
    let before = bench.inventory();
    // The cartridge of slot 2 cannot be opened.
    let id = bench.tape("CAP002L8").id.to_string();
    damage(bench.state_dir(), &id);
    assert_eq!(sense(&changer.exchange(SLOT + 1, DRIVE, SLOT + 7)), Some((3, 0x53, 0)));
    assert_eq!(bench.inventory(), before);
    // The drive had to let go and took it back, like a new cartridge whose position nobody knows.
    assert_eq!(drive.attentions(), [NEW_MEDIUM]);
    drive.fails(&[0x08, 2, 0, 0, 5, 0], &[], crate::host::POSITION_LOST);
    drive.rewind();
    assert_eq!(drive.read().unwrap(), &b"stays"[..]);
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)), None);
}

#[test]
fn a_move_that_cannot_be_recorded_is_undone() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    drive.write_good(b"stays");
    let before = bench.inventory();
    bench.disk.set(Mood::CatalogFailing);
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)).map(|sense| sense.0), Some(4));
    assert_eq!(sense(&changer.move_medium(SLOT + 1, DRIVE + 1)).map(|sense| sense.0), Some(4));
    bench.disk.set(Mood::Good);
    assert_eq!(bench.inventory(), before);
    assert_eq!(bench.drive_info(1).state, DriveState::Empty);
    // The catalog works again as soon as the disk does, and the next start sees what hosts saw.
    assert_eq!(sense(&changer.move_medium(SLOT + 1, DRIVE + 1)), None);
    bench.kill();
    bench.start();
    bench.wait_for(0, DriveState::Loaded);
    let expected = ["CAP001L8", "CAP002L8", "CAP003L8", "CAP004L8"].map(str::to_owned);
    let now = bench.inventory();
    assert_eq!(now.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [500, 501, 1002, 1003]);
    assert_eq!(now.into_iter().map(|(_, label)| label).collect::<Vec<_>>(), expected);
}

#[test]
fn import_export_slots_know_who_filled_them() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut other = bench.changer();
    assert_eq!(sense(&changer.move_medium(SLOT, IO)), None);
    let io = |host: &mut crate::host::Host, address: u16| {
        host.elements().into_iter().find(|one| one.address == address).unwrap()
    };
    assert!(!io(&mut changer, IO).by_operator);
    assert_eq!(other.attentions(), []);
    let place = |text: &str| text.parse().unwrap();
    bench.ask(|librarian| async move { librarian.move_medium(place("slot:2"), place("io:2")).await }).unwrap();
    assert_eq!(changer.attentions(), [(6, 0x28, 1)]);
    assert_eq!(other.attentions(), [(6, 0x28, 1)]);
    assert!(io(&mut changer, IO + 1).by_operator);
    assert_eq!(io(&mut changer, IO + 1).source, Some(SLOT + 1));
    // From there into a drive and back into a slot: the mark is gone.
    assert_eq!(sense(&changer.move_medium(IO + 1, DRIVE)), None);
    assert_eq!(sense(&changer.move_medium(DRIVE, IO + 1)), None);
    assert!(!io(&mut changer, IO + 1).by_operator);
}

/// Makes the files that describe a cartridge unreadable.
pub fn damage(state: &std::path::Path, id: &str) {
    let mut found = 0;
    let mut directories = vec![state.join("cartridges")];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                directories.push(path);
            } else if path.to_string_lossy().contains(id) && path.to_string_lossy().contains("meta") {
                std::fs::write(&path, [0x55; 64]).unwrap();
                found += 1;
            }
        }
    }
    assert!(found > 0, "no files of {id}");
}
