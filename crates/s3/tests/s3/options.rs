//! Mistakes in the options, each with its name, before anything is sent.

use std::path::PathBuf;
use std::time::Duration;

use capstan_s3::{AccessKey, S3Options, S3Tier, ServerSideEncryption};

fn good() -> S3Options {
    S3Options::new("tapes", "eu-central-1")
}

fn mistake(options: &S3Options) -> String {
    S3Tier::open("x", options).expect_err("a mistake").to_string()
}

#[test]
fn what_is_right() {
    for options in [
        good(),
        S3Options { endpoint: Some("http://[::1]:8333".to_owned()), ..good() },
        S3Options { endpoint: Some("https://s3.example.org/".to_owned()), ..good() },
        S3Options { proxy: Some("http://proxy:3128".to_owned()), ..good() },
        S3Options { storage_class: Some("STANDARD_IA".to_owned()), ..good() },
        S3Options { sse: ServerSideEncryption::Kms { key: None }, ..good() },
    ] {
        assert!(options.validate().is_ok(), "{options:?}");
    }
}

#[test]
fn what_cannot_be_right() {
    let bucket = |bucket: &str| S3Options { bucket: bucket.to_owned(), ..good() };
    let endpoint = |url: &str| S3Options { endpoint: Some(url.to_owned()), ..good() };
    let class = |class: &str| S3Options { storage_class: Some(class.to_owned()), ..good() };
    let rows = [
        (bucket(""), "bucket \"\": a bucket's name has 3 to 63 characters"),
        (bucket("Tapes"), "bucket \"Tapes\": a bucket's name has lower-case letters, digits, dots and hyphens only"),
        (bucket("-tapes"), "bucket \"-tapes\": a bucket's name begins and ends with a letter or a digit"),
        (
            S3Options { region: String::new(), ..good() },
            "region \"\": a region is a name like us-east-1; servers that have none take any such name",
        ),
        (endpoint("s3.example.org"), "endpoint \"s3.example.org\": it has no scheme, such as http://"),
        (endpoint("ftp://host"), "endpoint \"ftp://host\": its scheme is not supported here"),
        (endpoint("http://"), "endpoint \"http://\": it has no host"),
        (endpoint("http://host/path"), "endpoint \"http://host/path\": it must end after the host and its port"),
        (endpoint("http://me:pw@host"), "endpoint \"http://me:pw@host\": it must not hold a name or a password"),
        (endpoint("http://host:0"), "endpoint \"http://host:0\": its port is not a number from 1 to 65535"),
        (endpoint("http://host:99999"), "endpoint \"http://host:99999\": its port is not a number from 1 to 65535"),
        (
            S3Options { proxy: Some("https://proxy".to_owned()), ..good() },
            "proxy \"https://proxy\": its scheme is not supported here",
        ),
        (class("standard"), "storage_class \"standard\": it is written like STANDARD_IA"),
        (
            class("DEEP_ARCHIVE"),
            "storage_class \"DEEP_ARCHIVE\": its objects cannot be read without a retrieval first, so no cartridge could \
             be loaded from it",
        ),
        (
            S3Options { sse: ServerSideEncryption::Kms { key: Some(" ".to_owned()) }, ..good() },
            "kms_key is empty: leave it out for the account's default key",
        ),
        (S3Options { part_size: 1 << 20, ..good() }, "part_size is 1048576 bytes: it can be 5 MiB to 5 GiB"),
        (S3Options { single_upload: 6 << 30, ..good() }, "single_upload is 6442450944 bytes: it can be 5 MiB to 5 GiB"),
        (
            S3Options { read_timeout: Duration::ZERO, ..good() },
            "read_timeout is 0ns: it can be up to an hour, and not 0",
        ),
        (
            S3Options { attempt_timeout: Duration::from_secs(86_400), ..good() },
            "attempt_timeout is 86400s: it can be up to an hour, and not 0",
        ),
    ];
    for (options, expected) in rows {
        assert_eq!(mistake(&options), expected);
    }
}

/// The HTTP client would panic at some of these.
#[test]
fn a_file_of_certificates_that_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let with = |path: PathBuf| mistake(&S3Options { ca_file: Some(path), ..good() });
    let missing = with(directory.path().join("missing.pem"));
    assert!(missing.starts_with("ca_file /") && missing.contains("No such file"), "{missing}");
    assert!(
        with(file("empty.pem", ""))
            .ends_with("it has no certificate (a block that begins with -----BEGIN CERTIFICATE-----)")
    );
    let key = file("key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    assert!(with(key).contains("it has no certificate"));
    let wrong = file("wrong.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assert!(with(wrong).contains("certificate 1: "));
    let cut = file("cut.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    assert!(with(cut).starts_with("ca_file /"));
}

#[test]
fn secrets_are_not_printed() {
    let key = AccessKey { id: "ID".to_owned(), secret: "hush".to_owned(), session_token: Some("token".to_owned()) };
    assert_eq!(format!("{key:?}"), "AccessKey { id: \"ID\", .. }");
}
