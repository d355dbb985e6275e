//! What is in the tier and is nobody's: objects of attempts that were given up, and objects that were released.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use capstan_format::Meta;
use capstan_media::CartridgeId;
use capstan_tier::names::{SegmentName, TapeName};

use crate::MoverError;
use crate::clock::unix_millis;
use crate::ledger::Ledger;
use crate::ship::Dock;

/// What a scrub found and did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Scrubbed {
    /// Objects that were looked at.
    pub objects: u64,
    /// Orphans that were deleted.
    pub orphans: u64,
    /// Released objects that were deleted.
    pub released: u64,
    /// Bytes of both.
    pub bytes: u64,
}

impl Dock {
    /// Goes through all cartridges of this gateway. Only what has not changed for `age` is deleted: a reader that began
    /// with an older manifest finds what that one names.
    pub(crate) async fn scrub(self: &Arc<Self>, age: Duration) -> Result<Scrubbed, MoverError> {
        if !self.ready.load(Ordering::Acquire) {
            return Err(MoverError::Start("the tier is not known to be the right one yet".to_owned()));
        }
        let mut total = Scrubbed::default();
        let store = self.store.clone();
        let all = tokio::task::spawn_blocking(move || store.list()).await??;
        for id in all {
            let one = match self.known(id).await {
                Ok((tape, ledger)) => self.scrub_tape(&tape, &ledger, age).await?,
                Err(error) => {
                    tracing::warn!(cartridge = %id, %error, "its objects are not scrubbed");
                    continue;
                }
            };
            total.objects = total.objects.saturating_add(one.objects);
            total.orphans = total.orphans.saturating_add(one.orphans);
            total.released = total.released.saturating_add(one.released);
            total.bytes = total.bytes.saturating_add(one.bytes);
        }
        Ok(total)
    }

    /// What a cartridge is called in the tier, and what of it is there.
    pub(crate) async fn known(&self, id: CartridgeId) -> Result<(TapeName, Ledger), MoverError> {
        let store = self.store.clone();
        let known = tokio::task::spawn_blocking(move || {
            let directory = store.look_at(id)?;
            let meta = Meta::decode(&directory.read_meta()?);
            let meta = meta.map_err(|error| MoverError::Cartridge { id, what: error.to_string() })?;
            Ok((TapeName { barcode: meta.barcode, cartridge: id }, Ledger::read(&directory)?))
        });
        known.await?
    }

    async fn scrub_tape(&self, tape: &TapeName, before: &Ledger, age: Duration) -> Result<Scrubbed, MoverError> {
        let mut found = Scrubbed::default();
        let mut candidates = Vec::new();
        let prefix = self.names.segments(tape);
        let mut after = None;
        loop {
            let page = self.link.list(&prefix, after.as_deref()).await?;
            for object in page.objects {
                found.objects = found.objects.saturating_add(1);
                let Some((_, name)) = self.names.parse_segment(&object.key) else { continue };
                if !is_row(before, name) {
                    candidates.push((object.key, name, object.length));
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        if candidates.is_empty() {
            return Ok(found);
        }
        // What was listed may have become a row meanwhile: it is on its way until the log has it.
        candidates.retain(|(key, ..)| !self.under_way.has(key));
        let (_, now) = self.known(tape.cartridge).await?;
        if self.fenced().contains(&tape.cartridge) || self.is_continued(tape, &now).await? {
            tracing::warn!(%tape.cartridge, "another gateway goes on with it: what it has there is not ours to delete");
            return Ok(found);
        }
        let is_cut = !self.link.list(&self.names.cuts(tape), None).await?.objects.is_empty();
        for (key, name, length) in candidates {
            let released = released_at(&now, name);
            let is_free = match released {
                Some(at) => unix_millis().saturating_sub(at) >= u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
                // Behind a delta that could not be read, what nobody names may have been named.
                None => !is_cut && !is_row(&now, name) && self.is_older(&key, age).await?,
            };
            if !is_free {
                continue;
            }
            self.link.delete(&key).await?;
            match released {
                Some(_) => found.released = found.released.saturating_add(1),
                None => found.orphans = found.orphans.saturating_add(1),
            }
            found.bytes = found.bytes.saturating_add(length);
        }
        Ok(found)
    }

    async fn is_older(&self, key: &str, age: Duration) -> Result<bool, MoverError> {
        if age.is_zero() {
            return Ok(true);
        }
        let changed = self.link.head(key).await?.last_modified;
        let since = changed.and_then(|changed| SystemTime::now().duration_since(changed).ok());
        Ok(since.is_some_and(|since| since >= age))
    }
}

fn is_row(ledger: &Ledger, name: SegmentName) -> bool {
    ledger.row(name.sequence).is_some_and(|row| (row.epoch, row.random) == (name.epoch, name.random))
}

fn released_at(ledger: &Ledger, name: SegmentName) -> Option<u64> {
    let releases = &ledger.manifest.as_ref()?.releases;
    let of_it = |it: &&capstan_format::manifest::Release| {
        (it.sequence, it.epoch, it.random) == (name.sequence, name.epoch, name.random)
    };
    releases.iter().find(of_it).map(|release| release.at)
}
