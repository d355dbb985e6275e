//! Identity of cartridges and positions on them.

use std::fmt;

/// Identity of a cartridge for ever: a UUID. Barcodes can be reused after deletion, this is not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CartridgeId(pub [u8; 16]);

impl fmt::Display for CartridgeId {
    /// Lower-case hexadecimal in groups 8-4-4-4-12 [RFC 9562 4].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        grouped(self.0, f)
    }
}

impl fmt::Debug for CartridgeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CartridgeId({self})")
    }
}

/// Identity of a gateway, that is of a library and the process that serves it: a UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GatewayId(pub [u8; 16]);

impl fmt::Display for GatewayId {
    /// As that of [`CartridgeId`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        grouped(self.0, f)
    }
}

impl fmt::Debug for GatewayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GatewayId({self})")
    }
}

fn grouped(identity: [u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, byte) in identity.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            f.write_str("-")?;
        }
        write!(f, "{byte:02x}")?;
    }
    Ok(())
}

/// A partition of the medium, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Partition(pub u8);

/// Number of a logical object (a block or a filemark) in its partition, from 0.
/// As a position it means "just before this object". [SSC-5 4.2.8 logical object identifiers]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct LogicalObjectId(pub u64);

/// Number of filemarks between the beginning of the partition and a position.
/// [SSC-5 READ POSITION, logical file identifier]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct FilemarkNumber(pub u64);

/// Where the medium stands: between two objects of one partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Position {
    /// The partition.
    pub partition: Partition,
    /// The object that comes next.
    pub object: LogicalObjectId,
    /// Filemarks that lie before this position.
    pub filemark: FilemarkNumber,
    /// Nothing follows: the position is end of data.
    pub end_of_data: bool,
    /// The position lies between early warning and the end of the partition.
    pub early_warning: bool,
}

impl Position {
    /// True at the beginning of the partition.
    #[must_use]
    pub fn is_beginning_of_partition(&self) -> bool {
        self.object.0 == 0
    }
}
