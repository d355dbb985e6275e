//! `capstan status`

use std::time::Duration;

use capstan_api::Status as Answer;
use clap::Args;

use super::drive;
use crate::cli::Globals;
use crate::failure::Failure;
use crate::output;

/// Show how the library is doing
#[derive(Args)]
pub(crate) struct Status {
    /// Show it anew every two seconds; with --json a line each time
    #[arg(long)]
    watch: bool,
}

const INTERVAL: Duration = Duration::from_secs(2);

impl Status {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.client().await?;
        if !self.watch {
            globals.answer(&client.status().await?, text);
            return Ok(());
        }
        loop {
            let status = client.status().await?;
            if globals.json {
                output::json_line(&status);
            } else {
                output::clear();
                output::print(&text(&status));
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

fn text(status: &Answer) -> String {
    let states: Vec<String> = status.tapes.by_state.iter().map(|(state, number)| format!("{number} {state}")).collect();
    let up = output::age(Duration::from_secs(status.uptime_seconds));
    let portal = &status.portal;
    let free = status.cache.size.saturating_sub(status.cache.used);
    format!(
        "Capstan {}, gateway {}, up {up}\n\n\
         state   {}\n\
         disk    {} on cartridges, {} free\n\
         portal  {}, {} (of {} at most)\n\
         tapes   {}{}\n\n{}",
        status.version,
        status.gateway,
        status.state_dir,
        output::size(status.cache.used),
        output::size(free),
        portal.addresses.join(", "),
        output::count(portal.sessions, "session"),
        portal.max_sessions,
        status.tapes.total,
        if states.is_empty() { String::new() } else { format!(": {}", states.join(", ")) },
        drive::table(&status.drives)
    )
}

#[cfg(test)]
mod tests {
    use capstan_api::{Area, Portal, Tapes};

    use super::*;

    #[test]
    fn a_page_for_people() {
        let status = Answer {
            version: "0.1.0".into(),
            gateway: "gw".into(),
            state_dir: "/srv/capstan".into(),
            uptime_seconds: 61,
            portal: Portal { addresses: vec!["127.0.0.1:3260".into()], sessions: 1, max_sessions: 256 },
            targets: Vec::new(),
            drives: Vec::new(),
            tapes: Tapes { total: 3, by_state: [("AVAILABLE".to_owned(), 3)].into() },
            upload_buffer: Area::default(),
            cache: Area { path: "/srv/capstan".into(), used: 1 << 20, size: 1 << 30, problems: Vec::new() },
            unshipped_bytes: 0,
            oldest_unshipped_seconds: 0,
            tiers: Vec::new(),
        };
        assert_eq!(
            text(&status),
            "Capstan 0.1.0, gateway gw, up 1 min 1 s\n\n\
             state   /srv/capstan\n\
             disk    1 MiB on cartridges, 1023 MiB free\n\
             portal  127.0.0.1:3260, 1 session (of 256 at most)\n\
             tapes   3: 3 AVAILABLE\n\n\
             DRIVE  STATE  TAPE  WRITTEN  READ\n"
        );
    }
}
