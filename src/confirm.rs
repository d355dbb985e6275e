//! Asking before something is lost.

use std::io::{self, BufRead, IsTerminal};

use crate::cli::Globals;
use crate::failure::{Exit, Failure};
use crate::output;

/// Goes on only if `--yes` was given or somebody at the terminal says yes. `act` completes "This would ...".
pub(crate) fn confirm(globals: &Globals, act: &str) -> Result<(), Failure> {
    if globals.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::new(Exit::Refused, format!("this would {act}: not done without --yes"))
            .why("there is no terminal to ask at")
            .next("give --yes if you mean it"));
    }
    output::note(&format!("This would {act}.\nType `yes` to go on: "));
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    match (read, answer.trim()) {
        (Ok(_), "yes" | "y") => Ok(()),
        _ => Err(Failure::new(Exit::Refused, "nothing was done").why("the answer was not `yes`")),
    }
}
