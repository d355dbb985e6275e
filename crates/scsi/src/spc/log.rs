//! Log pages: parameters, pages and the lists of supported pages. [SPC-5 7.3]

use crate::wire;

/// Log page codes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LogPageCode(pub u8);

impl LogPageCode {
    /// Supported Log Pages; with subpage FFh Supported Log Pages and Subpages.
    pub const SUPPORTED_LOG_PAGES: Self = Self(0x00);
    /// Sequential-Access Device. [SSC-5]
    pub const SEQUENTIAL_ACCESS_DEVICE: Self = Self(0x0c);
    /// Volume Statistics. [SSC-5]
    pub const VOLUME_STATISTICS: Self = Self(0x17);
    /// TapeAlert. [SSC-5, SMC-3]
    pub const TAPE_ALERT: Self = Self(0x2e);
    /// Tape Capacity (vendor-specific, LTO).
    pub const TAPE_CAPACITY: Self = Self(0x31);
}

/// SUBPAGE CODE of "all subpages".
pub const ALL_SUBPAGES: u8 = 0xff;

/// How a parameter's value is laid out: FORMAT AND LINKING of its control byte. [SPC-5 7.3.2.2]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum LogFormat {
    /// Bounded data counter.
    Counter = 0b00,
    /// ASCII list.
    AsciiList = 0b01,
    /// Binary list, also unbounded counters.
    BinaryList = 0b11,
}

/// A log parameter. [SPC-5 7.3.2.1]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogParameter {
    /// PARAMETER CODE.
    pub code: u16,
    /// Its format.
    pub format: LogFormat,
    /// PARAMETER VALUE, at most 255 bytes.
    pub value: Vec<u8>,
}

impl LogParameter {
    /// A counter of as many bytes as `value` has.
    #[must_use]
    pub fn counter(code: u16, value: impl Into<Vec<u8>>) -> Self {
        Self { code, format: LogFormat::Counter, value: value.into() }
    }

    /// A binary list.
    #[must_use]
    pub fn list(code: u16, value: impl Into<Vec<u8>>) -> Self {
        Self { code, format: LogFormat::BinaryList, value: value.into() }
    }
}

/// A log page whose parameters begin at PARAMETER POINTER `from`; `None` when `from` is above every parameter.
///
/// DS is one (nothing is saved); a subpage other than 0 sets SPF.
#[must_use]
pub fn page(code: LogPageCode, subpage: u8, parameters: &[LogParameter], from: u16) -> Option<Vec<u8>> {
    let selected: Vec<&LogParameter> = parameters.iter().filter(|parameter| parameter.code >= from).collect();
    if selected.is_empty() && from != 0 {
        return None;
    }
    let mut payload = Vec::new();
    for parameter in selected {
        payload.extend(parameter.code.to_be_bytes());
        payload.extend([parameter.format as u8, wire::length_u8(parameter.value.len())]);
        payload.extend(parameter.value.iter().take(usize::from(u8::MAX)));
    }
    Some(with_header(code, subpage, &payload))
}

/// Supported Log Pages: the codes of `pages` that have subpage 0. [SPC-5 7.3.18]
#[must_use]
pub fn supported_pages(pages: &[(LogPageCode, u8)]) -> Vec<u8> {
    let codes: Vec<u8> = pages.iter().filter(|(_, subpage)| *subpage == 0).map(|(code, _)| code.0).collect();
    with_header(LogPageCode::SUPPORTED_LOG_PAGES, 0, &codes)
}

/// Supported Log Pages and Subpages. [SPC-5 7.3.19]
#[must_use]
pub fn supported_subpages(pages: &[(LogPageCode, u8)]) -> Vec<u8> {
    let codes: Vec<u8> = pages.iter().flat_map(|(code, subpage)| [code.0, *subpage]).collect();
    with_header(LogPageCode::SUPPORTED_LOG_PAGES, ALL_SUBPAGES, &codes)
}

fn with_header(code: LogPageCode, subpage: u8, payload: &[u8]) -> Vec<u8> {
    let spf = if subpage == 0 { 0 } else { 0x40 };
    // DS is zero in the lists of pages, which hold no parameters that could be saved.
    let ds = if code == LogPageCode::SUPPORTED_LOG_PAGES { 0 } else { 0x80 };
    let mut data = vec![ds | spf | (code.0 & 0x3f), subpage];
    data.extend(wire::length_u16(payload.len()).to_be_bytes());
    data.extend(payload);
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_page_with_parameter_pointer() {
        let parameters = [LogParameter::counter(0, 5_u64.to_be_bytes()), LogParameter::list(0x100, [7])];
        let data = page(LogPageCode::SEQUENTIAL_ACCESS_DEVICE, 0, &parameters, 0).unwrap();
        assert_eq!(data, [0x8c, 0, 0, 17, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 5, 1, 0, 3, 1, 7]);
        let data = page(LogPageCode::SEQUENTIAL_ACCESS_DEVICE, 0, &parameters, 1).unwrap();
        assert_eq!(data, [0x8c, 0, 0, 5, 1, 0, 3, 1, 7]);
        assert_eq!(page(LogPageCode::SEQUENTIAL_ACCESS_DEVICE, 0, &parameters, 0x101), None);
    }

    #[test]
    fn golden_lists_of_pages() {
        let pages = [
            (LogPageCode::SUPPORTED_LOG_PAGES, 0),
            (LogPageCode::SUPPORTED_LOG_PAGES, ALL_SUBPAGES),
            (LogPageCode::TAPE_ALERT, 0),
        ];
        assert_eq!(supported_pages(&pages), [0, 0, 0, 2, 0, 0x2e]);
        assert_eq!(supported_subpages(&pages), [0x40, 0xff, 0, 6, 0, 0, 0, 0xff, 0x2e, 0]);
    }
}
