//! The commands that every device has, as rows for its command table. [SPC-5 6, SPC-2 7]
//!
//! A device lists those it wants: `commands::inquiry()`, `commands::mode_sense_6()`, ...

mod identify;
mod log;
mod mode;
mod operation_codes;
mod reserve;
mod sense;

pub(super) use identify::report_luns_selection;
pub use identify::{inquiry, report_luns};
pub use log::{log_select, log_sense};
pub use mode::{mode_select_6, mode_select_10, mode_sense_6, mode_sense_10};
pub use operation_codes::report_supported_operation_codes;
pub use reserve::{prevent_allow_medium_removal, release_6, release_10, reserve_6, reserve_10};
pub use sense::{request_sense, send_diagnostic, test_unit_ready};
