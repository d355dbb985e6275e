//! How a structure proves itself: magic, version, and a checksum in its last four bytes, in this order.

use zerocopy::{Immutable, IntoBytes};

use crate::{FormatError, checksum};

/// Each pair is what was found and what was expected: of the version the highest known, of the checksum the computed.
pub(crate) fn prove(
    what: &'static str,
    (magic, expected): ([u8; 8], [u8; 8]),
    (version, known): (u16, u16),
    (stored, computed): (u32, u32),
) -> Result<(), FormatError> {
    if magic != expected {
        return Err(FormatError::Magic(what));
    }
    if version > known {
        return Err(FormatError::NewerVersion { version, known });
    }
    if stored != computed {
        return Err(FormatError::Checksum { stored, computed });
    }
    Ok(())
}

/// The checksum of everything but the last four bytes, where it is stored.
pub(crate) fn sealing_checksum(structure: &(impl IntoBytes + Immutable)) -> u32 {
    checksum(covered(structure))
}

/// The bytes before the checksum.
pub(crate) fn covered(structure: &(impl IntoBytes + Immutable)) -> &[u8] {
    structure.as_bytes().split_last_chunk::<4>().map_or(&[], |(covered, _)| covered)
}
