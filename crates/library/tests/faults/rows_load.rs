//! Loading and starting.

use capstan_disk::{SimCall, SimFault};
use capstan_library::EventKind;

use crate::Row;
use crate::host::{NO_MEDIUM, POSITION_LOST, sense};
use crate::scene::{DRIVE, SLOT};

pub const ROWS: fn() -> Vec<Row> = || {
    vec![
        Row {
            event: "The disk fails when a cartridge is opened (EIO)",
            command: "LOAD",
            sense: Some((3, 0x53, 0)),
            alerts: &[55],
            events: &[EventKind::LoadFailed],
            afterwards: "The drive is not ready (02/3A/00). The next LOAD tries again; the robot can take the \
                         cartridge out.",
            play: |scene| {
                scene.drive.unload();
                scene.fail_meta(SimCall::Open, SimFault::Io);
                scene.drive.run(&[0x1b, 0, 0, 0, 1, 0], &[])
            },
            after: |scene| {
                assert_eq!(scene.readiness(), Some(NO_MEDIUM));
                scene.load();
                scene.all_is_there();
                scene.writes_again();
            },
        },
        Row {
            event: "The disk fails when a cartridge is opened (EIO)",
            command: "MOVE MEDIUM into a drive",
            sense: Some((3, 0x53, 0)),
            alerts: &[],
            events: &[EventKind::NotMoved],
            afterwards: "The cartridge is where it was. The next move tries again.",
            play: |scene| {
                assert_eq!(sense(&scene.changer.move_medium(DRIVE, SLOT)), None);
                scene.forget_what_happened();
                scene.fail_meta(SimCall::Open, SimFault::Io);
                scene.changer.move_medium(SLOT, DRIVE)
            },
            after: |scene| {
                assert_eq!(scene.element_of("CAP001L8"), SLOT);
                assert_eq!(sense(&scene.changer.move_medium(SLOT, DRIVE)), None);
                scene.all_is_there();
            },
        },
        Row {
            event: "Both copies of a cartridge's metadata are damaged",
            command: "MOVE MEDIUM into a drive",
            sense: Some((3, 0x53, 0)),
            alerts: &[],
            events: &[EventKind::NotMoved],
            afterwards: "The cartridge is where it was, and can be moved between slots. No drive takes it.",
            play: |scene| {
                assert_eq!(sense(&scene.changer.move_medium(DRIVE, SLOT)), None);
                scene.forget_what_happened();
                scene.damage_meta(20);
                scene.damage_meta(512 + 20);
                scene.changer.move_medium(SLOT, DRIVE)
            },
            after: |scene| {
                assert_eq!(sense(&scene.changer.move_medium(SLOT, SLOT + 7)), None);
                assert_eq!(sense(&scene.changer.move_medium(SLOT + 7, DRIVE)), Some((3, 0x53, 0)));
            },
        },
        Row {
            event: "A cartridge that was not unloaded properly cannot be read (EIO)",
            command: "LOAD",
            sense: Some((3, 0x53, 0)),
            alerts: &[55],
            events: &[EventKind::LetGo, EventKind::LoadFailed],
            afterwards: "Nothing was changed: the next LOAD tries again, and finds everything that was synchronised.",
            play: |scene| {
                scene.fail_segment(SimCall::Sync, SimFault::Io);
                scene.drive.fails(&[0x10, 0, 0, 0, 0, 0], &[], (3, 0x0c, 0));
                scene.forget_what_happened();
                scene.drive.unload();
                scene.fail_segment(SimCall::Read, SimFault::Io);
                scene.drive.run(&[0x1b, 0, 0, 0, 1, 0], &[])
            },
            after: |scene| {
                scene.load();
                scene.synced_is_there();
                scene.writes_again();
            },
        },
        Row {
            event: "The daemon starts with a cartridge in the drive",
            command: "READ, WRITE, WRITE FILEMARKS, ERASE, SPACE (but to end of data)",
            sense: Some(POSITION_LOST),
            alerts: &[],
            events: &[EventKind::PositionLost],
            afterwards: "REWIND, LOCATE, LOAD or SPACE to end of data give the position back.",
            play: |scene| {
                scene.restart();
                scene.drive.attentions();
                scene.drive.fails(&[0x10, 0, 0, 0, 1, 0], &[], POSITION_LOST);
                assert_eq!(scene.drive.read(), Err(POSITION_LOST));
                scene.drive.write(b"stray")
            },
            after: |scene| {
                scene.all_is_there();
                scene.writes_again();
            },
        },
        Row {
            event: "The daemon starts with a cartridge in the drive that cannot be opened",
            command: "TEST UNIT READY",
            sense: Some(NO_MEDIUM),
            alerts: &[],
            events: &[EventKind::LoadFailed],
            afterwards: "LOAD tries again. The robot can take the cartridge out. The rest of the library is there.",
            play: |scene| {
                scene.fail_at_start();
                scene.drive.attentions();
                scene.drive.run(&[0; 6], &[])
            },
            after: |scene| {
                scene.disk.heal();
                scene.load();
                scene.all_is_there();
            },
        },
    ]
};
