//! A client for one Unix socket.

mod keys;
mod tiers;
mod versions;

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use capstan_media::Barcode;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::{
    CreateTapes, Done, Drive, Element, EraseTape, Events, ExportTape, Failure, Import, ImportTape, Job, LibraryState,
    Load, Move, Moved, ProtectTape, Session, Status, Tape, Unload, VerifyTape, path,
};

/// Asks the daemon behind one socket. Each question is a connection of its own.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers at the socket.
    #[error("{}: {error}", socket.display())]
    Connect {
        /// The socket.
        socket: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The daemon says no, and why.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The connection broke before the answer was complete.
    #[error("the connection to the daemon broke: {0}")]
    Transport(#[from] hyper::Error),
    /// What came is not what this client knows: client and daemon are of different versions.
    #[error("the daemon's answer to {path} is not understood ({what}): are `capstan` and the daemon of one version?")]
    Answer {
        /// What was asked.
        path: String,
        /// What is wrong with the answer.
        what: String,
    },
}

impl Client {
    /// A client for the daemon at `socket`. Nothing is sent yet.
    #[must_use]
    pub fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// The socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Whether somebody listens at the socket.
    ///
    /// # Errors
    /// What the system says when connecting.
    pub async fn probe(&self) -> io::Result<()> {
        UnixStream::connect(&self.socket).await.map(drop)
    }

    /// The whole at a glance.
    ///
    /// # Errors
    /// [`ClientError`], as for every question.
    pub async fn status(&self) -> Result<Status, ClientError> {
        self.get(path::STATUS).await
    }

    /// The library without its cartridges.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn library_state(&self) -> Result<LibraryState, ClientError> {
        self.get(path::STATE).await
    }

    /// All cartridges.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn tapes(&self) -> Result<Vec<Tape>, ClientError> {
        self.get(path::TAPES).await
    }

    /// One cartridge.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn tape(&self, barcode: &Barcode) -> Result<Tape, ClientError> {
        self.get(&path::tape(barcode)).await
    }

    /// Makes cartridges.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create_tapes(&self, request: &CreateTapes) -> Result<Vec<Tape>, ClientError> {
        self.post(path::TAPES, request).await
    }

    /// Deletes a cartridge and all that it holds.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn delete_tape(&self, barcode: &Barcode) -> Result<Done, ClientError> {
        self.send(Method::DELETE, &path::tape(barcode), Bytes::new()).await
    }

    /// Makes a cartridge blank.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn erase_tape(&self, barcode: &Barcode) -> Result<Tape, ClientError> {
        self.post(&path::erase(barcode), &EraseTape {}).await
    }

    /// Write-protects a cartridge, or ends that.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn protect_tape(&self, barcode: &Barcode, protected: bool) -> Result<Tape, ClientError> {
        self.post(&path::protection(barcode), &ProtectTape { protected }).await
    }

    /// Begins to verify a cartridge.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn verify_tape(&self, barcode: &Barcode) -> Result<Job, ClientError> {
        self.post(&path::verify(barcode), &VerifyTape {}).await
    }

    /// Begins to write a cartridge to a file.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn export_tape(&self, barcode: &Barcode, request: &ExportTape) -> Result<Job, ClientError> {
        self.post(&path::export(barcode), request).await
    }

    /// Begins to make a cartridge from files.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn import_tape(&self, barcode: &Barcode, request: &ImportTape) -> Result<Job, ClientError> {
        self.post(&path::import(barcode), request).await
    }

    /// All jobs.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn jobs(&self) -> Result<Vec<Job>, ClientError> {
        self.get(path::JOBS).await
    }

    /// One job.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn job(&self, id: u64) -> Result<Job, ClientError> {
        self.get(&path::job(id)).await
    }

    /// Ends a job.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn cancel_job(&self, id: u64) -> Result<Job, ClientError> {
        self.send(Method::DELETE, &path::job(id), Bytes::new()).await
    }

    /// All slots and drives.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn elements(&self) -> Result<Vec<Element>, ClientError> {
        self.get(path::ELEMENTS).await
    }

    /// Moves a cartridge.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn move_medium(&self, request: &Move) -> Result<Moved, ClientError> {
        self.post(path::MOVE, request).await
    }

    /// Puts a cartridge into a drive.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn load(&self, request: &Load) -> Result<Moved, ClientError> {
        self.post(path::LOAD, request).await
    }

    /// Empties a drive.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn unload(&self, request: &Unload) -> Result<Moved, ClientError> {
        self.post(path::UNLOAD, request).await
    }

    /// Takes cartridges out of import/export slots into storage slots.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn import(&self, request: &Import) -> Result<Vec<Moved>, ClientError> {
        self.post(path::IMPORT, request).await
    }

    /// All drives.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn drives(&self) -> Result<Vec<Drive>, ClientError> {
        self.get(path::DRIVES).await
    }

    /// One drive.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn drive(&self, index: u16) -> Result<Drive, ClientError> {
        self.get(&path::drive(index)).await
    }

    /// Events after number `since`; if there are none, those that happen within `wait` seconds.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn events(&self, since: u64, wait: u64) -> Result<Events, ClientError> {
        self.get(&path::events(since, wait)).await
    }

    /// All iSCSI sessions.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn sessions(&self) -> Result<Vec<Session>, ClientError> {
        self.get(path::SESSIONS).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn drop_session(&self, id: u64) -> Result<Done, ClientError> {
        self.send(Method::DELETE, &path::session(id), Bytes::new()).await
    }

    async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, ClientError> {
        self.send(Method::GET, path, Bytes::new()).await
    }

    async fn post<Q: Serialize, A: DeserializeOwned>(&self, path: &str, question: &Q) -> Result<A, ClientError> {
        let body = serde_json::to_vec(question)
            .map_err(|error| ClientError::Answer { path: path.to_owned(), what: error.to_string() })?;
        self.send(Method::POST, path, Bytes::from(body)).await
    }

    async fn send<A: DeserializeOwned>(&self, method: Method, path: &str, body: Bytes) -> Result<A, ClientError> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|error| ClientError::Connect { socket: self.socket.clone(), error })?;
        let strange = |what: String| ClientError::Answer { path: path.to_owned(), what };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "capstan")
            .header("content-type", "application/json")
            .body(Full::new(body))
            .map_err(|error| strange(error.to_string()))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(connection);
        let response = sender.send_request(request).await?;
        let answer = read(response, strange).await;
        driver.abort();
        answer
    }
}

async fn read<A: DeserializeOwned>(
    response: Response<Incoming>,
    strange: impl Fn(String) -> ClientError,
) -> Result<A, ClientError> {
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(|error| strange(error.to_string()));
    }
    match serde_json::from_slice::<Failure>(&body) {
        Ok(failure) => Err(failure.into()),
        Err(_) => Err(strange(format!("HTTP status {}", status.as_u16()))),
    }
}
