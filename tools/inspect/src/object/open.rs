//! Opening an object by its footer, or without it.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::{Bytes, Expected, Object, walk};
use crate::error::Error;
use crate::format::{Bad, HEADER, ObjectHeader, TAG, TRAILER, TableEntry, Trailer, parse_table};
use crate::keys::{CartridgeKeys, ObjectKey};

/// What is read of the end of an object at first: the footer of a segment of the usual size, with one request.
const TAIL: u64 = 64 << 10;

/// Header, table and hash of the segment.
struct Footer {
    header: ObjectHeader,
    table: Vec<TableEntry>,
    plain_hash: [u8; 32],
    cipher: Option<ObjectKey>,
}

impl<'a> Object<'a> {
    /// Opens the object of a row. `ahead` bytes of the segment are fetched at once.
    pub(crate) fn open(
        mut bytes: Bytes<'a>,
        expected: &Expected,
        keys: &CartridgeKeys,
        ahead: u64,
    ) -> Result<Self, Error> {
        let (header, table, plain_hash, cipher, remarks) = match read_footer(&bytes, expected, keys) {
            Ok(footer) => (footer.header, footer.table, Some(footer.plain_hash), footer.cipher, Vec::new()),
            Err(error) => {
                let damage = error.into_damage()?;
                bytes.hold()?;
                let Some(header) = any_header(&bytes, expected)? else { return Err(damage.into()) };
                let cipher = cipher(&header, keys)?;
                let table = walk::table(&bytes, &header)?;
                (header, table, None, cipher, vec![damage])
            }
        };
        Ok(Self { bytes, header, table, plain_hash, cipher, ready: BTreeMap::new(), ahead, remarks })
    }
}

/// The trailer, if it is of that object.
pub(crate) fn check_trailer(bytes: &Bytes<'_>, expected: &Expected, last: &[u8]) -> Result<Trailer, Error> {
    let at = bytes.length.saturating_sub(TRAILER);
    let damage = |what: &dyn Display| Error::from(bytes.damage(format_args!("its trailer: {what}")).at(at));
    let trailer = Trailer::decode(last).map_err(|bad| damage(&bad))?;
    if trailer.object_length != bytes.length {
        return Err(damage(&format_args!("the object had {} bytes", trailer.object_length)));
    }
    if (trailer.cartridge, trailer.sequence, trailer.epoch) != (expected.cartridge, expected.sequence, expected.epoch) {
        return Err(damage(&"it is of another segment"));
    }
    Ok(trailer)
}

/// A header, if it is of that object.
pub(crate) fn check_header(expected: &Expected, bytes: &[u8]) -> Result<ObjectHeader, Bad> {
    let header = ObjectHeader::decode(bytes)?;
    if header.cartridge != expected.cartridge || header.sequence != expected.sequence || header.epoch != expected.epoch
    {
        return Err(Bad::Field("sequence", header.sequence));
    }
    // Else who can write to the tier could put data that nobody encrypted in the place of some that was.
    if header.is_encrypted != expected.is_encrypted {
        return Err(Bad::Field("encryption", header.is_encrypted.into()));
    }
    Ok(header)
}

fn read_footer(bytes: &Bytes<'_>, expected: &Expected, keys: &CartridgeKeys) -> Result<Footer, Error> {
    let begin = bytes.length.saturating_sub(TAIL);
    let tail = bytes.range(begin, TAIL)?;
    let last = tail.len().saturating_sub(usize::try_from(TRAILER).unwrap_or(usize::MAX));
    let trailer = check_trailer(bytes, expected, tail.get(last..).unwrap_or_default())?;
    let length = u64::from(trailer.footer_length);
    let at = bytes.length.saturating_sub(length);
    let damage = |what: &dyn Display| Error::from(bytes.damage(format_args!("its footer: {what}")).at(at));
    if length > bytes.length || length < HEADER + TRAILER {
        return Err(damage(&format_args!("{length} bytes cannot be")));
    }
    let footer = if at >= begin {
        let skip = usize::try_from(at - begin).unwrap_or(usize::MAX);
        tail.get(skip..last).unwrap_or_default().to_vec()
    } else {
        bytes.range(at, length - TRAILER)?
    };
    if crc32c::crc32c(&footer) != trailer.footer_crc {
        return Err(damage(&"its checksum does not match"));
    }
    let header = check_header(expected, &footer).map_err(|bad| damage(&bad))?;
    let tag = if header.is_encrypted { TAG } else { 0 };
    let frames = header.frames();
    if frames != u64::from(trailer.frames) || length != HEADER + frames * 16 + 32 + tag + TRAILER {
        return Err(damage(&"it does not have an entry for each frame"));
    }
    let cipher = cipher(&header, keys)?;
    let mut table = footer.get(usize::try_from(HEADER).unwrap_or(usize::MAX)..).unwrap_or_default().to_vec();
    if cipher.as_ref().is_some_and(|cipher| !cipher.table(&header, &mut table)) {
        return Err(damage(&"its tag does not hold"));
    }
    let (table, plain_hash) = parse_table(&table, &header, at).map_err(|bad| damage(&bad))?;
    Ok(Footer { header, table, plain_hash, cipher })
}

/// The first header, or the one in the footer, where the trailer still says where that is.
fn any_header(bytes: &Bytes<'_>, expected: &Expected) -> Result<Option<ObjectHeader>, Error> {
    if let Ok(header) = check_header(expected, &bytes.range(0, HEADER)?) {
        return Ok(Some(header));
    }
    let last = bytes.range(bytes.length.saturating_sub(TRAILER), TRAILER)?;
    let Ok(trailer) = Trailer::decode(&last) else { return Ok(None) };
    let at = bytes.length.saturating_sub(trailer.footer_length.into());
    Ok(check_header(expected, &bytes.range(at, HEADER)?).ok())
}

/// The key of an encrypted object.
fn cipher(header: &ObjectHeader, keys: &CartridgeKeys) -> Result<Option<ObjectKey>, Error> {
    if !header.is_encrypted {
        return Ok(None);
    }
    let missing = || Error::KeyNeeded(format!("no key with id {} is here", crate::keys::hex(&header.key_id)));
    keys.of_object(header).ok_or_else(missing).map(Some)
}
