//! What a media changer asks of the library: its inventory and its robot.

use capstan_media::{Element, ElementAddress, ElementKind, MoveRefused};

/// One operation that a changer needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ChangerOp {
    /// The state of at most `count` elements of a kind (of all kinds if `None`) with addresses from `start` on,
    /// in ascending order of address.
    ReadElements {
        /// Only elements of this kind.
        kind: Option<ElementKind>,
        /// Lowest address.
        start: ElementAddress,
        /// At most so many.
        count: u16,
    },
    /// Move a cartridge. A cartridge threaded in a drive is unloaded first, unless removal is prevented.
    Move {
        /// From here.
        source: ElementAddress,
        /// To there.
        destination: ElementAddress,
    },
    /// Move the cartridge of `first_destination` to `second_destination` and that of `source` to `first_destination`.
    Exchange {
        /// From here.
        source: ElementAddress,
        /// To there, whose cartridge makes room.
        first_destination: ElementAddress,
        /// Where that cartridge goes.
        second_destination: ElementAddress,
    },
}

/// The answer to a [`ChangerOp`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ChangerResult {
    /// To [`ChangerOp::ReadElements`].
    Elements(Vec<Element>),
    /// The cartridge is at its destination and that is recorded durably.
    Moved,
    /// Nothing was moved.
    Refused(MoveRefused),
}
