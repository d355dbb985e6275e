//! The same tier in a bucket: the server, its signatures and its XML are others' than ours.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::dto::{
    CommonPrefix, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object, StreamingBlob,
};
use s3s::service::S3ServiceBuilder;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};

const ID: &str = "test-access-key";
const SECRET: &str = "test-secret-key";

/// A bucket that is only read; every fortieth request is answered with "later".
struct Bucket {
    objects: BTreeMap<String, Bytes>,
    requests: AtomicUsize,
}

impl Bucket {
    fn is_asked(&self, bucket: &str) -> S3Result<()> {
        if bucket != "tapes" {
            return Err(s3_error!(NoSuchBucket, "The specified bucket does not exist"));
        }
        if self.requests.fetch_add(1, Ordering::Relaxed) % 40 == 3 {
            return Err(s3_error!(SlowDown, "Reduce your request rate"));
        }
        Ok(())
    }

    fn get(&self, key: &str) -> S3Result<Bytes> {
        self.objects.get(key).cloned().ok_or_else(|| s3_error!(NoSuchKey, "The specified key does not exist."))
    }
}

struct Api(Arc<Bucket>);

#[async_trait::async_trait]
impl S3 for Api {
    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        self.0.is_asked(&request.input.bucket)?;
        let whole = self.0.get(&request.input.key)?;
        let length = u64::try_from(whole.len()).unwrap();
        let range = request.input.range.unwrap().check(length)?;
        let content_range = Some(format!("bytes {}-{}/{length}", range.start, range.end - 1));
        let part = whole.slice(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap());
        let content_length = Some(i64::try_from(part.len()).unwrap());
        let body = Some(StreamingBlob::from(s3s::Body::from(part)));
        Ok(S3Response::new(GetObjectOutput { body, content_length, content_range, ..Default::default() }))
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        self.0.is_asked(&request.input.bucket)?;
        let length = self.0.get(&request.input.key)?.len();
        let content_length = Some(i64::try_from(length).unwrap());
        Ok(S3Response::new(HeadObjectOutput { content_length, ..Default::default() }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        self.0.is_asked(&input.bucket)?;
        let prefix = input.prefix.unwrap_or_default();
        let mut found: BTreeMap<String, Option<i64>> = BTreeMap::new();
        for (key, content) in self.0.objects.iter().filter(|(key, _)| key.starts_with(&prefix)) {
            let folder = input.delimiter.as_ref().and_then(|delimiter| key[prefix.len()..].find(delimiter.as_str()));
            let size = folder.is_none().then(|| i64::try_from(content.len()).unwrap());
            found.insert(folder.map_or(key.clone(), |end| key[..=prefix.len() + end].to_owned()), size);
        }
        let after = input.continuation_token.unwrap_or_default();
        found.retain(|key, _| *key > after);
        let is_truncated = Some(found.len() > 3);
        let page: Vec<_> = found.into_iter().take(3).collect();
        let next_continuation_token = page.last().map(|(key, _)| key.clone());
        let object = |(key, size): &(String, Option<i64>)| {
            size.is_some().then(|| Object { key: Some(key.clone()), size: *size, ..Default::default() })
        };
        let folder =
            |(key, size): &(String, Option<i64>)| size.is_none().then(|| CommonPrefix { prefix: Some(key.clone()) });
        Ok(S3Response::new(ListObjectsV2Output {
            contents: Some(page.iter().filter_map(object).collect()),
            common_prefixes: Some(page.iter().filter_map(folder).collect()),
            is_truncated,
            next_continuation_token,
            ..Default::default()
        }))
    }
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/v1")
}

fn collect(root: &Path, prefix: &str, objects: &mut BTreeMap<String, Bytes>) {
    for entry in fs::read_dir(root).unwrap() {
        let entry = entry.unwrap();
        let key = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{key}/"), objects);
        } else {
            objects.insert(key, fs::read(entry.path()).unwrap().into());
        }
    }
}

