//! What the standard wants a drive to answer, from the vector of objects. Written from SSC alone, apart from the
//! device server.

use bytes::Bytes;
use capstan_cartridge::model::Tape;
use capstan_media::{
    FilemarkNumber, LocateTarget, LogicalObjectId, MediumDone, MediumOp, Partition, ReadRequest, SpaceTarget, Stop,
};
use capstan_scsi::sam::{Completion, Status};

use crate::Command;

/// Sense data, field by field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sense {
    pub key: u8,
    pub asc: u8,
    pub ascq: u8,
    pub filemark: bool,
    pub end_of_medium: bool,
    pub incorrect_length: bool,
    pub information: Option<i32>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub sense: Option<Sense>,
    pub data: Bytes,
}

/// Sense key, code, qualifier, ILI; `None` for GOOD.
pub type Kind = Option<(u8, u8, u8, bool)>;

impl Answer {
    pub fn kind(&self) -> Kind {
        self.sense.map(|sense| (sense.key, sense.asc, sense.ascq, sense.incorrect_length))
    }

    pub fn good() -> Self {
        Self::data(Bytes::new())
    }

    pub fn data(data: impl Into<Bytes>) -> Self {
        Self { sense: None, data: data.into() }
    }

    fn fails(sense: Sense) -> Self {
        Self { sense: Some(sense), data: Bytes::new() }
    }

    pub fn is_blank_check(&self) -> bool {
        self.sense.is_some_and(|sense| sense.key == 8)
    }
}

impl From<Completion> for Answer {
    fn from(completion: Completion) -> Self {
        let sense = &completion.sense;
        let decoded = (completion.status != Status::GOOD).then(|| {
            assert_eq!((completion.status, sense[0] & 0x7f, sense[7]), (Status::CHECK_CONDITION, 0x70, 10));
            Sense {
                key: sense[2] & 0x0f,
                asc: sense[12],
                ascq: sense[13],
                filemark: sense[2] & 0x80 != 0,
                end_of_medium: sense[2] & 0x40 != 0,
                incorrect_length: sense[2] & 0x20 != 0,
                information: (sense[0] & 0x80 != 0).then(|| i32::from_be_bytes(sense[3..7].try_into().unwrap())),
            }
        });
        Self { sense: decoded, data: completion.data_in }
    }
}

pub struct Expected {
    tape: Tape,
    block_length: u32,
}

const INVALID_FIELD: Sense = Sense {
    key: 5,
    asc: 0x24,
    ascq: 0,
    filemark: false,
    end_of_medium: false,
    incorrect_length: false,
    information: None,
};

impl Expected {
    pub fn new(tape: Tape) -> Self {
        Self { tape, block_length: 0 }
    }

    pub fn objects(&self) -> u64 {
        self.tape.objects().len() as u64
    }

    /// The cartridge was opened again; a new drive has its default mode parameters.
    pub fn reopened(&mut self, new_drive: bool) {
        self.tape.perform(&MediumOp::Rewind).unwrap();
        if new_drive {
            self.block_length = 0;
        }
    }

    /// Bytes that the host sends with a write.
    pub fn bytes_out(&self, command: Command) -> usize {
        match command {
            Command::WriteVariable { length } => length as usize,
            Command::WriteFixed { count } => (count * self.block_length) as usize,
            _ => 0,
        }
    }

    /// The parameter list of MODE SELECT: buffered mode 1, one block descriptor.
    pub fn parameters(&self, command: Command) -> Option<Vec<u8>> {
        let Command::SetBlockLength(length) = command else { return None };
        let [_, a, b, c] = length.to_be_bytes();
        Some(vec![0, 0, 0x10, 8, 0, 0, 0, 0, 0, a, b, c])
    }

    pub fn long_position(&self) -> Vec<u8> {
        let position = self.tape.position();
        let flags = u8::from(position.object.0 == 0) << 7 | u8::from(position.early_warning) << 6;
        let mut data = vec![flags, 0, 0, 0, 0, 0, 0, 0];
        data.extend(position.object.0.to_be_bytes());
        data.extend(position.filemark.0.to_be_bytes());
        data.extend([0; 8]);
        data
    }

