//! What every tier has to do, and what only a bucket does.

use std::time::Duration;

use bytes::Bytes;
use capstan_s3::{AccessKey, ChecksumPolicy, CredentialSource, S3Options, S3Tier, ServerSideEncryption};
use capstan_tier::names::Names;
use capstan_tier::{Body, Created, Tier as _, TierErrorKind, contract};

use crate::server::{BUCKET, ID, Manners, SECRET, Server};

#[tokio::test]
async fn the_suite_passes_with_each_checksum() {
    for checksum in [ChecksumPolicy::Auto, ChecksumPolicy::WhenRequired, ChecksumPolicy::Crc32c] {
        let server = Server::start(Manners::default()).await;
        let tier = S3Tier::open("suite", &S3Options { checksum, ..server.options() }).unwrap();
        contract(&tier, "").await;
        assert_eq!(server.bucket.keys(), Vec::<String>::new(), "{checksum:?}");
    }
}

/// A server of directories has another order; a page at most, so that levels have several.
#[tokio::test]
async fn the_suite_passes_with_directories() {
    for page in [None, Some(2), Some(7)] {
        let server = Server::start(Manners { directories: true, page, ..Manners::default() }).await;
        let tier = server.tier();
        let found = tier.probe(&Names::default()).await.unwrap();
        assert!(found.lists_after_write && !found.lists_by_bytes, "{:?}", found.notes);
        assert_eq!(found.notes, ["The server lists by directories: listings of many tapes take more requests."]);
        contract(&tier, "").await;
    }
}

/// A server that ignores conditions does for one gateway, once the probe has seen it: all of the suite but the race.
#[tokio::test]
async fn without_conditions_a_look_precedes_each_create() {
    let server = Server::start(Manners { no_conditions: true, ..Manners::default() }).await;
    let tier = server.tier();
    assert_eq!(tier.create("v1/x", b"first".to_vec().into()).await, Ok(Created::New));
    assert_eq!(tier.create("v1/x", b"other".to_vec().into()).await, Ok(Created::New), "what the probe is for");
    assert!(tier.probe(&Names::default()).await.unwrap().needs_single_gateway());
    assert_eq!(tier.create("v1/x", b"third".to_vec().into()).await, Ok(Created::Exists));
    assert_eq!(tier.create("v1/y", b"fourth".to_vec().into()).await, Ok(Created::New));
    assert_eq!(server.bucket.get("v1/x").unwrap(), "other");
}

#[tokio::test]
async fn keys_are_those_of_the_bucket() {
    let server = Server::start(Manners::default()).await;
    let tier = server.tier();
    for key in ["v1/a", "site/v1/a", "site2/v1/a"] {
        assert_eq!(tier.create(key, key.as_bytes().to_vec().into()).await, Ok(Created::New));
        assert_eq!(server.bucket.get(key).unwrap(), key);
    }
    let listing = tier.list("site/", None).await.unwrap();
    assert_eq!(listing.objects.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(), ["site/v1/a"]);
}

