//! What comes in: the parts of a PDU, and where each goes.

use std::time::Instant;

use bytes::buf::Limit;
use bytes::{BufMut as _, Bytes, BytesMut};

use super::connection::{Connection, Phase};
use super::error::ProtocolError;
use super::event::TaskTag;
use super::transmit::is_target_opcode;
use crate::pdu::{BHS_LENGTH, Bhs, DataOut, Opcode, RejectReason, ScsiCommand, digest, extend, padding};
use crate::text::DEFAULT_MAX_RECV_DATA_SEGMENT_LENGTH;

/// Where the rest of a PDU goes. Each part is read into [`Connection::destination`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DataPlacement {
    /// There is no rest: the PDU is complete.
    None,
    /// First the rest of the header (additional segments, digest), bytes; then ask again.
    Header(usize),
    /// Nowhere: the data of a PDU that is not wanted.
    Discard(u32),
    /// Into a small buffer: text or ping data, bytes.
    Control(u32),
    /// Into a command's buffer.
    Task {
        /// Place in the command's data, bytes.
        offset: u32,
        /// Bytes.
        length: u32,
    },
}

/// The longest data that is not wanted is dropped in pieces of this size, bytes.
const SCRATCH: usize = 16 << 10;

/// Which part of a PDU comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Header,
    Extra,
    Data,
    Trailer,
}

/// Where a data segment goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Landing {
    Discard,
    Control,
    Task(TaskTag),
}

/// The PDU that is coming in.
#[derive(Debug)]
pub(super) struct Receiver {
    part: Part,
    /// Bytes of the part that are missing.
    missing: usize,
    bhs: Bhs,
    landing: Landing,
    /// The command that it belongs to, where its data is wanted or not.
    task: Option<TaskTag>,
    /// Additional header segments or trailer.
    small: BytesMut,
    control: BytesMut,
    scratch: BytesMut,
    crc: u32,
}

impl Receiver {
    pub(super) fn new() -> Self {
        Self {
            part: Part::Header,
            missing: BHS_LENGTH,
            bhs: Bhs([0; BHS_LENGTH]),
            landing: Landing::Discard,
            task: None,
            small: BytesMut::new(),
            control: BytesMut::new(),
            scratch: BytesMut::new(),
            crc: 0,
        }
    }

    fn begin(&mut self, part: Part, missing: usize) {
        self.part = part;
        self.missing = missing;
    }
}

impl Connection {
    /// Whether a header comes next, rather than the rest of a PDU.
    #[must_use]
    pub fn expects_header(&self) -> bool {
        self.receiver.part == Part::Header
    }

    /// Takes a header and says where the rest goes. May produce events and PDUs to send.
    ///
    /// # Errors
    /// The initiator broke the protocol: send what [`Self::poll_transmit`] has, then close.
    pub fn receive_header(&mut self, now: Instant, header: &[u8; BHS_LENGTH]) -> Result<DataPlacement, ProtocolError> {
        self.keepalive.heard(now);
        let bhs = Bhs(*header);
        self.receiver.bhs = bhs;
        self.receiver.small.clear();
        let digest = if self.session.header_digest { 4 } else { 0 };
        let extra = bhs.total_ahs_length() + digest;
        if extra > 0 {
            self.receiver.begin(Part::Extra, extra);
            return Ok(DataPlacement::Header(extra));
        }
        self.header_received(now)
    }

    /// Where the next bytes go: a buffer that takes no more than the part of the PDU that is missing.
    /// Call [`Self::advance`] with the number of bytes put there. Not while a header is expected.
    pub fn destination(&mut self) -> Limit<&mut BytesMut> {
        let receiver = &mut self.receiver;
        match (receiver.part, receiver.landing) {
            (Part::Extra | Part::Trailer, _) => (&mut receiver.small).limit(receiver.missing),
            (Part::Data, Landing::Control) => (&mut receiver.control).limit(receiver.missing),
            (Part::Data, Landing::Task(tag)) if let Some(task) = self.tasks.get(tag) => {
                (&mut task.buffer).limit(receiver.missing)
            }
            _ => {
                receiver.scratch.clear();
                receiver.scratch.reserve(receiver.missing.min(SCRATCH));
                (&mut receiver.scratch).limit(receiver.missing.min(SCRATCH))
            }
        }
    }

