//! Every fault at every kind of request: the kind of error, its words, no hang, and never a byte that was not stored.

use std::time::Duration;

use bytes::Bytes;
use capstan_s3::S3Tier;
use capstan_tier::{Created, Tier as _, TierError, TierErrorKind as Kind};

use crate::server::{Fault, Manners, Server};

const CONTENT: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const VERBS: [&str; 5] = ["create", "read", "head", "list", "delete"];

/// A server with one object, `v1/there`.
async fn server() -> Server {
    let server = Server::start(Manners::default()).await;
    server.bucket.put("v1/there", CONTENT);
    server
}

/// The error of the operation; that it succeeds is an error of the test.
async fn failed(tier: &S3Tier, verb: &str) -> TierError {
    let error = match verb {
        "create" => tier.create("v1/new", CONTENT.to_vec().into()).await.map(|_| ()),
        "read" => tier.read("v1/there", 3..30).await.map(|_| ()),
        "head" => tier.head("v1/there").await.map(|_| ()),
        "list" => tier.list("v1/", None).await.map(|_| ()),
        _ => tier.delete("v1/there").await,
    };
    let error = error.expect_err(verb);
    assert_eq!(error.operation, verb);
    error
}

/// What the server says, at every operation: kind, words, and whether a HEAD without words can be told apart.
#[tokio::test]
async fn refusals() {
    let rows = [
        (500, "InternalError", Kind::Unavailable, "failed"),
        (502, "", Kind::Unavailable, "failed"),
        (503, "SlowDown", Kind::Throttled, "fewer requests"),
        (429, "TooManyRequests", Kind::Throttled, "fewer requests"),
        (503, "ServiceUnavailable", Kind::Throttled, "fewer requests"),
        (507, "InsufficientStorage", Kind::NoSpace, "no room"),
        (403, "QuotaExceeded", Kind::NoSpace, "no room"),
        (400, "ExpiredToken", Kind::Credentials, "expired"),
        (403, "InvalidAccessKeyId", Kind::Credentials, "access key"),
        (403, "SignatureDoesNotMatch", Kind::Credentials, "secret key"),
        (403, "RequestTimeTooSkewed", Kind::Misconfigured, "clocks"),
        (403, "AccessDenied", Kind::Denied, "access to bucket tapes is denied"),
        (404, "NoSuchBucket", Kind::Misconfigured, "bucket tapes does not exist at http://127.0.0.1:"),
        (301, "PermanentRedirect", Kind::Misconfigured, "another region"),
        (409, "OperationAborted", Kind::Conflict, "under way"),
        (501, "NotImplemented", Kind::Misconfigured, "does not implement"),
        (400, "RequestTimeout", Kind::Unavailable, "waited in vain"),
        (418, "Teapot", Kind::Misconfigured, "refused the request"),
    ];
    let server = server().await;
    let tier = server.tier();
    for (status, code, kind, words) in rows {
        for verb in VERBS {
            server.faults.clear();
            server.faults.always("*", Fault::Status(status, code, None));
            let error = failed(&tier, verb).await;
            // The answer to a HEAD has a status only, and a code only by asking for it with another request.
            let known = verb != "head" || matches!(status, 301 | 400 | 403 | 404) && code != "RequestTimeout";
            if known {
                assert_eq!(error.kind, kind, "{verb} {status} {code}: {error}");
                assert!(error.message.contains(words), "{verb} {status} {code}: {error}");
                assert!(error.message.contains(&format!("the server said {status}")), "{error}");
                assert!(error.message.contains(code), "{error}");
            } else {
                assert_eq!(error.kind.is_transient(), kind.is_transient() || code == "OperationAborted", "{error}");
            }
            assert!(error.message.contains("REQ-42"), "what the server's operators ask for: {error}");
            assert_eq!(server.bucket.keys(), ["v1/there"]);
        }
    }
}

#[tokio::test]
async fn the_clocks_of_both_are_named() {
    let server = Server::start(Manners { ahead: 3600, ..Manners::default() }).await;
    server.faults.always("*", Fault::Status(403, "RequestTimeTooSkewed", None));
    let error = failed(&server.tier(), "create").await;
    let times: Vec<&str> =
        error.message.split([' ', ',']).filter(|word| word.len() == 20 && word.ends_with('Z')).collect();
    let [ours, theirs] = times[..] else { panic!("{error}") };
    let seconds = |time: &str| {
        let format = aws_smithy_types::date_time::Format::DateTime;
        aws_smithy_types::DateTime::from_str(time, format).unwrap().secs()
    };
    assert!((3590..=3610).contains(&(seconds(theirs) - seconds(ours))), "{error}");
}

