//! The files that are no part of the tape.

use std::path::Path;

use capstan_format::segment::{HEADER_LENGTH, Header};
use capstan_format::{FormatError, Meta, wide};
use capstan_store::{FileKind, FoundFile, Segment, StoreError};

use super::segment::Useless;
use super::{FindingKind, Verifier};
use crate::CartridgeError;
use crate::chain::Row;
use crate::lineage::{Link, open_if_there};
use crate::reader::Reader;
use crate::versions::Kept;

impl Verifier<'_> {
    /// Names what else is in the directory. Where the tape could not be found, its segments are verified each by
    /// itself.
    pub(super) fn other_files(
        &mut self,
        files: &[FoundFile],
        meta: Option<&Meta>,
        links: &[Link],
        of_versions: &Kept,
    ) -> Result<(), CartridgeError> {
        let hole = links.iter().any(|link| link.row.sequence == 0);
        let oldest = links.iter().map(|link| link.row.sequence).find(|sequence| *sequence != 0);
        for file in files {
            if self.cancelled {
                return Ok(());
            }
            let whole = 0..file.length;
            match file.kind {
                FileKind::Meta | FileKind::Shipped | FileKind::Key | FileKind::Pinned | FileKind::Fenced => {}
                FileKind::NewMeta => {
                    let what = "a change of the metadata was interrupted";
                    self.find(&file.path, whole, FindingKind::Leftover, 0..0, what);
                }
                FileKind::NewShipped => {
                    let what = "a change of the log of what is in the tier was interrupted";
                    self.find(&file.path, whole, FindingKind::Leftover, 0..0, what);
                }
                FileKind::Foreign => {
                    let what = "nothing of this name belongs to a cartridge";
                    self.find(&file.path, whole, FindingKind::Foreign, 0..0, what);
                }
                FileKind::Misplaced(sequence) => {
                    let what = format!("segment {sequence} is not looked for in this directory");
                    self.find(&file.path, whole, FindingKind::Foreign, 0..0, what);
                }
                FileKind::Segment(sequence) if links.iter().any(|link| link.row.sequence == sequence) => {}
                FileKind::Segment(sequence) if of_versions.contains_key(&sequence) => {}
                FileKind::Segment(sequence) => {
                    let cut_off = hole && oldest.is_some_and(|oldest| sequence < oldest);
                    self.other_segment(&file.path, sequence, meta, cut_off)?;
                }
            }
        }
        Ok(())
    }

    /// `cut_off`: the tape may have had it, but what leads to it is lost.
    fn other_segment(
        &mut self,
        path: &Path,
        sequence: u64,
        meta: Option<&Meta>,
        cut_off: bool,
    ) -> Result<(), CartridgeError> {
        let Some(segment) = open_if_there(self.directory, sequence)? else { return Ok(()) };
        let bytes = segment.read_from(0, 2 * wide(HEADER_LENGTH))?;
        let whole = 0..segment.length();
        let since = meta.is_some_and(|meta| sequence >= meta.next_sequence);
        let header = match Header::decode(&bytes) {
            Ok(header) => header,
            Err(FormatError::NewerVersion { version, known }) => {
                return Err(CartridgeError::NewerVersion { path: path.to_owned(), version, known });
            }
            // That it is damaged was said when the end of the tape was looked for.
            Err(_) if since && meta.is_some_and(|meta| meta.open) && !self.report.loadable => return Ok(()),
            Err(_) if since && meta.is_some_and(|meta| meta.open) => {
                self.find(path, whole, FindingKind::Leftover, 0..0, "it was never synchronised: loading drops it");
                return Ok(());
            }
            Err(error) => {
                self.find(path, whole, FindingKind::Foreign, 0..0, format!("it is no segment: {error}"));
                return Ok(());
            }
        };
        if let Some(Useless { kind, what }) = self.stranger(&header, sequence) {
            self.find(path, whole, kind, 0..0, what);
            return Ok(());
        }
        if !self.report.loadable {
            let row = Row { sequence, epoch: Some(header.epoch), start: header.start };
            return Ok(self.stray_segment(&segment, row)?);
        }
        if cut_off {
            let what =
                format!("it begins at object {}, and the segments that lead to it are lost", header.start.object);
            self.find(path, whole, FindingKind::CutOff, 0..0, what);
            return Ok(());
        }
        let (kind, what) = match (since, meta.is_some_and(|meta| meta.open)) {
            (true, true) => (FindingKind::Leftover, "it was never synchronised: loading drops it"),
            (true, false) => (FindingKind::Newer, "it was written after the metadata, which are older than the tape"),
            (false, _) => (FindingKind::Leftover, "nothing on it is part of the tape any more"),
        };
        self.find(path, whole, kind, 0..0, what);
        Ok(())
    }

    /// Verifies a segment of which the tape has nothing, or of which that is not known.
    pub(super) fn stray_segment(&mut self, segment: &Segment, row: Row) -> Result<(), StoreError> {
        self.header(segment, &row)?;
        // By its index, if it has one: without a tape nothing else says where it ends.
        let reader = match Reader::open(self.segments(), row, row.start) {
            Ok(reader) => reader,
            Err(fault) => {
                self.find(segment.path(), 0..segment.length(), FindingKind::Unreadable, 0..0, fault.message);
                return Ok(());
            }
        };
        self.seal(segment, &row, reader.index())?;
        self.records(segment, &reader, 0);
        Ok(())
    }
}
