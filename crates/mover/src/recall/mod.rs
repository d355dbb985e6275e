//! Bringing back what was evicted, for a drive that waits in a read.
//!
//! A recalled segment is a [`capstan_disk::File`] whose reads fetch frames by ranged reads: the footer of the object
//! first, then a frame for a read somewhere, and ever longer runs ahead of reads that follow each other. The frames that
//! come are also written to a file of the cache, which becomes the segment once all of them are there.

mod fetch;
mod file;
mod frames;
mod keep;

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use capstan_disk::File;
use capstan_media::Barcode;
use capstan_store::{Evicted, Recall, Store, WeakStore};
use capstan_tier::names::{Names, SegmentName, TapeName};
use capstan_tier::{CartridgeKey, SegmentId};
use tokio::runtime::Handle;

use crate::MoverError;
use crate::keys::Keys;
use crate::link::Link;
use crate::notice::{Listener, NoticeKind};
use crate::room::Room;
use fetch::Fetcher;
use file::Recalled;
use keep::Keeping;

/// Segments that are prepared and that nobody has opened yet.
const EXPECTED: usize = 20;

/// Who brings back what was evicted.
#[derive(Clone)]
pub(crate) struct Recaller(Arc<Shared>);

struct Shared {
    store: WeakStore,
    link: Arc<Link>,
    names: Names,
    keys: Arc<Keys>,
    room: Room,
    runtime: Handle,
    listener: Listener,
    expected: Mutex<VecDeque<(Evicted, Fetcher)>>,
}

impl std::fmt::Debug for Recaller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recaller")
    }
}

impl Recaller {
    pub(crate) fn new(
        store: &Store,
        link: Arc<Link>,
        names: Names,
        keys: Arc<Keys>,
        room: Room,
        runtime: Handle,
        listener: Listener,
    ) -> Self {
        let store = store.downgrade();
        Self(Arc::new(Shared { store, link, names, keys, room, runtime, listener, expected: Mutex::default() }))
    }

    /// What is needed to fetch a segment. Blocks on the disk.
    fn source(&self, wanted: &Evicted) -> Result<Source, MoverError> {
        let shared = &self.0;
        let directory = shared.store.upgrade()?.look_at(wanted.cartridge)?;
        let corrupt = |what: String| MoverError::Cartridge { id: wanted.cartridge, what };
        let meta = capstan_format::Meta::decode(&directory.read_meta()?).map_err(|error| corrupt(error.to_string()))?;
        let key = if wanted.encrypted { shared.keys.of(&directory)? } else { None };
        let &Evicted { sequence, epoch, random, .. } = wanted;
        // What a clone shares lies under the name of its origin.
        let (owner, barcode) = meta.owner(sequence);
        let tape = TapeName { barcode: barcode.clone(), cartridge: owner };
        let name = shared.names.segment(&tape, SegmentName { sequence, epoch, random });
        let id = SegmentId { cartridge: owner, sequence, epoch };
        let (length, object_length) = (wanted.length, wanted.object_length);
        Ok(Source { link: Arc::clone(&shared.link), name, id, key, length, object_length, barcode: meta.barcode })
    }

    /// Fetches all of a segment into the cache. Blocks; not for a thread of the runtime.
    pub(crate) fn fetch_whole(&self, wanted: &Evicted) -> Result<u64, MoverError> {
        let file = self.open_file(wanted)?;
        file.fetch_all().map_err(|error| MoverError::Cartridge { id: wanted.cartridge, what: error.to_string() })
    }

    fn open_file(&self, wanted: &Evicted) -> Result<Recalled, MoverError> {
        let shared = &self.0;
        let expected = {
            let mut expected = self.expected();
            let at = expected.iter().position(|(other, _)| other == wanted);
            at.and_then(|at| expected.remove(at)).map(|(_, fetcher)| fetcher)
        };
        let fetcher = match expected {
            Some(fetcher) => fetcher,
            None => Fetcher::begin(self.source(wanted)?, &shared.runtime, false),
        };
        let directory = shared.store.upgrade()?.look_at(wanted.cartridge)?;
        let arrival = match shared.room.make(wanted.length) {
            true => directory.begin_recalled(wanted.sequence).unwrap_or_else(|error| {
                tracing::warn!(%error, "what is recalled is not kept");
                None
            }),
            false => None,
        };
        let keeping = arrival.map(|arrival| Keeping::begin(arrival, fetcher.frames()));
        Ok(Recalled::new(fetcher, wanted.length, keeping, shared.listener.clone()))
    }

    fn expected(&self) -> MutexGuard<'_, VecDeque<(Evicted, Fetcher)>> {
        self.0.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recall for Recaller {
    fn open(&self, wanted: &Evicted) -> io::Result<Box<dyn File>> {
        match self.open_file(wanted) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => {
                self.0.listener.tell(NoticeKind::RecallFailed, None, error.to_string());
                Err(io::Error::other(error.to_string()))
            }
        }
    }

    fn expect(&self, wanted: &Evicted) {
        if self.expected().iter().any(|(other, _)| other == wanted) {
            return;
        }
        let source = match self.source(wanted) {
            Ok(source) => source,
            Err(error) => return tracing::debug!(%error, "a segment is not fetched before it is read"),
        };
        let fetcher = Fetcher::begin(source, &self.0.runtime, true);
        let mut expected = self.expected();
        if expected.len() >= EXPECTED {
            expected.pop_front();
        }
        expected.push_back((*wanted, fetcher));
    }
}

/// What is needed to fetch a segment.
#[derive(Clone)]
pub(crate) struct Source {
    link: Arc<Link>,
    name: String,
    id: SegmentId,
    key: Option<CartridgeKey>,
    length: u64,
    object_length: u64,
    barcode: Barcode,
}
