//! Mode pages and their three sets of values. [SPC-5 7.5.2]

use super::list::SelectedPage;
use super::{ALL_SUBPAGES, ModePageCode};
use crate::CheckCondition;
use crate::wire;

/// PAGE CONTROL: which values MODE SENSE reports. [SPC-5 6.13]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageControl {
    /// Current values (00b).
    Current,
    /// A mask of what may be changed (01b).
    Changeable,
    /// Default values (10b).
    Default,
    /// Saved values (11b).
    Saved,
}

impl PageControl {
    /// From bits 7-6 of CDB byte 2.
    #[must_use]
    pub fn from_cdb_byte(byte: u8) -> Self {
        match byte >> 6 {
            0 => Self::Current,
            1 => Self::Changeable,
            2 => Self::Default,
            _ => Self::Saved,
        }
    }
}

/// Which pages MODE SENSE asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Selection {
    /// PAGE CODE; 3Fh is all.
    pub code: ModePageCode,
    /// SUBPAGE CODE; FFh is all.
    pub subpage: u8,
}

/// One mode page: its values without the page header, all three of the same length.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModePage {
    /// PAGE CODE.
    pub code: ModePageCode,
    /// SUBPAGE CODE; other than 0 the header is the long one with SPF.
    pub subpage: u8,
    /// Current values.
    pub current: Vec<u8>,
    /// Ones where a bit may be changed.
    pub changeable: Vec<u8>,
    /// Values after a reset.
    pub default: Vec<u8>,
}

impl ModePage {
    /// A page of which nothing may be changed.
    #[must_use]
    pub fn fixed(code: ModePageCode, subpage: u8, values: &[u8]) -> Self {
        Self { code, subpage, current: values.to_vec(), changeable: vec![0; values.len()], default: values.to_vec() }
    }

    /// The page with `mask` as its changeable bits; missing bytes of the mask are zero.
    #[must_use]
    pub fn with_changeable(mut self, mask: &[u8]) -> Self {
        self.changeable.iter_mut().zip(mask).for_each(|(to, from)| *to = *from);
        self
    }

    /// Bytes of the page header.
    #[must_use]
    pub fn header_length(&self) -> usize {
        if self.subpage == 0 { 2 } else { 4 }
    }

    /// The page with its header. PS is zero: nothing is saved.
    #[must_use]
    pub fn encode(&self, control: PageControl) -> Vec<u8> {
        let values = match control {
            PageControl::Changeable => &self.changeable,
            PageControl::Default => &self.default,
            PageControl::Current | PageControl::Saved => &self.current,
        };
        let mut data = if self.subpage == 0 {
            vec![self.code.0, wire::length_u8(values.len())]
        } else {
            let [high, low] = wire::length_u16(values.len()).to_be_bytes();
            vec![0x40 | self.code.0, self.subpage, high, low]
        };
        data.extend(values);
        data
    }

    /// Takes over `selected`, whose code and subpage are this page's.
    fn select(&mut self, selected: &SelectedPage) -> Result<(), CheckCondition> {
        if selected.values.len() != self.current.len() {
            // The length field is the last byte, or the last two, of the page header.
            let length_at = selected.offset.saturating_add(if self.subpage == 0 { 1 } else { 2 });
            return Err(CheckCondition::invalid_field_in_parameter_list(length_at, None));
        }
        for (index, (new, (old, mask))) in
            selected.values.iter().zip(self.current.iter().zip(&self.changeable)).enumerate()
        {
            if let Some(bit) = ((new ^ old) & !mask).checked_ilog2() {
                let at = wire::length_u16(index.saturating_add(self.header_length())).saturating_add(selected.offset);
                return Err(CheckCondition::invalid_field_in_parameter_list(at, u8::try_from(bit).ok()));
            }
        }
        self.current.clone_from(&selected.values);
        Ok(())
    }
}

/// The mode pages of a device, in ascending order of code and subpage.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ModePages(Vec<ModePage>);

impl ModePages {
    /// These pages, in ascending order of code and subpage.
    #[must_use]
    pub fn new(mut pages: Vec<ModePage>) -> Self {
        pages.sort_by_key(|page| (page.code, page.subpage));
        Self(pages)
    }

    /// One page.
    #[must_use]
    pub fn get(&self, code: ModePageCode, subpage: u8) -> Option<&ModePage> {
        self.0.iter().find(|page| page.code == code && page.subpage == subpage)
    }

    /// One page, to be changed by the device itself.
    pub fn get_mut(&mut self, code: ModePageCode, subpage: u8) -> Option<&mut ModePage> {
        self.0.iter_mut().find(|page| page.code == code && page.subpage == subpage)
    }

    /// Every page.
    pub fn iter(&self) -> impl Iterator<Item = &ModePage> {
        self.0.iter()
    }

    /// Default values everywhere.
    pub fn reset(&mut self) {
        self.0.iter_mut().for_each(|page| page.current.clone_from(&page.default));
    }

