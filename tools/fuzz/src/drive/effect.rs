//! What a command does to the tape, from its CDB and its answer alone.
//!
//! This is a second reading of the standard, apart from the device server's: it looks at bytes of the CDB and of the
//! sense data, and at the tape before and after.

use bytes::Bytes;

use super::tape::{Content, Object, wide};
use crate::unit::Ended;

/// A command on a threaded cartridge, with the tape before and after it.
pub(super) struct Effect<'a> {
    pub(super) ended: &'a Ended<'a>,
    pub(super) before: &'a Content,
    pub(super) after: &'a Content,
    /// The block length of MODE SELECT.
    pub(super) block_length: u32,
}

impl Effect<'_> {
    pub(super) fn check(&self) {
        let cdb = self.ended.cdb;
        match cdb[0] {
            0x08 => self.read(),
            0x0a => self.written(self.blocks()),
            0x10 => self.written(self.filemarks()),
            0x19 if self.good() => {
                let expected = &self.before.objects[..self.before.at];
                assert_eq!((self.after.objects.as_slice(), self.after.at), (expected, self.before.at));
            }
            _ => {
                assert_eq!(self.after.objects, self.before.objects, "{cdb:02x?} changed the tape");
                if self.good() {
                    self.moved();
                }
            }
        }
    }

    fn good(&self) -> bool {
        self.ended.key.is_none() && self.ended.completion.status.0 == 0
    }

    /// Early warning: all was done.
    fn done(&self) -> bool {
        self.good() || (self.ended.key == Some(0) && self.eom())
    }

    fn eom(&self) -> bool {
        self.ended.completion.sense[2] & 0x40 != 0
    }

    /// INFORMATION, if valid.
    fn information(&self) -> Option<u32> {
        let sense = &self.ended.completion.sense;
        (sense[0] & 0x80 != 0).then(|| u32::from_be_bytes([sense[3], sense[4], sense[5], sense[6]]))
    }

    fn length(&self) -> u32 {
        u24(self.ended.cdb)
    }

    fn fixed(&self) -> bool {
        self.ended.cdb[1] & 1 != 0
    }

    /// What a WRITE says it wrote.
    fn blocks(&self) -> Vec<Object> {
        let (length, count) = if self.fixed() { (self.block_length, self.length()) } else { (self.length(), 1) };
        let written = if self.done() {
            count
        } else if self.ended.key == Some(0x0d) {
            assert!(self.eom(), "VOLUME OVERFLOW without EOM");
            let residue = self.information().expect("VOLUME OVERFLOW says what is left");
            if self.fixed() { count - residue } else { u32::from(residue == 0) }
        } else {
            0
        };
        let length = usize::try_from(length).expect("32 bits");
        if length == 0 || written == 0 {
            return Vec::new();
        }
        let blocks = self.ended.data.chunks_exact(length).take(usize::try_from(written).expect("32 bits"));
        let blocks: Vec<Object> = blocks.map(|block| Object::Block(Bytes::copy_from_slice(block))).collect();
        assert_eq!(wide(blocks.len()), u64::from(written), "GOOD for data that never came");
        blocks
    }

    /// What a WRITE FILEMARKS says it wrote.
    fn filemarks(&self) -> Vec<Object> {
        let count = if self.done() || self.ended.key == Some(0x0d) { self.length() } else { 0 };
        (0..count).map(|_| Object::Filemark).collect()
    }

    fn written(&self, objects: Vec<Object>) {
        let cdb = self.ended.cdb;
        if objects.is_empty() {
            // A write of nothing, or one that failed: an overflow at its first block has cut the tape there.
            let cut = self.ended.key == Some(0x0d) && self.after.objects == self.before.objects[..self.before.at];
            assert!(self.after == self.before || cut, "{cdb:02x?} changed the tape");
            return;
        }
        let mut expected = self.before.clone();
        objects.into_iter().for_each(|object| expected.put(object));
        assert_eq!(self.after, &expected, "{cdb:02x?}");
    }

    fn read(&self) {
        let (cdb, data) = (self.ended.cdb, &self.ended.completion.data_in);
        assert_eq!(self.after.objects, self.before.objects, "{cdb:02x?} changed the tape");
        let blocks = &self.before.objects[self.before.at..];
        if self.fixed() {
            if data.is_empty() {
                assert!(!self.good() || self.length() == 0, "GOOD for nothing");
                return;
            }
            let length = usize::try_from(self.block_length).expect("32 bits");
            assert!(data.len().is_multiple_of(length), "part of a block");
            for (read, object) in data.chunks(length).zip(blocks) {
                assert!(matches!(object, Object::Block(block) if block == read), "{cdb:02x?} read something else");
            }
            let count = u32::try_from(data.len() / length).expect("small");
            assert_eq!(self.good(), count == self.length());
            if !self.good() && self.ended.key != Some(3) {
                assert_eq!(self.information(), Some(self.length() - count), "{cdb:02x?}: residue");
            }
            return;
        }
        match blocks.first() {
            Some(Object::Block(block)) if self.after.at == self.before.at + 1 => {
                let wanted = usize::try_from(self.length()).expect("32 bits");
                assert_eq!(data, &block[..block.len().min(wanted)], "{cdb:02x?}");
                let sili = cdb[1] & 2 != 0;
                assert!(self.good() == (block.len() == wanted) || sili, "{cdb:02x?}: a block of {}", block.len());
                if !self.good() {
                    let difference = self.length().wrapping_sub(u32::try_from(block.len()).expect("small"));
                    assert_eq!(self.information(), Some(difference), "{cdb:02x?}: ILI");
                }
            }
            _ => assert!(data.is_empty() && (!self.good() || self.length() == 0), "{cdb:02x?} read nothing"),
        }
    }

    /// Where GOOD for a motion leaves the tape, and what READ POSITION says.
    fn moved(&self) {
        let cdb = self.ended.cdb;
        let (from, to) = (self.before.at, self.after.at);
        match (cdb[0], cdb[1]) {
            (0x01, _) => assert_eq!(to, 0, "REWIND"),
            (0x11, code) => {
                let count = i64::from(u24(cdb)) - if cdb[2] & 0x80 != 0 { 1 << 24 } else { 0 };
                self.spaced(code & 0x0f, count);
            }
            (0x91, code) => self.spaced(code & 0x0f, i64::from_be_bytes(cdb[4..12].try_into().expect("8 bytes"))),
            (0x2b, _) => assert_eq!(wide(to), u64::from(u32::from_be_bytes([cdb[3], cdb[4], cdb[5], cdb[6]]))),
            (0x92, flags) => {
                let number = u64::from_be_bytes(cdb[4..12].try_into().expect("8 bytes"));
                match (flags >> 3) & 7 {
                    0 => assert_eq!(wide(to), number, "LOCATE to an object"),
                    1 => {
                        assert_eq!(wide(self.after.filemarks(0, to)), number, "LOCATE to a file");
                        assert!(to == 0 || self.after.objects[to - 1] == Object::Filemark);
                    }
                    _ => assert_eq!(to, self.after.objects.len(), "LOCATE to end of data"),
                }
            }
            (0x34, _) => {
                assert_eq!(to, from);
                self.position();
            }
            (0x1b, _) => assert!(to == from || to == 0, "LOAD and UNLOAD"),
            _ => assert_eq!(to, from, "{cdb:02x?} moved the tape"),
        }
    }

    fn spaced(&self, code: u8, count: i64) {
        let (from, to) = (self.before.at, self.after.at);
        let passed = self.after.filemarks(from.min(to), from.max(to));
        match code {
            0 => {
                assert_eq!(i64::try_from(to).expect("small") - i64::try_from(from).expect("small"), count);
                assert_eq!(passed, 0, "SPACE over blocks passed a filemark");
            }
            1 => {
                assert_eq!(wide(passed), count.unsigned_abs());
                let next = if count > 0 { to.checked_sub(1) } else { Some(to) };
                let at_mark = next.is_some_and(|next| self.after.objects.get(next) == Some(&Object::Filemark));
                assert!(at_mark || count == 0, "SPACE over filemarks ends at one");
            }
            _ => assert_eq!(to, self.after.objects.len(), "SPACE to end of data"),
        }
    }

    /// READ POSITION in whichever form, as far as its length goes.
    fn position(&self) {
        let data = &self.ended.completion.data_in;
        let number = |at: usize, length: usize| {
            let bytes = data.get(at..at + length)?;
            Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
        };
        let Some(&flags) = data.first() else { return };
        let (object, filemarks, unknown) = match self.ended.cdb[1] & 0x1f {
            6 => (number(8, 8), number(16, 8), flags & 0x0c != 0),
            8 => (number(8, 8), None, flags & 0x04 != 0),
            _ => (number(4, 4), None, flags & 0x04 != 0),
        };
        assert_eq!(flags & 0x80 != 0, self.after.at == 0 && !unknown, "BOP");
        if !unknown {
            assert!(object.is_none_or(|object| object == wide(self.after.at)), "{object:?} at {}", self.after.at);
            let marks = wide(self.after.filemarks(0, self.after.at));
            assert!(filemarks.is_none_or(|filemarks| filemarks == marks), "{filemarks:?} filemarks of {marks}");
        }
    }
}

/// TRANSFER LENGTH or COUNT of a six-byte CDB.
fn u24(cdb: &[u8; 16]) -> u32 {
    u32::from_be_bytes([0, cdb[2], cdb[3], cdb[4]])
}
