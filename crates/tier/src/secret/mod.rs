//! Keys: of the user, of a cartridge, of an object. See *Encryption* in `docs/format/object-v1.md`.
//!
//! Keys are wiped from memory when they are dropped, and show only their identifiers.

mod cipher;
mod file;
mod keys;

pub(crate) use cipher::Cipher;
pub use file::KeyFileError;
pub use keys::{CartridgeKey, UnwrapError, WrappingKey};
