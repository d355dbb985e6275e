//! Ten drives at once.

use capstan_library::{FirstStart, l700_layout};
use capstan_media::MIN_CARTRIDGE_SIZE;

use crate::bench::{Bench, DRIVE, SLOT, block};
use crate::host::{NEW_MEDIUM, sense};

#[test]
fn ten_drives_run_as_ten() {
    let mut bench = Bench::with(|options| {
        options.layout = l700_layout(10, 20, 2);
        options.first_start = FirstStart { count: 10, size: MIN_CARTRIDGE_SIZE, prefix: "CAP".to_owned() };
    });
    let mut changer = bench.changer();
    let drives: Vec<_> = (0..10).map(|index| bench.loaded(&mut changer, index + 1, index)).collect();
    let threads: Vec<_> = drives
        .into_iter()
        .zip(0_u64..)
        .map(|(mut drive, index)| {
            std::thread::spawn(move || {
                for number in 0..200 {
                    drive.write_good(&block(index * 1000 + number, 20_000));
                    if number % 50 == 49 {
                        drive.filemarks(1);
                    }
                }
                drive.rewind();
                for number in 0..200 {
                    assert_eq!(drive.read().unwrap(), block(index * 1000 + number, 20_000));
                    if number % 50 == 49 {
                        assert!(drive.read().is_err());
                    }
                }
                drive
            })
        })
        .collect();
    // The changer answers meanwhile.
    let mut looks = 0;
    while threads.iter().any(|thread| !thread.is_finished()) {
        assert_eq!(changer.elements().iter().filter(|one| one.barcode.is_some()).count(), 10);
        looks += 1;
    }
    assert!(looks > 1, "{looks}");
    for thread in threads {
        thread.join().unwrap();
    }
    for index in 0..10 {
        let info = bench.drive_info(index);
        assert_eq!((info.write_bytes, info.read_bytes), (4_000_000, 4_000_000));
    }
    let statistics = bench.ask(|librarian| async move { librarian.statistics().await }).unwrap();
    assert_eq!((statistics.write_bytes, statistics.moves), (40_000_000, 10));
}

#[test]
fn several_hosts_move_at_once_and_every_cartridge_stays_one() {
    let mut bench = Bench::with(|options| options.layout = l700_layout(4, 8, 2));
    let hosts: Vec<_> = (0..4).map(|_| bench.changer()).collect();
    let threads: Vec<_> = hosts
        .into_iter()
        .zip(0_u16..)
        .map(|(mut host, index)| {
            std::thread::spawn(move || {
                for _ in 0..15 {
                    assert_eq!(sense(&host.move_medium(SLOT + index, DRIVE + index)), None);
                    assert_eq!(sense(&host.exchange(DRIVE + index, SLOT + 4 + index, SLOT)).map(|one| one.0), Some(5));
                    assert_eq!(sense(&host.move_medium(DRIVE + index, SLOT + index)), None);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let labels: Vec<(u16, String)> = bench.inventory();
    assert_eq!(labels.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [1000, 1001, 1002, 1003]);
    let mut drive = bench.drive(3);
    assert_eq!(sense(&bench.changer().move_medium(SLOT + 3, DRIVE + 3)), None);
    assert_eq!(drive.attentions(), [NEW_MEDIUM]);
}
