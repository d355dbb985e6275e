//! The keys of cartridges: made once, wrapped by the user's key, kept beside the segments and in the tier.
//!
//! While the user's key is changed, cartridges have their key wrapped with both: whichever key file the next start is
//! given, it opens what the other one opens.

mod bundle;
mod rotate;
mod verify;
mod view;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use capstan_format::Meta;
use capstan_format::object::WrappedKey;
use capstan_media::{Barcode, CartridgeId};
use capstan_store::{CartridgeDirectory, Store};
use capstan_tier::{CartridgeKey, WrappingKey};
use tokio::sync::RwLock;

use crate::MoverError;
use bundle::{Bundle, unusable};
pub use view::{KeyCount, KeyProblem, KeyReport, KeysInfo};

/// The keys of cartridges.
#[derive(Debug)]
pub(crate) struct Keys {
    wrapping: Option<WrappingKey>,
    /// The file that it is in.
    file: Option<PathBuf>,
    /// The one that follows it.
    next: Mutex<Option<WrappingKey>>,
    known: Mutex<HashMap<CartridgeId, CartridgeKey>>,
    /// Held by whoever changes what lies beside the segments.
    changing: Mutex<()>,
    /// Held for writing by whoever deletes wrapped keys from the tier: what a cartridge has is sent there by others, who
    /// may have read it before.
    pub(crate) sending: RwLock<()>,
    /// The wrapping key of which somebody has another copy.
    confirmed: Mutex<Option<String>>,
    /// Cartridges that the start could not open.
    closed: Mutex<Vec<Barcode>>,
}

impl Keys {
    pub(crate) fn new(wrapping: Option<WrappingKey>, file: Option<PathBuf>, confirmed: Option<String>) -> Self {
        Self {
            wrapping,
            file,
            next: Mutex::default(),
            known: Mutex::default(),
            changing: Mutex::default(),
            sending: RwLock::default(),
            confirmed: Mutex::new(confirmed),
            closed: Mutex::default(),
        }
    }

    /// Which key wraps them, if there is one.
    pub(crate) fn wrapping(&self) -> Option<&WrappingKey> {
        self.wrapping.as_ref()
    }

    /// The wrapping keys at hand, the configured one first.
    fn ring(&self) -> Vec<WrappingKey> {
        self.wrapping.iter().cloned().chain(lock(&self.next).clone()).collect()
    }

    /// The key of a cartridge that has one. Blocks.
    pub(crate) fn of(&self, directory: &CartridgeDirectory) -> Result<Option<CartridgeKey>, MoverError> {
        let id = directory.id();
        if let Some(key) = lock(&self.known).get(&id) {
            return Ok(Some(key.clone()));
        }
        let bundle = Bundle::read(directory)?;
        if bundle.keys.is_empty() {
            return Ok(None);
        }
        let key = bundle.open(&self.ring())?;
        lock(&self.known).insert(id, key.clone());
        Ok(Some(key))
    }

    /// The wrapped keys of a cartridge that can be opened, made if there are none; without a wrapping key none are. Blocks.
    pub(crate) fn wrapped(&self, directory: &CartridgeDirectory) -> Result<Vec<WrappedKey>, MoverError> {
        let _alone = lock(&self.changing);
        let mut bundle = Bundle::read(directory)?;
        if bundle.keys.is_empty() {
            let ring = self.ring();
            if ring.is_empty() {
                return Ok(Vec::new());
            }
            let mut key = [0; 32];
            getrandom::fill(&mut key).map_err(|error| unusable(directory.id(), &error.to_string()))?;
            let key = CartridgeKey::new(key);
            for wrapping in &ring {
                bundle.add(wrapping, &key)?;
            }
            bundle.write(directory)?;
        }
        self.of(directory)?;
        Ok(bundle.keys)
    }

    /// The key of a cartridge, wrapped for a clone of it, as it is to lie beside the clone; nothing if it has none. Blocks.
    pub(crate) fn for_clone(
        &self,
        source: &CartridgeDirectory,
        clone: CartridgeId,
    ) -> Result<Option<Vec<u8>>, MoverError> {
        let Some(key) = self.of(source)? else { return Ok(None) };
        let mut bundle = Bundle::new(clone, Vec::new());
        for wrapping in self.ring() {
            bundle.add(&wrapping, &key)?;
        }
        Ok(Some(bundle.encode()))
    }

    /// What an operator should know.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(wrapping) = &self.wrapping
            && !self.is_confirmed()
        {
            notes.push(format!(
                "nobody has said that there is another copy of key {}: without one, what is in the tier is lost with \
                 this machine; `capstan key verify --confirm-backup COPY` compares it",
                wrapping.id()
            ));
        }
        if let Some(next) = lock(&self.next).as_ref() {
            notes.push(format!(
                "keys of cartridges are wrapped with key {} as well: put its file into encrypt_key_file and start again",
                next.id()
            ));
        }
        if let Some(closed) = self.what_is_closed() {
            notes.push(closed);
        }
        notes
    }

    fn is_confirmed(&self) -> bool {
        let wrapping = self.wrapping.as_ref().map(|key| key.id().to_string());
        wrapping.is_some() && *lock(&self.confirmed) == wrapping
    }

    /// Looks for cartridges that cannot be opened; says which. Blocks.
    pub(crate) fn try_all(&self, store: &Store) -> Option<String> {
        let barcode = |directory: &CartridgeDirectory| Some(Meta::decode(&directory.read_meta().ok()?).ok()?.barcode);
        let all = store.list().unwrap_or_default().into_iter().filter_map(|id| store.look_at(id).ok());
        let closed = all.filter(|directory| self.of(directory).is_err());
        let mut closed: Vec<Barcode> = closed.filter_map(|directory| barcode(&directory)).collect();
        closed.sort_unstable();
        *lock(&self.closed) = closed;
        self.what_is_closed()
    }

    fn what_is_closed(&self) -> Option<String> {
        let closed = lock(&self.closed);
        let there = match &self.wrapping {
            Some(wrapping) => format!("with key {} of the configured file", wrapping.id()),
            None => "without a key file".to_owned(),
        };
        let names: Vec<String> = closed.iter().map(ToString::to_string).collect();
        (!names.is_empty()).then(|| {
            format!(
                "encrypted cartridges that cannot be opened {there}, so that nothing of them is shipped or recalled: {}",
                names.join(", ")
            )
        })
    }
}

/// The key of a cartridge, opened with whichever of these opens one; `None` if it has none.
pub(crate) fn open_bundle(
    cartridge: CartridgeId,
    keys: &[WrappedKey],
    ring: &[WrappingKey],
) -> Result<Option<CartridgeKey>, MoverError> {
    if keys.is_empty() {
        return Ok(None);
    }
    Bundle::new(cartridge, keys.to_vec()).open(ring).map(Some)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
