//! Words of every device: INQUIRY data, vital product data, mode and log pages, lists of units and commands. [SPC-5]

pub mod inquiry;
pub mod log;
pub mod mode;
pub mod report_luns;
pub mod supported_operation_codes;
pub mod vpd;
