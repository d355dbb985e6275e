//! Protocol data units: a type for each header, with the RFC's fields by their names, encoded and decoded.
//!
//! Decoding never fails: reserved bits are ignored, and codes that the RFC does not define survive in newtypes. What
//! contradicts itself is found by the state machines. A header is encoded without lengths; who sends it adds them
//! with [`Bhs::with_data_segment_length`]. [RFC 7143 11]

pub mod ahs;
mod any;
mod async_message;
mod bhs;
mod data_in;
mod data_out;
mod digest;
mod login_request;
mod login_response;
mod logout_request;
mod logout_response;
mod nop_in;
mod nop_out;
mod opcode;
mod ready_to_transfer;
mod reject;
mod residual;
mod scsi_command;
mod scsi_response;
mod snack_request;
mod task_management_request;
mod task_management_response;
mod text_request;
mod text_response;
mod window;

pub use any::Pdu;
pub use async_message::{AsyncEvent, AsyncMessage};
pub use bhs::{BHS_LENGTH, Bhs, MAX_DATA_SEGMENT_LENGTH, RESERVED_TAG, padding};
pub use data_in::DataIn;
pub use data_out::DataOut;
pub use digest::digest;
pub(crate) use digest::extend;
pub use login_request::LoginRequest;
pub use login_response::LoginResponse;
pub use logout_request::{LogoutReason, LogoutRequest};
pub use logout_response::{LogoutOutcome, LogoutResponse};
pub use nop_in::NopIn;
pub use nop_out::NopOut;
pub use opcode::Opcode;
pub use ready_to_transfer::ReadyToTransfer;
pub use reject::{Reject, RejectReason};
pub use residual::Residual;
pub use scsi_command::{ScsiCommand, TaskAttribute};
pub use scsi_response::{ScsiResponse, ServiceResponse};
pub use snack_request::{SnackRequest, SnackType};
pub use task_management_request::{TaskManagementFunction, TaskManagementRequest};
pub use task_management_response::{TaskManagementOutcome, TaskManagementResponse};
pub use text_request::TextRequest;
pub use text_response::TextResponse;
pub use window::TargetNumbers;

/// A header from hex with spaces; a lone `0` is a word of zeros.
#[cfg(test)]
fn golden(hex: &str) -> Bhs {
    let digits: String = hex.split_whitespace().map(|word| if word == "0" { "00000000" } else { word }).collect();
    let bytes: Vec<u8> =
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
    Bhs(bytes.try_into().expect("48 bytes"))
}
