//! A tape that is a `Vec`: what a cartridge must do, in the fewest words.

use bytes::{Bytes, BytesMut};
use capstan_media::{
    FilemarkNumber, LocateTarget, LogicalObjectId, MAX_BLOCK_LENGTH, MediumDone, MediumFailure, MediumFailureKind,
    MediumOp, MediumResult, Partition, Position, ReadRequest, SpaceTarget, Stop,
};

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Object {
    Block(Bytes),
    Filemark,
}

impl Object {
    fn size(&self) -> u64 {
        match self {
            Self::Block(data) => data.len() as u64,
            Self::Filemark => 0,
        }
    }
}

pub(crate) struct Tape {
    pub(crate) objects: Vec<Object>,
    pub(crate) at: usize,
    /// Bytes that fit.
    pub(crate) capacity: u64,
    /// Bytes after which early warning begins.
    pub(crate) early_warning: u64,
    /// The next operation fails so, after this many blocks.
    pub(crate) fail: Option<(MediumFailureKind, u64)>,
    pub(crate) synchronised: usize,
}

impl Tape {
    pub(crate) fn new(capacity: u64, early_warning: u64) -> Self {
        Self { objects: Vec::new(), at: 0, capacity, early_warning, fail: None, synchronised: 0 }
    }

    /// A tape with these blocks (by length; 0 is a filemark), at its beginning.
    pub(crate) fn with(lengths: &[usize]) -> Self {
        let object = |(index, length): (usize, &usize)| match length {
            0 => Object::Filemark,
            _ => Object::Block(pattern(index, *length)),
        };
        Self { objects: lengths.iter().enumerate().map(object).collect(), ..Self::new(1 << 40, 1 << 39) }
    }

    pub(crate) fn position(&self) -> Position {
        let before = &self.objects[..self.at];
        let used: u64 = before.iter().map(Object::size).sum();
        let filemarks = before.iter().filter(|object| **object == Object::Filemark).count();
        Position {
            partition: Partition(0),
            object: LogicalObjectId(self.at as u64),
            filemark: FilemarkNumber(filemarks as u64),
            end_of_data: self.at == self.objects.len(),
            early_warning: used >= self.early_warning,
        }
    }

    pub(crate) fn perform(&mut self, op: MediumOp) -> MediumResult {
        if let Some((kind, count)) = self.fail.take() {
            let data = match op {
                MediumOp::Read(ReadRequest { block_length, .. }) if count > 0 => {
                    self.read(ReadRequest { block_length, count: u32::try_from(count).unwrap() }).2
                }
                _ => Bytes::new(),
            };
            let position = self.position();
            return Err(MediumFailure { kind, position, count, data, message: "as asked".to_owned() });
        }
        let (count, stop, data) = match op {
            MediumOp::Write { data, block_length } => {
                let (count, stop) = self.write(&data, block_length);
                (count, stop, Bytes::new())
            }
            MediumOp::WriteFilemarks { count, synchronise } => {
                if count > 0 {
                    self.objects.truncate(self.at);
                    self.objects.extend(std::iter::repeat_n(Object::Filemark, count as usize));
                    self.at = self.objects.len();
                }
                self.synchronised += usize::from(synchronise);
                (u64::from(count), None, Bytes::new())
            }
            MediumOp::Read(request) => self.read(request),
            MediumOp::Locate { partition: Partition(0), target } => {
                let stop = self.locate(target);
                (0, stop, Bytes::new())
            }
            MediumOp::Locate { .. } => {
                let (kind, position) = (MediumFailureKind::NoSuchPartition, self.position());
                return Err(MediumFailure {
                    kind,
                    position,
                    count: 0,
                    data: Bytes::new(),
                    message: "one partition".to_owned(),
                });
            }
            MediumOp::Space(target) => {
                let (count, stop) = self.space(target);
                (count, stop, Bytes::new())
            }
            MediumOp::Rewind => {
                self.at = 0;
                (0, None, Bytes::new())
            }
            MediumOp::Erase => {
                self.objects.truncate(self.at);
                (0, None, Bytes::new())
            }
            MediumOp::Synchronise => {
                self.synchronised += 1;
                (0, None, Bytes::new())
            }
            MediumOp::ReportPosition => (0, None, Bytes::new()),
        };
        Ok(MediumDone { position: self.position(), data, count, stop })
    }

