//! `capstan status`

use std::time::Duration;

use capstan_api::{Area, Status as Answer, Tier};
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
    format!(
        "Capstan {}, gateway {}, up {up}\n\n\
         state   {}\n\
         {}\
         portal  {}, {} (of {} at most)\n\
         tapes   {}{}\n\n{}",
        status.version,
        status.gateway,
        status.state_dir,
        if status.upload_buffer.size == 0 { disk(&status.cache) } else { areas(status) },
        portal.addresses.join(", "),
        output::count(portal.sessions, "session"),
        portal.max_sessions,
        status.tapes.total,
        if states.is_empty() { String::new() } else { format!(": {}", states.join(", ")) },
        drive::table(&status.drives)
    )
}

/// Where nothing is shipped all is on one disk.
fn disk(disk: &Area) -> String {
    let free = disk.size.saturating_sub(disk.used);
    format!("disk    {} on cartridges, {} free\n", output::size(disk.used), output::size(free))
}

/// How full the areas are, what is not shipped yet, and how the tiers do.
fn areas(status: &Answer) -> String {
    let unsent = match (status.unshipped_bytes, status.oldest_unshipped_seconds) {
        (0, 0) => "nothing".to_owned(),
        (bytes, age) => {
            format!("{}, the oldest for {}", output::size(bytes), output::age(Duration::from_secs(age)))
        }
    };
    let mut text = area("buffer", &status.upload_buffer) + &area("cache ", &status.cache);
    text.push_str(&format!("unsent  {unsent}\n"));
    text.extend(status.tiers.iter().map(tier));
    text
}

fn area(name: &str, area: &Area) -> String {
    let Area { path, used, size, free, problems } = area;
    let (percent, used, size) = (output::percent(*used, *size), output::size(*used), output::size(*size));
    let free = free.map(|free| format!(" ({} free on its disk)", output::size(free))).unwrap_or_default();
    let mut text = format!("{name}  {used} of {size} ({percent} %), {path}{free}\n");
    text.extend(problems.iter().map(|problem| format!("        PROBLEM: {problem}\n")));
    text
}

fn tier(tier: &Tier) -> String {
    let problem = tier.problem.as_ref().map(|problem| format!(" ({problem})")).unwrap_or_default();
    let (sends, fetches) = (output::rate(tier.upload_rate), output::rate(tier.download_rate));
    let retries = if tier.retries == 1 { "1 retry".to_owned() } else { format!("{} retries", tier.retries) };
    let (name, state) = (&tier.name, tier.state);
    let mut text = format!("tier    {name}: {state}{problem}, sends {sends}, fetches {fetches}, {retries}\n");
    if let Some(error) = &tier.last_error {
        text.push_str(&format!("        last error {} ago: {}\n", output::age(output::since(error.time)), error.text));
    }
    text.extend(tier.notes.iter().map(|note| format!("        note: {note}\n")));
    text
}

#[cfg(test)]
mod tests {
    use capstan_api::{Portal, Tapes, TierState};

    use super::*;

    fn status() -> Answer {
        Answer {
            version: "0.1.0".into(),
            gateway: "gw".into(),
            state_dir: "/srv/capstan".into(),
            uptime_seconds: 61,
            portal: Portal { addresses: vec!["127.0.0.1:3260".into()], sessions: 1, max_sessions: 256 },
            targets: Vec::new(),
            drives: Vec::new(),
            tapes: Tapes { total: 3, by_state: [("AVAILABLE".to_owned(), 3)].into() },
            upload_buffer: Area::default(),
            cache: Area { path: "/srv/capstan".into(), used: 1 << 20, size: 1 << 30, free: None, problems: Vec::new() },
            unshipped_bytes: 0,
            oldest_unshipped_seconds: 0,
            tiers: Vec::new(),
        }
    }

    #[test]
    fn a_page_for_people() {
        assert_eq!(
            text(&status()),
            "Capstan 0.1.0, gateway gw, up 1 min 1 s\n\n\
             state   /srv/capstan\n\
             disk    1 MiB on cartridges, 1023 MiB free\n\
             portal  127.0.0.1:3260, 1 session (of 256 at most)\n\
             tapes   3: 3 AVAILABLE\n\n\
             DRIVE  STATE  TAPE  WRITTEN  READ\n"
        );
    }

    #[test]
    fn what_waits_for_the_tier() {
        let cloud = Tier {
            name: "cloud".into(),
            kind: "s3".into(),
            place: "https://s3.example.org/tapes".into(),
            state: TierState::Unavailable,
            problem: Some("the connection was refused".into()),
            notes: Vec::new(),
            proof: "checked".into(),
            encryption: None,
            uploads: 0,
            parallel: 4,
            uploaded_bytes: 0,
            downloaded_bytes: 0,
            upload_rate: 3 << 20,
            download_rate: 0,
            upload_limit: None,
            download_limit: None,
            retries: 1,
            last_error: None,
        };
        let mut status = Answer { unshipped_bytes: 5 << 20, oldest_unshipped_seconds: 70, ..status() };
        status.upload_buffer = Area {
            path: "/srv/buffer".into(),
            used: 6 << 20,
            size: 60 << 20,
            free: Some(5 << 30),
            problems: vec!["md3 has lost a disk".into()],
        };
        let areas = "buffer  6 MiB of 60 MiB (10 %), /srv/buffer (5 GiB free on its disk)\n        PROBLEM: md3 has lost a disk\n\
                     cache   1 MiB of 1 GiB (0 %), /srv/capstan\n";
        status.tiers.push(cloud);
        let expected = "unsent  5 MiB, the oldest for 1 min 10 s\n\
                        tier    cloud: unavailable (the connection was refused), sends 3 MiB/s, fetches 0 B/s, 1 retry\n";
        assert_eq!(super::areas(&status), format!("{areas}{expected}"));
        let all_sent = Answer { unshipped_bytes: 0, oldest_unshipped_seconds: 0, tiers: Vec::new(), ..status };
        assert_eq!(super::areas(&all_sent), format!("{areas}unsent  nothing\n"));
    }
}
