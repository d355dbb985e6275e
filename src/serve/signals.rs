//! Being asked to stop.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tracing::warn;

/// SIGTERM and SIGINT: the first asks to stop and is named by what this gives, the second ends the process at once.
///
/// A task of its own listens, so that a second signal counts whatever the rest of the process waits for. The second
/// is like a crash: what was acknowledged is there at the next start, but loaded tapes have lost their position.
///
/// # Errors
/// The system does not allow it.
pub(super) fn listen() -> io::Result<oneshot::Receiver<&'static str>> {
    let mut signals =
        Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? };
    let (asked, asks) = oneshot::channel();
    tokio::spawn(async move {
        let _ = asked.send(signals.next().await);
        let signal = signals.next().await;
        warn!(signal, "asked to stop again: ending at once");
        std::process::exit(1);
    });
    Ok(asks)
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// The next one, by name.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
