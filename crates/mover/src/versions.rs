//! Older versions of tapes are forgotten: when they are old, and when what of them is not in the tier takes too much room.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use capstan_media::{Barcode, CartridgeId};

use crate::MoverError;
use crate::notice::NoticeKind;
use crate::ship::Dock;

/// How long older versions of tapes are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VersionRules {
    /// Since they ceased to be the tape.
    pub keep: Duration,
    /// Bytes of them that are not in the tier, of all cartridges together. Beyond that the oldest are forgotten.
    pub only_here: u64,
    /// Bytes in the upload buffer from which on those that are not in the tier make room, the oldest first.
    pub pressed: u64,
    /// Between two looks; whether room is needed is looked at as often as cartridges are.
    pub every: Duration,
}

impl VersionRules {
    /// For an upload buffer of that size: a tenth of it for versions, and none once it is nearly full.
    #[must_use]
    pub fn of_buffer(size: u64) -> Self {
        Self { only_here: size / 10, pressed: size / 100 * 85, ..Self::default() }
    }
}

impl Default for VersionRules {
    fn default() -> Self {
        let keep = Duration::from_secs(14 * 24 * 3600);
        Self { keep, only_here: u64::MAX, pressed: u64::MAX, every: Duration::from_secs(60) }
    }
}

/// A version that takes room here.
struct Waiting {
    until: u64,
    cartridge: CartridgeId,
    number: u32,
    bytes: u64,
}

impl Dock {
    /// Forgets what is to be forgotten, for ever.
    pub(crate) async fn forget_in_time(self: Arc<Self>) {
        let mut looked = Instant::now();
        loop {
            tokio::time::sleep(self.rules.look_every.min(self.rules.versions.every)).await;
            let is_pressed = self.store.used() > self.rules.versions.pressed;
            if !is_pressed && looked.elapsed() < self.rules.versions.every {
                continue;
            }
            looked = Instant::now();
            if let Err(error) = self.forget_old().await {
                tracing::warn!(%error, "older versions of tapes stay for now");
            }
        }
    }

    /// Bytes of versions that may stay though they are not in the tier.
    fn allowance(&self, only_here: u64) -> u64 {
        let VersionRules { only_here: most, pressed, .. } = self.rules.versions;
        most.min(only_here.saturating_sub(self.store.used().saturating_sub(pressed)))
    }

    async fn forget_old(&self) -> Result<(), MoverError> {
        let (store, keep) = (self.store.clone(), self.rules.versions.keep);
        // Of what is all in the tier no version takes room here.
        let unshipped: HashSet<CartridgeId> = {
            let board = self.board();
            board.iter().filter(|(_, posted)| posted.shipping.unshipped_bytes > 0).map(|(id, _)| *id).collect()
        };
        let (mut expired, mut waiting) = tokio::task::spawn_blocking(move || {
            let (mut expired, mut waiting) = (Vec::new(), Vec::new());
            for id in store.list()? {
                // What cannot be read is told by others.
                let Ok((count, old)) = capstan_cartridge::expired_versions(&store, id, keep) else { continue };
                if !old.is_empty() {
                    expired.push(id);
                }
                if count == 0 || !unshipped.contains(&id) {
                    continue;
                }
                let Ok((_, versions)) = capstan_cartridge::versions(&store, id) else { continue };
                let only_here = versions.into_iter().filter(|it| it.unshipped_bytes > 0 && !it.version.held);
                waiting.extend(only_here.map(|it| Waiting {
                    until: it.version.until,
                    cartridge: id,
                    number: it.version.number,
                    bytes: it.unshipped_bytes,
                }));
            }
            Ok::<_, MoverError>((expired, waiting))
        })
        .await??;
        // Those of a cartridge that another gateway goes on with stay with it.
        let fenced = self.fenced().clone();
        expired.retain(|id| !fenced.contains(id));
        waiting.retain(|it| !fenced.contains(&it.cartridge));
        for id in expired {
            self.try_to_forget(id, None, "it is older than versions are kept").await;
        }
        let mut only_here = waiting.iter().map(|it| it.bytes).fold(0, u64::saturating_add);
        let allowance = self.allowance(only_here);
        waiting.sort_unstable_by_key(|it| it.until);
        for Waiting { cartridge, number, bytes, .. } in waiting {
            if only_here <= allowance {
                break;
            }
            self.try_to_forget(cartridge, Some(number), "versions that are not in the tier take too much room").await;
            only_here = only_here.saturating_sub(bytes);
        }
        Ok(())
    }

    /// One that cannot be opened keeps the others from nothing.
    async fn try_to_forget(&self, id: CartridgeId, number: Option<u32>, why: &str) {
        if let Err(error) = self.forget(id, number, why).await {
            tracing::warn!(%error, "an older version stays for now");
        }
    }

    /// Forgets one version, or those that are old.
    async fn forget(&self, id: CartridgeId, number: Option<u32>, why: &str) -> Result<(), MoverError> {
        let keep = self.rules.versions.keep;
        let forgotten = self.borrow(id, move |cartridge| {
            let there = |number: &u32| cartridge.older().iter().any(|it| it.number == *number && !it.held);
            let barcode: Barcode = cartridge.facts().barcode;
            let numbers = match number.filter(there) {
                Some(number) => cartridge.forget_versions(&[number]).map(|()| vec![number]),
                None if number.is_some() => Ok(Vec::new()),
                None => cartridge.forget_versions_older_than(keep),
            };
            numbers.map(|numbers| (barcode, numbers)).map_err(|error| error.to_string())
        });
        let Some(forgotten) = forgotten.await? else { return Ok(()) };
        let (barcode, numbers) = forgotten.value.map_err(|what| MoverError::Cartridge { id, what })?;
        if !numbers.is_empty() {
            self.store.touch(id);
        }
        for number in numbers {
            let text = format!("version {number}: {why}");
            self.listener.tell(NoticeKind::VersionForgotten, Some(&barcode), text);
        }
        Ok(())
    }
}
