//! What operators ask of the mover, done.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use capstan_cartridge::evicted;
use capstan_media::{Barcode, CartridgeId};
use capstan_store::Evicted;
use capstan_tier::{Body, Created, TierError};

use crate::MoverError;
use crate::area::Watch;
use crate::clone::Clone as CloneTape;
use crate::keys::{KeyReport, KeysInfo};
use crate::ledger::Ledger;
use crate::operations::{Answer, LimitChange, Operations};
use crate::recall::Recaller;
use crate::scrub::Scrubbed;
use crate::ship::Dock;
use crate::view::{
    Adopted, AreaInfo, ForeignTape, ShippingInfo, StageProgress, TapeShipping, TestStep, TierInfo, TierTest,
};

/// Bytes of the object that a test creates.
const SAMPLE: usize = 1 << 20;

/// How long each step of a test may take.
const STEP: Duration = Duration::from_secs(30);

/// The operators' side of the mover.
#[derive(Debug)]
pub struct Control {
    dock: Arc<Dock>,
    recaller: Recaller,
    kind: String,
    place: String,
    buffer_size: u64,
    watch: Watch,
}

impl Control {
    pub(crate) fn new(
        dock: Arc<Dock>,
        recaller: Recaller,
        (kind, place): (String, String),
        buffer_size: u64,
        watch: Watch,
    ) -> Self {
        Self { dock, recaller, kind, place, buffer_size, watch }
    }

    /// Deletes what is nobody's in the tier and has not changed for `age`.
    ///
    /// # Errors
    /// The tier failed.
    pub async fn scrub(&self, age: Duration) -> Result<Scrubbed, MoverError> {
        self.dock.scrub(age).await
    }

    fn check(&self, tier: &str) -> Result<(), MoverError> {
        if tier == self.dock.link.tier.name() { Ok(()) } else { Err(MoverError::UnknownTier(tier.to_owned())) }
    }

    fn info(&self) -> TierInfo {
        let link = &self.dock.link;
        let (state, problem) = link.state();
        let rules = &self.dock.rules;
        let free = self.dock.uploads.available_permits();
        let read_back = self.dock.reads_back();
        TierInfo {
            name: link.tier.name().to_owned(),
            kind: self.kind.clone(),
            place: self.place.clone(),
            state,
            problem,
            notes: self.notes(),
            proof: if read_back { "read back" } else { "checked" }.to_owned(),
            encryption: self.dock.keys.wrapping().map(|key| key.id().to_string()),
            uploads: u64::try_from(self.dock.under_way.count()).unwrap_or(u64::MAX),
            parallel: u64::try_from(rules.parallel.max(free)).unwrap_or(u64::MAX),
            uploaded_bytes: link.sent.total(),
            downloaded_bytes: link.fetched.total(),
            upload_rate: link.sent.rate(),
            download_rate: link.fetched.rate(),
            upload_limit: link.upload.rate(),
            download_limit: link.download.rate(),
            retries: link.retries(),
            last_error: link.last_error(),
        }
    }

    fn notes(&self) -> Vec<String> {
        let found = self.dock.notes().clone();
        found.into_iter().chain(self.dock.keys.notes()).collect()
    }

    fn set_paused(&self, tier: &str, paused: bool) -> Result<TierInfo, MoverError> {
        self.check(tier)?;
        self.dock.claimant.remember_paused(tier, paused)?;
        self.dock.link.paused.send_replace(paused);
        Ok(self.info())
    }

