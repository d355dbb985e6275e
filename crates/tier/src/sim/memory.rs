//! Objects in memory, and faults by the number of the request.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::ops::{Bound, Range};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use capstan_format::wide;

use crate::{Body, Created, Listed, Listing, ObjectInfo, PAGE, Pending, Tier, TierError, TierErrorKind};

/// What is asked of a tier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Verb {
    /// [`Tier::create`].
    Create,
    /// [`Tier::read`].
    Read,
    /// [`Tier::head`].
    Head,
    /// [`Tier::list`].
    List,
    /// [`Tier::delete`].
    Delete,
}

impl Verb {
    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Head => "head",
            Self::List => "list",
            Self::Delete => "delete",
        }
    }
}

/// What goes wrong with a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It fails before anything was done.
    Before(TierErrorKind),
    /// It is done, and then fails: a connection that is lost before the answer.
    After(TierErrorKind),
    /// It is never answered and not done.
    Stalled,
    /// It is done and never answered.
    StalledAfter,
    /// A create is done, and the answer is that the key was taken: somebody between repeated it.
    DoneButExists,
    /// Of a create only so many bytes are stored, and nobody notices; a read says that its body is short.
    Truncated(u64),
    /// This bit (modulo the length) of what is stored, or of what is read, is another one, and nobody notices.
    Flipped(u64),
}

/// A request as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// What was asked.
    pub verb: Verb,
    /// On which object; of a list the prefix.
    pub key: String,
    /// Bytes of the body, or of the range.
    pub length: u64,
}

/// A tier in memory. Clones are the same one.
#[derive(Clone, Debug)]
pub struct MemoryTier {
    name: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default, Debug)]
struct State {
    objects: BTreeMap<String, Bytes>,
    requests: Vec<Request>,
    faults: BTreeMap<u64, Fault>,
    denied: BTreeSet<Verb>,
    /// The one key under which nothing is created.
    denied_key: Option<String>,
    room: Option<u64>,
    away: Option<TierErrorKind>,
}

impl MemoryTier {
    /// An empty one.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), state: Arc::default() }
    }

    /// Lets request number `index`, from 0, go wrong.
    pub fn fault(&self, index: u64, fault: Fault) {
        self.state().faults.insert(index, fault);
    }

    /// Lets the next request go wrong.
    pub fn fault_next(&self, fault: Fault) {
        let mut state = self.state();
        let next = wide(state.requests.len());
        state.faults.insert(next, fault);
    }

    /// Refuses a kind of request from now on, or no longer.
    pub fn deny(&self, verb: Verb, denied: bool) {
        let mut state = self.state();
        if denied {
            state.denied.insert(verb)
        } else {
            state.denied.remove(&verb)
        };
    }

    /// Refuses to create anything under a key from now on, or under none any more.
    pub fn deny_key(&self, key: Option<&str>) {
        self.state().denied_key = key.map(str::to_owned);
    }

    /// Fails every request from now on, or none any more.
    pub fn away(&self, kind: Option<TierErrorKind>) {
        self.state().away = kind;
    }

    /// Bytes that all objects may have together; `None`: any number.
    pub fn room(&self, bytes: Option<u64>) {
        self.state().room = bytes;
    }

    /// All requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    /// What is stored, whatever faults are to come.
    #[must_use]
    pub fn objects(&self) -> BTreeMap<String, Bytes> {
        self.state().objects.clone()
    }

    /// Puts, replaces or (with `None`) removes an object, past all rules: damage, or another gateway's doing.
    pub fn put(&self, key: &str, bytes: Option<Bytes>) {
        let mut state = self.state();
        match bytes {
            Some(bytes) => state.objects.insert(key.to_owned(), bytes),
            None => state.objects.remove(key),
        };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request, does it unless a fault says otherwise, and answers.
    fn perform<T: Send + 'static>(
        &self,
        verb: Verb,
        key: &str,
        length: u64,
        work: impl FnOnce(&mut State, Option<Fault>) -> Result<T, TierError>,
    ) -> Pending<'static, T> {
        let mut state = self.state();
        let index = wide(state.requests.len());
        state.requests.push(Request { verb, key: key.to_owned(), length });
        let fault = state.faults.remove(&index);
        let failure = |kind, message: &str| Err(TierError::new(kind, verb.name(), key, message));
        let answer = match fault {
            _ if state.denied.contains(&verb) => failure(TierErrorKind::Denied, "this kind of request is denied"),
            _ if verb == Verb::Create && state.denied_key.as_deref() == Some(key) => {
                failure(TierErrorKind::Denied, "this key is denied")
            }
            _ if let Some(kind) = state.away => failure(kind, "the tier is away"),
            Some(Fault::Before(kind)) => failure(kind, "failed before anything was done"),
            Some(Fault::Stalled) => return Box::pin(pending()),
            Some(Fault::After(kind)) => {
                // The answer is lost, also that of a request that was refused.
                let _ = work(&mut state, None);
                failure(kind, "failed after it was done")
            }
            Some(Fault::StalledAfter) => {
                let _ = work(&mut state, None);
                return Box::pin(pending());
            }
            fault => work(&mut state, fault),
        };
        Box::pin(std::future::ready(answer))
    }
}

