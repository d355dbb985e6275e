//! `[[iscsi.initiator]]`: who may log in, how it proves who it is, and which devices it may use.

use std::ops::Range;
use std::path::{Path, PathBuf};

use capstan_iscsi::chap::Secret;
use toml::Spanned;
use toml::de::DeValue;

use super::entry::{Entry, Row};
use super::keys::quoted;
use super::read::Reader;
use super::{Mistake, devices, initiator_name, secret};

/// The list of tables, as messages name it.
pub(super) const LIST: &str = "iscsi.initiator";

/// Longest user, bytes: a text value of a login. [RFC 7143 6.1]
const LONGEST_USER: usize = 255;

/// An initiator that may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Initiator {
    /// Its iSCSI name.
    pub(crate) name: String,
    /// How it proves who it is; `None` where its name is enough.
    pub(crate) chap: Option<Account>,
    /// How the portal proves to it who the portal is.
    pub(crate) mutual: Option<Account>,
    /// Patterns of the devices that it may use.
    pub(crate) devices: Vec<String>,
}

/// A user of CHAP with its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// CHAP_N.
    pub(crate) user: String,
    /// Where the secret is, as the file says it.
    pub(crate) file: PathBuf,
    /// What is there.
    pub(crate) secret: Secret,
}

impl Initiator {
    /// Whether it may use a device, by the name that [`devices::names`] gives it.
    pub(crate) fn may_use(&self, device: &str) -> bool {
        self.devices.iter().any(|pattern| devices::matches(pattern, device))
    }
}

/// One key of such a table.
pub(super) struct InitiatorKey {
    /// Its name.
    pub(super) name: &'static str,
    /// What may be given.
    pub(super) allowed: &'static str,
    /// What it is for.
    pub(super) doc: &'static str,
    /// What holds where it is left out, as the reference says it.
    pub(super) default: &'static str,
    /// What an initiator has, as the file would have it.
    pub(super) show: fn(&Initiator) -> Option<String>,
}

pub(super) const KEYS: &[InitiatorKey] = &[
    InitiatorKey {
        name: "name",
        allowed: initiator_name::ALLOWED,
        doc: "Its iSCSI name: `InitiatorName` of /etc/iscsi/initiatorname.iscsi. Case does not count.",
        default: "must be given",
        show: |initiator| Some(quoted(&initiator.name)),
    },
    InitiatorKey {
        name: "chap_user",
        allowed: "1 to 255 bytes without control characters",
        doc: "User that it has to prove to be, by CHAP, in each login and in discovery. Without it the name is enough.",
        default: "none",
        show: |initiator| initiator.chap.as_ref().map(|account| quoted(&account.user)),
    },
    InitiatorKey {
        name: "chap_secret_file",
        allowed: "the path of a file",
        doc: "File with that user's secret: one line of 12 to 255 bytes (12 to 16 for Microsoft's initiator), mode \
              0600 or 0400. A relative path starts at the directory of the configuration file.",
        default: "none",
        show: |initiator| initiator.chap.as_ref().map(|account| quoted(&account.file.to_string_lossy())),
    },
    InitiatorKey {
        name: "mutual_user",
        allowed: "1 to 255 bytes without control characters",
        doc: "User that the portal proves to be, where the initiator asks it to. Needs `chap_user`.",
        default: "none",
        show: |initiator| initiator.mutual.as_ref().map(|account| quoted(&account.user)),
    },
    InitiatorKey {
        name: "mutual_secret_file",
        allowed: "the path of a file",
        doc: "File with that user's secret, which must not be the secret of any initiator.",
        default: "none",
        show: |initiator| initiator.mutual.as_ref().map(|account| quoted(&account.file.to_string_lossy())),
    },
    InitiatorKey {
        name: "devices",
        allowed: "a list with at least one of \"changer\", \"drive-00\" and so on, in which * stands for anything",
        doc: "What it may use. It neither sees nor can log in to anything else.",
        default: DEFAULT_DEVICES,
        show: |initiator| {
            let devices: Vec<String> = initiator.devices.iter().map(|device| quoted(device)).collect();
            Some(format!("[{}]", devices.join(", "))).filter(|devices| devices != DEFAULT_DEVICES)
        },
    },
];

/// The keys as the reference says them.
pub(super) fn rows() -> impl Iterator<Item = Row> {
    KEYS.iter().map(|key| Row { name: key.name, allowed: key.allowed, default: key.default, doc: key.doc.to_owned() })
}

const DEFAULT_DEVICES: &str = "[\"changer\", \"drive-*\"]";

/// The devices of who does not name any.
pub(crate) fn default_devices() -> Vec<String> {
    ["changer", "drive-*"].map(str::to_owned).to_vec()
}

