//! What makes the library what it is, to be carried to another machine.

use std::fs;
use std::path::Path;

use axum::Json;
use axum::extract::State;
use capstan_api::{ErrorKind, Failure, LibraryState, TierClaim, to_hex};

use crate::problem::Problem;
use crate::routes::Admin;

/// The library without its cartridges.
pub(crate) async fn state(State(admin): State<Admin>) -> Result<Json<LibraryState>, Problem> {
    let image = admin.images.borrow().clone();
    let image = image.ok_or_else(|| Failure::new(ErrorKind::Failed, "there is no state of the library yet"))?;
    let state_dir = admin.facts.state_dir.clone();
    let claims = tokio::task::spawn_blocking(move || claims(&state_dir)).await;
    let claims = claims.map_err(|error| Failure::new(ErrorKind::Failed, error.to_string()))?;
    Ok(Json(LibraryState {
        gateway: admin.facts.gateway.clone(),
        library: admin.facts.library.clone(),
        change: image.change,
        image: to_hex(&image.bytes),
        claims,
        configuration: admin.facts.configuration.clone(),
    }))
}

/// By what the gateway of a state directory knows its tiers again.
#[must_use]
pub fn claims(state_dir: &Path) -> Vec<TierClaim> {
    let entries = fs::read_dir(state_dir.join("tiers")).into_iter().flatten().flatten();
    let claim = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let bytes = fs::read(entry.path()).ok()?;
        Some(TierClaim { tier: name.strip_suffix(".claim")?.to_owned(), claim: to_hex(&bytes) })
    };
    let mut claims: Vec<TierClaim> = entries.filter_map(claim).collect();
    claims.sort_by(|one, other| one.tier.cmp(&other.tier));
    claims
}
