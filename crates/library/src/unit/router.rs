//! A target as a transport sees it: logical units by number.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use capstan_scsi::Opcode;
use capstan_scsi::sam::{
    Completion, InitiatorPort, Lun, ManagementFunction, ManagementResponse, NexusId, Task, TaskId, TaskManagement,
    TaskObserver, TaskRouter,
};

use super::inbox::{Mouth, TaskInput};
use crate::events::{EventKind, Events, Subject};

/// The way into an actor that is a logical unit.
pub(crate) trait Unitlike: Send + Sync {
    fn post(&self, input: TaskInput);
}

impl<R: Send + 'static> Unitlike for Mouth<R> {
    fn post(&self, input: TaskInput) {
        Self::post(self, input);
    }
}

/// Tasks go to the actors; every LUN behind which there is none is answered here.
pub(crate) struct UnitRouter {
    units: Vec<Box<dyn Unitlike>>,
    luns: Vec<Lun>,
    name: String,
    events: Events,
    /// Names of those who are logged in.
    initiators: Mutex<BTreeMap<NexusId, String>>,
}

impl UnitRouter {
    /// A target whose logical units are numbered from 0.
    pub(crate) fn new(units: Vec<Box<dyn Unitlike>>, name: String, events: Events) -> Self {
        let luns = (0..=u8::MAX).take(units.len()).map(Lun::flat).collect();
        Self { units, luns, name, events, initiators: Mutex::default() }
    }

    fn tell(&self, kind: EventKind, initiator: &str, what: &str) {
        let drive = self.name.strip_prefix("drive-").and_then(|number| number.parse().ok());
        let target = if self.name.is_empty() { "the library" } else { &self.name };
        self.events.report(kind, Subject::new(drive, None), format!("{initiator} {what} {target}"));
    }

    fn initiators(&self) -> MutexGuard<'_, BTreeMap<NexusId, String>> {
        self.initiators.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unit(&self, lun: Lun) -> Option<&dyn Unitlike> {
        self.units.get(usize::from(lun.number()?)).map(Box::as_ref)
    }
}

impl TaskRouter for UnitRouter {
    fn nexus_established(&self, nexus: NexusId, initiator: &InitiatorPort) {
        self.initiators().insert(nexus, initiator.name.clone());
        self.tell(EventKind::LoggedIn, &initiator.name, "has logged in to");
        for unit in &self.units {
            unit.post(TaskInput::Established(nexus, initiator.clone()));
        }
    }

    fn nexus_lost(&self, nexus: NexusId) {
        let initiator = self.initiators().remove(&nexus);
        if let Some(initiator) = initiator {
            self.tell(EventKind::LoggedOut, &initiator, "is no longer logged in to");
        }
        for unit in &self.units {
            unit.post(TaskInput::Lost(nexus));
        }
    }

    fn submit(&self, lun: Lun, task: Task) {
        match self.unit(lun) {
            // Of several logical units each knows only itself. The list is the same through each of them.
            Some(unit) if self.luns.len() == 1 || Opcode(task.cdb.opcode()) != Opcode::REPORT_LUNS => {
                unit.post(TaskInput::Submit(task));
            }
            _ => task.observer.completed(task.id, capstan_device::unknown_logical_unit(&task.cdb, &self.luns)),
        }
    }

    fn data_out(&self, lun: Lun, task: TaskId, data: Bytes) {
        if let Some(unit) = self.unit(lun) {
            unit.post(TaskInput::DataOut(task, data));
        }
    }

    fn manage(&self, request: TaskManagement, observer: Arc<dyn TaskObserver>) {
        if request.function == ManagementFunction::TargetReset {
            let observer: Arc<dyn TaskObserver> = Arc::new(All { left: AtomicUsize::new(self.units.len()), observer });
            for unit in &self.units {
                unit.post(TaskInput::Manage(request, Arc::clone(&observer)));
            }
            return;
        }
        match self.unit(request.lun) {
            Some(unit) => unit.post(TaskInput::Manage(request, observer)),
            None => observer.managed(request.tag, ManagementResponse::LunDoesNotExist),
        }
    }
}

/// Passes on the last of several answers to one request.
struct All {
    left: AtomicUsize,
    observer: Arc<dyn TaskObserver>,
}

impl TaskObserver for All {
    fn need_data(&self, task: TaskId, received: u32, length: u32) {
        self.observer.need_data(task, received, length);
    }

    fn completed(&self, task: TaskId, completion: Completion) {
        self.observer.completed(task, completion);
    }

    fn managed(&self, tag: u64, response: ManagementResponse) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.observer.managed(tag, response);
        }
    }
}
