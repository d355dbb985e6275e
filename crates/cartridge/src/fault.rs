//! From what the disk says to what kind of medium failure that is.

use std::io::ErrorKind;

use capstan_media::MediumFailureKind;
use capstan_store::StoreError;

use crate::CartridgeError;

/// A medium operation failed; the position is added where it is known.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: MediumFailureKind,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(kind: MediumFailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// A write, a truncation or a change of names failed.
    pub(crate) fn writing(error: &StoreError) -> Self {
        let kind = if error.is_no_space() { MediumFailureKind::NoSpace } else { MediumFailureKind::WriteFault };
        Self::new(kind, error.to_string())
    }

    /// What is about to be overwritten could not be written down as an older version.
    pub(crate) fn keeping(error: &CartridgeError) -> Self {
        match error {
            CartridgeError::Store(error) => Self::writing(error),
            other => Self::new(MediumFailureKind::WriteFault, other.to_string()),
        }
    }

    /// A synchronisation failed. Whatever the reason, also a full disk: what was written is untrusted.
    pub(crate) fn synchronising(error: &StoreError) -> Self {
        Self::new(MediumFailureKind::SyncFault, error.to_string())
    }

    /// A read failed. A file that is missing or ends too early is damage, not a fault of the disk.
    pub(crate) fn reading(error: &StoreError) -> Self {
        let short = matches!(error, StoreError::Io { source, .. } if source.kind() == ErrorKind::UnexpectedEof);
        let kind = if short || error.is_missing() { MediumFailureKind::Corrupt } else { MediumFailureKind::ReadFault };
        Self::new(kind, error.to_string())
    }
}

/// A fault after `count` blocks or filemarks were done.
#[derive(Clone, Debug)]
pub(crate) struct Failed {
    pub(crate) fault: Fault,
    pub(crate) count: u64,
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self { fault, count: 0 }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn each_answer_of_the_disk_has_its_kind() {
        let error = |kind: ErrorKind| StoreError::Io { what: "w", path: "p".into(), source: io::Error::from(kind) };
        let kinds = |kind| {
            let error = error(kind);
            [Fault::writing(&error).kind, Fault::synchronising(&error).kind, Fault::reading(&error).kind]
        };
        use MediumFailureKind::{Corrupt, NoSpace, ReadFault, SyncFault, WriteFault};
        assert_eq!(kinds(ErrorKind::StorageFull), [NoSpace, SyncFault, ReadFault]);
        assert_eq!(kinds(ErrorKind::QuotaExceeded), [NoSpace, SyncFault, ReadFault]);
        assert_eq!(kinds(ErrorKind::Other), [WriteFault, SyncFault, ReadFault]);
        assert_eq!(kinds(ErrorKind::UnexpectedEof), [WriteFault, SyncFault, Corrupt]);
        assert_eq!(kinds(ErrorKind::NotFound), [WriteFault, SyncFault, Corrupt]);
    }
}
