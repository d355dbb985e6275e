//! The probe of the start: what a server leaves out is found with objects that do not matter.
//!
//! Many servers take headers that they do not know and answer 200, so nothing but trying tells whether a condition or
//! a checksum means anything. Everything happens below `<prefix>v1/probe/<random>/` and is deleted at the end. An error of the
//! network ends the probe: half of an answer would be a wrong one.

mod checks;
mod judged;
mod races;

pub use judged::S3Probe;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;

use crate::capabilities::{Capabilities, Check, ClockSkew, Setting};
use crate::checksum::Kind;
use crate::failure::{Failure, http_date};
use crate::tier::S3Tier;
use capstan_tier::names::Names;
use capstan_tier::{Body, Created, Tier as _, TierError, TierErrorKind};

/// Servers refuse requests whose time is 15 minutes off; this much is worth a word.
const WORTH_A_NOTE: Duration = Duration::from_secs(60);
/// The length of the object that is read in parts.
const SAMPLE: u16 = 4096;
/// Keys in the order of their bytes, which is not that of directories.
const LISTED: [&str; 5] = ["list/a$", "list/a-1/x", "list/a/x", "list/a/y", "list/b"];

/// A run of the probe: its keys and what it has found.
struct Probe<'t> {
    tier: &'t S3Tier,
    root: String,
    notes: Vec<String>,
}

impl S3Tier {
    /// Finds out what the server does, and uses what it does from now on. An error means that the tier cannot be used
    /// as it is configured, or (the transient kinds) not at this moment.
    ///
    /// `names` says where its objects are; nothing else of the bucket is touched.
    pub async fn probe(&self, names: &Names) -> Result<Capabilities, TierError> {
        let random = getrandom::u64().map_err(|error| {
            let message = format!("no random numbers: {error}");
            TierError::new(TierErrorKind::Unavailable, "probe", names.prefix(), message)
        })?;
        let root = format!("{}/", names.probe(random));
        let mut probe = Probe { tier: self, root, notes: Vec::new() };
        let found = probe.run().await;
        let left = probe.clean_up().await;
        let mut found = found?;
        found.notes.append(&mut probe.notes);
        match left {
            Ok(()) => {}
            Err(error) => {
                found.deletes = false;
                found.notes.push(format!("The probe could not delete its objects below {}: {error}.", probe.root));
            }
        }
        Ok(found)
    }
}

