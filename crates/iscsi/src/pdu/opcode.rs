//! Operation codes.

use crate::code::codes;

codes! {
    /// What a PDU is, 6 bits. [RFC 7143 11.2.1.2]
    Opcode {
        /// NOP-Out.
        NOP_OUT = 0x00,
        /// SCSI Command.
        SCSI_COMMAND = 0x01,
        /// SCSI Task Management Function Request.
        TASK_MANAGEMENT_REQUEST = 0x02,
        /// Login Request.
        LOGIN_REQUEST = 0x03,
        /// Text Request.
        TEXT_REQUEST = 0x04,
        /// SCSI Data-Out.
        DATA_OUT = 0x05,
        /// Logout Request.
        LOGOUT_REQUEST = 0x06,
        /// SNACK Request.
        SNACK_REQUEST = 0x10,
        /// NOP-In.
        NOP_IN = 0x20,
        /// SCSI Response.
        SCSI_RESPONSE = 0x21,
        /// SCSI Task Management Function Response.
        TASK_MANAGEMENT_RESPONSE = 0x22,
        /// Login Response.
        LOGIN_RESPONSE = 0x23,
        /// Text Response.
        TEXT_RESPONSE = 0x24,
        /// SCSI Data-In.
        DATA_IN = 0x25,
        /// Logout Response.
        LOGOUT_RESPONSE = 0x26,
        /// Ready To Transfer.
        READY_TO_TRANSFER = 0x31,
        /// Asynchronous Message.
        ASYNC_MESSAGE = 0x32,
        /// Reject.
        REJECT = 0x3f,
    }
}
