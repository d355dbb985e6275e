//! The tape as everybody imagines it: a vector of objects.
//!
//! It does one object after the other, so that it shares no idea with the code that it is compared with. Tests drive
//! it beside a [`crate::Cartridge`], or beside a drive by SCSI commands.

use bytes::{Bytes, BytesMut};
use capstan_media::{
    FilemarkNumber, LocateTarget, LogicalObjectId, MediumDone, MediumFailure, MediumFailureKind, MediumOp,
    MediumResult, Partition, Position, ReadRequest, SpaceTarget, Stop, early_warning_reserve,
};

use crate::filemark_limit;

/// A logical object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Object {
    /// A block.
    Block(Bytes),
    /// A filemark.
    Filemark,
}

/// A tape and where it stands.
#[derive(Clone, Debug)]
pub struct Tape {
    objects: Vec<Entry>,
    position: usize,
    capacity: u64,
    protected: bool,
}

/// An object, and what lies before it.
#[derive(Clone, Debug)]
struct Entry {
    object: Object,
    filemarks: u64,
    bytes: u64,
}

impl Tape {
    /// An empty tape of `capacity` host bytes.
    #[must_use]
    pub fn new(capacity: u64) -> Self {
        Self { objects: Vec::new(), position: 0, capacity, protected: false }
    }

    /// Write-protects it or lifts that.
    pub fn protect(&mut self, protected: bool) {
        self.protected = protected;
    }

    /// What it holds.
    pub fn objects(&self) -> impl ExactSizeIterator<Item = &Object> {
        self.objects.iter().map(|entry| &entry.object)
    }

