//! A full disk.

use capstan_disk::{SimCall, SimFault};
use capstan_library::EventKind;

use crate::Row;
use crate::host::sense;
use crate::scene::{DRIVE, RESERVE, SLOT, Scene, block};

/// Blocks are refused from now on, and the reserve is there.
fn full(scene: &mut Scene) {
    scene.leave(2 * RESERVE);
    assert_eq!(sense(&scene.fill().1), Some((2, 4, 7)));
    scene.forget_what_happened();
}

/// A block is refused; nothing has moved; with room the same goes on.
fn goes_on_with_room(scene: &mut Scene) {
    let at = scene.drive.position();
    assert_eq!(sense(&scene.drive.write(&block(9))), Some((2, 4, 7)), "the job tries again");
    assert_eq!(scene.drive.position(), at);
    scene.events();
    scene.disk.limit_space(None);
    assert_eq!(sense(&scene.drive.write(&block(9))), None, "the same job goes on");
    assert_eq!(scene.events(), [EventKind::DiskHasRoom]);
    assert_eq!(scene.drive.position(), at + 1);
    scene.drive.filemarks(1);
    scene.synced_is_there();
    let [a, b] = (at as u16).to_be_bytes();
    scene.drive.good(&[0x2b, 0, 0, 0, 0, a, b, 0, 0, 0], &[]);
    assert_eq!(scene.drive.read().unwrap(), block(9));
}

pub const ROWS: fn() -> Vec<Row> = || {
    vec![
        Row {
            event: "Less than the reserve is free (64 MiB for each loaded cartridge)",
            command: "WRITE",
            sense: Some((2, 4, 7)),
            alerts: &[2],
            events: &[EventKind::DiskFull],
            afterwards: "Nothing of the command was written, the position is where it was. Everything else works. As \
                         soon as there is room the same WRITE succeeds and the job goes on.",
            play: |scene| {
                scene.leave(2 * RESERVE);
                scene.fill().1
            },
            after: goes_on_with_room,
        },
        Row {
            event: "Less than the reserve is free",
            command: "WRITE FILEMARKS",
            sense: None,
            alerts: &[],
            events: &[],
            afterwards: "Durable as ever.",
            play: |scene| {
                full(scene);
                scene.drive.run(&[0x10, 0, 0, 0, 1, 0], &[])
            },
            after: |scene| {
                scene.synced_is_there();
                scene.drive.good(&[0x11, 3, 0, 0, 0, 0], &[]);
                goes_on_with_room(scene);
            },
        },
        Row {
            event: "Less than the reserve is free",
            command: "UNLOAD, LOAD",
            sense: None,
            alerts: &[],
            events: &[],
            afterwards: "Everything is on stable storage.",
            play: |scene| {
                full(scene);
                scene.drive.unload();
                scene.drive.run(&[0x1b, 0, 0, 0, 1, 0], &[])
            },
            after: |scene| scene.synced_is_there(),
        },
        Row {
            event: "Less than the reserve is free",
            command: "MOVE MEDIUM out of the drive",
            sense: None,
            alerts: &[],
            events: &[EventKind::Unloaded],
            afterwards: "Everything is on stable storage, and the cartridge can be loaded again.",
            play: |scene| {
                full(scene);
                scene.changer.move_medium(DRIVE, SLOT)
            },
            after: |scene| {
                assert_eq!(sense(&scene.changer.move_medium(SLOT, DRIVE)), None);
                scene.synced_is_there();
            },
        },
        Row {
            event: "Nothing at all is free",
            command: "WRITE",
            sense: Some((2, 4, 7)),
            alerts: &[2],
            events: &[EventKind::DiskFull],
            afterwards: "As above.",
            play: |scene| {
                scene.leave(0);
                scene.drive.write(&block(9))
            },
            after: goes_on_with_room,
        },
        Row {
            event: "The disk is full in the middle of a block (ENOSPC)",
            command: "WRITE",
            sense: Some((2, 4, 7)),
            alerts: &[2],
            events: &[EventKind::DiskFull],
            afterwards: "What was written of the block is cut off. As above.",
            play: |scene| {
                scene.fail_segment(SimCall::Write, SimFault::NoSpace);
                scene.drive.write(&block(9))
            },
            after: |scene| {
                assert_eq!(scene.drive.position(), 7);
                assert_eq!(sense(&scene.drive.write(&block(9))), None);
                scene.locate(7);
                assert_eq!(scene.drive.read().unwrap(), block(9));
                scene.writes_again();
            },
        },
        Row {
            event: "Nothing at all is free",
            command: "WRITE FILEMARKS",
            sense: Some((2, 4, 7)),
            alerts: &[2],
            events: &[EventKind::DiskFull],
            afterwards: "No filemark was written, and with count 0 it succeeds: what was written before can be made \
                         durable.",
            play: |scene| {
                scene.leave(0);
                scene.drive.run(&[0x10, 0, 0, 0, 1, 0], &[])
            },
            after: |scene| {
                assert_eq!(scene.drive.position(), 7);
                assert_eq!(sense(&scene.drive.run(&[0x10, 0, 0, 0, 0, 0], &[])), None);
                goes_on_with_room(scene);
            },
        },
        Row {
            event: "Nothing at all is free",
            command: "UNLOAD",
            sense: None,
            alerts: &[],
            events: &[],
            afterwards: "Everything is on stable storage. LOAD answers 03/53/00 until there is room, since it could \
                         not note what it found.",
            play: |scene| {
                scene.leave(0);
                scene.drive.run(&[0x1b, 0, 0, 0, 0, 0], &[])
            },
            after: |scene| {
                scene.leave(0);
                scene.drive.fails(&[0x1b, 0, 0, 0, 1, 0], &[], (3, 0x53, 0));
                assert_eq!(scene.events().last(), Some(&EventKind::LoadFailed));
                scene.disk.limit_space(None);
                scene.load();
                scene.all_is_there();
                scene.writes_again();
            },
        },
        Row {
            event: "Nothing at all is free",
            command: "MOVE MEDIUM out of the drive",
            sense: None,
            alerts: &[],
            events: &[EventKind::Unloaded],
            afterwards: "As for UNLOAD.",
            play: |scene| {
                scene.leave(0);
                scene.changer.move_medium(DRIVE, SLOT)
            },
            after: |scene| {
                scene.disk.limit_space(None);
                assert_eq!(sense(&scene.changer.move_medium(SLOT, DRIVE)), None);
                scene.all_is_there();
            },
        },
    ]
};
