//! Values that several keys have: sizes, times, texts that may be empty.

use std::time::Duration;

use capstan_media::ByteSize;
use toml::de::DeValue;

use super::keys::quoted;

const UNITS: [(&str, u32); 5] = [("PiB", 50), ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];

/// A size within bounds.
pub(super) fn size(value: &DeValue<'_>, low: u64, high: u64) -> Option<ByteSize> {
    let size: ByteSize = value.as_str()?.parse().ok()?;
    Some(size).filter(|size| (low..=high).contains(&size.0))
}

/// A size as the file has it: the same number when it is read again.
pub(super) fn exact(size: ByteSize) -> String {
    let whole = UNITS.iter().find(|(_, bits)| size.0 != 0 && size.0.trailing_zeros() >= *bits);
    whole.map_or_else(|| format!("{}B", size.0), |(unit, bits)| format!("{}{unit}", size.0 >> bits))
}

/// A time within bounds: a number with `s`, `m`, `h` or `d`.
pub(super) fn duration(value: &DeValue<'_>, low: Duration, high: Duration) -> Option<Duration> {
    time(value.as_str()?).filter(|duration| (low..=high).contains(duration))
}

/// A time: a number with `s`, `m`, `h` or `d`.
pub(crate) fn time(text: &str) -> Option<Duration> {
    let (number, seconds) = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)]
        .into_iter()
        .find_map(|(unit, seconds)| text.strip_suffix(unit).map(|number| (number, seconds)))?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(seconds)?))
}

/// A time as the file has it.
pub(super) fn duration_text(duration: Duration) -> String {
    quoted(&format!("{}s", duration.as_secs()))
}

/// A text, or none where it is empty; `None` where the value is no text.
pub(super) fn text(value: &DeValue<'_>) -> Option<Option<String>> {
    value.as_str().map(|text| Some(text.to_owned()).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_as_it_was_written() {
        for (bytes, text) in [
            (0, "0B"),
            (1000, "1000B"),
            (1 << 10, "1KiB"),
            (3 << 29, "1536MiB"),
            (2 << 30, "2GiB"),
            (1 << 60, "1024PiB"),
        ] {
            assert_eq!(exact(ByteSize(bytes)), text);
            assert_eq!(text.parse(), Ok(ByteSize(bytes)));
        }
    }

    #[test]
    fn times_have_a_unit_and_bounds() {
        let read =
            |text: &str| duration(&DeValue::String(text.into()), Duration::from_secs(1), Duration::from_secs(840));
        for (text, seconds) in [("1s", 1), ("600s", 600), ("14m", 840)] {
            assert_eq!(read(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for bad in ["", "s", "0s", "841s", "1h", "600", "1.5m", "+5s", "5 s", "99999999999999999999h", "1d", "1w"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
