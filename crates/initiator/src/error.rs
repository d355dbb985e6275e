//! How a session fails.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use capstan_iscsi::chap::ChapError;
use capstan_iscsi::login::LoginStatus;
use capstan_iscsi::pdu::{RejectReason, ServiceResponse};
use capstan_iscsi::text::{NegotiationError, TextError};

/// A session did not do what was asked. A SCSI command that ends with CHECK CONDITION is no such failure.
#[derive(Clone, Debug, thiserror::Error)]
pub enum InitiatorError {
    /// Nobody listens there.
    #[error("cannot connect to {address}: {error}")]
    Connect {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        error: Arc<io::Error>,
    },
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Io(Arc<io::Error>),
    /// The target closed the connection, or the session has ended.
    #[error("the connection is closed")]
    Closed,
    /// No answer in time. The command may still be executed.
    #[error("no answer to {what} within {} s", after.as_secs_f64())]
    Timeout {
        /// What was asked.
        what: &'static str,
        /// The time that was given.
        after: Duration,
    },
    /// The target refused the login.
    #[error("the target refused the login: {0}")]
    Login(LoginStatus),
    /// The target's side of CHAP is wrong, or it did not prove who it is.
    #[error("CHAP: {0}")]
    Chap(#[from] ChapError),
    /// What the target negotiated cannot be.
    #[error("negotiation: {0}")]
    Negotiation(#[from] NegotiationError),
    /// The target sent text that is none.
    #[error("negotiation: {0}")]
    Text(#[from] TextError),
    /// The target did what the RFC does not allow.
    #[error("the target broke the protocol: {0}")]
    Protocol(&'static str),
    /// The target rejected a PDU.
    #[error("the target rejected the request: {0:?}")]
    Rejected(RejectReason),
    /// The task was aborted by a task management function.
    #[error("the task was aborted")]
    Aborted,
    /// The target could not deliver the command to the logical unit.
    #[error("the target did not deliver the command: {0:?}")]
    Delivery(ServiceResponse),
    /// The request cannot be expressed in the protocol.
    #[error("{0}")]
    Request(&'static str),
}

impl From<io::Error> for InitiatorError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}
