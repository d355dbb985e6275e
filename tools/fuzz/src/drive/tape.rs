//! A tape that is a `Vec`, and fails when told to.

use bytes::{Bytes, BytesMut};
use capstan_media::{
    FilemarkNumber, LocateTarget, LogicalObjectId, MAX_BLOCK_LENGTH, MediumDone, MediumFailure, MediumFailureKind,
    MediumOp, MediumResult, Partition, Position, ReadRequest, SpaceTarget, Stop,
};

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Object {
    Block(Bytes),
    Filemark,
}

/// What is on the tape and where it stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Content {
    pub(super) objects: Vec<Object>,
    pub(super) at: usize,
}

pub(super) struct Tape {
    pub(super) content: Content,
    /// Bytes that fit.
    pub(super) capacity: usize,
    /// The next operation fails so and does nothing.
    pub(super) fail: Option<MediumFailureKind>,
}

impl Content {
    pub(super) fn used(&self) -> usize {
        self.objects.iter().map(|object| if let Object::Block(data) = object { data.len() } else { 0 }).sum()
    }

    /// Filemarks between two places.
    pub(super) fn filemarks(&self, from: usize, to: usize) -> usize {
        self.objects[from..to].iter().filter(|object| **object == Object::Filemark).count()
    }

    /// Ends here, then goes on with `object`.
    pub(super) fn put(&mut self, object: Object) {
        self.objects.truncate(self.at);
        self.objects.push(object);
        self.at += 1;
    }
}

impl Tape {
    pub(super) fn new() -> Self {
        let block =
            |length: usize| Object::Block(Bytes::from(vec![u8::try_from(length % 251).expect("small"); length]));
        let mark = Object::Filemark;
        let objects = vec![block(10), mark.clone(), block(20), block(512), mark.clone(), mark, block(512), block(512)];
        Self { content: Content { objects, at: 0 }, capacity: 6000, fail: None }
    }

    pub(super) fn position(&self) -> Position {
        let content = &self.content;
        let used: usize = Content { objects: content.objects[..content.at].to_vec(), at: 0 }.used();
        Position {
            partition: Partition(0),
            object: LogicalObjectId(wide(content.at)),
            filemark: FilemarkNumber(wide(content.filemarks(0, content.at))),
            end_of_data: content.at == content.objects.len(),
            early_warning: used > self.capacity / 2,
        }
    }

    pub(super) fn perform(&mut self, op: MediumOp) -> MediumResult {
        if let Some(kind) = self.fail.take() {
            return self.failure(kind);
        }
        let mut read = Bytes::new();
        let (count, stop) = match op {
            MediumOp::Write { data, block_length } => self.write(&data, block_length),
            MediumOp::WriteFilemarks { count, .. } => {
                (0..count).for_each(|_| self.content.put(Object::Filemark));
                (u64::from(count), None)
            }
            MediumOp::Read(request) => {
                let (count, stop, data) = self.read(request);
                read = data;
                (count, stop)
            }
            MediumOp::Locate { partition: Partition(0), target } => (0, self.locate(target)),
            MediumOp::Locate { .. } => return self.failure(MediumFailureKind::NoSuchPartition),
            MediumOp::Space(target) => self.space(target),
            MediumOp::Rewind => {
                self.content.at = 0;
                (0, None)
            }
            MediumOp::Erase => {
                self.content.objects.truncate(self.content.at);
                (0, None)
            }
            MediumOp::Synchronise | MediumOp::ReportPosition => (0, None),
        };
        Ok(MediumDone { position: self.position(), data: read, count, stop })
    }

    fn failure(&self, kind: MediumFailureKind) -> MediumResult {
        Err(MediumFailure {
            kind,
            position: self.position(),
            count: 0,
            data: Bytes::new(),
            message: "as asked".to_owned(),
        })
    }

    fn write(&mut self, data: &Bytes, block_length: u32) -> (u64, Option<Stop>) {
        let length = usize::try_from(block_length).expect("32 bits");
        assert!((1..=MAX_BLOCK_LENGTH).contains(&block_length), "no block is so long");
        assert!(!data.is_empty() && data.len().is_multiple_of(length), "whole blocks only");
        self.content.objects.truncate(self.content.at);
        for (count, block) in data.chunks(length).enumerate() {
            if self.content.used() + block.len() > self.capacity {
                return (wide(count), Some(Stop::EndOfPartition));
            }
            self.content.put(Object::Block(Bytes::copy_from_slice(block)));
        }
        (wide(data.len() / length), None)
    }

    fn read(&mut self, request: ReadRequest) -> (u64, Option<Stop>, Bytes) {
        assert!(request.count > 0 && (1..=MAX_BLOCK_LENGTH).contains(&request.block_length), "such a read never comes");
        let wanted = usize::try_from(request.block_length).expect("32 bits");
        let mut data = BytesMut::new();
        for count in 0..u64::from(request.count) {
            let Some(object) = self.content.objects.get(self.content.at) else {
                return (count, Some(Stop::EndOfData), data.freeze());
            };
            self.content.at += 1;
            let Object::Block(block) = object else { return (count, Some(Stop::Filemark), data.freeze()) };
            data.extend_from_slice(&block[..block.len().min(wanted)]);
            if block.len() != wanted {
                let actual = u32::try_from(block.len()).expect("small");
                return (count, Some(Stop::IncorrectLength { actual }), data.freeze());
            }
        }
        (u64::from(request.count), None, data.freeze())
    }

    fn locate(&mut self, target: LocateTarget) -> Option<Stop> {
        let objects = &self.content.objects;
        let end = wide(objects.len());
        let wanted = match target {
            LocateTarget::Object(object) => object.0,
            LocateTarget::File(FilemarkNumber(0)) => 0,
            LocateTarget::File(file) => {
                let mut marks = (0..objects.len()).filter(|index| objects[*index] == Object::Filemark);
                let mark = marks.nth(usize::try_from(file.0 - 1).unwrap_or(usize::MAX));
                mark.map_or(u64::MAX, |index| wide(index + 1))
            }
            LocateTarget::EndOfData => end,
        };
        self.content.at = usize::try_from(wanted.min(end)).expect("small");
        (wanted > end).then_some(Stop::EndOfData)
    }

    fn space(&mut self, target: SpaceTarget) -> (u64, Option<Stop>) {
        let content = &mut self.content;
        let (asked, filemarks) = match target {
            SpaceTarget::EndOfData => {
                content.at = content.objects.len();
                return (0, None);
            }
            SpaceTarget::Blocks(count) => (count, false),
            SpaceTarget::Filemarks(count) => (count, true),
        };
        assert_ne!(asked, 0, "such a space never comes");
        let mut count = 0;
        while count < asked.unsigned_abs() {
            let next = if asked > 0 { content.objects.get(content.at) } else { content.objects[..content.at].last() };
            let Some(object) = next else {
                return (count, Some(if asked > 0 { Stop::EndOfData } else { Stop::BeginningOfPartition }));
            };
            let filemark = *object == Object::Filemark;
            content.at = if asked > 0 { content.at + 1 } else { content.at - 1 };
            if filemark && !filemarks {
                return (count, Some(Stop::Filemark));
            }
            count += u64::from(filemark == filemarks);
        }
        (count, None)
    }
}

pub(super) fn wide(length: usize) -> u64 {
    u64::try_from(length).expect("64 bits")
}
