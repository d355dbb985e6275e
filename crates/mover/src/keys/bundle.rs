//! The wrapped keys of a cartridge: the same key, once for each wrapping key.

use capstan_format::object::{KeyId, WRAPPED_KEY_LENGTH, WrappedKey};
use capstan_media::CartridgeId;
use capstan_store::CartridgeDirectory;
use capstan_tier::{CartridgeKey, WrappingKey};

use crate::MoverError;

/// The wrapped keys of a cartridge by number. Beside the segments they lie one after the other in one file; in the tier
/// each is an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Bundle {
    cartridge: CartridgeId,
    pub(super) keys: Vec<WrappedKey>,
}

impl Bundle {
    /// Those that are in the tier.
    pub(super) fn new(cartridge: CartridgeId, keys: Vec<WrappedKey>) -> Self {
        Self { cartridge, keys }
    }

    /// Reads those beside the segments; an empty one if the cartridge has no key. Blocks.
    pub(super) fn read(directory: &CartridgeDirectory) -> Result<Self, MoverError> {
        let cartridge = directory.id();
        let bytes = directory.read_key()?.unwrap_or_default();
        let keys = bytes.chunks(WRAPPED_KEY_LENGTH).map(WrappedKey::decode).collect::<Result<_, _>>();
        let keys = keys.map_err(|error| unusable(cartridge, &format!("what lies beside it is damaged: {error}")))?;
        Ok(Self { cartridge, keys })
    }

    /// Replaces those beside the segments, durably. Blocks.
    pub(super) fn write(&self, directory: &CartridgeDirectory) -> Result<(), MoverError> {
        Ok(directory.write_key(&self.encode())?)
    }

    /// As it lies beside the segments.
    pub(super) fn encode(&self) -> Vec<u8> {
        self.keys.iter().flat_map(WrappedKey::encode).collect()
    }

    /// The one that a wrapping key opens.
    pub(super) fn wrapped_with(&self, id: KeyId) -> Option<&WrappedKey> {
        self.keys.iter().find(|wrapped| wrapped.wrapping_key == id)
    }

    /// The key of the cartridge, opened with whichever of these opens one.
    pub(super) fn open(&self, ring: &[WrappingKey]) -> Result<CartridgeKey, MoverError> {
        let opens = |wrapping: &WrappingKey| Some((wrapping.clone(), *self.wrapped_with(wrapping.id())?));
        let Some((wrapping, wrapped)) = ring.iter().find_map(opens) else {
            let needed = self.keys.iter().map(|wrapped| wrapped.wrapping_key.to_string()).collect::<Vec<_>>();
            let needed = if needed.is_empty() {
                "there is none".to_owned()
            } else {
                format!("it needs wrapping key {}", needed.join(" or "))
            };
            let there = match ring {
                [] => "no key file is configured".to_owned(),
                [first, ..] => format!("the key file has key {}", first.id()),
            };
            return Err(unusable(self.cartridge, &format!("{needed}, and {there}")));
        };
        if wrapped.cartridge != self.cartridge {
            return Err(unusable(self.cartridge, &format!("it is that of cartridge {}", wrapped.cartridge)));
        }
        wrapping.unwrap(&wrapped).map_err(|error| unusable(self.cartridge, &error.to_string()))
    }

    /// Adds the key, wrapped anew under the next number.
    pub(super) fn add(&mut self, wrapping: &WrappingKey, key: &CartridgeKey) -> Result<WrappedKey, MoverError> {
        let mut nonce = [0; 12];
        getrandom::fill(&mut nonce).map_err(|error| unusable(self.cartridge, &error.to_string()))?;
        let number = self.keys.iter().map(|wrapped| wrapped.number).max().unwrap_or(0).saturating_add(1);
        let wrapped = wrapping.wrap(key, self.cartridge, number, nonce);
        let wrapped = wrapped.map_err(|error| unusable(self.cartridge, &error.to_string()))?;
        self.keys.push(wrapped);
        Ok(wrapped)
    }
}

pub(super) fn unusable(id: CartridgeId, what: &str) -> MoverError {
    MoverError::Cartridge { id, what: format!("its key cannot be used: {what}") }
}
