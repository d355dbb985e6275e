//! What a tape was before it was overwritten, erased or gone back.
//!
//! A version is a chain of segments like the tape, and shares with it what lies before the place where they part. It is
//! written down before anything takes its place, when all of it is on stable storage; from then on its segments stay,
//! until it is forgotten. Going back exchanges two chains in one replacement of the metadata.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use capstan_format::{Ancestor, Cause, Meta, Point, Version};
use capstan_media::CartridgeId;
use capstan_store::Store;

use crate::chain::{Chain, Row};
use crate::fault::Fault;
use crate::lineage::Lineage;
use crate::manage::decode_meta;
use crate::shipped::{Segments, Shipped, Unshipped};
use crate::{Cartridge, CartridgeError, Facts, superseded};

/// The segments of all versions, and the place after the last object that one of them has of each.
pub(crate) type Kept = BTreeMap<u64, (Row, Point)>;

/// An older version of a tape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VersionFacts {
    /// What is written down of it.
    pub version: Version,
    /// Bytes of segments that neither the tape nor a later version has.
    pub own_bytes: u64,
    /// Those of them that are not in the tier.
    pub unshipped_bytes: u64,
    /// Objects of which the segments are nowhere.
    pub missing: u64,
}

/// The segments of all versions. A segment leads to the same ones whoever names it, so each is looked at once.
pub(crate) fn kept(segments: Segments<'_>, versions: &[Version]) -> Result<Kept, CartridgeError> {
    let mut kept = Kept::new();
    for version in versions {
        let mut lineage = Lineage::new(segments, version.end, &version.ancestors);
        while let Some(link) = lineage.step()? {
            if link.row.sequence == 0 {
                continue;
            }
            let known = kept.entry(link.row.sequence).or_insert((link.row, link.end));
            if known.1.object < link.end.object {
                known.1 = link.end;
            }
        }
    }
    Ok(kept)
}

/// Numbers of the segments in `before` that neither `after` nor the tape has.
fn left(before: &Kept, after: &Kept, chain: &Chain) -> Vec<u64> {
    let on_tape: BTreeSet<u64> = chain.rows().iter().map(|row| row.sequence).collect();
    before.keys().copied().filter(|sequence| !after.contains_key(sequence) && !on_tape.contains(sequence)).collect()
}

/// What versions take beside a tape. Each is charged with what neither the tape nor a later version has.
fn facts_of(segments: Segments<'_>, versions: &[Version], tape: &Chain) -> Result<Vec<VersionFacts>, CartridgeError> {
    let mut found = Vec::new();
    let mut later = Kept::new();
    for version in versions.iter().rev() {
        let own = kept(segments, std::slice::from_ref(version))?;
        let own_only: BTreeSet<u64> = left(&own, &later, tape).into_iter().collect();
        let mut facts = VersionFacts { version: version.clone(), own_bytes: 0, unshipped_bytes: 0, missing: 0 };
        for (sequence, (row, end)) in &own {
            let shipped = segments.shipped.row(*sequence, row.start);
            let length = match segments.directory.segment_length(*sequence)? {
                Some(length) => Some(length),
                None => shipped.map(|row| row.segment_length),
            };
            if length.is_none() {
                facts.missing = facts.missing.saturating_add(end.object.saturating_sub(row.start.object));
            }
            if own_only.contains(sequence) {
                let length = length.unwrap_or(0);
                facts.own_bytes = facts.own_bytes.saturating_add(length);
                let unshipped = if shipped.is_none() { length } else { 0 };
                facts.unshipped_bytes = facts.unshipped_bytes.saturating_add(unshipped);
            }
        }
        later.extend(own);
        found.push(facts);
    }
    found.reverse();
    Ok(found)
}

impl Cartridge {
    /// Keeps the tape as it is as a version, before it is overwritten from its place on. What the host was never told to
    /// be on stable storage, and what holds no bytes, is not worth one.
    pub(crate) fn keep_version(&mut self) -> Result<(), Fault> {
        let (place, end) = (self.place, self.chain.end());
        let is_worth_it = place.byte < end.byte && place.object < self.durable;
        if self.options.versions == 0 || !is_worth_it {
            return Ok(());
        }
        self.recovery_point()?;
        let version = self.as_version(Cause::Overwritten);
        let mut versions = self.meta.versions.clone();
        let surplus = versions.len().saturating_add(1).saturating_sub(self.options.versions);
        let oldest: Vec<u32> = versions.iter().filter(|it| !it.held).take(surplus).map(|it| it.number).collect();
        if oldest.len() < surplus {
            tracing::warn!(barcode = %self.meta.barcode, "no more versions can be held: this one is not kept");
            return Ok(());
        }
        versions.retain(|it| !oldest.contains(&it.number));
        versions.push(version);
        let numbered = self.meta.last_version.saturating_add(1);
        let meta = Meta { versions, last_version: numbered, ..self.meta.clone() };
        self.replace_versions(meta).map_err(|error| Fault::keeping(&error))
    }

