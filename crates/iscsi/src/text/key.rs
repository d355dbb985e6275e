//! The keys of RFC 7143 and their rules.

use std::ops::RangeInclusive;

/// Names of keys that identify or authenticate; login and discovery read them.
pub mod name {
    /// Authentication methods, a list.
    pub const AUTH_METHOD: &str = "AuthMethod";
    /// Begins every key of CHAP. [RFC 7143 12.1.3]
    pub const CHAP_PREFIX: &str = "CHAP_";
    /// The initiator's iSCSI name.
    pub const INITIATOR_NAME: &str = "InitiatorName";
    /// The initiator's name for people.
    pub const INITIATOR_ALIAS: &str = "InitiatorAlias";
    /// The target's iSCSI name.
    pub const TARGET_NAME: &str = "TargetName";
    /// The target's name for people.
    pub const TARGET_ALIAS: &str = "TargetAlias";
    /// Where a target is reached: `host:port,group`.
    pub const TARGET_ADDRESS: &str = "TargetAddress";
    /// Which portal group answers.
    pub const TARGET_PORTAL_GROUP_TAG: &str = "TargetPortalGroupTag";
    /// `Discovery` or `Normal`.
    pub const SESSION_TYPE: &str = "SessionType";
    /// Asks for names and addresses of targets.
    pub const SEND_TARGETS: &str = "SendTargets";
}

/// How the outcome of a negotiated key follows from both wishes. [RFC 7143 6.2]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rule {
    /// The responder takes the first value of the list that it accepts.
    List,
    /// Boolean: Yes if both say so.
    And,
    /// Boolean: Yes if one says so.
    Or,
    /// The smaller number; the range of allowed ones.
    Minimum(RangeInclusive<u32>),
    /// The larger number; the range of allowed ones.
    Maximum(RangeInclusive<u32>),
    /// Each side states its own number; there is no answer.
    Declare(RangeInclusive<u32>),
    /// Obsolete and answered with a fixed value. [RFC 7143 13.25]
    Obsolete(&'static str),
}

const LENGTH: RangeInclusive<u32> = 512..=0x00ff_ffff;
const SECONDS: RangeInclusive<u32> = 0..=3600;
const COUNT: RangeInclusive<u32> = 1..=65535;

macro_rules! keys {
    ($($(#[$doc:meta])* $key:ident, $discovery:literal, $rule:expr;)*) => {
        /// A key that is negotiated, or declared as a number, in the operational stage. [RFC 7143 13]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Key {
            $($(#[$doc])* $key,)*
        }

        impl Key {
            /// All keys.
            pub const ALL: &[Self] = &[$(Self::$key),*];

            /// The key of this name.
            #[must_use]
            pub fn of(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|key| key.name() == name)
            }

            /// Its rule.
            #[must_use]
            pub fn rule(self) -> Rule {
                match self {
                    $(Self::$key => $rule,)*
                }
            }

            /// Whether it means something in a discovery session.
            #[must_use]
            pub fn in_discovery(self) -> bool {
                match self {
                    $(Self::$key => $discovery,)*
                }
            }

            fn rust_name(self) -> &'static str {
                match self {
                    $(Self::$key => stringify!($key),)*
                }
            }
        }
    };
}

keys! {
    /// Digest after each header. [RFC 7143 13.1]
    HeaderDigest, true, Rule::List;
    /// Digest after each data segment. [RFC 7143 13.1]
    DataDigest, true, Rule::List;
    /// Connections in a session. [RFC 7143 13.2]
    MaxConnections, false, Rule::Minimum(COUNT);
    /// Unsolicited Data-Out PDUs are not allowed. [RFC 7143 13.10]
    InitialR2T, false, Rule::Or;
    /// Data in the SCSI Command PDU is allowed. [RFC 7143 13.11]
    ImmediateData, false, Rule::And;
    /// Longest data segment that the sender of the key takes, bytes. [RFC 7143 13.12]
    MaxRecvDataSegmentLength, true, Rule::Declare(LENGTH);
    /// Longest Data-In or solicited Data-Out sequence, bytes. [RFC 7143 13.13]
    MaxBurstLength, false, Rule::Minimum(LENGTH);
    /// Most unsolicited data of a command, bytes. [RFC 7143 13.14]
    FirstBurstLength, false, Rule::Minimum(LENGTH);
    /// Seconds to wait after a connection failed. [RFC 7143 13.15]
    DefaultTime2Wait, true, Rule::Maximum(SECONDS);
    /// Seconds for which tasks outlive their connection. [RFC 7143 13.16]
    DefaultTime2Retain, true, Rule::Minimum(SECONDS);
    /// R2Ts outstanding for a command. [RFC 7143 13.17]
    MaxOutstandingR2T, false, Rule::Minimum(COUNT);
    /// Data PDUs of a sequence come in order. [RFC 7143 13.18]
    DataPduInOrder, false, Rule::Or;
    /// Sequences come in order. [RFC 7143 13.19]
    DataSequenceInOrder, false, Rule::Or;
    /// Error recovery level. [RFC 7143 13.20]
    ErrorRecoveryLevel, true, Rule::Minimum(0..=2);
    /// How aborted tasks are reported. [RFC 7143 13.23]
    TaskReporting, false, Rule::List;
    /// Protocol level. [RFC 7143 13.24]
    ISCSIProtocolLevel, true, Rule::Minimum(0..=31);
    /// Markers from target to initiator.
    IFMarker, true, Rule::Obsolete("No");
    /// Markers from initiator to target.
    OFMarker, true, Rule::Obsolete("No");
    /// Marker interval.
    IFMarkInt, true, Rule::Obsolete(super::REJECT);
    /// Marker interval.
    OFMarkInt, true, Rule::Obsolete(super::REJECT);
}

impl Key {
    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DataPduInOrder => "DataPDUInOrder",
            Self::ISCSIProtocolLevel => "iSCSIProtocolLevel",
            other => other.rust_name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_in_the_rfc() {
        for name in ["InitialR2T", "DataPDUInOrder", "MaxRecvDataSegmentLength", "iSCSIProtocolLevel", "OFMarkInt"] {
            assert_eq!(Key::of(name).unwrap().name(), name);
        }
        assert_eq!(Key::of("initialr2t"), None);
        assert_eq!(Key::ALL.len(), 20);
    }
}
