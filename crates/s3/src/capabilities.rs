//! What the probe found.

use std::fmt;
use std::time::Duration;

/// What a server does and does not do, as far as one can see by trying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Of several creates of one key at once exactly one succeeds, and a later one finds the key taken.
    pub atomic_create: bool,
    /// A create of a key that is taken is refused, at least if nobody else creates it at that moment.
    pub refuses_taken_keys: bool,
    /// Content that does not fit the checksum that uploads carry is refused.
    pub verifies_checksums: bool,
    /// Which checks it makes.
    pub checks: Vec<Check>,
    /// A part of an object is what comes if a part is asked for.
    pub ranges: bool,
    /// A listing has what was just created, in the order of the keys and from where it was asked to begin.
    pub lists_after_write: bool,
    /// Listings are in the order of the bytes of keys, not of directories: otherwise they take more requests.
    pub lists_by_bytes: bool,
    /// What was deleted is gone.
    pub deletes: bool,
    /// Objects can be sent in parts.
    pub multipart: bool,
    /// The end of an upload in parts is refused where the key is taken.
    pub multipart_refuses_taken_keys: bool,
    /// Uploads in parts that were not ended can be found, so that nobody pays for them for ever.
    pub lists_unfinished_uploads: bool,
    /// The server's clock against ours.
    pub clock: ClockSkew,
    /// Whether the bucket keeps old versions: deletes then free no room.
    pub versioning: Setting,
    /// Whether objects of the bucket can be locked.
    pub object_lock: Setting,
    /// All that an operator should know, in sentences.
    pub notes: Vec<String>,
}

/// A check that a server makes of what it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Of `x-amz-content-sha256`, which is signed.
    Sha256,
    /// Of `x-amz-checksum-crc32c`.
    Crc32c,
    /// Of `Content-MD5`.
    Md5,
}

/// The server's clock against ours; it is known to a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockSkew {
    /// The server does not say what time it is.
    Unknown,
    /// It is ahead of ours.
    Ahead(Duration),
    /// It is behind ours, or the same.
    Behind(Duration),
}

/// Of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// It is in force.
    On,
    /// It is not.
    Off,
    /// The server does not say, or does not let us ask.
    Unknown,
}

impl Capabilities {
    /// Only one gateway may use this tier, and the configuration has to say so.
    pub fn needs_single_gateway(&self) -> bool {
        !self.atomic_create
    }

    /// What was sent has to be read back before it counts as stored.
    pub fn unverified(&self) -> bool {
        !self.verifies_checksums
    }

    /// Without these nothing works: why the tier cannot be used at all.
    pub fn unusable(&self) -> Option<&'static str> {
        if !self.ranges {
            return Some("the server does not answer requests for a part of an object rightly");
        }
        if !self.lists_after_write {
            return Some("the server's listings are not complete or not in order");
        }
        None
    }
}

impl ClockSkew {
    /// How far the clocks are apart.
    pub fn magnitude(self) -> Duration {
        match self {
            Self::Unknown => Duration::ZERO,
            Self::Ahead(skew) | Self::Behind(skew) => skew,
        }
    }
}

impl fmt::Display for ClockSkew {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => formatter.write_str("unknown"),
            Self::Ahead(skew) => write!(formatter, "{} s ahead", skew.as_secs()),
            Self::Behind(skew) => write!(formatter, "{} s behind", skew.as_secs()),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sha256 => "x-amz-content-sha256",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Md5 => "Content-MD5",
        })
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Unknown => "unknown",
        })
    }
}
