//! A cartridge that is read as it lies there, without being loaded.

use capstan_media::CartridgeId;
use capstan_store::Store;

use crate::shipped::Shipped;
use crate::{Cartridge, CartridgeError, Options, manage};

impl Cartridge {
    /// Opens a cartridge only to read it. It is not claimed: somebody may work on it meanwhile, and the caller sees to it
    /// that what is read then is not believed. It stands at the beginning.
    ///
    /// # Errors
    /// No such cartridge, one that was not unloaded properly, damaged beyond use, a newer format, or the disk failed.
    pub fn look_at(store: &Store, id: CartridgeId) -> Result<Self, CartridgeError> {
        let directory = store.look_at(id)?;
        let meta = manage::decode_meta(id, &directory.read_meta()?, &directory.meta_path())?;
        if meta.open {
            return Err(CartridgeError::NotClosed(id));
        }
        let shipped = Shipped::read(&directory)?;
        let mut cartridge = Self::assemble(directory, Options::default(), meta, shipped)?;
        cartridge.poisoned = Some("it was opened only to be read".to_owned());
        Ok(cartridge)
    }

    /// Finds out anew where the segments are: one that was read last may have been shipped and evicted meanwhile.
    ///
    /// # Errors
    /// As [`Cartridge::read_shipped`].
    pub fn look_again(&mut self) -> Result<(), CartridgeError> {
        self.reader = None;
        self.read_shipped()
    }

    /// Host bytes before the place where the medium stands.
    #[must_use]
    pub fn bytes_passed(&self) -> u64 {
        self.place.byte
    }
}
