//! Tiers: shown, tried, paused and limited; cartridges that are brought back from them.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use capstan_api as api;
use capstan_library::LibraryError;
use capstan_mover::{AreaInfo, LimitChange, MoverError, Operations, Scrubbed, TestStep, TierInfo, TierState, TierTest};

use crate::jobs;
use crate::problem::Problem;
use crate::routes::{Admin, barcode, parse};

type Answer<T> = Result<Json<T>, Problem>;

impl Admin {
    /// The mover, if there is one.
    pub(crate) fn mover(&self) -> Result<Arc<dyn Operations>, Problem> {
        self.operations.clone().ok_or_else(|| LibraryError::NoTier.into())
    }

    /// Asks the mover for what it writes down.
    pub(crate) async fn record<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Operations) -> Result<T, MoverError> + Send + 'static,
    ) -> Result<T, Problem> {
        let mover = self.mover()?;
        let done = tokio::task::spawn_blocking(move || work(mover.as_ref())).await;
        let failed = |error: tokio::task::JoinError| api::Failure::new(api::ErrorKind::Failed, error.to_string());
        Ok(done.map_err(failed)??)
    }

    /// All tiers.
    pub(crate) fn all_tiers(&self) -> Vec<api::Tier> {
        self.operations.iter().flat_map(|mover| mover.tiers()).map(tier).collect()
    }
}

/// All tiers.
pub(crate) async fn tiers(State(admin): State<Admin>) -> Json<Vec<api::Tier>> {
    Json(admin.all_tiers())
}

/// Tries a tier.
pub(crate) async fn test(State(admin): State<Admin>, Path(name): Path<String>) -> Answer<api::TierTest> {
    Ok(Json(tested(admin.mover()?.test(&name).await?)))
}

/// Ships nothing more to a tier.
pub(crate) async fn pause(State(admin): State<Admin>, Path(name): Path<String>) -> Answer<api::Tier> {
    Ok(Json(tier(admin.record(move |mover| mover.pause(&name)).await?)))
}

/// Ships to a tier again.
pub(crate) async fn resume(State(admin): State<Admin>, Path(name): Path<String>) -> Answer<api::Tier> {
    Ok(Json(tier(admin.record(move |mover| mover.resume(&name)).await?)))
}

/// Changes how fast may be sent and fetched.
pub(crate) async fn limit(State(admin): State<Admin>, Path(name): Path<String>, body: Bytes) -> Answer<api::Tier> {
    let api::SetLimits { upload, download } = parse(&body)?;
    if [upload, download].contains(&Some(Some(0))) {
        let failure = api::Failure::new(api::ErrorKind::Invalid, "a limit of 0 bytes a second would stop everything");
        return Err(failure.next("`capstan tier pause` stops shipping").into());
    }
    Ok(Json(tier(admin.mover()?.limit(&name, LimitChange { upload, download })?)))
}

/// Deletes what is nobody's in a tier.
pub(crate) async fn scrub(State(admin): State<Admin>, Path(name): Path<String>, body: Bytes) -> Answer<api::Scrubbed> {
    let api::ScrubTier { older_than_seconds } = parse(&body)?;
    let scrubbed = admin.mover()?.scrub_tier(&name, Duration::from_secs(older_than_seconds)).await?;
    let Scrubbed { objects, orphans, released, bytes } = scrubbed;
    Ok(Json(api::Scrubbed { objects, orphans, released, bytes }))
}

/// Begins to bring a cartridge into the cache, or lets it be evicted again. It is pinned before it is brought in, so
/// nothing of it goes meanwhile.
pub(crate) async fn stage(State(admin): State<Admin>, Path(text): Path<String>, body: Bytes) -> Answer<api::Staged> {
    let api::StageTape { pin } = parse(&body)?;
    let barcode = barcode(&text)?;
    let id = admin.librarian.tape(barcode.clone()).await?.id;
    if let Some(pinned) = pin {
        admin.record(move |mover| mover.pin(id, pinned)).await?;
    }
    let job = match pin {
        Some(false) => None,
        Some(true) | None => Some(jobs::view(&admin.librarian.stage(barcode.clone()).await?)),
    };
    Ok(Json(api::Staged { tape: admin.tape(&admin.librarian.tape(barcode).await?), job }))
}

/// An area of the disk.
pub(crate) fn area(info: AreaInfo) -> api::Area {
    let AreaInfo { path, used, size, free, problems } = info;
    api::Area { path: path.display().to_string(), used, size, free, problems }
}

/// Whole seconds; less than one is one, since 0 says that nothing waits.
pub(crate) fn waiting(oldest: Option<Duration>) -> u64 {
    oldest.map_or(0, |age| age.as_secs().max(1))
}

fn tier(info: TierInfo) -> api::Tier {
    let error = |(time, text): (std::time::SystemTime, String)| api::TierError {
        time: time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        text,
    };
    api::Tier {
        name: info.name,
        kind: info.kind,
        place: info.place,
        state: state(info.state),
        problem: info.problem,
        notes: info.notes,
        proof: info.proof,
        encryption: info.encryption,
        uploads: info.uploads,
        parallel: info.parallel,
        uploaded_bytes: info.uploaded_bytes,
        downloaded_bytes: info.downloaded_bytes,
        upload_rate: info.upload_rate,
        download_rate: info.download_rate,
        upload_limit: info.upload_limit,
        download_limit: info.download_limit,
        retries: info.retries,
        last_error: info.last_error.map(error),
    }
}

fn state(state: TierState) -> api::TierState {
    match state {
        TierState::Connecting => api::TierState::Connecting,
        TierState::Ready => api::TierState::Ready,
        TierState::Unavailable => api::TierState::Unavailable,
        TierState::Paused => api::TierState::Paused,
        TierState::Refused => api::TierState::Refused,
    }
}

fn tested(test: TierTest) -> api::TierTest {
    let step = |TestStep { what, took, problem }: TestStep| api::TestStep {
        what,
        milliseconds: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        problem,
    };
    api::TierTest { good: test.is_good(), name: test.name, steps: test.steps.into_iter().map(step).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_nothing_waits_for_0_seconds() {
        let ages = [None, Some(Duration::ZERO), Some(Duration::from_millis(1900)), Some(Duration::from_secs(60))];
        assert_eq!(ages.map(waiting), [0, 1, 1, 60]);
    }

    #[test]
    fn each_state_has_the_name_that_the_mover_gives_it() {
        use TierState::{Connecting, Paused, Ready, Refused, Unavailable};
        for each in [Connecting, Ready, Unavailable, Paused, Refused] {
            assert_eq!(state(each).to_string(), each.name());
        }
    }
}
