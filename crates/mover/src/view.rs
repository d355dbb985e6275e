//! What operators see of the mover.

use std::time::{Duration, SystemTime};

use capstan_cartridge::Facts;
use capstan_media::{Barcode, CartridgeId, GatewayId};

/// How a tier is doing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TierState {
    /// Nothing was heard of it yet.
    Connecting,
    /// The last call to it succeeded.
    Ready,
    /// Calls to it fail, and are repeated.
    Unavailable,
    /// An operator has paused it: nothing is shipped. What is there is read all the same.
    Paused,
    /// It is not what it was: nothing is written to it until an operator has looked at it.
    Refused,
}

impl TierState {
    /// Its name for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Ready => "ready",
            Self::Unavailable => "unavailable",
            Self::Paused => "paused",
            Self::Refused => "refused",
        }
    }
}

/// A tier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TierInfo {
    /// Its name in the configuration.
    pub name: String,
    /// What it is: `dir`, `s3`.
    pub kind: String,
    /// Where it is, for a person: a directory, or endpoint and bucket.
    pub place: String,
    /// How it is doing.
    pub state: TierState,
    /// Why it is not ready.
    pub problem: Option<String>,
    /// What the start found that an operator should know.
    pub notes: Vec<String>,
    /// How what is stored is proved: `checked` or `read back`.
    pub proof: String,
    /// Objects are encrypted with this key.
    pub encryption: Option<String>,
    /// Objects on their way.
    pub uploads: u64,
    /// How many can be on their way at the same time now.
    pub parallel: u64,
    /// Bytes sent since the daemon started.
    pub uploaded_bytes: u64,
    /// Bytes fetched since the daemon started.
    pub downloaded_bytes: u64,
    /// Bytes a second that were sent in the last ten seconds.
    pub upload_rate: u64,
    /// Bytes a second that were fetched in the last ten seconds.
    pub download_rate: u64,
    /// Bytes a second that may be sent now; no limit if `None`.
    pub upload_limit: Option<u64>,
    /// Bytes a second that may be fetched now.
    pub download_limit: Option<u64>,
    /// Calls that were repeated since the daemon started.
    pub retries: u64,
    /// The last error, and when it was.
    pub last_error: Option<(SystemTime, String)>,
}

/// What is not in a tier yet, and how full the areas are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ShippingInfo {
    /// The upload buffer.
    pub buffer: AreaInfo,
    /// The cache.
    pub cache: AreaInfo,
    /// Bytes that are only here.
    pub unshipped_bytes: u64,
    /// How long the oldest of them has been waiting.
    pub oldest_unshipped: Option<Duration>,
}

/// An area of the disk.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AreaInfo {
    /// Where it is.
    pub path: std::path::PathBuf,
    /// Bytes in it.
    pub used: u64,
    /// Bytes that it may have.
    pub size: u64,
    /// Bytes that are free on its file system, as far as that is known.
    pub free: Option<u64>,
    /// What is wrong with it: I/O errors, a degraded array.
    pub problems: Vec<String>,
}

/// What of a cartridge is where.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TapeShipping {
    /// Objects before this one are in the tier.
    pub tier_to: u64,
    /// Bytes of its segments that are only here.
    pub unshipped_bytes: u64,
    /// Bytes of its segments that are here, in the tier or not.
    pub local_bytes: u64,
    /// It is never evicted.
    pub pinned: bool,
    /// Another gateway goes on with it, or it was given to one: nothing more of it is shipped from here.
    pub fenced: bool,
}

/// A cartridge of another gateway.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ForeignTape {
    /// Its label.
    pub barcode: Barcode,
    /// Which of all that ever had the label.
    pub id: CartridgeId,
    /// Who has it: whoever wrote last.
    pub owner: GatewayId,
    /// His name, if it is known.
    pub owner_name: Option<String>,
    /// Host bytes that fit on it.
    pub size: u64,
    /// Host bytes on it.
    pub used: u64,
    /// When its last delta was written: milliseconds since 1970 UTC.
    pub written: u64,
    /// It is given away: to whom, if to somebody in particular.
    pub handed_over: Option<Option<GatewayId>>,
    /// Why it cannot be read to its end.
    pub problem: Option<String>,
}

/// A cartridge that was taken over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Adopted {
    /// The cartridge.
    pub facts: Facts,
    /// Who had it.
    pub owner: GatewayId,
}

/// What a test of a tier came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TierTest {
    /// The tier.
    pub name: String,
    /// Each step: what was tried, how long it took, and what went wrong.
    pub steps: Vec<TestStep>,
}

impl TierTest {
    /// All steps went well.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.steps.iter().all(|step| step.problem.is_none())
    }
}

/// A step of a test.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TestStep {
    /// What was tried.
    pub what: String,
    /// How long it took.
    pub took: Duration,
    /// What went wrong.
    pub problem: Option<String>,
}

/// How far a staging is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StageProgress {
    /// Bytes that are here.
    pub done: u64,
    /// Bytes of the tape.
    pub total: u64,
}
