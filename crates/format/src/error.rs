//! What can be wrong with stored bytes.

/// Stored bytes are not what they should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FormatError {
    /// Fewer bytes than the structure has.
    #[error("{found} bytes where {needed} are needed")]
    Short {
        /// Length of the structure.
        needed: u64,
        /// Bytes there.
        found: u64,
    },
    /// Other bytes than the structure begins with: something else, or never written.
    #[error("no {0} begins here")]
    Magic(&'static str),
    /// Written by a newer release.
    #[error("format version {version} is newer than this release can read (up to {known})")]
    NewerVersion {
        /// Version found.
        version: u16,
        /// Newest version that this release knows.
        known: u16,
    },
    /// The bytes do not match their CRC32C.
    #[error("checksum is {computed:#010x}, {stored:#010x} is recorded")]
    Checksum {
        /// As recorded.
        stored: u32,
        /// As the bytes have it.
        computed: u32,
    },
    /// The bytes do not match their BLAKE3 hash.
    #[error("the BLAKE3 hash of the {0} is not the one that is recorded")]
    Hash(&'static str),
    /// The checksum holds, but this field has a value that no writer writes.
    #[error("field {0} has an impossible value")]
    Field(&'static str),
}