    fn write(&mut self, data: &Bytes, block_length: u32) -> (u64, Option<Stop>) {
        assert!(!data.is_empty() && data.len().is_multiple_of(block_length as usize), "whole blocks only");
        self.objects.truncate(self.at);
        let mut count = 0;
        for block in data.chunks(block_length as usize) {
            let used: u64 = self.objects.iter().map(Object::size).sum();
            if used + block.len() as u64 > self.capacity {
                return (count, Some(Stop::EndOfPartition));
            }
            self.objects.push(Object::Block(Bytes::copy_from_slice(block)));
            self.at += 1;
            count += 1;
        }
        (count, None)
    }

    fn read(&mut self, request: ReadRequest) -> (u64, Option<Stop>, Bytes) {
        let lengths = 1..=MAX_BLOCK_LENGTH;
        assert!(request.count > 0 && lengths.contains(&request.block_length), "such a read never comes here");
        let mut data = BytesMut::new();
        for count in 0..u64::from(request.count) {
            let Some(object) = self.objects.get(self.at) else {
                return (count, Some(Stop::EndOfData), data.freeze());
            };
            self.at += 1;
            let Object::Block(block) = object else { return (count, Some(Stop::Filemark), data.freeze()) };
            let wanted = request.block_length as usize;
            data.extend_from_slice(&block[..block.len().min(wanted)]);
            if block.len() != wanted {
                let actual = u32::try_from(block.len()).unwrap();
                return (count, Some(Stop::IncorrectLength { actual }), data.freeze());
            }
        }
        (u64::from(request.count), None, data.freeze())
    }

    fn locate(&mut self, target: LocateTarget) -> Option<Stop> {
        let end = self.objects.len() as u64;
        let wanted = match target {
            LocateTarget::Object(object) => Some(object.0),
            LocateTarget::File(FilemarkNumber(0)) => Some(0),
            LocateTarget::File(file) => {
                let marks = self.objects.iter().enumerate().filter(|(_, object)| **object == Object::Filemark);
                marks.map(|(index, _)| index as u64 + 1).nth(usize::try_from(file.0).unwrap_or(usize::MAX) - 1)
            }
            LocateTarget::EndOfData => Some(end),
        };
        let wanted = wanted.unwrap_or(u64::MAX);
        self.at = usize::try_from(wanted.min(end)).unwrap();
        (wanted > end).then_some(Stop::EndOfData)
    }

    fn space(&mut self, target: SpaceTarget) -> (u64, Option<Stop>) {
        let (asked, filemarks) = match target {
            SpaceTarget::EndOfData => {
                self.at = self.objects.len();
                return (0, None);
            }
            SpaceTarget::Blocks(count) => (count, false),
            SpaceTarget::Filemarks(count) => (count, true),
        };
        let mut count = 0;
        while count < asked.unsigned_abs() {
            let next = if asked > 0 { self.objects.get(self.at) } else { self.objects[..self.at].last() };
            let Some(object) = next else {
                return (count, Some(if asked > 0 { Stop::EndOfData } else { Stop::BeginningOfPartition }));
            };
            let filemark = *object == Object::Filemark;
            self.at = if asked > 0 { self.at + 1 } else { self.at - 1 };
            if filemark && !filemarks {
                return (count, Some(Stop::Filemark));
            }
            count += u64::from(filemark == filemarks);
        }
        (count, None)
    }
}

/// Bytes that tell where they come from.
pub(crate) fn pattern(seed: usize, length: usize) -> Bytes {
    (0..length).map(|index| u8::try_from((seed * 31 + index) % 251).unwrap()).collect()
}
