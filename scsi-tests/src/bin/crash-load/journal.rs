//! What is written down outside of the daemon: each operation before it is sent, and each answer.
//!
//! One line of JSON an event, written at once with one call, so that what the kernel (of the host, where the load
//! runs in a guest) has seen is exact. Without an answer an operation is in doubt. A line that a cut left unfinished
//! is the last one and does not count: what it would say had not been acted upon.

use serde::{Deserialize, Serialize};

use crate::history::Object;
use crate::options::Mode;

/// One line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) enum Event {
    /// The first line: what the run is, and which number the next operation has.
    Run { mode: Mode, seed: u64, cycle: u64, next_op: u64 },
    /// A cartridge as it was verified.
    Cartridge { barcode: String, place: u16, protected: bool, objects: Vec<Packed> },
    /// Where a cartridge was found after a crash, if it is there at all; its content is not read yet.
    Found { barcode: String, place: Option<u16>, protected: bool },
    /// The cartridge in this drive was loaded or unloaded by the host: after a restart it may be either.
    HostLoads { drive: u16 },
    /// An operation is about to be sent.
    Sent { op: u64, action: Action },
    /// It was answered with GOOD. A new cartridge is at `place`.
    Done { op: u64, place: Option<u16> },
}

/// What is asked of the library. Drives and places are element addresses.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Action {
    /// Blocks of these lengths; their serial numbers follow from the operation's.
    Write {
        tape: String,
        at: u64,
        lengths: Vec<u32>,
    },
    Filemarks {
        tape: String,
        at: u64,
        count: u32,
        immediate: bool,
    },
    /// ERASE: the tape ends here.
    Erase {
        tape: String,
        at: u64,
    },
    Load {
        tape: String,
        drive: u16,
    },
    Unload {
        tape: String,
        drive: u16,
    },
    /// MOVE MEDIUM; `from_drive` and `to_drive` say what the addresses are.
    Move {
        tape: String,
        from: u16,
        to: u16,
        from_drive: bool,
        to_drive: bool,
    },
    Create {
        tape: String,
    },
    Delete {
        tape: String,
    },
    /// An administrator erases a cartridge in a slot.
    Blank {
        tape: String,
    },
    Protect {
        tape: String,
        protected: bool,
    },
}

/// An object in a line: serial number and length; a filemark has length 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Packed(u64, u32);

impl From<Object> for Packed {
    fn from(object: Object) -> Self {
        match object {
            Object::Filemark => Self(0, 0),
            Object::Block { serial, length } => Self(serial, length),
        }
    }
}

impl From<Packed> for Object {
    fn from(Packed(serial, length): Packed) -> Self {
        if length == 0 { Self::Filemark } else { Self::Block { serial, length } }
    }
}

impl Action {
    /// The cartridge that it is about.
    pub(crate) fn tape(&self) -> &str {
        match self {
            Self::Write { tape, .. }
            | Self::Filemarks { tape, .. }
            | Self::Erase { tape, .. }
            | Self::Load { tape, .. }
            | Self::Unload { tape, .. }
            | Self::Move { tape, .. }
            | Self::Create { tape }
            | Self::Delete { tape }
            | Self::Blank { tape }
            | Self::Protect { tape, .. } => tape,
        }
    }

    /// Answered, it means that everything before it is on stable storage. [design §5]
    pub(crate) fn is_recovery_point(&self) -> bool {
        match self {
            Self::Filemarks { immediate, .. } => !immediate,
            Self::Unload { .. } | Self::Blank { .. } => true,
            Self::Move { from_drive, .. } => *from_drive,
            _ => false,
        }
    }
}

/// Blocks of one operation: at most so many have serial numbers of their own.
pub(crate) const BLOCKS_OF_AN_OPERATION: u64 = 256;

/// The objects that a write makes.
pub(crate) fn written(op: u64, lengths: &[u32]) -> impl Iterator<Item = Object> {
    let first = op.saturating_mul(BLOCKS_OF_AN_OPERATION);
    (first..).zip(lengths).map(|(serial, length)| Object::Block { serial, length: *length })
}

/// The events of a journal; what follows the last newline is no event.
pub(crate) fn parse(text: &str) -> Result<Vec<Event>, serde_json::Error> {
    let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap_or_default());
    whole.lines().map(serde_json::from_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_line_does_not_count_and_a_damaged_one_is_an_error() {
        let done = Event::Done { op: 7, place: None };
        let line = serde_json::to_string(&done).unwrap();
        assert_eq!(parse(&format!("{line}\n{line}")).unwrap(), std::slice::from_ref(&done));
        assert_eq!(parse(&format!("{line}\n{{\"Do")).unwrap(), [done]);
        assert!(parse(&format!("{{\"Do\n{line}\n")).is_err());
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn objects_keep_their_kind() {
        for object in [Object::Filemark, Object::Block { serial: 9, length: 1 }] {
            assert_eq!(Object::from(Packed::from(object)), object);
        }
        let serials: Vec<Object> = written(2, &[5, 6]).collect();
        assert_eq!(serials, [Object::Block { serial: 512, length: 5 }, Object::Block { serial: 513, length: 6 }]);
    }
}
