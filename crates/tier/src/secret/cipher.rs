//! AES-256-GCM under a key that was derived for one purpose.

use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};
use capstan_format::object::{NONCE_LENGTH, TAG_LENGTH};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// A cipher whose key is forgotten outside it.
pub(crate) struct Cipher(Aes256Gcm);

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cipher")
    }
}

/// The key or the tag is another one, or something that is authenticated is; or it is longer than the cipher takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Refused;

impl Cipher {
    /// Under the key that HKDF-SHA256 derives from `secret`.
    pub(crate) fn derive(secret: &[u8; 32], salt: &[u8], info: &[u8]) -> Result<Self, Refused> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(salt), secret).expand(info, key.as_mut_slice()).map_err(|_| Refused)?;
        Ok(Self(Aes256Gcm::new(&(*key).into())))
    }

    /// Encrypts in place; the tag.
    pub(crate) fn seal(
        &self,
        nonce: [u8; NONCE_LENGTH],
        aad: &[u8],
        bytes: &mut [u8],
    ) -> Result<[u8; TAG_LENGTH], Refused> {
        let tag = self.0.encrypt_inout_detached(&nonce.into(), aad, bytes.into()).map_err(|_| Refused)?;
        Ok(tag.into())
    }

    /// Decrypts in place. If it is refused the bytes are worth nothing.
    pub(crate) fn open(
        &self,
        nonce: [u8; NONCE_LENGTH],
        aad: &[u8],
        bytes: &mut [u8],
        tag: [u8; TAG_LENGTH],
    ) -> Result<(), Refused> {
        self.0.decrypt_inout_detached(&nonce.into(), aad, bytes.into(), &tag.into()).map_err(|_| Refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// Test case 16 of the GCM specification that NIST took over: AES-256, associated data, a partial last block.
    #[test]
    fn is_the_gcm_that_everybody_has() {
        let key: [u8; 32] = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308").try_into().unwrap();
        let cipher = Cipher(Aes256Gcm::new(&key.into()));
        let nonce = hex("cafebabefacedbaddecaf888").try_into().unwrap();
        let aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let plain = hex(concat!(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72",
            "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
        ));
        let mut bytes = plain.clone();
        let tag = cipher.seal(nonce, &aad, &mut bytes).unwrap();
        assert_eq!(
            bytes,
            hex(concat!(
                "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa",
                "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
            ))
        );
        assert_eq!(tag.as_slice(), hex("76fc6ece0f4e1768cddf8853bb2d551b"));
        assert_eq!(cipher.open(nonce, &aad, &mut bytes, tag), Ok(()));
        assert_eq!(bytes, plain);
        let sealed = cipher.seal(nonce, &aad, &mut bytes).unwrap();
        assert_eq!(cipher.open(nonce, &aad[1..], &mut bytes, sealed), Err(Refused));
    }

    /// Test case 1 of RFC 5869, of which the first 32 bytes of output are the key here.
    #[test]
    fn keys_are_derived_as_the_rfc_says() {
        let mut key = [0; 32];
        let salt = hex("000102030405060708090a0b0c");
        Hkdf::<Sha256>::new(Some(&salt), &[0x0b; 22]).expand(&hex("f0f1f2f3f4f5f6f7f8f9"), &mut key).unwrap();
        assert_eq!(key.as_slice(), hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"));
    }
}
