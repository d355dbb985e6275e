//! What can be wrong with an object.

use std::fmt;

use capstan_format::FormatError;
use capstan_format::object::KeyId;

use crate::SegmentId;

/// An object cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectError {
    /// Its key in the tier.
    pub key: String,
    /// The frame, if it is one.
    pub frame: Option<u64>,
    /// Where in the object what is wrong begins.
    pub offset: u64,
    /// What is wrong.
    pub fault: ObjectFault,
}

/// What is wrong with an object, or with what was given to read it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ObjectFault {
    /// Header, table or trailer.
    #[error("{0}")]
    Format(#[from] FormatError),
    /// It holds another segment than it should.
    #[error(
        "holds segment {} of epoch {} of cartridge {}, where segment {} of epoch {} of cartridge {} should be",
        found.sequence, found.epoch, found.cartridge, expected.sequence, expected.epoch, expected.cartridge
    )]
    AnotherSegment {
        /// What it should hold.
        expected: SegmentId,
        /// What it holds.
        found: SegmentId,
    },
    /// It is encrypted, and no key was given.
    #[error("is encrypted with key {0}, and no key was given")]
    NoKey(KeyId),
    /// It is encrypted with another key.
    #[error("is encrypted with key {needs}, and key {has} was given")]
    AnotherKey {
        /// The key that opens it.
        needs: KeyId,
        /// The key that was given.
        has: KeyId,
    },
    /// What is encrypted does not prove itself: it was changed, or belongs elsewhere.
    #[error("what is encrypted does not prove itself: it was changed, or belongs elsewhere")]
    Authentication,
    /// There is no such frame.
    #[error("there are {0} frames")]
    NoSuchFrame(u64),
    /// Fewer or more bytes than the frame has.
    #[error("{found} bytes where {needed} are needed")]
    Length {
        /// Bytes of the frame.
        needed: u64,
        /// Bytes there.
        found: u64,
    },
    /// Bytes behind the last frame that was asked for.
    #[error("{0} bytes too many")]
    Surplus(u64),
    /// The head of the frame is not the one in the table.
    #[error("the head of the frame is not the one in the table")]
    Head,
    /// The frame cannot be decompressed.
    #[error("cannot be decompressed: {0}")]
    Compression(String),
    /// The plain frame does not match its CRC32C.
    #[error("checksum is {computed:#010x}, {stored:#010x} is recorded")]
    Checksum {
        /// As recorded.
        stored: u32,
        /// As the bytes have it.
        computed: u32,
    },
    /// A hash of the whole does not match.
    #[error("the BLAKE3 hash of the {0} is not the one that is recorded")]
    Hash(&'static str),
    /// The two copies of the header differ.
    #[error("the header at its beginning is not the one in the footer")]
    Header,
    /// What was read cannot be passed on.
    #[error("cannot pass on what was read: {0}")]
    Sink(String),
}

impl ObjectError {
    /// How many bytes of the end of the object are needed, if that was all that was wrong.
    #[must_use]
    pub fn needs(&self) -> Option<u64> {
        match self.fault {
            ObjectFault::Format(FormatError::Short { needed, .. }) if self.frame.is_none() => Some(needed),
            _ => None,
        }
    }
}

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.frame {
            Some(frame) => write!(f, "object {}, frame {frame} at offset {}: {}", self.key, self.offset, self.fault),
            None => write!(f, "object {}, offset {}: {}", self.key, self.offset, self.fault),
        }
    }
}

impl std::error::Error for ObjectError {}
