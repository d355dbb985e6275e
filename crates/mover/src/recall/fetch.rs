//! Frames of one object, fetched in runs: on demand, and ahead of it.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use capstan_format::object::FRAME_SIZE;
use capstan_tier::{ObjectError, Opener, TAIL_LENGTH, TierErrorKind};
use tokio::runtime::Handle;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{OnceCell, oneshot};
use tokio::task::AbortHandle;

use super::Source;

/// Frames in a run ahead of the reader.
const RUN: u64 = 8;

/// Runs ahead of the reader.
const RUNS: usize = 3;

/// How often something is read that comes, but not as it was stored: it may have been spoiled on its way.
const ATTEMPTS: u32 = 3;

/// Frames that follow each other, decoded.
pub(super) type Frames = Vec<Bytes>;

/// Fetches frames.
pub(super) struct Fetcher {
    source: Source,
    runtime: Handle,
    opened: Arc<OnceCell<Opened>>,
    /// The footer is on its way.
    _opening: Coming<()>,
    /// Runs that are on their way, in order.
    ahead: VecDeque<(Range<u64>, Coming<Frames>)>,
}

/// An object whose footer was read.
#[derive(Clone)]
struct Opened {
    opener: Arc<Opener>,
    /// Its last frame, which holds the index of the segment: it came with the footer, if it was not too long.
    last: Option<Bytes>,
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

    /// Waits for it, unless it has failed already: that was before anybody wanted it, and says nothing of now.
    fn wait_if_it_may_come(mut self) -> Option<io::Result<T>> {
        match self.answer.as_mut()?.try_recv() {
            Ok(come) => come.ok().map(Ok),
            Err(TryRecvError::Empty) => Some(self.wait()),
            Err(TryRecvError::Closed) => None,
        }
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
        let opened = Arc::new(OnceCell::new());
        let (wanted, cell) = (source.clone(), Arc::clone(&opened));
        let opening = Coming::spawn(runtime, async move { open_once(&wanted, &cell).await.map(drop) });
        let mut fetcher = Self { source, runtime: runtime.clone(), opened, _opening: opening, ahead: VecDeque::new() };
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
    pub(super) fn fetch(&self, frames: Range<u64>) -> io::Result<Frames> {
        self.coming(frames).wait()
    }

    fn coming(&self, frames: Range<u64>) -> Coming<Frames> {
        let (source, cell) = (self.source.clone(), Arc::clone(&self.opened));
        Coming::spawn(&self.runtime, async move {
            let opened = open_once(&source, &cell).await?;
            match opened.last {
                Some(last) if frames == (opened.opener.frames().saturating_sub(1)..opened.opener.frames()) => {
                    Ok(vec![last])
                }
                _ => run(&source, &opened.opener, frames).await,
            }
        })
    }

    /// The run ahead of the reader that has this frame, if there is one. Waits.
    pub(super) fn take_ahead(&mut self, frame: u64) -> Option<io::Result<(u64, Frames)>> {
        let at = self.ahead.iter().position(|(range, _)| range.contains(&frame))?;
        // What lies before it is not wanted any more.
        self.ahead.drain(..at);
        let (range, coming) = self.ahead.pop_front()?;
        Some(coming.wait_if_it_may_come()?.map(|frames| (range.start, frames)))
    }

    /// Keeps runs on their way, from frame `next` on if there are none yet.
    pub(super) fn run_ahead(&mut self, next: u64) {
        let mut next = self.ahead.back().map_or(next, |(range, _)| range.end);
        while self.ahead.len() < RUNS && next < self.frames() {
            let range = next..next.saturating_add(RUN).min(self.frames());
            next = range.end;
            let coming = self.coming(range.clone());
            self.ahead.push_back((range, coming));
        }
    }

    /// What is ahead is not wanted: the reader is elsewhere.
    pub(super) fn forget_ahead(&mut self) {
        self.ahead.clear();
    }
}

async fn open_once(source: &Source, cell: &OnceCell<Opened>) -> io::Result<Opened> {
    cell.get_or_try_init(|| open(source)).await.cloned()
}

/// Reads the footer, and with it the last frame: who opens a segment reads its index first.
async fn open(source: &Source) -> io::Result<Opened> {
    let Source { id, key, object_length, .. } = source;
    let mut length = TAIL_LENGTH.saturating_add(u64::from(FRAME_SIZE)).min(*object_length);
    let mut tried = 0;
    loop {
        let begin = object_length.saturating_sub(length);
        let opener = |tail: &Bytes| Opener::new(&source.name, tail, *object_length, *id, key.as_ref());
        match read(source, begin..*object_length).await.map(|tail| (opener(&tail), tail)) {
            Ok((Ok(opener), tail)) => {
                let last = last_frame(&opener, begin, &tail);
                return Ok(Opened { opener: Arc::new(opener), last });
            }
            Ok((Err(error), _)) => match error.needs() {
                Some(needed) if needed > length && needed <= *object_length => length = needed,
                _ => again(&mut tried, damaged(&error))?,
            },
            Err(error) => again(&mut tried, error)?,
        }
    }
}

/// The last frame, if all of it is in the tail, which begins at `begin`. One that is damaged is read again when it is
/// wanted.
fn last_frame(opener: &Opener, begin: u64, tail: &Bytes) -> Option<Bytes> {
    let last = opener.frames().checked_sub(1)?;
    let stored = opener.stored_range(last..opener.frames());
    let inside = |offset: u64| usize::try_from(offset.checked_sub(begin)?).ok();
    let (start, end) = (inside(stored.start)?, inside(stored.end)?);
    let stored = (start <= end && end <= tail.len()).then(|| tail.slice(start..end))?;
    opener.open_frame(last, &stored).ok()
}

/// Reads and decodes frames.
async fn run(source: &Source, opener: &Opener, frames: Range<u64>) -> io::Result<Frames> {
    let range = opener.stored_range(frames.clone());
    let mut tried = 0;
    loop {
        let stored = read(source, range.clone()).await;
        match stored.and_then(|stored| decode(opener, frames.clone(), &stored)) {
            Ok(frames) => return Ok(frames),
            Err(error) => again(&mut tried, error)?,
        }
    }
}

async fn read(source: &Source, range: Range<u64>) -> io::Result<Bytes> {
    source.link.recall(&source.name, range).await.map_err(|error| {
        let kind = if error.kind == TierErrorKind::Corrupt { ErrorKind::InvalidData } else { ErrorKind::Other };
        io::Error::new(kind, error.to_string())
    })
}

/// Whether something that does not prove itself is read once more: the error if not.
fn again(tried: &mut u32, error: io::Error) -> io::Result<()> {
    *tried = tried.saturating_add(1);
    if error.kind() != ErrorKind::InvalidData || *tried >= ATTEMPTS {
        return Err(error);
    }
    tracing::warn!(%error, tried, "what came from the tier does not prove itself");
    Ok(())
}

fn decode(opener: &Opener, frames: Range<u64>, stored: &Bytes) -> io::Result<Frames> {
    opener.open_run(frames, stored).map_err(|error| damaged(&error))
}

fn damaged(error: &ObjectError) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error.to_string())
}
