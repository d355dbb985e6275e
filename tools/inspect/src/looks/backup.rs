//! Tapes of backup programs: Bacula and Bareos [Bacula developers' guide, storage media output format and volume label
//! format], Amanda, dump, and the Microsoft Tape Format.

use super::printable;

pub(super) fn like(block: &[u8]) -> Option<String> {
    bacula(block).or_else(|| amanda(block)).or_else(|| dump(block)).or_else(|| mtf(block))
}

/// A Bacula block: checksum, length, number, `BB02`, session, then records of file index, stream, length, data.
fn bacula(block: &[u8]) -> Option<String> {
    if block.get(12..16)? != b"BB02" {
        return None;
    }
    let file_index = i32::from_be_bytes(block.get(24..28)?.try_into().ok()?);
    let label = match file_index {
        -1 | -2 => label(block.get(36..)?),
        _ => None,
    };
    let what = match file_index {
        -1 => "volume label (not used yet)",
        -2 => "volume label",
        -3 => "end of medium",
        -4 => "start of a session",
        -5 => "end of a session",
        _ => "data",
    };
    Some(match label {
        Some(label) => format!("{} {what}: {}", label.program, label.text()),
        None => format!("Bacula or Bareos {what}"),
    })
}

/// What a volume label says.
struct Label {
    program: &'static str,
    volume: String,
    pool: String,
    media: String,
}

impl Label {
    fn text(&self) -> String {
        format!("volume {}, pool {}, media type {}", self.volume, self.pool, self.media)
    }
}

/// Text that ends with a zero, a version, four times of 8 bytes, and more text.
fn label(record: &[u8]) -> Option<Label> {
    let (id, rest) = text(record)?;
    let mut rest = rest.get(4 + 4 * 8..)?;
    let mut next = || {
        let (text, after) = text(rest)?;
        rest = after;
        Some(text)
    };
    let (volume, _previous, pool, _kind, media) = (next()?, next()?, next()?, next()?, next()?);
    let program = if id.starts_with("Bareos") { "Bareos" } else { "Bacula" };
    Some(Label { program, volume, pool, media })
}

fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.iter().position(|&byte| byte == 0).filter(|&end| end < 128)?;
    Some((printable(bytes.get(..end)?), bytes.get(end + 1..)?))
}

/// Amanda's blocks begin with a line of text.
fn amanda(block: &[u8]) -> Option<String> {
    let line = block.strip_prefix(b"AMANDA: ")?.split(|&byte| matches!(byte, b'\n' | 0)).next()?;
    let line = printable(line.get(..line.len().min(120))?);
    let mut words = line.split(' ');
    match (words.next()?, words.next(), words.next(), words.next(), words.next()) {
        ("TAPESTART", Some("DATE"), Some(date), Some("TAPE"), Some(name)) => {
            Some(format!("Amanda tape label {name}, written {date}"))
        }
        ("TAPEEND", ..) => Some("Amanda end of tape".to_owned()),
        (kind, Some(date), Some(host), Some(disk), _) if kind.ends_with("FILE") => {
            Some(format!("Amanda dump of {host}:{disk}, {date}"))
        }
        (kind, ..) => Some(format!("Amanda {kind}")),
    }
}

/// dump: a header whose magic is at offset 24, in the order of either kind of machine.
fn dump(block: &[u8]) -> Option<String> {
    let magic: [u8; 4] = block.get(24..28)?.try_into().ok()?;
    let is_dump =
        [60_011_u32, 60_012].iter().any(|number| magic == number.to_le_bytes() || magic == number.to_be_bytes());
    // Blocks of dump are multiples of 1 KiB.
    (is_dump && block.len() >= 1024).then(|| "dump".to_owned())
}

/// The first descriptor block of a Microsoft tape.
fn mtf(block: &[u8]) -> Option<String> {
    (block.starts_with(b"TAPE") && block.len() >= 512 && block.get(52..54)? != [0, 0])
        .then(|| "Microsoft Tape Format".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume_label(id: &str, file_index: i32) -> Vec<u8> {
        let mut block = vec![0; 12];
        block.extend_from_slice(b"BB02");
        block.extend_from_slice(&[0; 8]);
        block.extend_from_slice(&file_index.to_be_bytes());
        block.extend_from_slice(&[0; 8]);
        block.extend_from_slice(id.as_bytes());
        block.extend_from_slice(&[0; 1 + 4 + 32]);
        for text in ["CAP001L8", "", "Full", "Backup", "LTO-8", "host"] {
            block.extend_from_slice(text.as_bytes());
            block.push(0);
        }
        block.resize(64_512, 0);
        block
    }

    #[test]
    fn bacula_and_bareos_volumes() {
        let is = "volume CAP001L8, pool Full, media type LTO-8";
        assert_eq!(like(&volume_label("Bacula 1.0 immortal\n", -2)), Some(format!("Bacula volume label: {is}")));
        let unused = format!("Bareos volume label (not used yet): {is}");
        assert_eq!(like(&volume_label("Bareos 2.0 immortal\n", -1)), Some(unused));
        assert_eq!(like(&volume_label("", -4)).as_deref(), Some("Bacula or Bareos start of a session"));
        // Cut off in the label: what is left is still told.
        assert_eq!(like(&volume_label("Bacula", -2)[..60]).as_deref(), Some("Bacula or Bareos volume label"));
    }

    #[test]
    fn amanda_and_dump() {
        let start = b"AMANDA: TAPESTART DATE 20261120 TAPE Daily-01\n\x0c\n";
        assert_eq!(like(start).as_deref(), Some("Amanda tape label Daily-01, written 20261120"));
        let file = b"AMANDA: FILE 20261120 host /home lev 0 comp .gz program /bin/tar\n";
        assert_eq!(like(file).as_deref(), Some("Amanda dump of host:/home, 20261120"));
        let mut dump = vec![0; 10_240];
        dump[24..28].copy_from_slice(&60_012_u32.to_le_bytes());
        assert_eq!(like(&dump).as_deref(), Some("dump"));
        assert_eq!(like(&dump[..512]), None);
    }
}
