//! The key of a cartridge, and the user's key that wraps it.

use std::fmt;

use capstan_format::object::{CARTRIDGE_KEY_PREFIX, KeyId, NONCE_LENGTH, WRAPPING_KEY_PREFIX, WrappedKey, wrap_info};
use capstan_media::CartridgeId;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Cipher;

/// The key of a cartridge: 32 random bytes, stored only wrapped.
#[derive(Clone)]
pub struct CartridgeKey(Zeroizing<[u8; 32]>);

/// The user's key: who has it can read all that was wrapped with it.
#[derive(Clone)]
pub struct WrappingKey(Zeroizing<[u8; 32]>);

/// Why a wrapped key was not opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UnwrapError {
    /// It was wrapped with another key.
    #[error("the key of cartridge {cartridge} is wrapped with key {needs}, and this is key {has}")]
    AnotherKey {
        /// The cartridge.
        cartridge: CartridgeId,
        /// What it was wrapped with.
        needs: KeyId,
        /// What it was to be opened with.
        has: KeyId,
    },
    /// It is damaged or forged.
    #[error("the wrapped key of cartridge {0} does not prove itself")]
    Authentication(CartridgeId),
}

impl CartridgeKey {
    /// From 32 random bytes.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self(Zeroizing::new(random))
    }

    /// Which key it is.
    #[must_use]
    pub fn id(&self) -> KeyId {
        identify(CARTRIDGE_KEY_PREFIX, &self.0)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl WrappingKey {
    /// From 32 random bytes.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self(Zeroizing::new(random))
    }

    /// Which key it is.
    #[must_use]
    pub fn id(&self) -> KeyId {
        identify(WRAPPING_KEY_PREFIX, &self.0)
    }

    /// Wraps the key of a cartridge. `nonce` is random; `number` counts the wrapped keys of the cartridge from 1.
    ///
    /// # Errors
    /// Never, as long as the cipher takes 32 bytes.
    pub fn wrap(
        &self,
        key: &CartridgeKey,
        cartridge: CartridgeId,
        number: u32,
        nonce: [u8; NONCE_LENGTH],
    ) -> Result<WrappedKey, UnwrapError> {
        let mut wrapped = WrappedKey {
            number,
            cartridge,
            wrapping_key: self.id(),
            key: key.id(),
            nonce,
            ciphertext: *key.bytes(),
            tag: [0; 16],
        };
        let aad = wrapped.aad();
        let sealed = self.cipher(cartridge)?.seal(nonce, &aad, &mut wrapped.ciphertext);
        wrapped.tag = sealed.map_err(|_| UnwrapError::Authentication(cartridge))?;
        Ok(wrapped)
    }

    /// Opens the wrapped key of a cartridge.
    ///
    /// # Errors
    /// It was wrapped with another key, or is not what was wrapped.
    pub fn unwrap(&self, wrapped: &WrappedKey) -> Result<CartridgeKey, UnwrapError> {
        let cartridge = wrapped.cartridge;
        if wrapped.wrapping_key != self.id() {
            return Err(UnwrapError::AnotherKey { cartridge, needs: wrapped.wrapping_key, has: self.id() });
        }
        let mut key = Zeroizing::new(wrapped.ciphertext);
        let opened = self.cipher(cartridge)?.open(wrapped.nonce, &wrapped.aad(), key.as_mut_slice(), wrapped.tag);
        let key = CartridgeKey(key);
        if opened.is_err() || key.id() != wrapped.key {
            return Err(UnwrapError::Authentication(cartridge));
        }
        Ok(key)
    }

    fn cipher(&self, cartridge: CartridgeId) -> Result<Cipher, UnwrapError> {
        let derived = Cipher::derive(&self.0, &self.id().0, &wrap_info(cartridge));
        derived.map_err(|_| UnwrapError::Authentication(cartridge))
    }
}

fn identify(prefix: &[u8], key: &[u8; 32]) -> KeyId {
    let mut hash = Sha256::new();
    hash.update(prefix);
    hash.update(key);
    let hash: [u8; 32] = hash.finalize().into();
    KeyId(hash.first_chunk().copied().unwrap_or_default())
}

impl fmt::Debug for CartridgeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CartridgeKey({})", self.id())
    }
}

impl fmt::Debug for WrappingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappingKey({})", self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARTRIDGE: CartridgeId = CartridgeId([0xc7; 16]);

    #[test]
    fn a_key_is_wrapped_and_opened_and_wrapped_anew() {
        let (old, new, key) = (WrappingKey::new([1; 32]), WrappingKey::new([2; 32]), CartridgeKey::new([3; 32]));
        let wrapped = old.wrap(&key, CARTRIDGE, 1, [4; 12]).unwrap();
        assert_eq!((wrapped.wrapping_key, wrapped.key), (old.id(), key.id()));
        assert_ne!(wrapped.ciphertext, [3; 32]);
        assert_eq!(old.unwrap(&wrapped).unwrap().bytes(), key.bytes());
        let another = UnwrapError::AnotherKey { cartridge: CARTRIDGE, needs: old.id(), has: new.id() };
        assert_eq!(new.unwrap(&wrapped).unwrap_err(), another);
        let again = new.wrap(&old.unwrap(&wrapped).unwrap(), CARTRIDGE, 2, [5; 12]).unwrap();
        assert_eq!(new.unwrap(&again).unwrap().bytes(), key.bytes());
    }

    #[test]
    fn what_was_changed_is_refused() {
        let (wrapping, key) = (WrappingKey::new([1; 32]), CartridgeKey::new([3; 32]));
        let good = wrapping.wrap(&key, CARTRIDGE, 1, [4; 12]).unwrap();
        let refused = |change: fn(&mut WrappedKey)| {
            let mut wrapped = good;
            change(&mut wrapped);
            assert_eq!(
                wrapping.unwrap(&wrapped).unwrap_err(),
                UnwrapError::Authentication(wrapped.cartridge),
                "{wrapped:?}"
            );
        };
        refused(|w| w.number = 2);
        refused(|w| w.cartridge = CartridgeId([0xc8; 16]));
        refused(|w| w.key = KeyId([0; 8]));
        refused(|w| w.nonce[0] ^= 1);
        refused(|w| w.ciphertext[31] ^= 1);
        refused(|w| w.tag[15] ^= 1);
    }

    #[test]
    fn identifiers_are_as_documented_and_keys_do_not_show() {
        let hash = Sha256::digest([b"capstan wrapping key v1".as_slice(), &[7; 32]].concat());
        assert_eq!(WrappingKey::new([7; 32]).id().0, hash[..8]);
        assert_ne!(WrappingKey::new([7; 32]).id(), CartridgeKey::new([7; 32]).id());
        let shown = format!("{:?}", CartridgeKey::new([7; 32]));
        assert_eq!(shown, format!("CartridgeKey({})", CartridgeKey::new([7; 32]).id()));
    }
}
