//! What a job is to do.

use std::path::{Path, PathBuf};

use capstan_media::Barcode;

use super::JobKind;
use crate::view::Reserved;

/// A cartridge is to be written to a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExportTape {
    /// Where to; absolute.
    pub path: PathBuf,
    /// What is written there.
    pub format: ExportFormat,
    /// What is there may be replaced.
    pub overwrite: bool,
    /// So many filemarks are left out, with all before them.
    pub from_filemark: u64,
    /// After so many filemarks of the tape it ends, with the last of them; `None` for all that is on the tape.
    pub to_filemark: Option<u64>,
}

/// As what a cartridge is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExportFormat {
    /// A SIMH `.tap` image.
    Tap,
    /// A directory with the data of each tape file, and an index.
    Files,
}

/// A new cartridge is to be made from files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportTape {
    /// Its label.
    pub barcode: Barcode,
    /// From what; absolute.
    pub files: Vec<PathBuf>,
    /// What they are.
    pub format: ImportFormat,
    /// Its host bytes; `None` for the configured size, or `at_least` if that is more.
    pub size: Option<u64>,
    /// Bytes of the files, which are known before it is begun.
    pub at_least: u64,
    /// Where it goes; `None` for the first free slot.
    pub slot: Option<u16>,
    /// Blocks that could not be read when the image was made are left out; else they are refused.
    pub skip_errors: bool,
}

/// What a cartridge is made from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImportFormat {
    /// One SIMH `.tap` image.
    Tap,
    /// One directory that an export has written.
    Files,
    /// Files of any kind, each of which becomes a tape file of blocks of so many bytes, the last one shorter.
    Raw(u32),
}

/// What a job is to do with its cartridge.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    Verify,
    Stage,
    Export(ExportTape),
    Import(Reserved, ImportTape),
}

impl Order {
    pub(super) fn kind(&self) -> JobKind {
        match self {
            Self::Verify => JobKind::Verify,
            Self::Stage => JobKind::Stage,
            Self::Export(_) => JobKind::Export,
            Self::Import(..) => JobKind::Import,
        }
    }

    /// The file that is written or read; the first one if there are several.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::Verify | Self::Stage => None,
            Self::Export(order) => Some(&order.path),
            Self::Import(_, order) => order.files.first().map(PathBuf::as_path),
        }
    }
}
