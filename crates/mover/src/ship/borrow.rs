//! Getting at a cartridge: through the drive that has it, or by opening it for a moment.

use std::time::Duration;

use capstan_cartridge::{Cartridge, CartridgeError};
use capstan_media::CartridgeId;
use capstan_store::StoreError;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::Dock;
use crate::MoverError;
use crate::notice::NoticeKind;

/// How long to wait for a cartridge that is between two places, at most.
const PAUSE: Duration = Duration::from_millis(100);

/// A cartridge was worked on.
pub(crate) struct Borrowed<T> {
    pub(crate) value: T,
    /// It is in a drive.
    pub(crate) loaded: bool,
}

impl Dock {
    /// Does something with a cartridge, wherever it is; `None` if it is no more.
    pub(crate) async fn borrow<T, F>(&self, id: CartridgeId, work: F) -> Result<Option<Borrowed<T>>, MoverError>
    where
        T: Send + 'static,
        F: Fn(&mut Cartridge) -> T + Clone + Send + 'static,
    {
        loop {
            let (sender, answer) = oneshot::channel();
            let lent = work.clone();
            let errand = Box::new(move |cartridge: &mut Cartridge| {
                // Whoever asked may have been cancelled.
                let _ = sender.send(lent(cartridge));
            });
            match self.keeper.lend(id, errand) {
                Ok(()) => {
                    if let Ok(value) = answer.await {
                        return Ok(Some(Borrowed { value, loaded: true }));
                    }
                }
                Err(_) => match self.open(id, work.clone()).await? {
                    Opened::Done(value) => return Ok(Some(Borrowed { value, loaded: false })),
                    Opened::Gone => return Ok(None),
                    Opened::Taken => {}
                },
            }
            sleep(PAUSE.min(self.rules.look_every)).await;
        }
    }

    async fn open<T, F>(&self, id: CartridgeId, work: F) -> Result<Opened<T>, MoverError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Cartridge) -> T + Send + 'static,
    {
        let (store, options, listener) = (self.store.clone(), self.rules.cartridge, self.listener.clone());
        let opened = tokio::task::spawn_blocking(move || {
            let mut cartridge = match Cartridge::open_briefly(&store, id, options) {
                Ok(cartridge) => cartridge,
                Err(CartridgeError::Store(StoreError::InUse(_))) => return Ok(Opened::Taken),
                Err(CartridgeError::Store(StoreError::NotFound(_))) => return Ok(Opened::Gone),
                Err(error) => return Err(MoverError::Cartridge { id, what: error.to_string() }),
            };
            if let Some(found) = cartridge.recovered() {
                let text = format!(
                    "looked through, since it had not been unloaded properly: objects {}, dropped segments {}, \
                     dropped bytes {} (never synchronised)",
                    found.objects, found.dropped_segments, found.dropped_bytes
                );
                listener.tell(NoticeKind::Recovered, Some(&cartridge.facts().barcode), text);
            }
            Ok(Opened::Done(work(&mut cartridge)))
        });
        opened.await?
    }
}

enum Opened<T> {
    Done(T),
    /// Somebody works on it.
    Taken,
    /// There is no such cartridge any more.
    Gone,
}
