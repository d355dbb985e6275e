//! The two copies of the metadata.

use capstan_format::{FormatError, META_LENGTH, Meta, wide};

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
        if !foreign.is_empty() {
            let at = wide(META_LENGTH);
            self.find(&path, at..wide(bytes.len()), FindingKind::Foreign, 0..0, "bytes behind the metadata");
        }
        let [first, second] = copies;
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
        let meta = first.or(second).ok();
        self.report.barcode = meta.as_ref().map(|meta| meta.barcode.clone());
        Ok(meta)
    }

    /// One copy, or what is wrong with it.
    fn metadata_copy(&self, bytes: &[u8]) -> Result<Meta, String> {
        match Meta::decode(bytes) {
            Ok(meta) if meta.cartridge == self.directory.id() => Ok(meta),
            Ok(meta) => Err(format!("it describes cartridge {}", meta.cartridge)),
            Err(error) => Err(error.to_string()),
        }
    }
}
