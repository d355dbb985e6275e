//! A PDU of any kind.

use super::{
    AsyncMessage, Bhs, DataIn, DataOut, LoginRequest, LoginResponse, LogoutRequest, LogoutResponse, NopIn, NopOut,
    Opcode, ReadyToTransfer, Reject, ScsiCommand, ScsiResponse, SnackRequest, TaskManagementRequest,
    TaskManagementResponse, TextRequest, TextResponse,
};

macro_rules! any {
    ($($(#[$doc:meta])* $opcode:ident => $name:ident,)*) => {
        /// The header of a PDU, decoded by its opcode.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Pdu {
            $($(#[$doc])* $name($name),)*
            /// An opcode that the RFC does not define, or a vendor's.
            Unknown(Bhs),
        }

        impl Pdu {
            /// The fields of a header.
            #[must_use]
            pub fn decode(bhs: &Bhs) -> Self {
                match bhs.opcode() {
                    $(Opcode::$opcode => Self::$name($name::decode(bhs)),)*
                    Opcode(_) => Self::Unknown(*bhs),
                }
            }

            /// The header, without lengths (an unknown one as it was).
            #[must_use]
            pub fn encode(&self) -> Bhs {
                match self {
                    $(Self::$name(pdu) => pdu.encode(),)*
                    Self::Unknown(bhs) => *bhs,
                }
            }
        }

        $(impl From<$name> for Pdu {
            fn from(pdu: $name) -> Self {
                Self::$name(pdu)
            }
        })*
    };
}

any! {
    /// NOP-Out.
    NOP_OUT => NopOut,
    /// SCSI Command.
    SCSI_COMMAND => ScsiCommand,
    /// Task Management Function Request.
    TASK_MANAGEMENT_REQUEST => TaskManagementRequest,
    /// Login Request.
    LOGIN_REQUEST => LoginRequest,
    /// Text Request.
    TEXT_REQUEST => TextRequest,
    /// SCSI Data-Out.
    DATA_OUT => DataOut,
    /// Logout Request.
    LOGOUT_REQUEST => LogoutRequest,
    /// SNACK Request.
    SNACK_REQUEST => SnackRequest,
    /// NOP-In.
    NOP_IN => NopIn,
    /// SCSI Response.
    SCSI_RESPONSE => ScsiResponse,
    /// Task Management Function Response.
    TASK_MANAGEMENT_RESPONSE => TaskManagementResponse,
    /// Login Response.
    LOGIN_RESPONSE => LoginResponse,
    /// Text Response.
    TEXT_RESPONSE => TextResponse,
    /// SCSI Data-In.
    DATA_IN => DataIn,
    /// Logout Response.
    LOGOUT_RESPONSE => LogoutResponse,
    /// Ready To Transfer.
    READY_TO_TRANSFER => ReadyToTransfer,
    /// Asynchronous Message.
    ASYNC_MESSAGE => AsyncMessage,
    /// Reject.
    REJECT => Reject,
}

#[cfg(test)]
mod tests {
    use super::super::BHS_LENGTH;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_unknown_opcode_survives() {
        let mut bytes = [0x5a; BHS_LENGTH];
        bytes[0] = 0x1c;
        assert_eq!(Pdu::decode(&Bhs(bytes)), Pdu::Unknown(Bhs(bytes)));
        assert_eq!(Pdu::decode(&Bhs(bytes)).encode().0, bytes);
        assert_eq!(format!("{:?}", Bhs(bytes).opcode()), "Opcode(0x1c)");
    }

    proptest! {
        #[test]
        fn decoding_loses_nothing_that_encoding_knows(bytes in proptest::array::uniform32(any::<u8>()), more in proptest::array::uniform16(any::<u8>())) {
            let mut header = [0; BHS_LENGTH];
            header[..32].copy_from_slice(&bytes);
            header[32..].copy_from_slice(&more);
            let pdu = Pdu::decode(&Bhs(header));
            prop_assert_eq!(Pdu::decode(&pdu.encode()), pdu);
        }
    }
}
