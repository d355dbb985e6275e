//! A cartridge that begins with what another one holds, and shares its objects in the tier.

use std::collections::BTreeMap;

use capstan_format::manifest::Row;
use capstan_format::{Ancestor, Cause, Meta, Origin, Point, Version};
use capstan_media::{Barcode, CartridgeId};
use capstan_store::Store;

use crate::lineage::Lineage;
use crate::manage::decode_meta;
use crate::{Cartridge, CartridgeError};

/// What a clone begins with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Branch {
    /// The metadata of the clone.
    pub meta: Meta,
    /// Its segments: all are in the tier.
    pub rows: Vec<Row>,
}

impl Cartridge {
    /// Holds the tape as it is, or an older version of it, for a clone; gives what the clone is to begin with. Until the
    /// clone is gone, the version is not to be forgotten.
    ///
    /// # Errors
    /// There is no such version, not all of it is in the tier, or the disk failed.
    pub fn branch(
        &mut self,
        version: Option<u32>,
        id: CartridgeId,
        barcode: Barcode,
        capacity: u64,
    ) -> Result<Branch, CartridgeError> {
        let source = self.meta.cartridge;
        let number = version.unwrap_or_default();
        let (end, ancestors) = match version {
            None => (self.chain.end(), self.chain.ancestors(self.chain.end())),
            Some(_) => {
                let wanted = self.older().iter().find(|it| it.number == number);
                let wanted = wanted.ok_or(CartridgeError::NoVersion { id: source, number })?;
                (wanted.end, wanted.ancestors.clone())
            }
        };
        let rows = self.rows_of(end, &ancestors)?;
        self.hold_for_clone(version, end)?;
        let mut origins = self.meta.origins.clone();
        origins.push(Origin { cartridge: source, barcode: self.meta.barcode.clone(), below: self.next_sequence });
        let (epoch, next_sequence) = (self.epoch, self.next_sequence);
        let blank = Meta::blank(id, barcode, capacity.max(end.byte));
        Ok(Branch {
            meta: Meta { epoch, next_sequence, end, ancestors, origins, ..blank },
            rows: rows.into_values().collect(),
        })
    }

    /// The rows of a chain, all of which has to be in the tier.
    fn rows_of(&self, end: Point, ancestors: &[Ancestor]) -> Result<BTreeMap<u64, Row>, CartridgeError> {
        let mut lineage = Lineage::new(self.segments(), end, ancestors);
        let mut rows = BTreeMap::new();
        let id = self.meta.cartridge;
        while let Some(link) = lineage.step()? {
            let row = self.shipped.row(link.row.sequence, link.row.start);
            let missing = link.end.byte.saturating_sub(link.row.start.byte);
            let row = row.cloned().ok_or(CartridgeError::NotShipped { id, bytes: missing })?;
            rows.insert(row.sequence, row);
        }
        Ok(rows)
    }

    fn hold_for_clone(&mut self, version: Option<u32>, end: Point) -> Result<(), CartridgeError> {
        let mut meta = self.meta.clone();
        match version {
            Some(number) => meta.versions.iter_mut().filter(|it| it.number == number).for_each(|it| {
                (it.held, it.cause) = (true, Cause::Cloned);
            }),
            None if end.object == 0 => return Ok(()),
            None => {
                let held = self.as_version(Cause::Cloned);
                let is_held =
                    |it: &Version| it.cause == Cause::Cloned && (it.end, &it.ancestors) == (held.end, &held.ancestors);
                if meta.versions.iter().any(is_held) {
                    return Ok(());
                }
                meta.last_version = held.number;
                meta.versions.push(Version { held: true, ..held });
            }
        }
        self.replace_versions(meta)
    }
}

/// The barcodes of clones that share segments of a cartridge.
///
/// # Errors
/// The cartridges cannot be listed.
pub fn clones_of(store: &Store, id: CartridgeId) -> Result<Vec<Barcode>, CartridgeError> {
    let mut clones = Vec::new();
    for other in store.list()? {
        // What cannot be read is told by others.
        let Ok(meta) = store.read_meta(other) else { continue };
        let Ok(meta) = decode_meta(other, &meta, &store.meta_path(other)) else { continue };
        if meta.origins.iter().any(|origin| origin.cartridge == id) {
            clones.push(meta.barcode);
        }
    }
    Ok(clones)
}
