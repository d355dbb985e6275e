//! Finding the daemon.

use std::path::{Path, PathBuf};

use capstan_api::Client;

use crate::failure::{Exit, Failure};

/// Where a daemon is looked for when nothing else is said, in this order.
const USUAL: [&str; 2] = ["./capstan-data/capstan.sock", "/run/capstan/capstan.sock"];

/// Environment variable that names the socket.
pub(crate) const VARIABLE: &str = "CAPSTAN_SOCKET";

/// A client for the daemon that answers.
///
/// A socket that the user names, by flag or variable, is the only one looked at: to go on to another daemon would act
/// on the wrong library.
pub(crate) async fn find(flag: Option<&Path>) -> Result<Client, Failure> {
    let mut tried = Vec::new();
    for candidate in candidates(flag, std::env::var_os(VARIABLE).map(PathBuf::from)) {
        let client = Client::new(&candidate.path);
        match client.probe().await {
            Ok(()) => return Ok(client),
            Err(error) => tried.push(format!("{}{}: {error}", candidate.path.display(), candidate.reason)),
        }
    }
    Err(Failure::new(Exit::NoDaemon, "no daemon answers")
        .why(tried.join("\n"))
        .next(format!("start one with `capstan serve`, or name its socket with --socket or ${VARIABLE}")))
}

/// Whether a daemon at this socket is found without being named.
pub(crate) fn is_usual(socket: &Path) -> bool {
    USUAL.iter().any(|usual| socket == Path::new(usual))
}

#[derive(PartialEq, Eq, Debug)]
struct Candidate {
    path: PathBuf,
    reason: &'static str,
}

fn candidates(flag: Option<&Path>, variable: Option<PathBuf>) -> Vec<Candidate> {
    if let Some(path) = flag {
        return vec![Candidate { path: path.to_owned(), reason: " (--socket)" }];
    }
    if let Some(path) = variable.filter(|path| !path.as_os_str().is_empty()) {
        return vec![Candidate { path, reason: " ($CAPSTAN_SOCKET)" }];
    }
    USUAL.iter().map(|path| Candidate { path: PathBuf::from(path), reason: "" }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_socket_is_the_only_one() {
        let paths = |flag: Option<&str>, variable: Option<&str>| -> Vec<String> {
            let found = candidates(flag.map(Path::new), variable.map(PathBuf::from));
            found.iter().map(|candidate| candidate.path.display().to_string()).collect()
        };
        assert_eq!(paths(Some("a"), Some("b")), ["a"]);
        assert_eq!(paths(None, Some("b")), ["b"]);
        assert_eq!(paths(None, Some("")), USUAL);
        assert_eq!(paths(None, None), USUAL);
    }
}
