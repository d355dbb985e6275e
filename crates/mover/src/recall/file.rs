//! An evicted segment as a file.

use std::fmt;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use capstan_disk::File;
use capstan_format::object::FRAME_SIZE;
use capstan_format::wide;
use capstan_store::Arrival;

use super::fetch::{Fetcher, Frames};
use super::frames::FrameCache;
use crate::notice::{Listener, NoticeKind};

/// An evicted segment.
pub(super) struct Recalled {
    length: u64,
    state: Mutex<State>,
    listener: Listener,
}

struct State {
    fetcher: Fetcher,
    frames: FrameCache,
    /// The frame after the last one that was read.
    next: u64,
    /// So many frames were read one after the other.
    streak: u64,
    arriving: Option<Arriving>,
}

/// The file that becomes the segment.
struct Arriving {
    arrival: Arrival,
    missing: Vec<bool>,
    left: u64,
}

impl Recalled {
    pub(super) fn new(fetcher: Fetcher, length: u64, arrival: Option<Arrival>, listener: Listener) -> Self {
        let left = fetcher.frames();
        let missing = vec![true; usize::try_from(left).unwrap_or(0)];
        let arriving = arrival.map(|arrival| Arriving { arrival, missing, left });
        let state = State { fetcher, frames: FrameCache::default(), next: 0, streak: 0, arriving };
        Self { length, state: Mutex::new(state), listener }
    }

    /// Fetches all of it; gives how many bytes are in the cache then.
    pub(super) fn fetch_all(&self) -> io::Result<u64> {
        let mut state = self.state();
        if state.arriving.is_none() {
            return Err(io::Error::new(ErrorKind::StorageFull, "the cache has no room"));
        }
        for frame in 0..state.fetcher.frames() {
            self.frame(&mut state, frame)?;
        }
        Ok(self.length)
    }

    /// A frame, from memory or from the tier.
    fn frame(&self, state: &mut State, frame: u64) -> io::Result<Bytes> {
        if let Some(bytes) = state.frames.get(frame) {
            state.note(frame);
            return Ok(bytes);
        }
        let follows = frame == state.next;
        let (first, frames) = match state.fetcher.take_ahead(frame) {
            Some(come) => come?,
            None => {
                state.fetcher.forget_ahead();
                // One for a read somewhere; more for one that goes on.
                let count = if follows { state.streak.clamp(1, 4) } else { 1 };
                let end = frame.saturating_add(count).min(state.fetcher.frames());
                (frame, state.fetcher.fetch(frame..end)?)
            }
        };
        if follows {
            state.fetcher.run_ahead(first.saturating_add(wide(frames.len())));
        }
        state.frames.put(first, &frames);
        state.note(frame);
        self.keep(state, first, &frames);
        state.frames.get(frame).ok_or_else(|| io::Error::from(ErrorKind::UnexpectedEof))
    }

    /// Writes frames into the file that becomes the segment. That is an extra: it fails in silence.
    fn keep(&self, state: &mut State, first: u64, frames: &Frames) {
        let Some(arriving) = &mut state.arriving else { return };
        for (number, bytes) in (first..).zip(frames) {
            let Some(missing) = arriving.missing.get_mut(usize::try_from(number).unwrap_or(usize::MAX)) else {
                continue;
            };
            if !std::mem::take(missing) {
                continue;
            }
            if let Err(error) = arriving.arrival.write(bytes, number.saturating_mul(u64::from(FRAME_SIZE))) {
                tracing::warn!(%error, "what is recalled is not kept");
                state.arriving = None;
                return;
            }
            arriving.left = arriving.left.saturating_sub(1);
        }
        if arriving.left == 0
            && let Some(arriving) = state.arriving.take()
            && let Err(error) = arriving.arrival.adopt()
        {
            tracing::warn!(%error, "what was recalled is not kept");
        }
    }

    fn read(&self, part: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.state();
        let size = u64::from(FRAME_SIZE);
        let mut done = 0;
        while let Some(rest) = part.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = offset.saturating_add(wide(done));
            if at >= self.length {
                break;
            }
            let bytes = self.frame(&mut state, at / size)?;
            let skip = usize::try_from(at % size).unwrap_or(usize::MAX);
            let Some(from) = bytes.get(skip..).filter(|from| !from.is_empty()) else { break };
            let count = from.len().min(rest.len());
            if let (Some(to), Some(from)) = (rest.get_mut(..count), from.get(..count)) {
                to.copy_from_slice(from);
            }
            done = done.saturating_add(count);
        }
        Ok(done)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A frame was read.
    fn note(&mut self, frame: u64) {
        if frame == self.next {
            self.streak = self.streak.saturating_add(1);
        } else if frame.saturating_add(1) != self.next {
            self.streak = 0;
        }
        self.next = frame.saturating_add(1);
    }
}

impl File for Recalled {
    fn write_at(&self, _: &[IoSlice<'_>], _: u64) -> io::Result<usize> {
        Err(ErrorKind::ReadOnlyFilesystem.into())
    }

    fn read_at(&self, parts: &mut [IoSliceMut<'_>], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        for part in parts {
            let read = self.read(part, offset.saturating_add(wide(done))).inspect_err(|error| {
                let state = self.state();
                let source = state.fetcher.source();
                let text = format!("{}: {error}", source.name);
                self.listener.tell(NoticeKind::RecallFailed, Some(&source.barcode), text);
            })?;
            done = done.saturating_add(read);
            if read < part.len() {
                break;
            }
        }
        Ok(done)
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        Err(ErrorKind::ReadOnlyFilesystem.into())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.length)
    }

    fn forget_cache(&self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Recalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recalled").field("object", &self.state().fetcher.source().name).finish_non_exhaustive()
    }
}