    /// The pages of a MODE SENSE, encoded one after the other. [SPC-5 6.13 table of page code and subpage code]
    ///
    /// # Errors
    /// INVALID FIELD IN CDB for a page (byte 2) or subpage (byte 3) that is not here.
    pub fn sense(&self, selection: Selection, control: PageControl) -> Result<Vec<u8>, CheckCondition> {
        let Selection { code, subpage } = selection;
        let any_code = code == ModePageCode::ALL;
        if code == ModePageCode::NONE && subpage == 0 {
            return Ok(Vec::new());
        }
        if any_code && !matches!(subpage, 0 | ALL_SUBPAGES) {
            return Err(CheckCondition::invalid_field_in_cdb(3, Some(7)));
        }
        let of_code: Vec<&ModePage> = self.0.iter().filter(|page| any_code || page.code == code).collect();
        if of_code.is_empty() {
            return Err(CheckCondition::invalid_field_in_cdb(2, Some(5)));
        }
        let wanted = |page: &&&ModePage| subpage == ALL_SUBPAGES || page.subpage == subpage;
        let chosen: Vec<&&ModePage> = of_code.iter().filter(wanted).collect();
        if chosen.is_empty() {
            return Err(CheckCondition::invalid_field_in_cdb(3, Some(7)));
        }
        Ok(chosen.into_iter().flat_map(|page| page.encode(control)).collect())
    }

    /// These pages as MODE SELECT leaves them. All of `selected` is checked before anything counts: the result is a
    /// copy. [SPC-5 6.11]
    ///
    /// # Errors
    /// INVALID FIELD IN PARAMETER LIST, pointing at an unknown page, a wrong page length or a bit that may not change.
    pub fn select(&self, selected: &[SelectedPage]) -> Result<Self, CheckCondition> {
        let mut pages = self.clone();
        for page in selected {
            let unknown = || CheckCondition::invalid_field_in_parameter_list(page.offset, Some(5));
            pages.get_mut(page.code, page.subpage).ok_or_else(unknown)?.select(page)?;
        }
        Ok(pages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> ModePages {
        ModePages::new(vec![
            ModePage::fixed(ModePageCode::DEVICE_CONFIGURATION, 1, &[9, 9]),
            ModePage::fixed(ModePageCode::DEVICE_CONFIGURATION, 0, &[7]),
            ModePage::fixed(ModePageCode::DATA_COMPRESSION, 0, &[0xc0, 0]).with_changeable(&[0x80]),
        ])
    }

    fn sense(code: u8, subpage: u8, control: PageControl) -> Result<Vec<u8>, CheckCondition> {
        pages().sense(Selection { code: ModePageCode(code), subpage }, control)
    }

    #[test]
    fn golden_selections() {
        assert_eq!(sense(0x0f, 0, PageControl::Current), Ok(vec![0x0f, 2, 0xc0, 0]));
        assert_eq!(sense(0x0f, 0, PageControl::Changeable), Ok(vec![0x0f, 2, 0x80, 0]));
        assert_eq!(sense(0x10, 1, PageControl::Default), Ok(vec![0x50, 1, 0, 2, 9, 9]));
        assert_eq!(sense(0x10, 0xff, PageControl::Current), Ok(vec![0x10, 1, 7, 0x50, 1, 0, 2, 9, 9]));
        assert_eq!(sense(0x3f, 0, PageControl::Current), Ok(vec![0x0f, 2, 0xc0, 0, 0x10, 1, 7]));
        assert_eq!(sense(0x3f, 0xff, PageControl::Current).unwrap().len(), 4 + 3 + 6);
        assert_eq!(sense(0, 0, PageControl::Current), Ok(vec![]));
    }

    #[test]
    fn unknown_pages_and_subpages_are_pointed_at() {
        let byte = |at| Err(CheckCondition::invalid_field_in_cdb(at, Some(if at == 2 { 5 } else { 7 })));
        assert_eq!(sense(0x11, 0, PageControl::Current), byte(2));
        assert_eq!(sense(0x10, 2, PageControl::Current), byte(3));
        assert_eq!(sense(0x3f, 1, PageControl::Current), byte(3));
    }

    #[test]
    fn select_changes_only_what_may_change() {
        let page = |values: &[u8]| SelectedPage {
            offset: 12,
            code: ModePageCode::DATA_COMPRESSION,
            subpage: 0,
            values: values.to_vec(),
        };
        let changed = pages().select(&[page(&[0x40, 0])]).unwrap();
        assert_eq!(changed.get(ModePageCode::DATA_COMPRESSION, 0).unwrap().current, [0x40, 0]);
        let refused = |at, bit| Err(CheckCondition::invalid_field_in_parameter_list(at, bit));
        assert_eq!(pages().select(&[page(&[0x80, 0])]), refused(14, Some(6)));
        assert_eq!(pages().select(&[page(&[0xc0, 1])]), refused(15, Some(0)));
        assert_eq!(pages().select(&[page(&[0xc0])]), refused(13, None));
        let unknown = SelectedPage { offset: 4, code: ModePageCode::CONTROL, subpage: 0, values: vec![] };
        assert_eq!(pages().select(&[unknown]), refused(4, Some(5)));
    }
}
