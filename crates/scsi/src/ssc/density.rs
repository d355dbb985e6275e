//! REPORT DENSITY SUPPORT parameter data. [SSC-5 7.8]

use crate::wire;

/// DENSITY CODE values of LTO generations.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DensityCode(pub u8);

impl DensityCode {
    /// In MODE SELECT: the default density.
    pub const DEFAULT: Self = Self(0x00);
    /// LTO-7.
    pub const LTO_7: Self = Self(0x5c);
    /// LTO-8.
    pub const LTO_8: Self = Self(0x5e);
    /// In MODE SELECT: no change.
    pub const NO_CHANGE: Self = Self(0x7f);
}

/// A density support data block descriptor. [SSC-5 7.8.3]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DensityDescriptor {
    /// PRIMARY and SECONDARY DENSITY CODE.
    pub code: DensityCode,
    /// WRTOK: the drive can write it.
    pub wrtok: bool,
    /// DEFLT: the density of MODE SELECT with code 0.
    pub deflt: bool,
    /// BITS PER MM.
    pub bits_per_mm: u32,
    /// MEDIA WIDTH in tenths of a millimetre.
    pub media_width: u16,
    /// TRACKS.
    pub tracks: u16,
    /// CAPACITY in units of 10^6 bytes.
    pub capacity: u32,
    /// ASSIGNING ORGANIZATION, at most 8 characters.
    pub assigning_organization: &'static str,
    /// DENSITY NAME, at most 8 characters.
    pub density_name: &'static str,
    /// DESCRIPTION, at most 20 characters.
    pub description: &'static str,
}

impl DensityDescriptor {
    /// The 52 bytes. DLV is zero: the descriptor length field is not used.
    fn encode(&self) -> Vec<u8> {
        let flags = if self.wrtok { 0x80 } else { 0 } | if self.deflt { 0x20 } else { 0 };
        let mut data = vec![self.code.0, self.code.0, flags, 0, 0];
        data.extend(wire::u24(self.bits_per_mm));
        data.extend(self.media_width.to_be_bytes());
        data.extend(self.tracks.to_be_bytes());
        data.extend(self.capacity.to_be_bytes());
        data.extend(wire::ascii::<8>(self.assigning_organization));
        data.extend(wire::ascii::<8>(self.density_name));
        data.extend(wire::ascii::<20>(self.description));
        data
    }
}

/// The list of descriptors.
#[must_use]
pub fn encode(descriptors: &[DensityDescriptor]) -> Vec<u8> {
    let list: Vec<u8> = descriptors.iter().flat_map(DensityDescriptor::encode).collect();
    // AVAILABLE DENSITY SUPPORT LENGTH counts what follows it, two reserved bytes included.
    let mut data = wire::length_u16(list.len().saturating_add(2)).to_be_bytes().to_vec();
    data.extend([0, 0]);
    data.extend(list);
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_descriptor() {
        let lto_8 = DensityDescriptor {
            code: DensityCode::LTO_8,
            wrtok: true,
            deflt: true,
            bits_per_mm: 20_669,
            media_width: 127,
            tracks: 6656,
            capacity: 12_000_000,
            assigning_organization: "LTO-CVE",
            density_name: "U-832",
            description: "Ultrium 8/32T",
        };
        let data = encode(&[lto_8]);
        assert_eq!(data.len(), 4 + 52);
        assert_eq!(&data[..9], &[0, 54, 0, 0, 0x5e, 0x5e, 0xa0, 0, 0]);
        assert_eq!(&data[9..20], &[0, 0x50, 0xbd, 0, 127, 0x1a, 0, 0, 0xb7, 0x1b, 0]);
        assert_eq!(&data[20..], b"LTO-CVE U-832   Ultrium 8/32T       ");
    }
}
