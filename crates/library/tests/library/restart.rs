//! Stops, deaths and starts.

use std::sync::Arc;

use capstan_catalog::CatalogError;
use capstan_library::{DeviceAccess, DriveState, ErrorKind, Library, LibraryError, l700_layout};
use capstan_media::Place;
use capstan_scsi::sam::{Lun, ManagementFunction, ManagementResponse};

use crate::bench::{Bench, DRIVE, SLOT, block};
use crate::changer::damage;
use crate::disk::Mood;
use crate::host::{Host, NEW_MEDIUM, NO_MEDIUM, POSITION_LOST, POWER_ON, move_cdb, sense};

#[test]
fn a_death_loses_the_position_and_nothing_that_was_answered() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    for number in 0..20 {
        drive.write_good(&block(number, 5000));
    }
    bench.kill();
    bench.start();
    bench.wait_for(0, DriveState::Loaded);
    let (mut drive, attentions) = bench.host_with_attentions("drive-00");
    assert_eq!(attentions[0], POWER_ON);
    drive.fails(&[0x08, 2, 0, 0x20, 0, 0], &[], POSITION_LOST);
    assert_eq!(sense(&drive.write(b"stray")), Some(POSITION_LOST));
    drive.fails(&[0x10, 0, 0, 0, 1, 0], &[], POSITION_LOST);
    drive.fails(&[0x11, 1, 0, 0, 1, 0], &[], POSITION_LOST);
    drive.rewind();
    for number in 0..20 {
        assert_eq!(drive.read().unwrap(), block(number, 5000));
    }
    drive.write_good(b"more");
    assert_eq!(drive.position(), 21);
}

#[test]
fn a_proper_stop_keeps_cartridges_in_their_drives() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    drive.write_good(b"kept");
    let mut second = bench.loaded(&mut changer, 2, 1);
    second.write_good(b"unloaded");
    second.unload();
    bench.wait_for(1, DriveState::Unloaded);
    let serial = bench.drive_info(0).serial;
    bench.restart();
    bench.wait_for(0, DriveState::Loaded);
    assert_eq!(bench.drive_info(0).serial, serial);
    assert_eq!(bench.drive_info(1).state, DriveState::Unloaded);
    let mut changer = bench.changer();
    let elements = changer.elements();
    let at = |address: u16| elements.iter().find(|one| one.address == address).unwrap();
    assert_eq!((at(500).barcode.as_deref(), at(500).access, at(500).source), (Some("CAP001L8"), false, Some(1000)));
    assert_eq!((at(501).barcode.as_deref(), at(501).access, at(501).source), (Some("CAP002L8"), true, Some(1001)));
    let mut drive = bench.drive(0);
    drive.fails(&[0x08, 2, 0, 0x20, 0, 0], &[], POSITION_LOST);
    drive.rewind();
    assert_eq!(drive.read().unwrap(), &b"kept"[..]);
    let (_, attentions) = bench.host_with_attentions("drive-01");
    assert_eq!(attentions.last(), Some(&NO_MEDIUM));
    assert_eq!(sense(&changer.move_medium(DRIVE + 1, SLOT + 1)), None);
    let tape = bench.tape("CAP002L8");
    assert_eq!((tape.used, tape.place), (8, Some(Place::Slot(2))));
}

#[test]
fn moves_and_protection_survive_a_death() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    assert_eq!(sense(&changer.move_medium(SLOT, SLOT + 7)), None);
    assert_eq!(sense(&changer.move_medium(SLOT + 1, 10)), None);
    let drive = bench.loaded(&mut changer, 3, 1);
    let three = bench.tape("CAP003L8").barcode;
    bench.ask(|librarian| async move { librarian.set_protected(three, true).await }).unwrap();
    let before = bench.inventory();
    drop(drive);
    bench.kill();
    bench.start();
    bench.wait_for(1, DriveState::Loaded);
    assert_eq!(bench.inventory(), before);
    assert!(bench.tape("CAP003L8").protected);
    assert!(!bench.tape("CAP001L8").protected);
}

