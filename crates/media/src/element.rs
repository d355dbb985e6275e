//! The elements of a media changer and what they hold.

use std::fmt;

use crate::Barcode;

/// Address of an element as the changer reports it. [SMC-3 4.2 element addressing]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ElementAddress(pub u16);

impl fmt::Display for ElementAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What an element is. The values are the element type codes of SMC-3.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum ElementKind {
    /// The robot's picker (1).
    MediumTransport = 1,
    /// A storage slot (2).
    Storage = 2,
    /// An import/export slot (3).
    ImportExport = 3,
    /// A drive (4).
    DataTransfer = 4,
}

/// An element as operators name it: `slot:N` and `io:N` from 1, `drive:N` from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Place {
    /// Storage slot, from 1.
    Slot(u16),
    /// Import/export slot, from 1.
    Io(u16),
    /// Drive, from 0.
    Drive(u16),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slot(n) => write!(f, "slot:{n}"),
            Self::Io(n) => write!(f, "io:{n}"),
            Self::Drive(n) => write!(f, "drive:{n}"),
        }
    }
}

impl std::str::FromStr for Place {
    type Err = String;

    /// Parses `slot:N`, `io:N` (N from 1) or `drive:N` (N from 0).
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} is no place in the library: use slot:N, io:N (from 1) or drive:N (from 0)");
        let (kind, number) = text.split_once(':').ok_or_else(bad)?;
        let number: u16 = number.parse().map_err(|_| bad())?;
        match kind {
            "slot" if number > 0 => Ok(Self::Slot(number)),
            "io" if number > 0 => Ok(Self::Io(number)),
            "drive" => Ok(Self::Drive(number)),
            _ => Err(bad()),
        }
    }
}

/// How many elements of each kind there are and where their addresses begin. Addresses of a kind are contiguous.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// First medium transport element; there is always exactly one.
    pub transport_base: u16,
    /// First import/export element.
    pub io_base: u16,
    /// How many import/export elements.
    pub io_slots: u16,
    /// First data transfer element.
    pub drive_base: u16,
    /// How many drives.
    pub drives: u16,
    /// First storage element.
    pub slot_base: u16,
    /// How many storage elements.
    pub slots: u16,
}

impl Layout {
    /// Address of a place, or `None` where the library has no such element.
    #[must_use]
    pub fn address(&self, place: Place) -> Option<ElementAddress> {
        let (base, index, count) = match place {
            Place::Slot(n) => (self.slot_base, n.checked_sub(1)?, self.slots),
            Place::Io(n) => (self.io_base, n.checked_sub(1)?, self.io_slots),
            Place::Drive(n) => (self.drive_base, n, self.drives),
        };
        (index < count).then(|| base.checked_add(index).map(ElementAddress)).flatten()
    }

    /// The place at an address, or `None` for the picker and for addresses without an element.
    #[must_use]
    pub fn place(&self, address: ElementAddress) -> Option<Place> {
        let within = |base: u16, count: u16| address.0.checked_sub(base).filter(|index| *index < count);
        within(self.io_base, self.io_slots)
            .and_then(|n| n.checked_add(1).map(Place::Io))
            .or_else(|| within(self.drive_base, self.drives).map(Place::Drive))
            .or_else(|| within(self.slot_base, self.slots).and_then(|n| n.checked_add(1).map(Place::Slot)))
    }

    /// First address and number of the elements of a kind.
    #[must_use]
    pub fn range(&self, kind: ElementKind) -> (ElementAddress, u16) {
        let (base, count) = match kind {
            ElementKind::MediumTransport => (self.transport_base, 1),
            ElementKind::Storage => (self.slot_base, self.slots),
            ElementKind::ImportExport => (self.io_base, self.io_slots),
            ElementKind::DataTransfer => (self.drive_base, self.drives),
        };
        (ElementAddress(base), count)
    }

