//! One segment on its way.

use std::sync::Arc;

use capstan_format::Point;
use capstan_format::manifest::Row;
use capstan_tier::names::{SegmentName, TapeName};
use capstan_tier::{Created, Sealed, TierError, TierErrorKind, is_stored, read_back};

use super::Dock;
use super::under_way::OnItsWay;
use crate::MoverError;
use crate::seal::{Parcel, pack};

/// Objects that are created for one segment before it is given up for now.
const ATTEMPTS: u32 = 4;

/// A segment whose object is there and proved, and that no delta names yet.
#[derive(Debug)]
pub(crate) struct Landed {
    pub(super) row: Row,
    _under_way: OnItsWay,
}

impl Dock {
    /// Ships a segment: its object is there, and proved, when this succeeds.
    pub(super) async fn ship(self: Arc<Self>, tape: TapeName, sequence: u64, end: Point) -> Result<Landed, MoverError> {
        let _permit = Arc::clone(&self.uploads).acquire_owned().await.map_err(|_| MoverError::Stopped)?;
        self.link.unpaused().await;
        let Parcel { sealed, mut row } = self.pack(&tape, sequence, end).await?;
        let mut problem = None;
        for _ in 0..ATTEMPTS {
            let random = getrandom::u64().map_err(|error| MoverError::Start(format!("no random numbers: {error}")))?;
            row.random = random;
            let key = self.names.segment(&tape, SegmentName { sequence, epoch: row.epoch, random });
            // One that is given up is an orphan from then on.
            let under_way = self.under_way.enter(key);
            let key = under_way.key();
            let created = self.link.create(key, sealed.body.clone()).await?;
            match self.link.insist("read", || self.prove(key, created, &sealed)).await {
                Ok(true) => return Ok(Landed { row, _under_way: under_way }),
                Ok(false) => problem = Some(format!("{key} is taken by something else")),
                Err(error) if matches!(error.kind, TierErrorKind::Corrupt | TierErrorKind::NotFound) => {
                    tracing::error!(%error, "what was stored is not what was sent; it is sent again");
                    problem = Some(error.to_string());
                }
                Err(error) => return Err(error.into()),
            }
        }
        let what = format!("segment {sequence} is not stored as it was sent: {}", problem.unwrap_or_default());
        Err(MoverError::Cartridge { id: tape.cartridge, what })
    }

    /// Whether an object is the one that was sent. An attempt whose answer was lost may have made it.
    async fn prove(&self, key: &str, created: Created, sealed: &Sealed) -> Result<bool, TierError> {
        let tier = self.link.timed();
        if created == Created::Exists && !is_stored(&tier, key, sealed).await? {
            return Ok(false);
        }
        if self.reads_back() {
            read_back(&tier, key, sealed).await?;
        }
        Ok(true)
    }

    async fn pack(&self, tape: &TapeName, sequence: u64, end: Point) -> Result<Parcel, MoverError> {
        let (store, keys, id, zstd) = (self.store.clone(), Arc::clone(&self.keys), tape.cartridge, self.rules.zstd);
        let packed = move |directory: &_| {
            let key = keys.of(directory)?;
            pack(&store, id, (sequence, end), zstd, key.as_ref())
        };
        self.on_disk(id, packed).await
    }
}
