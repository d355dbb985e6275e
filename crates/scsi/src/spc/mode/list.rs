//! The mode parameter list: header, block descriptor, then pages. [SPC-5 7.5.4 to 7.5.7]

use super::ModePageCode;
use crate::asc::Asc;
use crate::sense::{CheckCondition, SenseKey};
use crate::wire;

/// Bytes of a (short) block descriptor.
pub const BLOCK_DESCRIPTOR_LENGTH: usize = 8;

/// Which of the two header layouts: that of the 6-byte or of the 10-byte commands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeaderForm {
    /// Four bytes, for MODE SENSE(6) and MODE SELECT(6).
    Six,
    /// Eight bytes, for MODE SENSE(10) and MODE SELECT(10).
    Ten,
}

impl HeaderForm {
    fn length(self) -> usize {
        match self {
            Self::Six => 4,
            Self::Ten => 8,
        }
    }

    /// Where BLOCK DESCRIPTOR LENGTH begins.
    fn descriptor_length_at(self) -> u16 {
        match self {
            Self::Six => 3,
            Self::Ten => 6,
        }
    }
}

/// What a header says besides lengths.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ModeHeader {
    /// MEDIUM TYPE.
    pub medium_type: u8,
    /// DEVICE-SPECIFIC PARAMETER.
    pub device_specific: u8,
}

/// Mode parameter data for MODE SENSE. MODE DATA LENGTH counts all of it, before any truncation.
#[must_use]
pub fn encode(
    form: HeaderForm,
    header: ModeHeader,
    block_descriptor: Option<[u8; BLOCK_DESCRIPTOR_LENGTH]>,
    pages: &[u8],
) -> Vec<u8> {
    let descriptor = block_descriptor.as_ref().map_or(&[] as &[u8], |descriptor| descriptor);
    let total = form.length().saturating_add(descriptor.len()).saturating_add(pages.len());
    let mut data = match form {
        HeaderForm::Six => {
            let length = wire::length_u8(total.saturating_sub(1));
            vec![length, header.medium_type, header.device_specific, wire::length_u8(descriptor.len())]
        }
        HeaderForm::Ten => {
            let [high, low] = wire::length_u16(total.saturating_sub(2)).to_be_bytes();
            let [bd_high, bd_low] = wire::length_u16(descriptor.len()).to_be_bytes();
            vec![high, low, header.medium_type, header.device_specific, 0, 0, bd_high, bd_low]
        }
    };
    data.extend(descriptor);
    data.extend(pages);
    data
}

/// A page that MODE SELECT carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SelectedPage {
    /// Where in the parameter list it begins, for field pointers.
    pub offset: u16,
    /// PAGE CODE.
    pub code: ModePageCode,
    /// SUBPAGE CODE, 0 without SPF.
    pub subpage: u8,
    /// What follows the page header.
    pub values: Vec<u8>,
}

/// What MODE SELECT carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModeParameterList {
    /// The header. MODE DATA LENGTH is reserved here and not looked at.
    pub header: ModeHeader,
    /// Where DEVICE-SPECIFIC PARAMETER is, for field pointers.
    pub device_specific_at: u16,
    /// The block descriptor, if there is one.
    pub block_descriptor: Option<[u8; BLOCK_DESCRIPTOR_LENGTH]>,
    /// Where the block descriptor begins, for field pointers.
    pub block_descriptor_at: u16,
    /// The pages.
    pub pages: Vec<SelectedPage>,
}

impl ModeParameterList {
    /// Reads a parameter list.
    ///
    /// # Errors
    /// PARAMETER LIST LENGTH ERROR when it ends within the header, the descriptor or a page; INVALID FIELD IN
    /// PARAMETER LIST for a block descriptor length other than 0 and 8.
    pub fn decode(form: HeaderForm, list: &[u8]) -> Result<Self, CheckCondition> {
        let (medium_type_at, length_at) = match form {
            HeaderForm::Six => (1, 3),
            HeaderForm::Ten => (2, 7),
        };
        let body = list.get(form.length()..).ok_or_else(cut_off)?;
        let [medium_type, device_specific] = wire::array_at(list, medium_type_at).ok_or_else(cut_off)?;
        let header = ModeHeader { medium_type, device_specific };
        let long = form == HeaderForm::Ten;
        if long && (list.get(4).is_some_and(|longlba| longlba & 1 != 0)) {
            return Err(CheckCondition::invalid_field_in_parameter_list(4, Some(0)));
        }
        let high = if long { list.get(6).copied().unwrap_or(0) } else { 0 };
        let low = list.get(length_at).copied().unwrap_or(0);
        let (block_descriptor, pages) = match (high, low) {
            (0, 0) => (None, body),
            (0, 8) => {
                let descriptor = wire::array_at(body, 0).ok_or_else(cut_off)?;
                (Some(descriptor), body.get(BLOCK_DESCRIPTOR_LENGTH..).unwrap_or_default())
            }
            _ => return Err(CheckCondition::invalid_field_in_parameter_list(form.descriptor_length_at(), None)),
        };
        let offset = list.len().saturating_sub(pages.len());
        Ok(Self {
            header,
            device_specific_at: if long { 3 } else { 2 },
            block_descriptor,
            block_descriptor_at: wire::length_u16(form.length()),
            pages: decode_pages(pages, wire::length_u16(offset))?,
        })
    }
}