    pub fn answer(&mut self, command: Command, data: &[u8]) -> Answer {
        match command {
            Command::TestUnitReady => Answer::good(),
            Command::SetBlockLength(length) => {
                self.block_length = length;
                Answer::good()
            }
            Command::WriteVariable { length: 0 } | Command::ReadVariable { length: 0, .. } => Answer::good(),
            Command::WriteFixed { .. } | Command::ReadFixed { .. } if self.block_length == 0 => {
                Answer::fails(INVALID_FIELD)
            }
            Command::ReadFixed { sili: true, .. } => Answer::fails(INVALID_FIELD),
            Command::WriteFixed { count: 0 } | Command::ReadFixed { count: 0, .. } => Answer::good(),
            Command::WriteVariable { length } => self.write(data, length, 1, length),
            Command::WriteFixed { count } => self.write(data, self.block_length, count, 1),
            Command::WriteFilemarks { count, immediate } => self.write_filemarks(count, immediate),
            Command::ReadVariable { length, sili } => self.read_variable(length, sili),
            Command::ReadFixed { count, .. } => self.read_fixed(count),
            Command::Space { code, count, .. } => self.space(code, count),
            Command::LocateObject { object, .. } => self.locate(LocateTarget::Object(LogicalObjectId(object))),
            Command::LocateFile { file } => self.locate(LocateTarget::File(FilemarkNumber(file))),
            Command::LocateEndOfData => {
                self.locate(LocateTarget::EndOfData);
                Answer::good()
            }
            Command::Rewind => self.done(&MediumOp::Rewind).1,
            Command::Erase => self.done(&MediumOp::Erase).1,
        }
    }

    fn done(&mut self, op: &MediumOp) -> (MediumDone, Answer) {
        (self.tape.perform(op).unwrap(), Answer::good())
    }

    /// `unit` is what one block counts in the residue: its length in variable mode, 1 in fixed.
    fn write(&mut self, data: &[u8], block_length: u32, count: u32, unit: u32) -> Answer {
        let op = MediumOp::Write { data: Bytes::copy_from_slice(data), block_length };
        let (done, _) = self.done(&op);
        self.written(u64::from(count), &done, unit)
    }

    fn write_filemarks(&mut self, count: u32, immediate: bool) -> Answer {
        if count == 0 {
            return Answer::good();
        }
        let (done, _) = self.done(&MediumOp::WriteFilemarks { count, synchronise: !immediate });
        self.written(u64::from(count), &done, 1)
    }

    fn written(&self, count: u64, done: &MediumDone, unit: u32) -> Answer {
        let at_end = Sense { asc: 0, ascq: 2, end_of_medium: true, ..Sense::default() };
        if done.count < count {
            let residue = (count - done.count) as i32 * unit as i32;
            return Answer::fails(Sense { key: 0x0d, information: Some(residue), ..at_end });
        }
        if done.position.early_warning { Answer::fails(at_end) } else { Answer::good() }
    }

    fn read_variable(&mut self, length: u32, sili: bool) -> Answer {
        let (done, _) = self.done(&MediumOp::Read(ReadRequest { block_length: length, count: 1 }));
        match done.stop {
            None => Answer::data(done.data),
            Some(Stop::IncorrectLength { actual }) => {
                let difference = i64::from(length) - i64::from(actual);
                let silent = sili && (difference > 0 || self.block_length == 0);
                let sense = Sense { incorrect_length: true, information: Some(difference as i32), ..Sense::default() };
                Answer { sense: (!silent).then_some(sense), data: done.data }
            }
            Some(stop) => Answer::fails(boundary(stop, Some(length as i32))),
        }
    }

    fn read_fixed(&mut self, count: u32) -> Answer {
        let block_length = self.block_length;
        let (done, _) = self.done(&MediumOp::Read(ReadRequest { block_length, count }));
        let data = done.data.slice(..done.count as usize * block_length as usize);
        let residue = Some(count as i32 - done.count as i32);
        let sense = match done.stop {
            None => None,
            Some(Stop::IncorrectLength { .. }) => {
                Some(Sense { incorrect_length: true, information: residue, ..Sense::default() })
            }
            Some(stop) => Some(boundary(stop, residue)),
        };
        Answer { sense, data }
    }

    fn space(&mut self, code: u8, count: i64) -> Answer {
        let target = match code {
            0 => SpaceTarget::Blocks(count),
            1 => SpaceTarget::Filemarks(count),
            _ => SpaceTarget::EndOfData,
        };
        if code != 3 && count == 0 {
            return Answer::good();
        }
        let (done, good) = self.done(&MediumOp::Space(target));
        match done.stop {
            Some(stop) if code != 3 => Answer::fails(boundary(stop, Some((count.unsigned_abs() - done.count) as i32))),
            _ => good,
        }
    }

    fn locate(&mut self, target: LocateTarget) -> Answer {
        let (done, good) = self.done(&MediumOp::Locate { partition: Partition(0), target });
        done.stop.map_or(good, |stop| Answer::fails(boundary(stop, None)))
    }
}

fn boundary(stop: Stop, information: Option<i32>) -> Sense {
    match stop {
        Stop::Filemark => Sense { ascq: 1, filemark: true, information, ..Sense::default() },
        Stop::EndOfData => Sense { key: 8, ascq: 5, information, ..Sense::default() },
        Stop::BeginningOfPartition => Sense { ascq: 4, end_of_medium: true, information, ..Sense::default() },
        Stop::EndOfPartition | Stop::IncorrectLength { .. } => panic!("{stop:?} does not end this"),
    }
}
