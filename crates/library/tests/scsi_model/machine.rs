//! A drive with a cartridge, run step by step on the test's own thread.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use capstan_cartridge::{Cartridge, NewCartridge, Options};
use capstan_device::ssc::{DriveOp, DriveResult, Medium, TapeDrive};
use capstan_device::{Instant, LogicalUnit, Step};
use capstan_disk::RealDisk;
use capstan_media::{Barcode, CartridgeId};
use capstan_scsi::sam::{
    Attribute, Cdb, Completion, DataOut, InitiatorPort, ManagementResponse, NexusId, Task, TaskId, TaskObserver,
};
use capstan_store::Store;

use crate::expected::Answer;

const ID: CartridgeId = CartridgeId([7; 16]);
const NEXUS: NexusId = NexusId(1);
const NOW: Instant = Instant(0);

#[derive(Default)]
struct Recorder(Mutex<Vec<Completion>>);

impl TaskObserver for Recorder {
    fn need_data(&self, _: TaskId, _: u32, _: u32) {
        panic!("all data is there");
    }
    fn completed(&self, _: TaskId, completion: Completion) {
        self.0.lock().unwrap().push(completion);
    }
    fn managed(&self, _: u64, _: ManagementResponse) {}
}

pub struct Machine {
    unit: LogicalUnit<TapeDrive>,
    cartridge: Option<Cartridge>,
    store: Store,
    options: Options,
    recorder: Arc<Recorder>,
    tag: u64,
    _root: tempfile::TempDir,
}

fn unit() -> LogicalUnit<TapeDrive> {
    let identity = capstan_device::spc::Identity { serial: "MODEL".to_owned(), naa: 0x3 << 60, target: None };
    let mut unit = LogicalUnit::new(TapeDrive::new(identity), 4);
    unit.nexus_established(NEXUS, &InitiatorPort { name: "iqn.2026-11.test:model".to_owned(), port: [0; 6] });
    unit
}

impl Machine {
    pub fn new(capacity: u64, segment_size: u64) -> Self {
        let root = tempfile::tempdir().unwrap();
        let store = Store::open(root.path(), Arc::new(RealDisk)).unwrap();
        let barcode = Barcode::new("MODEL1L8").unwrap();
        Cartridge::create(&store, NewCartridge { id: ID, barcode, capacity }).unwrap();
        let options = Options { segment_size, ..Options::default() };
        let recorder = Arc::new(Recorder::default());
        let mut machine = Self { unit: unit(), cartridge: None, store, options, recorder, tag: 0, _root: root };
        machine.insert(false);
        machine
    }

    /// The cartridge is dropped as by the death of the process, and opened by a drive that knows nothing.
    pub fn kill(&mut self) {
        self.cartridge = None;
        self.unit = unit();
        self.insert(true);
        let lost = self.run(&[0x08, 0, 0, 0, 1, 0], &[]);
        assert_eq!(lost.sense.map(|sense| (sense.key, sense.asc, sense.ascq)), Some((3, 0x3b, 0)));
        assert_eq!(self.run(&[0x01, 0, 0, 0, 0, 0], &[]), Answer::good());
    }

    /// LOAD UNLOAD, both ways.
    pub fn unload_and_load(&mut self) {
        assert_eq!(self.run(&[0x1b, 0, 0, 0, 0, 0], &[]), Answer::good());
        assert!(self.cartridge.is_none());
        assert_eq!(self.run(&[0x1b, 0, 0, 0, 1, 0], &[]), Answer::good());
        self.fetch_attentions();
    }

    fn insert(&mut self, position_lost: bool) {
        let medium = self.open().unwrap();
        self.unit.server_mut().cartridge_inserted(medium, position_lost);
        self.fetch_attentions();
    }

    fn fetch_attentions(&mut self) {
        while self.run(&[0; 6], &[]).sense.is_some_and(|sense| sense.key == 6) {}
    }

    fn open(&mut self) -> Result<Medium, String> {
        let cartridge = Cartridge::open_with(&self.store, ID, self.options).map_err(|error| error.to_string())?;
        let facts = cartridge.facts();
        let medium = Medium {
            id: facts.id,
            barcode: facts.barcode,
            capacity: facts.capacity,
            used: facts.used,
            protected: facts.protected,
            position: cartridge.position(),
        };
        self.cartridge = Some(cartridge);
        Ok(medium)
    }

    /// One command to its end.
    pub fn run(&mut self, cdb: &[u8], data: &[u8]) -> Answer {
        self.tag += 1;
        let mut bytes = [0; 16];
        bytes[..cdb.len()].copy_from_slice(cdb);
        let data_out = DataOut { expected: data.len() as u32, received: Bytes::copy_from_slice(data) };
        self.unit.submit(Task {
            id: TaskId { nexus: NEXUS, tag: self.tag },
            attribute: Attribute::Simple,
            cdb: Cdb(bytes),
            data_out,
            data_in_limit: u32::MAX,
            observer: self.recorder.clone(),
        });
        let mut step = self.unit.step(NOW);
        loop {
            step = match step {
                Step::Idle => break,
                Step::Done(finished) => {
                    finished.observer.completed(finished.task, finished.completion);
                    self.unit.step(NOW)
                }
                Step::Perform(op) => {
                    let result = self.perform(op);
                    self.unit.resume(NOW, result)
                }
                Step::NeedData { .. } | Step::Managed { .. } => panic!("all data is there"),
            };
        }
        let mut answers = std::mem::take(&mut *self.recorder.0.lock().unwrap());
        assert_eq!(answers.len(), 1, "one answer");
        Answer::from(answers.remove(0))
    }

    fn perform(&mut self, op: DriveOp) -> DriveResult {
        match op {
            DriveOp::Medium(op) => DriveResult::Medium(self.cartridge.as_mut().unwrap().perform(op)),
            DriveOp::Admit { .. } => DriveResult::Admitted(Ok(())),
            DriveOp::Load => DriveResult::Loaded(self.open().map(Some)),
            DriveOp::Unload => {
                let closed = self.cartridge.take().unwrap().close();
                DriveResult::Unloaded(closed.map(drop).map_err(|error| error.to_string()))
            }
        }
    }
}
