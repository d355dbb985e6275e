//! A host in front of a changer whose library is a map in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use capstan_device::smc::{ChangerIdentity, ChangerOp, ChangerResult, DriveIdentity, MediaChanger};
use capstan_device::{Instant, LogicalUnit, Step};
use capstan_media::{Barcode, Element, ElementAddress, ElementKind, Layout, MoveRefused};
use capstan_scsi::sam::{
    Attribute, Cdb, Completion, DataOut, InitiatorPort, ManagementFunction, ManagementResponse, NexusId, Status, Task,
    TaskId, TaskManagement, TaskObserver,
};

pub(crate) const NOW: Instant = Instant(0);
pub(crate) const ALICE: NexusId = NexusId(1);
pub(crate) const BOB: NexusId = NexusId(2);

pub(crate) const LAYOUT: Layout =
    Layout { transport_base: 1, io_base: 10, io_slots: 2, drive_base: 500, drives: 2, slot_base: 1000, slots: 4 };

struct Nobody;

impl TaskObserver for Nobody {
    fn need_data(&self, _: TaskId, _: u32, _: u32) {}
    fn completed(&self, _: TaskId, _: Completion) {}
    fn managed(&self, _: u64, _: ManagementResponse) {}
}

/// The library: what is where, and what it was asked to do.
pub(crate) struct Library {
    pub(crate) elements: BTreeMap<u16, Element>,
    pub(crate) refuse: Option<MoveRefused>,
    pub(crate) log: Vec<ChangerOp>,
}

impl Library {
    /// Every element of the layout, empty.
    pub(crate) fn new(layout: &Layout) -> Self {
        use ElementKind::{DataTransfer, ImportExport, MediumTransport, Storage};
        let mut elements = BTreeMap::new();
        for kind in [MediumTransport, Storage, ImportExport, DataTransfer] {
            let (first, count) = layout.range(kind);
            for address in first.0..first.0 + count {
                let address = ElementAddress(address);
                let element =
                    Element { address, kind, barcode: None, source: None, accessible: true, placed_by_operator: false };
                elements.insert(address.0, element);
            }
        }
        Self { elements, refuse: None, log: Vec::new() }
    }

    pub(crate) fn put(&mut self, address: u16, barcode: &str) -> &mut Element {
        let element = self.elements.get_mut(&address).unwrap();
        element.barcode = Some(Barcode::new(barcode).unwrap());
        element
    }

    pub(crate) fn barcode(&self, address: u16) -> Option<&str> {
        self.elements[&address].barcode.as_ref().map(Barcode::as_str)
    }

    fn perform(&mut self, op: ChangerOp) -> ChangerResult {
        self.log.push(op);
        match self.log.last().unwrap().clone() {
            ChangerOp::ReadElements { kind, start, count } => ChangerResult::Elements(
                self.elements
                    .values()
                    .filter(|element| element.address >= start && kind.is_none_or(|kind| kind == element.kind))
                    .take(usize::from(count))
                    .cloned()
                    .collect(),
            ),
            ChangerOp::Move { source, destination } => {
                self.refuse.take().map_or_else(|| self.shift(source, destination), ChangerResult::Refused)
            }
            ChangerOp::Exchange { source, first_destination, second_destination } => {
                match self.shift(first_destination, second_destination) {
                    ChangerResult::Moved => self.shift(source, first_destination),
                    refused => refused,
                }
            }
        }
    }

    fn shift(&mut self, source: ElementAddress, destination: ElementAddress) -> ChangerResult {
        if self.barcode(source.0).is_none() {
            return ChangerResult::Refused(MoveRefused::SourceEmpty(source));
        }
        if self.barcode(destination.0).is_some() {
            return ChangerResult::Refused(MoveRefused::DestinationFull(destination));
        }
        let from = self.elements.get_mut(&source.0).unwrap();
        let barcode = from.barcode.take();
        let origin = if from.kind == ElementKind::Storage { Some(source) } else { from.source };
        from.source = None;
        let to = self.elements.get_mut(&destination.0).unwrap();
        (to.barcode, to.source) = (barcode, origin);
        ChangerResult::Moved
    }
}

/// The changer, its library, and a way to send commands.
pub(crate) struct Host {
    pub(crate) unit: LogicalUnit<MediaChanger>,
    pub(crate) library: Library,
    tag: u64,
}

impl Host {
    pub(crate) fn new(layout: Layout) -> Self {
        let drives = (0..layout.drives).map(|index| DriveIdentity {
            vendor: "IBM",
            product: "ULT3580-TD8",
            serial: format!("CAP000000{index}"),
        });
        let identity = ChangerIdentity {
            serial: "CAPCHANGER".to_owned(),
            naa: 0x3123_4567_89ab_cdef,
            target: Some("iqn.2026-11.io.capstan:gw.changer".to_owned()),
        };
        let changer = MediaChanger::new(identity, layout, drives.collect());
        Self { unit: LogicalUnit::new(changer, 16), library: Library::new(&layout), tag: 0 }
    }