#[tokio::test]
async fn what_the_server_wants_to_wait_is_passed_on() {
    let server = server().await;
    let tier = server.tier();
    for verb in VERBS {
        server.faults.clear();
        server.faults.plan(0, Fault::Status(503, "SlowDown", Some("7")));
        let error = failed(&tier, verb).await;
        assert_eq!(error.retry_after, Some(Duration::from_secs(7)), "{error}");
    }
    server.faults.plan(0, Fault::Status(503, "SlowDown", Some("99999999")));
    assert_eq!(failed(&tier, "create").await.retry_after, Some(Duration::from_secs(3600)), "but not for days");
    server.faults.plan(0, Fault::Status(503, "SlowDown", Some("Thu, 01 Jan 2015 00:00:00 GMT")));
    assert_eq!(failed(&tier, "create").await.retry_after, None, "a time that is past");
}

/// One request, one answer: nothing is tried again behind the caller's back.
#[tokio::test]
async fn nothing_is_retried() {
    let server = server().await;
    let tier = server.tier();
    for fault in [Fault::Status(500, "InternalError", None), Fault::Status(503, "SlowDown", None)] {
        for verb in VERBS {
            let before = server.requests();
            server.faults.plan(0, fault);
            failed(&tier, verb).await;
            assert_eq!(server.requests(), before + 1, "{verb} {fault:?}");
        }
    }
}

/// An operation on a server of its own that takes the request and never answers.
async fn unanswered(verb: &'static str, fault: Fault) -> TierError {
    let server = server().await;
    server.faults.plan(0, fault);
    failed(&server.hasty(), verb).await
}

#[tokio::test]
async fn silence_ends() {
    for fault in [Fault::Silence, Fault::DoneInSilence] {
        let [a, b, c, d, e] = VERBS;
        let run = |verb| unanswered(verb, fault);
        let (a, b, c, d, e) = tokio::join!(run(a), run(b), run(c), run(d), run(e));
        for error in [a, b, c, d, e] {
            assert_eq!(error.kind, Kind::Unavailable, "{fault:?}: {error}");
            assert!(error.message.contains("did not answer in time: no answer for 1.5s"), "{fault:?}: {error}");
        }
    }
}

#[tokio::test]
async fn resets() {
    let server = server().await;
    let tier = server.tier();
    for verb in VERBS {
        server.faults.plan(0, Fault::Reset);
        let error = failed(&tier, verb).await;
        assert_eq!(error.kind, Kind::Unavailable, "{verb}: {error}");
        assert!(error.message.contains("no connection to http://127.0.0.1:"), "{verb}: {error}");
        assert_eq!(server.bucket.keys(), ["v1/there"], "{verb}");
    }
}

/// The ambiguous failure: the caller is told that it failed, and then that the key is taken, and compares.
#[tokio::test]
async fn done_and_then_reset() {
    let server = server().await;
    let tier = server.tier();
    for fault in [Fault::DoneThenReset] {
        server.faults.plan(0, fault);
        let error = failed(&tier, "create").await;
        assert_eq!(error.kind, Kind::Unavailable, "{error}");
        assert_eq!(server.bucket.get("v1/new").unwrap(), CONTENT);
        assert_eq!(tier.create("v1/new", CONTENT.to_vec().into()).await, Ok(Created::Exists));
        let there = tier.read("v1/new", 0..36).await.unwrap();
        assert_eq!(there, CONTENT);
    }
    server.faults.plan(0, Fault::DoneThenReset);
    assert_eq!(failed(&tier, "delete").await.kind, Kind::Unavailable);
    assert_eq!(tier.delete("v1/there").await, Ok(()), "a second time is fine");
}

/// Whatever happens to the body, the bytes that were asked for come, or an error.
#[tokio::test]
async fn bodies_that_are_not_what_was_asked_for() {
    let server = server().await;
    let rows = [
        (Fault::HalfThenReset, Kind::Unavailable, "13 of 27 bytes came, then the connection broke"),
        (Fault::HalfInOrder, Kind::Unavailable, "13 of 27 bytes"),
        (Fault::Longer, Kind::Corrupt, "more than the 27 bytes of 3..30 came"),
        (Fault::Whole, Kind::Corrupt, "3..30 was asked for, and the whole object came, 36 bytes"),
        (Fault::Shifted, Kind::Corrupt, "3..30 was asked for, and \"bytes 1-35/36\" came"),
        (Fault::Page, Kind::Corrupt, "the whole object came"),
    ];
    let tier = server.tier();
    for (fault, kind, words) in rows {
        server.faults.plan(0, fault);
        let error = failed(&tier, "read").await;
        assert_eq!(error.kind, kind, "{fault:?}: {error}");
        assert!(error.message.contains(words), "{fault:?}: {error}");
        assert_eq!(tier.read("v1/there", 3..30).await.unwrap(), CONTENT[3..30], "the next one is right");
    }
    let tier = server.hasty();
    server.faults.plan(0, Fault::HalfThenSilence);
    let error = failed(&tier, "read").await;
    assert_eq!(error.kind, Kind::Unavailable, "{error}");
    assert!(error.message.contains("13 of 27 bytes came, and then none for 1s"), "{error}");
    // Each byte in time, and all of them too late.
    server.faults.plan(0, Fault::Trickle);
    let error = failed(&tier, "read").await;
    assert_eq!(error.kind, Kind::Unavailable, "{error}");
    assert!(error.message.contains("of 27 bytes came in 1.5s"), "{error}");
}

