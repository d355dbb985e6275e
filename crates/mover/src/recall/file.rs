//! An evicted segment as a file.

use std::fmt;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use capstan_disk::File;
use capstan_format::object::FRAME_SIZE;
use capstan_format::wide;

use super::fetch::{Fetcher, Frames};
use super::frames::FrameCache;
use super::keep::Keeping;
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
    keeping: Option<Keeping>,
    /// Whoever reads wants all of it in the cache, and waits for that.
    patient: bool,
}

impl Recalled {
    pub(super) fn new(fetcher: Fetcher, length: u64, keeping: Option<Keeping>, listener: Listener) -> Self {
        let frames = FrameCache::default();
        let state = State { fetcher, frames, next: 0, streak: 0, keeping, patient: false };
        Self { length, state: Mutex::new(state), listener }
    }

    /// Fetches all of it; gives how many bytes are in the cache then.
    pub(super) fn fetch_all(&self) -> io::Result<u64> {
        let mut state = self.state();
        let no_room = || io::Error::new(ErrorKind::StorageFull, "the cache has no room");
        state.patient = true;
        for frame in 0..state.fetcher.frames() {
            self.frame(&mut state, frame)?;
        }
        let mut keeping = state.keeping.take().ok_or_else(no_room)?;
        let kept = keeping.finish().ok_or_else(no_room)?;
        kept.map_err(|error| io::Error::other(error.to_string()))
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
        state.keep(first, &frames);
        state.frames.get(frame).ok_or_else(|| io::Error::from(ErrorKind::UnexpectedEof))
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
    /// Hands frames to whoever writes them into the cache. That is an extra, which no read waits for: where the disk does
    /// not keep up the segment is not kept.
    fn keep(&mut self, first: u64, frames: &Frames) {
        let patient = self.patient;
        if let Some(keeping) = &mut self.keeping
            && keeping.take(first, frames, patient).is_err()
        {
            self.keeping = None;
        }
    }

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

    fn is_at_hand(&self, offset: u64, length: u64) -> bool {
        // Whoever holds it fetches.
        let Ok(state) = self.state.try_lock() else { return false };
        let size = u64::from(FRAME_SIZE);
        let end = offset.saturating_add(length).min(self.length);
        (offset / size..end.div_ceil(size)).all(|frame| state.frames.has(frame))
    }
}

impl fmt::Debug for Recalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recalled").field("object", &self.state().fetcher.source().name).finish_non_exhaustive()
    }
}
