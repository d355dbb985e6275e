//! The newest state of the library, for whoever ships it.

use capstan_catalog::{Catalog, State};
use capstan_mover::{LibraryImage, LibraryImages};
use tokio::sync::watch;

/// One place for the newest state. Putting one there waits for nobody.
#[derive(Debug)]
pub(crate) struct Images(watch::Sender<Option<LibraryImage>>);

impl Images {
    /// The state that a start found.
    pub(crate) fn new(catalog: &Catalog, state: &State) -> Self {
        let images = Self(watch::Sender::new(None));
        images.put(catalog, state);
        images
    }

    /// The state that was recorded just now.
    pub(crate) fn put(&self, catalog: &Catalog, state: &State) {
        let change = catalog.revision();
        let bytes = state.encode(change, [0; 8]).into();
        self.0.send_replace(Some(LibraryImage { change, bytes }));
    }

    pub(crate) fn subscribe(&self) -> LibraryImages {
        self.0.subscribe()
    }
}
