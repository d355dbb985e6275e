//! A tape in the tier: its manifest, the objects that are there, and its key.

use std::collections::BTreeMap;

use capstan_cartridge::Facts;
use capstan_format::Meta;
use capstan_format::manifest::Row;
use capstan_format::object::WrappedKey;
use capstan_tier::CartridgeKey;
use capstan_tier::names::{SegmentName, TapeName};

use super::{Chain, Look, Remains, Told};
use crate::MoverError;
use crate::keys::open_bundle;

/// What there is of a tape in the tier.
#[derive(Clone, Debug)]
pub struct TapeFound {
    /// Which tape.
    pub tape: TapeName,
    /// Its manifest.
    pub chain: Chain,
    /// Segments that the manifest names and whose objects are not there, or not as long as they should be.
    pub missing: Vec<Row>,
    /// Objects that the manifest does not name.
    pub unnamed: u64,
    /// Its key.
    pub key: KeyFound,
    pub(super) meta: Option<Meta>,
    /// The highest number and epoch that any segment there has.
    pub(super) highest: (u64, u64),
    pub(super) wrapped: Vec<WrappedKey>,
}

/// The key of a tape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyFound {
    /// It is not encrypted.
    None,
    /// The key at hand opens it.
    Opened,
    /// It cannot be opened: why, and which key would.
    Closed(String),
}

impl Remains {
    /// Looks at tapes.
    ///
    /// # Errors
    /// The tier failed, or something was written by a newer release.
    pub fn tapes(&self, tapes: Vec<TapeName>, told: Told<'_>) -> Result<Vec<TapeFound>, MoverError> {
        self.each(tapes, told, |look, tape| async move { look.tape(tape).await })
    }
}

impl Look {
    pub(crate) async fn tape(&self, tape: TapeName) -> Result<TapeFound, MoverError> {
        let chain = self.chain(&tape).await?;
        let wrapped = self.wrapped(&tape).await?;
        let key = match self.open_key(&tape, &wrapped) {
            Ok(None) if is_encrypted(&chain) => KeyFound::Closed(format!(
                "cartridge {}: it is encrypted, and no wrapped key of it is in the tier",
                tape.cartridge
            )),
            Ok(None) => KeyFound::None,
            Ok(Some(_)) => KeyFound::Opened,
            Err(error) => KeyFound::Closed(error.to_string()),
        };
        let mut found =
            TapeFound { tape, missing: Vec::new(), unnamed: 0, key, meta: None, highest: (0, 0), wrapped, chain };
        found.meta = found.decoded_meta();
        self.compare(&mut found).await?;
        Ok(found)
    }

    /// Compares the rows with what is listed. What a listing leaves out is asked for.
    async fn compare(&self, found: &mut TapeFound) -> Result<(), MoverError> {
        let mut there = self.segments(&found.tape).await?;
        for SegmentName { sequence, epoch, .. } in there.keys() {
            found.highest = (found.highest.0.max(*sequence), found.highest.1.max(*epoch));
        }
        // What a clone shares lies under the names of its origins.
        let mut shared = BTreeMap::new();
        for origin in found.origins() {
            let listed = self.segments(&origin).await?;
            shared.extend(listed.into_iter().map(|(name, length)| ((origin.cartridge, name), length)));
        }
        let rows = found.chain.manifest.iter().flat_map(|manifest| manifest.rows.values());
        let mut missing = Vec::new();
        for row in rows {
            let name = SegmentName { sequence: row.sequence, epoch: row.epoch, random: row.random };
            let owner = found.owner(row.sequence);
            let listed =
                if owner == found.tape { there.remove(&name) } else { shared.get(&(owner.cartridge, name)).copied() };
            let length = match listed {
                Some(length) => Some(length),
                None => self.length(&self.names.segment(&owner, name)).await?,
            };
            if length != Some(row.object_length) {
                missing.push(row.clone());
            }
        }
        found.missing = missing;
        found.unnamed = u64::try_from(there.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// What is listed of a tape's segments, and how long each object is.
    async fn segments(&self, tape: &TapeName) -> Result<BTreeMap<SegmentName, u64>, MoverError> {
        let listed = self.all(&self.names.segments(tape)).await?;
        let named = |key: &str| self.names.parse_segment(key).map(|(_, name)| name);
        Ok(listed.iter().filter_map(|object| Some((named(&object.key)?, object.length))).collect())
    }

    async fn wrapped(&self, tape: &TapeName) -> Result<Vec<WrappedKey>, MoverError> {
        let mut keys = Vec::new();
        for object in self.all(&self.names.wrapped_keys(tape)).await? {
            let bytes = self.link.look_for(&object.key, |bytes| WrappedKey::decode(bytes).is_ok()).await?;
            let Some(bytes) = bytes else { continue };
            match WrappedKey::decode(&bytes) {
                Ok(key) => keys.push(key),
                Err(error) => tracing::error!(key = object.key, %error, "a wrapped key is damaged"),
            }
        }
        Ok(keys)
    }

    pub(super) fn open_key(&self, tape: &TapeName, keys: &[WrappedKey]) -> Result<Option<CartridgeKey>, MoverError> {
        let ring: Vec<_> = self.wrapping.iter().cloned().collect();
        open_bundle(tape.cartridge, keys, &ring)
    }
}

impl TapeFound {
    /// What there is to know of the cartridge, as the manifest has it; `None` where that cannot be read.
    #[must_use]
    pub fn facts(&self) -> Option<Facts> {
        let meta = self.meta.as_ref()?;
        Some(Facts {
            id: self.tape.cartridge,
            barcode: meta.barcode.clone(),
            capacity: meta.capacity,
            used: meta.end.byte,
            objects: meta.end.object,
            filemarks: meta.end.filemark,
            protected: meta.protected,
            fenced: false,
            clean: true,
        })
    }

    /// Nothing of it was ever in the tier but, perhaps, the claim of its barcode and its key.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.chain.next == 0 && self.highest == (0, 0)
    }

    /// Some of it is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        !self.wrapped.is_empty() || is_encrypted(&self.chain)
    }

    /// Bytes of the objects that make it up.
    #[must_use]
    pub fn object_bytes(&self) -> u64 {
        let rows = self.chain.manifest.iter().flat_map(|manifest| manifest.rows.values());
        rows.map(|row| row.object_length).fold(0, u64::saturating_add)
    }

    /// The tapes under whose names lies what a clone shares.
    fn origins(&self) -> Vec<TapeName> {
        let origins = self.meta.iter().flat_map(|meta| &meta.origins);
        origins.map(|it| TapeName { barcode: it.barcode.clone(), cartridge: it.cartridge }).collect()
    }

    /// The tape under whose name a segment lies.
    pub(super) fn owner(&self, sequence: u64) -> TapeName {
        let Some(meta) = &self.meta else { return self.tape.clone() };
        let (cartridge, barcode) = meta.owner(sequence);
        TapeName { barcode: barcode.clone(), cartridge }
    }

    fn decoded_meta(&self) -> Option<Meta> {
        let meta = Meta::decode(self.chain.manifest.as_ref()?.meta.as_deref()?).ok()?;
        (meta.cartridge == self.tape.cartridge).then_some(meta)
    }
}

fn is_encrypted(chain: &Chain) -> bool {
    chain.manifest.iter().flat_map(|manifest| manifest.rows.values()).any(|row| row.encrypted)
}
