//! A host on one nexus to one logical unit.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use bytes::Bytes;
use capstan_scsi::sam::{
    Attribute, Cdb, Completion, DataOut, InitiatorPort, Lun, ManagementFunction, ManagementResponse, NexusId, Status,
    Task, TaskId, TaskManagement, TaskObserver, TaskRouter,
};

/// What an answer may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub enum Event {
    NeedData { task: TaskId, received: u32, length: u32 },
    Completed(TaskId, Completion),
    Managed(u64, ManagementResponse),
}

struct Recorder(Sender<Event>);

impl TaskObserver for Recorder {
    fn need_data(&self, task: TaskId, received: u32, length: u32) {
        let _ = self.0.send(Event::NeedData { task, received, length });
    }
    fn completed(&self, task: TaskId, completion: Completion) {
        let _ = self.0.send(Event::Completed(task, completion));
    }
    fn managed(&self, tag: u64, response: ManagementResponse) {
        let _ = self.0.send(Event::Managed(tag, response));
    }
}

/// Sense key, code, qualifier.
pub type Sense = (u8, u8, u8);

pub const POWER_ON: Sense = (6, 0x29, 0);
pub const NEW_MEDIUM: Sense = (6, 0x28, 0);
pub const NO_MEDIUM: Sense = (2, 0x3a, 0);
pub const POSITION_LOST: Sense = (3, 0x3b, 0);
pub const END_OF_DATA: Sense = (8, 0, 5);
pub const FILEMARK: Sense = (0, 0, 1);
pub const FAILED: Sense = (4, 0x44, 0);

pub struct Host {
    pub router: Arc<dyn TaskRouter>,
    pub nexus: NexusId,
    /// Where commands go.
    pub lun: Lun,
    observer: Arc<dyn TaskObserver>,
    events: Receiver<Event>,
    tag: u64,
}

impl Host {
    /// Logs in; the unit attention of that is not fetched yet.
    pub fn new(router: &Arc<dyn TaskRouter>, nexus: u64) -> Self {
        let (sender, events) = channel();
        let router = Arc::clone(router);
        let name = format!("iqn.2026-11.test:{nexus}");
        router.nexus_established(NexusId(nexus), &InitiatorPort { name, port: [0; 6] });
        Self { router, nexus: NexusId(nexus), lun: Lun::ZERO, observer: Arc::new(Recorder(sender)), events, tag: 0 }
    }

    pub fn observer(&self) -> Arc<dyn TaskObserver> {
        Arc::clone(&self.observer)
    }

    pub fn submit(&mut self, cdb: &[u8], data: &[u8]) -> TaskId {
        self.submit_with(cdb, data, data.len())
    }

    /// The first `immediate` bytes come with the command.
    pub fn submit_with(&mut self, cdb: &[u8], data: &[u8], immediate: usize) -> TaskId {
        self.tag += 1;
        let id = TaskId { nexus: self.nexus, tag: self.tag };
        let mut bytes = [0; 16];
        bytes[..cdb.len()].copy_from_slice(cdb);
        let received = Bytes::copy_from_slice(&data[..immediate]);
        let data_out = DataOut { expected: data.len() as u32, received };
        let task = Task {
            id,
            attribute: Attribute::Simple,
            cdb: Cdb(bytes),
            data_out,
            data_in_limit: 1 << 20,
            observer: Arc::clone(&self.observer),
        };
        self.router.submit(self.lun, task);
        id
    }

    pub fn event(&self) -> Event {
        self.events.recv_timeout(PATIENCE).expect("an answer in time")
    }

    pub fn nothing_within(&self, patience: Duration) -> bool {
        self.events.recv_timeout(patience).is_err()
    }

    pub fn wait(&self, task: TaskId) -> Completion {
        match self.event() {
            Event::Completed(id, completion) => {
                assert_eq!(id, task, "answers come in order");
                completion
            }
            _ => panic!("another event than a completion"),
        }
    }

    pub fn run(&mut self, cdb: &[u8], data: &[u8]) -> Completion {
        let task = self.submit(cdb, data);
        self.wait(task)
    }

    /// GOOD, or the panic says what else.
    pub fn good(&mut self, cdb: &[u8], data: &[u8]) -> Bytes {
        let completion = self.run(cdb, data);
        assert_eq!(completion.status, Status::GOOD, "{cdb:02x?}: {:?}", sense(&completion));
        completion.data_in
    }

    /// CHECK CONDITION with this sense data.
    pub fn fails(&mut self, cdb: &[u8], data: &[u8], expected: Sense) {
        let completion = self.run(cdb, data);
        assert_eq!(sense(&completion), Some(expected), "{cdb:02x?}: {:?}", completion.status);
    }

    /// Fetches unit attentions until there is none; returns them. The last sense of another kind ends it too.
    pub fn attentions(&mut self) -> Vec<Sense> {
        let mut seen = Vec::new();
        while let Some(sense) = sense(&self.run(&[0; 6], &[])) {
            seen.push(sense);
            if sense.0 != 6 {
                break;
            }
        }
        seen
    }

