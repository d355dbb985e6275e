//! What a device server is to its task set.

use bytes::Bytes;
use capstan_scsi::sam::{Cdb, Completion, InitiatorPort, NexusId};

/// Milliseconds on a clock that never goes back; its zero means nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Instant(pub u64);

/// The part of a task that a device server looks at.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// Who sent it.
    pub nexus: NexusId,
    /// The command descriptor block.
    pub cdb: Cdb,
}

/// What a command that may run needs first.
#[derive(Debug)]
pub enum Begin<Op> {
    /// So many bytes from the initiator.
    Data(u32),
    /// The answer to this operation, before the initiator is asked for anything; then so many bytes.
    Admission {
        /// What is asked.
        op: Op,
        /// Bytes that it takes once [`DeviceServer::admitted`] lets it.
        needed: u32,
    },
}

/// What a device server makes of a command.
#[derive(Debug)]
pub enum Outcome<Op> {
    /// It has ended.
    Done(Completion),
    /// It goes on with [`DeviceServer::resume`] once this operation has been performed.
    Perform(Op),
}

/// A device server: one command at a time, in the order the task set decides.
pub trait DeviceServer {
    /// What it asks of the world outside: of the medium, or of the robot.
    type Op;
    /// What it is answered.
    type OpResult;

    /// Checks that need no data (unit attention, reservation, fields of the CDB, medium present, write protection),
    /// and how many bytes the command takes from the initiator. Called once for each command, before anything else.
    ///
    /// Where it depends on the world outside whether they may come now, that is asked first: the command then waits
    /// with nothing transferred, however long the answer takes.
    ///
    /// # Errors
    /// The completion that ends the command here, with nothing transferred.
    fn begin(&mut self, now: Instant, command: &Command) -> Result<Begin<Self::Op>, Box<Completion>>;

    /// The answer to what [`Begin::Admission`] asked. Not called when the task was aborted meanwhile: nothing has
    /// happened that the device server would have to know of.
    ///
    /// # Errors
    /// The completion that ends the command here, with nothing transferred.
    fn admitted(&mut self, now: Instant, command: &Command, answer: Self::OpResult) -> Result<(), Box<Completion>>;

    /// Run the command. `data` holds what [`DeviceServer::begin`] asked for, or less when the initiator offered less.
    fn execute(&mut self, now: Instant, command: &Command, data: Bytes) -> Outcome<Self::Op>;

    /// Go on after an operation. Also called when the task was aborted meanwhile, so that nothing that happened is
    /// missed; then the outcome is dropped.
    fn resume(&mut self, now: Instant, command: &Command, result: Self::OpResult) -> Outcome<Self::Op>;

    /// A nexus exists from now on.
    fn nexus_established(&mut self, nexus: NexusId, initiator: &InitiatorPort);

    /// A nexus is gone: what it held is released.
    fn nexus_lost(&mut self, nexus: NexusId);

    /// Logical unit reset: reservations and removal prevention are released, mode parameters return to their
    /// defaults, every nexus is told by a unit attention. [SAM-5 6.3.3]
    fn reset(&mut self, now: Instant);
}
