//! What is where: the library's identity, its cartridges and the element that holds each of them, in redb.
//!
//! The catalog is a cache of truth. Cartridges describe themselves on disk, so a lost catalog can be rebuilt
//! ([`Catalog::rebuild`]); what they do not know, the slot map above all, is kept a second time in plain files
//! (`mirror`). Every change is one durable commit, and mirrored: a caller that was answered `Ok` may tell a host that
//! a cartridge has moved. It is read once at start and never touched for a block.
//!
//! Values carry a leading version byte before their postcard encoding. A newer version is refused by name, a value
//! that cannot be decoded is reported with its table and key, and nothing is guessed.
#![forbid(unsafe_code)]

mod backend;
mod catalog;
mod error;
mod image;
mod mirror;
mod rebuild;
mod row;
mod state;
mod tables;

pub use catalog::{Catalog, Change};
pub use error::{CatalogError, StateError};
pub use image::ImageError;
pub use mirror::MirrorFile;
pub use rebuild::Found;
pub use row::{CartridgeRow, CartridgeState, IdentityRow, PlaceRow};
pub use state::State;

#[cfg(test)]
mod mirror_tests;
#[cfg(test)]
mod tests;
