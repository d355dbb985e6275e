//! Reading all of an object.

use std::io;

use bytes::Bytes;
use capstan_format::object::{Footer, HEADER_LENGTH, TRAILER_LENGTH};
use capstan_format::wide;

use super::{ObjectError, ObjectFault, Opener};

/// All frames of an object, one after the other, and at the end the hash of the segment.
#[derive(Debug)]
pub struct Whole<'a> {
    opener: &'a Opener,
    next: u64,
    hash: blake3::Hasher,
}

impl<'a> Whole<'a> {
    /// Before the first frame.
    #[must_use]
    pub fn new(opener: &'a Opener) -> Self {
        Self { opener, next: 0, hash: blake3::Hasher::new() }
    }

    /// The plain bytes of the next frame, from its stored bytes.
    ///
    /// # Errors
    /// As [`Opener::open_frame`].
    pub fn frame(&mut self, stored: &Bytes) -> Result<Bytes, ObjectError> {
        let plain = self.opener.open_frame(self.next, stored)?;
        self.hash.update(&plain);
        self.next = self.next.saturating_add(1);
        Ok(plain)
    }

    /// After the last frame: it was all, and it is the segment.
    ///
    /// # Errors
    /// Frames are missing, or the hash is another one.
    pub fn finish(self) -> Result<(), ObjectError> {
        let opener = self.opener;
        let fault =
            |fault| ObjectError { key: opener.name.clone(), frame: None, offset: opener.footer.offset(), fault };
        if self.next != opener.frames() {
            return Err(fault(ObjectFault::NoSuchFrame(opener.frames())));
        }
        if self.hash.finalize().as_bytes() != &opener.table.plain_hash {
            return Err(fault(ObjectFault::Hash("segment")));
        }
        Ok(())
    }
}

impl Opener {
    /// Checks a whole object and gives its segment to `sink`, frame by frame. What was given counts only if there is no
    /// error at the end.
    ///
    /// # Errors
    /// Any byte is not as it was written, or the sink fails.
    pub fn open_whole(&self, object: &[u8], mut sink: impl FnMut(&[u8]) -> io::Result<()>) -> Result<(), ObjectError> {
        check_object(&self.name, object)?;
        let mut whole = Whole::new(self);
        for number in 0..self.frames() {
            let range = self.stored_range(number..number.saturating_add(1));
            let begin = usize::try_from(range.start).unwrap_or(usize::MAX);
            let end = usize::try_from(range.end).unwrap_or(usize::MAX);
            let plain = whole.frame(&Bytes::copy_from_slice(object.get(begin..end).unwrap_or_default()))?;
            sink(&plain).map_err(|error| self.fault(number, range.start, ObjectFault::Sink(error.to_string())))?;
        }
        whole.finish()
    }
}

/// Checks that an object is as it was written, as far as this can be told without a key: its footer, its hash, both
/// copies of its header.
///
/// # Errors
/// What is wrong.
pub fn check_object(name: &str, object: &[u8]) -> Result<Footer, ObjectError> {
    let fault = |offset, fault| ObjectError { key: name.to_owned(), frame: None, offset, fault };
    let footer = Footer::decode(object, wide(object.len())).map_err(|error| fault(0, error.into()))?;
    let (before, _) = object.split_last_chunk::<TRAILER_LENGTH>().ok_or_else(|| fault(0, ObjectFault::Header))?;
    if object.first_chunk::<HEADER_LENGTH>() != Some(&footer.header_bytes) {
        return Err(fault(0, ObjectFault::Header));
    }
    if blake3::hash(before).as_bytes() != &footer.trailer.hash {
        return Err(fault(0, ObjectFault::Hash("object")));
    }
    Ok(footer)
}
