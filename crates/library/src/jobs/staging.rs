//! How a cartridge is brought into the cache.

use std::ops::ControlFlow;

use capstan_cartridge::Progress;
use capstan_media::CartridgeId;
use capstan_mover::{MoverError, Operations, StageProgress};

use super::{JobOutcome, JobState};

/// Lets the mover bring in all of a cartridge.
pub(super) fn stage(
    operations: &dyn Operations,
    cartridge: CartridgeId,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> JobState {
    let mut told = |StageProgress { done, total }: StageProgress| watch(Progress { done, total });
    match operations.stage(cartridge, &mut told) {
        Ok(StageProgress { done, .. }) => JobState::Done(JobOutcome::Staged(done)),
        Err(MoverError::Cancelled) => JobState::cancelled(),
        Err(MoverError::Stopped) => JobState::Cancelled("the daemon stopped".to_owned()),
        Err(error) => JobState::Failed(error.to_string()),
    }
}
