//! What operators ask of the mover.

use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use capstan_media::{Barcode, CartridgeId};

use crate::{
    Adopted, CloneTape, ForeignTape, KeyReport, KeysInfo, MoverError, Scrubbed, ShippingInfo, StageProgress,
    TapeShipping, TierInfo, TierTest,
};

/// An answer that takes its time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, MoverError>> + Send + 'a>>;

/// Changes of the limits of a tier, in bytes a second: `None` leaves one as it is, `Some(None)` lifts it, until the
/// daemon starts again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LimitChange {
    /// Of what is sent.
    pub upload: Option<Option<u64>>,
    /// Of what is fetched.
    pub download: Option<Option<u64>>,
}

/// What operators ask of the mover.
pub trait Operations: Send + Sync + fmt::Debug {
    /// All tiers, in the order of the configuration.
    fn tiers(&self) -> Vec<TierInfo>;

    /// What is not in a tier yet, and how full the areas are.
    fn shipping(&self) -> ShippingInfo;

    /// What of a cartridge is where; `None` if nothing is known of it yet.
    fn tape(&self, cartridge: CartridgeId) -> Option<TapeShipping>;

    /// Tries a tier: creates, finds, reads and deletes an object.
    fn test<'a>(&'a self, tier: &'a str) -> Answer<'a, TierTest>;

    /// Ships nothing more to a tier until it is resumed; what is on its way is finished. Remembered over a restart.
    ///
    /// # Errors
    /// There is no such tier, or it cannot be recorded.
    fn pause(&self, tier: &str) -> Result<TierInfo, MoverError>;

    /// Ships again.
    ///
    /// # Errors
    /// There is no such tier, or it cannot be recorded.
    fn resume(&self, tier: &str) -> Result<TierInfo, MoverError>;

    /// Changes the limits of a tier until the daemon starts again.
    ///
    /// # Errors
    /// There is no such tier.
    fn limit(&self, tier: &str, change: LimitChange) -> Result<TierInfo, MoverError>;

    /// Deletes what is nobody's in a tier and has not changed for `age`.
    fn scrub_tier<'a>(&'a self, tier: &'a str, age: Duration) -> Answer<'a, Scrubbed>;

    /// The keys of all cartridges. Blocks on the disk.
    ///
    /// # Errors
    /// The disk failed.
    fn keys(&self) -> Result<KeysInfo, MoverError>;

    /// Somebody has another copy of the wrapping key with this identifier. Remembered over a restart.
    ///
    /// # Errors
    /// It is not the one in use, or it cannot be recorded.
    fn confirm_key_backup(&self, wrapping_key: &str) -> Result<KeysInfo, MoverError>;

    /// Opens the wrapped key of every cartridge, here and in the tier, with the key in a file, or the configured one.
    fn verify_keys(&self, key_file: Option<PathBuf>) -> Answer<'_, KeyReport>;

    /// Wraps the key of every cartridge with the key in a file as well, here and in the tier. Asked again it goes on.
    fn rotate_keys(&self, new_key_file: PathBuf) -> Answer<'_, KeyReport>;

    /// Removes what is wrapped with older keys than the configured one, once that opens everything.
    fn remove_old_keys(&self) -> Answer<'_, KeyReport>;

    /// Makes a cartridge in the store that begins with objects of another one.
    fn clone_tape(&self, clone: CloneTape) -> Answer<'_, ()>;

    /// Brings all of a cartridge into the cache, and keeps it there if it is pinned. Blocks until it is done or `watch`
    /// ends it; what is there by then stays.
    ///
    /// # Errors
    /// It was cancelled, the tier failed for good, or there is no room.
    fn stage(
        &self,
        cartridge: CartridgeId,
        watch: &mut dyn FnMut(StageProgress) -> ControlFlow<()>,
    ) -> Result<StageProgress, MoverError>;

    /// The cartridges of other gateways in the tier.
    fn foreign(&self) -> Answer<'_, Vec<ForeignTape>>;

    /// Gives a cartridge that is in no drive to another gateway, or to whoever wants it: ships all of it, and a last delta
    /// that says so. Nothing is written to it any more then. Takes as long as the tier does; given up, it stays here unless
    /// that delta was written.
    fn hand_over<'a>(&'a self, cartridge: CartridgeId, to: Option<&'a str>) -> Answer<'a, ()>;

    /// Takes over a cartridge of another gateway, without fetching data: one that was given away, or with `force` any.
    fn adopt<'a>(&'a self, barcode: &'a Barcode, force: bool) -> Answer<'a, Adopted>;

    /// Keeps a cartridge in the cache, or lets it be evicted again. Remembered over a restart.
    ///
    /// # Errors
    /// There is no such cartridge, or it cannot be recorded.
    fn pin(&self, cartridge: CartridgeId, pinned: bool) -> Result<(), MoverError>;
}
