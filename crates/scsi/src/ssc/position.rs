//! READ POSITION parameter data in its three forms. [SSC-5 7.7]

/// What READ POSITION reports. The object buffer is always empty: data is in the medium's hands when a WRITE ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PositionData {
    /// The position is not known: location fields are zero and LOLU (LONU and MPU in the long form) is one.
    pub unknown: bool,
    /// BOP: at the beginning of the partition.
    pub bop: bool,
    /// EOP: between early warning and the end of the partition.
    pub eop: bool,
    /// PARTITION NUMBER.
    pub partition: u8,
    /// LOGICAL OBJECT NUMBER: the object that comes next.
    pub object: u64,
    /// LOGICAL FILE IDENTIFIER: filemarks before the position.
    pub filemarks: u64,
}

const BOP: u8 = 0x80;
const EOP: u8 = 0x40;
const LOLU: u8 = 0x04;
const PERR: u8 = 0x02;
const MPU: u8 = 0x08;
const LONU: u8 = 0x04;

impl PositionData {
    fn boundaries(&self) -> u8 {
        let flag = |set: bool, bit: u8| if set && !self.unknown { bit } else { 0 };
        flag(self.bop, BOP) | flag(self.eop, EOP)
    }

    fn locations(&self) -> (u8, u64, u64) {
        if self.unknown { (0, 0, 0) } else { (self.partition, self.object, self.filemarks) }
    }

    /// Short form, 20 bytes; PERR where the object number needs more than four bytes. [SSC-5 7.7.2]
    #[must_use]
    pub fn encode_short(&self) -> [u8; 20] {
        let (partition, object, _) = self.locations();
        let lolu = if self.unknown { LOLU } else { 0 };
        let (perr, object) = u32::try_from(object).map_or((PERR, 0), |object| (0, object));
        let mut data = [0; 20];
        data[0] = self.boundaries() | lolu | perr;
        data[1] = partition;
        data[4..8].copy_from_slice(&object.to_be_bytes());
        data[8..12].copy_from_slice(&object.to_be_bytes());
        data
    }

    /// Long form, 32 bytes. [SSC-5 7.7.3]
    #[must_use]
    pub fn encode_long(&self) -> [u8; 32] {
        let (partition, object, filemarks) = self.locations();
        let mut data = [0; 32];
        data[0] = self.boundaries() | if self.unknown { MPU | LONU } else { 0 };
        data[7] = partition;
        data[8..16].copy_from_slice(&object.to_be_bytes());
        data[16..24].copy_from_slice(&filemarks.to_be_bytes());
        data
    }

    /// Extended form, 32 bytes. [SSC-5 7.7.4]
    #[must_use]
    pub fn encode_extended(&self) -> [u8; 32] {
        let (partition, object, _) = self.locations();
        let mut data = [0; 32];
        data[0] = self.boundaries() | if self.unknown { LOLU } else { 0 };
        data[1] = partition;
        data[3] = 28;
        data[8..16].copy_from_slice(&object.to_be_bytes());
        data[16..24].copy_from_slice(&object.to_be_bytes());
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDDLE: PositionData =
        PositionData { unknown: false, bop: false, eop: true, partition: 1, object: 0x0102, filemarks: 3 };

    #[test]
    fn golden_short() {
        let beginning = PositionData { bop: true, ..PositionData::default() };
        assert_eq!(beginning.encode_short()[..], [&[0x80][..], &[0; 19]].concat());
        let data = MIDDLE.encode_short();
        assert_eq!(data, [0x40, 1, 0, 0, 0, 0, 1, 2, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
        let far = PositionData { object: 1 << 32, ..MIDDLE };
        assert_eq!(far.encode_short()[..12], [0x42, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn golden_long_and_extended() {
        let data = MIDDLE.encode_long();
        assert_eq!(data[..16], [0x40, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(data[16..], [0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0]);
        let data = MIDDLE.encode_extended();
        assert_eq!(data[..16], [0x40, 1, 0, 28, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(data[16..], [0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_lost_position_says_so_and_nothing_else() {
        let lost = PositionData { unknown: true, bop: true, ..MIDDLE };
        assert_eq!(lost.encode_short()[..], [&[0x04][..], &[0; 19]].concat());
        assert_eq!(lost.encode_long()[..], [&[0x0c][..], &[0; 31]].concat());
        assert_eq!(lost.encode_extended()[..], [&[0x04, 0, 0, 28][..], &[0; 28]].concat());
    }
}
