//! What is left of a gateway in a tier, for who has lost everything else.
//!
//! Reading changes nothing. A tape is brought back as a whole cartridge without segments, and then taken over: the next
//! delta of its manifest is a checkpoint of ours, so that a gateway which goes on with it elsewhere learns at once that it
//! is fenced. Which of two recoveries goes on is decided by the library state that each creates first.

mod chain;
mod claims;
mod rehearsal;
mod states;
mod takeover;
mod tape;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use capstan_tier::names::Names;
use capstan_tier::{Tier, TierErrorKind, WrappingKey};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::MoverError;
use crate::link::{Link, Patience};
use crate::notice::Listener;
pub use chain::{Broken, Chain};
pub use claims::{ClaimedTape, GatewayFound};
pub use rehearsal::{Rehearsal, Sample};
pub use takeover::{Successor, TakenOver};
pub use tape::{KeyFound, TapeFound};

/// Tapes that are looked at at the same time.
const AT_ONCE: usize = 16;

/// Who is told how many of how many are done.
pub type Told<'a> = &'a mut dyn FnMut(u64, u64);

/// What is left of gateways in a tier. Its calls block: not for an async thread.
pub struct Remains {
    runtime: Runtime,
    pub(crate) look: Arc<Look>,
}

/// What all calls share.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) link: Arc<Link>,
    pub(crate) names: Names,
    pub(crate) wrapping: Option<WrappingKey>,
    /// What the tier takes is read: it checks no checksums.
    pub(crate) read_back: bool,
}

impl fmt::Debug for Remains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remains").field("look", &self.look).finish_non_exhaustive()
    }
}

impl Remains {
    /// Opens what a tier has. `read_back`: it takes objects without checking them.
    ///
    /// # Errors
    /// There are no threads to be had.
    pub fn new(
        tier: Arc<dyn Tier>,
        names: Names,
        wrapping: Option<WrappingKey>,
        read_back: bool,
        patience: Patience,
    ) -> Result<Self, MoverError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("recover")
            .enable_all()
            .build()
            .map_err(|error| MoverError::Start(format!("no threads: {error}")))?;
        let link = Arc::new(Link::new(tier, patience, Listener::new(|_| {}), false));
        Ok(Self { runtime, look: Arc::new(Look { link, names, wrapping, read_back }) })
    }

    /// Does something for each, some at the same time; the answers are in the order of what was given.
    fn each<A, T, F>(&self, all: Vec<A>, told: Told<'_>, work: impl Fn(Arc<Look>, A) -> F) -> Result<Vec<T>, MoverError>
    where
        A: Send + 'static,
        T: Send + 'static,
        F: Future<Output = Result<T, MoverError>> + Send + 'static,
    {
        let count = u64::try_from(all.len()).unwrap_or(u64::MAX);
        self.runtime.block_on(async {
            let (doors, mut tasks) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
            for (index, one) in all.into_iter().enumerate() {
                let (doors, answer) = (Arc::clone(&doors), work(Arc::clone(&self.look), one));
                tasks.spawn(async move {
                    let _door = doors.acquire_owned().await.map_err(|_| MoverError::Stopped)?;
                    answer.await.map(|answer| (index, answer))
                });
            }
            let mut done = Vec::new();
            told(0, count);
            while let Some(ended) = tasks.join_next().await {
                done.push(ended??);
                told(u64::try_from(done.len()).unwrap_or(u64::MAX), count);
            }
            done.sort_by_key(|(index, _)| *index);
            Ok(done.into_iter().map(|(_, answer)| answer).collect())
        })
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T, MoverError>>) -> Result<T, MoverError> {
        self.runtime.block_on(work)
    }
}

impl Look {
    /// All keys that begin like this, and the lengths of their objects.
    pub(crate) async fn all(&self, prefix: &str) -> Result<Vec<capstan_tier::Listed>, MoverError> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.link.list(prefix, after.as_deref()).await?;
            found.extend(page.objects);
            after = page.next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    /// The length of an object; `None` if there is none.
    async fn length(&self, key: &str) -> Result<Option<u64>, MoverError> {
        match self.link.head(key).await {
            Ok(info) => Ok(Some(info.length)),
            Err(error) if error.kind == TierErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
