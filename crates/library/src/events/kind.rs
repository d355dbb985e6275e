//! Kinds of events.

use std::fmt;

/// How bad an event is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// As it should be.
    Info,
    /// Somebody should look at it some time.
    Warning,
    /// Something was lost, or does not work.
    Error,
}

macro_rules! kinds {
    ($($kind:ident, $name:literal, $severity:ident, $meaning:literal;)+) => {
        /// What happened.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum EventKind {
            $(#[doc = $meaning] $kind,)+
        }

        impl EventKind {
            /// All of them, as the reference lists them.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// Its name for programs.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// How bad it is.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self {
                    $(Self::$kind => Severity::$severity,)+
                }
            }

            /// What it says, for the reference.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$kind => $meaning,)+
                }
            }
        }
    };
}

kinds! {
    Loaded, "loaded", Info, "A cartridge was put into a drive, by a host or an operator.";
    Unloaded, "unloaded", Info, "A cartridge was taken out of a drive; all that was written to it is on stable storage.";
    Moved, "moved", Info, "A cartridge was moved between slots.";
    NotMoved, "not_moved", Warning, "The robot could not do what was asked. Everything is where it was.";
    Created, "created", Info, "An operator made a cartridge.";
    Deleted, "deleted", Info, "A cartridge is gone: an operator deleted it, or a start removed one that was half made or half deleted.";
    Imported, "imported", Info, "A cartridge was made from an image of a tape, or from files.";
    Exported, "exported", Info, "A cartridge was written to a file. Its text says how much, and what could not be read.";
    Erased, "erased", Info, "An operator made a cartridge blank.";
    Protected, "protected", Info, "An operator write-protected a cartridge.";
    Unprotected, "unprotected", Info, "An operator lifted the write protection of a cartridge.";
    RolledBack, "rolled_back", Warning, "An operator made an older version of a tape the tape again. What it was until then is a version now.";
    Cloned, "cloned", Info, "An operator made a cartridge that begins with what another one holds, and shares its objects in the tier.";
    VersionForgotten, "version_forgotten", Info, "An older version of a tape is gone: it was old, took too much room, or an operator wanted it so.";
    Damaged, "damaged", Error, "Stored bytes are not what was written: a block could not be read, or a verification found it.";
    ReadFailed, "read_failed", Error, "The disk failed to read a block.";
    WriteFailed, "write_failed", Error, "The disk failed to write. The cartridge takes no more writes until it is loaded again.";
    SyncFailed, "sync_failed", Error, "The disk failed to make durable what it had taken: what was written since the last recovery point may be lost. The cartridge takes no more writes until it is loaded again.";
    LetGo, "let_go", Error, "A cartridge left its drive after a failed write or synchronisation: what its last recovery point left is on it, the rest is found out at the next load.";
    DiskFull, "disk_full", Warning, "Blocks are refused until there is room on the disk. Filemarks, unloads and moves go on.";
    DiskHasRoom, "disk_has_room", Info, "Blocks are written again.";
    BufferFull, "buffer_full", Warning, "The upload buffer is full: blocks wait until some of it is in the tier, and are refused if that takes too long. Filemarks, unloads and moves go on.";
    BufferHasRoom, "buffer_has_room", Info, "There is room in the upload buffer again.";
    LoadFailed, "load_failed", Error, "The cartridge in a drive cannot be opened.";
    UnloadFailed, "unload_failed", Error, "What was written to a cartridge could not be made durable when it was to be unloaded. It stays in the drive; the next attempt lets it go.";
    NotRecorded, "not_recorded", Error, "The catalog could not be written. Nothing has changed; the next change tries to write all of it.";
    PositionLost, "position_lost", Warning, "The daemon started with a cartridge in a drive. Hosts have to position it before they read or write.";
    Recovered, "recovered", Warning, "A cartridge had not been unloaded properly and was looked through. What is named as dropped was never synchronised.";
    DriveFailed, "drive_failed", Error, "A drive has failed and answers nothing but HARDWARE ERROR until the daemon starts again.";
    TierUnavailable, "tier_unavailable", Warning, "Calls to a tier fail, and are repeated. What hosts write waits in the upload buffer.";
    TierAvailable, "tier_available", Info, "A tier answers again.";
    TierRefused, "tier_refused", Error, "A tier is not what it was. Nothing is written to it until an operator has looked at it.";
    Fenced, "fenced", Error, "Another gateway goes on with a cartridge in the tier. What was written to it here meanwhile stays here.";
    Forked, "forked", Error, "A cartridge that another gateway goes on with has data here that is not in the tier. It is write-protected and readable, and is never dropped.";
    HandedOver, "handed_over", Info, "A cartridge was given to another gateway: all of it is in the tier, and it is here no more.";
    Adopted, "adopted", Info, "A cartridge of another gateway was taken over from the tier.";
    LibraryFenced, "library_fenced", Error, "The tier has a newer state of this library than there is here: this state directory is an older copy. Where cartridges are is not recorded in the tier any more.";
    NotShipped, "not_shipped", Error, "A segment could not be shipped for a reason that does not go away by itself. It stays in the upload buffer.";
    RecallFailed, "recall_failed", Error, "What was evicted could not be brought back from the tier.";
    AreaFailed, "area_failed", Error, "The upload buffer or the cache cannot be used any more.";
    AreaDegraded, "area_degraded", Warning, "The array under the upload buffer or the cache has lost a disk, or the disk reports errors.";
    AreaRecovered, "area_recovered", Info, "The upload buffer or the cache is whole again.";
    LoggedIn, "logged_in", Info, "A host has logged in to a target.";
    LoggedOut, "logged_out", Info, "A host has logged out, its connection is lost, or an operator has dropped it.";
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
