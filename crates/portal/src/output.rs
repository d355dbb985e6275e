//! From the state machine to the socket.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use capstan_iscsi::target::{Connection, Transmit};
use tokio::io::AsyncWrite as _;
use tokio::net::TcpStream;

/// PDUs that are taken out of the state machine at once.
const PDUS: usize = 32;
/// Bytes in them before no more is taken.
const BYTES: usize = 512 << 10;
/// A PDU has a head, data, and a tail.
const SLICES: usize = PDUS * 3;

/// PDUs that are being written.
#[derive(Debug, Default)]
pub(crate) struct Output {
    queue: VecDeque<Transmit>,
    bytes: usize,
    /// Bytes of the first PDU that are written already.
    written: usize,
}

impl Output {
    /// Takes PDUs from the connection while there is room; whether it took one.
    pub(crate) fn fill(&mut self, connection: &mut Connection) -> bool {
        let before = self.queue.len();
        while self.queue.len() < PDUS && self.bytes < BYTES {
            let Some(transmit) = connection.poll_transmit() else { break };
            self.bytes += transmit.len();
            self.queue.push_back(transmit);
        }
        self.queue.len() > before
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Writes once. Pending when the socket takes nothing.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, stream: &mut TcpStream) -> Poll<io::Result<()>> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut used = 0;
        let mut skip = self.written;
        let parts = self.queue.iter().flat_map(|transmit| [transmit.head(), transmit.data(), transmit.tail()]);
        for part in parts {
            let from = skip.min(part.len());
            skip -= from;
            let rest = part.get(from..).unwrap_or_default();
            if rest.is_empty() {
                continue;
            }
            let Some(slice) = slices.get_mut(used) else { break };
            *slice = IoSlice::new(rest);
            used += 1;
        }
        let slices = slices.get(..used).unwrap_or_default();
        let count = ready!(Pin::new(stream).poll_write_vectored(cx, slices))?;
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.advance(count);
        Poll::Ready(Ok(()))
    }

    /// Forgets what is written.
    fn advance(&mut self, count: usize) {
        self.written += count;
        self.bytes = self.bytes.saturating_sub(count);
        while let Some(first) = self.queue.front()
            && first.len() <= self.written
        {
            self.written -= first.len();
            self.queue.pop_front();
        }
    }
}
