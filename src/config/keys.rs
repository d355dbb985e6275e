//! Every key of the configuration file.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use capstan_media::MIN_CARTRIDGE_SIZE;
use toml::Spanned;
use toml::de::DeValue;

use super::areas;
use super::values::{self, exact, size};
use super::{ChangerModel, Config, Digests, DriveModel, LogFormat, LogLevel, TargetLayout};

/// One key.
pub(super) struct Key {
    /// Its section.
    pub(super) section: &'static str,
    /// Its name in the section.
    pub(super) name: &'static str,
    /// What may be given, as a message and the reference say it.
    pub(super) allowed: &'static str,
    /// What it is for, as the reference says it.
    pub(super) doc: &'static str,
    /// The value that a configuration has, as the file would have it.
    pub(super) show: fn(&Config) -> String,
    /// Takes a value over; `None` where it is not allowed.
    pub(super) apply: fn(&mut Config, &DeValue<'_>) -> Option<()>,
}

/// A section with its purpose.
pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("gateway", "Who this gateway is and where it keeps everything."),
    ("iscsi", "The portal that backup hosts log in to."),
    ("library", "The shape of the library. `tape create` adds cartridges; they are not in the file."),
    (
        "upload_buffer",
        "What is not in the tier yet: hosts write as fast as this disk takes it, and as long as it has room.",
    ),
    ("cache", "What is in the tier, and here too, so that it can be read without asking the tier."),
    ("admin", "How the `capstan` command reaches the daemon."),
    ("log", "What the daemon writes to standard error while it runs."),
];

/// Longest path of a Unix socket, in bytes: `sun_path` of Linux without its final zero.
pub(crate) const MAX_SOCKET_PATH: usize = 107;

/// All keys of the sections, in their order there.
pub(super) fn keys() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().chain(areas::KEYS)
}

