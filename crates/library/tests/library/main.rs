//! The library over its own interfaces: SCSI tasks through the routers, operators through the librarian.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    unreachable_pub
)]

mod bench;
mod buffer;
mod changer;
mod crowd;
mod disk;
mod drive;
mod failure;
mod host;
mod images;
mod operators;
mod random;
mod restart;
mod shipping;
mod stage;
mod verify;
