//! Why the mover did not do what was asked.

use capstan_media::{Barcode, CartridgeId};

/// The mover did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum MoverError {
    /// There is no such tier.
    #[error("there is no tier {0:?}")]
    UnknownTier(String),
    /// The cartridge cannot be read.
    #[error("cartridge {id}: {what}")]
    Cartridge {
        /// Which.
        id: CartridgeId,
        /// Why.
        what: String,
    },
    /// What is only here cannot be shared.
    #[error("{0}")]
    NotShipped(String),
    /// The cache has no room for it.
    #[error("the cache has no room: {needed} bytes are needed and {free} are free; make [cache] size larger")]
    NoRoom {
        /// Bytes needed.
        needed: u64,
        /// Bytes that could be freed.
        free: u64,
    },
    /// The tier failed.
    #[error(transparent)]
    Tier(#[from] capstan_tier::TierError),
    /// An object in the tier is damaged.
    #[error(transparent)]
    Object(#[from] capstan_tier::ObjectError),
    /// It was cancelled.
    #[error("it was cancelled")]
    Cancelled,
    /// The mover has stopped.
    #[error("the daemon is stopping")]
    Stopped,
    /// A task of the mover has failed, which is a fault of the program: it is done again.
    #[error("a task of the mover has failed: {0}")]
    Task(tokio::task::JoinError),
    /// The disk failed.
    #[error(transparent)]
    Store(#[from] capstan_store::StoreError),
    /// There is no such cartridge in the tier.
    #[error("nothing in the tier says that there is a cartridge {0}")]
    NotInTier(Barcode),
    /// It may not be done as things stand.
    #[error("{what}")]
    NotGiven {
        /// Why.
        what: String,
        /// What can be done.
        next: String,
    },
    /// A wrapping key cannot be used for what was asked.
    #[error("{0}")]
    Key(String),
    /// The start failed.
    #[error("{0}")]
    Start(String),
}

impl From<tokio::task::JoinError> for MoverError {
    /// Tasks are cancelled by the stop, and by nothing else that waits for them.
    fn from(error: tokio::task::JoinError) -> Self {
        if error.is_cancelled() { Self::Stopped } else { Self::Task(error) }
    }
}
