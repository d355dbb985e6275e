//! Inputs that are kept: found by coverage, or the reason of a regression.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where the inputs of a target are.
#[must_use]
pub fn directory_of(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// The inputs of a target with their names, in the order of these; none if it has no directory.
///
/// # Errors
/// What the file system says.
pub fn corpus_of(target: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
    let entries = match fs::read_dir(directory_of(target)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut corpus = Vec::new();
    for entry in entries {
        let entry = entry?;
        corpus.push((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?));
    }
    corpus.sort();
    Ok(corpus)
}
