//! Additional sense codes with their qualifiers: the one place where these numbers are written.
//!
//! Names follow the T10 list of ASC/ASCQ assignments [SPC-5 annex F].

use std::fmt;

/// ADDITIONAL SENSE CODE and ADDITIONAL SENSE CODE QUALIFIER.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Asc {
    /// Additional sense code.
    pub asc: u8,
    /// Qualifier.
    pub ascq: u8,
}

macro_rules! additional_sense_codes {
    ($($(#[$doc:meta])* $name:ident = $asc:literal / $ascq:literal, $text:literal;)*) => {
        impl Asc {
            $(#[doc = $text] $(#[$doc])* pub const $name: Self = Self { asc: $asc, ascq: $ascq };)*

            /// The T10 text, for codes in this table.
            #[must_use]
            pub fn text(self) -> Option<&'static str> {
                match (self.asc, self.ascq) {
                    $(($asc, $ascq) => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

additional_sense_codes! {
    NO_ADDITIONAL_SENSE_INFORMATION = 0x00 / 0x00, "No additional sense information";
    FILEMARK_DETECTED = 0x00 / 0x01, "Filemark detected";
    END_OF_PARTITION_MEDIUM_DETECTED = 0x00 / 0x02, "End-of-partition/medium detected";
    BEGINNING_OF_PARTITION_MEDIUM_DETECTED = 0x00 / 0x04, "Beginning-of-partition/medium detected";
    END_OF_DATA_DETECTED = 0x00 / 0x05, "End-of-data detected";
    PROGRAMMABLE_EARLY_WARNING_DETECTED = 0x00 / 0x07, "Programmable early warning detected";
    CLEANING_REQUESTED = 0x00 / 0x17, "Cleaning requested";
    LOGICAL_UNIT_NOT_READY_CAUSE_NOT_REPORTABLE = 0x04 / 0x00, "Logical unit not ready, cause not reportable";
    LOGICAL_UNIT_IS_IN_PROCESS_OF_BECOMING_READY = 0x04 / 0x01, "Logical unit is in process of becoming ready";
    INITIALIZING_COMMAND_REQUIRED = 0x04 / 0x02, "Logical unit not ready, initializing command required";
    LOGICAL_UNIT_NOT_READY_OPERATION_IN_PROGRESS = 0x04 / 0x07, "Logical unit not ready, operation in progress";
    WRITE_ERROR = 0x0c / 0x00, "Write error";
    UNRECOVERED_READ_ERROR = 0x11 / 0x00, "Unrecovered read error";
    READ_RETRIES_EXHAUSTED = 0x11 / 0x01, "Read retries exhausted";
    PARAMETER_LIST_LENGTH_ERROR = 0x1a / 0x00, "Parameter list length error";
    INVALID_COMMAND_OPERATION_CODE = 0x20 / 0x00, "Invalid command operation code";
    INVALID_ELEMENT_ADDRESS = 0x21 / 0x01, "Invalid element address";
    INVALID_FIELD_IN_CDB = 0x24 / 0x00, "Invalid field in CDB";
    LOGICAL_UNIT_NOT_SUPPORTED = 0x25 / 0x00, "Logical unit not supported";
    INVALID_FIELD_IN_PARAMETER_LIST = 0x26 / 0x00, "Invalid field in parameter list";
    WRITE_PROTECTED = 0x27 / 0x00, "Write protected";
    NOT_READY_TO_READY_CHANGE = 0x28 / 0x00, "Not ready to ready change, medium may have changed";
    IMPORT_OR_EXPORT_ELEMENT_ACCESSED = 0x28 / 0x01, "Import or export element accessed";
    POWER_ON_RESET_OR_BUS_DEVICE_RESET_OCCURRED = 0x29 / 0x00, "Power on, reset, or bus device reset occurred";
    BUS_DEVICE_RESET_FUNCTION_OCCURRED = 0x29 / 0x03, "Bus device reset function occurred";
    I_T_NEXUS_LOSS_OCCURRED = 0x29 / 0x07, "I_T nexus loss occurred";
    MODE_PARAMETERS_CHANGED = 0x2a / 0x01, "Mode parameters changed";
    RESERVATIONS_RELEASED = 0x2a / 0x04, "Reservations released";
    INCOMPATIBLE_MEDIUM_INSTALLED = 0x30 / 0x00, "Incompatible medium installed";
    MEDIUM_FORMAT_CORRUPTED = 0x31 / 0x00, "Medium format corrupted";
    COMMAND_SEQUENCE_ERROR = 0x2c / 0x00, "Command sequence error";
    SAVING_PARAMETERS_NOT_SUPPORTED = 0x39 / 0x00, "Saving parameters not supported";
    MEDIUM_NOT_PRESENT = 0x3a / 0x00, "Medium not present";
    SEQUENTIAL_POSITIONING_ERROR = 0x3b / 0x00, "Sequential positioning error";
    MEDIUM_DESTINATION_ELEMENT_FULL = 0x3b / 0x0d, "Medium destination element full";
    MEDIUM_SOURCE_ELEMENT_EMPTY = 0x3b / 0x0e, "Medium source element empty";
    INVALID_MESSAGE_ERROR = 0x49 / 0x00, "Invalid message error";
    DATA_PHASE_ERROR = 0x4b / 0x00, "Data phase error";
    INTERNAL_TARGET_FAILURE = 0x44 / 0x00, "Internal target failure";
    WRITE_APPEND_ERROR = 0x50 / 0x00, "Write append error";
    MEDIA_LOAD_OR_EJECT_FAILED = 0x53 / 0x00, "Media load or eject failed";
    MEDIUM_REMOVAL_PREVENTED = 0x53 / 0x02, "Medium removal prevented";
}

impl fmt::Debug for Asc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}h/{:02x}h", self.asc, self.ascq)?;
        self.text().map_or(Ok(()), |text| write!(f, " ({text})"))
    }
}