const KEYS: &[Key] = &[
    Key {
        section: "gateway",
        name: "name",
        allowed: "1 to 32 lower-case letters, digits and hyphens, with a letter or digit at both ends",
        doc: "Part of every target name: `iqn.2026-11.io.capstan:<name>.changer`. Serial numbers do not depend on it.",
        show: |config| quoted(&config.gateway.name),
        apply: |config, value| {
            config.gateway.name = value.as_str().filter(|name| is_plain_name(name))?.to_owned();
            Some(())
        },
    },
    Key {
        section: "gateway",
        name: "state_dir",
        allowed: "the path of a directory; it is made where it does not exist",
        doc: "Directory of the cartridges and of everything else that is kept. A relative path starts at the \
              directory that the daemon was started in. `--state` goes before it.",
        show: |config| quoted(&config.gateway.state_dir.to_string_lossy()),
        apply: |config, value| {
            config.gateway.state_dir = PathBuf::from(value.as_str().filter(|path| !path.is_empty())?);
            Some(())
        },
    },
    Key {
        section: "iscsi",
        name: "listen",
        allowed: "a list of addresses with port, each once, as [\"127.0.0.1:3260\", \"[::1]:3260\"]",
        doc: "Addresses that initiators connect to. Port 0 takes a free one. `--listen` goes before it. An address \
              beyond loopback needs initiators that authenticate, or `allow_unauthenticated`.",
        show: |config| {
            let listen: Vec<String> = config.iscsi.listen.iter().map(|address| quoted(&address.to_string())).collect();
            format!("[{}]", listen.join(", "))
        },
        apply: |config, value| {
            config.iscsi.listen = addresses(value)?;
            Some(())
        },
    },
    Key {
        section: "iscsi",
        name: "layout",
        allowed: "\"target-per-device\" or \"single-target\"",
        doc: "`target-per-device`: the changer and each drive are targets of their own, LUN 0 in each, so that they \
              never wait for each other. `single-target`: one target, the changer is LUN 0, the drives follow.",
        show: |config| {
            let layout = match config.iscsi.layout {
                TargetLayout::TargetPerDevice => "target-per-device",
                TargetLayout::SingleTarget => "single-target",
            };
            quoted(layout)
        },
        apply: |config, value| {
            config.iscsi.layout = match value.as_str()? {
                "target-per-device" => TargetLayout::TargetPerDevice,
                "single-target" => TargetLayout::SingleTarget,
                _ => return None,
            };
            Some(())
        },
    },
    Key {
        section: "iscsi",
        name: "allow_unauthenticated",
        allowed: "true or false",
        doc: "Whether initiators may log in over an address beyond loopback without proving who they are: everyone, \
              or, where `[[iscsi.initiator]]` lists some, those of them without `chap_user`. They may read and \
              overwrite every cartridge. `--allow-unauthenticated` goes before it.",
        show: |config| config.iscsi.allow_unauthenticated.to_string(),
        apply: |config, value| {
            config.iscsi.allow_unauthenticated = value.as_bool()?;
            Some(())
        },
    },
    Key {
        section: "iscsi",
        name: "max_sessions",
        allowed: "a whole number from 1 to 65535",
        doc: "How many sessions there can be at the same time; a login beyond that is refused.",
        show: |config| config.iscsi.max_sessions.to_string(),
        apply: |config, value| {
            config.iscsi.max_sessions = whole(value, 1, u32::from(u16::MAX))?;
            Some(())
        },
    },
    Key {
        section: "iscsi",
        name: "digests",
        allowed: "\"offer\", \"require\" or \"off\"",
        doc: "CRC32C checksums of headers and data (HeaderDigest, DataDigest). `offer`: as the initiator prefers. \
              `require`: a login to a target without both is refused; discovery does without. `off`: never.",
        show: |config| match config.iscsi.digests {
            Digests::Offer => quoted("offer"),
            Digests::Require => quoted("require"),
            Digests::Off => quoted("off"),
        },
        apply: |config, value| {
            config.iscsi.digests = match value.as_str()? {
                "offer" => Digests::Offer,
                "require" => Digests::Require,
                "off" => Digests::Off,
                _ => return None,
            };
            Some(())
        },
    },
    Key {
        section: "library",
        name: "drives",
        allowed: "a whole number from 1 to 100",
        doc: "How many drives.",
        show: |config| config.library.drives.to_string(),
        apply: |config, value| {
            config.library.drives = whole(value, 1, 100)?;
            Some(())
        },
    },
    Key {
        section: "library",
        name: "slots",
        allowed: "a whole number from 1 to 60000",
        doc: "How many storage slots.",
        show: |config| config.library.slots.to_string(),
        apply: |config, value| {
            config.library.slots = whole(value, 1, 60_000)?;
            Some(())
        },
    },
    Key {
        section: "library",
        name: "io_slots",
        allowed: "a whole number from 1 to 490",
        doc: "How many import/export slots.",
        show: |config| config.library.io_slots.to_string(),
        apply: |config, value| {
            config.library.io_slots = whole(value, 1, 490)?;
            Some(())
        },
    },
    Key {
        section: "library",
        name: "changer",
        allowed: "\"STK-L700\"",
        doc: "What the changer says it is.",
        show: |config| match config.library.changer {
            ChangerModel::StkL700 => quoted("STK-L700"),
        },
        apply: |config, value| {
            config.library.changer = match value.as_str()? {
                "STK-L700" => ChangerModel::StkL700,
                _ => return None,
            };
            Some(())
        },
    },
    Key {
        section: "library",
        name: "drive",
        allowed: "\"IBM-ULT3580-TD8\"",
        doc: "What the drives say they are.",
        show: |config| match config.library.drive {
            DriveModel::IbmUlt3580Td8 => quoted("IBM-ULT3580-TD8"),
        },
        apply: |config, value| {
            config.library.drive = match value.as_str()? {
                "IBM-ULT3580-TD8" => DriveModel::IbmUlt3580Td8,
                _ => return None,
            };
            Some(())
        },
    },
    Key {
        section: "library",
        name: "tape_size",
        allowed: "a size from 128MiB to 1PiB, as \"100GiB\" or \"12TB\"",
        doc: "Capacity of a new cartridge where `tape create` does not say. The ten cartridges of the first start \
              have this size too if the file names it, else 10 GiB. A cartridge takes up what was written to it.",
        show: |config| quoted(&exact(config.tape_size())),
        apply: |config, value| {
            config.library.tape_size = Some(size(value, MIN_CARTRIDGE_SIZE, 1 << 50)?);
            Some(())
        },
    },
    Key {
        section: "library",
        name: "keep_versions",
        allowed: "a time from 60s to 3650d, as \"14d\", or \"off\"",
        doc: "How long a tape can be gone back to after it was overwritten, erased or rolled back. Versions that are not \
              in the tier yet take at most a tenth of the upload buffer, and make room when it is nearly full, the oldest \
              first. `off` keeps none from now on.",
        show: |config| match config.library.keep_versions {
            Some(keep) => values::duration_text(keep),
            None => quoted("off"),
        },
        apply: |config, value| {
            config.library.keep_versions = match value.as_str()? {
                "off" => None,
                _ => Some(values::duration(value, Duration::from_secs(60), Duration::from_secs(3650 * 86_400))?),
            };
            Some(())
        },
    },
    Key {
        section: "admin",
        name: "socket",
        allowed: "a path of at most 107 bytes, or \"\" for capstan.sock in the state directory",
        doc: "Unix socket of the admin API. Only the user that runs the daemon can use it.",
        show: |config| quoted(&config.admin.socket.as_deref().map(|path| path.to_string_lossy()).unwrap_or_default()),
        apply: |config, value| {
            let path = value.as_str().filter(|path| path.len() <= MAX_SOCKET_PATH)?;
            config.admin.socket = (!path.is_empty()).then(|| PathBuf::from(path));
            Some(())
        },
    },
    Key {
        section: "log",
        name: "format",
        allowed: "\"text\" or \"json\"",
        doc: "How a line looks.",
        show: |config| match config.log.format {
            LogFormat::Text => quoted("text"),
            LogFormat::Json => quoted("json"),
        },
        apply: |config, value| {
            config.log.format = match value.as_str()? {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                _ => return None,
            };
            Some(())
        },
    },
    Key {
        section: "log",
        name: "level",
        allowed: "\"error\", \"warn\", \"info\", \"debug\" or \"trace\"",
        doc: "What is worth a line.",
        show: |config| quoted(config.log.level.name()),
        apply: |config, value| {
            let name = value.as_str()?;
            config.log.level = LogLevel::ALL.into_iter().find(|level| level.name() == name)?;
            Some(())
        },
    },
];