#[test]
fn a_cartridge_that_cannot_be_opened_stops_nothing_else() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    drop(bench.loaded(&mut changer, 1, 0));
    let mut second = bench.loaded(&mut changer, 2, 1);
    second.write_good(b"good");
    let id = bench.tape("CAP001L8").id.to_string();
    bench.shutdown();
    damage(bench.state_dir(), &id);
    bench.start();
    bench.wait_for(0, DriveState::Faulty);
    bench.wait_for(1, DriveState::Loaded);
    let info = bench.drive_info(0);
    assert_eq!(info.barcode.unwrap().as_str(), "CAP001L8");
    assert!(info.problem.unwrap().contains("meta"));
    assert!(bench.tape("CAP001L8").problem.is_some());
    let (_, attentions) = bench.host_with_attentions("drive-00");
    assert_eq!(attentions.last(), Some(&NO_MEDIUM));
    let mut second = bench.drive(1);
    second.rewind();
    assert_eq!(second.read().unwrap(), &b"good"[..]);
    // The robot can take it out, and cannot put it back.
    let mut changer = bench.changer();
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)), None);
    assert_eq!(bench.drive_info(0).state, DriveState::Empty);
    assert_eq!(sense(&changer.move_medium(SLOT, DRIVE)), Some((3, 0x53, 0)));
    let mut first = bench.loaded(&mut changer, 3, 0);
    first.write_good(b"fine");
}

#[test]
fn two_daemons_do_not_share_a_state_directory() {
    let bench = Bench::new();
    let error = Library::start(&bench.options, std::sync::Arc::new(capstan_disk::RealDisk)).err().unwrap();
    assert!(matches!(error, LibraryError::Locked(_)), "{error}");
    assert_eq!(error.kind(), ErrorKind::InUse);
}

#[test]
fn a_topology_that_leaves_a_cartridge_behind_is_refused() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    drop(bench.loaded(&mut changer, 2, 1));
    assert_eq!(sense(&changer.move_medium(SLOT + 3, 11)), None);
    assert_eq!(sense(&changer.move_medium(SLOT, SLOT + 7)), None);
    bench.shutdown();
    let refused = |bench: &mut Bench, drives, slots, io| {
        bench.options.layout = l700_layout(drives, slots, io);
        bench.try_start().unwrap_err().to_string()
    };
    let message = refused(&mut bench, 1, 8, 2);
    assert_eq!(message, "cartridge CAP002L8 is in drive:1, and the configuration has only 1 drive");
    let message = refused(&mut bench, 2, 7, 2);
    assert_eq!(message, "cartridge CAP001L8 is in slot:8, and the configuration has only 7 slots");
    let message = refused(&mut bench, 2, 8, 1);
    assert_eq!(message, "cartridge CAP004L8 is in io:2, and the configuration has only 1 import/export slot");
    // More of everything is fine.
    bench.options.layout = l700_layout(3, 20, 4);
    bench.start();
    bench.wait_for(1, DriveState::Loaded);
    assert_eq!(bench.inventory().len(), 4);
    let mut changer = bench.changer();
    let mut third = bench.loaded(&mut changer, 3, 2);
    third.write_good(b"new drive");
}

#[test]
fn a_missing_or_damaged_catalog_is_not_papered_over() {
    let mut bench = Bench::new();
    bench.shutdown();
    let catalog = bench.state_dir().join("catalog.redb");
    let kept = bench.outside().join("kept");
    std::fs::rename(&catalog, &kept).unwrap();
    let error = bench.try_start().unwrap_err();
    assert!(matches!(error, LibraryError::Catalog(CatalogError::Missing(_))), "{error}");
    assert!(error.next().contains("capstan recover --from disk"), "{}", error.next());
    // Of a release that kept nothing beside the catalog.
    for number in 0..2 {
        let state = bench.state_dir().join(format!("library.state.{number}"));
        std::fs::rename(&state, bench.outside().join(state.file_name().unwrap())).unwrap();
    }
    let error = bench.try_start().unwrap_err();
    assert!(matches!(error, LibraryError::CatalogMissing { count: 4, .. }), "{error}");
    assert!(error.next().contains("capstan recover --from disk"), "{}", error.next());
    std::fs::write(&catalog, b"not a catalog at all").unwrap();
    let error = bench.try_start().unwrap_err();
    assert!(matches!(error, LibraryError::Catalog(_)), "{error}");
    assert!(error.next().contains("capstan recover --from disk"), "{}", error.next());
    std::fs::copy(&kept, &catalog).unwrap();
    bench.start();
    assert_eq!(bench.inventory().len(), 4);
}

#[test]
fn a_first_start_that_was_interrupted_is_finished() {
    let mut bench = Bench::unstarted(|options| options.first_start.count = 6);
    bench.disk.set(Mood::Failing);
    assert_eq!(bench.try_start().unwrap_err().kind(), ErrorKind::Io);
    bench.disk.set(Mood::Good);
    bench.options.first_start.prefix = "low".to_owned();
    assert_eq!(bench.try_start().unwrap_err().kind(), ErrorKind::Invalid);
    bench.options.first_start.prefix = "CAP".to_owned();
    bench.start();
    assert_eq!(bench.inventory().len(), 6);
    bench.options.first_start.count = 8;
    bench.restart();
    assert_eq!(bench.inventory().len(), 6, "only the first start makes cartridges");
}

