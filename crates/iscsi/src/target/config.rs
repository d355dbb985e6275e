//! What a target allows one session.

use std::time::Duration;

use crate::text::Wishes;

/// Limits and preferences of a target, the same for all its connections.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// What the target wants in negotiations.
    pub wishes: Wishes,
    /// Commands that a session may have outstanding: the distance from ExpCmdSN to MaxCmdSN.
    pub command_window: u32,
    /// Immediate commands and task management functions that may be outstanding beyond the window.
    pub immediate_limit: usize,
    /// Most that one command may transfer, bytes. More is refused ([`super::Refusal::TooLong`]).
    pub max_transfer_length: u32,
    /// Solicited data of all commands that are not answered yet, bytes.
    pub data_out_budget: u32,
    /// Expected Data-In of all commands that were given to logical units and are not answered yet, bytes.
    pub data_in_budget: u32,
    /// From the connection to the end of login.
    pub login_timeout: Duration,
    /// Silence after which the target sends a NOP-In.
    pub nop_interval: Duration,
    /// How long an answer to it may take.
    pub nop_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            wishes: Wishes::default(),
            command_window: 32,
            immediate_limit: 8,
            max_transfer_length: 16 << 20,
            data_out_budget: 16 << 20,
            data_in_budget: 16 << 20,
            login_timeout: Duration::from_secs(15),
            nop_interval: Duration::from_secs(15),
            nop_timeout: Duration::from_secs(30),
        }
    }
}
