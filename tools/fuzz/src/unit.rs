//! Hosts in front of one logical unit: tasks, aborts and lost nexuses in any order.
//!
//! Invariants, for drive and changer alike:
//! - a task is answered once or aborted, never both, and none that a function aborted is answered after the function;
//! - when all is done nothing waits;
//! - the status is one of the standard's, TASK ABORTED only where another nexus cleared the task set;
//! - sense data is fixed format with a code of the table, and points at a byte of the CDB or list that there is;
//! - data never exceeds what the CDB allows, and the data asked for is what the CDB says.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use capstan_device::{DeviceServer, Instant, LogicalUnit, Step};
use capstan_scsi::asc::Asc;
use capstan_scsi::sam::{
    Attribute, Cdb, Completion, DataOut, InitiatorPort, Lun, ManagementFunction, ManagementResponse, NexusId, Status,
    Task, TaskId, TaskManagement, TaskObserver,
};

use crate::script::Script;

/// Who sends commands.
pub(crate) const HOSTS: [NexusId; 3] = [NexusId(1), NexusId(2), NexusId(3)];

/// Tasks that may wait.
const LIMIT: usize = 6;

struct Nobody;

impl TaskObserver for Nobody {
    fn need_data(&self, _: TaskId, _: u32, _: u32) {}
    fn completed(&self, _: TaskId, _: Completion) {}
    fn managed(&self, _: u64, _: ManagementResponse) {}
}

/// What a device does, as a target sees it.
pub(crate) trait World {
    type Device: DeviceServer;

    /// Performs an operation.
    fn perform(&mut self, op: <Self::Device as DeviceServer>::Op) -> <Self::Device as DeviceServer>::OpResult;

    /// A command has ended.
    fn ended(&mut self, ended: &Ended<'_>);

    /// What has changed was an aborted task's doing: it is to be taken as it is.
    fn settled(&mut self);

    /// The logical unit was reset.
    fn reset(&mut self);

    /// ALLOCATION LENGTH, where the command has one; 0 where it returns nothing.
    fn allocation_length(cdb: &[u8; 16]) -> Option<u32>;

    /// Bytes that the command takes according to its CDB.
    fn data_out_length(&self, cdb: &[u8; 16]) -> u32;
}

/// A command that has ended.
pub(crate) struct Ended<'a> {
    pub(crate) cdb: &'a [u8; 16],
    /// All that its host was ready to send.
    pub(crate) data: &'a [u8],
    pub(crate) completion: &'a Completion,
    /// Sense key, where there is sense data.
    pub(crate) key: Option<u8>,
    /// A task was aborted since the command before it ended, perhaps in the middle of an operation: what has changed
    /// may be that task's doing.
    pub(crate) disturbed: bool,
}

/// A task that is not answered.
struct Sent {
    cdb: [u8; 16],
    data: Bytes,
    immediate: usize,
    asked: Option<(u32, u32)>,
    /// Functions that abort it once they are answered.
    doomed: Vec<u64>,
    /// Another nexus clears the task set.
    cleared: bool,
    /// The function that aborted it is not answered, since its nexus is lost: nobody knows whether it is there.
    unknown: bool,
}

/// A logical unit and everybody who uses it.
pub(crate) struct Hosts<W: World> {
    pub(crate) unit: LogicalUnit<W::Device>,
    pub(crate) world: W,
    sent: BTreeMap<TaskId, Sent>,
    managing: BTreeMap<u64, (NexusId, ManagementFunction)>,
    pending: Option<<W::Device as DeviceServer>::Op>,
    /// The task of the operation that is being performed may be gone.
    disturbed: bool,
    tag: u64,
    now: Instant,
}

impl<W: World> Hosts<W> {
    pub(crate) fn new(device: W::Device, world: W) -> Self {
        let mut hosts = Self {
            unit: LogicalUnit::new(device, LIMIT),
            world,
            sent: BTreeMap::new(),
            managing: BTreeMap::new(),
            pending: None,
            disturbed: false,
            tag: 0,
            now: Instant(0),
        };
        HOSTS.into_iter().for_each(|nexus| hosts.establish(nexus));
        hosts
    }

    fn establish(&mut self, nexus: NexusId) {
        let initiator = InitiatorPort { name: format!("iqn.host{}", nexus.0), port: [0; 6] };
        self.unit.nexus_established(nexus, &initiator);
    }

    /// Something other than a command may happen now.
    pub(crate) fn is_quiet(&self) -> bool {
        !self.unit.is_performing() && self.pending.is_none()
    }

    pub(crate) fn submit(
        &mut self,
        nexus: NexusId,
        cdb: [u8; 16],
        data: Bytes,
        immediate: usize,
        attribute: Attribute,
    ) {
        self.tag += 1;
        let id = TaskId { nexus, tag: self.tag };
        let immediate = immediate.min(data.len());
        self.unit.submit(Task {
            id,
            attribute,
            cdb: Cdb(cdb),
            data_out: DataOut {
                expected: u32::try_from(data.len()).expect("small"),
                received: data.slice(..immediate),
            },
            data_in_limit: u32::MAX,
            observer: Arc::new(Nobody),
        });
        self.sent
            .insert(id, Sent { cdb, data, immediate, asked: None, doomed: Vec::new(), cleared: false, unknown: false });
    }

