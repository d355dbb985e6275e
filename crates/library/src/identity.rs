//! Serial numbers and NAA identifiers of the devices.
//!
//! They come from the library's uuid, so they stay when the gateway is renamed or moved, and no two libraries share
//! them but by a chance of 1 in 2^32. Hosts find devices again by them (`/dev/tape/by-id`).

use capstan_device::spc::Identity;

/// A device of the library: the changer is 0, drive n is n + 1.
fn device_number(drive: Option<u16>) -> u16 {
    drive.map_or(0, |drive| drive.saturating_add(1))
}

/// Identity of the changer (`None`) or a drive.
pub(crate) fn identity(uuid: &[u8; 16], drive: Option<u16>, target: String) -> Identity {
    Identity { serial: serial(uuid, drive), naa: naa(uuid, drive), target: Some(target) }
}

/// Ten characters, as IBM's drives have them: the first four bytes of the uuid and the number of the device.
fn serial(uuid: &[u8; 16], drive: Option<u16>) -> String {
    let [a, b, c, d, ..] = *uuid;
    format!("{a:02X}{b:02X}{c:02X}{d:02X}{:02X}", device_number(drive))
}

/// NAA 3h, locally assigned: 44 bits of the uuid's random part and the number of the device. [SPC-5 7.7.6.6.4]
fn naa(uuid: &[u8; 16], drive: Option<u16>) -> u64 {
    let [a, b, c, d, e, f, ..] = *uuid;
    let random = u64::from_be_bytes([0, 0, a, b, c, d, e, f]) >> 4;
    (0x3 << 60) | (random << 16) | u64::from(device_number(drive))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_of_one_library_differ_and_stay() {
        let uuid = [0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0x4d, 0xef, 0x80, 1, 2, 3, 4, 5, 6, 7];
        let changer = identity(&uuid, None, "t".to_owned());
        assert_eq!(changer.serial, "1234567800");
        assert_eq!(changer.naa, 0x3123_4567_89ab_0000);
        let drive = identity(&uuid, Some(9), "t".to_owned());
        assert_eq!(drive.serial, "123456780A");
        assert_eq!(drive.naa, 0x3123_4567_89ab_000a);
    }
}
