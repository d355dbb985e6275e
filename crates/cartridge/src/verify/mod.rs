//! Reading all of a cartridge, to say what of it is damaged before somebody needs it.
//!
//! Nothing is changed and nothing is claimed: a drive may take the cartridge at any time, and whoever ran this then
//! throws the result away. The tape is read by the code that drives read with, so what is said to be readable is;
//! beyond that every copy of every structure is checked, and every file in the directory must be known.

mod files;
mod metadata;
mod records;
mod report;
mod segment;

pub use report::{Finding, FindingKind, Report};

use std::ops::{ControlFlow, Range};
use std::path::Path;

use capstan_format::{Meta, Origin, Point};
use capstan_media::CartridgeId;
use capstan_store::{CartridgeDirectory, Store, StoreError};

use crate::CartridgeError;
use crate::lineage::{Lineage, Link, open_if_there};
use crate::recovery;
use crate::shipped::{Segments, Shipped};
use crate::versions::{self, Kept};

/// How far a verification is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Progress {
    /// Bytes that were dealt with.
    pub done: u64,
    /// Bytes in all files.
    pub total: u64,
}

/// How a verification ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verified {
    /// All of it was read.
    Whole(Box<Report>),
    /// `watch` ended it.
    Cancelled,
}

/// Verifies a cartridge that nobody has loaded. `watch` is asked every few megabytes whether to go on.
///
/// # Errors
/// No such cartridge, a newer format, or its directory cannot be listed. Damage is no error: it is what is reported.
pub fn verify(
    store: &Store,
    id: CartridgeId,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Verified, CartridgeError> {
    let directory = store.look_at(id)?;
    let mut verifier = Verifier {
        shipped: Shipped::read(&directory)?,
        origins: Vec::new(),
        directory: &directory,
        report: Report::new(id),
        watch,
        progress: Progress::default(),
        cancelled: false,
    };
    verifier.run()?;
    let Verifier { report, cancelled, .. } = verifier;
    Ok(if cancelled { Verified::Cancelled } else { Verified::Whole(Box::new(report)) })
}

struct Verifier<'a> {
    directory: &'a CartridgeDirectory,
    shipped: Shipped,
    /// Whose the first segments are, in a clone.
    origins: Vec<Origin>,
    report: Report,
    watch: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
    progress: Progress,
    cancelled: bool,
}

impl Verifier<'_> {
    fn run(&mut self) -> Result<(), CartridgeError> {
        let files = self.directory.files()?;
        self.report.files = u64::try_from(files.len()).unwrap_or(u64::MAX);
        self.progress.total = files.iter().map(|file| file.length).fold(0, u64::saturating_add);
        let meta = self.metadata()?;
        self.origins = meta.as_ref().map(|meta| meta.origins.clone()).unwrap_or_default();
        if let Some((offset, what)) = self.shipped.damage.take() {
            let what = format!("the log of what is in the tier is damaged: {what}");
            self.find(&self.directory.shipped_path(), offset..offset, FindingKind::Metadata, 0..0, what);
        }
        let links = match &meta {
            Some(meta) => self.tape(meta)?,
            None => Vec::new(),
        };
        for link in &links {
            if self.cancelled {
                return Ok(());
            }
            self.segment(link)?;
        }
        let of_versions = self.versions(meta.as_ref(), &links)?;
        self.other_files(&files, meta.as_ref(), &links, &of_versions)
    }

    /// The segments of older versions: damage to them costs the tape nothing.
    fn versions(&mut self, meta: Option<&Meta>, links: &[Link]) -> Result<Kept, CartridgeError> {
        let kept = versions::kept(self.segments(), meta.map_or(&[], |meta| &meta.versions))?;
        for (row, end) in kept.values() {
            let on_tape = links.iter().any(|link| link.row.sequence == row.sequence);
            if on_tape || row.start == *end || self.cancelled {
                continue;
            }
            match open_if_there(self.directory, row.sequence) {
                Ok(Some(segment)) => {
                    segment.forget_cache()?;
                    self.stray_segment(&segment, *row)?;
                    continue;
                }
                Ok(None) if self.shipped.row(row.sequence, row.start).is_some() => continue,
                Ok(None) => {}
                Err(error) => {
                    let path = self.directory.segment_path(row.sequence);
                    self.find(&path, 0..0, FindingKind::Unreadable, 0..0, error.to_string());
                    continue;
                }
            }
            let objects = end.object.saturating_sub(row.start.object);
            let what = format!("the file is not there: {objects} objects of an older version of the tape are lost");
            let path = self.directory.segment_path(row.sequence);
            self.find(&path, 0..0, FindingKind::Missing, 0..0, what);
        }
        Ok(kept)
    }

    /// The segments of the tape, first to last, as loading would find them. None if it cannot be loaded.
    fn tape(&mut self, meta: &Meta) -> Result<Vec<Link>, CartridgeError> {
        let (path, offset, kind, what) = match self.links(meta) {
            Ok((links, end)) => {
                self.report.loadable = true;
                (self.report.objects, self.report.filemarks, self.report.used) = (end.object, end.filemark, end.byte);
                return Ok(links);
            }
            Err(CartridgeError::Corrupt { path, offset, what }) => (path, offset, FindingKind::Header, what),
            Err(CartridgeError::Store(StoreError::Io { path, source, .. })) => {
                (path, 0, FindingKind::Unreadable, source.to_string())
            }
            Err(error) => return Err(error),
        };
        self.find(&path, offset..offset, kind, 0..0, format!("{what}: what the tape holds cannot be known"));
        Ok(Vec::new())
    }

    fn links(&self, meta: &Meta) -> Result<(Vec<Link>, Point), CartridgeError> {
        let found = if meta.open { recovery::newest(self.segments(), meta)? } else { None };
        let (end, ancestors) = match found {
            Some(found) => (found.end, found.ancestors),
            None => (meta.end, meta.ancestors.clone()),
        };
        let mut lineage = Lineage::new(self.segments(), end, &ancestors);
        let mut links = Vec::new();
        while let Some(link) = lineage.step()? {
            links.push(link);
        }
        links.reverse();
        Ok((links, end))
    }

    fn segments(&self) -> Segments<'_> {
        Segments::new(self.directory, &self.shipped, &self.origins)
    }

    fn find(
        &mut self,
        file: &Path,
        bytes: Range<u64>,
        kind: FindingKind,
        objects: Range<u64>,
        what: impl Into<String>,
    ) {
        let (offset, length) = (bytes.start, bytes.end.saturating_sub(bytes.start));
        self.report.add(Finding { file: file.to_owned(), offset, length, kind, objects, what: what.into() });
    }

    /// Counts what was read, and asks whether to go on.
    fn advance(&mut self, bytes: u64) {
        self.report.bytes = self.report.bytes.saturating_add(bytes);
        self.progress.done = self.progress.done.saturating_add(bytes).min(self.progress.total);
        self.cancelled = self.cancelled || (self.watch)(self.progress).is_break();
    }
}
