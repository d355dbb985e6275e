//! Keys: listed, verified, wrapped anew. Only identifiers leave the daemon, and names of files come to it.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use capstan_api as api;
use capstan_mover::{KeyCount, KeyProblem, KeyReport, KeysInfo};

use crate::problem::Problem;
use crate::routes::{Admin, parse};

type Answer<T> = Result<Json<T>, Problem>;

/// The keys of all cartridges.
pub(crate) async fn keys(State(admin): State<Admin>) -> Answer<api::Keys> {
    Ok(Json(view(admin.record(|mover| mover.keys()).await?)))
}

/// Somebody has another copy of the wrapping key.
pub(crate) async fn confirm_backup(State(admin): State<Admin>, body: Bytes) -> Answer<api::Keys> {
    let api::ConfirmBackup { wrapping_key } = parse(&body)?;
    Ok(Json(view(admin.record(move |mover| mover.confirm_key_backup(&wrapping_key)).await?)))
}

/// Opens the wrapped keys of all cartridges.
pub(crate) async fn verify_keys(State(admin): State<Admin>, body: Bytes) -> Answer<api::KeyReport> {
    let api::VerifyKeys { key_file } = parse(&body)?;
    Ok(Json(report(admin.mover()?.verify_keys(key_file.map(Into::into)).await?)))
}

/// Wraps the keys of all cartridges with another key as well.
pub(crate) async fn rotate_keys(State(admin): State<Admin>, body: Bytes) -> Answer<api::KeyReport> {
    let api::RotateKeys { new_key_file } = parse(&body)?;
    Ok(Json(report(admin.mover()?.rotate_keys(new_key_file.into()).await?)))
}

/// Removes what is wrapped with older keys.
pub(crate) async fn remove_old_keys(State(admin): State<Admin>, body: Bytes) -> Answer<api::KeyReport> {
    let api::RemoveOldKeys {} = parse(&body)?;
    Ok(Json(report(admin.mover()?.remove_old_keys().await?)))
}

fn view(info: KeysInfo) -> api::Keys {
    let KeysInfo { tier, wrapping_key, key_file, backup_confirmed, next_key, wrapped, unencrypted } = info;
    let count = |KeyCount { wrapping_key, cartridges }: KeyCount| api::WrappedWith { wrapping_key, cartridges };
    api::Keys {
        tier,
        wrapping_key,
        key_file: key_file.map(|file| file.display().to_string()),
        backup_confirmed,
        next_key,
        wrapped: wrapped.into_iter().map(count).collect(),
        unencrypted,
    }
}

fn report(report: KeyReport) -> api::KeyReport {
    let KeyReport { wrapping_key, encrypted, unencrypted, changed, problems } = report;
    let problem = |KeyProblem { barcode, what }: KeyProblem| api::KeyProblem {
        barcode: barcode.map(|barcode| barcode.to_string()),
        what,
    };
    let problems = problems.into_iter().map(problem).collect();
    api::KeyReport { wrapping_key, encrypted, unencrypted, changed, problems }
}
