//! Opening a cartridge that was not unloaded properly.
//!
//! What the metadata say (`end`, `ancestors`) was on stable storage when the cartridge was last marked open. Segments
//! with later numbers may hold anything that a power cut leaves: written pages, lost pages, nothing. Of them, the
//! newest from which everything back to the metadata's end proves itself gives the content of the tape: up to the
//! first record of it that does not prove itself, that content is what the tape held at some moment, and no moment
//! before the last recovery point, since all segments of that one were synchronised.

use std::collections::BTreeSet;

use capstan_format::segment::{HEADER_LENGTH, Header, Scan, TRAILER_LENGTH, Trailer, scan, was_synchronised};
use capstan_format::{ANCESTORS, Ancestor, Meta, Point, wide};
use capstan_store::CartridgeDirectory;

use crate::lineage::{Lineage, header_of, open_if_there};
use crate::reader::SEGMENT_LIMIT;
use crate::shipped::{Segments, Shipped};
use crate::{CartridgeError, superseded, versions};

/// What loading found after an unclean end. What was dropped was never synchronised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Recovered {
    /// Blocks and filemarks on the tape.
    pub objects: u64,
    /// Segments that were begun and are not all there.
    pub dropped_segments: u64,
    /// Bytes in these, and behind the last record that proves itself.
    pub dropped_bytes: u64,
}

/// Finds out what the tape holds, makes that durable, removes everything else and marks the cartridge clean.
pub(crate) fn recover(
    directory: &mut CartridgeDirectory,
    shipped: &Shipped,
    meta: Meta,
) -> Result<(Meta, Recovered), CartridgeError> {
    let files = directory.segments()?;
    let since = |sequence: &&u64| **sequence >= meta.next_sequence;
    let mut found = Found { end: meta.end, ancestors: meta.ancestors.clone(), epoch: meta.epoch, torn: 0 };
    let (mut dropped_segments, mut dropped_bytes) = (0_u64, 0_u64);
    for sequence in files.iter().rev().filter(since) {
        if let Some(newest) = examine(Segments::new(directory, shipped, &meta.origins), &meta, *sequence)? {
            found = newest;
            break;
        }
        dropped_segments = dropped_segments.saturating_add(1);
        let length = directory.open_segment(*sequence).map_or(0, |segment| segment.length());
        dropped_bytes = dropped_bytes.saturating_add(length);
        tracing::info!(segment = %directory.segment_path(*sequence).display(), "unsynchronised segment is dropped");
    }
    tracing::info!(cartridge = %meta.cartridge, end = found.end.object, before = meta.end.object, "recovered");
    directory.distrust_names()?;
    directory.sync_names()?;
    let Found { end, ancestors, epoch, torn } = found;
    dropped_bytes = dropped_bytes.saturating_add(torn);
    // A number that was shipped is never given to another segment, also if its file is gone.
    let highest = files.last().copied().max(shipped.rows.keys().next_back().copied());
    let next_sequence = highest.map_or(0, |last| last.saturating_add(1)).max(meta.next_sequence);
    let versions = versions::others(&meta.versions, end, &ancestors);
    let meta = Meta { open: false, epoch: epoch.max(meta.epoch), next_sequence, end, ancestors, versions, ..meta };
    let segments = Segments::new(directory, shipped, &meta.origins);
    let chain = Lineage::new(segments, meta.end, &meta.ancestors).chain()?;
    let kept = versions::kept(segments, &meta.versions)?;
    let of_tape = chain.rows().iter().map(|row| row.sequence);
    let needed: BTreeSet<u64> = of_tape.chain(kept.into_keys()).collect();
    let useless: Vec<u64> = files.into_iter().filter(|sequence| !needed.contains(sequence)).collect();
    superseded::settle(directory, &meta, &useless)?;
    Ok((meta, Recovered { objects: end.object, dropped_segments, dropped_bytes }))
}

/// What a tape that was not unloaded properly holds, beyond what its metadata say. Nothing is changed.
pub(crate) fn newest(segments: Segments<'_>, meta: &Meta) -> Result<Option<Found>, CartridgeError> {
    let files = segments.directory.segments()?;
    let since = files.iter().rev().filter(|sequence| **sequence >= meta.next_sequence);
    for sequence in since {
        if let Some(newest) = examine(segments, meta, *sequence)? {
            return Ok(Some(newest));
        }
    }
    Ok(None)
}