    async fn run_test(&self, tier: &str) -> Result<TierTest, MoverError> {
        self.check(tier)?;
        let object = &self.dock.link.tier;
        let random = getrandom::u64().map_err(|error| MoverError::Start(error.to_string()))?;
        let key = self.dock.names.probe(random);
        let bytes: Vec<u8> = random.to_le_bytes().into_iter().cycle().take(SAMPLE).collect();
        let length = capstan_format::wide(SAMPLE);
        let mut steps = Vec::new();
        let body = Body::from(bytes.clone());
        steps.push(
            step("create an object of 1 MiB", object.create(&key, body.clone()), |created| {
                (created != Created::New).then(|| "the tier says that it was there already".to_owned())
            })
            .await,
        );
        steps.push(
            step("create it again, which has to fail", object.create(&key, body), |created| {
                (created != Created::Exists)
                    .then(|| "it was replaced: two gateways would overwrite each other".to_owned())
            })
            .await,
        );
        steps.push(
            step("ask for its length", object.head(&key), |info| {
                (info.length != length).then(|| format!("{} bytes, not {length}", info.length))
            })
            .await,
        );
        steps.push(
            step("read it", object.read(&key, 0..length), |read| {
                (read != bytes).then(|| "other bytes came back".to_owned())
            })
            .await,
        );
        steps.push(
            step("read its last 16 bytes", object.read(&key, length.saturating_sub(16)..length), |read| {
                (bytes.last_chunk::<16>().map(<[u8; 16]>::as_slice) != Some(&read[..]))
                    .then(|| "other bytes came back".to_owned())
            })
            .await,
        );
        steps.push(
            step("find it in a listing", object.list(&key, None), |page| {
                let is_there = page.objects.iter().any(|object| object.key == key);
                (!is_there).then(|| "it is not listed".to_owned())
            })
            .await,
        );
        steps.push(step("delete it", object.delete(&key), |()| None).await);
        Ok(TierTest { name: tier.to_owned(), steps })
    }

    /// The segments of a cartridge that are not here, and bytes of all of them.
    fn absent(&self, id: CartridgeId) -> Result<(Vec<Evicted>, u64), MoverError> {
        let directory = self.dock.store.look_at(id)?;
        let ledger = Ledger::read(&directory)?;
        let on_tape = capstan_cartridge::tape_segments(&self.dock.store, id);
        let on_tape = on_tape.map_err(|error| MoverError::Cartridge { id, what: error.to_string() })?;
        let mut rows = ledger.manifest.map(|manifest| manifest.rows).unwrap_or_default();
        // Older versions are fetched when they are the tape again.
        rows.retain(|sequence, _| on_tape.contains(sequence));
        let total = rows.values().map(|row| row.segment_length).fold(0, u64::saturating_add);
        let absent = rows.values().filter(|row| directory.open_segment(row.sequence).is_err());
        Ok((absent.map(|row| evicted(id, row)).collect(), total))
    }
}

impl Operations for Control {
    fn tiers(&self) -> Vec<TierInfo> {
        vec![self.info()]
    }

    fn shipping(&self) -> ShippingInfo {
        let store = &self.dock.store;
        let (unshipped_bytes, oldest) = self.dock.unshipped();
        let path = |path: &std::path::Path| path.to_owned();
        let (buffer, cache) = (self.watch.buffer(), self.watch.cache());
        ShippingInfo {
            buffer: AreaInfo {
                path: path(store.root()),
                used: store.used(),
                size: self.buffer_size,
                free: buffer.1,
                problems: buffer.0,
            },
            cache: AreaInfo {
                path: store.cache_root().map(path).unwrap_or_default(),
                used: store.cached(),
                size: self.dock.room.limits().size,
                free: cache.1,
                problems: cache.0,
            },
            unshipped_bytes,
            oldest_unshipped: oldest.map(|oldest| oldest.elapsed()),
        }
    }

    fn tape(&self, cartridge: CartridgeId) -> Option<TapeShipping> {
        let posted = self.dock.board().get(&cartridge).copied()?;
        let directory = self.dock.store.look_at(cartridge).ok()?;
        let cached = directory.cached_segments().iter().map(|(_, length)| *length).fold(0, u64::saturating_add);
        let buffered = directory.segments().unwrap_or_default();
        let buffered = buffered.iter().filter_map(|sequence| directory.segment_length(*sequence).ok().flatten());
        let local_bytes = buffered.fold(cached, u64::saturating_add);
        Some(TapeShipping { local_bytes, pinned: directory.is_pinned().unwrap_or(false), ..posted.shipping })
    }

