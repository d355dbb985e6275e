//! Reading an image from its beginning to its end.

use super::marker::{LENGTH, Marker, Meaning, padded};

/// Reads an image: says which bytes it wants, takes them, and says what they are.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Bytes of the image.
    length: u64,
    /// The longest block.
    limit: u32,
    /// Where the next record or marker begins.
    offset: u64,
    state: State,
    passed_over: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// A marker comes next.
    Between,
    /// The data of a record comes next, with the marker after it.
    In { marker: Marker, length: u32 },
    /// The marker after a record that is not read comes next.
    Past { marker: Marker, length: u32 },
    /// Nothing comes any more.
    End,
}

/// What a reader wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Want {
    /// These bytes of the image, all of which it has.
    Bytes {
        /// Where they begin.
        offset: u64,
        /// How many.
        length: u32,
    },
    /// Nothing: it has come to the end of the tape.
    Nothing,
}

/// What is on the tape.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Object<'a> {
    /// A block.
    Block(&'a [u8]),
    /// A block that could not be read without errors when the image was made.
    Bad {
        /// Where its record begins in the image.
        offset: u64,
        /// What was read of it.
        data: &'a [u8],
    },
    /// A filemark.
    Filemark,
}

/// An image is not what an image has to be.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TapError {
    /// The file ends inside a marker.
    #[error("byte {offset}: a marker of 4 bytes was expected, and the file ends at byte {end}")]
    NoMarker {
        /// Where it begins.
        offset: u64,
        /// Where the file ends.
        end: u64,
    },
    /// The file ends inside a record.
    #[error(
        "byte {offset}: a record of {length} bytes was expected to end at byte {needed}, and the file ends at byte {end}"
    )]
    NoRecord {
        /// Where the record begins.
        offset: u64,
        /// Bytes of its data.
        length: u32,
        /// Where it would end.
        needed: u64,
        /// Where the file ends.
        end: u64,
    },
    /// A block is longer than blocks are.
    #[error("byte {offset}: a record of {length} bytes, and a block of at most {limit} was expected")]
    TooLong {
        /// Where the record begins.
        offset: u64,
        /// Its length.
        length: u32,
        /// The longest block.
        limit: u32,
    },
    /// The lengths before and after a record differ.
    #[error(
        "byte {offset}: the marker after the record that begins at byte {begin} is 0x{found:08x}, and 0x{expected:08x} \
         was expected"
    )]
    Trailer {
        /// Where the second marker is.
        offset: u64,
        /// Where the record begins.
        begin: u64,
        /// What it is.
        found: u32,
        /// What the first one is.
        expected: u32,
    },
    /// A record of odd length without the byte that makes it even.
    #[error(
        "byte {offset}: a byte was expected that makes the {length} bytes of the record an even number; images without \
         it are of another format (E11)"
    )]
    NoPadding {
        /// Where it is missing.
        offset: u64,
        /// Bytes of the record's data.
        length: u32,
    },
    /// Four bytes that no writer writes.
    #[error("byte {offset}: a record or a marker was expected, and 0x{found:08x} is neither")]
    Illegal {
        /// Where they are.
        offset: u64,
        /// What they are.
        found: u32,
    },
    /// Other bytes came than were wanted.
    #[error("byte {offset}: {wanted} bytes were expected, and the file gave {got}")]
    Short {
        /// Where they begin.
        offset: u64,
        /// How many were wanted.
        wanted: u32,
        /// How many came.
        got: usize,
    },
}

impl Reader {
    /// At the beginning of an image of `length` bytes, whose blocks have at most `limit` bytes.
    #[must_use]
    pub fn new(length: u64, limit: u32) -> Self {
        Self { length, limit, offset: 0, state: State::Between, passed_over: 0 }
    }

    /// Where the next record or marker begins.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Records and markers that were passed over, since they say nothing of what is on the tape. Erased tape does not
    /// count.
    #[must_use]
    pub fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// What it wants now; the same until it is given.
    ///
    /// # Errors
    /// The image ends where it must not.
    pub fn want(&self) -> Result<Want, TapError> {
        let left = self.length.saturating_sub(self.offset);
        Ok(match self.state {
            State::End => Want::Nothing,
            State::Between if left == 0 => Want::Nothing,
            State::Between if left < LENGTH => {
                return Err(TapError::NoMarker { offset: self.offset, end: self.length });
            }
            State::Between => Want::Bytes { offset: self.offset, length: 4 },
            State::In { length, .. } => Want::Bytes { offset: self.offset + LENGTH, length: length + length % 2 + 4 },
            State::Past { length, .. } => Want::Bytes { offset: self.offset + LENGTH + padded(length), length: 4 },
        })
    }

