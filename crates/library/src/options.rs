//! What a library is made of.

use std::path::PathBuf;
use std::time::Duration;

use capstan_cartridge::Options as CartridgeOptions;
use capstan_media::Layout;

/// How a library starts. [`LibraryOptions::new`] has the defaults of the product.
#[derive(Clone, Debug)]
pub struct LibraryOptions {
    /// Holds the lock, the catalog and (unless told otherwise) the cartridges. Created if missing.
    pub state_dir: PathBuf,
    /// Where the cartridges live; `None` for `cartridges` in the state directory.
    pub cartridge_dir: Option<PathBuf>,
    /// Where segments live that are in a tier as well; `None`: with all others.
    pub cache_dir: Option<PathBuf>,
    /// Name of the gateway: part of the target names, not of any identity.
    pub gateway: String,
    /// One target for all devices (the changer is LUN 0, drives follow) instead of one for each.
    pub single_target: bool,
    /// How many elements there are, and their addresses.
    pub layout: Layout,
    /// Host bytes of a new cartridge where nothing else is asked.
    pub tape_size: u64,
    /// What the first start puts into the slots.
    pub first_start: FirstStart,
    /// How long the robot waits for a drive in the middle of an operation before it gives up, and as long again for
    /// a drive that has begun to unload. The sum stays below the 300 s that Linux gives MOVE MEDIUM.
    pub robot_patience: Duration,
    /// How cartridges in drives are written, and what is kept free on the disk.
    pub cartridge: CartridgeOptions,
    /// When blocks are slowed and stopped; `None` where nothing is shipped, and the disk is the limit.
    pub upload_buffer: Option<UploadBuffer>,
}

/// The room for what is written and not shipped yet: all that is in the cartridge directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UploadBuffer {
    /// Bytes. From 80 % on writes are slowed, from here on they are stopped.
    pub size: u64,
    /// How long a WRITE waits at most before it ends with NOT READY. Less than the 900 s that Linux gives a WRITE.
    pub stall_limit: Duration,
}

/// The cartridges that the first start makes: numbered barcodes from 1, in slots from 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FirstStart {
    /// How many; 0 for none. No more than there are slots.
    pub count: u16,
    /// Host bytes of each.
    pub size: u64,
    /// What the barcodes begin with.
    pub prefix: String,
}

/// Prefix of numbered barcodes where nothing else is asked.
pub const DEFAULT_PREFIX: &str = "CAP";

/// The addresses of an STK L700, with so many elements.
#[must_use]
pub fn l700_layout(drives: u16, slots: u16, io_slots: u16) -> Layout {
    Layout { transport_base: 1, io_base: 10, io_slots, drive_base: 500, drives, slot_base: 1000, slots }
}

impl LibraryOptions {
    /// Ten drives, 100 slots, 10 import/export slots, ten cartridges of 10 GiB.
    #[must_use]
    pub fn new(state_dir: PathBuf) -> Self {
        Self {
            state_dir,
            cartridge_dir: None,
            cache_dir: None,
            gateway: "gw".to_owned(),
            single_target: false,
            layout: l700_layout(10, 100, 10),
            tape_size: 100 << 30,
            first_start: FirstStart { count: 10, size: 10 << 30, prefix: DEFAULT_PREFIX.to_owned() },
            robot_patience: Duration::from_secs(100),
            cartridge: CartridgeOptions::default(),
            upload_buffer: None,
        }
    }

    /// Name of the target with a suffix, as [`crate::Library::routers`] gives them; without one it is the gateway's.
    #[must_use]
    pub fn target_name(&self, suffix: &str) -> String {
        let dot = if suffix.is_empty() { "" } else { "." };
        format!("iqn.2026-11.io.capstan:{}{dot}{suffix}", self.gateway)
    }

    /// Name of the target that a device is in.
    pub(crate) fn target_of(&self, suffix: &str) -> String {
        self.target_name(if self.single_target { "" } else { suffix })
    }
}

/// Suffix of the changer's target.
pub const CHANGER_SUFFIX: &str = "changer";

/// Suffix of a drive's target.
#[must_use]
pub fn drive_suffix(index: u16) -> String {
    format!("drive-{index:02}")
}
