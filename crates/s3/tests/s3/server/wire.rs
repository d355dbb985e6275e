//! HTTP over TCP, with the faults that happen there.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, DATE, RANGE, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use s3s::service::S3Service;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;

use super::Manners;
use super::fault::{Fault, Faults};

/// What every connection needs.
#[derive(Clone)]
pub(super) struct Front {
    pub(super) service: S3Service,
    /// The same for requests whose signature was broken here.
    pub(super) open: S3Service,
    pub(super) faults: Arc<Faults>,
    pub(super) manners: Manners,
}

pub(super) async fn accept(listener: TcpListener, front: Front, connections: Arc<AtomicUsize>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        connections.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(serve(stream, front.clone()));
    }
}

async fn serve(stream: TcpStream, front: Front) {
    // What is left open here is closed with a reset.
    let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    let service = hyper::service::service_fn(move |request| answer(front.clone(), request));
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// The connection breaks.
#[derive(Debug, thiserror::Error)]
#[error("broken on purpose")]
struct Broken;

async fn answer(front: Front, request: Request<Incoming>) -> Result<Response<Script>, Broken> {
    let path = request.uri().path_and_query().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let fault = front.faults.next(request.method().as_str(), &path);
    match fault {
        Some(Fault::Status(status, code, retry_after)) => {
            let _ = request.into_body().collect().await;
            return Ok(dated(refusal(status, code, retry_after), front.manners.ahead));
        }
        Some(Fault::Reset) => return Err(Broken),
        Some(Fault::Silence) => {
            std::future::pending::<Infallible>().await;
        }
        _ => {}
    }
    let response = perform(&front, request, fault).await?;
    match fault {
        Some(Fault::DoneThenReset) => return Err(Broken),
        Some(Fault::DoneInSilence) => {
            std::future::pending::<Infallible>().await;
        }
        _ => {}
    }
    Ok(dated(damage(response, fault), front.manners.ahead))
}

/// Has the bucket do it.
async fn perform(front: &Front, request: Request<Incoming>, fault: Option<Fault>) -> Result<Response<Bytes>, Broken> {
    let (mut parts, mut incoming) = request.into_parts();
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        let piece = frame.map_err(|_| Broken)?.into_data().unwrap_or_default();
        body.extend_from_slice(&piece);
        if fault == Some(Fault::SlowReader) {
            // 12 MB a second.
            tokio::time::sleep(Duration::from_micros(u64::try_from(piece.len()).unwrap() / 12)).await;
        }
    }
    if let (Some(Fault::Garbled), Some(byte)) = (fault, body.first_mut()) {
        *byte ^= 0x10;
    }
    match fault {
        Some(Fault::Whole) => {
            parts.headers.remove(RANGE);
        }
        Some(Fault::Shifted) => {
            parts.headers.insert(RANGE, HeaderValue::from_static("bytes=1-100"));
        }
        _ => {}
    }
    let broken = matches!(fault, Some(Fault::Whole | Fault::Shifted));
    if front.manners.careless || broken {
        // Nothing is left that would be checked: the signature covers the headers as they were.
        for name in ["authorization", "x-amz-content-sha256", "x-amz-checksum-crc32c", "content-md5"] {
            parts.headers.remove(name);
        }
    }
    let request = Request::from_parts(parts, s3s::Body::from(body));
    let service = if broken { &front.open } else { &front.service };
    let response = service.call(request).await.map_err(|_| Broken)?;
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    Ok(Response::from_parts(head, body))
}

/// What the fault makes of the answer.
fn damage(response: Response<Bytes>, fault: Option<Fault>) -> Response<Script> {
    let (mut head, body) = response.into_parts();
    let half = body.slice(..body.len() / 2);
    let script = match fault {
        Some(Fault::HalfThenReset) => Script::of(half).then(Then::Break),
        Some(Fault::HalfThenSilence) => Script::of(half).then(Then::Wait),
        Some(Fault::HalfInOrder) => {
            head.headers.remove(CONTENT_LENGTH);
            Script::of(half).unsized_()
        }
        Some(Fault::Trickle) => Script { slowly: true, ..Script::of(body) },
        Some(Fault::Flipped) => {
            let mut flipped = body.to_vec();
            let middle = flipped.len() / 2;
            flipped[middle] ^= 1;
            Script::of(flipped.into())
        }
        Some(Fault::Longer) => {
            head.headers.remove(CONTENT_LENGTH);
            Script::of([body.as_ref(), b"!"].concat().into()).unsized_()
        }
        Some(Fault::Page) => {
            head.status = StatusCode::OK;
            head.headers.clear();
            Script::of(Bytes::from_static(b"<html><body>Please log in to the network</body></html>"))
        }
        _ => Script::of(body),
    };
    if script.sized {
        let length = if head.headers.contains_key(CONTENT_LENGTH) { None } else { Some(script.rest.len()) };
        if let Some(length) = length.filter(|_| matches!(script.then, Then::End)) {
            head.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
    }
    debug_assert!(fault != Some(Fault::Whole) || !head.headers.contains_key(CONTENT_RANGE));
    Response::from_parts(head, script)
}

/// An error as S3 writes it.
fn refusal(status: u16, code: &str, retry_after: Option<&'static str>) -> Response<Script> {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>planned by the test</Message>\
         <RequestId>REQ-42</RequestId></Error>"
    );
    let body = if code.is_empty() { String::new() } else { xml };
    let mut response = Response::builder().status(status).header("x-amz-request-id", "REQ-42");
    if let Some(seconds) = retry_after {
        response = response.header(RETRY_AFTER, seconds);
    }
    response.header("content-type", "application/xml").body(Script::of(body.into())).unwrap()
}

/// With the time of this server.
fn dated(mut response: Response<Script>, ahead: i64) -> Response<Script> {
    let now = DateTime::from(SystemTime::now()).secs() + ahead;
    let date = DateTime::from_secs(now).fmt(Format::HttpDate).unwrap();
    response.headers_mut().insert(DATE, HeaderValue::try_from(date).unwrap());
    response
}

/// A body that does what it is told.
struct Script {
    rest: Bytes,
    then: Then,
    sized: bool,
    slowly: bool,
    pause: Option<Pin<Box<Sleep>>>,
}

enum Then {
    End,
    Break,
    Wait,
}

impl Script {
    fn of(rest: Bytes) -> Self {
        Self { rest, then: Then::End, sized: true, slowly: false, pause: None }
    }

    fn then(self, then: Then) -> Self {
        Self { then, ..self }
    }

    /// In chunks, without an announced length.
    fn unsized_(self) -> Self {
        Self { sized: false, ..self }
    }
}

impl http_body::Body for Script {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Some(pause) = &mut self.pause {
            std::task::ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        if self.rest.is_empty() {
            return match self.then {
                Then::End => Poll::Ready(None),
                Then::Wait => Poll::Pending,
                Then::Break => {
                    // Whatever was sent should arrive before the reset does.
                    self.then = Then::End;
                    Poll::Ready(Some(Err(Broken)))
                }
            };
        }
        let piece = if self.slowly { 1 } else { self.rest.len() };
        let piece = self.rest.split_to(piece);
        if self.slowly || matches!(self.then, Then::Break) {
            self.pause = Some(Box::pin(tokio::time::sleep(Duration::from_millis(100))));
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && matches!(self.then, Then::End)
    }

    fn size_hint(&self) -> SizeHint {
        if self.sized && matches!(self.then, Then::End) {
            return SizeHint::with_exact(u64::try_from(self.rest.len()).unwrap());
        }
        SizeHint::default()
    }
}