/// What a tape holds.
pub(crate) struct Found {
    pub(crate) end: Point,
    pub(crate) ancestors: Vec<Ancestor>,
    epoch: u64,
    /// Bytes of the last segment behind its last good record.
    torn: u64,
}

/// What the tape holds if `sequence` is its last segment, or `None` if that segment, or one before it, is not all
/// there.
fn examine(segments: Segments<'_>, meta: &Meta, sequence: u64) -> Result<Option<Found>, CartridgeError> {
    let directory = segments.directory;
    let Some(bytes) = read_from_disk(directory, sequence)? else { return Ok(None) };
    let segment = directory.open_segment(sequence)?;
    let header = match header_of(segments, &segment, &bytes)? {
        Ok(header) => header,
        Err(_) if was_synchronised(&bytes, meta.cartridge, sequence) => {
            let what = "the header of a synchronised segment is damaged".to_owned();
            return Err(CartridgeError::Corrupt { path: segment.path().to_owned(), offset: 0, what });
        }
        // As a loss of power leaves it.
        Err(_) => return Ok(None),
    };
    let last = scan(records_of(&bytes), &header, 0);
    log_damage(directory, sequence, &last);
    if !is_all_there(segments, meta, &header, last.durable)? {
        return Ok(None);
    }
    let end = last.index.end();
    let mut ancestors = header.ancestors.clone();
    if end != header.start {
        ancestors.insert(0, Ancestor { sequence, start: header.start });
        ancestors.truncate(ANCESTORS);
    }
    let torn = wide(records_of(&bytes).len()).saturating_sub(last.index.end_offset());
    Ok(Some(Found { end, ancestors, epoch: header.epoch, torn }))
}

/// Whether the segments before that with `header` hold what they held when it was begun. Objects before `durable` are
/// known to have been on stable storage: what is bad among them is damage, which does not make them less the tape.
fn is_all_there(segments: Segments<'_>, meta: &Meta, header: &Header, durable: u64) -> Result<bool, CartridgeError> {
    let directory = segments.directory;
    let mut lineage = Lineage::new(segments, header.start, &header.ancestors);
    while let Some(link) = lineage.step()? {
        let known = link.row.sequence < meta.next_sequence || link.end.object <= durable;
        if known {
            // So are all before it.
            return Ok(true);
        }
        let Some(bytes) = read_from_disk(directory, link.row.sequence)? else { return Ok(false) };
        let Some(header) = Header::decode(&bytes).ok().filter(|header| Some(header.epoch) == link.row.epoch) else {
            return Ok(false);
        };
        let found = scan(records_of(&bytes), &header, durable.min(link.end.object));
        log_damage(directory, link.row.sequence, &found);
        let whole = found.index.point(link.end.object);
        if whole.is_none() || (found.damage.is_empty() && whole != Some(link.end)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The bytes of a segment as the disk holds them. What the kernel has cached is written first, and read back from the
/// disk: after a failed synchronisation the cache is no proof.
fn read_from_disk(directory: &CartridgeDirectory, sequence: u64) -> Result<Option<Vec<u8>>, CartridgeError> {
    let Some(segment) = open_if_there(directory, sequence)? else { return Ok(None) };
    segment.sync()?;
    segment.forget_cache()?;
    Ok(Some(segment.read_from(0, SEGMENT_LIMIT)?))
}

/// A segment without its index, if it has one.
fn records_of(bytes: &[u8]) -> &[u8] {
    let Some(trailer) = bytes.last_chunk::<TRAILER_LENGTH>() else { return bytes };
    let Ok(trailer) = Trailer::decode(trailer, wide(bytes.len())) else { return bytes };
    let records = usize::try_from(trailer.index_offset).ok().filter(|offset| *offset >= HEADER_LENGTH);
    records.and_then(|offset| bytes.get(..offset)).unwrap_or(bytes)
}

fn log_damage(directory: &CartridgeDirectory, sequence: u64, found: &Scan) {
    let file = directory.segment_path(sequence);
    for damage in &found.damage {
        let (offset, object, error) = (damage.offset, damage.object, damage.error);
        tracing::error!(segment = %file.display(), offset, object, %error, "synchronised data is damaged");
    }
}
