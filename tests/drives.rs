//! Drives over iSCSI: blocks of every size, and ten drives at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use bytes::Bytes;
use capstan_initiator::{BlockRead, SpaceKind, Tape};
use capstan_scsi::smc::ElementType;
use support::Library;

fn block(seed: usize, length: usize) -> Bytes {
    (0..length).map(|at| u8::try_from((at / 3 + at * seed) % 251).unwrap()).collect()
}

#[tokio::test]
async fn blocks_of_every_size_come_back() {
    let library = Library::start();
    library.text(&["library", "load", "CAP001L8", "0"]);
    let tape = library.drive(0).await;
    tape.wait_ready().await.unwrap();
    assert_eq!(tape.read_block_limits().await.unwrap(), (1, 8 << 20));
    let lengths = [1, 2, 511, 512, 10_240, 64_512, 262_144, 1 << 20, 8 << 20];
    for (seed, length) in lengths.into_iter().enumerate() {
        tape.write_block(block(seed, length)).await.unwrap();
    }
    tape.write_filemarks(1, false).await.unwrap();
    tape.locate(0).await.unwrap();
    for (seed, length) in lengths.into_iter().enumerate() {
        assert_eq!(tape.read_block(8 << 20).await.unwrap(), BlockRead::Block(block(seed, length)), "{length}");
    }
    assert_eq!(tape.read_block(8 << 20).await.unwrap(), BlockRead::Filemark);
    assert_eq!(tape.read_block(8 << 20).await.unwrap(), BlockRead::EndOfData);
}

#[tokio::test]
async fn fixed_blocks_and_spacing() {
    let library = Library::start();
    library.text(&["library", "load", "CAP001L8", "0"]);
    let tape = library.drive(0).await;
    tape.wait_ready().await.unwrap();
    tape.set_block_length(512).await.unwrap();
    tape.write_fixed(20, block(1, 20 * 512)).await.unwrap();
    tape.write_filemarks(1, true).await.unwrap();
    tape.write_fixed(5, block(2, 5 * 512)).await.unwrap();
    tape.space(SpaceKind::Filemarks, -1).await.unwrap();
    let position = tape.read_position().await.unwrap();
    assert_eq!((position.object, position.file), (20, 0));
    tape.space(SpaceKind::EndOfData, 0).await.unwrap();
    let position = tape.read_position().await.unwrap();
    assert_eq!((position.object, position.file, position.unknown), (26, 1, false));
    tape.rewind().await.unwrap();
    assert_eq!(tape.read_fixed(20, 512).await.unwrap(), BlockRead::Block(block(1, 20 * 512)));
}

/// Writes and reads back what no other drive has.
async fn use_drive(tape: Tape, seed: usize) {
    tape.wait_ready().await.unwrap();
    for number in 0..64 {
        tape.write_block(block(seed * 100 + number, 65_536)).await.unwrap();
    }
    tape.write_filemarks(1, false).await.unwrap();
    tape.rewind().await.unwrap();
    for number in 0..64 {
        let expected = BlockRead::Block(block(seed * 100 + number, 65_536));
        assert_eq!(tape.read_block(65_536).await.unwrap(), expected, "drive {seed}, block {number}");
    }
}

#[tokio::test]
async fn ten_drives_work_at_once() {
    let library = Library::start();
    let changer = library.changer().await;
    let elements = changer.element_status().await.unwrap();
    let of = |kind: ElementType| elements.iter().filter(move |element| element.element_type == kind);
    for (slot, drive) in of(ElementType::STORAGE).zip(of(ElementType::DATA_TRANSFER)) {
        changer.move_medium(slot.address, drive.address).await.unwrap();
    }
    let mut running = Vec::new();
    for index in 0..10 {
        let tape = library.drive(index).await;
        running.push(tokio::spawn(use_drive(tape, usize::from(index))));
    }
    for each in running {
        each.await.unwrap();
    }
    let drives = library.json(&["drive", "list"]);
    for drive in drives.as_array().unwrap() {
        assert_eq!((&drive["write_bytes"], &drive["read_bytes"]), (&(4 << 20).into(), &(4 << 20).into()), "{drive}");
    }
}
