//! One TCP connection that carries PDUs.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Buf, BytesMut};
use capstan_iscsi::pdu::Bhs;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::InitiatorError;
use crate::framing::{Framing, Received};

/// While more than this waits to be looked at, a sender does not read on.
const READ_WHILE_WRITING: usize = 32 << 20;

/// Room made before each read.
const READ_AHEAD: usize = 64 << 10;

/// One TCP connection that carries PDUs.
pub(crate) struct Connection {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    buffer: BytesMut,
    /// How PDUs are framed from now on.
    pub(crate) framing: Framing,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, InitiatorError> {
        let refused = |error| InitiatorError::Connect { address, error: Arc::new(error) };
        let stream = TcpStream::connect(address).await.map_err(refused)?;
        stream.set_nodelay(true).map_err(refused)?;
        let (reader, writer) = stream.into_split();
        Ok(Self { reader, writer, buffer: BytesMut::new(), framing: Framing::default() })
    }

    /// The next PDU. Nothing is lost when this is dropped before it is done.
    pub(crate) async fn receive(&mut self) -> Result<Received, InitiatorError> {
        loop {
            if let Some(pdu) = self.framing.take(&mut self.buffer)? {
                return Ok(pdu);
            }
            self.buffer.reserve(READ_AHEAD);
            if self.reader.read_buf(&mut self.buffer).await? == 0 {
                return Err(InitiatorError::Closed);
            }
        }
    }

    /// Sends a PDU. What comes meanwhile is read, so that two sides that both send do not wait for each other.
    pub(crate) async fn send(&mut self, bhs: Bhs, data: &[u8]) -> Result<(), InitiatorError> {
        let length = u32::try_from(data.len()).map_err(|_| InitiatorError::Request("a data segment beyond 4 GiB"))?;
        let bhs = bhs.with_data_segment_length(length);
        let (head, tail) = self.framing.frame(&bhs, data);
        let mut rest = head.chain(data).chain(tail);
        while rest.has_remaining() {
            let mut slices = [IoSlice::new(&[]); 3];
            let count = rest.chunks_vectored(&mut slices);
            let slices = slices.get(..count).unwrap_or_default();
            let reading = self.buffer.len() < READ_WHILE_WRITING;
            self.buffer.reserve(READ_AHEAD);
            let written = tokio::select! {
                biased;
                written = self.writer.write_vectored(slices) => written?,
                read = self.reader.read_buf(&mut self.buffer), if reading => match read? {
                    0 => return Err(InitiatorError::Closed),
                    _ => continue,
                },
            };
            if written == 0 {
                return Err(io::Error::from(io::ErrorKind::WriteZero).into());
            }
            rest.advance(written);
        }
        Ok(())
    }
}
