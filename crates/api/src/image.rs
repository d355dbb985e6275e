//! Cartridges that are written to files, or made from files.

use serde::{Deserialize, Serialize};

/// Asks that a cartridge be written to a file of the daemon's machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportTape {
    /// Where to: an absolute path.
    pub file: String,
    /// What is written there.
    #[serde(default)]
    pub format: ExportFormat,
    /// What is there may be replaced.
    #[serde(default)]
    pub overwrite: bool,
    /// So many filemarks are left out, with all before them.
    #[serde(default)]
    pub from_filemark: u64,
    /// It ends after so many filemarks of the tape, with the last of them; `None` for all that is on the tape.
    #[serde(default)]
    pub to_filemark: Option<u64>,
}

/// As what a cartridge is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// A SIMH `.tap` image.
    #[default]
    Tap,
    /// A directory with the data of each tape file, and an index.
    Files,
}

/// Asks for a new cartridge that holds what files of the daemon's machine hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportTape {
    /// Absolute paths: one image, one directory, or any number of raw files.
    pub files: Vec<String>,
    /// What they are.
    pub format: ImportFormat,
    /// Bytes in the blocks that raw files are cut into; `None` for 64 KiB.
    #[serde(default)]
    pub block_size: Option<u32>,
    /// Capacity in bytes; `None` for the configured one, or what the files need.
    #[serde(default)]
    pub size: Option<u64>,
    /// The storage slot that it goes into, from 1; `None` for the first free one.
    #[serde(default)]
    pub slot: Option<u16>,
    /// Blocks that could not be read when the image was made are left out; else they are refused.
    #[serde(default)]
    pub skip_errors: bool,
}

/// What a cartridge is made from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportFormat {
    /// A SIMH `.tap` image.
    Tap,
    /// A directory that an export has written.
    Files,
    /// Files of any kind, each of which becomes a tape file.
    Raw,
}

/// What an export has written, or an import made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Transfer {
    /// Blocks.
    pub blocks: u64,
    /// Filemarks.
    pub filemarks: u64,
    /// Bytes in the blocks.
    pub bytes: u64,
    /// Blocks that could not be read: named in what was written, left out of what was made.
    pub errors: u64,
}
