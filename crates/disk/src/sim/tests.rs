//! The rules, one by one.

use super::*;
use crate::{read_up_to, write_all_at};

fn write(file: &dyn File, bytes: &[u8], offset: u64) {
    write_all_at(file, &mut [IoSlice::new(bytes)], offset).unwrap();
}

fn content(disk: &SimDisk, path: &str) -> io::Result<Vec<u8>> {
    read_up_to(disk.open(Path::new(path), Mode::Read)?.as_ref(), 0, u64::MAX)
}

#[test]
fn only_what_was_synchronised_is_sure_to_survive() {
    let disk = SimDisk::new();
    disk.create_directory(Path::new("/d")).unwrap();
    disk.sync_directory(Path::new("/")).unwrap();
    for name in ["/d/both", "/d/content"] {
        let file = disk.open(Path::new(name), Mode::Create).unwrap();
        write(file.as_ref(), b"first", 0);
        file.sync_data().unwrap();
        if name == "/d/both" {
            disk.sync_directory(Path::new("/d")).unwrap();
        }
        write(file.as_ref(), b"second", 5);
    }
    assert_eq!(content(&disk, "/d/both").unwrap(), b"firstsecond");
    disk.restart(Loss::All);
    assert_eq!(content(&disk, "/d/both").unwrap(), b"first");
    assert_eq!(content(&disk, "/d/content").unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn chance_keeps_any_subset_of_pages() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let disk = SimDisk::new();
        let file = disk.open(Path::new("/f"), Mode::Create).unwrap();
        write(file.as_ref(), &[1; 8192], 0);
        file.sync_data().unwrap();
        disk.sync_directory(Path::new("/")).unwrap();
        write(file.as_ref(), &[2; 8192], 0);
        disk.restart(Loss::Random(seed));
        let bytes = content(&disk, "/f").unwrap();
        seen.insert((bytes[0], bytes[4095], bytes[4096], bytes[8191]));
    }
    for whole in [(1, 1, 1, 1), (2, 2, 2, 2), (1, 1, 2, 2), (2, 2, 1, 1)] {
        assert!(seen.contains(&whole), "{whole:?}");
    }
    assert!(seen.contains(&(2, 1, 1, 1)), "torn inside a page");
}

