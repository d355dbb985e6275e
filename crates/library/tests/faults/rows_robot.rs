//! The robot and its catalog.

use capstan_disk::{SimCall, SimFault};
use capstan_library::EventKind;

use crate::Row;
use crate::host::{NEW_MEDIUM, POSITION_LOST, sense};
use crate::scene::{DRIVE, SLOT};

pub const ROWS: fn() -> Vec<Row> = || {
    vec![
        Row {
            event: "The disk fails to synchronise (fdatasync)",
            command: "MOVE MEDIUM out of the drive",
            sense: Some((3, 0x53, 0)),
            alerts: &[],
            events: &[EventKind::UnloadFailed, EventKind::NotMoved],
            afterwards: "The cartridge stays in the drive, threaded; synchronised data can be read, writes answer \
                         03/50/00. The next move lets it go; loading it looks at what the disk really holds.",
            play: |scene| {
                scene.fail_segment(SimCall::Sync, SimFault::Io);
                scene.changer.move_medium(DRIVE, SLOT)
            },
            after: |scene| {
                assert_eq!(scene.element_of("CAP001L8"), DRIVE);
                scene.is_poisoned();
                scene.events();
                assert_eq!(sense(&scene.changer.move_medium(DRIVE, SLOT)), None);
                assert_eq!(scene.events(), [EventKind::LetGo, EventKind::Unloaded]);
                assert_eq!(sense(&scene.changer.move_medium(SLOT, DRIVE)), None);
                assert_eq!(scene.events(), [EventKind::Recovered, EventKind::Loaded]);
                scene.synced_is_there();
                scene.writes_again();
            },
        },
        Row {
            event: "The catalog cannot be written (fdatasync)",
            command: "MOVE MEDIUM between slots",
            sense: Some((4, 0x44, 0)),
            alerts: &[],
            events: &[EventKind::NotRecorded, EventKind::NotMoved],
            afterwards: "Nothing has moved. The next change writes the whole catalog anew.",
            play: |scene| {
                scene.disk.fail_next(SimCall::Sync, "catalog.redb", SimFault::Io);
                scene.changer.move_medium(SLOT + 2, SLOT + 5)
            },
            after: |scene| scene.all_is_there(),
        },
        Row {
            event: "The catalog cannot be written (ENOSPC)",
            command: "MOVE MEDIUM between slots",
            sense: Some((4, 0x44, 0)),
            alerts: &[],
            events: &[EventKind::NotRecorded, EventKind::NotMoved],
            afterwards: "As above.",
            play: |scene| {
                scene.disk.fail_next(SimCall::Write, "catalog.redb", SimFault::NoSpace);
                scene.changer.move_medium(SLOT + 2, SLOT + 5)
            },
            after: |scene| scene.all_is_there(),
        },
        Row {
            event: "The copy of the library's state beside the catalog cannot be written (fdatasync)",
            command: "MOVE MEDIUM between slots",
            sense: Some((4, 0x44, 0)),
            alerts: &[],
            events: &[EventKind::NotRecorded, EventKind::NotMoved],
            afterwards: "As above.",
            play: |scene| {
                scene.disk.fail_next(SimCall::Sync, "library.state", SimFault::Io);
                scene.changer.move_medium(SLOT + 2, SLOT + 5)
            },
            after: |scene| scene.all_is_there(),
        },
        Row {
            event: "The catalog cannot be written (fdatasync)",
            command: "MOVE MEDIUM out of a drive",
            sense: Some((4, 0x44, 0)),
            alerts: &[],
            events: &[EventKind::NotRecorded, EventKind::NotMoved],
            afterwards: "The cartridge is in the drive as if it had just been loaded (a unit attention says so), its \
                         position lost; everything on it is on stable storage.",
            play: |scene| {
                scene.disk.fail_next(SimCall::Sync, "catalog.redb", SimFault::Io);
                scene.changer.move_medium(DRIVE, SLOT)
            },
            after: |scene| {
                assert_eq!(scene.element_of("CAP001L8"), DRIVE);
                assert_eq!(scene.attentions, [NEW_MEDIUM]);
                assert_eq!(scene.drive.read(), Err(POSITION_LOST));
                scene.all_is_there();
                assert_eq!(sense(&scene.changer.move_medium(DRIVE, SLOT)), None);
            },
        },
        Row {
            event: "The catalog cannot be written (fdatasync)",
            command: "MOVE MEDIUM into a drive",
            sense: Some((4, 0x44, 0)),
            alerts: &[],
            events: &[EventKind::NotRecorded, EventKind::NotMoved],
            afterwards: "The cartridge is in its slot; no host has seen it in the drive.",
            play: |scene| {
                assert_eq!(sense(&scene.changer.move_medium(DRIVE, SLOT)), None);
                scene.forget_what_happened();
                scene.disk.fail_next(SimCall::Sync, "catalog.redb", SimFault::Io);
                scene.changer.move_medium(SLOT, DRIVE)
            },
            after: |scene| {
                assert_eq!(scene.element_of("CAP001L8"), SLOT);
                assert_eq!(scene.readiness(), Some(crate::host::NO_MEDIUM));
                assert_eq!(sense(&scene.changer.move_medium(SLOT, DRIVE)), None);
                scene.all_is_there();
            },
        },
        Row {
            event: "The catalog cannot be written (fdatasync)",
            command: "UNLOAD",
            sense: None,
            alerts: &[],
            events: &[EventKind::NotRecorded],
            afterwards: "Everything on the cartridge is on stable storage. Should the daemon stop before the next \
                         change is recorded, it threads the cartridge again when it starts, its position lost.",
            play: |scene| {
                scene.disk.fail_next(SimCall::Sync, "catalog.redb", SimFault::Io);
                scene.drive.run(&[0x1b, 0, 0, 0, 0, 0], &[])
            },
            after: |scene| {
                assert_eq!(sense(&scene.changer.move_medium(DRIVE, SLOT)), None);
                assert_eq!(sense(&scene.changer.move_medium(SLOT, DRIVE)), None);
                scene.all_is_there();
            },
        },
    ]
};
