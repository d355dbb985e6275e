//! Who has cartridges: drives, or nobody.

use std::fmt;

use capstan_cartridge::Cartridge;
use capstan_media::CartridgeId;

/// Work on a cartridge. Dropped undone if the cartridge has moved meanwhile.
pub type Work = Box<dyn FnOnce(&mut Cartridge) + Send>;

/// Whoever has the drives.
pub trait Keeper: Send + Sync + fmt::Debug {
    /// Has work done by the drive in which the cartridge is threaded, between two commands.
    ///
    /// # Errors
    /// No drive has it, or the drive takes no more work now: the work comes back.
    fn lend(&self, cartridge: CartridgeId, work: Work) -> Result<(), Work>;
}

/// There are no drives.
#[derive(Clone, Copy, Default, Debug)]
pub struct NoDrives;

impl Keeper for NoDrives {
    fn lend(&self, _: CartridgeId, work: Work) -> Result<(), Work> {
        Err(work)
    }
}
