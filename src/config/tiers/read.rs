//! Reading `[[tier]]`: each key by itself, then all of a tier together.

use std::ops::Range;
use std::path::{Path, PathBuf};

use capstan_s3::{CredentialSource, OptionError, S3Options, ServerSideEncryption};
use capstan_tier::{KeyFileError, Limits, WrappingKey};
use toml::Spanned;
use toml::de::DeValue;

use super::draft::{Credentials, Draft, Kind, Sse};
use super::keys::{KEYS, TierKey};
use super::{KeyFile, LIST, TierConfig, TierPlace, schedule};
use crate::config::entry::Entry;
use crate::config::read::Reader;
use crate::config::{Mistake, later, secret};

impl Reader<'_> {
    /// The whole list.
    pub(in crate::config) fn tiers(&mut self, list: &Spanned<DeValue<'_>>) {
        let entries = self.entries(LIST, "tier", list);
        let path = entries.first().and_then(|entry| entry.get("path"));
        self.areas.extend(path.map(|path| ("tier.path".to_owned(), path.span())));
        for entry in &entries {
            let draft = self.draft(entry);
            let tier = self.tier(entry, draft);
            self.config.tiers.extend(tier);
        }
        for second in entries.iter().skip(1) {
            let what = format!("{LIST} is there more than once: this version ships to one tier");
            self.mistake(&second.at, what, "one [[tier]]; leave the others out until a version ships to several");
        }
    }

    /// What the keys say, each by itself.
    fn draft(&mut self, entry: &Entry<'_, '_>) -> Draft {
        let mut draft = Draft::default();
        for (name, value) in entry.table {
            let (at, text) = (value.span(), name.get_ref().as_ref());
            let lto = text == "kind" && value.get_ref().as_str() == Some("lto");
            match KEYS.iter().find(|key| key.name == text) {
                _ if text == schedule::KEY => {}
                _ if lto => self.later(&format!("{LIST}.kind \"lto\""), &at),
                _ if later::key(LIST, text) => self.later(&format!("{LIST}.{text}"), &name.span()),
                None => {
                    let names: Vec<&str> = KEYS.iter().map(|key| key.name).chain([schedule::KEY]).collect();
                    self.mistake(&name.span(), format!("{LIST}.{text} is no key"), names.join(", "));
                }
                Some(key) if (key.apply)(&mut draft, value.get_ref()).is_none() => self.refuse(key, &at),
                Some(_) => {}
            }
        }
        draft
    }

    /// What the keys say together; none if something is wrong with it.
    fn tier(&mut self, entry: &Entry<'_, '_>, draft: Draft) -> Option<TierConfig> {
        let before = self.mistakes.len();
        for name in ["name", "kind"] {
            self.has(entry, name);
        }
        let kind = draft.kind;
        if let Some(kind) = kind {
            self.keys_are_of(entry, kind);
        }
        let windows = self.windows(entry, draft.usual);
        let encrypt = draft.encrypt_key_file.as_ref().and_then(|file| self.key_file(entry, file));
        let (name, names, single_gateway, zstd) =
            (draft.name.clone(), draft.names.clone(), draft.single_gateway, draft.zstd);
        let limits = Limits { usual: draft.usual, windows };
        let place = match kind? {
            Kind::Dir => {
                self.has(entry, "path");
                draft.path.map(TierPlace::Dir)
            }
            Kind::S3 => Some(TierPlace::S3(Box::new(self.bucket(entry, draft)))),
        };
        if self.mistakes.len() > before {
            return None;
        }
        Some(TierConfig { name: name?, place: place?, names, single_gateway, zstd, encrypt, limits })
    }

    /// Keys of the other kind would do nothing.
    fn keys_are_of(&mut self, entry: &Entry<'_, '_>, kind: Kind) {
        for name in entry.table.keys() {
            let key = KEYS.iter().find(|key| key.name == name.get_ref().as_ref());
            if let Some(of) = key.and_then(|key| key.of).filter(|of| *of != kind) {
                let names = KEYS.iter().filter(|key| key.of == Some(kind)).map(|key| key.name);
                let names: Vec<&str> = names.collect();
                let what = format!("{LIST}.{} is a key of kind \"{}\"", name.get_ref(), of.name());
                let allowed = format!("keys that only kind \"{}\" has: {}", kind.name(), names.join(", "));
                self.mistake(&name.span(), what, allowed);
            }
        }
    }

    fn bucket(&mut self, entry: &Entry<'_, '_>, draft: Draft) -> S3Options {
        self.goes_with(entry, "credentials_file", "credentials", "file", draft.credentials == Credentials::File);
        self.goes_with(
            entry,
            "credentials_profile",
            "credentials",
            "profile",
            draft.credentials == Credentials::Profile,
        );
        self.goes_with(entry, "kms_key", "sse", "aws:kms", draft.sse == Sse::Kms);
        let mut options = draft.s3;
        options.force_path_style = draft.force_path_style.unwrap_or(options.endpoint.is_some());
        options.ca_file = options.ca_file.map(|file| self.directory.join(file));
        options.sse = match draft.sse {
            Sse::Off => ServerSideEncryption::None,
            Sse::Aes256 => ServerSideEncryption::Aes256,
            Sse::Kms => ServerSideEncryption::Kms { key: draft.kms_key },
        };
        options.credentials = match draft.credentials {
            Credentials::Env => CredentialSource::Environment,
            Credentials::File => self.credentials_file(entry, draft.credentials_file),
            Credentials::Profile => CredentialSource::Profile(draft.credentials_profile),
            Credentials::Instance => CredentialSource::Instance,
        };
        if self.has(entry, "bucket") {
            let wrong = options.mistakes().into_iter().chain(options.check_ca_file().err());
            let wrong: Vec<OptionError> = wrong.collect();
            // What is empty was refused when its key was read.
            for error in wrong.iter().filter(|_| !options.bucket.is_empty() && !options.region.is_empty()) {
                let allowed = KEYS.iter().find(|key| key.name == error.option()).map_or("", |key| key.allowed);
                self.mistake(&entry.span(error.option()), format!("{LIST}.{error}"), allowed);
            }
        }
        options
    }

    /// The file with the access key, which nobody else may read.
    fn credentials_file(&mut self, entry: &Entry<'_, '_>, file: Option<PathBuf>) -> CredentialSource {
        let Some(file) = file else {
            let what = format!("{LIST} has credentials = \"file\" without credentials_file");
            self.mistake(&entry.span("credentials"), what, "credentials_file = the path of a file too");
            return CredentialSource::Environment;
        };
        let file = self.directory.join(file);
        if let Err(mistake) = secret::open(&file) {
            self.bad_file(entry, "credentials_file", mistake);
        }
        CredentialSource::File(file)
    }

    fn key_file(&mut self, entry: &Entry<'_, '_>, file: &Path) -> Option<KeyFile> {
        let path = self.directory.join(file);
        match WrappingKey::from_file(&path) {
            Ok(key) => Some(KeyFile { file: path, key }),
            Err(error) => {
                let allowed = "a file with 32 bytes, or 64 hexadecimal digits, that only the daemon's user can read";
                let refused = matches!(error, KeyFileError::Mode { .. });
                let mistake = Mistake { refused, ..Mistake::new(error.to_string(), allowed) };
                self.bad_file(entry, "encrypt_key_file", mistake);
                None
            }
        }
    }

    fn bad_file(&mut self, entry: &Entry<'_, '_>, key: &str, mistake: Mistake) {
        let mistake = Mistake { what: format!("{LIST}.{key}: {}", mistake.what), ..mistake };
        self.mistakes.push(mistake.at(self.text, &entry.span(key)));
    }

    /// A key that has no default.
    fn has(&mut self, entry: &Entry<'_, '_>, name: &str) -> bool {
        if entry.get(name).is_some() {
            return true;
        }
        let allowed = KEYS.iter().find(|key| key.name == name).map_or("", |key| key.allowed);
        self.mistake(&entry.at, format!("{LIST} has no {name}"), format!("{name} = {allowed}"));
        false
    }

    /// A key that means nothing unless another has a certain value.
    fn goes_with(&mut self, entry: &Entry<'_, '_>, name: &str, other: &str, value: &str, holds: bool) {
        let given = entry.get(name).filter(|given| given.get_ref().as_str() != Some(""));
        if let Some(given) = given.filter(|_| !holds) {
            let what = format!("{LIST}.{name} is given, and {other} is not \"{value}\"");
            self.mistake(&given.span(), what, format!("{other} = \"{value}\" too, or no {name}"));
        }
    }

    fn refuse(&mut self, key: &TierKey, at: &Range<usize>) {
        self.mistake(at, format!("{LIST}.{} is {}", key.name, self.given(at)), key.allowed);
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use capstan_s3::ChecksumPolicy;
    use capstan_tier::{Days, Rates, Window};

    use super::*;
    use crate::config::{Config, Mistakes, Overrides};

    fn read(directory: &Path, text: &str) -> Result<Config, Mistakes> {
        let file = directory.join("c.toml");
        fs::write(&file, text).unwrap();
        Config::load(Some(&file), &Overrides::default())
    }

    fn secret(file: &Path, bytes: &[u8], mode: u32) {
        fs::write(file, bytes).unwrap();
        fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn every_key_of_a_bucket_arrives() {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path();
        secret(&here.join("key"), &[7; 32], 0o600);
        secret(&here.join("aws"), b"[default]\n", 0o400);
        let config = read(
            here,
            "[[tier]]\nname = \"cloud\"\nkind = \"s3\"\nsingle_gateway = true\ncompress = \"zstd:9\"\n\
             encrypt_key_file = \"key\"\nupload_limit = \"20MiB\"\ndownload_limit = \"1GB\"\nbucket = \"tapes\"\n\
             prefix = \"site/1\"\nendpoint = \"http://[::1]:9000\"\nregion = \"eu-west-3\"\nforce_path_style = false\n\
             credentials = \"file\"\ncredentials_file = \"aws\"\nstorage_class = \"STANDARD_IA\"\nsse = \"aws:kms\"\n\
             kms_key = \"k\"\nproxy = \"http://proxy:3128\"\nchecksum = \"when_required\"\n\
             [[tier.schedule]]\ndays = [\"sun\", \"mon\"]\nfrom = \"22:30\"\nto = \"06:00\"\nupload_limit = \"\"\n\
             [[tier.schedule]]\nfrom = \"00:00\"\nto = \"24:00\"\ndownload_limit = \"64KiB\"\n",
        )
        .unwrap();
        let tier = config.tier();
        assert_eq!(config.tiers, std::slice::from_ref(&tier));
        assert_eq!((tier.name.as_str(), tier.single_gateway, tier.zstd), ("cloud", true, Some(9)));
        assert_eq!((tier.names.prefix(), tier.directory()), ("site/1/", None));
        assert_eq!(tier.encrypt, Some(KeyFile { file: here.join("key"), key: WrappingKey::new([7; 32]) }));
        let usual = Rates { upload: Some(20 << 20), download: Some(1_000_000_000) };
        let night = Window {
            days: Days::default().with("mon").and_then(|days| days.with("sun")).unwrap(),
            from: 22 * 60 + 30,
            to: 6 * 60,
            rates: Rates { upload: None, ..usual },
        };
        let rates = Rates { download: Some(64 << 10), ..usual };
        let always = Window { days: Days::ALL, from: 0, to: 24 * 60, rates };
        assert_eq!(tier.limits, Limits { usual, windows: vec![night, always] });
        let options = S3Options {
            endpoint: Some("http://[::1]:9000".to_owned()),
            credentials: CredentialSource::File(here.join("aws")),
            storage_class: Some("STANDARD_IA".to_owned()),
            sse: ServerSideEncryption::Kms { key: Some("k".to_owned()) },
            proxy: Some("http://proxy:3128".to_owned()),
            checksum: ChecksumPolicy::WhenRequired,
            ..S3Options::new("tapes", "eu-west-3")
        };
        assert_eq!(tier.place, TierPlace::S3(Box::new(options)));
    }

    #[test]
    fn what_a_tier_has_where_the_file_does_not_say() {
        let directory = tempfile::tempdir().unwrap();
        let s3 = "[[tier]]\nname = \"cloud\"\nkind = \"s3\"\nbucket = \"tapes\"\n";
        let tier = read(directory.path(), s3).unwrap().tier();
        assert_eq!(tier.place, TierPlace::S3(Box::new(S3Options::new("tapes", "us-east-1"))));
        assert_eq!(
            (tier.zstd, tier.single_gateway, tier.encrypt, tier.limits),
            (Some(3), false, None, Limits::default())
        );
        let elsewhere = read(directory.path(), &format!("{s3}endpoint = \"https://s3.example.com\"\n")).unwrap().tier();
        assert!(matches!(elsewhere.place, TierPlace::S3(options) if options.force_path_style));
        let disk =
            read(directory.path(), "[[tier]]\nname = \"disk\"\nkind = \"dir\"\npath = \"t\"\ncompress = \"off\"\n");
        let disk = disk.unwrap().tier();
        assert_eq!((disk.place, disk.zstd), (TierPlace::Dir("t".into()), None), "relative to where the daemon starts");
        let local = Config::default().tier();
        assert_eq!((local.name.as_str(), local.zstd), ("local", None));
        assert_eq!(local.directory(), Some(Path::new("./capstan-data/tier")));
    }

    #[test]
    fn secrets_that_others_can_read_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        secret(&directory.path().join("key"), &[7; 32], 0o640);
        secret(&directory.path().join("aws"), b"[default]\n", 0o604);
        let text = "[[tier]]\nname = \"cloud\"\nkind = \"s3\"\nbucket = \"tapes\"\ncredentials = \"file\"\n\
                    credentials_file = \"aws\"\nencrypt_key_file = \"key\"\n";
        let mistakes = read(directory.path(), text).unwrap_err();
        assert!(mistakes.all_refused(), "{mistakes}");
        let found: Vec<_> = mistakes.list.iter().map(|mistake| mistake.line).collect();
        assert_eq!(found, [Some(6), Some(7)]);
        secret(&directory.path().join("key"), b"too short", 0o600);
        secret(&directory.path().join("aws"), b"[default]\n", 0o600);
        let mistakes = read(directory.path(), text).unwrap_err();
        assert_eq!(mistakes.list.len(), 1);
        assert!(mistakes.list[0].what.contains("has to have 32 bytes"), "{mistakes}");
    }
}
