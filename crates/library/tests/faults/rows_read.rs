//! Reading.

use capstan_disk::{SimCall, SimFault};
use capstan_library::EventKind;

use crate::Row;
use crate::host::sense;
use crate::scene::{Scene, block};

pub const ROWS: fn() -> Vec<Row> = || {
    vec![
        Row {
            event: "The disk cannot read a block (EIO)",
            command: "READ",
            sense: Some((3, 0x11, 1)),
            alerts: &[3, 5],
            events: &[EventKind::ReadFailed],
            afterwards: "The tape stands after the block; the next ones can be read. Reading the block again asks the \
                         disk again.",
            play: |scene| {
                scene.locate(2);
                scene.fail_segment(SimCall::Read, SimFault::Io);
                scene.drive.run(&[0x08, 2, 0x10, 0, 0, 0], &[])
            },
            after: |scene| {
                assert_eq!(scene.drive.position(), 3);
                assert_eq!(scene.drive.read().unwrap(), block(3));
                scene.all_is_there();
                scene.writes_again();
            },
        },
        Row {
            event: "A stored block does not match its checksum",
            command: "READ",
            sense: Some((3, 0x11, 0)),
            alerts: &[3, 5],
            events: &[EventKind::Damaged],
            afterwards: "The tape stands after the block; the others can be read, and the cartridge can be written.",
            play: |scene| {
                scene.damage_segment(Scene::payload(2) + 10);
                scene.locate(2);
                scene.drive.run(&[0x08, 2, 0x10, 0, 0, 0], &[])
            },
            after: |scene| {
                assert_eq!(scene.drive.read().unwrap(), block(3));
                scene.locate(2);
                assert_eq!(scene.drive.read(), Err((3, 0x11, 0)));
                scene.writes_again();
            },
        },
        Row {
            event: "A stored block does not match its checksum",
            command: "SPACE, LOCATE past it",
            sense: None,
            alerts: &[],
            events: &[],
            afterwards: "Only who reads the block is told.",
            play: |scene| {
                scene.damage_segment(Scene::payload(2) + 10);
                scene.locate(1);
                scene.drive.run(&[0x11, 0, 0, 0, 2, 0], &[])
            },
            after: |scene| assert_eq!(scene.drive.read().unwrap(), block(3)),
        },
        Row {
            event: "The header of a stored record is damaged",
            command: "READ",
            sense: Some((3, 0x11, 0)),
            alerts: &[3, 5],
            events: &[EventKind::Damaged],
            afterwards: "As for the block itself.",
            play: |scene| {
                scene.damage_segment(Scene::payload(2) - 40);
                scene.locate(2);
                scene.drive.run(&[0x08, 2, 0x10, 0, 0, 0], &[])
            },
            after: |scene| {
                assert_eq!(scene.drive.read().unwrap(), block(3));
                // Found again by the index, and not taken for the end of data after a load either.
                scene.drive.unload();
                scene.load();
                scene.locate(3);
                assert_eq!(scene.drive.read().unwrap(), block(3));
                assert_eq!(sense(&scene.drive.run(&[0x11, 3, 0, 0, 0, 0], &[])), None);
                assert_eq!(scene.drive.position(), 7);
            },
        },
    ]
};
