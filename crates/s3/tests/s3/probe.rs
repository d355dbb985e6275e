//! What the probe finds, and that it leaves nothing behind.

use std::time::Duration;

use capstan_s3::{Capabilities, Check, ChecksumPolicy, ClockSkew, S3Options, S3Probe, S3Tier, Setting};
use capstan_tier::names::Names;
use capstan_tier::{Capability, Probe as _, TierErrorKind};

use crate::server::{Fault, Manners, Server};

fn names() -> Names {
    Names::new("site").unwrap()
}

/// The result, and that the bucket is as it was: nothing but the probe's own objects was touched.
async fn probe(manners: Manners) -> Capabilities {
    let server = Server::start(manners).await;
    server.bucket.put("site/v1/tapes/kept", b"kept");
    let found = server.tier().probe(&names()).await.unwrap();
    assert_eq!(server.bucket.keys(), ["site/v1/tapes/kept"], "{manners:?}");
    assert_eq!(server.bucket.uploads(), 0, "{manners:?}");
    let seen = server.faults.seen();
    let objects: Vec<&str> =
        seen.iter().filter_map(|request| request.split_once("/tapes/")).map(|(_, key)| key).collect();
    let own = objects.iter().filter(|key| key.starts_with("site/v1/probe/")).count();
    let of_the_bucket = objects.iter().filter(|key| key.starts_with('?')).count();
    assert!(own > 20 && own + of_the_bucket == objects.len() && objects.len() == seen.len(), "{seen:?}");
    found
}

#[tokio::test]
async fn a_good_server() {
    let found = probe(Manners::default()).await;
    assert!(found.atomic_create && found.refuses_taken_keys && found.verifies_checksums);
    assert_eq!(found.checks, [Check::Sha256, Check::Crc32c, Check::Md5]);
    assert!(found.ranges && found.lists_after_write && found.lists_by_bytes && found.deletes);
    assert!(found.multipart && found.multipart_refuses_taken_keys && found.lists_unfinished_uploads);
    assert!(found.clock.magnitude() < Duration::from_secs(30), "{}", found.clock);
    assert_eq!(found.versioning, Setting::Off);
    assert!(!found.needs_single_gateway() && !found.unverified());
    assert_eq!(found.unusable(), None);
    assert_eq!(found.notes, Vec::<String>::new());
}

#[tokio::test]
async fn one_that_ignores_conditions() {
    let found = probe(Manners { no_conditions: true, ..Manners::default() }).await;
    assert!(!found.atomic_create && !found.refuses_taken_keys && found.needs_single_gateway());
    assert!(found.notes.iter().any(|note| note.contains("single_gateway")), "{:?}", found.notes);
}

#[tokio::test]
async fn one_whose_conditions_are_not_atomic() {
    let found = probe(Manners { racy: true, ..Manners::default() }).await;
    assert!(found.refuses_taken_keys && !found.atomic_create && found.needs_single_gateway());
    assert!(found.notes.iter().any(|note| note.starts_with("Of 8 creates of one key at once")), "{:?}", found.notes);
}

#[tokio::test]
async fn one_that_refuses_conditions() {
    let server = Server::start(Manners::default()).await;
    // After the clock's request, two right checksums and three wrong ones, each followed by a HEAD and its question.
    let tier = server.tier();
    let before = server.requests();
    tier.probe(&names()).await.unwrap();
    let requests = server.faults.seen();
    let taken = requests.iter().position(|request| request.ends_with("/taken?x-id=PutObject")).unwrap() - before;
    server.faults.plan(taken, Fault::Status(501, "NotImplemented", None));
    let found = tier.probe(&names()).await.unwrap();
    assert!(!found.refuses_taken_keys && found.needs_single_gateway());
    assert!(
        found.notes.iter().any(|note| note.contains("refuses If-None-Match (501 NotImplemented)")),
        "{:?}",
        found.notes
    );
}

#[tokio::test]
async fn checksums_by_what_is_checked() {
    let found = probe(Manners { no_crc32c: true, ..Manners::default() }).await;
    assert_eq!(found.checks, [Check::Sha256, Check::Md5]);
    assert!(found.verifies_checksums);
    assert!(found.notes.iter().any(|note| note.contains("Content-MD5 instead")), "{:?}", found.notes);

    let found = probe(Manners { careless: true, no_crc32c: true, no_md5: true, ..Manners::default() }).await;
    assert_eq!(found.checks, []);
    assert!(found.unverified());
    assert!(
        found.notes.iter().any(|note| note.contains("is read back before it counts as stored")),
        "{:?}",
        found.notes
    );
}

/// One failure is an accident; a server that always fails where it should refuse is not one to rely on.
#[tokio::test]
async fn failures_at_a_wrong_checksum() {
    let server = Server::start(Manners::default()).await;
    let tier = server.tier();
    tier.probe(&names()).await.unwrap();
    let wrong = server.faults.seen().iter().position(|seen| seen.contains("/wrong-Sha256")).unwrap();
    let failure = Fault::Status(500, "InternalError", None);
    server.faults.plan(wrong, failure);
    server.faults.plan(wrong + 1, failure);
    assert!(tier.probe(&names()).await.unwrap().checks.contains(&Check::Sha256), "the third is an answer");
    for attempt in 0..3 {
        server.faults.plan(wrong + attempt, failure);
    }
    let found = tier.probe(&names()).await.unwrap();
    assert_eq!(found.checks, [Check::Crc32c, Check::Md5]);
    assert_eq!(found.notes, ["The server fails at a wrong x-amz-content-sha256 rather than to refuse it."]);
}

