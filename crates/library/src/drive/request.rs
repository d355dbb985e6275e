//! What a drive is asked: by the robot, and by whoever ships its cartridge.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use capstan_cartridge::Facts;
use capstan_media::CartridgeId;

/// What comes into a drive's inbox besides tasks.
pub(crate) enum Errand {
    /// Of the robot.
    Robot(Request),
    /// Of whoever ships the cartridge.
    Lent(Lent),
}

/// Work on the cartridge that is threaded. It is dropped if that is another one.
pub(crate) struct Lent {
    pub(crate) cartridge: CartridgeId,
    pub(crate) work: capstan_mover::Work,
}

/// One request of the robot. The answer carries the ticket.
pub(crate) struct Request {
    pub(crate) ticket: u64,
    pub(crate) ask: Ask,
    pub(crate) claim: Claim,
}

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ask {
    /// Would you let go of your cartridge?
    Check,
    /// Make the cartridge durable, close it and let go of it.
    Withdraw,
    /// Open this cartridge, and keep it from hosts for now.
    Prepare(CartridgeId),
    /// Show hosts the cartridge that was prepared.
    Present,
    /// Close the cartridge that was prepared.
    Discard,
    /// Take back the cartridge that was withdrawn, threaded as it was or not.
    Restore {
        /// The cartridge.
        id: CartridgeId,
        /// It was threaded.
        threaded: bool,
    },
    /// Write-protect the cartridge, or lift that.
    Protect(bool),
}

impl Ask {
    /// Part of settling a job that is decided: it has to happen, however late.
    pub(crate) fn is_settling(self) -> bool {
        matches!(self, Self::Present | Self::Discard | Self::Restore { .. })
    }
}

/// How a request went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    /// As asked.
    Done,
    /// The cartridge is closed and out of the drive.
    Withdrawn {
        /// It had been threaded.
        threaded: bool,
        /// As it was closed; `None` if it had been closed before.
        facts: Option<Facts>,
    },
}

/// Why a request was not carried out. The drive is as it was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    /// A host prevents removal.
    Prevented,
    /// The drive did not get to it in time.
    Busy,
    /// The cartridge could not be opened, synchronised or changed.
    Medium(String),
    /// The drive itself has failed.
    Fault(String),
}

const WAITING: u8 = 0;
const TAKEN: u8 = 1;
const CANCELLED: u8 = 2;

/// Who gets a request: the drive that begins it or the robot that gives up waiting. Exactly one of them does, so an
/// answer "too late" means that nothing was done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claim(Arc<AtomicU8>);

impl Claim {
    /// The drive begins; false if the robot has given up.
    pub(crate) fn take(&self) -> bool {
        self.settle(TAKEN)
    }

    /// The robot gives up; false if the drive has begun.
    pub(crate) fn cancel(&self) -> bool {
        self.settle(CANCELLED)
    }

    fn settle(&self, to: u8) -> bool {
        self.0.compare_exchange(WAITING, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}
