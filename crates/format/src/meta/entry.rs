//! What `cartridge.meta` has behind its record: origins, then versions, all of them twice.

use super::{Origin, Version};
use crate::{FormatError, checksum, wide};

/// Bytes of an entry.
pub const ENTRY_LENGTH: usize = 256;

/// Entries of a cartridge, at most: with them the file is as long as a delta of the manifest can carry.
pub const ENTRIES_MAX: usize = 124;

pub(super) const VERSION_KIND: u16 = 1;
pub(super) const ORIGIN_KIND: u16 = 2;

/// Origins and versions.
pub(super) type Entries = (Vec<Origin>, Vec<Version>);

pub(super) fn encode(origins: &[Origin], versions: &[Version]) -> Vec<u8> {
    let origins = origins.iter().map(Origin::encode);
    let once: Vec<u8> = origins.chain(versions.iter().map(Version::encode)).flatten().collect();
    [once.as_slice(), once.as_slice()].concat()
}

/// Decodes `count` entries from what follows the record.
pub(super) fn decode(bytes: &[u8], count: usize) -> Result<Entries, FormatError> {
    let length = count.saturating_mul(ENTRY_LENGTH);
    let (first, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
    let (mut origins, mut versions): Entries = (Vec::new(), Vec::new());
    for at in (0..length).step_by(ENTRY_LENGTH) {
        let copy = |bytes: &[u8]| bytes.get(at..).and_then(<[u8]>::first_chunk).copied();
        let entry = prove(copy(first)).or_else(|error| prove(copy(rest)).map_err(|_| error))?;
        match u16::from_le_bytes([entry[0], entry[1]]) {
            ORIGIN_KIND if versions.is_empty() => {
                let origin = Origin::decode(&entry)?;
                if origins.last().is_some_and(|before| before.below >= origin.below) {
                    return Err(FormatError::Field("below of an origin"));
                }
                origins.push(origin);
            }
            VERSION_KIND => {
                let version = Version::decode(&entry)?;
                if versions.last().is_some_and(|before| before.number >= version.number) {
                    return Err(FormatError::Field("number of a version"));
                }
                versions.push(version);
            }
            _ => return Err(FormatError::Field("kind of an entry")),
        }
    }
    Ok((origins, versions))
}

/// One copy of an entry, if it is there and its checksum holds.
fn prove(copy: Option<[u8; ENTRY_LENGTH]>) -> Result<[u8; ENTRY_LENGTH], FormatError> {
    let entry = copy.ok_or(FormatError::Short { needed: wide(ENTRY_LENGTH), found: 0 })?;
    let (covered, stored) = entry.split_last_chunk::<4>().unwrap_or((&[], &[0; 4]));
    let (stored, computed) = (u32::from_le_bytes(*stored), checksum(covered));
    if stored == computed { Ok(entry) } else { Err(FormatError::Checksum { stored, computed }) }
}