/// A range that happens to be all of the object may come as 200.
#[tokio::test]
async fn the_whole_object_if_that_was_asked_for() {
    let server = server().await;
    let tier = server.tier();
    server.faults.plan(0, Fault::Whole);
    assert_eq!(tier.read("v1/there", 0..36).await.unwrap(), CONTENT);
    // As long as what was asked for, and something else.
    server.faults.plan(0, Fault::Shifted);
    assert_eq!(tier.read("v1/there", 0..36).await.unwrap_err().kind, Kind::Corrupt);
}

/// No checksum protects a range: a bit that is wrong is for the frames of the object to find.
#[tokio::test]
async fn a_flipped_bit_comes_as_it_is_and_only_that() {
    let server = server().await;
    server.faults.plan(0, Fault::Flipped);
    let got = server.tier().read("v1/there", 3..30).await.unwrap();
    let wrong: Vec<usize> = (0..27).filter(|at| got[*at] != CONTENT[3 + at]).collect();
    assert_eq!((got.len(), wrong), (27, vec![13]));
}

/// The server has a checksum for what it receives.
#[tokio::test]
async fn bytes_that_are_garbled_on_the_way_there_are_not_stored() {
    let server = server().await;
    server.faults.plan(0, Fault::Garbled);
    let error = failed(&server.tier(), "create").await;
    assert_eq!(error.kind, Kind::Corrupt, "{error}");
    assert!(error.message.contains("did not receive the bytes that were sent"), "{error}");
    assert_eq!(server.bucket.keys(), ["v1/there"]);
}

/// 409 in a race is no answer to whether the object is there; 412 is.
#[tokio::test]
async fn conflict_and_precondition() {
    let server = server().await;
    let tier = server.tier();
    server.faults.plan(0, Fault::Status(409, "ConditionalRequestConflict", None));
    assert_eq!(failed(&tier, "create").await.kind, Kind::Conflict);
    server.faults.plan(0, Fault::Status(412, "PreconditionFailed", None));
    assert_eq!(tier.create("v1/new", CONTENT.to_vec().into()).await, Ok(Created::Exists));
}

/// A page that a captive portal or a wrong port answers with.
#[tokio::test]
async fn an_answer_that_is_none() {
    let server = server().await;
    let tier = server.tier();
    server.faults.plan(0, Fault::Page);
    let error = failed(&tier, "list").await;
    assert!(!matches!(error.kind, Kind::NotFound | Kind::Denied), "{error}");
    assert!(error.message.contains("no answer of S3"), "{error}");
}

/// A listing that is out of order would hide objects from whoever pages through it.
#[tokio::test]
async fn a_listing_out_of_order_is_refused() {
    let server = Server::start(Manners { no_order: true, ..Manners::default() }).await;
    server.bucket.put("v1/a", b"a");
    server.bucket.put("v1/b", b"b");
    let error = failed(&server.tier(), "list").await;
    assert_eq!(error.kind, Kind::Corrupt, "{error}");
    assert!(error.message.contains("v1/a came after v1/b"), "{error}");
}

/// A large upload over a slow link is not late as long as it moves: here it takes twice as long as an answer may.
#[tokio::test]
async fn an_upload_that_moves_is_not_late() {
    let server = server().await;
    server.faults.plan(0, Fault::SlowReader);
    let body = Bytes::from(vec![5; 48 << 20]);
    let begun = std::time::Instant::now();
    assert_eq!(server.hasty().create("v1/large", body.clone().into()).await, Ok(Created::New));
    assert!(begun.elapsed() > Duration::from_secs(3), "{:?}", begun.elapsed());
    assert!(server.bucket.get("v1/large").unwrap() == body);
}

/// One that does not move ends.
#[tokio::test]
async fn an_upload_that_is_not_taken_ends() {
    let server = server().await;
    server.faults.plan(0, Fault::Silence);
    let body = Bytes::from(vec![5; 32 << 20]);
    let error = server.hasty().create("v1/large", body.into()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unavailable, "{error}");
    assert!(error.message.contains("of 33554432 bytes and then none for 1s"), "{error}");
}