    /// Takes what it wanted. `None`: there is nothing on the tape there.
    ///
    /// # Errors
    /// The bytes are not what an image has at that place.
    pub fn take<'a>(&mut self, bytes: &'a [u8]) -> Result<Option<Object<'a>>, TapError> {
        let Want::Bytes { offset, length: wanted } = self.want()? else { return Ok(None) };
        let short = TapError::Short { offset, wanted, got: bytes.len() };
        if u32::try_from(bytes.len()) != Ok(wanted) {
            return Err(short);
        }
        match self.state {
            State::Between => match bytes.first_chunk() {
                Some(marker) => self.take_marker(Marker(u32::from_le_bytes(*marker))),
                None => Err(short),
            },
            State::In { marker, length } => self.take_record(marker, length, bytes),
            State::Past { marker, length } => {
                self.check_trailer(marker, length, bytes)?;
                self.passed_over = self.passed_over.saturating_add(1);
                self.leave(length);
                Ok(None)
            }
            State::End => Ok(None),
        }
    }

    fn take_marker(&mut self, marker: Marker) -> Result<Option<Object<'static>>, TapError> {
        match marker.meaning() {
            Meaning::Filemark => {
                self.offset += LENGTH;
                return Ok(Some(Object::Filemark));
            }
            Meaning::Block(length) | Meaning::Bad(length) if length > self.limit => {
                return Err(TapError::TooLong { offset: self.offset, length, limit: self.limit });
            }
            Meaning::Block(length) | Meaning::Bad(length) => self.enter(State::In { marker, length }, length)?,
            Meaning::Aside(length) => self.enter(State::Past { marker, length }, length)?,
            Meaning::Nothing => {
                self.passed_over = self.passed_over.saturating_add(u64::from(marker != Marker::ERASE_GAP));
                self.offset += LENGTH;
            }
            Meaning::HalfGap => self.offset += LENGTH / 2,
            Meaning::EndOfMedium => self.state = State::End,
            Meaning::Illegal => return Err(TapError::Illegal { offset: self.offset, found: marker.0 }),
        }
        Ok(None)
    }

    /// A record begins here, all of which the image has.
    fn enter(&mut self, state: State, length: u32) -> Result<(), TapError> {
        let needed = self.offset.saturating_add(padded(length) + 2 * LENGTH);
        if needed > self.length {
            return Err(TapError::NoRecord { offset: self.offset, length, needed, end: self.length });
        }
        self.state = state;
        Ok(())
    }

    fn take_record<'a>(
        &mut self,
        marker: Marker,
        length: u32,
        bytes: &'a [u8],
    ) -> Result<Option<Object<'a>>, TapError> {
        let (data, end) = bytes.split_at(usize::try_from(length).unwrap_or(usize::MAX).min(bytes.len()));
        let is_odd = length % 2 == 1;
        let trailer = end.get(usize::from(is_odd)..).unwrap_or_default();
        let checked = self.check_trailer(marker, length, trailer);
        if checked.is_err() && is_odd && end.starts_with(&marker.0.to_le_bytes()) {
            let offset = self.offset.saturating_add(LENGTH + u64::from(length));
            return Err(TapError::NoPadding { offset, length });
        }
        checked?;
        let offset = self.offset;
        self.leave(length);
        Ok(Some(match marker.meaning() {
            Meaning::Bad(_) => Object::Bad { offset, data },
            _ => Object::Block(data),
        }))
    }

    fn check_trailer(&self, marker: Marker, length: u32, trailer: &[u8]) -> Result<(), TapError> {
        let found = trailer.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        if found == marker.0 {
            return Ok(());
        }
        let offset = self.offset.saturating_add(LENGTH + padded(length));
        Err(TapError::Trailer { offset, begin: self.offset, found, expected: marker.0 })
    }

    fn leave(&mut self, length: u32) {
        self.offset = self.offset.saturating_add(padded(length) + 2 * LENGTH);
        self.state = State::Between;
    }
}
