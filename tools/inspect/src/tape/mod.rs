//! One tape as it is in a tier: what segments it is made of, and its objects in order.

mod files;
mod layout;
mod scan;
mod segment;
mod walk;

use crate::error::Error;
use crate::format::{Row, TapeVersion, Uuid, WrappedKey};
use crate::keys::{KeyFolder, WrappingKeys, belongs, hex};
use crate::manifest::State;
use crate::source::Source;

pub(crate) use files::TapeFile;
pub(crate) use layout::{Extent, Layout};
pub(crate) use segment::{Place, Segment, sums};
pub(crate) use walk::{Item, Walk};

/// A cartridge's place in the tier.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct TapeName {
    pub(crate) barcode: String,
    pub(crate) cartridge: Uuid,
}

impl TapeName {
    pub(crate) fn folder(&self) -> String {
        format!("v1/tapes/{}/{}/", self.barcode, self.cartridge)
    }

    pub(crate) fn segment(&self, sequence: u64, epoch: u64, random: u64) -> String {
        format!("{}segments/{sequence:09}-{epoch:016x}-{random:016x}", self.folder())
    }

    pub(crate) fn delta(&self, number: u64) -> String {
        format!("{}manifest/{number:010}", self.folder())
    }

    /// Adds those wrapped keys that can be opened. What is wrong with one is told, and others are tried.
    pub(crate) fn add_keys(
        &self,
        source: &dyn Source,
        wrapping: &WrappingKeys,
        folder: &mut KeyFolder,
        damage: &mut dyn FnMut(crate::error::Damage),
    ) -> Result<(), Error> {
        let prefix = format!("{}key/", self.folder());
        for listed in source.list(&prefix)? {
            let mut bad = |what: String| damage(crate::error::Damage::new(&listed.key, what));
            let bytes = source.range(&listed.key, 0, 1024)?;
            let wrapped = match WrappedKey::decode(&bytes) {
                Ok(wrapped) => wrapped,
                Err(why) => {
                    bad(why.to_string());
                    continue;
                }
            };
            let number = listed.key.strip_prefix(&prefix).unwrap_or_default();
            if bytes.len() != WrappedKey::LENGTH || !belongs(&wrapped, self.cartridge, number) {
                bad("it is not the wrapped key that belongs there".to_owned());
                continue;
            }
            folder.wanted.push(hex(&wrapped.wrapping_key_id));
            match wrapping.open(&wrapped) {
                Ok(Some(key)) => folder.keys.add(wrapped.key_id, key),
                Ok(None) => {}
                Err(why) => bad(why),
            }
        }
        folder.wanted.sort();
        folder.wanted.dedup();
        Ok(())
    }
}

/// A tape that can be read.
pub(crate) struct Tape<'a> {
    pub(crate) source: &'a dyn Source,
    pub(crate) name: TapeName,
    pub(crate) state: State,
    /// It is this version, not what the tape is now.
    pub(crate) version: Option<TapeVersion>,
    pub(crate) keys: KeyFolder,
    pub(crate) layout: Layout,
}

impl<'a> Tape<'a> {
    pub(crate) fn new(
        source: &'a dyn Source,
        name: TapeName,
        state: State,
        version: Option<TapeVersion>,
        keys: KeyFolder,
    ) -> Self {
        let layout = Layout::of(&name, &state, version.as_ref());
        Self { source, name, state, version, keys, layout }
    }

    /// Whether something that the tape is made of is encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.layout.extents.iter().any(|extent| extent.row.as_ref().is_some_and(|row| row.is_encrypted))
    }

    /// Where a row's segment is: a clone's first ones lie under the name of the cartridge that wrote them.
    pub(crate) fn place(&self, row: &Row) -> Place {
        let name = self.state.owner(&self.name, row.sequence);
        let key = name.segment(row.sequence, row.epoch, row.random);
        Place { key, cartridge: name.cartridge, row: row.clone() }
    }
}