impl LogLevel {
    const ALL: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// As the file names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Text as the file has it.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A whole number within bounds.
fn whole<T: TryFrom<u32> + Copy>(value: &DeValue<'_>, low: u32, high: u32) -> Option<T> {
    let DeValue::Integer(integer) = value else { return None };
    let number = u32::from_str_radix(integer.as_str(), integer.radix()).ok()?;
    Some(number).filter(|number| (low..=high).contains(number)).and_then(|number| T::try_from(number).ok())
}

fn addresses(value: &DeValue<'_>) -> Option<Vec<SocketAddr>> {
    let DeValue::Array(array) = value else { return None };
    let parse = |item: &Spanned<DeValue<'_>>| item.get_ref().as_str().and_then(|text| text.parse().ok());
    let list: Option<Vec<SocketAddr>> = array.iter().map(parse).collect();
    let list = list?;
    let distinct = list.iter().enumerate().all(|(index, address)| {
        address.port() == 0 || list.iter().skip(index.saturating_add(1)).all(|other| other != address)
    });
    (distinct && !list.is_empty()).then_some(list)
}

/// A name that is the same everywhere. Target names are compared after stringprep: only what no profile changes is taken.
/// [RFC 7143 4.2.7.2]
pub(super) fn is_plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=32).contains(&name.len())
        && name.chars().all(|c| plain(c) || c == '-')
        && name.starts_with(plain)
        && name.ends_with(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_belongs_to_a_section_and_is_there_once() {
        for key in keys() {
            assert!(SECTIONS.iter().any(|(section, _)| *section == key.section), "{}", key.section);
            let same = keys().filter(|other| (other.section, other.name) == (key.section, key.name));
            assert_eq!(same.count(), 1, "{}.{}", key.section, key.name);
        }
    }

    #[test]
    fn what_a_key_shows_it_also_takes() {
        let defaults = Config::default();
        for key in keys() {
            let text = format!("value = {}", (key.show)(&defaults));
            let table = toml::de::DeTable::parse(&text).unwrap();
            let value = table.get_ref().get("value").unwrap();
            let mut config = Config::default();
            assert_eq!((key.apply)(&mut config, value.get_ref()), Some(()), "{text}");
            config.library.tape_size = None;
            assert_eq!(config, defaults, "{text}");
        }
    }

    #[test]
    fn gateway_names() {
        for good in ["gw", "a", "rack-7", "0"] {
            assert!(is_plain_name(good), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a.b", "a b", "ü", &"a".repeat(33)] {
            assert!(!is_plain_name(bad), "{bad}");
        }
    }
}
