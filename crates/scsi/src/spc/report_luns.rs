//! REPORT LUNS parameter data. [SPC-5 6.33]

use crate::sam::Lun;
use crate::wire;

/// The list of `luns`.
#[must_use]
pub fn encode(luns: &[Lun]) -> Vec<u8> {
    let mut data = wire::length_u32(luns.len().saturating_mul(8)).to_be_bytes().to_vec();
    data.extend([0; 4]);
    luns.iter().for_each(|lun| data.extend(lun.0));
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_list() {
        assert_eq!(encode(&[]), [0; 8]);
        let data = encode(&[Lun::ZERO, Lun::flat(3)]);
        assert_eq!(data, [0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0].as_slice());
    }
}
