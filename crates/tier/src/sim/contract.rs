//! What every tier has to do, as one function that panics where a tier does not.
// A suite that is run by tests: where an expectation is broken it has to stop.
#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing)]

use std::time::Duration;

use bytes::Bytes;
use capstan_format::wide;

use crate::{Body, Created, Listing, PAGE, Tier, TierErrorKind};

/// Runs the suite on keys that begin with `prefix` (empty, or ending with `/`), of which there are none before; leaves
/// none behind. Takes some thousand requests.
///
/// # Panics
/// Where the tier does something else than [`Tier`] says.
pub async fn contract(tier: &dyn Tier, prefix: &str) {
    assert_eq!(all(tier, prefix).await, Vec::<String>::new(), "the suite begins with nothing there");
    absent(tier, prefix).await;
    create_once(tier, prefix).await;
    ranges(tier, prefix).await;
    bodies(tier, prefix).await;
    race(tier, prefix).await;
    order(tier, prefix).await;
    pages(tier, prefix).await;
    for key in all(tier, prefix).await {
        tier.delete(&key).await.expect("delete");
    }
    assert_eq!(all(tier, prefix).await, Vec::<String>::new(), "everything was deleted");
}

/// All keys, by pages.
async fn all(tier: &dyn Tier, prefix: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let Listing { objects, next } = tier.list(prefix, after.as_deref()).await.expect("list");
        assert!(objects.len() <= PAGE, "a page of {} objects", objects.len());
        keys.extend(objects.into_iter().map(|object| object.key));
        assert!(next.is_none() || next > after, "pages go on");
        let Some(next) = next else { return keys };
        after = Some(next);
    }
}

fn body(bytes: &[u8]) -> Body {
    Body::from(Bytes::copy_from_slice(bytes))
}

/// What is not there is `NotFound`, and may be deleted.
async fn absent(tier: &dyn Tier, prefix: &str) {
    let key = format!("{prefix}v1/probe/absent");
    let read = tier.read(&key, 0..1).await.expect_err("read of nothing");
    assert_eq!((read.kind, read.operation, &read.key), (TierErrorKind::NotFound, "read", &key), "{read}");
    let head = tier.head(&key).await.expect_err("head of nothing");
    assert_eq!((head.kind, head.operation, &head.key), (TierErrorKind::NotFound, "head", &key), "{head}");
    assert_eq!(tier.delete(&key).await, Ok(()), "delete of nothing");
    assert_eq!(tier.delete(&key).await, Ok(()), "and again");
    assert_eq!(tier.list(&key, None).await.expect("list"), Listing::default());
}

async fn create_once(tier: &dyn Tier, prefix: &str) {
    let key = format!("{prefix}v1/probe/once");
    assert_eq!(tier.create(&key, body(b"first")).await, Ok(Created::New));
    assert_eq!(tier.create(&key, body(b"second, and longer")).await, Ok(Created::Exists));
    assert_eq!(tier.create(&key, body(b"first")).await, Ok(Created::Exists), "the same bytes are no exception");
    assert_eq!(tier.read(&key, 0..5).await.expect("read"), "first");
    assert_eq!(tier.head(&key).await.expect("head").length, 5);
    assert_eq!(tier.delete(&key).await, Ok(()));
    assert_eq!(tier.head(&key).await.expect_err("deleted").kind, TierErrorKind::NotFound);
    assert_eq!(tier.create(&key, body(b"third")).await, Ok(Created::New), "a key that was deleted is free");
    assert_eq!(tier.delete(&key).await, Ok(()));
}

async fn ranges(tier: &dyn Tier, prefix: &str) {
    let key = format!("{prefix}v1/probe/ranges");
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    assert_eq!(tier.create(&key, body(&bytes)).await, Ok(Created::New));
    for (start, end) in [(0, 1), (0, 300_000), (1, 2), (255, 65_537), (299_999, 300_000), (7, 7), (0, 0)] {
        let read = tier.read(&key, wide(start)..wide(end)).await.expect("read");
        assert!(read == bytes[start..end], "bytes {start} to {end}: {} came", read.len());
    }
    for (start, end) in [(299_999, 300_001), (300_000, 300_001), (0, 1 << 40), (1 << 40, (1 << 40) + 1)] {
        let error = tier.read(&key, start..end).await.expect_err("beyond the end");
        assert_eq!(error.kind, TierErrorKind::Corrupt, "bytes {start} to {end}: {error}");
    }
    assert_eq!(tier.delete(&key).await, Ok(()));
}