    /// Kind of the element at an address.
    #[must_use]
    pub fn kind(&self, address: ElementAddress) -> Option<ElementKind> {
        use ElementKind::{DataTransfer, ImportExport, MediumTransport, Storage};
        [MediumTransport, Storage, ImportExport, DataTransfer].into_iter().find(|kind| {
            let (base, count) = self.range(*kind);
            address.0.checked_sub(base.0).is_some_and(|index| index < count)
        })
    }
}

/// State of one element, for READ ELEMENT STATUS and the admin command alike.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Element {
    /// Its address.
    pub address: ElementAddress,
    /// Its kind.
    pub kind: ElementKind,
    /// The cartridge in it, if any.
    pub barcode: Option<Barcode>,
    /// Storage element that the cartridge in it was last moved from (SVALID).
    pub source: Option<ElementAddress>,
    /// The picker can get at it (ACCESS): false for a drive whose cartridge the host has not unloaded.
    pub accessible: bool,
    /// For import/export: the operator, not the robot, put the cartridge here (IMPEXP).
    pub placed_by_operator: bool,
}

/// Why the robot did not move a cartridge. The device server maps each to sense data.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MoveRefused {
    /// No element has this address, or it is of a kind that cannot take part.
    #[error("no element has address {0}")]
    InvalidElement(ElementAddress),
    /// The source holds nothing.
    #[error("element {} is empty", .0.0)]
    SourceEmpty(ElementAddress),
    /// The destination holds a cartridge.
    #[error("element {} is full", .0.0)]
    DestinationFull(ElementAddress),
    /// An initiator prevents medium removal from the drive.
    #[error("a host prevents removal of the cartridge in element {0}")]
    RemovalPrevented(ElementAddress),
    /// The drive has failed, or is busy and does not answer; the cartridge stays where it was.
    #[error("the drive at element {0} could not load or unload: {1}")]
    DriveFault(ElementAddress, String),
    /// The cartridge could not be made durable or opened; it stays where it was.
    #[error("the cartridge for element {0} could not be loaded or unloaded: {1}")]
    MediumFault(ElementAddress, String),
    /// The cartridge may not be loaded in its present life-cycle state.
    #[error("cartridge {0} cannot be loaded: {1}")]
    NotLoadable(Barcode, String),
    /// The state of the library could not be recorded; nothing was moved.
    #[error("the move could not be recorded: {0}")]
    NotRecorded(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    const L700: Layout = Layout {
        transport_base: 1,
        io_base: 10,
        io_slots: 10,
        drive_base: 500,
        drives: 10,
        slot_base: 1000,
        slots: 100,
    };

    #[test]
    fn addresses_and_places_are_inverse() {
        for place in [Place::Slot(1), Place::Slot(100), Place::Io(1), Place::Io(10), Place::Drive(0), Place::Drive(9)] {
            let address = L700.address(place).unwrap();
            assert_eq!(L700.place(address), Some(place));
        }
        assert_eq!(L700.address(Place::Slot(1)), Some(ElementAddress(1000)));
        assert_eq!(L700.address(Place::Slot(0)), None);
        assert_eq!(L700.address(Place::Slot(101)), None);
        assert_eq!(L700.address(Place::Drive(10)), None);
        assert_eq!(L700.place(ElementAddress(1)), None);
        assert_eq!(L700.kind(ElementAddress(1)), Some(ElementKind::MediumTransport));
        assert_eq!(L700.kind(ElementAddress(20)), None);
    }

    #[test]
    fn places_parse_as_operators_write_them() {
        assert_eq!("slot:7".parse(), Ok(Place::Slot(7)));
        assert_eq!("io:1".parse(), Ok(Place::Io(1)));
        assert_eq!("drive:0".parse(), Ok(Place::Drive(0)));
        for bad in ["slot:0", "io:0", "7", "drive:", "drive:-1", "picker:1", "slot:70000"] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }
}
