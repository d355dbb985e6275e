//! The end of an object: all that a reader needs to read any part of it.

use super::{HEADER_LENGTH, Header, TRAILER_LENGTH, Trailer};
use crate::{FormatError, checksum, wide};

/// The footer of an object, its table still as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Footer {
    /// The header, from its second copy.
    pub header: Header,
    /// That copy as it is stored: what is authenticated with the table.
    pub header_bytes: [u8; HEADER_LENGTH],
    /// The table, with a tag if it is encrypted.
    pub table: Vec<u8>,
    /// The trailer.
    pub trailer: Trailer,
}

impl Footer {
    /// Decodes the footer of an object of `object_length` bytes from its last bytes, however many of them.
    ///
    /// # Errors
    /// [`FormatError::Short`] says how many bytes are needed if `tail` has too few of a good object; or what is wrong.
    pub fn decode(tail: &[u8], object_length: u64) -> Result<Self, FormatError> {
        let short = |needed| FormatError::Short { needed, found: wide(tail.len()) };
        let (before, trailer) = tail.split_last_chunk::<TRAILER_LENGTH>().ok_or(short(wide(TRAILER_LENGTH)))?;
        let trailer = Trailer::decode(trailer, object_length)?;
        let footer_length = u64::from(trailer.footer_length);
        let length = footer_length.saturating_sub(wide(TRAILER_LENGTH));
        let begin = usize::try_from(length).ok().and_then(|length| before.len().checked_sub(length));
        let footer = begin.and_then(|begin| before.get(begin..)).ok_or(short(footer_length))?;
        let (stored, computed) = (trailer.footer_crc, checksum(footer));
        if stored != computed {
            return Err(FormatError::Checksum { stored, computed });
        }
        let (header_bytes, table) = footer.split_first_chunk::<HEADER_LENGTH>().ok_or(short(footer_length))?;
        let header = Header::decode(header_bytes)?;
        let footer = Self { header, header_bytes: *header_bytes, table: table.to_vec(), trailer };
        footer.check()?;
        Ok(footer)
    }

    /// Offset of the footer in the object: where the last frame ends.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.trailer.object_length.saturating_sub(u64::from(self.trailer.footer_length))
    }

    fn check(&self) -> Result<(), FormatError> {
        let (header, trailer) = (&self.header, &self.trailer);
        let named = (trailer.cartridge, trailer.sequence, trailer.epoch);
        if (header.cartridge, header.sequence, header.epoch) != named {
            return Err(FormatError::Field("segment in the trailer"));
        }
        if header.frames() != u64::from(trailer.frames) {
            return Err(FormatError::Field("frames"));
        }
        if Trailer::footer_length_of(header) != u64::from(trailer.footer_length) {
            return Err(FormatError::Field("footer_length"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::header::tests::sample;
    use super::super::{FrameEntry, FrameHead, Table};
    use super::*;

    fn object() -> Vec<u8> {
        let header = Header { plain_length: 7, protection: None, ..sample() };
        let entry =
            FrameEntry { offset: 128, head: FrameHead { length: 7, compressed: false }, crc: checksum(b"content") };
        let table = Table { frames: vec![entry], plain_hash: [3; 32] };
        let footer = [header.encode().to_vec(), table.encode()].concat();
        let trailer = Trailer {
            footer_length: 128 + 48 + 128,
            object_length: 128 + 11 + 304,
            cartridge: header.cartridge,
            sequence: header.sequence,
            epoch: header.epoch,
            frames: 1,
            footer_crc: checksum(&footer),
            hash: [4; 32],
        };
        [&header.encode()[..], &[7, 0, 0, 0], b"content", &footer, &trailer.encode()].concat()
    }

    #[test]
    fn is_found_from_the_end_and_says_how_much_it_needs() {
        let object = object();
        let footer = Footer::decode(&object, 443).unwrap();
        assert_eq!((footer.offset(), footer.table.len()), (139, 48));
        let table = Table::decode(&footer.table, &footer.header, footer.offset()).unwrap();
        assert_eq!(table.frames.len(), 1);
        assert_eq!(Footer::decode(&object[139..], 443).as_ref(), Ok(&footer));
        assert_eq!(Footer::decode(&object[140..], 443), Err(FormatError::Short { needed: 304, found: 303 }));
        assert_eq!(Footer::decode(&object[400..], 443), Err(FormatError::Short { needed: 128, found: 43 }));
        assert_eq!(Footer::decode(&object, 444), Err(FormatError::Field("object_length")));
    }

    #[test]
    fn every_flipped_bit_of_it_is_seen() {
        let object = object();
        for bit in 139 * 8..object.len() * 8 {
            let mut damaged = object.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Footer::decode(&damaged, 443).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_trailer_of_another_segment_is_refused() {
        let object = object();
        let (rest, trailer) = object.split_last_chunk::<128>().unwrap();
        let trailer = Trailer { sequence: 10, ..Trailer::decode(trailer, 443).unwrap() };
        let mixed = [rest, &trailer.encode()].concat();
        assert_eq!(Footer::decode(&mixed, 443), Err(FormatError::Field("segment in the trailer")));
        let trailer = Trailer { sequence: 9, frames: 0, footer_length: 304, ..trailer };
        let mixed = [rest, &trailer.encode()].concat();
        assert_eq!(Footer::decode(&mixed, 443), Err(FormatError::Field("frames")), "as long with a tag");
    }
}
