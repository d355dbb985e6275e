//! Whether what a tier has is what it was given.

use capstan_format::object::TRAILER_LENGTH;
use capstan_format::wide;

use crate::{Sealed, Tier, TierError, TierErrorKind};

/// Bytes that [`read_back`] has in memory at a time.
const PIECE: u64 = 8 << 20;

/// Whether the object under `key` is the sealed one, by its length and its trailer, in which its hash is: what somebody
/// asks who was told that the key is taken, after an attempt of his own whose answer was lost. It does not prove that all
/// bytes are there as they should be.
///
/// # Errors
/// The tier's; that there is no object is the answer `false`.
pub async fn is_stored(tier: &dyn Tier, key: &str, sealed: &Sealed) -> Result<bool, TierError> {
    let length = match tier.head(key).await {
        Ok(info) => info.length,
        Err(error) if error.kind == TierErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    if length != sealed.body.length() {
        return Ok(false);
    }
    let trailer = tier.read(key, length.saturating_sub(wide(TRAILER_LENGTH))..length).await?;
    Ok(sealed.body.parts().last() == Some(&trailer))
}

/// Reads the object under `key` from beginning to end and compares its hash: the proof where a tier checks no checksums.
///
/// # Errors
/// The tier's; `Corrupt` if the object is another one.
pub async fn read_back(tier: &dyn Tier, key: &str, sealed: &Sealed) -> Result<(), TierError> {
    let corrupt = |message: String| Err(TierError::new(TierErrorKind::Corrupt, "read", key, message));
    let (length, expected) = (tier.head(key).await?.length, sealed.body.length());
    if length != expected {
        return corrupt(format!("{length} bytes are there where {expected} were written"));
    }
    let mut hash = blake3::Hasher::new();
    let mut offset = 0;
    while offset < length {
        let end = offset.saturating_add(PIECE).min(length);
        hash.update(&tier.read(key, offset..end).await?);
        offset = end;
    }
    if hash.finalize().as_bytes() == &sealed.hash {
        return Ok(());
    }
    corrupt("read back, it has another BLAKE3 hash than was written".to_owned())
}

#[cfg(test)]
mod tests {
    use capstan_media::CartridgeId;

    use super::*;
    use crate::{CartridgeKey, Created, Fault, MemoryTier, SealOptions, SegmentId, Verb, seal};

    fn sealed(salt: u8) -> Sealed {
        let plain = vec![5; 10_000];
        let segment = SegmentId { cartridge: CartridgeId([7; 16]), sequence: 1, epoch: 1 };
        let key = CartridgeKey::new([1; 32]);
        let options = SealOptions { key: Some((&key, [salt; 32])), ..SealOptions::default() };
        seal(segment, 10_000, &mut plain.as_slice(), options).unwrap()
    }

    #[tokio::test]
    async fn an_object_whose_answer_was_lost_is_known_for_ours() {
        let (tier, ours) = (MemoryTier::new("memory"), sealed(1));
        assert_eq!(is_stored(&tier, "v1/x", &ours).await, Ok(false), "nothing is there");
        tier.fault_next(Fault::After(TierErrorKind::Unavailable));
        assert!(tier.create("v1/x", ours.body.clone()).await.is_err());
        assert_eq!(tier.create("v1/x", ours.body.clone()).await, Ok(Created::Exists));
        assert_eq!(is_stored(&tier, "v1/x", &ours).await, Ok(true));
        // The same segment, sealed by another attempt: as long, and another object.
        assert_eq!(sealed(2).body.length(), ours.body.length());
        assert_eq!(is_stored(&tier, "v1/x", &sealed(2)).await, Ok(false));
        tier.deny(Verb::Head, true);
        assert_eq!(is_stored(&tier, "v1/x", &ours).await.unwrap_err().kind, TierErrorKind::Denied);
    }

    #[tokio::test]
    async fn what_a_tier_stored_wrongly_is_found_when_it_is_read_back() {
        let (tier, object) = (MemoryTier::new("memory"), sealed(1));
        for (key, fault, good) in [
            ("v1/good", None, true),
            ("v1/flipped", Some(Fault::Flipped(8 * 5000 + 3)), false),
            ("v1/cut", Some(Fault::Truncated(9000)), false),
        ] {
            if let Some(fault) = fault {
                tier.fault_next(fault);
            }
            assert_eq!(tier.create(key, object.body.clone()).await, Ok(Created::New));
            let kind = read_back(&tier, key, &object).await.map_err(|error| error.kind);
            assert_eq!(kind, if good { Ok(()) } else { Err(TierErrorKind::Corrupt) }, "{key}");
        }
        let missing = read_back(&tier, "v1/none", &object).await.unwrap_err();
        assert_eq!(missing.kind, TierErrorKind::NotFound);
    }
}
