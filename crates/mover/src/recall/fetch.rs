//! Frames of one object, fetched in runs: on demand, and ahead of it.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use capstan_format::object::{FRAME_SIZE, TRAILER_LENGTH};
use capstan_format::wide;
use capstan_tier::{ObjectError, Opener, TAIL_LENGTH};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::{Opened, Source};

/// Frames in a run ahead of the reader.
const RUN: u64 = 8;

/// Runs ahead of the reader.
const RUNS: usize = 3;

/// Frames that follow each other, decoded.
pub(super) type Frames = Vec<Bytes>;

/// Fetches frames.
pub(super) struct Fetcher {
    source: Source,
    runtime: Handle,
    opened: Option<Opened>,
    /// The footer is on its way.
    opening: Option<Coming<Opened>>,
    /// Runs that are on their way, in order.
    ahead: VecDeque<(Range<u64>, Coming<Frames>)>,
}

/// What is on its way. Dropping it gives it up.
struct Coming<T> {
    answer: Option<oneshot::Receiver<io::Result<T>>>,
    task: AbortHandle,
}

impl<T> Drop for Coming<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<T: Send + 'static> Coming<T> {
    fn spawn(runtime: &Handle, work: impl Future<Output = io::Result<T>> + Send + 'static) -> Self {
        let (sender, answer) = oneshot::channel();
        let task = runtime.spawn(async move {
            // Whoever asked may have gone.
            let _ = sender.send(work.await);
        });
        Self { answer: Some(answer), task: task.abort_handle() }
    }

    /// Waits for it: not on a thread of the runtime.
    fn wait(mut self) -> io::Result<T> {
        let gone = || io::Error::other("the daemon is stopping");
        let answer = self.answer.take().ok_or_else(gone)?;
        answer.blocking_recv().unwrap_or_else(|_| Err(gone()))
    }
}

impl Fetcher {
    /// Begins to fetch the footer, and the first frames if they will be read.
    pub(super) fn begin(source: Source, runtime: &Handle, ahead: bool) -> Self {
        let wanted = source.clone();
        let opening = Some(Coming::spawn(runtime, async move { open(&wanted).await }));
        let mut fetcher = Self { source, runtime: runtime.clone(), opened: None, opening, ahead: VecDeque::new() };
        if ahead {
            fetcher.run_ahead(0);
        }
        fetcher
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// How many frames there are.
    pub(super) fn frames(&self) -> u64 {
        self.source.length.div_ceil(u64::from(FRAME_SIZE))
    }

    /// The frames of a range, which follow each other. Waits.
    pub(super) fn fetch(&mut self, frames: Range<u64>) -> io::Result<Frames> {
        let opened = self.opened()?;
        let source = self.source.clone();
        Coming::spawn(&self.runtime, async move { run(&source, &opened, frames).await }).wait()
    }

    /// The run ahead of the reader that has this frame, if there is one. Waits.
    pub(super) fn take_ahead(&mut self, frame: u64) -> Option<io::Result<(u64, Frames)>> {
        let at = self.ahead.iter().position(|(range, _)| range.contains(&frame))?;
        // What lies before it is not wanted any more.
        self.ahead.drain(..at);
        let (range, coming) = self.ahead.pop_front()?;
        Some(coming.wait().map(|frames| (range.start, frames)))
    }

    /// Keeps runs on their way, from frame `next` on if there are none yet.
    pub(super) fn run_ahead(&mut self, next: u64) {
        let mut next = self.ahead.back().map_or(next, |(range, _)| range.end);
        while self.ahead.len() < RUNS && next < self.frames() {
            let range = next..next.saturating_add(RUN).min(self.frames());
            next = range.end;
            let (source, opened, frames) = (self.source.clone(), self.opened.clone(), range.clone());
            let coming = Coming::spawn(&self.runtime, async move {
                // Without a footer yet, each run asks for it: a small request more instead of a wait.
                let opened = match opened {
                    Some(opened) => opened,
                    None => open(&source).await?,
                };
                run(&source, &opened, frames).await
            });
            self.ahead.push_back((range, coming));
        }
    }

    /// What is ahead is not wanted: the reader is elsewhere.
    pub(super) fn forget_ahead(&mut self) {
        self.ahead.clear();
    }

    fn opened(&mut self) -> io::Result<Opened> {
        if let Some(opened) = &self.opened {
            return Ok(Arc::clone(opened));
        }
        let opened = match self.opening.take() {
            Some(opening) => opening.wait()?,
            None => {
                let source = self.source.clone();
                Coming::spawn(&self.runtime, async move { open(&source).await }).wait()?
            }
        };
        self.opened = Some(Arc::clone(&opened));
        Ok(opened)
    }
}

/// Reads the footer.
async fn open(source: &Source) -> io::Result<Opened> {
    let Source { link, name, id, key, object_length, .. } = source;
    let mut length = TAIL_LENGTH.max(wide(TRAILER_LENGTH)).min(*object_length);
    loop {
        let tail = link.recall(name, object_length.saturating_sub(length)..*object_length).await;
        let tail = tail.map_err(|error| io::Error::other(error.to_string()))?;
        match Opener::new(name, &tail, *object_length, *id, key.as_ref()) {
            Ok(opener) => return Ok(Arc::new(opener)),
            Err(error) => match error.needs() {
                Some(needed) if needed > length && needed <= *object_length => length = needed,
                _ => return Err(damaged(&error)),
            },
        }
    }
}

/// Reads and decodes frames. One that does not prove itself is read once more: it may have been spoiled on its way.
async fn run(source: &Source, opened: &Opened, frames: Range<u64>) -> io::Result<Frames> {
    let range = opened.stored_range(frames.clone());
    let mut tried = 0;
    loop {
        tried += 1;
        let stored = source.link.recall(&source.name, range.clone()).await;
        let stored = stored.map_err(|error| io::Error::other(error.to_string()))?;
        match decode(opened, frames.clone(), &stored) {
            Err(error) if tried < 3 => tracing::warn!(%error, tried, "what came from the tier does not prove itself"),
            decoded => return decoded,
        }
    }
}

fn decode(opened: &Opened, frames: Range<u64>, stored: &[u8]) -> io::Result<Frames> {
    let plain = Bytes::from(opened.open_run(frames.clone(), stored).map_err(|error| damaged(&error))?);
    let begin = opened.plain_offset(frames.start);
    let inside = |offset: u64| usize::try_from(offset.saturating_sub(begin)).unwrap_or(usize::MAX).min(plain.len());
    Ok(frames
        .map(|frame| plain.slice(inside(opened.plain_offset(frame))..inside(opened.plain_offset(frame + 1))))
        .collect())
}

fn damaged(error: &ObjectError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}
