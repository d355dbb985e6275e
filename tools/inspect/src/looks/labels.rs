//! Labels of 80 bytes (ISO 1001, ANSI X3.27), in ASCII or EBCDIC, and what LTFS puts behind them (ISO/IEC 20919).

use super::printable;

/// A label's name, and what it is.
const LABELS: &[(&[u8; 3], &str)] = &[
    (b"VOL", "volume label"),
    (b"HDR", "header label"),
    (b"EOF", "end of file label"),
    (b"EOV", "end of volume label"),
    (b"UHL", "user header label"),
    (b"UTL", "user trailer label"),
];

pub(super) fn like(block: &[u8]) -> Option<String> {
    label(block).or_else(|| ltfs(block))
}

fn label(block: &[u8]) -> Option<String> {
    if block.len() != 80 {
        return None;
    }
    let ascii = find(block).map(|what| (block.to_vec(), what, "ANSI"));
    let (text, what, kind) = ascii.or_else(|| {
        let text: Vec<u8> = block.iter().map(|&byte| from_ebcdic(byte)).collect();
        find(&text).map(|what| (text.clone(), what, "IBM"))
    })?;
    let field = |from: usize, to: usize| text.get(from..to).map(printable).unwrap_or_default();
    let name = match what {
        "volume label" => field(4, 10),
        "header label" | "end of file label" | "end of volume label" => field(4, 21),
        _ => String::new(),
    };
    // LTFS writes its name into the field of the implementation.
    let ltfs = if what == "volume label" && field(24, 37).starts_with("LTFS") { ", of LTFS" } else { "" };
    Some(if name.is_empty() { format!("{kind} {what}{ltfs}") } else { format!("{kind} {what} {name}{ltfs}") })
}

fn find(text: &[u8]) -> Option<&'static str> {
    let is_numbered = text.get(3).is_some_and(u8::is_ascii_digit);
    LABELS.iter().find(|(name, _)| is_numbered && text.starts_with(*name)).map(|&(_, what)| what)
}

fn ltfs(block: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(block.get(..block.len().min(512))?).ok()?;
    if !text.starts_with("<?xml") {
        return None;
    }
    let kinds = [("<ltfslabel", "LTFS label"), ("<ltfsindex", "LTFS index")];
    kinds.iter().find(|(tag, _)| text.contains(tag)).map(|&(_, what)| what.to_owned())
}

/// Letters, digits and blanks; anything else becomes a zero.
fn from_ebcdic(byte: u8) -> u8 {
    match byte {
        0x40 => b' ',
        0x4b => b'.',
        0x60 => b'-',
        0xc1..=0xc9 => byte - 0xc1 + b'A',
        0xd1..=0xd9 => byte - 0xd1 + b'J',
        0xe2..=0xe9 => byte - 0xe2 + b'S',
        0xf0..=0xf9 => byte - 0xf0 + b'0',
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(text: &str) -> Vec<u8> {
        format!("{text:<80}").into_bytes()
    }

    #[test]
    fn labels_in_both_codes() {
        assert_eq!(like(&padded("VOL1CAP001")).as_deref(), Some("ANSI volume label CAP001"));
        assert_eq!(like(&padded("HDR1BACKUP.DATA      X")).as_deref(), Some("ANSI header label BACKUP.DATA"));
        let ltfs = padded("VOL1CAP001L             LTFS         ");
        assert_eq!(like(&ltfs).as_deref(), Some("ANSI volume label CAP001, of LTFS"));
        let mut ibm = vec![0x40; 80];
        ibm[..10].copy_from_slice(&[0xe5, 0xd6, 0xd3, 0xf1, 0xc3, 0xc1, 0xd7, 0xf0, 0xf0, 0xf1]);
        assert_eq!(like(&ibm).as_deref(), Some("IBM volume label CAP001"));
        assert_eq!(like(&padded("VOLUME")), None);
        assert_eq!(like(b"VOL1CAP001"), None);
    }

    #[test]
    fn what_ltfs_writes() {
        let xml = |tag: &str| format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{tag} version=\"2.4.0\">");
        assert_eq!(like(xml("ltfslabel").as_bytes()).as_deref(), Some("LTFS label"));
        assert_eq!(like(xml("ltfsindex").as_bytes()).as_deref(), Some("LTFS index"));
        assert_eq!(like(xml("html").as_bytes()), None);
    }
}