    fn clone_tape(&self, clone: CloneTape) -> Answer<'_, ()> {
        Box::pin(self.dock.clone_tape(clone))
    }

    fn test<'a>(&'a self, tier: &'a str) -> Answer<'a, TierTest> {
        Box::pin(self.run_test(tier))
    }

    fn pause(&self, tier: &str) -> Result<TierInfo, MoverError> {
        self.set_paused(tier, true)
    }

    fn resume(&self, tier: &str) -> Result<TierInfo, MoverError> {
        self.set_paused(tier, false)
    }

    fn limit(&self, tier: &str, change: LimitChange) -> Result<TierInfo, MoverError> {
        self.check(tier)?;
        if let Some(rate) = change.upload {
            self.dock.link.upload.set(rate);
        }
        if let Some(rate) = change.download {
            self.dock.link.download.set(rate);
        }
        Ok(self.info())
    }

    fn scrub_tier<'a>(&'a self, tier: &'a str, age: Duration) -> Answer<'a, Scrubbed> {
        Box::pin(async move {
            self.check(tier)?;
            self.dock.scrub(age).await
        })
    }

    fn keys(&self) -> Result<KeysInfo, MoverError> {
        self.dock.keys_info()
    }

    fn confirm_key_backup(&self, wrapping_key: &str) -> Result<KeysInfo, MoverError> {
        self.dock.keys.confirm(wrapping_key)?;
        self.dock.claimant.remember_confirmed(self.dock.link.tier.name(), wrapping_key)?;
        self.dock.keys_info()
    }

    fn verify_keys(&self, key_file: Option<PathBuf>) -> Answer<'_, KeyReport> {
        Box::pin(self.dock.verify_keys(key_file))
    }

    fn rotate_keys(&self, new_key_file: PathBuf) -> Answer<'_, KeyReport> {
        Box::pin(self.dock.rotate_keys(new_key_file))
    }

    fn remove_old_keys(&self) -> Answer<'_, KeyReport> {
        Box::pin(self.dock.remove_old_keys())
    }

    fn stage(
        &self,
        cartridge: CartridgeId,
        watch: &mut dyn FnMut(StageProgress) -> ControlFlow<()>,
    ) -> Result<StageProgress, MoverError> {
        let (absent, total) = self.absent(cartridge)?;
        let missing = absent.iter().map(|segment| segment.length).fold(0, u64::saturating_add);
        let mut progress = StageProgress { done: total.saturating_sub(missing), total };
        if watch(progress).is_break() {
            return Err(MoverError::Cancelled);
        }
        // Else its end would drive out its beginning.
        let free = self.dock.room.of(cartridge);
        if missing > 0 && total > free {
            return Err(MoverError::NoRoom { needed: total, free });
        }
        for segment in absent {
            if !self.dock.room.make(segment.length) {
                let limits = self.dock.room.limits();
                let free = limits.size.saturating_sub(self.dock.store.cached());
                return Err(MoverError::NoRoom { needed: segment.length, free });
            }
            let fetched = self.recaller.fetch_whole(&segment)?;
            progress.done = progress.done.saturating_add(fetched);
            if watch(progress).is_break() {
                return Err(MoverError::Cancelled);
            }
        }
        Ok(progress)
    }

    fn foreign(&self) -> Answer<'_, Vec<ForeignTape>> {
        Box::pin(self.dock.foreign())
    }

    fn hand_over<'a>(&'a self, cartridge: CartridgeId, to: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(self.dock.hand_over(cartridge, to))
    }

    fn adopt<'a>(&'a self, barcode: &'a Barcode, force: bool) -> Answer<'a, Adopted> {
        Box::pin(self.dock.adopt(barcode, force))
    }

    fn pin(&self, cartridge: CartridgeId, pinned: bool) -> Result<(), MoverError> {
        Ok(self.dock.store.look_at(cartridge)?.set_pinned(pinned)?)
    }
}

/// Tries something, and says how it went. `wrong` says what is wrong with an answer.
async fn step<T>(
    what: &str,
    call: impl Future<Output = Result<T, TierError>>,
    wrong: impl FnOnce(T) -> Option<String>,
) -> TestStep {
    let began = Instant::now();
    let problem = match tokio::time::timeout(STEP, call).await {
        Ok(Ok(answer)) => wrong(answer),
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(format!("no answer within {} s", STEP.as_secs())),
    };
    TestStep { what: what.to_owned(), took: began.elapsed(), problem }
}
