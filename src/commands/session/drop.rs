//! `capstan session drop`

use clap::Args;
use serde_json::json;

use crate::cli::Globals;
use crate::confirm::confirm;
use crate::failure::Failure;

/// Close the connection of a session; the host may log in again
#[derive(Args)]
pub(super) struct Drop {
    /// Number of the session, as `session list` shows it
    id: u64,
}

impl Drop {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.client().await?;
        confirm(globals, &format!("end session {}, with the commands that it is waiting for", self.id))?;
        client.drop_session(self.id).await?;
        globals.answer(&json!({ "dropped": self.id }), |_| format!("session {} is closed", self.id));
        Ok(())
    }
}
