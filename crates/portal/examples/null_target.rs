//! A tape drive that forgets: WRITE(6) data is discarded, READ(6) brings zeros. For trying the portal with foreign
//! initiators, and as the null target of benchmarks.
//!
//! `cargo run --release -p capstan-portal --example null_target -- 127.0.0.1:3260 [targets [initiator...]]`, where an
//! initiator that is listed is its name, or `name,user,secret` or `name,user,secret,mutual user,mutual secret` to try
//! CHAP. Secrets on a command line are for trying only: every user of the machine can read them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stderr, missing_docs)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use bytes::Bytes;
use capstan_iscsi::chap::{Credentials, Secret};
use capstan_portal::{Initiator, Initiators, PortalConfig, Target, start};
use capstan_scsi::sam::{
    Completion, InitiatorPort, Lun, ManagementResponse, NexusId, Task, TaskId, TaskManagement, TaskObserver, TaskRouter,
};
use capstan_scsi::{Asc, CheckCondition, SenseKey};

/// What the logical unit's thread is told.
enum Message {
    Submit(Lun, Task),
    DataOut(TaskId),
    Manage(TaskManagement, Arc<dyn TaskObserver>),
}

/// A queue to the thread.
struct NullRouter(Sender<Message>);

impl TaskRouter for NullRouter {
    fn nexus_established(&self, _: NexusId, _: &InitiatorPort) {}
    fn nexus_lost(&self, _: NexusId) {}
    fn submit(&self, lun: Lun, task: Task) {
        let _ = self.0.send(Message::Submit(lun, task));
    }
    fn data_out(&self, _: Lun, task: TaskId, _: Bytes) {
        let _ = self.0.send(Message::DataOut(task));
    }
    fn manage(&self, request: TaskManagement, observer: Arc<dyn TaskObserver>) {
        let _ = self.0.send(Message::Manage(request, observer));
    }
}

fn null_router() -> Arc<NullRouter> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut waiting: Vec<Task> = Vec::new();
        let zeros = Bytes::from(vec![0; 16 << 20]);
        for message in receiver {
            match message {
                Message::Submit(lun, task) => submit(lun, task, &mut waiting, &zeros),
                Message::DataOut(id) => {
                    if let Some(at) = waiting.iter().position(|task| task.id == id) {
                        let task = waiting.swap_remove(at);
                        task.observer.completed(id, written(&task));
                    }
                }
                Message::Manage(request, observer) => {
                    waiting.retain(|task| task.id.nexus != request.nexus);
                    observer.managed(request.tag, ManagementResponse::FunctionComplete);
                }
            }
        }
    });
    Arc::new(NullRouter(sender))
}

/// TRANSFER LENGTH or ALLOCATION LENGTH in bytes 2-4.
fn length(task: &Task) -> u32 {
    let [_, _, high, middle, low, ..] = task.cdb.0;
    u32::from_be_bytes([0, high, middle, low])
}

fn written(task: &Task) -> Completion {
    Completion { data_out_length: length(task), ..Completion::good() }
}

fn submit(lun: Lun, task: Task, waiting: &mut Vec<Task>, zeros: &Bytes) {
    let is_here = lun == Lun::ZERO;
    let data =
        |bytes: &[u8], limit: usize| Completion::good_with(Bytes::copy_from_slice(&bytes[..bytes.len().min(limit)]));
    let [_, _, _, high, low, ..] = task.cdb.0;
    let completion = match task.cdb.opcode() {
        0x12 if task.cdb.0[1] == 0 => {
            let mut inquiry = *b"\x01\x80\x05\x02\x1f\0\0\0CAPSTAN NULL            0001";
            if !is_here {
                inquiry[0] = 0x7f;
            }
            data(&inquiry, usize::from(u16::from_be_bytes([high, low])))
        }
        0xa0 => data(&[0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], usize::MAX),
        _ if !is_here => {
            let condition = CheckCondition::new(SenseKey::IllegalRequest, Asc::LOGICAL_UNIT_NOT_SUPPORTED);
            condition.into_completion(Bytes::new())
        }
        0x00 | 0x01 | 0x10 => Completion::good(),
        0x05 => data(&[0, 0xff, 0xff, 0xff, 0, 1], usize::MAX),
        0x08 => Completion::good_with(zeros.slice(..usize::try_from(length(&task)).unwrap())),
        0x0a => {
            let received = u32::try_from(task.data_out.received.len()).unwrap();
            let wanted = length(&task).min(task.data_out.expected);
            if received < wanted {
                task.observer.need_data(task.id, received, length(&task));
                waiting.push(task);
                return;
            }
            written(&task)
        }
        _ => {
            let condition = CheckCondition::new(SenseKey::IllegalRequest, Asc::INVALID_COMMAND_OPERATION_CODE);
            condition.into_completion(Bytes::new())
        }
    };
    task.observer.completed(task.id, completion);
}

fn initiator(text: &str) -> Initiator {
    let parts: Vec<_> = text.split(',').collect();
    let credentials =
        |at: usize| Some(Credentials { user: (*parts.get(at)?).to_owned(), secret: Secret::new(*parts.get(at + 1)?) });
    Initiator { name: parts[0].to_owned(), chap: credentials(1), mutual: credentials(3) }
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let listen: SocketAddr = arguments.next().map_or("127.0.0.1:3260".parse(), |text| text.parse()).unwrap();
    let count: usize = arguments.next().map_or(1, |text| text.parse().unwrap());
    let targets = (0..count)
        .map(|number| Target::new(format!("iqn.2026-11.io.capstan:null.drive-{number:02}"), null_router()))
        .collect();
    let listed: Vec<_> = arguments.map(|text| initiator(&text)).collect();
    let initiators = if listed.is_empty() { Initiators::Anyone } else { Initiators::Listed(listed) };
    let config = PortalConfig { initiators, ..PortalConfig::new(vec![listen]) };
    let portal = start(config, targets).await.unwrap();
    eprintln!("listening at {:?}", portal.local_addrs());
    tokio::signal::ctrl_c().await.unwrap();
    portal.shutdown().await;
}