    /// The tape as it is, as an older version of what it is about to become.
    pub(crate) fn as_version(&self, cause: Cause) -> Version {
        let end = self.chain.end();
        Version {
            number: self.meta.last_version.saturating_add(1),
            cause,
            held: false,
            until: now(),
            end,
            ancestors: self.chain.ancestors(end),
            below: self.next_sequence,
        }
    }

    /// What is written down of the older versions, oldest first.
    #[must_use]
    pub fn older(&self) -> &[Version] {
        &self.meta.versions
    }

    /// The older versions of the tape, oldest first, and what they take.
    ///
    /// # Errors
    /// The disk failed.
    pub fn versions(&self) -> Result<Vec<VersionFacts>, CartridgeError> {
        facts_of(self.segments(), &self.meta.versions, &self.chain)
    }

    /// Forgets older versions: what only they have is removed.
    ///
    /// # Errors
    /// There is none of a number, another gateway goes on with the cartridge, or the disk failed.
    pub fn forget_versions(&mut self, numbers: &[u32]) -> Result<(), CartridgeError> {
        self.known(numbers)?;
        if self.fenced {
            return Err(CartridgeError::WriteProtected(self.meta.cartridge));
        }
        let versions = self.meta.versions.iter().filter(|it| !numbers.contains(&it.number)).cloned().collect();
        self.replace_versions(Meta { versions, ..self.meta.clone() })?;
        let id = self.meta.cartridge;
        self.recovery_point().map_err(|fault| CartridgeError::Poisoned { id, what: fault.message })
    }

    /// Forgets the older versions that are not held and ceased to be the tape longer ago than `age`; gives their numbers.
    ///
    /// # Errors
    /// As [`Cartridge::forget_versions`].
    pub fn forget_versions_older_than(&mut self, age: Duration) -> Result<Vec<u32>, CartridgeError> {
        let numbers = expired(&self.meta, age);
        if !numbers.is_empty() {
            self.forget_versions(&numbers)?;
        }
        Ok(numbers)
    }

    /// Holds an older version, so that it is not forgotten by age or for lack of room, or lets go of it.
    ///
    /// # Errors
    /// There is none of that number, or the disk failed.
    pub fn hold_version(&mut self, number: u32, held: bool) -> Result<(), CartridgeError> {
        self.known(&[number])?;
        let mut meta = self.meta.clone();
        meta.versions.iter_mut().filter(|it| it.number == number).for_each(|it| it.held = held);
        self.write_meta(meta)
    }

    /// Makes an older version the tape again, and what was the tape an older version.
    ///
    /// # Errors
    /// There is none of that number, the cartridge is write-protected or its segments are missing, or the disk failed:
    /// then the tape is what it was.
    pub fn roll_back(mut self, number: u32) -> Result<Version, CartridgeError> {
        let id = self.meta.cartridge;
        self.known(&[number])?;
        self.settle()?;
        if self.meta.protected || self.fenced {
            return Err(CartridgeError::WriteProtected(id));
        }
        let missing = self.versions()?.into_iter().find(|it| it.version.number == number).map_or(0, |it| it.missing);
        if missing > 0 {
            return Err(CartridgeError::VersionDamaged { id, number, missing });
        }
        let present = self.as_version(Cause::RolledBack);
        let mut versions = self.meta.versions.clone();
        let at = versions.iter().position(|it| it.number == number).ok_or(CartridgeError::NoVersion { id, number })?;
        let wanted = versions.remove(at);
        let mut meta = Meta { versions, end: wanted.end, ancestors: wanted.ancestors, ..self.meta.clone() };
        if present.end.object > 0 {
            meta.last_version = present.number;
            meta.versions.push(present.clone());
        }
        self.write_meta(meta)?;
        Ok(present)
    }

    /// Writes metadata with other versions, and marks what no version has any more for removal.
    pub(crate) fn replace_versions(&mut self, meta: Meta) -> Result<(), CartridgeError> {
        let after = kept(self.segments(), &meta.versions)?;
        let useless = left(&self.kept, &after, &self.chain);
        if self.meta.open {
            self.write_meta(meta)?;
            self.superseded.extend(useless);
        } else {
            superseded::settle(&mut self.directory, &meta, &useless)?;
            self.meta = meta;
        }
        self.kept = after;
        Ok(())
    }

    fn known(&self, numbers: &[u32]) -> Result<(), CartridgeError> {
        let is_there = |number: &&u32| self.meta.versions.iter().any(|it| it.number == **number);
        match numbers.iter().find(|number| !is_there(number)) {
            Some(number) => Err(CartridgeError::NoVersion { id: self.meta.cartridge, number: *number }),
            None => Ok(()),
        }
    }