impl Reader<'_> {
    /// The whole list, when the shape of the library is known.
    pub(super) fn initiators(&mut self, list: &Spanned<DeValue<'_>>) {
        for entry in self.entries(LIST, "initiator", list) {
            self.initiator(&entry);
        }
    }

    fn initiator(&mut self, entry: &Entry<'_, '_>) {
        for name in entry.table.keys() {
            if !KEYS.iter().any(|key| key.name == name.get_ref().as_ref()) {
                let names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
                self.mistake(&name.span(), format!("{LIST}.{} is no key", name.get_ref()), names.join(", "));
            }
        }
        let name = self.initiator_name(entry);
        let chap = self.account(entry, "chap_user", "chap_secret_file");
        let mutual = self.account(entry, "mutual_user", "mutual_secret_file");
        let devices = self.devices(entry);
        self.mutual_goes_with_chap(entry);
        self.directions_differ(entry, chap.as_ref(), mutual.as_ref());
        if let Some(name) = name {
            self.config.iscsi.initiators.push(Initiator { name, chap, mutual, devices });
        }
    }

    fn initiator_name(&mut self, entry: &Entry<'_, '_>) -> Option<String> {
        let Some(value) = entry.get("name") else {
            self.mistake(&entry.at, format!("{LIST} has no name"), format!("name = {}", initiator_name::ALLOWED));
            return None;
        };
        let (at, name) = (value.span(), value.get_ref().as_str().filter(|name| initiator_name::is_name(name)));
        let Some(name) = name else {
            self.mistake(&at, format!("{LIST}.name is {}", self.given(&at)), initiator_name::ALLOWED);
            return None;
        };
        if self.config.iscsi.initiators.iter().any(|other| other.name.eq_ignore_ascii_case(name)) {
            self.mistake(
                &at,
                format!("{LIST}.name is {} again", self.given(&at)),
                "each name once; case does not count",
            );
            return None;
        }
        Some(name.to_owned())
    }

    /// A user with the secret of its file: both, or neither.
    fn account(&mut self, entry: &Entry<'_, '_>, user_key: &str, file_key: &str) -> Option<Account> {
        let (user, file) = match (entry.get(user_key), entry.get(file_key)) {
            (None, None) => return None,
            (Some(user), Some(file)) => (user, file),
            (Some(given), None) | (None, Some(given)) => {
                let (has, lacks) =
                    if entry.get(user_key).is_some() { (user_key, file_key) } else { (file_key, user_key) };
                let what = format!("{LIST} has {has} without {lacks}");
                self.mistake(&given.span(), what, format!("{user_key} and {file_key}, or neither"));
                return None;
            }
        };
        let name = user.get_ref().as_str().filter(|name| is_user(name));
        if name.is_none() {
            self.not_allowed(user_key, &user.span());
        }
        let path = file.get_ref().as_str().filter(|path| !path.is_empty()).map(Path::new);
        let Some(path) = path else {
            self.not_allowed(file_key, &file.span());
            return None;
        };
        let secret = match secret::read(&self.directory.join(path)) {
            Ok(secret) => Some(secret),
            Err(mistake) => {
                let text = self.text;
                let mistake = Mistake { what: format!("{LIST}.{file_key}: {}", mistake.what), ..mistake };
                self.mistakes.push(mistake.at(text, &file.span()));
                None
            }
        };
        Some(Account { user: name?.to_owned(), file: path.to_owned(), secret: secret? })
    }

    fn not_allowed(&mut self, key: &str, at: &Range<usize>) {
        let allowed = KEYS.iter().find(|each| each.name == key).map_or("", |each| each.allowed);
        self.mistake(at, format!("{LIST}.{key} is {}", self.given(at)), allowed);
    }

    /// The portal proves who it is only to who has done so.
    fn mutual_goes_with_chap(&mut self, entry: &Entry<'_, '_>) {
        let mutual = entry.get("mutual_user").or_else(|| entry.get("mutual_secret_file"));
        let own = entry.get("chap_user").or_else(|| entry.get("chap_secret_file"));
        if let (Some(mutual), None) = (mutual, own) {
            let what = format!("{LIST} has mutual_user without chap_user");
            self.mistake(&mutual.span(), what, "chap_user and chap_secret_file too, or no mutual_user");
        }
    }

    /// Everyone who knows a secret to check the portal could log in as the initiator whose secret it is.
    /// [RFC 7143 9.2.1]
    fn directions_differ(&mut self, entry: &Entry<'_, '_>, chap: Option<&Account>, mutual: Option<&Account>) {
        let same = |a: Option<&Account>, b: Option<&Account>| a.zip(b).is_some_and(|(a, b)| a.secret == b.secret);
        let before = &self.config.iscsi.initiators;
        let taken = before.iter().find(|other| same(other.chap.as_ref(), mutual)).map(|other| other.name.clone());
        let given = before.iter().find(|other| same(other.mutual.as_ref(), chap)).map(|other| other.name.clone());
        let own = same(chap, mutual).then(|| "the same initiator".to_owned());
        if let (Some(name), Some(file)) = (own.or(taken), entry.get("mutual_secret_file")) {
            let what = format!("{LIST}.mutual_secret_file: this is the secret of {name}");
            self.mistake(&file.span(), what, "a secret that no initiator has to log in");
        }
        if let (Some(name), Some(file)) = (given, entry.get("chap_secret_file")) {
            let what = format!("{LIST}.chap_secret_file: this is the mutual secret of {name}");
            self.mistake(&file.span(), what, "a secret that is not known for checking the portal");
        }
    }

    fn devices(&mut self, entry: &Entry<'_, '_>) -> Vec<String> {
        let Some(value) = entry.get("devices") else { return default_devices() };
        let list = value.get_ref().as_array().filter(|list| !list.is_empty());
        let Some(list) = list else {
            self.not_allowed("devices", &value.span());
            return Vec::new();
        };
        let names = devices::names(self.config.library.drives);
        let mut patterns = Vec::new();
        for item in list.iter() {
            match item.get_ref().as_str() {
                None => self.not_allowed("devices", &item.span()),
                Some(pattern) if names.iter().any(|name| devices::matches(pattern, name)) => {
                    patterns.push(pattern.to_owned());
                }
                Some(_) => {
                    let what = format!("{LIST}.devices has {}, which is no device here", self.given(&item.span()));
                    let (first, last) = (names.get(1), names.last());
                    let allowed = match (first, last) {
                        (Some(first), Some(last)) if first != last => {
                            format!("changer, {first} to {last}, with * for anything")
                        }
                        _ => names.join(", "),
                    };
                    self.mistake(&item.span(), what, allowed);
                }
            }
        }
        patterns
    }
}

fn is_user(user: &str) -> bool {
    (1..=LONGEST_USER).contains(&user.len()) && !user.chars().any(char::is_control)
}
