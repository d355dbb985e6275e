//! An object in a tier: one sealed segment in frames, and the key of a cartridge. See `docs/format/object-v1.md`.
//!
//! ```text
//! object := header frame* footer
//! frame  := head stored
//! footer := header table [tag] trailer
//! ```
//!
//! Only bytes are here, and what goes into the derivation of keys, into nonces and tags; compression and encryption are
//! the business of who seals and opens.

mod footer;
mod frame;
mod header;
mod secret;
mod table;
mod trailer;
mod wrapped;

pub use footer::Footer;
pub use frame::{FRAME_HEAD_LENGTH, FrameHead};
pub use header::{FRAME_SIZE, FRAME_SIZE_MIN, HEADER_LENGTH, Header, PLAIN_LENGTH_MAX, Protection};
pub use secret::{
    CARTRIDGE_KEY_PREFIX, FRAME_AAD_LENGTH, KeyId, NONCE_LENGTH, TABLE_AAD_LENGTH, TAG_LENGTH, WRAPPING_KEY_PREFIX,
    frame_aad, nonce, object_key_info, table_aad, wrap_info,
};
pub use table::{FrameEntry, Table};
pub use trailer::{TRAILER_LENGTH, Trailer};
pub use wrapped::{WRAPPED_KEY_LENGTH, WrappedKey};