    /// A task management function, a lost nexus, or time.
    pub(crate) fn disturb(&mut self, script: &mut Script<'_>) {
        let nexus = script.pick(&HOSTS);
        let function = match script.byte() % 8 {
            0 => return self.lose(nexus),
            1 => ManagementFunction::AbortTaskSet,
            2 => ManagementFunction::ClearTaskSet,
            3 => ManagementFunction::LogicalUnitReset,
            4 => ManagementFunction::TargetReset,
            5 => {
                self.now = Instant(self.now.0 + u64::from(script.u16()));
                return;
            }
            _ => {
                let back = u64::from(script.byte() % 8);
                let id = TaskId { nexus: script.pick(&HOSTS), tag: self.tag.saturating_sub(back) };
                ManagementFunction::AbortTask(id)
            }
        };
        self.tag += 1;
        let tag = self.tag;
        for (id, sent) in &mut self.sent {
            let hit = match function {
                ManagementFunction::AbortTask(task) => *id == task && task.nexus == nexus,
                ManagementFunction::AbortTaskSet => id.nexus == nexus,
                ManagementFunction::ClearTaskSet
                | ManagementFunction::LogicalUnitReset
                | ManagementFunction::TargetReset => true,
            };
            if hit {
                sent.doomed.push(tag);
                sent.cleared |= function == ManagementFunction::ClearTaskSet && id.nexus != nexus;
            }
        }
        self.disturbed |= self.unit.is_performing() || self.pending.is_some();
        self.managing.insert(tag, (nexus, function));
        self.unit.manage(self.now, TaskManagement { nexus, lun: Lun::ZERO, function, tag }, Arc::new(Nobody));
        if matches!(function, ManagementFunction::LogicalUnitReset | ManagementFunction::TargetReset) {
            self.world.reset();
        }
    }

    fn lose(&mut self, nexus: NexusId) {
        self.disturbed |= self.unit.is_performing() || self.pending.is_some();
        self.unit.nexus_lost(nexus);
        self.sent.retain(|id, _| id.nexus != nexus);
        let (lost, kept) = std::mem::take(&mut self.managing).into_iter().partition(|(_, (from, _))| *from == nexus);
        self.managing = kept;
        let lost: BTreeMap<u64, (NexusId, ManagementFunction)> = lost;
        for sent in self.sent.values_mut() {
            sent.unknown |= sent.doomed.iter().any(|tag| lost.contains_key(tag));
        }
        self.establish(nexus);
    }

    /// Does one thing; false when there is nothing to do.
    pub(crate) fn turn(&mut self) -> bool {
        if let Some(op) = self.pending.take() {
            let result = self.world.perform(op);
            let step = self.unit.resume(self.now, result);
            return self.take(step);
        }
        let asked = self.sent.iter().find_map(|(id, sent)| sent.asked.map(|asked| (*id, asked)));
        if let Some((id, (received, length))) = asked {
            let sent = self.sent.get_mut(&id).expect("just found");
            sent.asked = None;
            let end = sent.data.len().min(usize::try_from(length).expect("32 bits"));
            let data = sent.data.slice(usize::try_from(received).expect("32 bits")..end);
            self.unit.data_out(id, data);
            return true;
        }
        let step = self.unit.step(self.now);
        self.take(step)
    }

    /// Lets everything end, then checks that it has.
    pub(crate) fn settle(&mut self) {
        while self.turn() {}
        assert!(!self.unit.is_performing() && self.unit.waiting() == 0);
        assert!(self.managing.is_empty(), "not answered: {:?}", self.managing);
        self.sent.retain(|_, sent| !sent.unknown);
        assert!(self.sent.is_empty(), "not answered: {:?}", self.sent.keys());
    }

    fn take(&mut self, step: Step<<W::Device as DeviceServer>::Op>) -> bool {
        let idle = matches!(step, Step::Idle);
        match step {
            Step::Idle => {}
            Step::Perform(op) => {
                assert!(self.pending.is_none(), "two operations at a time");
                self.pending = Some(op);
            }
            Step::NeedData { task, received, length, .. } => {
                let sent = self.sent.get_mut(&task).expect("data for a task that is not there");
                let immediate = u32::try_from(sent.immediate).expect("small");
                assert_eq!(received, 0, "all of it in one piece");
                assert!(immediate < length && sent.immediate < sent.data.len(), "nothing more can come");
                assert_eq!(length, self.world.data_out_length(&sent.cdb), "{:02x?}", sent.cdb);
                assert!(sent.asked.is_none());
                sent.asked = Some((received, length));
            }
            Step::Managed { tag, response, .. } => self.managed(tag, response),
            Step::Done(finished) => {
                let sent = self.sent.remove(&finished.task).expect("answered twice, or after it was aborted");
                self.check(&sent, &finished.completion);
            }
        }
        if self.disturbed && self.is_quiet() {
            self.world.settled();
            self.disturbed = false;
        }
        !idle
    }

