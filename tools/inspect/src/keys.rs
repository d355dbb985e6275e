//! Keys of the user's, and what they open (`object-v1.md`, encryption).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::format::{ObjectHeader, Uuid, WrappedKey};

/// Wrapping keys by their id.
#[derive(Default)]
pub(crate) struct WrappingKeys(BTreeMap<[u8; 8], [u8; 32]>);

/// Cartridge keys by their id.
#[derive(Default)]
pub(crate) struct CartridgeKeys(BTreeMap<[u8; 8], [u8; 32]>);

/// The key of one object.
pub(crate) struct ObjectKey(Aes256Gcm);

/// An id as people see it.
pub(crate) fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl WrappingKeys {
    /// From files of 32 bytes or 64 hexadecimal digits.
    pub(crate) fn read(files: &[impl AsRef<Path>]) -> Result<Self, Error> {
        let mut keys = BTreeMap::new();
        for file in files {
            let file = file.as_ref();
            let bytes = fs::read(file)
                .map_err(|error| Error::Usage(format!("the key file {} cannot be read: {error}", file.display())))?;
            let key = parse_key(&bytes).ok_or_else(|| {
                Error::Usage(format!("{} holds no key: 32 bytes or 64 hexadecimal digits", file.display()))
            })?;
            keys.insert(id_of("capstan wrapping key v1", &key), key);
        }
        Ok(Self(keys))
    }

    /// The key that is wrapped, if the wrapping key is here and it is the one that was wrapped.
    pub(crate) fn open(&self, wrapped: &WrappedKey) -> Result<Option<[u8; 32]>, String> {
        let Some(wrapping) = self.0.get(&wrapped.wrapping_key_id) else { return Ok(None) };
        let mut info = b"capstan wrap v1".to_vec();
        info.extend_from_slice(&wrapped.cartridge.0);
        let key = derive(wrapping, &wrapped.wrapping_key_id, &info);
        let mut plain = wrapped.ciphertext;
        let nonce = wrapped.nonce;
        Aes256Gcm::new(&key.into())
            .decrypt_inout_detached(
                &nonce.into(),
                &wrapped.associated,
                plain.as_mut_slice().into(),
                &wrapped.tag.into(),
            )
            .map_err(|_| "its tag does not hold".to_owned())?;
        if id_of("capstan cartridge key v1", &plain) != wrapped.key_id {
            return Err("the key in it has another id than it says".to_owned());
        }
        Ok(Some(plain))
    }
}

impl CartridgeKeys {
    pub(crate) fn add(&mut self, id: [u8; 8], key: [u8; 32]) {
        self.0.insert(id, key);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key of an encrypted object, if the cartridge key is here.
    pub(crate) fn of_object(&self, header: &ObjectHeader) -> Option<ObjectKey> {
        let key = self.0.get(&header.key_id)?;
        let mut info = b"capstan object v1".to_vec();
        info.extend_from_slice(&header.cartridge.0);
        info.extend_from_slice(&header.sequence.to_le_bytes());
        Some(ObjectKey(Aes256Gcm::new(&derive(key, &header.salt, &info).into())))
    }
}

impl ObjectKey {
    /// Decrypts a frame with its tag, in place.
    pub(crate) fn frame(&self, header: &ObjectHeader, frame: u64, head: u32, bytes: &mut Vec<u8>) -> bool {
        let mut associated = Vec::with_capacity(48);
        associated.extend_from_slice(b"CAPSTFRM");
        associated.extend_from_slice(&1_u16.to_le_bytes());
        associated.push(u8::from(frame + 1 == header.frames()));
        associated.push(0);
        associated.extend_from_slice(&head.to_le_bytes());
        associated.extend_from_slice(&header.cartridge.0);
        associated.extend_from_slice(&header.sequence.to_le_bytes());
        associated.extend_from_slice(&frame.to_le_bytes());
        self.open(frame, &associated, bytes)
    }

    /// Decrypts the table with its tag, in place.
    pub(crate) fn table(&self, header: &ObjectHeader, bytes: &mut Vec<u8>) -> bool {
        let mut associated = b"CAPSTFTR".to_vec();
        associated.extend_from_slice(&header.bytes);
        self.open(header.frames(), &associated, bytes)
    }

    fn open(&self, number: u64, associated: &[u8], bytes: &mut Vec<u8>) -> bool {
        let mut nonce = [0; 12];
        if let Some(low) = nonce.first_chunk_mut::<8>() {
            *low = number.to_le_bytes();
        }
        let Some((_, tag)) = bytes.split_last_chunk::<16>() else { return false };
        let tag = *tag;
        bytes.truncate(bytes.len() - tag.len());
        self.0.decrypt_inout_detached(&nonce.into(), associated, bytes.as_mut_slice().into(), &tag.into()).is_ok()
    }
}

fn parse_key(bytes: &[u8]) -> Option<[u8; 32]> {
    if let Ok(key) = bytes.try_into() {
        return Some(key);
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = [0; 32];
    for (place, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(place * 2..place * 2 + 2)?, 16).ok()?;
    }
    Some(key)
}

fn id_of(what: &str, key: &[u8; 32]) -> [u8; 8] {
    let hash = Sha256::new().chain_update(what).chain_update(key).finalize();
    let mut id = [0; 8];
    id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    id
}

fn derive(key: &[u8; 32], salt: &[u8], info: &[u8]) -> [u8; 32] {
    let mut derived = [0; 32];
    // HKDF-SHA256 gives up to 8,160 bytes: 32 cannot be too many.
    let _ = Hkdf::<Sha256>::new(Some(salt), key).expand(info, &mut derived);
    derived
}

/// What a cartridge's `key/` holds.
#[derive(Default)]
pub(crate) struct KeyFolder {
    /// Those that could be opened.
    pub(crate) keys: CartridgeKeys,
    /// Ids of the wrapping keys that open one.
    pub(crate) wanted: Vec<String>,
}

impl KeyFolder {
    /// What to tell who has no key.
    pub(crate) fn refusal(&self, barcode: &str) -> Error {
        let wanted = self.wanted.join(" or ");
        Error::KeyNeeded(if wanted.is_empty() {
            format!("{barcode} is encrypted, and no wrapped key of it is left in the tier: nothing can open it")
        } else {
            format!("{barcode} is encrypted: give the wrapping key with id {wanted} by --key-file")
        })
    }
}

/// A cartridge whose wrapped key is in another's place is damage.
pub(crate) fn belongs(wrapped: &WrappedKey, cartridge: Uuid, number: &str) -> bool {
    wrapped.cartridge == cartridge && number.parse() == Ok(wrapped.number)
}
