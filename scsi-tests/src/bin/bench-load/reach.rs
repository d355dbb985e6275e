//! When does the portal answer?

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use capstan_initiator::{InitiatorError, Login, Session};
use serde_json::json;

use crate::options::LoginPart;
use crate::pace::since;
use crate::say;
use crate::tape::INITIATOR;

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) fn run(part: &LoginPart) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    say(&json!({ "ready": null }));
    let start = Instant::now();
    let mut attempts = 0_u64;
    runtime.block_on(async {
        loop {
            attempts += 1;
            match Session::log_in(part.portal, &Login::new(INITIATOR, &part.target), PATIENCE).await {
                Ok(session) => {
                    say(&json!({ "answered": { "microseconds": since(start), "attempts": attempts } }));
                    session.log_out(PATIENCE).await?;
                    return Ok(());
                }
                Err(InitiatorError::Connect { .. }) if start.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
                Err(error) => bail!("attempt {attempts}: {error}"),
            }
        }
    })
}