#[test]
fn identities_are_those_of_the_library_and_differ() {
    let mut bench = Bench::new();
    let uuid = bench.library().uuid();
    let serials: Vec<String> = (0..2).map(|index| bench.drive_info(index).serial).collect();
    assert_ne!(serials[0], serials[1]);
    bench.options.gateway = "renamed".to_owned();
    bench.restart();
    assert_eq!(bench.library().uuid(), uuid);
    assert_eq!((0..2).map(|index| bench.drive_info(index).serial).collect::<Vec<_>>(), serials);
    let mut drive = bench.drive(1);
    let page = drive.good(&[0x12, 1, 0x80, 0, 255, 0], &[]);
    assert_eq!(&page[4..], serials[1].as_bytes());
    assert_eq!(bench.options.target_name("drive-01"), "iqn.2026-11.io.capstan:renamed.drive-01");
    let names: Vec<String> = bench.library().routers(None).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["changer", "drive-00", "drive-01"]);
}

#[test]
fn all_devices_behind_one_target() {
    let mut bench = Bench::with(|options| options.single_target = true);
    assert_eq!(bench.library().routers(None).len(), 1);
    let mut host = bench.host("");
    let luns = host.good(&[0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], &[]);
    assert_eq!(&luns[..4], &24_u32.to_be_bytes());
    assert_eq!((luns[9], luns[17], luns[25]), (0, 1, 2));
    assert_eq!(sense(&host.move_medium(SLOT, DRIVE + 1)), None);
    assert_eq!(bench.drive_info(1).state, DriveState::Loaded);
    let seen = host.manage(ManagementFunction::TargetReset);
    assert_eq!(seen, ManagementResponse::FunctionComplete);
    assert!(host.attentions().iter().all(|sense| *sense != NEW_MEDIUM));
}

/// Numbers stay as they are: LUN 0 answers that nothing is there, and tells what is.
#[test]
fn what_a_host_may_not_use_behind_one_target_is_not_there_for_it() {
    const REPORT_LUNS: [u8; 12] = [0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0];
    let bench = Bench::with(|options| options.single_target = true);
    let access: DeviceAccess = Arc::new(|initiator, device| initiator.name.ends_with(":99") && device == "drive-01");
    let (_, router) = bench.library().routers(Some(&access)).pop().unwrap();
    let mut host = Host::new(&router, 99);
    for (number, inquiry) in [(0, 0x7f), (1, 0x7f), (2, 0x01), (3, 0x7f)] {
        for lun in [Lun::flat(number), Lun([0x40, number, 0, 0, 0, 0, 0, 0])] {
            host.lun = lun;
            let luns = host.good(&REPORT_LUNS, &[]);
            assert_eq!(luns[..], [0, 0, 0, 8, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0], "through LUN {number}");
            assert_eq!(host.good(&[0x12, 0, 0, 0, 36, 0], &[])[0], inquiry, "LUN {number}");
            if number != 2 {
                host.fails(&[0; 6], &[], (5, 0x25, 0));
                host.fails(&move_cdb(SLOT, DRIVE), &[], (5, 0x25, 0));
                assert_eq!(host.manage(ManagementFunction::LogicalUnitReset), ManagementResponse::LunDoesNotExist);
                assert_eq!(host.manage(ManagementFunction::AbortTaskSet), ManagementResponse::LunDoesNotExist);
            }
        }
    }
    host.lun = Lun::flat(2);
    assert_eq!(host.attentions(), [POWER_ON, NO_MEDIUM]);
    // A reset by one that may use one drive is nothing that the others notice.
    let mut changer = Host::new(&bench.router(""), 98);
    changer.attentions();
    assert_eq!(host.manage(ManagementFunction::TargetReset), ManagementResponse::FunctionComplete);
    assert_eq!(host.attentions()[0], (6, 0x29, 3));
    assert_eq!(changer.attentions(), []);

    let mut nobody = Host::new(&router, 97);
    assert_eq!(nobody.good(&REPORT_LUNS, &[])[..], [0; 8]);
    assert_eq!(nobody.manage(ManagementFunction::TargetReset), ManagementResponse::FunctionComplete);
    assert_eq!(changer.attentions(), []);
}
