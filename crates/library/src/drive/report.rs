//! What operators are told of the operations of a drive: once for each thing that happens, however often hosts try.

use capstan_media::{Barcode, MediumFailureKind, MediumResult};

use crate::events::{EventKind, Events, Subject};

/// Blocks that cannot be read are named one by one, up to this many for each load.
const READ_FAILURES: u32 = 100;

/// Something to tell about a cartridge.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) kind: EventKind,
    pub(crate) barcode: Barcode,
    pub(crate) text: String,
}

/// Reports for one drive.
pub(crate) struct Reporter {
    events: Events,
    drive: u16,
    /// Hosts are told that the disk is full.
    full: bool,
    read_failures: u32,
}

impl Reporter {
    pub(crate) fn new(events: Events, drive: u16) -> Self {
        Self { events, drive, full: false, read_failures: 0 }
    }

    /// Another cartridge, or the same anew.
    pub(super) fn begin(&mut self) {
        self.read_failures = 0;
    }

    pub(super) fn tell(&self, kind: EventKind, barcode: Option<&Barcode>, text: impl Into<String>) {
        self.events.report(kind, Subject::new(Some(self.drive), barcode), text);
    }

    pub(super) fn note(&self, note: Note) {
        self.tell(note.kind, Some(&note.barcode), note.text);
    }

    /// An operation came to this.
    pub(super) fn performed(&mut self, barcode: Option<&Barcode>, writes: bool, result: &MediumResult) {
        let failure = match result {
            Ok(done) => {
                if self.full && writes && done.count > 0 {
                    self.full = false;
                    self.tell(EventKind::DiskHasRoom, barcode, "there is room on the disk: blocks are written again");
                }
                return;
            }
            Err(failure) => failure,
        };
        let kind = match failure.kind {
            MediumFailureKind::Corrupt => EventKind::Damaged,
            MediumFailureKind::ReadFault => EventKind::ReadFailed,
            MediumFailureKind::WriteFault => EventKind::WriteFailed,
            MediumFailureKind::SyncFault => EventKind::SyncFailed,
            MediumFailureKind::NoSpace if self.full => return,
            MediumFailureKind::NoSpace => EventKind::DiskFull,
            // The host asked for what is not to be had, or the fault was told before.
            MediumFailureKind::Poisoned | MediumFailureKind::WriteProtected | MediumFailureKind::NoSuchPartition => {
                return;
            }
        };
        self.full |= kind == EventKind::DiskFull;
        if matches!(kind, EventKind::Damaged | EventKind::ReadFailed) {
            self.read_failures = self.read_failures.saturating_add(1);
            match self.read_failures {
                READ_FAILURES => {
                    let text = format!("{}; further ones of this cartridge are not listed", failure.message);
                    return self.tell(kind, barcode, text);
                }
                0..READ_FAILURES => {}
                _ => return,
            }
        }
        self.tell(kind, barcode, failure.message.as_str());
    }
}
