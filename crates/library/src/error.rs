//! Why the library did not do what an operator asked, or did not start.

use std::io;
use std::path::PathBuf;

use capstan_cartridge::CartridgeError;
use capstan_catalog::CatalogError;
use capstan_media::{Barcode, ByteSize, MIN_CARTRIDGE_SIZE, Place};
use capstan_store::StoreError;

/// What sort of failure it was, for exit codes and HTTP statuses.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ErrorKind {
    /// The request makes no sense as it stands.
    Invalid,
    /// No such cartridge, place or drive.
    NotFound,
    /// The present state is in the way: a full slot, an empty one, a barcode that is taken, a loaded cartridge.
    InUse,
    /// No room for it.
    Full,
    /// A rule forbids it: protection, a host that prevents removal.
    Refused,
    /// It cannot be done now, later perhaps.
    Busy,
    /// The disk, the catalog or a cartridge failed.
    Io,
    /// The library has stopped or is stopping.
    Stopped,
}

/// What an operator asked was not done; nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// No cartridge has this label.
    #[error("there is no cartridge {0}")]
    UnknownTape(Barcode),
    /// The library has no such element.
    #[error("there is no {0}: the library has {1}")]
    UnknownPlace(Place, String),
    /// The tape was never that, or it is forgotten.
    #[error("cartridge {barcode} has no version {number}")]
    UnknownVersion {
        /// The cartridge.
        barcode: Barcode,
        /// The version.
        number: u32,
    },
    /// Clones share what is to be forgotten.
    #[error("version {number} of cartridge {barcode} is shared by its clones: {}", list(.clones))]
    HasClones {
        /// The cartridge.
        barcode: Barcode,
        /// The version.
        number: u32,
        /// The clones.
        clones: Vec<Barcode>,
    },
    /// The label is taken.
    #[error("there is a cartridge {0} already")]
    BarcodeTaken(Barcode),
    /// Numbers that follow the prefix would make labels longer than labels are.
    #[error("{0:?} cannot begin numbered barcodes: {1}")]
    Prefix(String, String),
    /// No cartridges were asked for, or more than can be numbered.
    #[error("{0} cartridges cannot be created at once: ask for 1 to {1}")]
    Count(u32, u32),
    /// Smaller than a cartridge may be.
    #[error("{} is too small for a cartridge: at least {}", ByteSize(*.0), ByteSize(MIN_CARTRIDGE_SIZE))]
    TooSmall(u64),
    /// The cartridge is in a drive.
    #[error("cartridge {barcode} is in drive:{drive}: it cannot be {action} there")]
    InDrive {
        /// The cartridge.
        barcode: Barcode,
        /// Where it is.
        drive: u16,
        /// What was asked.
        action: &'static str,
    },
    /// The cartridge is write-protected.
    #[error("cartridge {barcode} is write-protected: it cannot be {action}")]
    Protected {
        /// The cartridge.
        barcode: Barcode,
        /// What was asked.
        action: &'static str,
    },
    /// The cartridge is in a state of its life that does not allow it.
    #[error("cartridge {barcode} is {state}: it cannot be {action}")]
    WrongState {
        /// The cartridge.
        barcode: Barcode,
        /// Its state.
        state: &'static str,
        /// What was asked.
        action: &'static str,
    },
    /// Fewer slots are free than needed.
    #[error("{wanted} free slots are needed, {free} are free")]
    NoFreeSlot {
        /// How many are needed.
        wanted: u32,
        /// How many there are.
        free: u32,
    },
    /// Every drive holds a cartridge or is out of order.
    #[error("no drive is free")]
    NoFreeDrive,
    /// Nothing is there to be moved.
    #[error("{0} is empty")]
    Empty(Place),
    /// Something is in the way.
    #[error("{place} holds cartridge {barcode}")]
    Occupied {
        /// The place.
        place: Place,
        /// What it holds.
        barcode: Barcode,
    },
    /// The cartridge is where import would put it.
    #[error("cartridge {0} is in {1} already")]
    AlreadyIn(Barcode, Place),
    /// A host has locked the drive's door.
    #[error("a host prevents removal of cartridge {barcode} from drive:{drive}")]
    RemovalPrevented {
        /// The drive.
        drive: u16,
        /// What it holds.
        barcode: Barcode,
    },
    /// The drive did not answer in time: it is in the middle of a long operation.
    #[error("drive:{0} is busy and did not answer in time")]
    DriveBusy(u16),
    /// The drive could not open, synchronise or close the cartridge.
    #[error("drive:{drive}: {what}")]
    DriveFault {
        /// The drive.
        drive: u16,
        /// What went wrong.
        what: String,
    },
    /// The move could not be recorded.
    #[error("the move could not be recorded: {0}")]
    NotRecorded(String),
    /// There is no such job, or not any more.
    #[error("there is no job {0}")]
    UnknownJob(u64),
    /// Nothing is shipped, so nothing can be brought back.
    #[error("there is no tier")]
    NoTier,
    /// Too many requests wait.
    #[error("the library is busy: too many requests wait")]
    Busy,
    /// The library is not running any more.
    #[error("the library has stopped")]
    Stopped,
    /// The state directory belongs to a running daemon.
    #[error("{} is in use by another capstan", .0.display())]
    Locked(PathBuf),
    /// The configuration leaves a cartridge without its place.
    #[error("cartridge {barcode} is in {place}, and the configuration has only {has}")]
    Topology {
        /// The cartridge.
        barcode: Barcode,
        /// Where it is.
        place: Place,
        /// What there is of that kind.
        has: String,
    },
    /// The configuration has element addresses that do not work.
    #[error("the element addresses do not work: {0}")]
    Layout(String),
    /// There are cartridges and no catalog: starting would make a second library on top of the first.
    #[error("{} has {count} cartridges and no catalog", .store.display())]
    CatalogMissing {
        /// Where the cartridges are.
        store: PathBuf,
        /// How many.
        count: usize,
    },
    /// Neither a catalog nor anything to make one from.
    #[error("{} is no library: there is no catalog, nothing kept beside one, and no cartridge", .0.display())]
    NothingToRecover(PathBuf),
    /// A recovery needs an empty place.
    #[error("{} is there: a library is brought back only where nothing is", .0.display())]
    NotEmpty(PathBuf),
    /// What was exported of a library is not what it should be.
    #[error("the exported state is damaged: {0}")]
    BadState(String),
    /// An import of a state was cut off.
    #[error("an import of a library into {} has not come to its end", .0.display())]
    ImportUnfinished(PathBuf),
    /// A recovery from a tier was cut off.
    #[error("a recovery from a tier into {} has not come to its end", .0.display())]
    RecoveryUnfinished(PathBuf),
    /// The tier knows no such gateway.
    #[error("no gateway {wanted:?} has used the tier; there is {}", list(.there))]
    NoGateway {
        /// The name or UUID.
        wanted: String,
        /// Those that have.
        there: Vec<String>,
    },
    /// The tier knows several.
    #[error("{wanted:?} is the name of more than one gateway: {}", list(.there))]
    SeveralGateways {
        /// The name.
        wanted: String,
        /// Those that have it.
        there: Vec<String>,
    },
    /// The gateway has no such cartridge in the tier.
    #[error("nothing in the tier says that gateway {1:?} has a cartridge {0}")]
    NotInTier(Barcode, String),
    /// Somebody else recovers the same gateway, or it goes on.
    #[error("somebody else goes on with gateway {0:?} in the tier")]
    Overtaken(String),
    /// A cartridge cannot be read without its key.
    #[error("{barcode} cannot be read: {why}{}", more(*.count))]
    TapeClosed {
        /// The first of them.
        barcode: Barcode,
        /// Which key it needs.
        why: String,
        /// How many there are.
        count: usize,
    },
    /// A newer release wrote it.
    #[error("{0}")]
    TierNewer(String),
    /// The tier failed, or what is in it.
    #[error(transparent)]
    Mover(#[from] capstan_mover::MoverError),
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A cartridge failed.
    #[error("cartridge {barcode}: {source}")]
    Cartridge {
        /// Which.
        barcode: Barcode,
        /// Why.
        source: CartridgeError,
    },
    /// The directory of cartridges failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The cartridges cannot be listed.
    #[error(transparent)]
    Cartridges(CartridgeError),
    /// The file system said no.
    #[error("cannot {what} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
}