impl State {
    fn create(&mut self, key: &str, body: &Body, fault: Option<Fault>) -> Result<Created, TierError> {
        if self.objects.contains_key(key) {
            return Ok(Created::Exists);
        }
        let used = self.objects.values().map(|bytes| wide(bytes.len())).fold(0, u64::saturating_add);
        if self.room.is_some_and(|room| used.saturating_add(body.length()) > room) {
            return Err(TierError::new(TierErrorKind::NoSpace, "create", key, "the tier is full"));
        }
        let stored = match fault {
            Some(Fault::Truncated(length)) => {
                let bytes = body.to_bytes();
                bytes.slice(..usize::try_from(length).unwrap_or(usize::MAX).min(bytes.len()))
            }
            Some(Fault::Flipped(bit)) => flipped(&body.to_bytes(), bit),
            _ => body.to_bytes(),
        };
        self.objects.insert(key.to_owned(), stored);
        Ok(if fault == Some(Fault::DoneButExists) { Created::Exists } else { Created::New })
    }

    fn object(&self, operation: &'static str, key: &str) -> Result<&Bytes, TierError> {
        let missing = || TierError::new(TierErrorKind::NotFound, operation, key, "there is no such object");
        self.objects.get(key).ok_or_else(missing)
    }

    fn read(&self, key: &str, range: &Range<u64>, fault: Option<Fault>) -> Result<Bytes, TierError> {
        let object = self.object("read", key)?;
        let corrupt = |message: String| TierError::new(TierErrorKind::Corrupt, "read", key, message);
        let (Ok(start), Ok(end)) = (usize::try_from(range.start), usize::try_from(range.end)) else {
            return Err(corrupt("the range is longer than memory".to_owned()));
        };
        if end > object.len() {
            return Err(corrupt(format!("{} bytes are there, {start} to {end} were asked for", object.len())));
        }
        match fault {
            Some(Fault::Truncated(length)) => Err(corrupt(format!("{length} of {} bytes came", end - start))),
            Some(Fault::Flipped(bit)) => Ok(flipped(&object.slice(start..end), bit)),
            _ => Ok(object.slice(start..end)),
        }
    }

    fn list(&self, prefix: &str, after: Option<&str>) -> Listing {
        let begin = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let found = self.objects.range::<str, _>((begin, Bound::Unbounded));
        let mut found = found.take_while(|(key, _)| key.starts_with(prefix));
        let listed = |(key, bytes): (&String, &Bytes)| Listed { key: key.clone(), length: wide(bytes.len()) };
        let objects: Vec<Listed> = found.by_ref().take(PAGE).map(listed).collect();
        let next = found.next().and_then(|_| objects.last().map(|last| last.key.clone()));
        Listing { objects, next }
    }
}

fn flipped(bytes: &Bytes, bit: u64) -> Bytes {
    let mut bytes = bytes.to_vec();
    let bits = wide(bytes.len()).saturating_mul(8).max(1);
    let at = usize::try_from(bit % bits / 8).unwrap_or(usize::MAX);
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << (bit % 8);
    }
    bytes.into()
}

impl Tier for MemoryTier {
    fn name(&self) -> &str {
        &self.name
    }

    fn create<'a>(&'a self, key: &'a str, body: Body) -> Pending<'a, Created> {
        self.perform(Verb::Create, key, body.length(), |state, fault| state.create(key, &body, fault))
    }