/// A directory that somebody made with a browser, or that a server leaves behind.
#[tokio::test]
async fn placeholders_of_directories_are_no_objects() {
    for directories in [false, true] {
        let server = Server::start(Manners { directories, page: Some(2), ..Manners::default() }).await;
        let tier = server.tier();
        tier.probe(&Names::default()).await.unwrap();
        for key in ["/", "v1/", "v1/a/", "v1/a/1/", "v1/b/"] {
            server.bucket.put(key, b"");
        }
        server.bucket.put("v1/a/x", b"x");
        let (mut keys, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
        loop {
            let page = tier.list("", after.as_deref()).await.unwrap();
            keys.extend(page.objects.into_iter().map(|object| object.key));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(keys, ["v1/a/x"]);
    }
}

#[tokio::test]
async fn requests_share_connections() {
    let server = Server::start(Manners::default()).await;
    let tier = server.tier();
    for round in 0..20 {
        let key = format!("v1/{round}");
        assert_eq!(tier.create(&key, vec![1; 100_000].into()).await, Ok(Created::New));
        assert_eq!(tier.read(&key, 0..100_000).await.unwrap().len(), 100_000);
    }
    assert_eq!((server.requests(), server.connections()), (40, 1));
}

#[tokio::test]
async fn storage_class_and_encryption_are_asked_for() {
    let server = Server::start(Manners::default()).await;
    let cases = [
        (ServerSideEncryption::None, None),
        (ServerSideEncryption::Aes256, Some("AES256")),
        (ServerSideEncryption::Kms { key: Some("key-1".to_owned()) }, Some("aws:kms")),
    ];
    for (number, (sse, expected)) in cases.into_iter().enumerate() {
        let options = S3Options { sse, storage_class: Some("STANDARD_IA".to_owned()), ..server.options() };
        let tier = S3Tier::open("classes", &options).unwrap();
        let key = format!("v1/{number}");
        assert_eq!(tier.create(&key, b"x".to_vec().into()).await, Ok(Created::New));
        let (class, sse) = server.bucket.last_attributes();
        assert_eq!((class.as_deref(), sse.as_deref()), (Some("STANDARD_IA"), expected));
        assert_eq!(tier.head(&key).await.unwrap().class.as_deref(), Some("STANDARD_IA"));
    }
}

#[tokio::test]
async fn a_body_of_parts_arrives_as_one_and_is_signed() {
    let server = Server::start(Manners::default()).await;
    let tier = server.tier();
    let parts: Vec<Bytes> = (0..300_u16).map(|n| Bytes::from(vec![n.to_le_bytes()[0]; usize::from(n) * 7])).collect();
    let body = Body::new(parts);
    assert_eq!(tier.create("v1/parts", body.clone()).await, Ok(Created::New));
    assert_eq!(server.bucket.get("v1/parts").unwrap(), body.to_bytes());
}

/// Keys from the sources that need no other machine.
#[tokio::test]
async fn keys_come_from_a_file() {
    let server = Server::start(Manners::default()).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("credentials");
    std::fs::write(&path, format!("[default]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n")).unwrap();
    let file = |path| S3Options { credentials: CredentialSource::File(path), ..server.options() };
    let tier = S3Tier::open("file", &file(path)).unwrap();
    assert_eq!(tier.create("v1/x", b"x".to_vec().into()).await, Ok(Created::New));

    let missing = S3Tier::open("file", &file(directory.path().join("none"))).unwrap();
    let error = missing.head("v1/x").await.unwrap_err();
    assert_eq!(error.kind, TierErrorKind::Credentials, "{error}");
    assert!(error.message.starts_with("no credentials: "), "{error}");
}

#[tokio::test]
async fn wrong_keys_are_named_as_such() {
    let server = Server::start(Manners::default()).await;
    let with = |id: &str, secret: &str| {
        let keys = AccessKey { id: id.to_owned(), secret: secret.to_owned(), session_token: None };
        S3Tier::open("keys", &S3Options { credentials: CredentialSource::Keys(keys), ..server.options() }).unwrap()
    };
    let error = with(ID, "wrong").list("", None).await.unwrap_err();
    assert_eq!(error.kind, TierErrorKind::Credentials, "{error}");
    assert!(error.message.contains("the server said 403 SignatureDoesNotMatch"), "{error}");
    assert!(!error.to_string().contains("wrong"), "no secrets in messages: {error}");
    // The answer to a HEAD has no code; the reason is asked for.
    let error = with(ID, "wrong").head("v1/x").await.unwrap_err();
    assert_eq!(error.kind, TierErrorKind::Credentials, "{error}");
}

#[tokio::test]
async fn a_bucket_that_is_gone_is_no_missing_object() {
    let server = Server::start(Manners::default()).await;
    let options = S3Options { bucket: "other".to_owned(), ..server.options() };
    let tier = S3Tier::open("gone", &options).unwrap();
    let what = format!("bucket other does not exist at {}", server.endpoint);
    let errors = [
        tier.head("v1/x").await.unwrap_err(),
        tier.read("v1/x", 0..1).await.unwrap_err(),
        tier.create("v1/x", b"x".to_vec().into()).await.unwrap_err(),
        tier.list("v1/", None).await.unwrap_err(),
        tier.delete("v1/x").await.unwrap_err(),
        tier.probe(&Names::default()).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind, TierErrorKind::Misconfigured, "{error}");
        assert!(error.message.starts_with(&what), "{error}");
    }
    assert_eq!(BUCKET, "tapes");
}

#[tokio::test]
async fn nobody_at_home_is_unavailable_with_the_address() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let server = Server::start(Manners::default()).await;
    let options = S3Options { endpoint: Some(endpoint.clone()), ..server.options() };
    let error = S3Tier::open("closed", &options).unwrap().head("v1/x").await.unwrap_err();
    assert_eq!(error.kind, TierErrorKind::Unavailable, "{error}");
    assert!(error.message.contains(&endpoint) && error.message.contains("refused"), "{error}");

    let nowhere = S3Options { endpoint: Some("http://no-such-host.invalid:9".to_owned()), ..server.options() };
    let error = S3Tier::open("nowhere", &nowhere).unwrap().head("v1/x").await.unwrap_err();
    assert_eq!(error.kind, TierErrorKind::Unavailable, "{error}");
    assert!(error.message.contains("no-such-host.invalid"), "{error}");
}

/// TLS to a server that has none.
#[tokio::test]
async fn a_server_without_tls_is_told_from_one_that_is_down() {
    let server = Server::start(Manners::default()).await;
    let endpoint = server.endpoint.replace("http://", "https://");
    let options = S3Options { endpoint: Some(endpoint.clone()), ..server.options() };
    let error = S3Tier::open("tls", &options).unwrap().head("v1/x").await.unwrap_err();
    assert_eq!(error.kind, TierErrorKind::Misconfigured, "{error}");
    assert!(error.message.starts_with(&format!("what answers at {endpoint} speaks no TLS")), "{error}");
}

/// The server plays the proxy: a name that does not exist would not be found without one.
#[tokio::test]
async fn requests_go_through_the_proxy() {
    let server = Server::start(Manners::default()).await;
    let endpoint = "http://no-such-host.invalid".to_owned();
    let options = S3Options { proxy: Some(server.endpoint.clone()), endpoint: Some(endpoint), ..server.options() };
    let tier = S3Tier::open("proxy", &options).unwrap();
    assert_eq!(tier.create("v1/x", b"far".to_vec().into()).await, Ok(Created::New));
    assert_eq!(tier.read("v1/x", 0..3).await.unwrap(), "far");
    assert_eq!(server.bucket.get("v1/x").unwrap(), "far");
}

/// A server that takes connections and says nothing.
#[tokio::test]
async fn a_silent_port_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = Server::start(Manners::default()).await;
    let options = S3Options {
        endpoint: Some(endpoint),
        attempt_timeout: Duration::from_millis(300),
        read_timeout: Duration::from_millis(300),
        ..server.options()
    };
    let tier = S3Tier::open("silent", &options).unwrap();
    for error in [
        tier.list("", None).await.unwrap_err(),
        // More than the buffers of two sockets take.
        tier.create("v1/x", vec![0; 32 << 20].into()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind, TierErrorKind::Unavailable, "{error}");
        assert!(error.message.contains("did not answer in time"), "{error}");
    }
}
