//! One drive: load, write, read, abort, flood.

use capstan_library::DriveState;
use capstan_scsi::sam::{Lun, ManagementFunction, ManagementResponse, Status, TaskId};

use crate::bench::{Bench, SLOT, block};
use crate::disk::Mood;
use crate::host::{END_OF_DATA, Event, FILEMARK, NEW_MEDIUM, NO_MEDIUM, POWER_ON, sense, write};

#[test]
fn write_filemark_rewind_read() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    for number in 0..5 {
        drive.write_good(&block(number, 10_000 + number as usize));
    }
    drive.filemarks(1);
    drive.write_good(b"second file");
    drive.filemarks(2);
    assert_eq!(drive.position(), 9);
    drive.rewind();
    for number in 0..5 {
        assert_eq!(drive.read().unwrap(), block(number, 10_000 + number as usize));
    }
    assert_eq!(drive.read(), Err(FILEMARK));
    assert_eq!(drive.read().unwrap(), &b"second file"[..]);
    assert_eq!(drive.read(), Err(FILEMARK));
    assert_eq!(drive.read(), Err(FILEMARK));
    assert_eq!(drive.read(), Err(END_OF_DATA));

    let info = bench.drive_info(0);
    assert_eq!((info.state, info.barcode.unwrap().as_str()), (DriveState::Loaded, "CAP001L8"));
    assert_eq!((info.write_bytes, info.read_bytes), (50_021, 50_021));
    assert_eq!(info.position.map(|position| position.object.0), Some(9));
    let tape = bench.tape("CAP001L8");
    assert_eq!((tape.used, tape.objects, tape.filemarks, tape.durable_to), (50_021, 9, 3, 9));
}

#[test]
fn what_is_durable_is_told_apart_from_what_is_written() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    drive.write_good(b"one");
    drive.filemarks(1);
    drive.write_good(b"two");
    bench.until(|bench| bench.tape("CAP001L8").objects == 3);
    assert_eq!(bench.tape("CAP001L8").durable_to, 2);
    drive.rewind();
    drive.write_good(b"again");
    bench.until(|bench| bench.tape("CAP001L8").objects == 1);
    assert_eq!(bench.tape("CAP001L8").durable_to, 0);
    drive.good(&[0x10, 0, 0, 0, 0, 0], &[]);
    assert_eq!(bench.tape("CAP001L8").durable_to, 1);
}

#[test]
fn data_that_comes_later_is_asked_for() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    let data = block(7, 300_000);
    let task = drive.submit_with(&write(data.len()), &data, 65_536);
    let Event::NeedData { task: asked, received, length } = drive.event() else { panic!("no need for data") };
    assert_eq!((asked, received, length), (task, 0, 300_000), "all of it, in one piece");
    drive.router.data_out(Lun::ZERO, task, bytes::Bytes::copy_from_slice(&data));
    assert_eq!(drive.wait(task).status, Status::GOOD);
    drive.rewind();
    assert_eq!(drive.read().unwrap(), data);
}

#[test]
fn every_nexus_hears_of_a_new_cartridge() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let (mut one, seen) = bench.host_with_attentions("drive-00");
    assert_eq!(seen, [POWER_ON, NO_MEDIUM]);
    let mut other = bench.drive(0);
    let mut elsewhere = bench.drive(1);
    assert_eq!(sense(&changer.move_medium(SLOT, 500)), None);
    assert_eq!(one.attentions(), [NEW_MEDIUM]);
    // INQUIRY does not fetch it.
    other.good(&[0x12, 0, 0, 0, 36, 0], &[]);
    assert_eq!(other.attentions(), [NEW_MEDIUM]);
    assert_eq!(elsewhere.attentions(), [NO_MEDIUM]);
    assert_eq!(sense(&changer.move_medium(500, SLOT)), None);
    assert_eq!(one.attentions(), [NO_MEDIUM]);
}

#[test]
fn a_host_unloads_and_loads_without_the_robot() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 2, 1);
    drive.write_good(b"kept");
    let element = |changer: &mut crate::host::Host| {
        changer.elements().into_iter().find(|element| element.address == 501).unwrap()
    };
    assert_eq!((element(&mut changer).access, element(&mut changer).source), (false, Some(1001)));
    drive.unload();
    bench.wait_for(1, DriveState::Unloaded);
    assert!(element(&mut changer).access);
    drive.fails(&[0; 6], &[], NO_MEDIUM);
    let tape = bench.tape("CAP002L8");
    assert_eq!((tape.used, tape.objects, tape.durable_to), (4, 1, 1));
    drive.load();
    assert_eq!(drive.attentions(), [NEW_MEDIUM]);
    assert!(!element(&mut changer).access);
    assert_eq!(drive.read().unwrap(), &b"kept"[..]);
}