fn decode_pages(mut rest: &[u8], mut offset: u16) -> Result<Vec<SelectedPage>, CheckCondition> {
    let mut pages = Vec::new();
    while let Some(first) = rest.first() {
        let spf = first & 0x40 != 0;
        let (subpage, length, header_length) = if spf {
            let subpage = rest.get(1).copied().ok_or_else(cut_off)?;
            (subpage, usize::from(wire::u16_at(rest, 2).ok_or_else(cut_off)?), 4)
        } else {
            (0, usize::from(rest.get(1).copied().ok_or_else(cut_off)?), 2)
        };
        let end = length.saturating_add(header_length);
        let values = rest.get(header_length..end).ok_or_else(cut_off)?.to_vec();
        pages.push(SelectedPage { offset, code: ModePageCode(first & 0x3f), subpage, values });
        rest = rest.get(end..).unwrap_or_default();
        offset = offset.saturating_add(wire::length_u16(end));
    }
    Ok(pages)
}

fn cut_off() -> CheckCondition {
    CheckCondition::new(SenseKey::IllegalRequest, Asc::PARAMETER_LIST_LENGTH_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: ModeHeader = ModeHeader { medium_type: 0x88, device_specific: 0x90 };
    const DESCRIPTOR: [u8; 8] = [0x5e, 0, 0, 0, 0, 0, 2, 0];

    #[test]
    fn golden_headers() {
        let six = encode(HeaderForm::Six, HEADER, Some(DESCRIPTOR), &[0x0f, 1, 7]);
        assert_eq!(six, [14, 0x88, 0x90, 8, 0x5e, 0, 0, 0, 0, 0, 2, 0, 0x0f, 1, 7]);
        let ten = encode(HeaderForm::Ten, HEADER, None, &[0x0f, 1, 7]);
        assert_eq!(ten, [0, 9, 0x88, 0x90, 0, 0, 0, 0, 0x0f, 1, 7]);
    }

    #[test]
    fn decode_is_the_inverse_of_encode() {
        for form in [HeaderForm::Six, HeaderForm::Ten] {
            for descriptor in [None, Some(DESCRIPTOR)] {
                let list = encode(form, HEADER, descriptor, &[0x0f, 1, 7, 0x50, 1, 0, 2, 8, 9]);
                let decoded = ModeParameterList::decode(form, &list).unwrap();
                assert_eq!(decoded.header, HEADER);
                assert_eq!(decoded.block_descriptor, descriptor);
                let start = u16::try_from(list.len() - 9).unwrap();
                let page = |offset, code, subpage, values: &[u8]| SelectedPage {
                    offset,
                    code: ModePageCode(code),
                    subpage,
                    values: values.to_vec(),
                };
                assert_eq!(decoded.pages, [page(start, 0x0f, 0, &[7]), page(start + 3, 0x10, 1, &[8, 9])]);
            }
        }
    }

    #[test]
    fn every_truncation_is_a_length_error() {
        let list = encode(HeaderForm::Six, HEADER, Some(DESCRIPTOR), &[0x0f, 1, 7, 0x50, 1, 0, 2, 8, 9]);
        let whole = [4 + 8, 4 + 8 + 3, list.len()];
        for length in 0..=list.len() {
            let decoded = ModeParameterList::decode(HeaderForm::Six, &list[..length]);
            assert_eq!(decoded.is_ok(), whole.contains(&length), "{length}");
            if let Err(refused) = decoded {
                assert_eq!(refused, cut_off());
            }
        }
        let mut odd = list;
        odd[3] = 7;
        let refused = ModeParameterList::decode(HeaderForm::Six, &odd);
        assert_eq!(refused, Err(CheckCondition::invalid_field_in_parameter_list(3, None)));
    }
}