/// What helps against a catalog that is lost.
const RECOVER: &str =
    "`capstan recover --from disk` makes it again, with the --state or --config of `serve`; docs/recovery.md";

impl LibraryError {
    /// What sort of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownTape(_) | Self::UnknownPlace(..) | Self::UnknownJob(_) | Self::NoTier => ErrorKind::NotFound,
            Self::UnknownVersion { .. } => ErrorKind::NotFound,
            Self::Prefix(..) | Self::Count(..) | Self::TooSmall(_) | Self::Layout(_) => ErrorKind::Invalid,
            Self::BarcodeTaken(_) | Self::Empty(_) | Self::Occupied { .. } | Self::AlreadyIn(..) => ErrorKind::InUse,
            Self::InDrive { .. } | Self::Locked(_) => ErrorKind::InUse,
            Self::NoFreeSlot { .. } | Self::NoFreeDrive => ErrorKind::Full,
            Self::HasClones { .. } => ErrorKind::Refused,
            Self::Protected { .. } | Self::WrongState { .. } | Self::RemovalPrevented { .. } => ErrorKind::Refused,
            Self::Topology { .. } | Self::CatalogMissing { .. } | Self::NothingToRecover(_) => ErrorKind::Refused,
            Self::Catalog(CatalogError::Missing(_) | CatalogError::Older { .. }) => ErrorKind::Refused,
            Self::DriveBusy(_) | Self::Busy => ErrorKind::Busy,
            Self::BadState(_) => ErrorKind::Io,
            Self::Stopped => ErrorKind::Stopped,
            Self::DriveFault { .. } | Self::NotRecorded(_) | Self::Catalog(_) | Self::Cartridge { .. } => ErrorKind::Io,
            Self::ImportUnfinished(_) | Self::NotEmpty(_) | Self::RecoveryUnfinished(_) | Self::TapeClosed { .. } => {
                ErrorKind::Refused
            }
            Self::Overtaken(_) => ErrorKind::Refused,
            Self::NoGateway { .. } | Self::NotInTier(..) => ErrorKind::NotFound,
            Self::SeveralGateways { .. } => ErrorKind::Invalid,
            Self::TierNewer(_) | Self::Mover(_) => ErrorKind::Io,
            Self::Store(_) | Self::Cartridges(_) | Self::Io { .. } => ErrorKind::Io,
        }
    }

    /// What the operator can do about it; empty where the message says it all.
    #[must_use]
    pub fn next(&self) -> String {
        match self {
            Self::UnknownTape(_) => "`capstan tape list` shows what there is".to_owned(),
            Self::UnknownVersion { barcode, .. } => format!("`capstan tape versions {barcode}` shows what there is"),
            Self::HasClones { .. } => "delete the clones first: `capstan tape delete`".to_owned(),
            Self::NoTier => "configure a [[tier]] and start again".to_owned(),
            Self::UnknownJob(_) => "`capstan job list` shows what there is".to_owned(),
            Self::BarcodeTaken(_) => "choose another barcode, or delete that cartridge first".to_owned(),
            Self::InDrive { drive, .. } => format!("unload it first: `capstan library unload {drive}`"),
            Self::Protected { barcode, .. } => format!("lift it first: `capstan tape unprotect {barcode}`"),
            Self::NoFreeSlot { .. } => {
                "delete cartridges, or configure more slots ([library] slots) and start again".to_owned()
            }
            Self::NoFreeDrive => "unload a drive first: `capstan drive list`".to_owned(),
            Self::Empty(_) | Self::Occupied { .. } => "`capstan library show` shows what is where".to_owned(),
            Self::RemovalPrevented { .. } => {
                "let the backup software release or unload the drive; it locked the door".to_owned()
            }
            Self::DriveBusy(_) | Self::Busy => "try again".to_owned(),
            Self::DriveFault { .. } => "the cartridge is where it was; the daemon's log has more".to_owned(),
            Self::Locked(_) => "stop the other daemon, or use another state directory".to_owned(),
            Self::Topology { .. } => {
                "start with the former number of drives and slots, move the cartridge, then change it".to_owned()
            }
            Self::CatalogMissing { .. } => RECOVER.to_owned(),
            Self::Catalog(error) if error.is_recoverable() => RECOVER.to_owned(),
            Self::NotEmpty(_) => "name an empty directory with --state or --config, or move away what is there; \
                                  `--dry-run` shows what the tier has"
                .to_owned(),
            Self::ImportUnfinished(_) => "empty the directory and import it again".to_owned(),
            Self::RecoveryUnfinished(_) => {
                "run `capstan recover --from tier` again, with the same --state or --config: it begins anew".to_owned()
            }
            Self::NoGateway { .. } | Self::SeveralGateways { .. } => {
                "name one with --gateway, by its UUID if need be".to_owned()
            }
            Self::NotInTier(..) => "`capstan recover --from tier --dry-run` shows what there is".to_owned(),
            Self::Overtaken(_) => {
                "find out who it is, and stop one of the two: two machines cannot be the same gateway".to_owned()
            }
            Self::TapeClosed { .. } => {
                "put the file with that key into encrypt_key_file; docs/operations/disasters.md".to_owned()
            }
            Self::TierNewer(_) => "use the newer release".to_owned(),
            Self::NothingToRecover(_) => {
                "name the library with --state or --config; to begin a new one there, remove library.state.0 and .1"
                    .to_owned()
            }
            _ => String::new(),
        }
    }
}

fn list(names: &[impl ToString]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn more(count: usize) -> String {
    match count.saturating_sub(1) {
        0 => String::new(),
        more => format!("; and {more} more like it"),
    }
}
