//! The media changer: CDBs and parameter lists from several hosts, with aborts, on a library that is a map.
//!
//! Invariants besides those of [`crate::unit`]: no cartridge is lost or doubled; MOVE and EXCHANGE MEDIUM do what their
//! CDB says when they end well and nothing when they do not, and no other command moves anything; a whole element
//! status report tells what is in the map.

use std::collections::BTreeMap;

use bytes::Bytes;
use capstan_device::smc::{ChangerIdentity, ChangerOp, ChangerResult, DriveIdentity, MediaChanger};
use capstan_media::{Barcode, Element, ElementAddress, ElementKind, Layout, MoveRefused};
use capstan_scsi::sam::Attribute;
use capstan_scsi::smc::ElementStatusReport;

use crate::script::Script;
use crate::unit::{Ended, HOSTS, Hosts, World, cdb};

const OPCODES: [u8; 32] = [
    0x00, 0x03, 0x07, 0x12, 0x15, 0x16, 0x17, 0x1a, 0x1d, 0x1e, 0x2b, 0x37, 0x4c, 0x4d, 0x55, 0x56, 0x57, 0x5a, 0xa0,
    0xa3, 0xa5, 0xa5, 0xa5, 0xa6, 0xa6, 0xb5, 0xb5, 0xb6, 0xb6, 0xb8, 0xb8, 0xb8,
];

const LAYOUT: Layout =
    Layout { transport_base: 1, io_base: 10, io_slots: 2, drive_base: 500, drives: 2, slot_base: 1000, slots: 4 };

/// Addresses of elements, and some beside them.
const ADDRESSES: [u16; 15] = [0, 1, 9, 10, 11, 12, 500, 501, 502, 1000, 1001, 1002, 1003, 1004, 0xffff];

type Elements = BTreeMap<u16, Element>;

struct Room {
    elements: Elements,
    /// The elements when the last command had ended.
    before: Elements,
    refuse: Option<MoveRefused>,
}

