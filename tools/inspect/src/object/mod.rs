//! One object of a segment: any part of the segment, read by frames (`object-v1.md`, reading an object).

mod open;
mod walk;

use std::collections::BTreeMap;

use crate::error::{Damage, Error, Found};
use crate::format::{FRAME_HEAD, ObjectHeader, TableEntry, Uuid};
use crate::keys::ObjectKey;
use crate::source::Source;
use crate::zstd;

pub(crate) use open::{check_header, check_trailer};

/// What a row of the manifest says of an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Expected {
    pub(crate) key: String,
    pub(crate) cartridge: Uuid,
    pub(crate) sequence: u64,
    pub(crate) epoch: u64,
    pub(crate) is_encrypted: bool,
}

/// An object of which frames can be read.
pub(crate) struct Object<'a> {
    bytes: Bytes<'a>,
    header: ObjectHeader,
    /// Of as many frames as could be found.
    table: Vec<TableEntry>,
    /// BLAKE3 of the segment, if the footer is whole.
    plain_hash: Option<[u8; 32]>,
    cipher: Option<ObjectKey>,
    ready: BTreeMap<u64, Result<Vec<u8>, Damage>>,
    /// Plain bytes that are fetched at once.
    ahead: u64,
    /// Damage that is no loss by itself.
    remarks: Vec<Damage>,
}

/// The bytes of an object: where they are, or all of them.
pub(crate) struct Bytes<'a> {
    source: &'a dyn Source,
    pub(crate) key: String,
    pub(crate) length: u64,
    held: Option<Vec<u8>>,
}

/// Objects up to this length are held in memory where they are read more than once: a segment of 64 MiB, its last block,
/// and what compression could not help.
const HELD: u64 = 160 << 20;

impl<'a> Bytes<'a> {
    pub(crate) fn new(source: &'a dyn Source, key: &str) -> Result<Self, Error> {
        Ok(Self { source, key: key.to_owned(), length: source.length(key)?, held: None })
    }

    /// Fetches all of it if it is not too long.
    pub(crate) fn hold(&mut self) -> Result<(), Error> {
        if self.held.is_none() && self.length <= HELD {
            self.held = Some(self.source.range(&self.key, 0, self.length)?);
        }
        Ok(())
    }

    /// Those bytes, or as many of them as there are.
    pub(crate) fn range(&self, offset: u64, length: u64) -> Result<Vec<u8>, Error> {
        let Some(held) = &self.held else { return self.source.range(&self.key, offset, length) };
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(held.len());
        Ok(held.get(place(offset)..place(offset.saturating_add(length))).unwrap_or_default().to_vec())
    }

    pub(crate) fn damage(&self, what: impl std::fmt::Display) -> Damage {
        Damage::new(&self.key, what)
    }
}

impl Object<'_> {
    pub(crate) fn header(&self) -> &ObjectHeader {
        &self.header
    }

    /// BLAKE3 of the segment, as the footer says.
    pub(crate) fn plain_hash(&self) -> Option<[u8; 32]> {
        self.plain_hash
    }

    /// Whether some frame is compressed.
    pub(crate) fn is_compressed(&self) -> bool {
        self.table.iter().any(|entry| entry.head.is_compressed())
    }

    pub(crate) fn remarks(&mut self) -> Vec<Damage> {
        std::mem::take(&mut self.remarks)
    }

    /// Bytes of the segment.
    pub(crate) fn plain_length(&self) -> u64 {
        self.header.plain_length
    }

    /// Where the next frame begins in the segment.
    pub(crate) fn next_frame(&self, offset: u64) -> u64 {
        let size = u64::from(self.header.frame_size);
        (offset / size).saturating_add(1).saturating_mul(size)
    }

    /// Bytes of the segment, or what is wrong with one of the frames that hold them. Not for more than fits in memory.
    pub(crate) fn read(&mut self, offset: u64, length: u64) -> Found<Vec<u8>> {
        let end = offset.checked_add(length).filter(|&end| end <= self.plain_length());
        let Some(end) = end else {
            return Ok(Err(self.bytes.damage("a record goes beyond the end of the segment").at(offset)));
        };
        let size = u64::from(self.header.frame_size);
        let mut bytes = Vec::new();
        let mut at = offset;
        while at < end {
            let (frame, skip) = (at / size, at % size);
            let plain = match self.frame(frame)? {
                Ok(plain) => plain,
                Err(damage) => return Ok(Err(damage)),
            };
            let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(plain.len());
            let part = plain.get(place(skip)..place(end - frame * size)).unwrap_or_default();
            bytes.extend_from_slice(part);
            at = (frame + 1) * size;
        }
        Ok(Ok(bytes))
    }

    /// A plain frame.
    pub(crate) fn frame(&mut self, frame: u64) -> Result<Result<&[u8], Damage>, Error> {
        if !self.ready.contains_key(&frame) {
            self.fetch(frame)?;
        }
        match self.ready.get(&frame) {
            Some(Ok(plain)) => Ok(Ok(plain)),
            Some(Err(damage)) => Ok(Err(damage.clone())),
            None => {
                Ok(Err(self.bytes.damage("the frame cannot be found: the ones before it are damaged").frame(frame)))
            }
        }
    }

    /// Fetches a frame and those after it, by one ranged read, and forgets others.
    fn fetch(&mut self, first: u64) -> Result<(), Error> {
        let frames = (self.ahead / u64::from(self.header.frame_size)).max(1);
        self.ready.retain(|&frame, _| frame + 1 == first);
        let start = usize::try_from(first).unwrap_or(usize::MAX);
        let count = usize::try_from(frames).unwrap_or(1);
        let entries: Vec<TableEntry> = self.table.iter().skip(start).take(count).copied().collect();
        let (Some(from), Some(last)) = (entries.first(), entries.last()) else { return Ok(()) };
        let end = last.offset + FRAME_HEAD + last.head.stored();
        let stored = self.bytes.range(from.offset, end - from.offset)?;
        for (frame, entry) in (first..).zip(&entries) {
            let place = |at: u64| usize::try_from(at - from.offset).unwrap_or(usize::MAX).min(stored.len());
            let bytes = stored.get(place(entry.offset)..place(entry.offset + FRAME_HEAD + entry.head.stored()));
            let plain = self.decode(frame, entry, bytes.unwrap_or_default());
            let plain = plain.map_err(|what| self.bytes.damage(what).frame(frame).at(entry.offset));
            self.ready.insert(frame, plain);
        }
        Ok(())
    }

    fn decode(&self, frame: u64, entry: &TableEntry, bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
        let Some((head, stored)) = bytes.split_first_chunk::<4>() else { return Err("the object ends before it") };
        if u32::from_le_bytes(*head) != entry.head.0 {
            return Err("its head is not that of the table");
        }
        if u64::try_from(stored.len()).ok() != Some(entry.head.stored()) {
            return Err("the object ends in it");
        }
        let mut plain = stored.to_vec();
        if let Some(cipher) = &self.cipher
            && !cipher.frame(&self.header, frame, entry.head.0, &mut plain)
        {
            return Err("its tag does not hold");
        }
        if entry.head.is_compressed() {
            let length = self.header.frame_length(frame);
            plain = zstd::decompress(&plain, length).ok_or("it does not decompress to what it should be")?;
        }
        if entry.crc.is_some_and(|crc| crc != crc32c::crc32c(&plain)) {
            return Err("its checksum does not match");
        }
        Ok(plain)
    }
}
