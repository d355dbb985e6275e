//! The bare limit: what this machine does for a block that goes over TCP into a file, with nothing around it.
//!
//! A request is 48 bytes, as an iSCSI header: what to do, where in the file, how much. A write's block follows it and is
//! answered by 48 bytes; a read is answered by 48 bytes and the block. The file is written through the page cache.

pub(crate) mod client;
pub(crate) mod server;

/// Bytes of a request and of an answer.
const HEADER: usize = 48;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Request {
    reads: bool,
    /// Which file.
    number: u32,
    length: u32,
    offset: u64,
}

impl Request {
    fn encode(self) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        header[0] = u8::from(self.reads);
        header[4..8].copy_from_slice(&self.number.to_be_bytes());
        header[8..12].copy_from_slice(&self.length.to_be_bytes());
        header[16..24].copy_from_slice(&self.offset.to_be_bytes());
        header
    }

    fn decode(header: &[u8; HEADER]) -> Self {
        let [reads, _, _, _, a, b, c, d, e, f, g, h, _, _, _, _, s, t, u, v, w, x, y, z, ..] = *header;
        Self {
            reads: reads == 1,
            number: u32::from_be_bytes([a, b, c, d]),
            length: u32::from_be_bytes([e, f, g, h]),
            offset: u64::from_be_bytes([s, t, u, v, w, x, y, z]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_survives_its_way() {
        let request = Request { reads: true, number: 9, length: 1 << 20, offset: 7 << 40 };
        assert_eq!(Request::decode(&request.encode()), request);
    }
}
