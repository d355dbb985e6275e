//! The basic header segment: 48 bytes that begin every PDU.

use std::fmt;

use super::Opcode;

/// Bytes in a basic header segment.
pub const BHS_LENGTH: usize = 48;

/// The tag value that means "no tag". [RFC 7143 11.2.1.8]
pub const RESERVED_TAG: u32 = 0xffff_ffff;

/// The largest data segment that a header can announce, bytes.
pub const MAX_DATA_SEGMENT_LENGTH: u32 = 0x00ff_ffff;

/// A basic header segment as it travels: the fields that every PDU has, and bytes for the rest. [RFC 7143 11.2.1]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bhs(pub [u8; BHS_LENGTH]);

impl Bhs {
    /// A header of zeros but for its opcode.
    pub(super) fn new(opcode: Opcode) -> Self {
        let mut bytes = [0; BHS_LENGTH];
        bytes[0] = opcode.0 & 0x3f;
        Self(bytes)
    }

    /// Operation code, 6 bits.
    #[must_use]
    pub fn opcode(&self) -> Opcode {
        Opcode(self.0[0] & 0x3f)
    }

    /// I bit: the request is for immediate delivery and takes no CmdSN. [RFC 7143 11.2.1.1]
    #[must_use]
    pub fn immediate(&self) -> bool {
        self.0[0] & 0x40 != 0
    }

    /// F bit: the last PDU of a sequence (T bit in login PDUs).
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.0[1] & 0x80 != 0
    }

    /// Length of all additional header segments with their padding, bytes (at most 1020).
    #[must_use]
    pub fn total_ahs_length(&self) -> usize {
        usize::from(self.0[4]) * 4
    }

    /// Length of the data segment without its padding, bytes (at most [`MAX_DATA_SEGMENT_LENGTH`]).
    #[must_use]
    pub fn data_segment_length(&self) -> u32 {
        u32::from_be_bytes([0, self.0[5], self.0[6], self.0[7]])
    }

    /// Logical unit number, where the PDU has one.
    #[must_use]
    pub fn lun(&self) -> [u8; 8] {
        self.array(8)
    }

    /// Initiator task tag, where the PDU has one (all but asynchronous messages, and they hold the reserved tag).
    #[must_use]
    pub fn initiator_task_tag(&self) -> u32 {
        self.u32(16)
    }

    /// The same header announcing `length` bytes of data.
    ///
    /// Longer than [`MAX_DATA_SEGMENT_LENGTH`] cannot be expressed and is a mistake of the caller.
    #[must_use]
    pub fn with_data_segment_length(mut self, length: u32) -> Self {
        debug_assert!(length <= MAX_DATA_SEGMENT_LENGTH);
        let [_, high, middle, low] = length.to_be_bytes();
        self.put(5, &[high, middle, low]);
        self
    }

    /// The same header announcing `words` times 4 bytes of additional header segments.
    #[must_use]
    pub fn with_total_ahs_words(mut self, words: u8) -> Self {
        self.0[4] = words;
        self
    }

    /// The same header with the I bit as said.
    pub(super) fn with_immediate(mut self, immediate: bool) -> Self {
        self.0[0] = self.0[0] & 0x3f | flag(immediate, 0x40);
        self
    }

    pub(super) fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        self.0.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
    }

    pub(super) fn u32(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.array(at))
    }

    pub(super) fn u16(&self, at: usize) -> u16 {
        u16::from_be_bytes(self.array(at))
    }

    pub(super) fn bit(&self, at: usize, mask: u8) -> bool {
        self.0.get(at).is_some_and(|byte| byte & mask != 0)
    }

    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) {
        let place = at.checked_add(bytes.len()).and_then(|end| self.0.get_mut(at..end));
        debug_assert!(place.is_some(), "a field beyond the header");
        if let Some(place) = place {
            place.copy_from_slice(bytes);
        }
    }

    pub(super) fn put_u32(&mut self, at: usize, value: u32) {
        self.put(at, &value.to_be_bytes());
    }

    pub(super) fn put_u16(&mut self, at: usize, value: u16) {
        self.put(at, &value.to_be_bytes());
    }
}

/// `mask` if `set`, else no bit.
pub(super) fn flag(set: bool, mask: u8) -> u8 {
    if set { mask } else { 0 }
}

/// Bytes of padding after `length` bytes, so that the next part begins at a multiple of 4. [RFC 7143 11.1]
#[must_use]
pub fn padding(length: u32) -> u8 {
    match length % 4 {
        1 => 3,
        2 => 2,
        3 => 1,
        _ => 0,
    }
}

impl fmt::Debug for Bhs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bhs({:?} ", self.opcode())?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_survive() {
        let bhs = Bhs::new(Opcode::SCSI_COMMAND).with_data_segment_length(0x0012_3456).with_total_ahs_words(255);
        assert_eq!(bhs.0[4..8], [255, 0x12, 0x34, 0x56]);
        assert_eq!(bhs.data_segment_length(), 0x0012_3456);
        assert_eq!(bhs.total_ahs_length(), 1020);
    }

    #[test]
    fn padding_fills_words() {
        assert_eq!([0, 1, 2, 3, 4, 5, MAX_DATA_SEGMENT_LENGTH].map(padding), [0, 3, 2, 1, 0, 3, 1]);
    }
}