    /// Host bytes on it.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.before(self.objects.len()).1
    }

    /// Takes back everything from object `length` on, as a loss of power may do.
    pub fn truncate(&mut self, length: usize) {
        self.objects.truncate(length);
        self.position = self.position.min(length);
    }

    /// Where it stands.
    #[must_use]
    pub fn position(&self) -> Position {
        let (filemarks, bytes) = self.before(self.position);
        Position {
            partition: Partition(0),
            object: LogicalObjectId(number(self.position)),
            filemark: FilemarkNumber(filemarks),
            end_of_data: self.position == self.objects.len(),
            early_warning: bytes >= self.capacity.saturating_sub(early_warning_reserve(self.capacity)),
        }
    }

    /// Performs one operation.
    ///
    /// # Errors
    /// Write protection, no such partition: a tape in memory fails in no other way.
    pub fn perform(&mut self, op: &MediumOp) -> MediumResult {
        let (data, count, stop) = match op {
            MediumOp::Write { data, block_length } => self.write(data, *block_length)?,
            MediumOp::WriteFilemarks { count, .. } => self.write_filemarks(*count)?,
            MediumOp::Read(request) => self.read(*request),
            MediumOp::Locate { partition, target } => self.locate(*partition, *target)?,
            MediumOp::Space(target) => self.space(*target),
            MediumOp::Rewind => self.go(0),
            MediumOp::Erase => {
                self.check_writable()?;
                self.objects.truncate(self.position);
                (Bytes::new(), 0, None)
            }
            MediumOp::Synchronise | MediumOp::ReportPosition => (Bytes::new(), 0, None),
        };
        Ok(MediumDone { position: self.position(), data, count, stop })
    }

    /// Filemarks and bytes before an object.
    fn before(&self, object: usize) -> (u64, u64) {
        if let Some(entry) = self.objects.get(object) {
            return (entry.filemarks, entry.bytes);
        }
        match self.objects.last() {
            Some(Entry { object: Object::Block(block), filemarks, bytes }) => (*filemarks, bytes + number(block.len())),
            Some(Entry { object: Object::Filemark, filemarks, bytes }) => (filemarks + 1, *bytes),
            None => (0, 0),
        }
    }

    fn push(&mut self, object: Object) {
        self.objects.truncate(self.position);
        let (filemarks, bytes) = self.before(self.position);
        self.objects.push(Entry { object, filemarks, bytes });
        self.position += 1;
    }

    fn fail(&self, kind: MediumFailureKind) -> MediumFailure {
        MediumFailure { kind, position: self.position(), count: 0, data: Bytes::new(), message: String::new() }
    }

    fn check_writable(&self) -> Result<(), MediumFailure> {
        if self.protected { Err(self.fail(MediumFailureKind::WriteProtected)) } else { Ok(()) }
    }

    fn write(&mut self, data: &Bytes, block_length: u32) -> Result<Step, MediumFailure> {
        self.check_writable()?;
        let mut rest = data.clone();
        let mut count = 0;
        while !rest.is_empty() {
            let block = rest.split_to(rest.len().min(usize::try_from(block_length).unwrap_or(usize::MAX)));
            if self.before(self.position).1 + number(block.len()) > self.capacity {
                return Ok((Bytes::new(), count, Some(Stop::EndOfPartition)));
            }
            self.push(Object::Block(block));
            count += 1;
        }
        Ok((Bytes::new(), count, None))
    }

    fn write_filemarks(&mut self, count: u32) -> Result<Step, MediumFailure> {
        if count > 0 {
            self.check_writable()?;
        }
        for written in 0..u64::from(count) {
            if self.before(self.position).0 >= filemark_limit(self.capacity) {
                return Ok((Bytes::new(), written, Some(Stop::EndOfPartition)));
            }
            self.push(Object::Filemark);
        }
        Ok((Bytes::new(), u64::from(count), None))
    }

    fn read(&mut self, request: ReadRequest) -> Step {
        let mut data = BytesMut::new();
        for count in 0..u64::from(request.count) {
            let Some(entry) = self.objects.get(self.position) else {
                return (data.freeze(), count, Some(Stop::EndOfData));
            };
            self.position += 1;
            let Object::Block(block) = &entry.object else {
                return (data.freeze(), count, Some(Stop::Filemark));
            };
            let actual = u32::try_from(block.len()).unwrap_or(u32::MAX);
            let wanted = usize::try_from(request.block_length).unwrap_or(usize::MAX);
            data.extend_from_slice(block.get(..wanted).unwrap_or(block));
            if actual != request.block_length {
                return (data.freeze(), count, Some(Stop::IncorrectLength { actual }));
            }
        }
        (data.freeze(), u64::from(request.count), None)
    }

    fn go(&mut self, position: usize) -> Step {
        self.position = position;
        (Bytes::new(), 0, None)
    }

    fn locate(&mut self, partition: Partition, target: LocateTarget) -> Result<Step, MediumFailure> {
        if partition != Partition(0) {
            return Err(self.fail(MediumFailureKind::NoSuchPartition));
        }
        let length = self.objects.len();
        let place = match target {
            LocateTarget::EndOfData => Some(length),
            LocateTarget::Object(LogicalObjectId(object)) => (0..=length).find(|place| number(*place) == object),
            LocateTarget::File(FilemarkNumber(file)) => (0..=length).find(|place| self.before(*place).0 == file),
        };
        self.position = place.unwrap_or(length);
        Ok((Bytes::new(), 0, place.is_none().then_some(Stop::EndOfData)))
    }

    fn space(&mut self, target: SpaceTarget) -> Step {
        let (count, over_filemarks) = match target {
            SpaceTarget::EndOfData => return self.go(self.objects.len()),
            SpaceTarget::Blocks(count) => (count, false),
            SpaceTarget::Filemarks(count) => (count, true),
        };
        let mut done = 0;
        while done < count.unsigned_abs() {
            let (next, after) = if count > 0 {
                (Some(self.position), self.position + 1)
            } else {
                (self.position.checked_sub(1), self.position.saturating_sub(1))
            };
            let Some(object) = next.and_then(|next| self.objects.get(next)) else {
                let stop = if count > 0 { Stop::EndOfData } else { Stop::BeginningOfPartition };
                return (Bytes::new(), done, Some(stop));
            };
            let is_filemark = object.object == Object::Filemark;
            self.position = after;
            if is_filemark && !over_filemarks {
                return (Bytes::new(), done, Some(Stop::Filemark));
            }
            done += u64::from(is_filemark == over_filemarks);
        }
        (Bytes::new(), done, None)
    }
}

/// What was read, how many were done, and what ended it.
type Step = (Bytes, u64, Option<Stop>);

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
