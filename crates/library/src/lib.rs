//! The library: logical units as actors, and the cartridges between them.
//!
//! One thread for each drive, one for the changer together with inventory, catalog and robot (the librarian). They
//! share nothing but messages and gauges. Every file operation that may take long happens on one of these threads; the
//! transport's side ([`capstan_scsi::sam::TaskRouter`]) queues and never waits, but does brief operations itself.
//!
//! Order of a move out of a drive: the drive synchronises and closes the cartridge, the catalog commits the new
//! place durably, the host is answered. Into a drive: the drive opens the cartridge, the catalog commits, the drive
//! shows it to hosts, the host is answered. The catalog's commit is the move: a kill before it leaves the cartridge
//! where it was, a kill after it where it went, and there is no state in which it is in two places or none.
#![forbid(unsafe_code)]

mod clock;
mod drive;
mod error;
mod events;
mod identity;
mod images;
mod inventory;
mod jobs;
mod librarian;
mod library;
mod options;
mod recover;
mod start;
mod state_dir;
mod unit;
mod view;

pub use capstan_cartridge::{
    Cause, Facts, Finding, FindingKind, Options as CartridgeOptions, Progress, Report, Version, VersionFacts,
};
pub use capstan_catalog::CartridgeState;
pub use error::{ErrorKind, LibraryError};
pub use events::{EVENTS_KEPT, Event, EventKind, Events, EventsSince, Severity};
pub use jobs::{
    ExportFormat, ExportTape, ImportFormat, ImportTape, JobInfo, JobKind, JobOutcome, JobState, Jobs, Transfer,
    Verification, VerifyOptions, verify_offline,
};
pub use librarian::Librarian;
pub use library::Library;
pub use options::{
    CHANGER_SUFFIX, DEFAULT_PREFIX, FirstStart, LibraryOptions, UploadBuffer, drive_suffix, l700_layout,
};
pub use recover::{
    Base, CatalogWas, Fate, RecoverOptions, Recovery, Remark, RemarkKind, TapeBack, TierRecoverOptions, TierRecovery,
    recover, recover_from_tier,
};
pub use recover::{Carried, CarriedState, CarryOptions, carry, read_state};
pub use unit::DeviceAccess;
pub use view::{
    CreateTapes, DriveInfo, DriveState, ElementInfo, Labels, Moved, Reserved, Statistics, TapeInfo, VersionChange,
};