    /// Segments of older versions that are not in the tier, oldest first.
    pub(crate) fn unshipped_of_versions(&self) -> impl Iterator<Item = Unshipped> {
        let on_tape = |sequence: u64| self.chain.rows().iter().any(|row| row.sequence == sequence);
        let kept = self.kept.values().filter(move |(row, end)| {
            let is_shipped = self.shipped.row(row.sequence, row.start).is_some();
            let is_lost = row.epoch.is_none() || row.start == *end;
            !is_shipped && !is_lost && !on_tape(row.sequence)
        });
        kept.map(|(row, end)| Unshipped { sequence: row.sequence, end: *end })
    }

    /// The versions of which everything is in the tier. `is_there` says it of a segment.
    pub(crate) fn shipped_versions(&self, is_there: impl Fn(&Row) -> bool) -> Vec<Version> {
        let is_there = |(row, end): &(Row, Point)| row.start == *end || is_there(row);
        if self.kept.values().all(is_there) {
            return self.meta.versions.clone();
        }
        let of_it = |version: &Version| kept(self.segments(), std::slice::from_ref(version));
        let whole = |version: &&Version| of_it(version).is_ok_and(|chain| chain.values().all(is_there));
        self.meta.versions.iter().filter(whole).cloned().collect()
    }
}

/// The older versions of a tape, oldest first, as its metadata say; nobody is kept from working on it meanwhile.
///
/// # Errors
/// No such cartridge, damaged metadata, or the disk failed.
pub fn versions(store: &Store, id: CartridgeId) -> Result<(Facts, Vec<VersionFacts>), CartridgeError> {
    let directory = store.look_at(id)?;
    let meta = decode_meta(id, &directory.read_meta()?, &directory.meta_path())?;
    let shipped = Shipped::read(&directory)?;
    let segments = Segments::new(&directory, &shipped, &meta.origins);
    let chain = Lineage::new(segments, meta.end, &meta.ancestors).chain()?;
    Ok((Facts::new(&meta, meta.end), facts_of(segments, &meta.versions, &chain)?))
}

/// Numbers of the segments that a tape is made of, as its metadata say, without those that only older versions have.
///
/// # Errors
/// No such cartridge, damaged metadata, or the disk failed.
pub fn tape_segments(store: &Store, id: CartridgeId) -> Result<BTreeSet<u64>, CartridgeError> {
    let directory = store.look_at(id)?;
    let meta = decode_meta(id, &directory.read_meta()?, &directory.meta_path())?;
    let shipped = Shipped::read(&directory)?;
    let segments = Segments::new(&directory, &shipped, &meta.origins);
    let chain = Lineage::new(segments, meta.end, &meta.ancestors).chain()?;
    Ok(chain.rows().iter().map(|row| row.sequence).collect())
}

/// Makes an older version of an unloaded cartridge the tape again; gives what the tape was.
///
/// # Errors
/// As [`Cartridge::open`] and [`Cartridge::roll_back`].
pub fn roll_back(store: &Store, id: CartridgeId, number: u32) -> Result<Version, CartridgeError> {
    Cartridge::open(store, id)?.roll_back(number)
}

/// Holds an older version of an unloaded cartridge, or lets go of it.
///
/// # Errors
/// As [`Cartridge::open`] and [`Cartridge::hold_version`].
pub fn hold_version(store: &Store, id: CartridgeId, number: u32, held: bool) -> Result<(), CartridgeError> {
    Cartridge::open(store, id)?.hold_version(number, held)
}

/// Forgets an older version of an unloaded cartridge.
///
/// # Errors
/// As [`Cartridge::open`] and [`Cartridge::forget_versions`].
pub fn forget_version(store: &Store, id: CartridgeId, number: u32) -> Result<(), CartridgeError> {
    Cartridge::open(store, id)?.forget_versions(&[number])
}

/// How many older versions a tape has, and the numbers of those that are to be forgotten by their age. Only its metadata
/// are read.
///
/// # Errors
/// No such cartridge, damaged metadata, or the disk failed.
pub fn expired_versions(store: &Store, id: CartridgeId, age: Duration) -> Result<(usize, Vec<u32>), CartridgeError> {
    let meta = decode_meta(id, &store.read_meta(id)?, &store.meta_path(id))?;
    Ok((meta.versions.len(), expired(&meta, age)))
}

fn expired(meta: &Meta, age: Duration) -> Vec<u32> {
    let limit = now().saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
    meta.versions.iter().filter(|it| !it.held && it.until < limit).map(|it| it.number).collect()
}

/// Versions that are worth their place beside a tape: not the tape itself, which a crash can leave there.
pub(crate) fn others(versions: &[Version], end: Point, ancestors: &[Ancestor]) -> Vec<Version> {
    let is_other = |it: &&Version| it.cause == Cause::Cloned || it.end != end || it.ancestors != ancestors;
    versions.iter().filter(is_other).cloned().collect()
}

/// Milliseconds since 1970 UTC.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
