//! Types and client of the admin API: HTTP/1.1 with JSON on a Unix socket.
//!
//! Both ends are built from these types: the server (`capstan-admin`) answers with them, [`Client`] asks with them,
//! and the `--json` output of the `capstan` command is these types again. Paths are in [`path`], in one place.
#![forbid(unsafe_code)]

mod client;
mod drive;
mod element;
mod event;
mod exchange;
mod failure;
mod image;
mod job;
mod key;
pub mod path;
mod session;
mod stage;
mod state;
mod status;
mod tape;
mod tier;
mod version;

pub use client::{Client, ClientError};
pub use drive::{Drive, DriveState, Position};
pub use element::{Element, ElementType, Import, Load, Move, Moved, Unload};
pub use event::{Event, Events, Severity};
pub use exchange::{AdoptTape, ForeignTape, HandOverTape};
pub use failure::{ErrorKind, Failure};
pub use image::{ExportFormat, ExportTape, ImportFormat, ImportTape, Transfer};
pub use job::{Finding, Job, JobState, Objects, Verification, VerifyTape};
pub use key::{ConfirmBackup, KeyProblem, KeyReport, Keys, RemoveOldKeys, RotateKeys, VerifyKeys, WrappedWith};
pub use session::Session;
pub use stage::{StageTape, Staged};
pub use state::{Configuration, LibraryState, TierClaim, WrappingKeyId, from_hex, to_hex};
pub use status::{Area, Done, Portal, Status, Tapes, Target};
pub use tape::{CreateTapes, EraseTape, ProtectTape, Tape, TapeState};
pub use tier::{ScrubTier, Scrubbed, SetLimits, TestStep, Tier, TierError, TierState, TierTest};
pub use version::{ChangeVersion, CloneTape, RollBack, TapeVersion, TapeVersions, VersionCause, VersionChange};
