//! The way from a logical unit's thread to a connection's task.

use capstan_scsi::sam::{Completion, ManagementResponse, TaskId, TaskObserver};
use tokio::sync::mpsc::UnboundedSender;

/// What a connection's task is told by others.
#[derive(Debug)]
pub(crate) enum Message {
    /// See [`TaskObserver::need_data`].
    NeedData { task: TaskId, received: u32, length: u32 },
    /// See [`TaskObserver::completed`].
    Completed { task: TaskId, completion: Completion },
    /// See [`TaskObserver::managed`].
    Managed { tag: u64, response: ManagementResponse },
    /// The session that this one takes the place of is gone.
    Retry,
    /// Close now.
    Drop,
    /// Tell the initiator that the session is dropped, then close.
    Leave,
    /// The portal shuts down: end what runs, then close.
    Shutdown,
}

/// One for each session. Its queue holds at most two messages for each command and one for each function, and of
/// those there are no more than the session's window allows.
#[derive(Debug)]
pub(crate) struct Observer {
    pub(crate) sender: UnboundedSender<Message>,
}

impl Observer {
    fn send(&self, message: Message) {
        // A connection that is gone needs no answers.
        let _ = self.sender.send(message);
    }
}

impl TaskObserver for Observer {
    fn need_data(&self, task: TaskId, received: u32, length: u32) {
        self.send(Message::NeedData { task, received, length });
    }

    fn completed(&self, task: TaskId, completion: Completion) {
        self.send(Message::Completed { task, completion });
    }

    fn managed(&self, tag: u64, response: ManagementResponse) {
        self.send(Message::Managed { tag, response });
    }
}
