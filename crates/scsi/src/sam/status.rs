//! Status codes.

use std::fmt;

/// The status that ends a command. [SAM-5 5.3.1]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(pub u8);

impl Status {
    /// The command ended without anything to report.
    pub const GOOD: Self = Self(0x00);
    /// Sense data says what happened.
    pub const CHECK_CONDITION: Self = Self(0x02);
    /// The logical unit cannot take the command now.
    pub const BUSY: Self = Self(0x08);
    /// Another nexus holds a reservation.
    pub const RESERVATION_CONFLICT: Self = Self(0x18);
    /// No room for another task.
    pub const TASK_SET_FULL: Self = Self(0x28);
    /// Aborted by another nexus.
    pub const TASK_ABORTED: Self = Self(0x40);
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::GOOD => "GOOD",
            Self::CHECK_CONDITION => "CHECK CONDITION",
            Self::BUSY => "BUSY",
            Self::RESERVATION_CONFLICT => "RESERVATION CONFLICT",
            Self::TASK_SET_FULL => "TASK SET FULL",
            Self::TASK_ABORTED => "TASK ABORTED",
            Self(other) => return write!(f, "Status({other:#04x})"),
        };
        f.write_str(name)
    }
}
