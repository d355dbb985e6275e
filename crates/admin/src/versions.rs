//! Older versions of tapes.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use capstan_api as api;
use capstan_library::{Cause, EventKind, LibraryError, VersionChange, VersionFacts};
use capstan_media::Barcode;
use capstan_mover::CloneTape;

use crate::problem::Problem;
use crate::routes::{Admin, barcode, parse};

type Answer = Result<Json<api::TapeVersions>, Problem>;

/// A tape and its older versions.
pub(crate) async fn versions(State(admin): State<Admin>, Path(text): Path<String>) -> Answer {
    show(&admin, barcode(&text)?).await
}

/// Holds, lets go of or forgets one.
pub(crate) async fn change(State(admin): State<Admin>, Path(text): Path<String>, body: Bytes) -> Answer {
    let api::ChangeVersion { version, change } = parse(&body)?;
    let change = match change {
        api::VersionChange::Hold => VersionChange::Hold,
        api::VersionChange::LetGo => VersionChange::LetGo,
        api::VersionChange::Forget => VersionChange::Forget,
    };
    let barcode = barcode(&text)?;
    admin.librarian.change_version(barcode.clone(), version, change).await?;
    show(&admin, barcode).await
}

/// Makes one the tape again.
pub(crate) async fn roll_back(State(admin): State<Admin>, Path(text): Path<String>, body: Bytes) -> Answer {
    let api::RollBack { to } = parse(&body)?;
    let barcode = barcode(&text)?;
    admin.librarian.roll_back(barcode.clone(), to).await?;
    show(&admin, barcode).await
}

/// Makes a cartridge that begins with what one holds.
pub(crate) async fn clone(
    State(admin): State<Admin>,
    Path(text): Path<String>,
    body: Bytes,
) -> Result<Json<api::Tape>, Problem> {
    let api::CloneTape { barcode: new, version } = parse(&body)?;
    let source = admin.librarian.unloaded(barcode(&text)?, "cloned").await?;
    let operations = admin.operations.as_ref().ok_or(LibraryError::NoTier)?;
    let reserved = admin.librarian.reserve(barcode(&new)?, Some(source.size), None).await?;
    let clone = CloneTape {
        source: source.id,
        version,
        id: reserved.id,
        barcode: reserved.barcode.clone(),
        capacity: reserved.size,
    };
    if let Err(error) = operations.clone_tape(clone).await {
        admin.librarian.give_up(reserved).await?;
        return Err(error.into());
    }
    let of = match version {
        Some(number) => format!("version {number} of {}", source.barcode),
        None => source.barcode.to_string(),
    };
    let barcode = reserved.barcode.clone();
    admin.librarian.conclude(reserved, EventKind::Cloned, format!("from {of}")).await?;
    admin.show(barcode).await
}

async fn show(admin: &Admin, barcode: Barcode) -> Answer {
    let (facts, versions) = admin.librarian.versions(barcode).await?;
    Ok(Json(api::TapeVersions {
        barcode: facts.barcode.to_string(),
        objects: facts.objects,
        filemarks: facts.filemarks,
        used: facts.used,
        versions: versions.iter().map(view).collect(),
    }))
}

fn view(facts: &VersionFacts) -> api::TapeVersion {
    let version = &facts.version;
    api::TapeVersion {
        number: version.number,
        until: version.until / 1000,
        cause: match version.cause {
            Cause::Overwritten => api::VersionCause::Overwritten,
            Cause::RolledBack => api::VersionCause::RolledBack,
            Cause::Cloned => api::VersionCause::Cloned,
        },
        held: version.held,
        objects: version.end.object,
        filemarks: version.end.filemark,
        used: version.end.byte,
        own_bytes: facts.own_bytes,
        unshipped_bytes: facts.unshipped_bytes,
        missing: facts.missing,
    }
}
