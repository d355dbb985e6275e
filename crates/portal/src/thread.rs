//! The thread of a session.
//!
//! Logins and discovery share a runtime. A session with a target then goes on in a thread with a runtime of its own:
//! the socket, the state machine and, through the router, the logical unit are served without a wake-up between
//! them, and whatever a logical unit does in the caller's thread holds up no other session.

use std::io;

use tokio::runtime;
use tokio::sync::mpsc;
use tokio::task::JoinError;

use crate::connection::{ConnectionTask, Detached};

/// Runs a session to its end in a thread of its own. `alive` is dropped last: who waits for it finds the socket
/// closed.
pub(crate) fn run(task: ConnectionTask, alive: mpsc::Sender<()>) {
    let started = task.detach().and_then(|session| {
        let thread = std::thread::Builder::new().name("session".to_owned());
        thread.spawn(move || {
            match live(session) {
                Ok(Ok(())) => {}
                Ok(Err(panic)) => tracing::error!(%panic, "a session was dropped: its task has panicked"),
                Err(error) => tracing::error!(%error, "a session was dropped: it cannot have a runtime of its own"),
            }
            drop(alive);
        })
    });
    if let Err(error) = started {
        tracing::error!(%error, "a session was dropped: it cannot have a thread of its own");
    }
}

fn live(session: Detached) -> io::Result<Result<(), JoinError>> {
    let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    runtime.block_on(async {
        let task = session.attach()?;
        // As a task, and not in the place of this future, it is woken from its own thread without a system call.
        Ok(tokio::spawn(task.run()).await)
    })
}