#[test]
fn a_rename_survives_as_a_whole_or_not_at_all() {
    for seed in 0..50 {
        let disk = SimDisk::new();
        for (name, text) in [("/new", b"new"), ("/old", b"old")] {
            let file = disk.open(Path::new(name), Mode::Create).unwrap();
            write(file.as_ref(), text, 0);
            file.sync_data().unwrap();
        }
        disk.sync_directory(Path::new("/")).unwrap();
        disk.rename(Path::new("/new"), Path::new("/old")).unwrap();
        disk.restart(Loss::Random(seed));
        match content(&disk, "/old").unwrap().as_slice() {
            b"old" => assert_eq!(content(&disk, "/new").unwrap(), b"new"),
            b"new" => assert!(content(&disk, "/new").is_err()),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_failed_synchronisation_loses_pages_that_the_cache_still_shows() {
    let disk = SimDisk::new();
    let file = disk.open(Path::new("/f"), Mode::Create).unwrap();
    disk.sync_directory(Path::new("/")).unwrap();
    write(file.as_ref(), b"gone", 0);
    disk.fail_at(disk.calls() + 1, SimFault::Io);
    assert!(file.sync_data().is_err());
    file.sync_data().unwrap();
    assert_eq!(content(&disk, "/f").unwrap(), b"gone");
    file.forget_cache().unwrap();
    assert_eq!(content(&disk, "/f").unwrap(), [0; 4]);
}

#[test]
fn a_full_disk_takes_a_part() {
    let disk = SimDisk::new();
    let file = disk.open(Path::new("/f"), Mode::Create).unwrap();
    disk.limit_space(Some(6));
    let stop = write_all_at(file.as_ref(), &mut [IoSlice::new(b"0123"), IoSlice::new(b"4567")], 0).unwrap_err();
    assert_eq!((stop.written, crate::is_no_space(&stop.error)), (6, true));
    disk.limit_space(None);
    write(file.as_ref(), b"67", 6);
    assert_eq!(content(&disk, "/f").unwrap(), b"01234567");
    disk.fail_at(disk.calls() + 1, SimFault::PowerOff);
    assert!(file.truncate(0).is_err());
    assert!(file.length().is_err());
    disk.restart(Loss::Nothing);
    assert!(file.length().is_err(), "an old descriptor");
    assert_eq!(content(&disk, "/f").unwrap().len(), 8);
}

#[test]
fn pages_of_several_files_survive_each_by_itself() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let disk = SimDisk::new();
        for name in ["/a", "/b"] {
            let file = disk.open(Path::new(name), Mode::Create).unwrap();
            write(file.as_ref(), &[1; 4096], 0);
            file.sync_data().unwrap();
            write(file.as_ref(), &[2; 4096], 0);
        }
        disk.sync_directory(Path::new("/")).unwrap();
        disk.restart(Loss::Random(seed));
        seen.insert(["/a", "/b"].map(|name| content(&disk, name).unwrap()[0]));
    }
    assert_eq!(seen, [[1, 1], [1, 2], [2, 1], [2, 2]].into());
}

#[test]
fn a_torn_page_keeps_any_of_its_sectors() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..2000 {
        let disk = SimDisk::new();
        let file = disk.open(Path::new("/f"), Mode::Create).unwrap();
        write(file.as_ref(), &[1; 4096], 0);
        file.sync_data().unwrap();
        disk.sync_directory(Path::new("/")).unwrap();
        write(file.as_ref(), &[2; 4096], 0);
        disk.restart(Loss::Random(seed));
        let bytes = content(&disk, "/f").unwrap();
        let sectors: Vec<u8> = bytes.chunks(512).map(|sector| sector[0]).collect();
        assert!(bytes.chunks(512).all(|sector| sector.iter().all(|byte| *byte == sector[0])), "a sector is whole");
        seen.insert(sectors);
    }
    assert!(seen.len() > 200, "{}", seen.len());
}

#[test]
fn names_and_pages_are_lost_apart() {
    let prepared = || {
        let disk = SimDisk::new();
        let old = disk.open(Path::new("/old"), Mode::Create).unwrap();
        write(old.as_ref(), b"11", 0);
        old.sync_data().unwrap();
        disk.sync_directory(Path::new("/")).unwrap();
        write(old.as_ref(), b"2222", 0);
        write(disk.open(Path::new("/new"), Mode::Create).unwrap().as_ref(), b"3", 0);
        disk
    };
    let disk = prepared();
    disk.restart(Loss::Names);
    assert_eq!(content(&disk, "/old").unwrap(), b"2222");
    assert!(content(&disk, "/new").is_err());
    let disk = prepared();
    disk.restart(Loss::Pages);
    assert_eq!(content(&disk, "/old").unwrap(), b"11\0\0");
    assert_eq!(content(&disk, "/new").unwrap(), b"\0");
}

