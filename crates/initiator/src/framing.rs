//! PDUs in a stream of bytes.

use bytes::{Buf, Bytes, BytesMut};
use capstan_iscsi::pdu::{BHS_LENGTH, Bhs, digest, padding};
use capstan_iscsi::text::{DEFAULT_MAX_RECV_DATA_SEGMENT_LENGTH, Digest};

use crate::InitiatorError;

/// A PDU as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// Header.
    pub(crate) bhs: Bhs,
    /// Data segment without padding.
    pub(crate) data: Bytes,
}

/// What both sides agreed on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Framing {
    /// HeaderDigest.
    pub(crate) header_digest: Digest,
    /// DataDigest.
    pub(crate) data_digest: Digest,
    /// Longest data segment that this side takes, bytes.
    pub(crate) max_recv_data_segment_length: u32,
}

/// Until the login is over.
impl Default for Framing {
    fn default() -> Self {
        Self {
            header_digest: Digest::None,
            data_digest: Digest::None,
            max_recv_data_segment_length: DEFAULT_MAX_RECV_DATA_SEGMENT_LENGTH,
        }
    }
}

impl Framing {
    /// Takes the first PDU out of `buffer`; `None` when it is not complete yet.
    ///
    /// # Errors
    /// A data segment that is too long, a digest that does not match.
    pub(crate) fn take(&self, buffer: &mut BytesMut) -> Result<Option<Received>, InitiatorError> {
        let Some(bhs) = buffer.first_chunk::<BHS_LENGTH>().map(|bytes| Bhs(*bytes)) else {
            return Ok(None);
        };
        let length = bhs.data_segment_length();
        if length > self.max_recv_data_segment_length {
            return Err(InitiatorError::Protocol("a data segment longer than MaxRecvDataSegmentLength"));
        }
        let header = BHS_LENGTH.saturating_add(bhs.total_ahs_length());
        let data = usize::try_from(length).unwrap_or(usize::MAX);
        let padded = data.saturating_add(usize::from(padding(length)));
        let data_digest = if data == 0 { 0 } else { self.data_digest.length() };
        let total =
            header.saturating_add(self.header_digest.length()).saturating_add(padded).saturating_add(data_digest);
        if buffer.len() < total {
            buffer.reserve(total.saturating_sub(buffer.len()));
            return Ok(None);
        }
        let mut pdu = buffer.split_to(total).freeze();
        let header = pdu.split_to(header);
        verify(&header, &mut pdu, self.header_digest, "a header digest that does not match")?;
        let padded = pdu.split_to(padded);
        if data_digest > 0 {
            verify(&padded, &mut pdu, self.data_digest, "a data digest that does not match")?;
        }
        Ok(Some(Received { bhs, data: padded.slice(..data) }))
    }

    /// The bytes around a data segment: header with its digest, and padding with the data's digest.
    pub(crate) fn frame(&self, bhs: &Bhs, data: &[u8]) -> (Bytes, Bytes) {
        let mut head = BytesMut::with_capacity(BHS_LENGTH.saturating_add(4));
        head.extend_from_slice(&bhs.0);
        if self.header_digest == Digest::Crc32c {
            head.extend_from_slice(&digest(&[&bhs.0]));
        }
        let padding = [0; 3];
        let padding = padding.get(..usize::from(self::padding(bhs.data_segment_length()))).unwrap_or_default();
        let mut tail = BytesMut::from(padding);
        if self.data_digest == Digest::Crc32c && !data.is_empty() {
            tail.extend_from_slice(&digest(&[data, padding]));
        }
        (head.freeze(), tail.freeze())
    }
}

/// Takes the digest of `part` from the front of `rest`, where there is one.
fn verify(part: &[u8], rest: &mut Bytes, kind: Digest, what: &'static str) -> Result<(), InitiatorError> {
    if kind == Digest::None {
        return Ok(());
    }
    let expected = digest(&[part]);
    if rest.get(..expected.len()) != Some(&expected) {
        return Err(InitiatorError::Protocol(what));
    }
    rest.advance(expected.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use capstan_iscsi::pdu::{NopIn, TargetNumbers};

    use super::*;

    fn pdu(length: u32) -> Bhs {
        let numbers = TargetNumbers { stat_sn: 1, exp_cmd_sn: 2, max_cmd_sn: 3 };
        NopIn { lun: [0; 8], initiator_task_tag: 1, target_transfer_tag: u32::MAX, numbers }
            .encode()
            .with_data_segment_length(length)
    }

    #[test]
    fn a_pdu_comes_out_when_its_last_byte_is_there() {
        for crc in [Digest::None, Digest::Crc32c] {
            let framing = Framing { header_digest: crc, data_digest: crc, max_recv_data_segment_length: 8192 };
            let (head, tail) = framing.frame(&pdu(5), b"hello");
            let wire = [&head, &b"hello"[..], &tail].concat();
            assert_eq!(wire.len(), 48 + 8 + 2 * crc.length());
            let mut buffer = BytesMut::new();
            for (at, byte) in wire.iter().enumerate() {
                assert!(framing.take(&mut buffer).unwrap().is_none(), "{at}");
                buffer.extend_from_slice(&[*byte]);
            }
            assert_eq!(framing.take(&mut buffer).unwrap().unwrap().data, "hello");
            assert!(buffer.is_empty());
        }
    }

    #[test]
    fn a_flipped_bit_is_found_by_the_digests() {
        let crc = Digest::Crc32c;
        let framing = Framing { header_digest: crc, data_digest: crc, max_recv_data_segment_length: 8192 };
        let (head, tail) = framing.frame(&pdu(4), b"data");
        let wire = [&head, &b"data"[..], &tail].concat();
        for at in (0..wire.len()).filter(|at| !(4..8).contains(at)) {
            let mut bytes = BytesMut::from(&wire[..]);
            bytes[at] ^= 0x10;
            assert!(framing.take(&mut bytes).is_err(), "{at}");
        }
    }

    #[test]
    fn nothing_is_reserved_for_a_length_beyond_the_limit() {
        let framing = Framing::default();
        let mut buffer = BytesMut::from(&pdu(8193).0[..]);
        assert!(matches!(framing.take(&mut buffer), Err(InitiatorError::Protocol(_))));
    }
}
