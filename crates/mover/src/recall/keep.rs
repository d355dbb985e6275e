//! What was recalled on its way into the cache: written by another thread, so that no read waits for the disk.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use bytes::Bytes;
use capstan_format::object::FRAME_SIZE;
use capstan_store::{Arrival, StoreError};
use tokio::sync::oneshot;

/// Frames that wait to be written.
const WAITING: usize = 32;

/// Writes the frames of a segment into the cache, each once. It becomes the segment when all of them are there.
pub(super) struct Keeping {
    frames: SyncSender<(u64, Bytes)>,
    missing: Vec<bool>,
    done: Option<oneshot::Receiver<Result<u64, StoreError>>>,
}

/// A segment was not kept: it is read from the tier again.
pub(super) struct GivenUp;

impl Keeping {
    /// Begins with a segment of so many frames.
    ///
    /// The thread is none of the runtime's, whose end would wait for it as long as a drive has the segment open.
    pub(super) fn begin(arrival: Arrival, frames: u64) -> Self {
        let (sender, receiver) = sync_channel(WAITING);
        let (finished, done) = oneshot::channel();
        let keeper = thread::Builder::new().name("keep".to_owned()).spawn(move || {
            if let Some(result) = write(arrival, frames, &receiver) {
                // Whoever reads may have gone.
                let _ = finished.send(result);
            }
        });
        if let Err(error) = keeper {
            tracing::warn!(%error, "what is recalled is not kept");
        }
        let missing = vec![true; usize::try_from(frames).unwrap_or(0)];
        Self { frames: sender, missing, done: Some(done) }
    }

    /// Takes frames that follow each other; waits for room among those that wait, if told to.
    pub(super) fn take(&mut self, first: u64, frames: &[Bytes], patient: bool) -> Result<(), GivenUp> {
        for (number, bytes) in (first..).zip(frames) {
            let missing = self.missing.get_mut(usize::try_from(number).unwrap_or(usize::MAX)).ok_or(GivenUp)?;
            if !std::mem::take(missing) {
                continue;
            }
            let frame = (number, bytes.clone());
            let sent = match patient {
                true => self.frames.send(frame).is_ok(),
                false => match self.frames.try_send(frame) {
                    Ok(()) => true,
                    Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
                },
            };
            if !sent {
                return Err(GivenUp);
            }
        }
        Ok(())
    }

    /// Waits until all that was taken is the segment; `None` if that did not come about. Not for a thread of the runtime.
    pub(super) fn finish(&mut self) -> Option<Result<u64, StoreError>> {
        self.done.take()?.blocking_recv().ok()
    }
}

/// Writes what comes; `None` if it ends before all is there.
fn write(arrival: Arrival, frames: u64, come: &Receiver<(u64, Bytes)>) -> Option<Result<u64, StoreError>> {
    for _ in 0..frames {
        let (number, bytes) = come.recv().ok()?;
        if let Err(error) = arrival.write(&bytes, number.saturating_mul(u64::from(FRAME_SIZE))) {
            tracing::warn!(%error, "what is recalled is not kept");
            return Some(Err(error));
        }
    }
    Some(arrival.adopt().inspect_err(|error| tracing::warn!(%error, "what was recalled is not kept")))
}
