//! What both roles share of the login phase: stages, status codes, and session identifiers.

mod isid;
mod stage;
mod status;

pub use isid::Isid;
pub use stage::Stage;
pub use status::LoginStatus;
