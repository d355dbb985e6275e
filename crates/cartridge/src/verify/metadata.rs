//! The two copies of the metadata.

use capstan_format::{ENTRY_LENGTH, FormatError, META_LENGTH, Meta, wide};

use super::{FindingKind, Verifier};
use crate::CartridgeError;

impl Verifier<'_> {
    /// The metadata, if one copy proves itself. Loading needs one.
    pub(super) fn metadata(&mut self) -> Result<Option<Meta>, CartridgeError> {
        let path = self.directory.meta_path();
        let bytes = match self.directory.read_meta() {
            Ok(bytes) => bytes,
            Err(error) => {
                let kind = if error.is_missing() { FindingKind::Missing } else { FindingKind::Unreadable };
                self.find(&path, 0..0, kind, 0..0, format!("the cartridge cannot be loaded: {error}"));
                return Ok(None);
            }
        };
        self.advance(wide(bytes.len()));
        if let Err(FormatError::NewerVersion { version, known }) = Meta::decode(&bytes) {
            return Err(CartridgeError::NewerVersion { path, version, known });
        }
        let half = META_LENGTH / 2;
        let (first, rest) = bytes.split_at_checked(half).unwrap_or((&bytes, &[]));
        let (second, foreign) = rest.split_at_checked(half).unwrap_or((rest, &[]));
        let copies = [self.metadata_copy(first), self.metadata_copy(second)];
        let both_lost = copies.iter().all(Result::is_err);
        for (copy, at) in copies.iter().zip([0, wide(half)]) {
            if let Err(what) = copy {
                let consequence =
                    if both_lost { ": the cartridge cannot be loaded" } else { "; the other copy is good" };
                let kind =
                    if wide(bytes.len()) < at + wide(half) { FindingKind::Truncated } else { FindingKind::Metadata };
                self.find(&path, at..at + wide(half), kind, 0..0, format!("{what}{consequence}"));
            }
        }
        let [first, second] = copies;
        self.entries(first.as_ref().or(second.as_ref()).map_or(0, |(_, entries)| *entries), foreign);
        if let (Ok(first), Ok(second)) = (&first, &second)
            && first != second
        {
            let half = wide(half);
            self.find(
                &path,
                half..2 * half,
                FindingKind::Metadata,
                0..0,
                "it differs from the first copy, which counts",
            );
        }
        let barcode = first.or(second).ok().map(|(meta, _)| meta.barcode);
        self.report.barcode = barcode;
        if both_lost {
            return Ok(None);
        }
        match Meta::decode(&bytes) {
            Ok(meta) => Ok(Some(meta)),
            Err(error) => {
                let what =
                    format!("an entry is damaged in both copies, so that the cartridge cannot be loaded: {error}");
                self.find(&path, wide(META_LENGTH)..wide(bytes.len()), FindingKind::Metadata, 0..0, what);
                Ok(None)
            }
        }
    }

    /// What lies behind both copies of the record: entries, twice, and nothing else.
    fn entries(&mut self, count: usize, behind: &[u8]) {
        let path = self.directory.meta_path();
        let at = wide(META_LENGTH);
        let half = wide(count).saturating_mul(wide(ENTRY_LENGTH));
        let (end, length) = (at + 2 * half, at + wide(behind.len()));
        if length > end {
            self.find(&path, end..length, FindingKind::Foreign, 0..0, "bytes behind the metadata");
        }
        if length < end {
            self.find(&path, length..end, FindingKind::Truncated, 0..0, "entries are missing");
            return;
        }
        let (first, rest) = behind.split_at_checked(usize::try_from(half).unwrap_or(usize::MAX)).unwrap_or_default();
        let copies = first.chunks_exact(ENTRY_LENGTH).zip(rest.chunks_exact(ENTRY_LENGTH));
        let different: Vec<u64> = (0..).zip(copies).filter(|(_, (one, other))| one != other).map(|(n, _)| n).collect();
        for entry in different {
            let from = at + entry * wide(ENTRY_LENGTH);
            let what = "one of the two copies of an entry is damaged";
            self.find(&path, from..from + wide(ENTRY_LENGTH), FindingKind::Metadata, 0..0, what);
        }
    }

    /// One copy, or what is wrong with it.
    fn metadata_copy(&self, bytes: &[u8]) -> Result<(Meta, usize), String> {
        match Meta::decode_record(bytes) {
            Ok(copy) if copy.0.cartridge == self.directory.id() => Ok(copy),
            Ok((meta, _)) => Err(format!("it describes cartridge {}", meta.cartridge)),
            Err(error) => Err(error.to_string()),
        }
    }
}
