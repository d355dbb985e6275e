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

/// Decides whether an initiator may use a device, named as its own target would be (`changer`, `drive-00`).
pub type DeviceAccess = Arc<dyn Fn(&InitiatorPort, &str) -> bool + Send + Sync>;

/// A logical unit of a target.
pub(crate) struct Part {
    /// The device's name.
    pub(crate) name: String,
    pub(crate) unit: Box<dyn Unitlike>,
}

/// Tasks go to the actors; every LUN behind which there is none is answered here.
///
/// A logical unit that an initiator may not use is not there for it. The others keep their numbers, so LUN 0 can be one
/// that is not there; INQUIRY and REPORT LUNS are answered at it like at any other such LUN. [SPC-5 REPORT LUNS]
pub(crate) struct UnitRouter {
    parts: Vec<Part>,
    name: String,
    events: Events,
    access: Option<DeviceAccess>,
    /// Those who are logged in.
    hosts: Mutex<BTreeMap<NexusId, Host>>,
}

/// Who is logged in.
struct Host {
    name: String,
    /// The logical units that are there for it, in the order of their numbers.
    luns: Arc<[Lun]>,
}

impl UnitRouter {
    /// A target whose logical units are numbered from 0.
    pub(crate) fn new(parts: Vec<Part>, name: String, events: Events, access: Option<DeviceAccess>) -> Self {
        Self { parts, name, events, access, hosts: Mutex::default() }
    }

    fn tell(&self, kind: EventKind, initiator: &str, what: &str) {
        let drive = self.name.strip_prefix("drive-").and_then(|number| number.parse().ok());
        let target = if self.name.is_empty() { "the library" } else { &self.name };
        self.events.report(kind, Subject::new(drive, None), format!("{initiator} {what} {target}"));
    }

    fn hosts(&self) -> MutexGuard<'_, BTreeMap<NexusId, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The logical units that are there for who logs in.
    fn luns_for(&self, initiator: &InitiatorPort) -> Arc<[Lun]> {
        let numbered = (0..=u8::MAX).map(Lun::flat).zip(&self.parts);
        let allowed = |part: &Part| self.access.as_ref().is_none_or(|access| access(initiator, &part.name));
        numbered.filter(|(_, part)| allowed(part)).map(|(lun, _)| lun).collect()
    }

    /// The logical units that are there for a nexus.
    fn luns(&self, nexus: NexusId) -> Arc<[Lun]> {
        self.hosts().get(&nexus).map(|host| Arc::clone(&host.luns)).unwrap_or_default()
    }

    fn part(&self, lun: Lun) -> Option<&dyn Unitlike> {
        self.parts.get(usize::from(lun.number()?)).map(|part| part.unit.as_ref())
    }

    fn units(&self, luns: &[Lun]) -> Vec<&dyn Unitlike> {
        luns.iter().filter_map(|lun| self.part(*lun)).collect()
    }
}

/// The unit behind a LUN, where that is one of these. Its number counts, not the way in which it is written.
fn is_there(luns: &[Lun], lun: Lun) -> bool {
    lun.number().is_some_and(|number| luns.iter().any(|each| each.number() == Some(number)))
}

impl TaskRouter for UnitRouter {
    fn nexus_established(&self, nexus: NexusId, initiator: &InitiatorPort) {
        let luns = self.luns_for(initiator);
        self.hosts().insert(nexus, Host { name: initiator.name.clone(), luns: Arc::clone(&luns) });
        self.tell(EventKind::LoggedIn, &initiator.name, "has logged in to");
        for unit in self.units(&luns) {
            unit.post(TaskInput::Established(nexus, initiator.clone()));
        }
    }

    fn nexus_lost(&self, nexus: NexusId) {
        let Some(host) = self.hosts().remove(&nexus) else { return };
        self.tell(EventKind::LoggedOut, &host.name, "is no longer logged in to");
        for unit in self.units(&host.luns) {
            unit.post(TaskInput::Lost(nexus));
        }
    }

    fn submit(&self, lun: Lun, task: Task) {
        let luns = self.luns(task.id.nexus);
        // Of several logical units each knows only itself. The list is the same through each of them.
        let is_ours = self.parts.len() > 1 && Opcode(task.cdb.opcode()) == Opcode::REPORT_LUNS;
        match self.part(lun) {
            Some(unit) if !is_ours && is_there(&luns, lun) => unit.post(TaskInput::Submit(task)),
            _ => task.observer.completed(task.id, capstan_device::unknown_logical_unit(&task.cdb, &luns)),
        }
    }

    fn data_out(&self, lun: Lun, task: TaskId, data: Bytes) {
        // Only for a task that was submitted.
        if let Some(unit) = self.part(lun) {
            unit.post(TaskInput::DataOut(task, data));
        }
    }

    fn manage(&self, request: TaskManagement, observer: Arc<dyn TaskObserver>) {
        let luns = self.luns(request.nexus);
        if request.function == ManagementFunction::TargetReset {
            let units = self.units(&luns);
            if units.is_empty() {
                return observer.managed(request.tag, ManagementResponse::FunctionComplete);
            }
            let observer: Arc<dyn TaskObserver> = Arc::new(All { left: AtomicUsize::new(units.len()), observer });
            for unit in units {
                unit.post(TaskInput::Manage(request, Arc::clone(&observer)));
            }
            return;
        }
        match self.part(request.lun) {
            Some(unit) if is_there(&luns, request.lun) => unit.post(TaskInput::Manage(request, observer)),
            _ => observer.managed(request.tag, ManagementResponse::LunDoesNotExist),
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
