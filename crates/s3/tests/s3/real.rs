//! The same against a real server, if the environment names one:
//!
//! ```text
//! CAPSTAN_TEST_S3=http://127.0.0.1:8333 CAPSTAN_TEST_S3_BUCKET=capstan-test \
//! AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... cargo test -p capstan-s3 -- --ignored --nocapture
//! ```
//!
//! `CAPSTAN_TEST_S3_CA` is a file of certificates. The bucket has to be there; it is used below `capstan-test/` and left
//! as it was.

use bytes::Bytes;
use capstan_s3::{CredentialSource, S3Options, S3Tier};
use capstan_tier::names::Names;
use capstan_tier::{Body, Created, Tier as _, contract};

const SUITE: &str = "capstan-test/suite/";
const LARGE: &str = "capstan-test/large";

fn tier() -> S3Tier {
    let endpoint = std::env::var("CAPSTAN_TEST_S3").expect("CAPSTAN_TEST_S3 is the endpoint of a server");
    let bucket = std::env::var("CAPSTAN_TEST_S3_BUCKET").unwrap_or_else(|_| "capstan-test".to_owned());
    let options = S3Options {
        endpoint: Some(endpoint),
        force_path_style: true,
        ca_file: std::env::var_os("CAPSTAN_TEST_S3_CA").map(Into::into),
        credentials: CredentialSource::Environment,
        ..S3Options::new(&bucket, "us-east-1")
    };
    S3Tier::open("real", &options).unwrap()
}

fn names() -> Names {
    Names::new("capstan-test").unwrap()
}

#[tokio::test]
#[ignore = "needs a server: CAPSTAN_TEST_S3"]
async fn probe() {
    println!("{:#?}", tier().probe(&names()).await.unwrap());
}

#[tokio::test]
#[ignore = "needs a server: CAPSTAN_TEST_S3"]
async fn suite() {
    let tier = tier();
    let found = tier.probe(&names()).await.unwrap();
    assert!(found.atomic_create, "the suite races: {:?}", found.notes);
    // What a run that failed has left.
    while let Some(left) = tier.list(SUITE, None).await.unwrap().objects.first() {
        tier.delete(&left.key).await.unwrap();
    }
    contract(&tier, SUITE).await;
}

#[tokio::test]
#[ignore = "needs a server: CAPSTAN_TEST_S3"]
async fn large() {
    let tier = tier();
    tier.delete(LARGE).await.unwrap();
    let parts: Vec<Bytes> = (0..130_u8).map(|number| Bytes::from(vec![number; 1 << 20])).collect();
    let body = Body::new(parts);
    assert_eq!(tier.create(LARGE, body.clone()).await, Ok(Created::New));
    assert_eq!(tier.head(LARGE).await.unwrap().length, 130 << 20);
    for number in 0..130_u64 {
        let read = tier.read(LARGE, number << 20..(number + 1) << 20).await.unwrap();
        assert!(read.iter().all(|byte| u64::from(*byte) == number), "{number}");
    }
    assert_eq!(tier.create(LARGE, body).await, Ok(Created::Exists));
    tier.delete(LARGE).await.unwrap();
    if tier.probe(&names()).await.unwrap().lists_unfinished_uploads {
        assert_eq!(tier.unfinished_uploads(names().prefix()).await.unwrap(), []);
    }
}
