//! From the socket into place.

use std::future::Future as _;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::{Buf as _, BufMut, BytesMut};
use capstan_iscsi::target::Connection;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::connection::End;

/// What is read ahead of headers, bytes. Small, because data in it is copied once more.
const AHEAD: usize = 8 << 10;
/// Rests of PDUs from this size on are read straight into place, bytes.
const DIRECT: usize = 4 << 10;

/// Bytes that were read and not used yet.
#[derive(Debug)]
pub(crate) struct Input {
    ahead: BytesMut,
}

impl Input {
    pub(crate) fn new() -> Self {
        Self { ahead: BytesMut::with_capacity(AHEAD) }
    }

    /// One step: a header, or a piece of the rest of a PDU. Pending when the socket has nothing.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut TcpStream,
        connection: &mut Connection,
        now: Instant,
    ) -> Poll<Result<(), End>> {
        if connection.expects_header() {
            let Some((header, _)) = self.ahead.split_first_chunk() else {
                return self.poll_fill(cx, stream);
            };
            let header = *header;
            self.ahead.advance(header.len());
            connection.receive_header(now, &header).map_err(End::Protocol)?;
            return Poll::Ready(Ok(()));
        }
        let count = if self.ahead.is_empty() {
            if connection.missing() < DIRECT {
                return self.poll_fill(cx, stream);
            }
            ready!(poll_read(cx, stream, &mut connection.destination()))?
        } else {
            let mut place = connection.destination();
            let count = self.ahead.len().min(place.remaining_mut());
            place.put(self.ahead.split_to(count));
            count
        };
        connection.advance(now, count).map_err(End::Protocol)?;
        Poll::Ready(Ok(()))
    }

    /// Reads ahead.
    fn poll_fill(&mut self, cx: &mut Context<'_>, stream: &mut TcpStream) -> Poll<Result<(), End>> {
        self.ahead.reserve(AHEAD - self.ahead.len().min(AHEAD));
        let missing = AHEAD.saturating_sub(self.ahead.len());
        ready!(poll_read(cx, stream, &mut (&mut self.ahead).limit(missing)))?;
        Poll::Ready(Ok(()))
    }
}

/// Reads at least a byte into `place`.
fn poll_read(cx: &mut Context<'_>, stream: &mut TcpStream, place: &mut impl BufMut) -> Poll<Result<usize, End>> {
    match ready!(pin!(stream.read_buf(place)).poll(cx)) {
        Ok(0) => Poll::Ready(Err(End::Closed)),
        Ok(count) => Poll::Ready(Ok(count)),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Poll::Ready(Err(End::Closed)),
        Err(error) => Poll::Ready(Err(End::Io(error))),
    }
}