    fn read<'a>(&'a self, key: &'a str, range: Range<u64>) -> Pending<'a, Bytes> {
        if range.is_empty() {
            return Box::pin(std::future::ready(Ok(Bytes::new())));
        }
        let length = range.end - range.start;
        self.perform(Verb::Read, key, length, |state, fault| state.read(key, &range, fault))
    }

    fn head<'a>(&'a self, key: &'a str) -> Pending<'a, ObjectInfo> {
        self.perform(Verb::Head, key, 0, |state, _| {
            let length = wide(state.object("head", key)?.len());
            Ok(ObjectInfo { length, etag: None, class: None, last_modified: None })
        })
    }

    fn list<'a>(&'a self, prefix: &'a str, after: Option<&'a str>) -> Pending<'a, Listing> {
        self.perform(Verb::List, prefix, 0, |state, _| Ok(state.list(prefix, after)))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Pending<'a, ()> {
        self.perform(Verb::Delete, key, 0, |state, _| {
            state.objects.remove(key);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use TierErrorKind::{Conflict, Corrupt, Denied, NoSpace, Unavailable};

    fn body() -> Body {
        Body::from(Bytes::from_static(b"0123456789"))
    }

    fn kind<T>(result: Result<T, TierError>) -> Option<TierErrorKind> {
        result.err().map(|error| error.kind)
    }

    #[tokio::test]
    async fn keeps_the_contract() {
        super::super::contract(&MemoryTier::new("memory"), "x/").await;
    }

    #[tokio::test]
    async fn a_create_that_fails_is_done_or_not_as_its_fault_says() {
        let tier = MemoryTier::new("memory");
        tier.fault(0, Fault::Before(Conflict));
        tier.fault(1, Fault::After(Unavailable));
        tier.fault(3, Fault::DoneButExists);
        assert_eq!(kind(tier.create("a", body()).await), Some(Conflict));
        assert!(tier.objects().is_empty());
        assert_eq!(kind(tier.create("a", body()).await), Some(Unavailable));
        assert_eq!(tier.objects().len(), 1);
        assert_eq!(tier.create("a", body()).await, Ok(Created::Exists));
        assert_eq!(tier.create("b", body()).await, Ok(Created::Exists));
        assert_eq!(tier.objects()["b"], body().to_bytes());
        assert_eq!(tier.requests()[3], Request { verb: Verb::Create, key: "b".to_owned(), length: 10 });
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_are_cut_changed_and_stalled() {
        let tier = MemoryTier::new("memory");
        for (index, fault) in (0..).zip([
            Fault::Truncated(4),
            Fault::Flipped(9),
            Fault::Truncated(3),
            Fault::Flipped(8),
            Fault::Stalled,
            Fault::StalledAfter,
        ]) {
            tier.fault(index, fault);
        }
        assert_eq!(tier.create("cut", body()).await, Ok(Created::New));
        assert_eq!(tier.create("changed", body()).await, Ok(Created::New));
        assert_eq!(tier.objects()["cut"], "0123");
        assert_eq!(tier.objects()["changed"], "0323456789");
        assert_eq!(kind(tier.read("changed", 0..10).await), Some(Corrupt));
        assert_eq!(tier.read("changed", 1..3).await.unwrap(), "33");
        for key in ["never", "done"] {
            let waited = tokio::time::timeout(Duration::from_secs(900), tier.create(key, body())).await;
            assert!(waited.is_err(), "{key}");
        }
        assert_eq!(tier.objects().keys().collect::<Vec<_>>(), ["changed", "cut", "done"]);
    }

    #[tokio::test]
    async fn verbs_are_denied_and_room_ends() {
        let tier = MemoryTier::new("memory");
        tier.room(Some(15));
        assert_eq!(tier.create("a", body()).await, Ok(Created::New));
        assert_eq!(kind(tier.create("b", body()).await), Some(NoSpace));
        tier.deny(Verb::Read, true);
        assert_eq!(kind(tier.read("a", 0..1).await), Some(Denied));
        assert_eq!(tier.head("a").await.unwrap().length, 10);
        tier.deny(Verb::Read, false);
        assert_eq!(tier.read("a", 0..1).await.unwrap(), "0");
        tier.away(Some(Unavailable));
        assert_eq!(kind(tier.delete("a").await), Some(Unavailable));
        tier.away(None);
        assert_eq!(tier.delete("a").await, Ok(()));
        assert_eq!(tier.create("b", body()).await, Ok(Created::New));
    }
}
