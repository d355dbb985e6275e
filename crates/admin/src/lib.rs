//! Server of the admin API: HTTP/1.1 on a Unix socket, answered from the library, the mover and the portal.
//!
//! Whoever can open the socket may do everything, so it belongs to the user who runs the daemon and to nobody else.
#![forbid(unsafe_code)]

mod events;
mod exchange;
mod images;
mod jobs;
mod keys;
mod problem;
mod routes;
mod server;
mod state;
mod tiers;
mod versions;
mod view;

pub use jobs::verification;
pub use routes::{Admin, Facts};
pub use server::{BindError, bind, serve};
pub use state::claims;
