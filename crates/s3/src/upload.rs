//! The body of an upload: handed to the connection in small pieces, so that somebody can see whether it moves.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::Bytes;
use capstan_format::wide;
use http_body::{Frame, SizeHint};

/// What the connection takes at a time: small enough that a slow link is no stalled one.
const PIECE: usize = 64 << 10;

/// Bytes that are sent once, in order.
pub(crate) struct Upload {
    rest: VecDeque<Bytes>,
    left: u64,
    sent: Arc<AtomicU64>,
}

impl Upload {
    /// A body of these parts, and the count of the bytes that the connection has taken.
    pub(crate) fn stream(parts: &[Bytes]) -> (ByteStream, Arc<AtomicU64>) {
        let sent = Arc::new(AtomicU64::new(0));
        let rest: VecDeque<Bytes> = parts.iter().filter(|part| !part.is_empty()).cloned().collect();
        if rest.is_empty() {
            return (ByteStream::new(SdkBody::empty()), sent);
        }
        let upload = Self { left: length(parts), rest, sent: Arc::clone(&sent) };
        (ByteStream::new(SdkBody::from_body_1_x(upload)), sent)
    }
}

/// The sum of the parts.
pub(crate) fn length(parts: &[Bytes]) -> u64 {
    parts.iter().fold(0, |sum, part| sum.saturating_add(wide(part.len())))
}

impl http_body::Body for Upload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(front) = self.rest.front_mut() else {
            return Poll::Ready(None);
        };
        let piece = front.split_to(front.len().min(PIECE));
        if front.is_empty() {
            self.rest.pop_front();
        }
        let taken = wide(piece.len());
        self.left = self.left.saturating_sub(taken);
        self.sent.fetch_add(taken, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    #[test]
    fn every_byte_goes_once_and_in_order_and_is_counted() {
        let parts = [Bytes::from(vec![1; PIECE + 5]), Bytes::new(), Bytes::from(vec![2; 3])];
        let sent = Arc::new(AtomicU64::new(0));
        let mut upload =
            Upload { rest: parts.iter().cloned().collect(), left: length(&parts), sent: Arc::clone(&sent) };
        upload.rest.retain(|part| !part.is_empty());
        let mut context = Context::from_waker(Waker::noop());
        let mut got = Vec::new();
        let mut sizes = Vec::new();
        loop {
            let hint = http_body::Body::size_hint(&upload).exact();
            assert_eq!(hint, Some(length(&parts) - u64::try_from(got.len()).unwrap()));
            let Poll::Ready(piece) = http_body::Body::poll_frame(Pin::new(&mut upload), &mut context) else {
                panic!("it waits")
            };
            let Some(Ok(frame)) = piece else { break };
            let data = frame.into_data().unwrap();
            sizes.push(data.len());
            got.extend_from_slice(&data);
            assert_eq!(sent.load(Ordering::Relaxed), u64::try_from(got.len()).unwrap());
        }
        assert_eq!(sizes, [PIECE, 5, 3]);
        assert_eq!(got, parts.concat());
    }
}