    /// `count` bytes were put into [`Self::destination`]. May produce events and PDUs to send.
    ///
    /// # Errors
    /// The initiator broke the protocol: send what [`Self::poll_transmit`] has, then close.
    pub fn advance(&mut self, now: Instant, count: usize) -> Result<(), ProtocolError> {
        self.keepalive.heard(now);
        if self.receiver.part == Part::Data && self.session.data_digest {
            self.sum(count);
        }
        self.receiver.missing = self.receiver.missing.saturating_sub(count);
        if self.receiver.missing > 0 {
            return Ok(());
        }
        match self.receiver.part {
            Part::Header => Ok(()),
            Part::Extra => self.header_received(now).map(|_| ()),
            Part::Data => self.data_received(now),
            Part::Trailer => self.trailer_received(now),
        }
    }

    /// How many bytes of the current part are missing.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.receiver.missing
    }

    /// Adds the last `count` bytes that came to the data digest while they are in the cache.
    fn sum(&mut self, count: usize) {
        let receiver = &mut self.receiver;
        let buffer = match receiver.landing {
            Landing::Control => &receiver.control,
            Landing::Task(tag) => self.tasks.get(tag).map_or(&receiver.scratch, |task| &task.buffer),
            Landing::Discard => &receiver.scratch,
        };
        let new = buffer.len().checked_sub(count).and_then(|from| buffer.get(from..)).unwrap_or_default();
        receiver.crc = extend(receiver.crc, new);
    }

    /// Header, additional segments and header digest are there.
    fn header_received(&mut self, now: Instant) -> Result<DataPlacement, ProtocolError> {
        let bhs = self.receiver.bhs;
        if self.session.header_digest {
            let at = bhs.total_ahs_length();
            let (ahs, sum) = self.receiver.small.split_at_checked(at).unwrap_or_default();
            if digest(&[&bhs.0, ahs]) != *sum {
                return Err(ProtocolError::HeaderDigest);
            }
            self.receiver.small.truncate(at);
        }
        let length = bhs.data_segment_length();
        let limit = self.data_segment_limit();
        if length > limit {
            return Err(self.fail(bhs, ProtocolError::DataSegmentTooLong { length, limit }));
        }
        self.receiver.task = None;
        self.receiver.landing = self.place(bhs).map_err(|error| self.fail(bhs, error))?;
        if length == 0 {
            self.pdu_received(now)?;
            return Ok(DataPlacement::None);
        }
        self.receiver.crc = 0;
        self.receiver.begin(Part::Data, usize::try_from(length).unwrap_or(usize::MAX));
        Ok(match self.receiver.landing {
            Landing::Discard => DataPlacement::Discard(length),
            Landing::Control => {
                self.receiver.control = BytesMut::with_capacity(self.receiver.missing);
                DataPlacement::Control(length)
            }
            Landing::Task(_) if bhs.opcode() == Opcode::DATA_OUT => {
                DataPlacement::Task { offset: DataOut::decode(&bhs).buffer_offset, length }
            }
            Landing::Task(_) => DataPlacement::Task { offset: 0, length },
        })
    }

    /// Longest data segment that is taken now, bytes. [RFC 7143 13.12]
    fn data_segment_limit(&self) -> u32 {
        match self.phase {
            Phase::Login(_) => DEFAULT_MAX_RECV_DATA_SEGMENT_LENGTH,
            Phase::FullFeature | Phase::LoggedOut => self.session.max_recv_data_segment_length,
        }
    }

    /// Decides where the data segment goes, and begins what the header begins.
    fn place(&mut self, bhs: Bhs) -> Result<Landing, ProtocolError> {
        let opcode = bhs.opcode();
        match self.phase {
            Phase::Login(_) if opcode == Opcode::LOGIN_REQUEST => return Ok(Landing::Control),
            Phase::Login(_) => return Err(self.refuse_in_login(bhs)),
            Phase::LoggedOut => return Ok(Landing::Discard),
            Phase::FullFeature => {}
        }
        // Always 1 in these. A stream that is out of step is mostly seen here first. [RFC 7143 7.6]
        let always_final = matches!(opcode, Opcode::NOP_OUT | Opcode::TASK_MANAGEMENT_REQUEST | Opcode::LOGOUT_REQUEST);
        if always_final && !bhs.is_final() {
            return Err(ProtocolError::Format(opcode));
        }
        match opcode {
            Opcode::SCSI_COMMAND => {
                let ahs = self.receiver.small.split();
                let tag = self.begin_command(bhs, &ScsiCommand::decode(&bhs), &ahs)?;
                self.receiver.task = tag;
                Ok(self.landing_of(tag))
            }
            Opcode::DATA_OUT => {
                let tag = self.begin_data_out(bhs, &DataOut::decode(&bhs), bhs.data_segment_length())?;
                self.receiver.task = tag;
                Ok(self.landing_of(tag))
            }
            Opcode::NOP_OUT | Opcode::TEXT_REQUEST => Ok(Landing::Control),
            Opcode::LOGIN_REQUEST => Err(ProtocolError::Unexpected(opcode)),
            other if is_target_opcode(other) => Err(ProtocolError::Unexpected(other)),
            _ => Ok(Landing::Discard),
        }
    }

    fn landing_of(&mut self, tag: Option<TaskTag>) -> Landing {
        match tag.and_then(|tag| self.tasks.get(tag)) {
            Some(task) if task.refusal.is_none() && task.command.write => Landing::Task(task.tag),
            _ => Landing::Discard,
        }
    }

    fn data_received(&mut self, now: Instant) -> Result<(), ProtocolError> {
        let digest = if self.session.data_digest { 4 } else { 0 };
        let trailer = usize::from(padding(self.receiver.bhs.data_segment_length())) + digest;
        self.receiver.small.clear();
        if trailer == 0 {
            return self.pdu_received(now);
        }
        self.receiver.begin(Part::Trailer, trailer);
        Ok(())
    }

    fn trailer_received(&mut self, now: Instant) -> Result<(), ProtocolError> {
        if self.session.data_digest {
            let at = usize::from(padding(self.receiver.bhs.data_segment_length()));
            let (fill, sum) = self.receiver.small.split_at_checked(at).unwrap_or_default();
            if extend(self.receiver.crc, fill).to_le_bytes() != *sum {
                return Err(self.fail(self.receiver.bhs, ProtocolError::DataDigest));
            }
        }
        self.pdu_received(now)
    }

    /// All of a PDU is there.
    fn pdu_received(&mut self, now: Instant) -> Result<(), ProtocolError> {
        self.receiver.begin(Part::Header, BHS_LENGTH);
        let bhs = self.receiver.bhs;
        if matches!(self.phase, Phase::Login(_)) {
            let text = self.receiver.control.split();
            return self.login_received(bhs, &text);
        }
        match (bhs.opcode(), self.receiver.task) {
            (Opcode::SCSI_COMMAND, Some(tag)) => self.command_received(tag, bhs.data_segment_length()),
            (Opcode::DATA_OUT, Some(tag)) => self.data_out_received(tag, &bhs),
            (Opcode::SCSI_COMMAND | Opcode::DATA_OUT, None) => {}
            (Opcode::SNACK_REQUEST, _) => self.reject(bhs, RejectReason::SNACK_REJECT, false),
            _ => {
                let control = self.receiver.control.split().freeze();
                let data = if self.receiver.landing == Landing::Control { control } else { Bytes::new() };
                self.request_received(now, bhs, data);
            }
        }
        Ok(())
    }

    /// Queues the Reject that belongs to an error, and passes it on.
    fn fail(&mut self, bhs: Bhs, error: ProtocolError) -> ProtocolError {
        if let Phase::Login(_) = self.phase {
            return match error {
                ProtocolError::LoginRefused(_) => error,
                _ => self.refuse_in_login(bhs),
            };
        }
        if let Some(reason) = error.reject_reason() {
            self.reject(bhs, reason, false);
        }
        error
    }
}
