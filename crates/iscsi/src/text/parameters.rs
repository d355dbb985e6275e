//! What a negotiation is about.

use super::Key;

/// MaxRecvDataSegmentLength of who never declared one, and of both sides until the full feature phase, bytes.
/// [RFC 7143 13.12]
pub const DEFAULT_MAX_RECV_DATA_SEGMENT_LENGTH: u32 = 8192;

/// A digest. [RFC 7143 13.1]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Digest {
    /// None.
    #[default]
    None,
    /// CRC32C (Castagnoli), 4 bytes.
    Crc32c,
}

impl Digest {
    /// The digest of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "None" => Some(Self::None),
            "CRC32C" => Some(Self::Crc32c),
            _ => None,
        }
    }

    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Crc32c => "CRC32C",
        }
    }

    /// Bytes it adds.
    #[must_use]
    pub fn length(self) -> usize {
        match self {
            Self::None => 0,
            Self::Crc32c => 4,
        }
    }
}

/// Which digests a side accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DigestPolicy {
    /// None only.
    Off,
    /// As the other side prefers; an initiator that offers names None first.
    #[default]
    Offer,
    /// CRC32C if the other side can; an initiator names it first.
    Prefer,
    /// CRC32C only.
    Require,
}

impl DigestPolicy {
    /// What an initiator offers.
    #[must_use]
    pub fn offer(self) -> &'static str {
        match self {
            Self::Off => "None",
            Self::Offer => "None,CRC32C",
            Self::Prefer => "CRC32C,None",
            Self::Require => "CRC32C",
        }
    }

    /// Whether `digest` is acceptable.
    #[must_use]
    pub fn accepts(self, digest: Digest) -> bool {
        match digest {
            Digest::None => self != Self::Require,
            Digest::Crc32c => self != Self::Off,
        }
    }
}

/// Values of the negotiated keys; [`Default`] is what holds where nothing was said. [RFC 7143 13]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameters {
    /// HeaderDigest.
    pub header_digest: Digest,
    /// DataDigest.
    pub data_digest: Digest,
    /// MaxConnections.
    pub max_connections: u32,
    /// InitialR2T.
    pub initial_r2t: bool,
    /// ImmediateData.
    pub immediate_data: bool,
    /// MaxBurstLength, bytes.
    pub max_burst_length: u32,
    /// FirstBurstLength, bytes.
    pub first_burst_length: u32,
    /// DefaultTime2Wait, seconds.
    pub default_time_2_wait: u32,
    /// DefaultTime2Retain, seconds.
    pub default_time_2_retain: u32,
    /// MaxOutstandingR2T.
    pub max_outstanding_r2t: u32,
    /// DataPDUInOrder.
    pub data_pdu_in_order: bool,
    /// DataSequenceInOrder.
    pub data_sequence_in_order: bool,
    /// ErrorRecoveryLevel.
    pub error_recovery_level: u32,
    /// iSCSIProtocolLevel.
    pub iscsi_protocol_level: u32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            header_digest: Digest::None,
            data_digest: Digest::None,
            max_connections: 1,
            initial_r2t: true,
            immediate_data: true,
            max_burst_length: 262_144,
            first_burst_length: 65536,
            default_time_2_wait: 2,
            default_time_2_retain: 20,
            max_outstanding_r2t: 1,
            data_pdu_in_order: true,
            data_sequence_in_order: true,
            error_recovery_level: 0,
            iscsi_protocol_level: 1,
        }
    }
}

/// What one side wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wishes {
    /// Numbers and booleans; its digests are not looked at.
    pub parameters: Parameters,
    /// For HeaderDigest.
    pub header_digest: DigestPolicy,
    /// For DataDigest.
    pub data_digest: DigestPolicy,
    /// MaxRecvDataSegmentLength that this side declares, bytes.
    pub max_recv_data_segment_length: u32,
}

impl Default for Wishes {
    /// Large bursts without R2Ts before them, one connection, no error recovery, data in order.
    fn default() -> Self {
        Self {
            parameters: Parameters {
                initial_r2t: false,
                max_burst_length: 0x00ff_fe00,
                first_burst_length: 262_144,
                default_time_2_retain: 0,
                max_outstanding_r2t: 8,
                ..Parameters::default()
            },
            header_digest: DigestPolicy::Offer,
            data_digest: DigestPolicy::Offer,
            max_recv_data_segment_length: 262_144,
        }
    }
}

impl Parameters {
    /// The number that belongs to `key`, where it is one.
    pub(super) fn number(&mut self, key: Key) -> Option<&mut u32> {
        Some(match key {
            Key::MaxConnections => &mut self.max_connections,
            Key::MaxBurstLength => &mut self.max_burst_length,
            Key::FirstBurstLength => &mut self.first_burst_length,
            Key::DefaultTime2Wait => &mut self.default_time_2_wait,
            Key::DefaultTime2Retain => &mut self.default_time_2_retain,
            Key::MaxOutstandingR2T => &mut self.max_outstanding_r2t,
            Key::ErrorRecoveryLevel => &mut self.error_recovery_level,
            Key::ISCSIProtocolLevel => &mut self.iscsi_protocol_level,
            _ => return None,
        })
    }

    /// The boolean that belongs to `key`, where it is one.
    pub(super) fn boolean(&mut self, key: Key) -> Option<&mut bool> {
        Some(match key {
            Key::InitialR2T => &mut self.initial_r2t,
            Key::ImmediateData => &mut self.immediate_data,
            Key::DataPduInOrder => &mut self.data_pdu_in_order,
            Key::DataSequenceInOrder => &mut self.data_sequence_in_order,
            _ => return None,
        })
    }
}