/// Empty ones, and such of several parts.
async fn bodies(tier: &dyn Tier, prefix: &str) {
    let key = format!("{prefix}v1/probe/bodies");
    assert_eq!(tier.create(&key, Body::default()).await, Ok(Created::New));
    assert_eq!(tier.head(&key).await.expect("head").length, 0);
    assert_eq!(tier.create(&key, body(b"x")).await, Ok(Created::Exists), "an empty object takes its key");
    assert_eq!(tier.delete(&key).await, Ok(()));
    let parts: Vec<Bytes> = [3_usize, 0, 70_000, 1, 1 << 20].iter().map(|length| vec![7; *length].into()).collect();
    let whole = Body::new(parts);
    assert_eq!(tier.create(&key, whole.clone()).await, Ok(Created::New));
    let read = tier.read(&key, 0..whole.length()).await.expect("read");
    assert!(read == whole.to_bytes(), "parts come back as one");
    assert_eq!(tier.delete(&key).await, Ok(()));
}

/// Of eight who create the same key at a time one does; what is there is what that one gave.
async fn race(tier: &dyn Tier, prefix: &str) {
    for round in 0..3 {
        let key = format!("{prefix}v1/probe/race{round}");
        let racer = |number: u8| create_stubbornly(tier, &key, number);
        let results = tokio::join!(racer(0), racer(1), racer(2), racer(3), racer(4), racer(5), racer(6), racer(7));
        let (a, b, c, d, e, f, g, h) = results;
        let won: Vec<bool> = [a, b, c, d, e, f, g, h].map(|created| created == Created::New).to_vec();
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "round {round}: {won:?}");
        let winner = won.iter().position(|won| *won).expect("one won");
        let there = tier.read(&key, 0..1000).await.expect("read");
        assert!(there.iter().all(|byte| usize::from(*byte) == winner), "round {round}");
        assert_eq!(tier.delete(&key).await, Ok(()));
    }
}

/// Servers may ask to try again where creates race.
async fn create_stubbornly(tier: &dyn Tier, key: &str, number: u8) -> Created {
    for _ in 0..50 {
        match tier.create(key, body(&[number; 1000])).await {
            Ok(created) => return created,
            Err(error) => assert_eq!(error.kind, TierErrorKind::Conflict, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("50 conflicts for {key}");
}

/// By bytes of whole keys: `/` comes after `$ + - .` and before digits and letters.
async fn order(tier: &dyn Tier, prefix: &str) {
    let expected = ["A$/x", "A+", "A-1", "A-1/x", "A.", "A/$", "A/0/x", "A/a", "A/a.b", "A0", "AA/x", "Z", "a", "b/c"];
    let mut keys: Vec<String> = expected.iter().map(|key| format!("{prefix}v1/order/{key}")).collect();
    // A directory cannot hold `A-1` and `A-1/x`, and no keys of ours need it.
    keys.remove(2);
    for key in keys.iter().rev() {
        assert_eq!(tier.create(key, body(key.as_bytes())).await, Ok(Created::New), "{key}");
    }
    let begin = format!("{prefix}v1/order/");
    let listed = tier.list(&begin, None).await.expect("list");
    assert_eq!(listed.objects.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(), keys);
    assert!(listed.objects.iter().all(|object| object.length == wide(object.key.len())));
    assert_eq!(listed.next, None);
    for (index, key) in keys.iter().enumerate() {
        let rest = tier.list(&begin, Some(key)).await.expect("list").objects;
        assert_eq!(rest.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(), keys[index + 1..], "after {key}");
    }
    // A prefix is text and ends anywhere; `after` need not be the key of an object, nor begin with the prefix.
    for (text, after, count) in
        [("A", None, 10), ("A/", None, 4), ("A/a", None, 2), ("A/a.", None, 1), ("Q", None, 0), ("A/", Some("A/a"), 1)]
    {
        let after = after.map(|after| format!("{begin}{after}"));
        let listed = tier.list(&format!("{begin}{text}"), after.as_deref()).await.expect("list");
        assert_eq!(listed.objects.len(), count, "{text} after {after:?}: {listed:?}");
    }
    let between = tier.list(&begin, Some(&format!("{begin}A/5"))).await.expect("list").objects;
    assert_eq!(between.len(), 7, "{between:?}");
    let before = tier.list(&format!("{begin}A/"), Some(&format!("{begin}A"))).await.expect("list").objects;
    assert_eq!(before.len(), 4, "{before:?}");
    for key in keys {
        assert_eq!(tier.delete(&key).await, Ok(()));
    }
}

/// More than a page.
async fn pages(tier: &dyn Tier, prefix: &str) {
    let count = PAGE + 5;
    let mut keys: Vec<String> = (0..count).map(|n| format!("{prefix}v1/pages/{}/{n:05}", n % 3)).collect();
    for key in &keys {
        assert_eq!(tier.create(key, Body::default()).await, Ok(Created::New));
    }
    keys.sort();
    assert!(all(tier, &format!("{prefix}v1/pages/")).await == keys, "every key once, in order");
    let first = tier.list(&format!("{prefix}v1/pages/"), None).await.expect("list");
    assert!(first.next.is_some() && !first.objects.is_empty());
    for key in keys {
        assert_eq!(tier.delete(&key).await, Ok(()));
    }
}
