//! Objects above what one request takes.

use std::time::Duration;

use bytes::Bytes;
use capstan_s3::{ChecksumPolicy, S3Options, S3Tier};
use capstan_tier::{Body, Created, Tier as _, TierErrorKind};

use crate::server::{Fault, Manners, Server};

/// A byte more than goes with one request: parts of 5 MiB, 5 MiB and a byte.
fn large() -> Body {
    let mut last = vec![3; 1 << 20];
    last.push(9);
    Body::new(vec![Bytes::from(vec![1; 5 << 20]), Bytes::from(vec![2; 4 << 20]), Bytes::from(last)])
}

/// A tier that sends more than 10 MiB in parts.
fn in_parts(server: &Server) -> S3Tier {
    let options = S3Options { single_upload: 10 << 20, part_size: 5 << 20, ..server.options() };
    S3Tier::open("parts", &options).unwrap()
}

/// How many requests so far begin so.
fn seen(server: &Server, begin: &str) -> usize {
    server.faults.seen().iter().filter(|request| request.starts_with(begin)).count()
}

#[tokio::test]
async fn arrives_whole_with_each_checksum() {
    for checksum in [ChecksumPolicy::Crc32c, ChecksumPolicy::WhenRequired] {
        let server = Server::start(Manners::default()).await;
        let tier = S3Tier::open(
            "large",
            &S3Options { checksum, single_upload: 10 << 20, part_size: 5 << 20, ..server.options() },
        )
        .unwrap();
        let body = large();
        assert_eq!(tier.create("v1/large", body.clone()).await, Ok(Created::New));
        assert!(server.bucket.get("v1/large").unwrap() == body.to_bytes());
        assert_eq!(seen(&server, "PUT /tapes/v1/large?"), 3, "{:?}", server.faults.seen());
        assert_eq!(server.bucket.uploads(), 0);
        let requests = server.requests();
        assert_eq!(tier.create("v1/large", body).await, Ok(Created::Exists));
        assert_eq!(server.requests(), requests + 1, "nothing is sent for a key that is taken");
        assert_eq!(tier.read("v1/large", (5 << 20) - 1..(5 << 20) + 1).await.unwrap(), [1, 2][..]);
    }
}

/// HEAD and why there is nothing, begin, three parts, complete, HEAD: whichever fails, nothing is there and nothing stays.
#[tokio::test]
async fn a_failure_at_any_request_leaves_nothing() {
    let server = Server::start(Manners::default()).await;
    let tier = in_parts(&server);
    for at in 0..7 {
        server.faults.plan(at, Fault::Status(500, "InternalError", None));
        let error = tier.create("v1/large", large()).await.unwrap_err();
        assert_eq!((error.kind, error.operation), (TierErrorKind::Unavailable, "create"), "{at}: {error}");
        assert_eq!(server.bucket.keys(), Vec::<String>::new(), "{at}");
        assert_eq!(server.bucket.uploads(), 0, "{at}");
    }
    for at in 3..6 {
        server.faults.plan(at, Fault::Garbled);
        let error = tier.create("v1/large", large()).await.unwrap_err();
        assert_eq!(error.kind, TierErrorKind::Corrupt, "{at}: {error}");
        assert_eq!((server.bucket.keys().len(), server.bucket.uploads()), (0, 0), "{at}");
    }
}

/// Somebody was faster: their object stays.
#[tokio::test]
async fn a_key_taken_meanwhile_is_respected() {
    let server = Server::start(Manners::default()).await;
    let tier = in_parts(&server);
    let creating = {
        let tier = tier.clone();
        tokio::spawn(async move { tier.create("v1/large", large()).await })
    };
    while seen(&server, "POST /tapes/v1/large?uploads") < 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.bucket.put("v1/large", b"theirs");
    assert_eq!(creating.await.unwrap(), Ok(Created::Exists));
    assert_eq!(server.bucket.get("v1/large").unwrap(), "theirs");
    assert_eq!(server.bucket.uploads(), 0);
}

/// Who does not wait any longer leaves no parts behind.
#[tokio::test]
async fn a_create_that_is_given_up_is_aborted() {
    let server = Server::start(Manners::default()).await;
    let tier = in_parts(&server);
    server.faults.plan(3, Fault::Silence);
    let waited = tokio::time::timeout(Duration::from_secs(3), tier.create("v1/large", large())).await;
    assert!(waited.is_err(), "a part is never answered");
    for _ in 0..500 {
        if seen(&server, "DELETE /tapes/v1/large?") == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!((server.bucket.keys().len(), server.bucket.uploads()), (0, 0));
}

/// What stays when even the abort fails is said, found, and can be thrown away.
#[tokio::test]
async fn what_stays_can_be_found() {
    let server = Server::start(Manners::default()).await;
    let tier = in_parts(&server);
    server.faults.always("DELETE", Fault::Status(503, "SlowDown", None));
    for key in ["v1/a", "v1/b"] {
        server.faults.plan(3, Fault::Status(507, "InsufficientStorage", None));
        let error = tier.create(key, large()).await.unwrap_err();
        assert_eq!(error.kind, TierErrorKind::NoSpace, "{error}");
        assert!(error.message.contains("its parts stay at the server"), "{error}");
    }
    server.faults.clear();
    let left = tier.unfinished_uploads("").await.unwrap();
    let found: Vec<(&str, &str)> = left.iter().map(|upload| (upload.key.as_str(), upload.upload_id.as_str())).collect();
    assert_eq!(found, [("v1/a", "upload-1"), ("v1/b", "upload-2")]);
    assert!(left.iter().all(|upload| upload.begun.is_some()));
    for upload in &left {
        tier.abort_upload(upload).await.unwrap();
        tier.abort_upload(upload).await.unwrap();
    }
    assert_eq!(tier.unfinished_uploads("").await.unwrap(), []);
    assert_eq!(server.bucket.uploads(), 0);
}

/// The completion was done and its answer lost: the next create finds the key taken, and the object is whole.
#[tokio::test]
async fn completed_and_then_reset() {
    let server = Server::start(Manners::default()).await;
    let tier = in_parts(&server);
    server.faults.plan(6, Fault::DoneThenReset);
    let error = tier.create("v1/large", large()).await.unwrap_err();
    assert_eq!(error.kind, TierErrorKind::Unavailable, "{error}");
    assert_eq!(tier.create("v1/large", large()).await, Ok(Created::Exists));
    assert!(server.bucket.get("v1/large").unwrap() == large().to_bytes());
    assert_eq!(server.bucket.uploads(), 0);
}
