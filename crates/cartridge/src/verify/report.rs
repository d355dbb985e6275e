//! What a verification found.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use capstan_media::{Barcode, CartridgeId};

/// Most findings, and most ranges of lost objects, that a report lists one by one.
pub(super) const LISTED: usize = 1000;

/// A cartridge as it was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The cartridge.
    pub cartridge: CartridgeId,
    /// Its label; `None` where the metadata cannot be read.
    pub barcode: Option<Barcode>,
    /// A drive can load it.
    pub loadable: bool,
    /// Logical objects on the tape: blocks and filemarks. 0 if it cannot be loaded.
    pub objects: u64,
    /// Filemarks among them.
    pub filemarks: u64,
    /// Host bytes on the tape.
    pub used: u64,
    /// Objects that cannot be read.
    pub lost: u64,
    /// Which, ascending; the first thousand ranges.
    pub lost_ranges: Vec<Range<u64>>,
    /// Files looked at.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// What is not as it should be, in the order in which it was found; the first thousand.
    pub findings: Vec<Finding>,
    /// Findings beyond these.
    pub more: u64,
}

/// One thing that is not as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The file.
    pub file: PathBuf,
    /// Where in it.
    pub offset: u64,
    /// How many bytes are concerned.
    pub length: u64,
    /// What sort of thing it is.
    pub kind: FindingKind,
    /// The logical objects that are lost by it; empty if none is.
    pub objects: Range<u64>,
    /// What is wrong, for a person.
    pub what: String,
}

/// Sorts of [`Finding`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FindingKind {
    /// A copy of the cartridge's metadata is damaged.
    Metadata,
    /// A copy of a segment's header is damaged.
    Header,
    /// Records do not prove themselves.
    Record,
    /// The index of a segment is damaged.
    Index,
    /// The trailer of a segment is damaged.
    Trailer,
    /// A file that the tape needs is not there.
    Missing,
    /// A file ends too early.
    Truncated,
    /// A file, or bytes at its end, that are none of this cartridge's.
    Foreign,
    /// A file that is a copy of another one of this cartridge.
    Duplicate,
    /// A segment that is newer than the metadata: these are not the last ones that were written.
    Newer,
    /// A segment that may have been part of the tape, before several that are lost.
    CutOff,
    /// The disk does not give the bytes.
    Unreadable,
    /// Left behind by something that was interrupted. Not damage.
    Leftover,
}

impl FindingKind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::Metadata,
        Self::Header,
        Self::Record,
        Self::Index,
        Self::Trailer,
        Self::Missing,
        Self::Truncated,
        Self::Foreign,
        Self::Duplicate,
        Self::Newer,
        Self::CutOff,
        Self::Unreadable,
        Self::Leftover,
    ];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Header => "header",
            Self::Record => "record",
            Self::Index => "index",
            Self::Trailer => "trailer",
            Self::Missing => "missing",
            Self::Truncated => "truncated",
            Self::Foreign => "foreign",
            Self::Duplicate => "duplicate",
            Self::Newer => "newer",
            Self::CutOff => "cut_off",
            Self::Unreadable => "unreadable",
            Self::Leftover => "leftover",
        }
    }

    /// Something has happened to the files that must not happen.
    #[must_use]
    pub fn is_damage(self) -> bool {
        self != Self::Leftover
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Report {
    pub(super) fn new(cartridge: CartridgeId) -> Self {
        Self {
            cartridge,
            barcode: None,
            loadable: false,
            objects: 0,
            filemarks: 0,
            used: 0,
            lost: 0,
            lost_ranges: Vec::new(),
            files: 0,
            bytes: 0,
            findings: Vec::new(),
            more: 0,
        }
    }

    /// Nothing is damaged.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.loadable && self.more == 0 && !self.findings.iter().any(|finding| finding.kind.is_damage())
    }

    /// Objects that can be read, ascending; complete unless more than a thousand ranges are lost.
    #[must_use]
    pub fn readable(&self) -> Vec<Range<u64>> {
        let starts = std::iter::once(0).chain(self.lost_ranges.iter().map(|lost| lost.end));
        let ends = self.lost_ranges.iter().map(|lost| lost.start).chain([self.objects]);
        starts.zip(ends).filter(|(start, end)| start < end).map(|(start, end)| start..end).collect()
    }

    /// Adds a finding. One that continues the last becomes part of it: a damaged region is one thing, however many
    /// records it held.
    pub(super) fn add(&mut self, finding: Finding) {
        self.lose(&finding.objects);
        if let Some(last) = self.findings.last_mut()
            && finding.kind == FindingKind::Record
            && (last.kind, &last.file) == (finding.kind, &finding.file)
            && last.offset.saturating_add(last.length) == finding.offset
            && last.objects.end == finding.objects.start
        {
            last.length = last.length.saturating_add(finding.length);
            last.objects.end = finding.objects.end;
            return;
        }
        if self.findings.len() < LISTED {
            self.findings.push(finding);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    fn lose(&mut self, objects: &Range<u64>) {
        let count = objects.end.saturating_sub(objects.start);
        self.lost = self.lost.saturating_add(count);
        match self.lost_ranges.last_mut() {
            _ if count == 0 => {}
            Some(last) if last.end == objects.start => last.end = objects.end,
            _ => {
                if self.lost_ranges.len() < LISTED {
                    self.lost_ranges.push(objects.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(offset: u64, objects: Range<u64>) -> Finding {
        let (kind, what) = (FindingKind::Record, "bad".to_owned());
        Finding { file: "f".into(), offset, length: 10, kind, objects, what }
    }

    #[test]
    fn neighbours_are_one_finding_and_the_rest_is_readable() {
        let mut report = Report { objects: 20, loadable: true, ..Report::new(CartridgeId([0; 16])) };
        assert!(report.is_good());
        report.add(finding(100, 3..4));
        report.add(finding(110, 4..6));
        report.add(finding(200, 10..10));
        report.add(finding(300, 10..20));
        assert!(!report.is_good());
        let found: Vec<_> = report.findings.iter().map(|f| (f.offset, f.length, f.objects.clone())).collect();
        assert_eq!(found, [(100, 20, 3..6), (200, 10, 10..10), (300, 10, 10..20)]);
        assert_eq!((report.lost, report.readable()), (13, vec![0..3, 6..10]));
    }

    #[test]
    fn a_report_has_an_end() {
        let mut report = Report::new(CartridgeId([0; 16]));
        for n in 0..1500 {
            report.add(finding(n * 100, n * 2..n * 2 + 1));
        }
        assert_eq!((report.findings.len(), report.more, report.lost), (1000, 500, 1500));
        assert_eq!(report.lost_ranges.len(), 1000);
    }
}
