//! Objects that are on their way, or whose delta is: no scrub takes them for nobody's.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The keys of objects that are under way. Clones are the same.
#[derive(Clone, Default, Debug)]
pub(crate) struct UnderWay(Arc<Mutex<HashSet<String>>>);

/// One of them, for as long as it lives.
#[derive(Debug)]
pub(crate) struct OnItsWay {
    key: String,
    all: UnderWay,
}

impl UnderWay {
    pub(crate) fn enter(&self, key: String) -> OnItsWay {
        self.keys().insert(key.clone());
        OnItsWay { key, all: self.clone() }
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.keys().contains(key)
    }

    pub(crate) fn count(&self) -> usize {
        self.keys().len()
    }

    fn keys(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OnItsWay {
    pub(crate) fn key(&self) -> &str {
        &self.key
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.all.keys().remove(&self.key);
    }
}
