//! One segment on its way.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use capstan_format::Point;
use capstan_format::manifest::Row;
use capstan_tier::names::{SegmentName, TapeName};
use capstan_tier::{Created, TierErrorKind, is_stored, read_back};

use super::Dock;
use crate::MoverError;
use crate::seal::{Parcel, pack};

/// Objects that are created for one segment before it is given up for now.
const ATTEMPTS: u32 = 4;

impl Dock {
    /// Ships a segment: its object is there, and proved, when this succeeds. What it is called is among those that are
    /// under way until its delta is written.
    pub(super) async fn ship(self: Arc<Self>, tape: TapeName, sequence: u64, end: Point) -> Result<Row, MoverError> {
        self.link.unpaused().await;
        let permit = Arc::clone(&self.uploads).acquire_owned().await.map_err(|_| MoverError::Stopped)?;
        let parcel = self.pack(&tape, sequence, end).await?;
        let Parcel { sealed, mut row } = parcel;
        let mut problem = None;
        for _ in 0..ATTEMPTS {
            let random = getrandom::u64().map_err(|error| MoverError::Start(format!("no random numbers: {error}")))?;
            row.random = random;
            let key = self.names.segment(&tape, SegmentName { sequence, epoch: row.epoch, random });
            self.under_way().insert(key.clone());
            let created = self.link.create(&key, sealed.body.clone()).await;
            let created = created.inspect_err(|_| self.forget(&key))?;
            // An attempt whose answer was lost may have been ours.
            let tier = self.link.tier.as_ref();
            let proof = async || -> Result<bool, capstan_tier::TierError> {
                if created == Created::Exists && !is_stored(tier, &key, &sealed).await? {
                    return Ok(false);
                }
                if self.read_back.load(Ordering::Relaxed) {
                    read_back(tier, &key, &sealed).await?;
                }
                Ok(true)
            };
            match self.link.repeat(capstan_tier::RetryPolicy { attempts: u32::MAX, ..Default::default() }, proof).await
            {
                Ok(true) => {
                    drop(permit);
                    return Ok(row);
                }
                Ok(false) => problem = Some(format!("{key} is taken by something else")),
                Err(error) if matches!(error.kind, TierErrorKind::Corrupt | TierErrorKind::NotFound) => {
                    tracing::error!(%error, "what was stored is not what was sent; it is sent again");
                    problem = Some(error.to_string());
                }
                Err(error) => {
                    self.forget(&key);
                    return Err(error.into());
                }
            }
            self.forget(&key);
        }
        let what = format!("segment {sequence} is not stored as it was sent: {}", problem.unwrap_or_default());
        Err(MoverError::Cartridge { id: tape.cartridge, what })
    }

    /// An object that was given up: what there is of it is an orphan.
    fn forget(&self, key: &str) {
        self.under_way().remove(key);
    }

    async fn pack(&self, tape: &TapeName, sequence: u64, end: Point) -> Result<Parcel, MoverError> {
        let (store, keys, id, zstd) = (self.store.clone(), Arc::clone(&self.keys), tape.cartridge, self.rules.zstd);
        let packed = tokio::task::spawn_blocking(move || {
            let key = keys.of(&store.look_at(id)?)?;
            pack(&store, id, (sequence, end), zstd, key.as_ref())
        });
        packed.await.map_err(|_| MoverError::Stopped)?
    }
}