/// A server that has the fixture below a prefix. Its runtime ends with the test.
fn serve(signed: bool) -> (tokio::runtime::Runtime, String) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut objects = BTreeMap::new();
    collect(&fixture().join("tier"), "a prefix+/", &mut objects);
    let bucket = Arc::new(Bucket { objects, requests: AtomicUsize::new(0) });
    let mut builder = S3ServiceBuilder::new(Api(bucket));
    if signed {
        builder.set_auth(SimpleAuth::from_single(ID, SECRET));
    }
    let service = builder.build();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
            tokio::spawn(connection);
        }
    });
    (runtime, endpoint)
}

fn inspect(secret: Option<&str>, arguments: &[&str]) -> (i32, Vec<u8>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_capstan-inspect"));
    for name in ["AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", "HOME"] {
        command.env_remove(name);
    }
    match secret {
        Some(secret) => command.env("AWS_ACCESS_KEY_ID", ID).env("AWS_SECRET_ACCESS_KEY", secret),
        None => command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY"),
    };
    let Output { status, stdout, stderr } = command.args(arguments).output().unwrap();
    (status.code().unwrap(), stdout, String::from_utf8(stderr).unwrap())
}

const PLACE: &str = "s3://tapes/a prefix+/";

#[test]
fn a_bucket_is_read_as_the_directory_is() {
    let (_runtime, endpoint) = serve(true);
    let (key, tier) = (fixture().join("user.key"), fixture().join("tier"));
    let key = ["--key-file", key.to_str().unwrap()];
    let commands: [&[&str]; 5] = [
        &["ls"],
        &["ls", "FIX002L8", "--json"],
        &["cat", "FIX001L8"],
        &["cat", "FIX002L8", "--file", "1"],
        &["verify"],
    ];
    for command in commands {
        let here = [&[tier.to_str().unwrap()], command, &key].concat();
        let there = [&[PLACE], command, &["--endpoint", &endpoint], &key].concat();
        let (here, there) = (inspect(None, &here), inspect(Some(SECRET), &there));
        assert_eq!((there.0, there.2.as_str()), (0, ""), "{command:?}");
        assert!(here.1 == there.1, "{command:?}");
        assert!(!here.1.is_empty(), "{command:?}");
    }
}

#[test]
fn a_public_bucket_needs_no_credentials() {
    let (_runtime, endpoint) = serve(false);
    let (code, output, notes) = inspect(None, &[PLACE, "ls", "--json", "--endpoint", &endpoint, "--no-sign-request"]);
    assert_eq!((code, notes.as_str()), (0, ""));
    assert!(String::from_utf8(output).unwrap().contains("\"barcode\": \"FIX002L8\""));
}

#[test]
fn what_keeps_from_reading_a_bucket_is_told() {
    let (_runtime, endpoint) = serve(true);
    let at = ["--endpoint", endpoint.as_str()];
    let (code, _, notes) = inspect(Some("wrong"), &[&[PLACE, "ls"][..], &at].concat());
    assert_eq!(code, 1);
    assert!(notes.contains("SignatureDoesNotMatch"), "{notes}");
    let (code, _, notes) = inspect(None, &[&[PLACE, "ls"][..], &at].concat());
    assert_eq!(code, 2);
    assert!(notes.contains("AWS_ACCESS_KEY_ID") && notes.contains("--no-sign-request"), "{notes}");
    let (code, _, notes) = inspect(Some(SECRET), &[&["s3://other", "ls"][..], &at].concat());
    assert_eq!(code, 1);
    assert!(notes.contains("NoSuchBucket"), "{notes}");
    let (code, _, notes) = inspect(Some(SECRET), &[&[PLACE, "ls", "NOT001L8"][..], &at].concat());
    assert_eq!((code, notes.as_str()), (1, "error: nothing of NOT001L8 is in s3://tapes/a prefix+/\n"));
    assert_eq!(inspect(Some(SECRET), &["gs://tapes", "ls"]).0, 2);
}