    fn managed(&mut self, tag: u64, response: ManagementResponse) {
        let (_, function) = self.managing.remove(&tag).expect("answered twice, or to nobody");
        match (function, response) {
            (_, ManagementResponse::FunctionComplete) => self.sent.retain(|_, sent| !sent.doomed.contains(&tag)),
            (ManagementFunction::AbortTask(id), ManagementResponse::TaskDoesNotExist) => {
                let there = self.sent.get(&id).is_some_and(|sent| sent.doomed == [tag] && !sent.unknown);
                assert!(!there, "a task that is there does not exist");
            }
            other => panic!("{other:?}"),
        }
    }

    fn check(&mut self, sent: &Sent, completion: &Completion) {
        let cdb = &sent.cdb;
        let limit = W::allocation_length(cdb);
        let data_in = u32::try_from(completion.data_in.len()).expect("small");
        assert!(limit.is_none_or(|limit| data_in <= limit), "{cdb:02x?} returned {data_in} bytes");
        let takes = self.world.data_out_length(cdb);
        assert!([0, takes].contains(&completion.data_out_length), "{cdb:02x?} took {}", completion.data_out_length);
        let key = match completion.status {
            Status::CHECK_CONDITION => Some(check_sense(cdb, takes, &completion.sense)),
            _ => {
                assert!(completion.sense.is_empty());
                None
            }
        };
        match completion.status {
            Status::CHECK_CONDITION | Status::GOOD => {}
            Status::RESERVATION_CONFLICT => assert_eq!(data_in, 0),
            Status::TASK_ABORTED => {
                assert!(sent.cleared, "TASK ABORTED to who was not cleared by another");
                return;
            }
            Status::TASK_SET_FULL => return,
            other => panic!("{cdb:02x?}: {other:?}"),
        }
        let refused_at_once = completion.sense.get(12..14) == Some(&[0x49, 0]);
        if !refused_at_once {
            let disturbed = self.disturbed;
            self.world.ended(&Ended { cdb, data: &sent.data, completion, key, disturbed });
        }
    }
}

/// Fixed format, 18 bytes; gives the sense key.
fn check_sense(cdb: &[u8; 16], takes: u32, sense: &[u8]) -> u8 {
    assert_eq!(sense.len(), 18, "{cdb:02x?}");
    assert_eq!((sense[0] & 0x7f, sense[1], sense[7]), (0x70, 0, 10), "{cdb:02x?}");
    let (valid, key) = (sense[0] & 0x80 != 0, sense[2] & 0x0f);
    assert!(valid || sense[3..7] == [0; 4], "INFORMATION without VALID");
    assert_eq!(sense[2] & 0x10, 0, "reserved");
    assert!([0, 2, 3, 4, 5, 6, 7, 8, 0x0b, 0x0d].contains(&key), "{cdb:02x?}: sense key {key}");
    let code = Asc { asc: sense[12], ascq: sense[13] };
    assert!(code.text().is_some(), "{code:?}");
    let (pointer, field) = (sense[15], usize::from(u16::from_be_bytes([sense[16], sense[17]])));
    match (code, pointer & 0xc0) {
        (Asc::INVALID_FIELD_IN_CDB | Asc::INVALID_ELEMENT_ADDRESS, 0xc0) => {
            assert!(key == 5 && field < 16, "{cdb:02x?}: byte {field} of the CDB");
        }
        (Asc::INVALID_FIELD_IN_PARAMETER_LIST, 0x80) => {
            assert!(key == 5 && u32::try_from(field).is_ok_and(|field| field < takes), "{cdb:02x?}: byte {field}");
        }
        (Asc::INVALID_FIELD_IN_CDB | Asc::INVALID_FIELD_IN_PARAMETER_LIST, _) => panic!("{cdb:02x?}: no pointer"),
        (_, 0) => assert_eq!(field, 0),
        (code, pointer) => panic!("{cdb:02x?}: {code:?} with pointer {pointer:02x}"),
    }
    key
}

/// An operation code that the device has, mostly, and fields that are mostly small.
pub(crate) fn cdb(script: &mut Script<'_>, opcodes: &[u8]) -> [u8; 16] {
    let mut cdb = [0; 16];
    let choice = script.byte();
    cdb[0] = if script.byte() < 240 { script.pick(opcodes) } else { script.byte() };
    // Which bytes are not zero: often few, or most commands would end at a reserved bit.
    let mask = match choice & 3 {
        0 => 0,
        1 => 1 << (script.byte() % 16),
        2 => script.u16() & script.u16(),
        _ => script.u16(),
    };
    for (at, byte) in cdb.iter_mut().enumerate().skip(1) {
        if mask & (1 << at) != 0 {
            *byte = script.byte();
        }
    }
    cdb
}
