//! Writing and synchronising.

use capstan_disk::{SimCall, SimFault};
use capstan_library::EventKind;

use crate::Row;
use crate::host::sense;
use crate::scene::block;

const REFUSED: &str = "Synchronised data can be read. WRITE, WRITE FILEMARKS and ERASE answer 03/50/00 (Write append \
                       error) until the cartridge is unloaded and loaded: that lets it go, and looks at what the disk \
                       really holds.";

pub const ROWS: fn() -> Vec<Row> = || {
    vec![
        Row {
            event: "The disk fails to write (EIO)",
            command: "WRITE",
            sense: Some((3, 0x0c, 0)),
            alerts: &[3, 6],
            events: &[EventKind::WriteFailed],
            afterwards: REFUSED,
            play: |scene| {
                scene.fail_segment(SimCall::Write, SimFault::Io);
                scene.drive.write(&block(9))
            },
            after: |scene| {
                scene.is_poisoned();
                scene.heals_by_loading();
            },
        },
        Row {
            event: "The disk takes a part of a block, then the rest (short write)",
            command: "WRITE",
            sense: None,
            alerts: &[],
            events: &[],
            afterwards: "Nothing has happened.",
            play: |scene| {
                scene.fail_segment(SimCall::Write, SimFault::Short);
                scene.drive.write(&block(9))
            },
            after: |scene| {
                scene.locate(7);
                assert_eq!(scene.drive.read().unwrap(), block(9));
                scene.writes_again();
            },
        },
        Row {
            event: "The disk fails to synchronise (fdatasync)",
            command: "WRITE FILEMARKS, also with count 0",
            sense: Some((3, 0x0c, 0)),
            alerts: &[3, 6],
            events: &[EventKind::SyncFailed],
            afterwards: REFUSED,
            play: |scene| {
                scene.fail_segment(SimCall::Sync, SimFault::Io);
                scene.drive.run(&[0x10, 0, 0, 0, 0, 0], &[])
            },
            after: |scene| {
                // The kernel would say yes now, and the pages are gone.
                scene.is_poisoned();
                scene.heals_by_loading();
            },
        },
        Row {
            event: "The disk fails to synchronise (fdatasync)",
            command: "ERASE",
            sense: Some((3, 0x0c, 0)),
            alerts: &[3, 6],
            events: &[EventKind::SyncFailed],
            afterwards: REFUSED,
            play: |scene| {
                scene.fail_segment(SimCall::Sync, SimFault::Io);
                scene.drive.run(&[0x19, 0, 0, 0, 0, 0], &[])
            },
            after: |scene| {
                scene.is_poisoned();
                scene.heals_by_loading();
            },
        },
        Row {
            event: "The disk fails to synchronise a full segment (fdatasync)",
            command: "WRITE",
            sense: Some((3, 0x0c, 0)),
            alerts: &[3, 6],
            events: &[EventKind::SyncFailed],
            afterwards: REFUSED,
            play: |scene| {
                scene.fail_segment(SimCall::Sync, SimFault::Io);
                scene.fill().1
            },
            after: |scene| {
                scene.is_poisoned();
                scene.heals_by_loading();
            },
        },
        Row {
            event: "The disk fails to write the index of a full segment (EIO)",
            command: "WRITE",
            sense: Some((3, 0x0c, 0)),
            alerts: &[3, 6],
            events: &[EventKind::WriteFailed],
            afterwards: REFUSED,
            play: |scene| {
                // Three more of these go into the segment; then it is sealed.
                for _ in 0..4 {
                    scene.drive.write_good(&[1; 250_000]);
                }
                scene.fail_segment(SimCall::Write, SimFault::Io);
                scene.drive.write(&[2; 250_000])
            },
            after: |scene| {
                scene.is_poisoned();
                scene.heals_by_loading();
            },
        },
        Row {
            event: "The disk fails to synchronise a directory",
            command: "WRITE FILEMARKS",
            sense: Some((3, 0x0c, 0)),
            alerts: &[3, 6],
            events: &[EventKind::SyncFailed],
            afterwards: REFUSED,
            play: |scene| {
                // An overwrite begins a new file.
                scene.locate(6);
                scene.drive.write_good(&block(8));
                scene.fail_segment(SimCall::SyncDirectory, SimFault::Io);
                scene.drive.run(&[0x10, 0, 0, 0, 1, 0], &[])
            },
            after: |scene| {
                scene.is_poisoned();
                scene.heals_by_loading();
            },
        },
        Row {
            event: "The disk fails when the cartridge is to be marked open",
            command: "the first WRITE after a load",
            sense: Some((3, 0x0c, 0)),
            alerts: &[3, 6],
            events: &[EventKind::WriteFailed],
            afterwards: "Nothing was written; the next WRITE tries again.",
            play: |scene| {
                scene.drive.unload();
                scene.load();
                scene.drive.attentions();
                scene.drive.good(&[0x11, 3, 0, 0, 0, 0], &[]);
                scene.fail_meta(SimCall::Sync, SimFault::Io);
                scene.drive.write(&block(9))
            },
            after: |scene| {
                scene.all_is_there();
                scene.writes_again();
            },
        },
        Row {
            event: "The disk fails to synchronise (fdatasync)",
            command: "UNLOAD",
            sense: Some((3, 0x53, 0)),
            alerts: &[56],
            events: &[EventKind::UnloadFailed],
            afterwards: "The cartridge stays threaded; synchronised data can be read, writes answer 03/50/00. The next \
                         UNLOAD, or a move, lets it go; loading it looks at what the disk really holds.",
            play: |scene| {
                scene.fail_segment(SimCall::Sync, SimFault::Io);
                scene.drive.run(&[0x1b, 0, 0, 0, 0, 0], &[])
            },
            after: |scene| {
                scene.is_poisoned();
                scene.heals_by_loading();
            },
        },
        Row {
            event: "The cartridge cannot be marked clean",
            command: "UNLOAD",
            sense: None,
            alerts: &[],
            events: &[],
            afterwards: "All of it is on stable storage; the next load looks through it.",
            play: |scene| {
                scene.fail_meta(SimCall::Sync, SimFault::Io);
                scene.drive.run(&[0x1b, 0, 0, 0, 0, 0], &[])
            },
            after: |scene| {
                assert_eq!(sense(&scene.drive.run(&[0x1b, 0, 0, 0, 1, 0], &[])), None);
                assert_eq!(scene.events(), [EventKind::Moved, EventKind::Recovered]);
                scene.all_is_there();
                scene.writes_again();
            },
        },
    ]
};
