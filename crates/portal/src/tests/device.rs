//! A logical unit that keeps what was written last, and remembers what it was told.

use std::collections::VecDeque;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use bytes::{Bytes, BytesMut};
use capstan_scsi::sam::*;

/// What happened to nexuses, in order.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Seen {
    Established(NexusId, String),
    Lost(NexusId),
    Aborted,
}

enum Message {
    Submit(Task),
    DataOut(TaskId, Bytes),
    Lost(NexusId),
    Manage(TaskManagement, Arc<dyn TaskObserver>),
    Release,
}

pub(super) struct Device {
    queue: Mutex<Sender<Message>>,
    pub(super) seen: Arc<Mutex<Vec<Seen>>>,
    /// Commands that were submitted.
    pub(super) submitted: Arc<Mutex<usize>>,
}

impl Device {
    pub(super) fn start() -> Arc<Self> {
        let (queue, messages) = channel();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let unit = Unit { seen: Arc::clone(&seen), ..Unit::default() };
        thread::spawn(move || messages.into_iter().fold(unit, Unit::step));
        Arc::new(Self { queue: Mutex::new(queue), seen, submitted: Arc::default() })
    }

    /// Lets a stuck command end.
    pub(super) fn release(&self) {
        self.send(Message::Release);
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn send(&self, message: Message) {
        self.queue.lock().unwrap().send(message).unwrap();
    }
}

impl TaskRouter for Device {
    fn nexus_established(&self, nexus: NexusId, initiator: &InitiatorPort) {
        self.seen.lock().unwrap().push(Seen::Established(nexus, initiator.name.clone()));
    }

    fn nexus_lost(&self, nexus: NexusId) {
        self.seen.lock().unwrap().push(Seen::Lost(nexus));
        self.send(Message::Lost(nexus));
    }

    fn submit(&self, lun: Lun, task: Task) {
        assert_eq!(lun, Lun::ZERO);
        *self.submitted.lock().unwrap() += 1;
        self.send(Message::Submit(task));
    }

    fn data_out(&self, _: Lun, task: TaskId, data: Bytes) {
        self.send(Message::DataOut(task, data));
    }

    fn manage(&self, request: TaskManagement, observer: Arc<dyn TaskObserver>) {
        self.send(Message::Manage(request, observer));
    }
}

/// Runs one command after another, as a tape does.
#[derive(Default)]
struct Unit {
    block: Bytes,
    current: Option<Task>,
    waiting: VecDeque<Task>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Unit {
    fn step(mut self, message: Message) -> Self {
        match message {
            Message::Submit(task) => self.waiting.push_back(task),
            Message::DataOut(id, rest) => {
                let task = self.current.take().unwrap();
                assert_eq!(task.id, id);
                let mut whole = BytesMut::from(&task.data_out.received[..]);
                whole.extend_from_slice(&rest);
                self.write(&task, whole.freeze());
            }
            Message::Lost(nexus) => {
                self.current.take_if(|task| task.id.nexus == nexus);
                self.waiting.retain(|task| task.id.nexus != nexus);
            }
            Message::Manage(request, observer) => {
                let doomed = |task: &Task| match request.function {
                    ManagementFunction::AbortTask(id) => task.id == id,
                    _ => true,
                };
                let found = self.current.take_if(|task| doomed(task)).is_some();
                self.waiting.retain(|task| !doomed(task));
                self.seen.lock().unwrap().push(Seen::Aborted);
                let response =
                    if found { ManagementResponse::FunctionComplete } else { ManagementResponse::TaskDoesNotExist };
                observer.managed(request.tag, response);
            }
            Message::Release => {
                let task = self.current.take().unwrap();
                task.observer.completed(task.id, Completion::good());
            }
        }
        while self.current.is_none()
            && let Some(task) = self.waiting.pop_front()
        {
            self.run(task);
        }
        self
    }

    fn run(&mut self, task: Task) {
        let [opcode, _, high, middle, low, ..] = task.cdb.0;
        let length = u32::from_be_bytes([0, high, middle, low]);
        let received = u32::try_from(task.data_out.received.len()).unwrap();
        match opcode {
            0xff => self.current = Some(task),
            0x0a if received < length.min(task.data_out.expected) => {
                task.observer.need_data(task.id, received, length);
                self.current = Some(task);
            }
            0x0a => {
                let data = task.data_out.received.clone();
                self.write(&task, data);
            }
            0x08 => {
                let end = self.block.len().min(usize::try_from(length).unwrap());
                task.observer.completed(task.id, Completion::good_with(self.block.slice(..end)));
            }
            _ => task.observer.completed(task.id, Completion::good()),
        }
    }

    fn write(&mut self, task: &Task, data: Bytes) {
        let data_out_length = u32::try_from(data.len()).unwrap();
        self.block = data;
        task.observer.completed(task.id, Completion { data_out_length, ..Completion::good() });
    }
}
