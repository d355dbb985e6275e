//! A tar archive of generated files.

use bytes::{BufMut, Bytes, BytesMut};

/// A tar archive of generated files, as a backup would write it.
pub(super) struct Archive {
    /// Which one of the demo.
    pub(super) number: u8,
    /// How many files are in it.
    pub(super) files: u64,
    /// The archive, a whole number of 10,240-byte records.
    pub(super) bytes: Bytes,
}

/// Unit of a tar archive. [POSIX.1 pax, ustar interchange format]
const UNIT: usize = 512;

/// Archives end at a multiple of this: 20 units.
const RECORD: usize = 20 * UNIT;

impl Archive {
    /// An archive of files of 1 MiB and a little more, together about `mebibytes`.
    pub(super) fn new(number: u8, mebibytes: u8) -> Self {
        let mut out = BytesMut::new();
        let mut noise = Noise::new(number);
        for file in 0..u32::from(mebibytes) {
            let content = noise.bytes((1 << 20) + usize::from(number) * 7 + 1);
            out.put_slice(&header(&format!("demo/{number}/file-{file:03}"), content.len()));
            out.put_slice(&content);
            pad(&mut out, UNIT);
        }
        // Two empty units end an archive.
        out.put_bytes(0, 2 * UNIT);
        pad(&mut out, RECORD);
        Self { number, files: u64::from(mebibytes), bytes: out.freeze() }
    }
}

/// The header of a plain file: name, mode, owner, size and time in octal, then a sum over itself.
fn header(name: &str, size: usize) -> [u8; UNIT] {
    let fields: [(usize, String); 9] = [
        (0, name.to_owned()),
        (100, "0000644\0".to_owned()),
        (108, "0001750\0".to_owned()),
        (116, "0001750\0".to_owned()),
        (124, format!("{size:011o}\0")),
        (136, format!("{:011o}\0", 1_700_000_000)),
        // While the sum is taken, its own field counts as blanks.
        (148, "        ".to_owned()),
        (156, "0".to_owned()),
        (257, "ustar\x0000".to_owned()),
    ];
    let mut header = [0; UNIT];
    for (at, text) in &fields {
        put(&mut header, *at, text);
    }
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    put(&mut header, 148, &format!("{sum:06o}\0 "));
    header
}

fn put(header: &mut [u8; UNIT], at: usize, text: &str) {
    for (to, from) in header.iter_mut().skip(at).zip(text.bytes()) {
        *to = from;
    }
}

/// Zeros up to a multiple of `unit`.
fn pad(out: &mut BytesMut, unit: usize) {
    out.put_bytes(0, out.len().next_multiple_of(unit) - out.len());
}

/// Bytes that do not compress and are the same in each run.
struct Noise(u64);

impl Noise {
    fn new(seed: u8) -> Self {
        Self(0x9e37_79b9_7f4a_7c15 ^ u64::from(seed))
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length.next_multiple_of(8));
        while bytes.len() < length {
            // xorshift64
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            bytes.extend_from_slice(&self.0.to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn tar_lists_the_archive() {
        let archive = Archive::new(1, 2);
        assert_eq!(archive.bytes.len() % RECORD, 0);
        let mut tar = Command::new("tar")
            .args(["--list", "--verbose", "--utc"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        tar.stdin.take().unwrap().write_all(&archive.bytes).unwrap();
        let output = tar.wait_with_output().unwrap();
        assert!(output.status.success());
        let lines = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            lines,
            "-rw-r--r-- 1000/1000   1048584 2023-11-14 22:13 demo/1/file-000\n\
             -rw-r--r-- 1000/1000   1048584 2023-11-14 22:13 demo/1/file-001\n"
        );
    }
}
