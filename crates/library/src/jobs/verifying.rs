//! How a verification is done, and what is told of it.

use std::ops::ControlFlow;

use capstan_cartridge::{Progress, Report, Verified};
use capstan_media::CartridgeId;
use capstan_store::Store;

use super::{JobOutcome, JobState};

/// Verifies a cartridge that nobody else has.
pub(super) fn verify(
    store: &Store,
    cartridge: CartridgeId,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> JobState {
    match capstan_cartridge::verify(store, cartridge, watch) {
        Ok(Verified::Whole(report)) => JobState::Done(JobOutcome::Verified(report)),
        Ok(Verified::Cancelled) => JobState::cancelled(),
        Err(error) => JobState::Failed(error.to_string()),
    }
}

/// What an event says of a verification that found damage.
pub(super) fn damage(report: &Report) -> Option<String> {
    if report.is_good() {
        return None;
    }
    let first = report.findings.iter().find(|finding| finding.kind.is_damage());
    let first = first.map_or(String::new(), |it| {
        format!("; {} at byte {} of {}: {}", it.kind, it.offset, it.file.display(), it.what)
    });
    Some(match report.loadable {
        true => format!("verified: {} of {} objects cannot be read{first}", report.lost, report.objects),
        false => format!("verified: it cannot be loaded{first}"),
    })
}