/// What the configuration has to say, and what comes of it.
#[tokio::test]
async fn what_is_found_is_judged() {
    let judged = async |manners: Manners, single_gateway: bool| {
        let server = Server::start(manners).await;
        S3Probe::new(server.tier(), names(), single_gateway).probe().await
    };
    assert_eq!(judged(Manners::default(), false).await, Ok(Capability::default()));
    let racy = Manners { racy: true, ..Manners::default() };
    let error = judged(racy, false).await.unwrap_err();
    assert_eq!(error.kind, TierErrorKind::Misconfigured);
    assert!(error.to_string().starts_with("cannot use bucket tapes at http://127.0.0.1:"), "{error}");
    assert!(error.message.contains("; set single_gateway = true for this tier if no other gateway"), "{error}");
    let found = judged(racy, true).await.unwrap();
    assert!(!found.read_back && found.notes.iter().any(|note| note.contains("only one gateway may use")), "{found:?}");
    let careless = Manners { careless: true, no_crc32c: true, no_md5: true, ..Manners::default() };
    assert!(judged(careless, false).await.unwrap().read_back);
    let error = judged(Manners { late_listings: true, ..Manners::default() }, true).await.unwrap_err();
    assert_eq!(error.kind, TierErrorKind::Misconfigured);
    assert_eq!(error.message, "the server's listings are not complete or not in order; use another server");
}

/// With `auto` the tier goes on with what the probe found; with another policy it does not.
#[tokio::test]
async fn the_policy_is_followed() {
    let server = Server::start(Manners { no_crc32c: true, ..Manners::default() }).await;
    for (checksum, noted) in [(ChecksumPolicy::Auto, 1), (ChecksumPolicy::Crc32c, 0), (ChecksumPolicy::WhenRequired, 0)]
    {
        let tier = S3Tier::open("policy", &S3Options { checksum, ..server.options() }).unwrap();
        let found = tier.probe(&names()).await.unwrap();
        assert_eq!(found.notes.len(), noted, "{checksum:?}: {:?}", found.notes);
    }
}

#[tokio::test]
async fn listings_that_are_late_are_no_use() {
    let server = Server::start(Manners { late_listings: true, ..Manners::default() }).await;
    let found = server.tier().probe(&names()).await.unwrap();
    assert!(!found.lists_after_write);
    assert!(found.notes.iter().any(|note| note.contains("that should have 5 objects, just created, has 0")));
    assert_eq!(found.unusable(), Some("the server's listings are not complete or not in order"));
}

#[tokio::test]
async fn parts() {
    let found = probe(Manners { no_parts: true, ..Manners::default() }).await;
    assert!(!found.multipart && !found.multipart_refuses_taken_keys);
    let found = probe(Manners { no_conditions_in_parts: true, ..Manners::default() }).await;
    assert!(found.multipart && !found.multipart_refuses_taken_keys && found.atomic_create);
}

#[tokio::test]
async fn the_clock_and_versions() {
    let found = probe(Manners { ahead: 300, versioned: true, ..Manners::default() }).await;
    let ClockSkew::Ahead(ahead) = found.clock else { panic!("{}", found.clock) };
    assert!((270..330).contains(&ahead.as_secs()), "{ahead:?}");
    assert_eq!(found.versioning, Setting::On);
    assert_eq!(found.notes.len(), 2, "{:?}", found.notes);
    let found = probe(Manners { ahead: -300, ..Manners::default() }).await;
    assert!(matches!(found.clock, ClockSkew::Behind(behind) if (270..330).contains(&behind.as_secs())));
}

/// An outage in the middle is an error, never a wrong result, at whichever request it comes.
#[tokio::test]
async fn an_outage_is_no_result() {
    let server = Server::start(Manners::default()).await;
    let tier = server.tier();
    let good = tier.probe(&names()).await.unwrap();
    let requests = server.requests();
    for at in 0..requests {
        server.faults.plan(at, Fault::Reset);
        match tier.probe(&names()).await {
            Err(error) => assert!(error.kind.is_transient(), "{at}: {error}"),
            // Versions and locks are not worth an error; a failed deletion is one of the clean-up.
            Ok(found) => {
                let same = Capabilities {
                    clock: good.clock,
                    versioning: good.versioning,
                    notes: Vec::new(),
                    deletes: true,
                    ..found
                };
                assert_eq!(same, Capabilities { notes: Vec::new(), ..good.clone() }, "{at}");
            }
        }
        server.faults.clear();
    }
}

#[tokio::test]
async fn who_may_not_delete_is_told() {
    let server = Server::start(Manners::default()).await;
    server.faults.always("DELETE", Fault::Status(403, "AccessDenied", None));
    let found = server.tier().probe(&names()).await.unwrap();
    assert!(!found.deletes);
    assert!(found.notes.iter().any(|note| note.starts_with("Nothing can be deleted")), "{:?}", found.notes);
}

#[tokio::test]
async fn mistakes_of_the_configuration_are_errors() {
    let server = Server::start(Manners::default()).await;
    let tier = S3Tier::open("mistake", &S3Options { bucket: "other".to_owned(), ..server.options() }).unwrap();
    assert_eq!(tier.probe(&names()).await.unwrap_err().kind, TierErrorKind::Misconfigured);
}
