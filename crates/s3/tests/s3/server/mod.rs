//! An S3 server in memory, over TCP, that fails when and how it is told to.

mod bucket;
mod fault;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use capstan_s3::{AccessKey, CredentialSource, S3Options, S3Tier};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) use bucket::Bucket;
pub(crate) use fault::{Fault, Faults};

/// How this server differs from a good one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manners {
    /// `If-None-Match` is ignored.
    pub(crate) no_conditions: bool,
    /// The condition is looked at before the object is stored, with time in between.
    pub(crate) racy: bool,
    /// `If-None-Match` is ignored at the end of uploads in parts.
    pub(crate) no_conditions_in_parts: bool,
    /// `x-amz-checksum-crc32c` is ignored.
    pub(crate) no_crc32c: bool,
    /// `Content-MD5` is ignored.
    pub(crate) no_md5: bool,
    /// Neither signatures nor any checksum is looked at.
    pub(crate) careless: bool,
    /// Lists in the order of directories.
    pub(crate) directories: bool,
    /// Entries in a page at most; None: 1000.
    pub(crate) page: Option<usize>,
    /// What was just created is not listed yet.
    pub(crate) late_listings: bool,
    /// Lists in no order.
    pub(crate) no_order: bool,
    /// There are no uploads in parts.
    pub(crate) no_parts: bool,
    /// Seconds that its clock is ahead.
    pub(crate) ahead: i64,
    /// Old versions are kept.
    pub(crate) versioned: bool,
}

/// A running server; it ends when this is dropped.
pub(crate) struct Server {
    pub(crate) endpoint: String,
    pub(crate) bucket: Arc<Bucket>,
    pub(crate) faults: Arc<Faults>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

pub(crate) const BUCKET: &str = "tapes";
pub(crate) const ID: &str = "test-access-key";
pub(crate) const SECRET: &str = "test-secret-key";

impl Server {
    pub(crate) async fn start(manners: Manners) -> Self {
        let bucket = Arc::new(Bucket::new(manners));
        let faults = Arc::new(Faults::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let front = wire::Front {
            service: service(&bucket, !manners.careless),
            open: service(&bucket, false),
            faults: Arc::clone(&faults),
            manners,
        };
        let task = tokio::spawn(wire::accept(listener, front, Arc::clone(&connections)));
        Self { endpoint, bucket, faults, connections, task }
    }

    /// Options for a tier here that waits as long as it takes.
    pub(crate) fn options(&self) -> S3Options {
        S3Options {
            endpoint: Some(self.endpoint.clone()),
            force_path_style: true,
            credentials: CredentialSource::Keys(AccessKey {
                id: ID.to_owned(),
                secret: SECRET.to_owned(),
                session_token: None,
            }),
            ..S3Options::new(BUCKET, "us-east-1")
        }
    }

    pub(crate) fn tier(&self) -> S3Tier {
        S3Tier::open("test", &self.options()).unwrap()
    }

    /// A tier that soon loses its patience.
    pub(crate) fn hasty(&self) -> S3Tier {
        let options = S3Options {
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(1),
            attempt_timeout: Duration::from_millis(1500),
            ..self.options()
        };
        S3Tier::open("hasty", &options).unwrap()
    }

    /// Requests that came so far.
    pub(crate) fn requests(&self) -> usize {
        self.faults.requests()
    }

    /// Connections that were made so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn service(bucket: &Arc<Bucket>, keys: bool) -> S3Service {
    let mut builder = S3ServiceBuilder::new(bucket::Api(Arc::clone(bucket)));
    if keys {
        builder.set_auth(SimpleAuth::from_single(ID, SECRET));
    }
    builder.build()
}