#[test]
fn an_abort_finds_a_task_that_waits_behind_a_slow_one() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    drive.write_good(b"first");
    bench.disk.set(Mood::Waiting);
    let slow = drive.submit(&[0x10, 0, 0, 0, 1, 0], &[]);
    bench.wait_busy(0);
    let doomed = drive.submit(&write(3), b"bad");
    let last = drive.submit(&[0x34, 6, 0, 0, 0, 0, 0, 0, 0, 0], &[]);
    let releaser = {
        let disk = std::sync::Arc::clone(&bench.disk);
        std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(200));
            disk.set(Mood::Good);
        })
    };
    // The filemark cannot be interrupted; the abort is answered after it, and the write behind it never runs.
    drive.router.manage(
        capstan_scsi::sam::TaskManagement {
            nexus: drive.nexus,
            lun: Lun::ZERO,
            function: ManagementFunction::AbortTask(doomed),
            tag: 999,
        },
        drive.observer(),
    );
    assert_eq!(drive.wait(slow).status, Status::GOOD);
    let Event::Managed(999, ManagementResponse::FunctionComplete) = drive.event() else { panic!("no answer") };
    let position = drive.wait(last);
    assert_eq!(position.data_in[15], 2, "block, filemark, nothing else");
    releaser.join().unwrap();
    let gone = drive.manage(ManagementFunction::AbortTask(TaskId { tag: 12_345, ..doomed }));
    assert_eq!(gone, ManagementResponse::TaskDoesNotExist);
}

#[test]
fn a_flood_is_answered_task_set_full_and_nothing_is_lost() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    drive.write_good(b"x");
    bench.disk.set(Mood::Waiting);
    let slow = drive.submit(&[0x10, 0, 0, 0, 1, 0], &[]);
    bench.wait_busy(0);
    let flood: Vec<TaskId> = (0..600).map(|_| drive.submit(&[0; 6], &[])).collect();
    bench.disk.set(Mood::Good);
    let mut statuses = std::collections::BTreeMap::new();
    for _ in 0..601 {
        let Event::Completed(task, completion) = drive.event() else { panic!("no completion") };
        assert!(statuses.insert(task, completion.status).is_none(), "answered twice");
    }
    assert_eq!(statuses[&slow], Status::GOOD);
    let full = flood.iter().filter(|task| statuses[task] == Status::TASK_SET_FULL).count();
    let good = flood.iter().filter(|task| statuses[task] == Status::GOOD).count();
    assert_eq!(full + good, 600);
    assert!((100..500).contains(&good), "{good} good");
    assert_eq!(drive.attentions(), []);
}

#[test]
fn a_lost_nexus_takes_its_tasks_and_its_lock_with_it() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    drive.prevent(true);
    assert_eq!(sense(&changer.move_medium(500, SLOT)), Some((5, 0x53, 2)));
    bench.disk.set(Mood::Waiting);
    drive.submit(&[0x10, 0, 0, 0, 1, 0], &[]);
    drive.submit(&[0; 6], &[]);
    drive.router.nexus_lost(drive.nexus);
    bench.disk.set(Mood::Good);
    assert_eq!(sense(&changer.move_medium(500, SLOT)), None);
    assert!(drive.nothing_within(std::time::Duration::from_millis(100)));
}

#[test]
fn other_logical_units_are_not_there() {
    let mut bench = Bench::new();
    let drive = bench.drive(0);
    let mut cdb = capstan_scsi::sam::Cdb::default();
    cdb.0[0] = 0;
    let id = TaskId { nexus: drive.nexus, tag: 77 };
    let task = capstan_scsi::sam::Task {
        id,
        attribute: capstan_scsi::sam::Attribute::Simple,
        cdb,
        data_out: capstan_scsi::sam::DataOut::default(),
        data_in_limit: 0,
        observer: drive.observer(),
    };
    drive.router.submit(Lun::flat(1), task);
    assert_eq!(sense(&drive.wait(id)), Some((5, 0x25, 0)));
}
