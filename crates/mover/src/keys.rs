//! The keys of cartridges: made once, wrapped by the user's key, kept beside the segments and in the tier.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use capstan_format::object::WrappedKey;
use capstan_media::CartridgeId;
use capstan_store::CartridgeDirectory;
use capstan_tier::{CartridgeKey, WrappingKey};

use crate::MoverError;

/// The keys of cartridges.
#[derive(Debug)]
pub(crate) struct Keys {
    wrapping: Option<WrappingKey>,
    known: Mutex<HashMap<CartridgeId, CartridgeKey>>,
}

impl Keys {
    pub(crate) fn new(wrapping: Option<WrappingKey>) -> Self {
        Self { wrapping, known: Mutex::default() }
    }

    /// Which key wraps them, if there is one.
    pub(crate) fn wrapping(&self) -> Option<&WrappingKey> {
        self.wrapping.as_ref()
    }

    /// The key of a cartridge that has one. Blocks.
    pub(crate) fn of(&self, directory: &CartridgeDirectory) -> Result<Option<CartridgeKey>, MoverError> {
        let id = directory.id();
        if let Some(key) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(Some(key.clone()));
        }
        let Some(bytes) = directory.read_key()? else { return Ok(None) };
        let wrapped = WrappedKey::decode(&bytes).map_err(|error| unusable(id, &error.to_string()))?;
        let Some(wrapping) = &self.wrapping else {
            return Err(unusable(
                id,
                &format!("it needs wrapping key {}, and no key file is configured", wrapped.wrapping_key),
            ));
        };
        let key = wrapping.unwrap(&wrapped).map_err(|error| unusable(id, &error.to_string()))?;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(id, key.clone());
        Ok(Some(key))
    }

    /// The wrapped key of a cartridge, made if there is none; `None` without a wrapping key. One that the wrapping key
    /// does not open is an error. Blocks.
    pub(crate) fn wrapped(&self, directory: &CartridgeDirectory) -> Result<Option<WrappedKey>, MoverError> {
        let (id, Some(wrapping)) = (directory.id(), &self.wrapping) else { return Ok(None) };
        if let Some(bytes) = directory.read_key()? {
            self.of(directory)?;
            return Ok(Some(WrappedKey::decode(&bytes).map_err(|error| unusable(id, &error.to_string()))?));
        }
        let (mut key, mut nonce) = ([0; 32], [0; 12]);
        let drawn = getrandom::fill(&mut key).and_then(|()| getrandom::fill(&mut nonce));
        drawn.map_err(|error| unusable(id, &error.to_string()))?;
        let wrapped = wrapping.wrap(&CartridgeKey::new(key), id, 1, nonce);
        let wrapped = wrapped.map_err(|error| unusable(id, &error.to_string()))?;
        directory.write_key(&wrapped.encode())?;
        Ok(Some(wrapped))
    }
}

fn unusable(id: CartridgeId, what: &str) -> MoverError {
    MoverError::Cartridge { id, what: format!("its key cannot be used: {what}") }
}
