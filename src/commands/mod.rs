//! One file per command.

pub(crate) mod check_config;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod drive;
pub(crate) mod events;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod job;
pub(crate) mod key;
pub(crate) mod library;
pub(crate) mod man;
pub(crate) mod recover;
pub(crate) mod serve;
pub(crate) mod session;
pub(crate) mod state;
pub(crate) mod status;
pub(crate) mod tape;
pub(crate) mod tier;
pub(crate) mod version;

use std::net::SocketAddr;
use std::time::Duration;

use capstan_media::{Barcode, Place};

use crate::config;

/// Takes a barcode from the command line; lower case is what people type, upper case what labels carry.
pub(crate) fn barcode(text: &str) -> Result<Barcode, String> {
    Barcode::new(&text.to_ascii_uppercase()).map_err(|error| error.to_string())
}

/// Takes a time: `90s`, `15m`, `24h`.
pub(crate) fn age(text: &str) -> Result<Duration, String> {
    config::time(text).ok_or_else(|| "use a number with s, m or h, as 90s, 15m or 24h".to_owned())
}

/// Takes `drive:N` or just `N`.
pub(crate) fn drive_number(text: &str) -> Result<u16, String> {
    let number = text.strip_prefix("drive:").unwrap_or(text);
    number.parse().map_err(|_| format!("{text:?} is no drive: use its number from 0, as 3 or drive:3"))
}

/// Takes an address with port.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "use an IP address and a port, as 127.0.0.1:3260 or [::1]:3260".to_owned())
}

/// Takes `slot:N`, `io:N` or `drive:N`.
pub(crate) fn place(text: &str) -> Result<Place, String> {
    text.parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_as_people_type_them() {
        assert_eq!(barcode("cap001l8").unwrap().as_str(), "CAP001L8");
        assert!(barcode("a/b").is_err());
        assert_eq!(drive_number("3"), Ok(3));
        assert_eq!(drive_number("drive:3"), Ok(3));
        assert!(drive_number("slot:3").is_err());
    }
}
