//! The command line: what there is. What each command does is in its own file under `commands`.

use std::path::PathBuf;

use capstan_api::Client;
use clap::{Args, Parser, Subcommand};
use serde::Serialize;

use crate::failure::Failure;
use crate::{commands, daemon, output};

/// A virtual tape library: backup software sees, over iSCSI, a media changer and ten LTO drives.
#[derive(Parser)]
#[command(name = "capstan", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What every command understands.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Globals {
    /// Answer in JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Do not ask before something is lost
    #[arg(long, short, global = true)]
    pub(crate) yes: bool,
    /// Socket of the daemon [default: $CAPSTAN_SOCKET, ./capstan-data/capstan.sock, /run/capstan/capstan.sock]
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// Wait until the jobs that were begun have ended: the default
    #[arg(long, global = true, hide = true)]
    wait: bool,
    /// Do not wait for jobs that were begun: `capstan job wait` does
    #[arg(long, global = true, conflicts_with = "wait")]
    pub(crate) no_wait: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Serve(commands::serve::Serve),
    Init(commands::init::Init),
    CheckConfig(commands::check_config::CheckConfig),
    Status(commands::status::Status),
    Demo(commands::demo::Demo),
    Tape(commands::tape::Tape),
    Tier(commands::tier::Tier),
    Key(commands::key::Key),
    Library(commands::library::Library),
    Drive(commands::drive::Drive),
    Session(commands::session::Session),
    Events(commands::events::Events),
    Job(commands::job::Job),
    Recover(commands::recover::Recover),
    State(commands::state::State),
    Inspect(capstan_inspect::Inspect),
    Version(commands::version::Version),
    Completions(commands::completions::Completions),
    Man(commands::man::Man),
}

impl Command {
    /// Does it.
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        match self {
            Self::Serve(command) => command.run(globals).await,
            Self::Init(command) => command.run(globals),
            Self::CheckConfig(command) => command.run(globals),
            Self::Status(command) => command.run(globals).await,
            Self::Demo(command) => command.run(globals).await,
            Self::Tape(command) => command.run(globals).await,
            Self::Tier(command) => command.run(globals).await,
            Self::Key(command) => command.run(globals).await,
            Self::Library(command) => command.run(globals).await,
            Self::Drive(command) => command.run(globals).await,
            Self::Session(command) => command.run(globals).await,
            Self::Events(command) => command.run(globals).await,
            Self::Job(command) => command.run(globals).await,
            Self::Recover(command) => command.run(globals).await,
            Self::State(command) => command.run(globals).await,
            Self::Inspect(command) => commands::inspect::run(&command, globals),
            Self::Version(command) => command.run(globals),
            Self::Completions(command) => command.run(globals),
            Self::Man(command) => command.run(globals),
        }
    }
}

impl Globals {
    /// A client for the daemon.
    pub(crate) async fn client(&self) -> Result<Client, Failure> {
        daemon::find(self.socket.as_deref()).await
    }

    /// Prints an answer: as JSON, or as `text` makes it for people.
    pub(crate) fn answer<T: Serialize + ?Sized>(&self, value: &T, text: impl FnOnce(&T) -> String) {
        if self.json { output::json(value) } else { output::print(&text(value)) }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    const HEAD: &str = "\
# Commands

<!-- Made from src/cli.rs and src/commands; `cargo xtask docs` writes it anew. -->

`capstan serve` is the daemon; the other commands ask it over its admin socket, save `init`, `check-config`, `demo`,
`recover`, `state import`, `inspect`, `version`, `completions` and `man`, which need no daemon.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | it was tried and failed, or the present state does not allow it |
| 2 | the command was not given rightly |
| 3 | no daemon answers |
| 4 | a rule forbids it: protection, a host that prevents removal, a missing `--yes`, an open portal |

With `--json` the answer is JSON on standard output (`serve` says one line when it is ready, `demo` one line for each
step, `status --watch` one line each time, `events --follow` one line for each event), and a failure is
`{\"error\": {kind, message, why, next}}` on standard error. The fields are those of the [admin API](admin-api.md).
";

    /// The page of the reference: what `--help` says, for every command.
    fn reference() -> String {
        let mut root = Cli::command();
        root.build();
        let mut page = HEAD.to_owned();
        describe(&mut root, "capstan", &mut page);
        page
    }

    fn describe(command: &mut clap::Command, name: &str, page: &mut String) {
        let help = command.render_help().to_string();
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        page.push_str(&format!("\n## `{name}`\n\n```text\n{}\n```\n", lines.join("\n").trim_end()));
        let visible = command.get_subcommands_mut().filter(|each| !each.is_hide_set() && each.get_name() != "help");
        for each in visible {
            let name = format!("{name} {}", each.get_name());
            describe(each, &name, page);
        }
    }

    #[test]
    fn the_reference_page_is_what_help_says() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/cli.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(file, reference()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(file).unwrap(), reference(), "run cargo xtask docs");
    }
}