#[test]
fn any_call_can_be_chosen_by_kind_and_path() {
    let disk = SimDisk::new();
    let fails = |call, path: &str, work: &dyn Fn() -> io::Result<()>| {
        disk.fail_next(call, "elsewhere", SimFault::Io);
        work().unwrap();
        disk.heal();
        disk.fail_next(call, path, SimFault::Io);
        let first = work();
        disk.heal();
        assert!(first.is_err(), "{call:?}");
    };
    let (root, f, d) = (Path::new("/"), Path::new("/f"), Path::new("/d"));
    let fresh = |path| {
        let _ = disk.remove_file(path);
        disk.open(path, Mode::Create).map(drop)
    };
    fails(SimCall::Create, "/f", &|| fresh(f));
    fresh(f).unwrap();
    fails(SimCall::Open, "/f", &|| disk.open(f, Mode::Write).map(drop));
    let file = disk.open(f, Mode::Write).unwrap();
    fails(SimCall::Write, "/f", &|| file.write_at(&[IoSlice::new(b"abcd")], 0).map(drop));
    fails(SimCall::Read, "/f", &|| file.read_at(&mut [IoSliceMut::new(&mut [0; 4])], 0).map(drop));
    fails(SimCall::Sync, "/f", &|| file.sync_data());
    fails(SimCall::Truncate, "/f", &|| file.truncate(2));
    fails(SimCall::SyncDirectory, "/", &|| disk.sync_directory(root));
    fails(SimCall::Rename, "/g", &|| {
        disk.rename(f, Path::new("/g"))?;
        disk.rename(Path::new("/g"), f)
    });
    fails(SimCall::CreateDirectory, "/d", &|| {
        let _ = disk.remove_directory(d);
        disk.create_directory(d)
    });
    fails(SimCall::Remove, "/f", &|| {
        disk.remove_file(f)?;
        fresh(f)
    });
    disk.fail_always(SimCall::Sync, "/f", SimFault::NoSpace);
    for _ in 0..3 {
        assert_eq!(disk.open(f, Mode::Write).unwrap().sync_data().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
    disk.heal();
    disk.fail_read_at(disk.reads() + 2, SimFault::Io);
    let file = disk.open(f, Mode::Read).unwrap();
    assert!(file.read_at(&mut [IoSliceMut::new(&mut [0; 1])], 0).is_err());
    assert!(file.read_at(&mut [IoSliceMut::new(&mut [0; 1])], 0).is_ok());
}

#[test]
fn writes_are_short_or_leave_a_part_behind() {
    let (mut short, mut left) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for seed in 0..100 {
        let disk = SimDisk::seeded(seed);
        let file = disk.open(Path::new("/f"), Mode::Create).unwrap();
        disk.fail_next(SimCall::Write, "/f", SimFault::Short);
        let count = file.write_at(&[IoSlice::new(b"01"), IoSlice::new(b"23")], 0).unwrap();
        assert_eq!(content(&disk, "/f").unwrap(), b"0123"[..count]);
        short.insert(count);
        disk.fail_next(SimCall::Write, "/f", SimFault::Io);
        assert!(file.write_at(&[IoSlice::new(b"abcd")], 10).is_err());
        left.insert(content(&disk, "/f").unwrap().len());
    }
    assert_eq!(short, [1, 2, 3].into());
    assert!(left.contains(&14) && left.contains(&11), "{left:?}");
}

#[test]
fn the_same_seed_gives_the_same_disk() {
    let play = |seed: u64| {
        let disk = SimDisk::seeded(seed);
        let file = disk.open(Path::new("/f"), Mode::Create).unwrap();
        disk.sync_directory(Path::new("/")).unwrap();
        for round in 0..20_u8 {
            write(file.as_ref(), &[round; 9000], u64::from(round) * 5000);
            if round == 10 {
                disk.fail_next(SimCall::Sync, "/f", SimFault::Io);
                let _ = file.sync_data();
            }
        }
        disk.restart(Loss::Random(seed));
        content(&disk, "/f").unwrap()
    };
    let all: std::collections::BTreeSet<Vec<u8>> = (0..20).map(play).collect();
    assert_eq!(all.len(), 20);
    assert_eq!((0..20).map(play).collect::<std::collections::BTreeSet<_>>(), all);
}

#[test]
fn a_flipped_bit_is_on_the_disk() {
    let disk = SimDisk::new();
    let file = disk.open(Path::new("/f"), Mode::Create).unwrap();
    write(file.as_ref(), b"abc", 0);
    file.sync_data().unwrap();
    disk.flip(Path::new("/f"), 1, 1).unwrap();
    file.forget_cache().unwrap();
    assert_eq!((content(&disk, "/f").unwrap(), disk.used()), (b"acc".to_vec(), 3));
    assert!(disk.flip(Path::new("/f"), 3, 1).is_err());
}