    pub fn manage(&mut self, function: ManagementFunction) -> ManagementResponse {
        self.tag += 1;
        let request = TaskManagement { nexus: self.nexus, lun: self.lun, function, tag: self.tag };
        self.router.manage(request, Arc::clone(&self.observer));
        match self.event() {
            Event::Managed(tag, response) if tag == self.tag => response,
            _ => panic!("another event than the answer to a management function"),
        }
    }

    pub fn write(&mut self, block: &[u8]) -> Completion {
        self.run(&write(block.len()), block)
    }

    pub fn write_good(&mut self, block: &[u8]) {
        self.good(&write(block.len()), block);
    }

    pub fn filemarks(&mut self, count: u8) {
        self.good(&[0x10, 0, 0, 0, count, 0], &[]);
    }

    pub fn rewind(&mut self) {
        self.good(&[0x01, 0, 0, 0, 0, 0], &[]);
    }

    /// One block with SILI, or the sense data.
    pub fn read(&mut self) -> Result<Bytes, Sense> {
        let completion = self.run(&[0x08, 2, 0x10, 0, 0, 0], &[]);
        sense(&completion).map_or(Ok(completion.data_in), Err)
    }

    pub fn unload(&mut self) {
        self.good(&[0x1b, 0, 0, 0, 0, 0], &[]);
    }

    pub fn load(&mut self) {
        self.good(&[0x1b, 0, 0, 0, 1, 0], &[]);
    }

    pub fn prevent(&mut self, prevent: bool) {
        self.good(&[0x1e, 0, 0, 0, u8::from(prevent), 0], &[]);
    }

    /// Number of the next object.
    pub fn position(&mut self) -> u64 {
        let data = self.good(&[0x34, 6, 0, 0, 0, 0, 0, 0, 0, 0], &[]);
        u64::from_be_bytes(data[8..16].try_into().unwrap())
    }

    pub fn move_medium(&mut self, source: u16, destination: u16) -> Completion {
        self.run(&move_cdb(source, destination), &[])
    }

    pub fn exchange(&mut self, source: u16, first: u16, second: u16) -> Completion {
        let [s, f, t] = [source, first, second].map(u16::to_be_bytes);
        self.run(&[0xa6, 0, 0, 1, s[0], s[1], f[0], f[1], t[0], t[1], 0, 0], &[])
    }

    /// READ ELEMENT STATUS with barcodes.
    pub fn elements(&mut self) -> Vec<ElementStatus> {
        let data = self.good(&[0xb8, 0x10, 0, 0, 0xff, 0xff, 0, 0x0f, 0xff, 0xff, 0, 0], &[]);
        decode_elements(&data)
    }
}

pub fn write(length: usize) -> [u8; 6] {
    let [_, a, b, c] = (length as u32).to_be_bytes();
    [0x0a, 0, a, b, c, 0]
}

pub fn move_cdb(source: u16, destination: u16) -> [u8; 12] {
    let ([a, b], [c, d]) = (source.to_be_bytes(), destination.to_be_bytes());
    [0xa5, 0, 0, 1, a, b, c, d, 0, 0, 0, 0]
}

pub fn sense(completion: &Completion) -> Option<Sense> {
    (completion.status != Status::GOOD).then(|| {
        assert_eq!(completion.status, Status::CHECK_CONDITION);
        (completion.sense[2] & 0x0f, completion.sense[12], completion.sense[13])
    })
}

/// An element as a host sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ElementStatus {
    pub kind: u8,
    pub address: u16,
    pub barcode: Option<String>,
    pub access: bool,
    pub by_operator: bool,
    pub source: Option<u16>,
}

fn decode_elements(data: &[u8]) -> Vec<ElementStatus> {
    let mut elements = Vec::new();
    let mut rest = &data[8..];
    while rest.len() >= 8 {
        let (kind, length) = (rest[0], usize::from(u16::from_be_bytes([rest[2], rest[3]])));
        let bytes = u32::from_be_bytes([0, rest[5], rest[6], rest[7]]) as usize;
        assert_eq!(rest[1] & 0x80, 0x80, "barcodes are there");
        for one in rest[8..8 + bytes].chunks(length) {
            let full = one[2] & 1 != 0;
            let text = String::from_utf8(one[12..44].to_vec()).unwrap();
            elements.push(ElementStatus {
                kind,
                address: u16::from_be_bytes([one[0], one[1]]),
                barcode: full.then(|| text.trim_end().to_owned()),
                access: one[2] & 8 != 0,
                by_operator: one[2] & 2 != 0,
                source: (one[9] & 0x80 != 0).then(|| u16::from_be_bytes([one[10], one[11]])),
            });
        }
        rest = &rest[8 + bytes..];
    }
    elements
}
