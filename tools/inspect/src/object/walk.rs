//! Finding frames without the table: each says how long it is.

use super::Bytes;
use crate::error::Error;
use crate::format::{FRAME_HEAD, FrameHead, HEADER, ObjectHeader, TableEntry};

/// The frames up to the first whose head cannot be one. The last may be cut off.
pub(crate) fn table(bytes: &Bytes<'_>, header: &ObjectHeader) -> Result<Vec<TableEntry>, Error> {
    let mut table = Vec::new();
    let mut offset = HEADER;
    for frame in 0..header.frames() {
        let head = bytes.range(offset, FRAME_HEAD)?;
        let Ok(head) = <[u8; 4]>::try_from(head) else { break };
        let head = FrameHead(u32::from_le_bytes(head));
        if !head.fits(header.frame_length(frame), header.is_encrypted) {
            break;
        }
        table.push(TableEntry { offset, head, crc: None });
        offset += FRAME_HEAD + head.stored();
    }
    Ok(table)
}