impl Probe<'_> {
    async fn run(&mut self) -> Result<Capabilities, TierError> {
        let clock = self.clock().await?;
        let (checks, kind) = self.checks().await?;
        self.tier.adopt(kind, true);
        let (refuses_taken_keys, atomic_create) = self.creates().await?;
        self.tier.adopt(kind, refuses_taken_keys);
        let ranges = self.ranges().await?;
        let (lists_after_write, lists_by_bytes) = self.listing().await?;
        let deletes = self.deletes().await?;
        let (multipart, multipart_refuses_taken_keys) = self.multipart().await?;
        let lists_unfinished_uploads = multipart && self.unfinished().await?;
        let (versioning, object_lock) = self.settings().await;
        let in_use = match kind {
            Kind::Crc32c => Check::Crc32c,
            Kind::Md5 => Check::Md5,
        };
        let verifies_checksums = checks.contains(&in_use) || checks.contains(&Check::Sha256);
        if !verifies_checksums {
            self.note("The server takes content that does not fit its checksums: every object is read back before it counts as stored.");
        }
        if !atomic_create {
            self.note("Of several creates of one key more than one succeeds: only one gateway may use this bucket and prefix (single_gateway).");
        }
        Ok(Capabilities {
            atomic_create,
            refuses_taken_keys,
            verifies_checksums,
            checks,
            ranges,
            lists_after_write,
            lists_by_bytes,
            deletes,
            multipart,
            multipart_refuses_taken_keys,
            lists_unfinished_uploads,
            clock,
            versioning,
            object_lock,
            notes: Vec::new(),
        })
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.root)
    }

    fn note(&mut self, sentence: impl Into<String>) {
        self.notes.push(sentence.into());
    }

    fn error(&self, failure: Failure, what: &str) -> TierError {
        self.tier.error(failure, "probe", &self.key(what))
    }

    /// The server's clock, from a request that also says whether the bucket is there and the keys are right.
    async fn clock(&mut self) -> Result<ClockSkew, TierError> {
        let seen = ServerClock::default();
        let before = SystemTime::now();
        let request = self
            .tier
            .client()
            .list_objects_v2()
            .bucket(self.tier.bucket())
            .prefix(&self.root)
            .max_keys(1)
            .customize()
            .interceptor(seen.clone())
            .send();
        self.tier.limits().answered(request).await.map_err(|failure| self.error(failure, ""))?;
        let skew = seen.against(before, SystemTime::now());
        match skew {
            ClockSkew::Unknown => self.note("The server does not say what time it is."),
            _ if skew.magnitude() > WORTH_A_NOTE => {
                self.note(format!(
                    "The server's clock is {skew} of this machine's; beyond 15 minutes it refuses every request."
                ));
            }
            _ => {}
        }
        Ok(skew)
    }

    /// Parts of an object whose every two bytes differ from all others.
    async fn ranges(&mut self) -> Result<bool, TierError> {
        let key = self.key("ranges");
        let content: Bytes = (0..SAMPLE / 2).flat_map(u16::to_be_bytes).collect::<Vec<u8>>().into();
        self.tier.create(&key, Body::new(vec![content.clone()])).await?;
        let whole = u64::from(SAMPLE);
        for range in [0..whole, 0..1, 1..3, 1000..3000, whole - 1..whole] {
            let (from, to) = (usize::try_from(range.start).unwrap_or(0), usize::try_from(range.end).unwrap_or(0));
            match self.tier.read(&key, range.clone()).await {
                Ok(got) if got == content.slice(from..to) => {}
                Ok(_) => {
                    self.note(format!("Asked for bytes {range:?} of an object, the server answers with others."));
                    return Ok(false);
                }
                Err(error) if error.kind == TierErrorKind::Corrupt => {
                    self.note(format!("Reading a part of an object fails: {error}."));
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Whether what was just created is listed and a listing begins where it is told to; and whether that needs no
    /// detour by directories.
    async fn listing(&mut self) -> Result<(bool, bool), TierError> {
        let names = LISTED.map(|name| self.key(name));
        for key in &names {
            self.tier.create(key, Body::new(vec![Bytes::from_static(b"1")])).await?;
        }
        self.tier.adopt_order(false);
        let Some(problem) = self.listed(&names).await? else { return Ok((true, true)) };
        self.tier.adopt_order(true);
        if self.listed(&names).await?.is_none() {
            self.note("The server lists by directories: listings of many tapes take more requests.");
            return Ok((true, false));
        }
        self.tier.adopt_order(false);
        self.note(problem);
        Ok((false, false))
    }

    /// What is wrong with listings of these.
    async fn listed(&self, names: &[String]) -> Result<Option<String>, TierError> {
        let prefix = self.key("list/");
        for skipped in 0..=names.len() {
            let after = skipped.checked_sub(1).and_then(|last| names.get(last)).map(String::as_str);
            let expected = names.get(skipped..).unwrap_or_default();
            match self.tier.list(&prefix, after).await {
                Ok(listing) if listing.objects.iter().map(|object| &object.key).eq(expected) => {}
                Ok(listing) => {
                    let (got, wanted) = (listing.objects.len(), expected.len());
                    return Ok(Some(format!("A listing that should have {wanted} objects, just created, has {got}.")));
                }
                Err(error) if error.kind == TierErrorKind::Corrupt => {
                    return Ok(Some(format!("Listings cannot be used: {error}.")));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    async fn deletes(&mut self) -> Result<bool, TierError> {
        let key = self.key("list/b");
        match self.tier.delete(&key).await {
            Ok(()) => {}
            Err(error) if error.kind == TierErrorKind::Denied => {
                self.note(format!("Nothing can be deleted: {error}. Released objects stay and cost money."));
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
        match self.tier.head(&key).await {
            Err(error) if error.kind == TierErrorKind::NotFound => Ok(true),
            Ok(_) => {
                self.note("An object is still there after its deletion.");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// An upload in parts, and another on the same key.
    async fn multipart(&mut self) -> Result<(bool, bool), TierError> {
        let key = self.key("multipart");
        let content = [Bytes::from_static(b"one part")];
        match self.tier.put_in_parts_of(&key, &content, 5 << 20).await {
            Ok(_) => {}
            Err(error) if error.kind.is_transient() => return Err(error),
            Err(error) => {
                self.note(format!("Objects cannot be sent in parts: {error}."));
                return Ok((false, false));
            }
        }
        let again = self.tier.put_in_parts_of(&key, &content, 5 << 20).await;
        let refused = match again {
            Ok(created) => created == Created::Exists,
            Err(error) if error.kind.is_transient() => return Err(error),
            Err(_) => false,
        };
        if !refused {
            self.note("An upload in parts replaces an object that is there: large objects are only protected by a look before.");
        }
        Ok((true, refused))
    }

    async fn unfinished(&mut self) -> Result<bool, TierError> {
        match self.tier.unfinished_uploads(&self.root).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind.is_transient() => Err(error),
            Err(error) => {
                self.note(format!("Parts of uploads that were not ended cannot be found: {error}."));
                Ok(false)
            }
        }
    }

    /// Versions and locks, as far as the server answers.
    async fn settings(&mut self) -> (Setting, Setting) {
        let (client, bucket) = (self.tier.client(), self.tier.bucket());
        let limits = self.tier.limits();
        let versioning = match limits.answered(client.get_bucket_versioning().bucket(bucket).send()).await {
            Ok(answer) => on_if(answer.status().is_some_and(|status| status.as_str() == "Enabled")),
            Err(_) => Setting::Unknown,
        };
        let lock = match limits.answered(client.get_object_lock_configuration().bucket(bucket).send()).await {
            Ok(answer) => on_if(answer.object_lock_configuration().is_some()),
            Err(failure) if failure.code == "ObjectLockConfigurationNotFoundError" => Setting::Off,
            Err(_) => Setting::Unknown,
        };
        if versioning == Setting::On {
            self.note("The bucket keeps old versions: deleted objects take room until a lifecycle rule removes them.");
        }
        (versioning, lock)
    }

    /// Deletes whatever is below the probe's prefix.
    async fn clean_up(&self) -> Result<(), TierError> {
        let mut after: Option<String> = None;
        loop {
            let listing = self.tier.list(&self.root, after.as_deref()).await?;
            for object in &listing.objects {
                self.tier.delete(&object.key).await?;
            }
            after = listing.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

fn on_if(on: bool) -> Setting {
    if on { Setting::On } else { Setting::Off }
}

/// Takes the date from an answer.
#[derive(Clone, Debug, Default)]
struct ServerClock(Arc<Mutex<Option<SystemTime>>>);

impl ServerClock {
    /// Against the middle of the request, which is the best guess of when the answer was made.
    fn against(&self, before: SystemTime, after: SystemTime) -> ClockSkew {
        let Some(theirs) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) else {
            return ClockSkew::Unknown;
        };
        let ours = before + after.duration_since(before).unwrap_or_default() / 2;
        match theirs.duration_since(ours) {
            Ok(ahead) => ClockSkew::Ahead(ahead),
            Err(behind) => ClockSkew::Behind(behind.duration()),
        }
    }
}

impl Intercept for ServerClock {
    fn name(&self) -> &'static str {
        "ServerClock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date").and_then(http_date);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}