pub(crate) fn target(data: &[u8]) {
    let mut script = Script::new(data);
    let drive = |number| DriveIdentity { vendor: "IBM", product: "ULT3580-TD8", serial: format!("CAP{number}") };
    let identity = ChangerIdentity { serial: "CAPCHANGER".to_owned(), naa: 0x3123_4567_89ab_cdef, target: None };
    let changer = MediaChanger::new(identity, LAYOUT, vec![drive(0), drive(1)]);
    let elements = elements();
    let labels = labels(&elements);
    let mut hosts = Hosts::new(changer, Room { before: elements.clone(), elements, refuse: None });
    while !script.is_over() {
        act(&mut hosts, &mut script);
    }
    hosts.settle();
    assert_eq!(self::labels(&hosts.world.elements), labels, "cartridges were lost or doubled");
    let inquiry = [0x12, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    hosts.submit(HOSTS[0], inquiry, Bytes::new(), 0, Attribute::Simple);
    hosts.settle();
}

fn elements() -> Elements {
    use ElementKind::{DataTransfer, ImportExport, MediumTransport, Storage};
    let mut elements = BTreeMap::new();
    for kind in [MediumTransport, Storage, ImportExport, DataTransfer] {
        let (first, count) = LAYOUT.range(kind);
        for address in first.0..first.0 + count {
            let address = ElementAddress(address);
            let empty =
                Element { address, kind, barcode: None, source: None, accessible: true, placed_by_operator: false };
            elements.insert(address.0, empty);
        }
    }
    for (address, label) in [(1000, "CAP001L8"), (1001, "CAP002L8"), (10, "CAP003L8"), (501, "CAP004L8")] {
        elements.get_mut(&address).expect("in the layout").barcode = Barcode::new(label).ok();
    }
    elements
}

/// What is in the library, wherever.
fn labels(elements: &Elements) -> Vec<Barcode> {
    let mut labels: Vec<Barcode> = elements.values().filter_map(|element| element.barcode.clone()).collect();
    labels.sort();
    labels
}

fn act(hosts: &mut Hosts<Room>, script: &mut Script<'_>) {
    match script.byte() {
        0..=175 => command(hosts, script),
        176..=191 => hosts.disturb(script),
        192..=199 if hosts.is_quiet() => hosts.unit.server_mut().import_export_accessed(),
        200..=207 if hosts.is_quiet() => hosts.unit.server_mut().inventory_changed(),
        208..=215 => hosts.world.refuse = Some(refusal(script)),
        _ => {
            hosts.turn();
        }
    }
}

fn refusal(script: &mut Script<'_>) -> MoveRefused {
    let address = ElementAddress(script.pick(&ADDRESSES));
    match script.byte() % 6 {
        0 => MoveRefused::InvalidElement(address),
        1 => MoveRefused::SourceEmpty(address),
        2 => MoveRefused::RemovalPrevented(address),
        3 => MoveRefused::DriveFault(address, "as asked".to_owned()),
        4 => MoveRefused::NotLoadable(Barcode::new("CAP001L8").expect("a good one"), "as asked".to_owned()),
        _ => MoveRefused::NotRecorded("as asked".to_owned()),
    }
}

fn command(hosts: &mut Hosts<Room>, script: &mut Script<'_>) {
    let mut cdb = cdb(script, &OPCODES);
    let addresses = match cdb[0] {
        0xa5 => 3,
        0xa6 => 4,
        0x2b | 0x37 => 2,
        0xb8 | 0xb5 | 0xb6 => 1,
        _ => 0,
    };
    for field in cdb[2..2 + 2 * addresses].chunks_mut(2) {
        field.copy_from_slice(&script.pick(&ADDRESSES).to_be_bytes());
    }
    if addresses > 2 && script.byte() < 200 {
        // The picker, so that the command gets beyond its first check.
        (cdb[2], cdb[3]) = (0, 0);
    }
    let options = script.byte();
    let nexus = HOSTS[usize::from(options & 3) % HOSTS.len()];
    let length = usize::try_from(hosts.world.data_out_length(&cdb)).expect("32 bits").min(300);
    let mut data = script.take(length.min(usize::from(options >> 4) * 3)).to_vec();
    if options & 4 == 0 {
        data.resize(length, 0);
    }
    let attribute = if options & 0x18 == 0x18 { Attribute::HeadOfQueue } else { Attribute::Simple };
    let immediate = if options & 8 != 0 { usize::MAX } else { data.len() / 2 };
    hosts.submit(nexus, cdb, data.into(), immediate, attribute);
    if options & 0x80 == 0 {
        while hosts.turn() {}
    }
}

/// One cartridge from here to there, if that is possible.
fn shift(elements: &mut Elements, source: u16, destination: u16) -> Result<(), MoveRefused> {
    let barcode = elements[&source].barcode.clone().ok_or(MoveRefused::SourceEmpty(ElementAddress(source)))?;
    if elements[&destination].barcode.is_some() {
        return Err(MoveRefused::DestinationFull(ElementAddress(destination)));
    }
    elements.get_mut(&source).expect("it was just there").barcode = None;
    let origin = (elements[&source].kind == ElementKind::Storage).then_some(ElementAddress(source));
    let to = elements.get_mut(&destination).expect("it was just there");
    (to.barcode, to.source) = (Some(barcode), origin);
    Ok(())
}

fn exchange(elements: &mut Elements, source: u16, first: u16, second: u16) -> Result<(), MoveRefused> {
    let mut changed = elements.clone();
    shift(&mut changed, first, second)?;
    shift(&mut changed, source, first)?;
    *elements = changed;
    Ok(())
}

impl Room {
    /// What a whole report tells.
    fn reported(&self, ended: &Ended<'_>) {
        let (cdb, data) = (ended.cdb, &ended.completion.data_in);
        let complete = ElementStatusReport::complete_length(data);
        if complete.is_none_or(|complete| Ok(complete) != u32::try_from(data.len())) {
            return;
        }
        let report = ElementStatusReport::decode(data).expect("a well-formed report");
        let told = report.pages.iter().flat_map(|page| page.descriptors.iter().map(move |each| (page, each)));
        let start = u16::from_be_bytes([cdb[2], cdb[3]]);
        let count = usize::from(u16::from_be_bytes([cdb[4], cdb[5]]));
        let kind = cdb[1] & 0x0f;
        let there = self
            .elements
            .values()
            .filter(|element| element.address.0 >= start && (kind == 0 || kind == element.kind as u8));
        let there: Vec<&Element> = there.take(count).collect();
        let told: Vec<_> = told.collect();
        assert_eq!(told.len(), there.len(), "{cdb:02x?}");
        for ((page, descriptor), element) in told.into_iter().zip(there) {
            assert_eq!((page.element_type.0, descriptor.element_address), (element.kind as u8, element.address.0));
            assert_eq!(descriptor.full, element.barcode.is_some());
            let tag = descriptor.primary_volume_tag.as_ref();
            assert!(cdb[1] & 0x10 != 0 || tag.is_none(), "tags that nobody asked for");
            if cdb[1] & 0x10 != 0 && element.barcode.is_some() {
                assert!(tag.is_some(), "a barcode that was asked for");
            }
        }
    }
}

impl World for Room {
    type Device = MediaChanger;

    fn perform(&mut self, op: ChangerOp) -> ChangerResult {
        let moved = |result: Result<(), MoveRefused>| match result {
            Ok(()) => ChangerResult::Moved,
            Err(refused) => ChangerResult::Refused(refused),
        };
        match op {
            ChangerOp::ReadElements { kind, start, count } => {
                assert!(count > 0, "nothing is asked for");
                let matching = |element: &&Element| element.address >= start && kind.is_none_or(|k| k == element.kind);
                let found = self.elements.values().filter(matching).take(usize::from(count));
                ChangerResult::Elements(found.cloned().collect())
            }
            ChangerOp::Move { source, destination } => {
                let refused = self.refuse.take();
                moved(refused.map_or_else(|| shift(&mut self.elements, source.0, destination.0), Err))
            }
            ChangerOp::Exchange { source, first_destination, second_destination } => {
                let refused = self.refuse.take();
                let run = || exchange(&mut self.elements, source.0, first_destination.0, second_destination.0);
                moved(refused.map_or_else(run, Err))
            }
        }
    }

    fn ended(&mut self, ended: &Ended<'_>) {
        let field = |at: usize| u16::from_be_bytes([ended.cdb[at], ended.cdb[at + 1]]);
        let good = ended.completion.status.0 == 0;
        if !ended.disturbed {
            let mut expected = self.before.clone();
            match ended.cdb[0] {
                0xa5 if good => shift(&mut expected, field(4), field(6)).expect("GOOD for what cannot be"),
                0xa6 if good => {
                    exchange(&mut expected, field(4), field(6), field(8)).expect("GOOD for what cannot be");
                }
                _ => {}
            }
            assert_eq!(self.elements, expected, "{:02x?}", ended.cdb);
        }
        if good && ended.cdb[0] == 0xb8 {
            self.reported(ended);
        }
        self.settled();
    }

    fn settled(&mut self) {
        self.before = self.elements.clone();
    }

    fn reset(&mut self) {}

    fn allocation_length(cdb: &[u8; 16]) -> Option<u32> {
        let two = |at: usize| u32::from(u16::from_be_bytes([cdb[at], cdb[at + 1]]));
        Some(match cdb[0] {
            0x03 | 0x1a => u32::from(cdb[4]),
            0x12 => two(3),
            0x4d | 0x5a => two(7),
            0xa0 | 0xa3 => u32::from_be_bytes([cdb[6], cdb[7], cdb[8], cdb[9]]),
            0xb5 | 0xb8 => u32::from_be_bytes([0, cdb[7], cdb[8], cdb[9]]),
            _ => 0,
        })
    }

    fn data_out_length(&self, cdb: &[u8; 16]) -> u32 {
        match cdb[0] {
            0x15 => u32::from(cdb[4]),
            0x55 => u32::from(u16::from_be_bytes([cdb[7], cdb[8]])),
            0xb6 => u32::from(u16::from_be_bytes([cdb[8], cdb[9]])),
            _ => 0,
        }
    }
}
