//! Cartridges that are written to files, or made from files: what can be said before a job is begun.
//!
//! Files may lie on a disk or a share that hangs, so they are looked at by a thread that may wait.

use std::fs;
use std::path::{Path as FilePath, PathBuf};

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use capstan_api as api;
use capstan_library::{ExportFormat, ExportTape, ImportFormat, ImportTape};
use capstan_media::MAX_BLOCK_LENGTH;

use crate::jobs::view;
use crate::problem::Problem;
use crate::routes::{Admin, barcode, parse};

/// Blocks of raw files, where nothing else is asked.
const BLOCK_SIZE: u32 = 64 << 10;

/// Begins to write a cartridge to a file.
pub(crate) async fn export_tape(
    State(admin): State<Admin>,
    Path(text): Path<String>,
    body: Bytes,
) -> Result<Json<api::Job>, Problem> {
    let barcode = barcode(&text)?;
    let request: api::ExportTape = parse(&body)?;
    let path = absolute(&request.file)?;
    if request.to_filemark.is_some_and(|to| to < request.from_filemark) {
        return Err(invalid("it would end before it begins")
            .next("the second filemark is not before the first")
            .into());
    }
    let (looked_at, overwrite) = (path.clone(), request.overwrite);
    aside(move || target(&looked_at, overwrite)).await?;
    let order = ExportTape {
        path,
        format: match request.format {
            api::ExportFormat::Tap => ExportFormat::Tap,
            api::ExportFormat::Files => ExportFormat::Files,
        },
        overwrite,
        from_filemark: request.from_filemark,
        to_filemark: request.to_filemark,
    };
    Ok(Json(view(&admin.librarian.export_tape(barcode, order).await?)))
}

/// Begins to make a cartridge from files.
pub(crate) async fn import_tape(
    State(admin): State<Admin>,
    Path(text): Path<String>,
    body: Bytes,
) -> Result<Json<api::Job>, Problem> {
    let barcode = barcode(&text)?;
    let request: api::ImportTape = parse(&body)?;
    let format = match (request.format, request.block_size) {
        (api::ImportFormat::Raw, size) => ImportFormat::Raw(block_size(size.unwrap_or(BLOCK_SIZE))?),
        (_, Some(_)) => return Err(invalid("only raw files are cut into blocks of a size").into()),
        (api::ImportFormat::Tap, None) => ImportFormat::Tap,
        (api::ImportFormat::Files, None) => ImportFormat::Files,
    };
    let files: Vec<PathBuf> = request.files.iter().map(|file| absolute(file)).collect::<Result<_, _>>()?;
    match (files.len(), format) {
        (0, _) => return Err(invalid("there is no file to import").into()),
        (1, _) | (_, ImportFormat::Raw(_)) => {}
        (_, _) => return Err(invalid("one image, or one directory, is one cartridge").into()),
    }
    let looked_at = files.clone();
    let at_least = aside(move || sources(&looked_at, format)).await?;
    let (size, slot, skip_errors) = (request.size, request.slot, request.skip_errors);
    let order = ImportTape { barcode, files, format, size, at_least, slot, skip_errors };
    Ok(Json(view(&admin.librarian.import_tape(order).await?)))
}

fn invalid(what: &str) -> api::Failure {
    api::Failure::new(api::ErrorKind::Invalid, what)
}

fn absolute(file: &str) -> Result<PathBuf, api::Failure> {
    let path = PathBuf::from(file);
    if path.is_absolute() { Ok(path) } else { Err(invalid(&format!("{file:?} is no absolute path"))) }
}

fn block_size(size: u32) -> Result<u32, api::Failure> {
    if (1..=MAX_BLOCK_LENGTH).contains(&size) {
        return Ok(size);
    }
    Err(invalid(&format!("blocks have 1 to {MAX_BLOCK_LENGTH} bytes")))
}

async fn aside<T: Send + 'static>(
    look: impl FnOnce() -> Result<T, api::Failure> + Send + 'static,
) -> Result<T, Problem> {
    let looked = tokio::task::spawn_blocking(look).await;
    let gone = |_| api::Failure::new(api::ErrorKind::Failed, "the file system could not be asked");
    Ok(looked.map_err(gone)??)
}

/// There is a directory for it, and nothing in its place that must stay.
fn target(path: &FilePath, overwrite: bool) -> Result<(), api::Failure> {
    let parent = path.parent().unwrap_or(FilePath::new("/"));
    if !parent.is_dir() {
        return Err(invalid(&format!("there is no directory {}", parent.display())).next("make it first"));
    }
    if path.symlink_metadata().is_ok() && !overwrite {
        let failure = api::Failure::new(api::ErrorKind::Refused, format!("{} exists already", path.display()));
        return Err(failure.next("choose another name, or give --yes to replace it"));
    }
    Ok(())
}

/// The files are there; gives the bytes in them.
fn sources(files: &[PathBuf], format: ImportFormat) -> Result<u64, api::Failure> {
    let mut bytes = 0_u64;
    for file in files {
        let cannot = |error| {
            let failure = api::Failure::new(api::ErrorKind::NotFound, format!("cannot read {}", file.display()));
            failure.why(format!("{error}"))
        };
        let found = fs::metadata(file).map_err(cannot)?;
        match format {
            ImportFormat::Files if found.is_dir() => {
                for entry in fs::read_dir(file).map_err(cannot)? {
                    bytes = bytes.saturating_add(entry.and_then(|entry| entry.metadata()).map_err(cannot)?.len());
                }
            }
            ImportFormat::Files => return Err(invalid(&format!("{} is no directory", file.display()))),
            ImportFormat::Tap | ImportFormat::Raw(_) if found.is_file() => bytes = bytes.saturating_add(found.len()),
            ImportFormat::Tap | ImportFormat::Raw(_) => {
                return Err(invalid(&format!("{} is no regular file", file.display())));
            }
        }
    }
    Ok(bytes)
}
