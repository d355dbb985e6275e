//! The configuration file.
//!
//! Each key is described once, in `keys.rs`, `areas.rs`, `initiators.rs` or `tiers/`: what is allowed, its default and how
//! it is taken over. Reading, the messages for mistakes and the reference page all come from these tables, so they cannot
//! disagree.
//! Every mistake in a file is reported, with its line, what was given and what is allowed.

mod areas;
mod devices;
mod entry;
mod initiator_name;
mod initiators;
mod keys;
mod later;
mod mistake;
mod portable;
mod read;
#[cfg(test)]
mod reference;
mod secret;
mod template;
mod tiers;
mod values;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use capstan_media::ByteSize;

pub(crate) use areas::{Areas, Cache, UploadBuffer, free_space};
pub(crate) use devices::names as device_names;
pub(crate) use initiator_name::is_name as is_initiator_name;
pub(crate) use initiators::{Account, Initiator, default_devices};
pub(crate) use mistake::{Mistake, Mistakes};
pub(crate) use portable::Source;
pub(crate) use read::Overrides;
pub(crate) use template::template;
#[cfg(test)]
pub(crate) use tiers::KeyFile;
pub(crate) use tiers::{TierConfig, TierPlace};
pub(crate) use values::time;

/// All that `serve` can be told. [`Config::default`] is what it does without a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// `[gateway]`
    pub(crate) gateway: Gateway,
    /// `[iscsi]`
    pub(crate) iscsi: Iscsi,
    /// `[library]`
    pub(crate) library: Library,
    /// `[upload_buffer]`
    pub(crate) upload_buffer: UploadBuffer,
    /// `[cache]`
    pub(crate) cache: Cache,
    /// `[[tier]]`; [`Config::tier`] where there is none.
    pub(crate) tiers: Vec<TierConfig>,
    /// `[admin]`
    pub(crate) admin: Admin,
    /// `[log]`
    pub(crate) log: Log,
    /// What it was read from.
    pub(crate) source: Source,
}

/// Who this gateway is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gateway {
    /// Part of the target names.
    pub(crate) name: String,
    /// Where everything is kept.
    pub(crate) state_dir: PathBuf,
}

/// The portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Iscsi {
    /// Addresses that initiators connect to.
    pub(crate) listen: Vec<SocketAddr>,
    /// How the devices are spread over targets.
    pub(crate) layout: TargetLayout,
    /// Whether hosts beyond this machine may log in without authentication.
    pub(crate) allow_unauthenticated: bool,
    /// How many sessions at the same time.
    pub(crate) max_sessions: u32,
    /// Checksums of what travels.
    pub(crate) digests: Digests,
    /// Who may log in; everyone where it is empty.
    pub(crate) initiators: Vec<Initiator>,
}

/// Whether PDUs carry CRC32C checksums of header and data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Digests {
    /// As the initiator prefers.
    Offer,
    /// A login without them is refused.
    Require,
    /// Never.
    Off,
}

/// How the devices are spread over targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetLayout {
    /// A target for each device, LUN 0 in each.
    TargetPerDevice,
    /// One target: the changer is LUN 0, the drives follow.
    SingleTarget,
}

/// The library's shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Library {
    /// How many drives.
    pub(crate) drives: u16,
    /// How many storage slots.
    pub(crate) slots: u16,
    /// How many import/export slots.
    pub(crate) io_slots: u16,
    /// What the changer says it is.
    pub(crate) changer: ChangerModel,
    /// What the drives say they are.
    pub(crate) drive: DriveModel,
    /// Capacity of new cartridges; `None` where the file does not say.
    pub(crate) tape_size: Option<ByteSize>,
    /// How long older versions of tapes are kept; `None`: they are not.
    pub(crate) keep_versions: Option<Duration>,
}

/// Changers that can be emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChangerModel {
    /// STK L700.
    StkL700,
}

/// Drives that can be emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DriveModel {
    /// IBM ULT3580-TD8, LTO-8.
    IbmUlt3580Td8,
}

/// The admin command's way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Admin {
    /// Its socket; `None` for `capstan.sock` in the state directory.
    pub(crate) socket: Option<PathBuf>,
}

/// What the daemon says while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    /// How lines look.
    pub(crate) format: LogFormat,
    /// What is worth a line.
    pub(crate) level: LogLevel,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// A JSON object a line.
    Json,
}

/// What is worth a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogLevel {
    /// Only what failed.
    Error,
    /// And what is strange.
    Warn,
    /// And what an operator wants to know.
    Info,
    /// And each command that a device refuses.
    Debug,
    /// And each command.
    Trace,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            gateway: Gateway { name: "gw".into(), state_dir: PathBuf::from("./capstan-data") },
            iscsi: Iscsi {
                listen: vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3260)],
                layout: TargetLayout::TargetPerDevice,
                allow_unauthenticated: false,
                max_sessions: 256,
                digests: Digests::Offer,
                initiators: Vec::new(),
            },
            library: Library {
                drives: 10,
                slots: 100,
                io_slots: 10,
                changer: ChangerModel::StkL700,
                drive: DriveModel::IbmUlt3580Td8,
                tape_size: None,
                keep_versions: Some(Duration::from_secs(14 * 86_400)),
            },
            upload_buffer: UploadBuffer::default(),
            cache: Cache::default(),
            tiers: Vec::new(),
            admin: Admin { socket: None },
            log: Log { format: LogFormat::Text, level: LogLevel::Info },
            source: Source::default(),
        }
    }
}

/// Capacity of a cartridge made by `tape create` where neither the command nor the file says.
const TAPE_SIZE: ByteSize = ByteSize(100 << 30);

/// Capacity of each of the first cartridges where the file does not say: small, so that a first look costs no disk.
const FIRST_TAPE_SIZE: ByteSize = ByteSize(10 << 30);

impl Config {
    /// Reads a file and checks it as a whole, together with what the command line says.
    ///
    /// # Errors
    /// Every mistake that was found.
    pub(crate) fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Self, Mistakes> {
        read::load(file, overrides)
    }

    /// Where the admin socket is.
    pub(crate) fn socket(&self) -> PathBuf {
        self.admin.socket.clone().unwrap_or_else(|| self.gateway.state_dir.join("capstan.sock"))
    }

    /// Capacity of a new cartridge.
    pub(crate) fn tape_size(&self) -> ByteSize {
        self.library.tape_size.unwrap_or(TAPE_SIZE)
    }

    /// Capacity of the cartridges that the first start makes.
    pub(crate) fn first_tape_size(&self) -> ByteSize {
        self.library.tape_size.unwrap_or(FIRST_TAPE_SIZE)
    }
}
