//! A WRITE in front of the gate.
//!
//! The drive waits on its bell like a drive that has nothing to do, so whatever comes is taken in at once: an abort
//! ends the wait, the end of the library too. What the robot asks waits, as for any command.

use std::time::Duration;

use capstan_device::ssc::Stalled;

use super::Life;
use crate::drive::gate::Verdict;

impl Life {
    /// What a WRITE of `bytes` is answered that asks whether its data may come.
    ///
    /// # Errors
    /// It has to wait, and asks again after this time or when something has come.
    pub(super) fn admit(&mut self, bytes: u32) -> Result<Result<(), Stalled>, Duration> {
        if self.visitor.is_waiting() {
            self.drain();
            if !self.actor.unit.is_awaited() {
                // Nobody hears the answer.
                self.actor.gate.leave(&mut self.visitor, bytes);
                return Ok(Ok(()));
            }
        }
        match self.actor.gate.ask(&mut self.visitor, bytes) {
            Verdict::Pass => Ok(Ok(())),
            Verdict::Stalled => Ok(Err(Stalled)),
            Verdict::Wait(patience) => Err(patience),
        }
    }
}
