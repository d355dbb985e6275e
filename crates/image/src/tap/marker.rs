//! The four bytes before and after a record, or alone.

/// A marker, or the length of a record with its class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Marker(pub(super) u32);

/// Length of a marker.
pub(super) const LENGTH: u64 = 4;

const CLASS: u32 = 28;

/// Class of records that could not be read without errors.
const BAD: u32 = 8;

/// What stands before a record, or alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meaning {
    /// A filemark.
    Filemark,
    /// Data of so many bytes follows.
    Block(u32),
    /// So many bytes follow that could not be read without errors; none were read at all if it is 0.
    Bad(u32),
    /// A record of so many bytes that is not on the tape.
    Aside(u32),
    /// A marker that says nothing of what is on the tape, or some erased tape.
    Nothing,
    /// Half of an erase gap, whose other half a record has overwritten: two bytes.
    HalfGap,
    /// The tape ends here, whatever follows.
    EndOfMedium,
    /// No writer writes it.
    Illegal,
}

impl Marker {
    pub(super) const FILEMARK: Self = Self(0);
    pub(super) const ERASE_GAP: Self = Self(0xFFFF_FFFE);
    pub(super) const END_OF_MEDIUM: Self = Self(0xFFFF_FFFF);
    const HALF_GAP: Self = Self(0xFFFE_FFFF);

    /// That of a record.
    pub(super) fn block(length: u32) -> Self {
        Self(length & !(0xF << CLASS))
    }

    /// That of a record of which nothing could be read.
    pub(super) const UNREADABLE: Self = Self(BAD << CLASS);

    pub(super) fn meaning(self) -> Meaning {
        let length = self.0 & !(0xF << CLASS);
        match (self.0 >> CLASS, self) {
            (_, Self::FILEMARK) => Meaning::Filemark,
            (0, _) => Meaning::Block(length),
            (BAD, _) => Meaning::Bad(length),
            (7, _) | (_, Self::ERASE_GAP) => Meaning::Nothing,
            (_, Self::END_OF_MEDIUM) => Meaning::EndOfMedium,
            (_, Self::HALF_GAP) => Meaning::HalfGap,
            (0xF, Self(..=0xFFFD_FFFF)) => Meaning::Nothing,
            (0xF, _) => Meaning::Illegal,
            _ => Meaning::Aside(length),
        }
    }
}

/// Bytes that the data of a record takes: an even number.
pub(super) fn padded(length: u32) -> u64 {
    u64::from(length) + u64::from(length % 2)
}
