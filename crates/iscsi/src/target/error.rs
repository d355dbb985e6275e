//! What ends a connection.

use crate::login::LoginStatus;
use crate::pdu::{Opcode, RejectReason};

/// The initiator broke the protocol in a way that error recovery level 0 cannot mend. [RFC 7143 7]
///
/// What is left to say (a Reject, a Login Response) is in `poll_transmit`; after it the connection is to be closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProtocolError {
    /// A data segment is longer than the target declared.
    #[error("data segment of {length} bytes where at most {limit} are taken")]
    DataSegmentTooLong {
        /// Announced, bytes.
        length: u32,
        /// MaxRecvDataSegmentLength, bytes.
        limit: u32,
    },
    /// A header digest does not match.
    #[error("header digest error")]
    HeaderDigest,
    /// A data digest does not match.
    #[error("data digest error")]
    DataDigest,
    /// A PDU that cannot come now, or never from an initiator.
    #[error("unexpected {0:?}")]
    Unexpected(Opcode),
    /// A header without a bit that is always there: a format error ends the connection.
    #[error("{0:?} without the bit that is always set in it: the stream is out of step")]
    Format(Opcode),
    /// Unsolicited or immediate data that was not agreed on.
    #[error("unsolicited data that was not agreed on")]
    UnsolicitedData,
    /// More data than the burst or the command has.
    #[error("data beyond the end of its burst at {end} bytes")]
    TooMuchData {
        /// Where the burst ends, bytes from the begin of the command's data.
        end: u32,
    },
    /// Data for another place than the next.
    #[error("data at {offset} bytes where {expected} was next")]
    DataOutOfPlace {
        /// Buffer offset.
        offset: u32,
        /// What it had to be.
        expected: u32,
    },
    /// A DataSN that is not the next.
    #[error("DataSN {data_sn} where {expected} was next")]
    DataOutOfSequence {
        /// DataSN.
        data_sn: u32,
        /// What it had to be.
        expected: u32,
    },
    /// The end of a burst before all of it came, or no end where it must be.
    #[error("burst with its end in the wrong place")]
    BurstEnd,
    /// A target transfer tag that was not given out for this command.
    #[error("target transfer tag {0:#010x} is not outstanding")]
    TransferTag(u32),
    /// The login was refused.
    #[error("login refused: {0}")]
    LoginRefused(LoginStatus),
    /// The login did not end in time.
    #[error("login timed out")]
    LoginTimedOut,
    /// No answer to a NOP-In.
    #[error("no answer to a NOP-In")]
    NopTimedOut,
}

impl ProtocolError {
    /// The reason to reject the PDU with, where a Reject can be sent for it.
    pub(super) fn reject_reason(self) -> Option<RejectReason> {
        match self {
            Self::DataDigest => Some(RejectReason::DATA_DIGEST_ERROR),
            Self::DataSegmentTooLong { .. } | Self::TransferTag(_) => Some(RejectReason::INVALID_PDU_FIELD),
            Self::Unexpected(_)
            | Self::Format(_)
            | Self::UnsolicitedData
            | Self::TooMuchData { .. }
            | Self::DataOutOfPlace { .. }
            | Self::DataOutOfSequence { .. }
            | Self::BurstEnd => Some(RejectReason::PROTOCOL_ERROR),
            Self::HeaderDigest | Self::LoginRefused(_) | Self::LoginTimedOut | Self::NopTimedOut => None,
        }
    }
}
