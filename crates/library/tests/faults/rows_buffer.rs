//! A full upload buffer.

use capstan_library::EventKind;

use crate::Row;
use crate::host::sense;
use crate::scene::{DRIVE, SEGMENT, SLOT, SYNCED, Scene, block};

const NO_ROOM: Option<(u8, u8, u8)> = Some((2, 4, 7));

/// Blocks are refused from now on.
fn full(scene: &mut Scene) {
    scene.limit_buffer(4 * SEGMENT);
    assert_eq!(sense(&scene.fill().1), NO_ROOM);
    scene.forget_what_happened();
}

/// A block is refused, and nothing has moved. With room the same goes on.
fn goes_on_with_room(scene: &mut Scene) {
    scene.events();
    scene.drive.good(&[0x11, 3, 0, 0, 0, 0], &[]);
    let at = scene.drive.position();
    assert_eq!(sense(&scene.drive.write(&block(9))), NO_ROOM, "the job tries again");
    assert_eq!(scene.drive.position(), at);
    scene.synced_is_there();
    assert_eq!(scene.events(), [], "that is known");
    // What lies behind the recovery point goes, which makes room.
    scene.locate(SYNCED + 1);
    scene.drive.good(&[0x19, 0, 0, 0, 0, 0], &[]);
    assert_eq!(sense(&scene.drive.write(&block(SYNCED))), None, "the same job goes on");
    assert_eq!(scene.events(), [EventKind::BufferHasRoom]);
    scene.drive.filemarks(1);
    scene.locate(SYNCED + 1);
    assert_eq!(scene.drive.read().unwrap(), block(SYNCED));
}

pub const ROWS: fn() -> Vec<Row> = || {
    vec![
        Row {
            event: "The upload buffer is full, and stays so for the stall limit",
            command: "WRITE",
            sense: NO_ROOM,
            alerts: &[2],
            events: &[EventKind::BufferFull],
            afterwards: "The WRITE has waited that long before any data was asked for; nothing of it was transferred, \
                         the position is where it was. Everything else works. As soon as there is room the same WRITE \
                         succeeds and the job goes on.",
            play: |scene| {
                scene.limit_buffer(4 * SEGMENT);
                scene.fill().1
            },
            after: goes_on_with_room,
        },
        Row {
            event: "The upload buffer is full",
            command: "WRITE FILEMARKS",
            sense: None,
            alerts: &[],
            events: &[],
            afterwards: "Durable as ever.",
            play: |scene| {
                full(scene);
                scene.drive.run(&[0x10, 0, 0, 0, 1, 0], &[])
            },
            after: goes_on_with_room,
        },
        Row {
            event: "The upload buffer is full",
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
            after: goes_on_with_room,
        },
        Row {
            event: "The upload buffer is full",
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
                scene.drive.attentions();
                goes_on_with_room(scene);
            },
        },
    ]
};