    /// The layout of the tests with cartridges in slots 1 and 2, in an import slot and in the second drive; both
    /// hosts have logged in and taken note.
    pub(crate) fn ready() -> Self {
        let mut host = Self::new(LAYOUT);
        host.library.put(1000, "CAP001L8");
        host.library.put(1001, "CAP002L8");
        host.library.put(10, "CAP003L8").placed_by_operator = true;
        let loaded = host.library.put(501, "CAP004L8");
        loaded.source = Some(ElementAddress(1003));
        loaded.accessible = false;
        for nexus in [ALICE, BOB] {
            host.login(nexus);
            host.settle(nexus);
        }
        host.library.log.clear();
        host
    }

    pub(crate) fn login(&mut self, nexus: NexusId) {
        let name = format!("iqn.2026-11.io.example:{}", nexus.0);
        self.unit.nexus_established(nexus, &InitiatorPort { name, port: [0; 6] });
    }

    /// TEST UNIT READY until nothing is reported; returns the additional sense codes seen.
    pub(crate) fn settle(&mut self, nexus: NexusId) -> Vec<[u8; 2]> {
        let mut seen = Vec::new();
        for _ in 0..10 {
            let answer = self.send(nexus, &[0; 6], &[]);
            if answer.status == Status::GOOD {
                return seen;
            }
            assert_eq!(answer.sense[2], 6);
            seen.push([answer.sense[12], answer.sense[13]]);
        }
        panic!("unit attentions without end");
    }

    /// Sends a command with data and returns its end.
    pub(crate) fn send(&mut self, nexus: NexusId, cdb: &[u8], data: &[u8]) -> Completion {
        let mut bytes = [0; 16];
        bytes[..cdb.len()].copy_from_slice(cdb);
        self.tag += 1;
        let id = TaskId { nexus, tag: self.tag };
        let task = Task {
            id,
            attribute: Attribute::Simple,
            cdb: Cdb(bytes),
            data_out: DataOut { expected: u32::try_from(data.len()).unwrap(), received: Bytes::new() },
            data_in_limit: 0,
            observer: Arc::new(Nobody),
        };
        self.unit.submit(task);
        let mut step = self.unit.step(NOW);
        loop {
            step = match step {
                Step::Done(finished) => {
                    assert_eq!(finished.task, id);
                    assert!(matches!(self.unit.step(NOW), Step::Idle));
                    return finished.completion;
                }
                Step::Perform(op) => {
                    let result = self.library.perform(op);
                    self.unit.resume(NOW, result)
                }
                Step::NeedData { task, received, length, .. } => {
                    assert_eq!((task, received), (id, 0));
                    let length = usize::try_from(length).unwrap();
                    self.unit.data_out(id, Bytes::copy_from_slice(&data[..length.min(data.len())]));
                    self.unit.step(NOW)
                }
                Step::Managed { .. } | Step::Idle => panic!("no end of command {cdb:02x?}"),
            };
        }
    }

    /// The data of a command that must succeed.
    pub(crate) fn read(&mut self, cdb: &[u8]) -> Bytes {
        let answer = self.send(ALICE, cdb, &[]);
        assert_eq!(answer.status, Status::GOOD, "{cdb:02x?}: {:02x?}", &answer.sense[..]);
        answer.data_in
    }

    /// Key, code and qualifier of a command that must fail, with its field pointer.
    pub(crate) fn refused(&mut self, cdb: &[u8]) -> ([u8; 3], [u8; 3]) {
        let answer = self.send(ALICE, cdb, &[]);
        assert_eq!(answer.status, Status::CHECK_CONDITION, "{cdb:02x?}");
        sense(&answer)
    }

    pub(crate) fn reset(&mut self) {
        let request = TaskManagement {
            nexus: ALICE,
            lun: capstan_scsi::sam::Lun::ZERO,
            function: ManagementFunction::LogicalUnitReset,
            tag: 0,
        };
        self.unit.manage(NOW, request, Arc::new(Nobody));
        assert!(matches!(self.unit.step(NOW), Step::Managed { response: ManagementResponse::FunctionComplete, .. }));
    }
}

/// Key, code and qualifier; field pointer.
pub(crate) fn sense(answer: &Completion) -> ([u8; 3], [u8; 3]) {
    let sense = &answer.sense;
    assert_eq!((sense.len(), sense[0] & 0x7f), (18, 0x70));
    ([sense[2] & 0x0f, sense[12], sense[13]], [sense[15], sense[16], sense[17]])
}
