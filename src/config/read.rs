//! Reading a file against the table of keys.

use std::fs;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::keys::{MAX_SOCKET_PATH, SECTIONS, keys};
use super::mistake::unreadable;
use super::{Config, Mistake, Mistakes, Source, initiators, later, tiers};

/// What the command line says; it goes before the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    /// `--state`
    pub(crate) state_dir: Option<PathBuf>,
    /// `--listen`, once or more
    pub(crate) listen: Vec<SocketAddr>,
    /// `--allow-unauthenticated`
    pub(crate) allow_unauthenticated: bool,
}

pub(super) fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Config, Mistakes> {
    let text = file.map(text_of).transpose()?.unwrap_or_default();
    let directory = file.and_then(Path::parent).map(Path::to_owned).unwrap_or_default();
    let (config, mistakes) = (Config { source: Source(text.clone()), ..Config::default() }, Vec::new());
    let mut reader = Reader { text: &text, directory, config, listen: None, allow: None, areas: Vec::new(), mistakes };
    reader.document();
    reader.overrides(overrides);
    let mut list = reader.mistakes;
    list.sort_by_key(|mistake| (mistake.line, mistake.column));
    if list.is_empty() { Ok(reader.config) } else { Err(Mistakes { file: file.map(Path::to_owned), list }) }
}

fn text_of(file: &Path) -> Result<String, Mistakes> {
    let bytes = fs::read(file)
        .map_err(|error| unreadable(file, format!("cannot be read: {error}"), "a TOML file that can be read"))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let mistake = Mistake::new("a byte that is not UTF-8", "a TOML file in UTF-8").at(&text, &(valid..valid));
        Mistakes { file: Some(file.to_owned()), list: vec![mistake] }
    })
}

pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    /// Where relative paths of secrets start.
    pub(super) directory: PathBuf,
    pub(super) config: Config,
    /// Where the file says on which addresses to listen.
    listen: Option<Range<usize>>,
    /// Where it allows initiators without authentication.
    allow: Option<Range<usize>>,
    /// Where the keys of the areas and of the tier's directory are that it has.
    pub(super) areas: Vec<(String, Range<usize>)>,
    pub(super) mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn document(&mut self) {
        let (document, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let span = error.span().unwrap_or_default();
            let mistake = Mistake::new(format!("not TOML: {}", error.message()), "key = value lines under [section]s");
            self.mistakes.push(mistake.at(self.text, &span));
        }
        // What was recovered from broken text would only repeat the first mistake in other words.
        if !errors.is_empty() {
            return;
        }
        for (name, value) in document.get_ref() {
            self.top(name.get_ref(), &name.span(), value.get_ref());
        }
        // What an initiator may use depends on which drives there are.
        let initiators = document.get_ref().get("iscsi").and_then(|iscsi| iscsi.get_ref().get("initiator"));
        if let Some(initiators) = initiators {
            self.initiators(initiators);
        }
        if let Some(tiers) = document.get_ref().get(tiers::LIST) {
            self.tiers(tiers);
        }
    }

    /// A section, or something else at the top of the file.
    fn top(&mut self, name: &str, span: &Range<usize>, value: &DeValue<'_>) {
        if name == tiers::LIST {
            return;
        }
        if later::section(name) {
            return self.later(name, span);
        }
        if !SECTIONS.iter().any(|(section, _)| *section == name) {
            let sections: Vec<&str> = SECTIONS.iter().map(|(section, _)| *section).collect();
            let what = format!(
                "{name} is no {}",
                if value.is_table() { "section" } else { "section, and keys stand in sections" }
            );
            return self.mistake(span, what, format!("[{}], [[{}]]", sections.join("], ["), tiers::LIST));
        }
        match value {
            DeValue::Table(table) => {
                for (key, value) in table {
                    self.key(name, key.get_ref(), &key.span(), value.get_ref(), &value.span());
                }
            }
            _ => self.mistake(
                span,
                format!("{name} is not a section here"),
                format!("[{name}] once, with keys under it"),
            ),
        }
    }

    fn key(&mut self, section: &str, name: &str, span: &Range<usize>, value: &DeValue<'_>, at: &Range<usize>) {
        if is(section, name, initiators::LIST) {
            return;
        }
        if later::key(section, name) {
            return self.later(&format!("{section}.{name}"), span);
        }
        let Some(key) = keys().find(|key| key.section == section && key.name == name) else {
            let names: Vec<&str> = keys().filter(|key| key.section == section).map(|key| key.name).collect();
            return self.mistake(span, format!("{section}.{name} is no key"), names.join(", "));
        };
        if (key.apply)(&mut self.config, value).is_none() {
            return self.mistake(at, format!("{section}.{name} is {}", self.given(at)), key.allowed);
        }
        if is(section, name, "iscsi.listen") {
            self.listen = Some(at.clone());
        }
        if is(section, name, "iscsi.allow_unauthenticated") {
            self.allow = Some(at.clone());
        }
        if ["upload_buffer", "cache"].contains(&section) {
            self.areas.push((format!("{section}.{name}"), at.clone()));
        }
    }

    /// What the command line says, then what only shows when everything is known.
    fn overrides(&mut self, overrides: &Overrides) {
        if let Some(state_dir) = &overrides.state_dir {
            self.config.gateway.state_dir.clone_from(state_dir);
        }
        if !overrides.listen.is_empty() {
            self.config.iscsi.listen.clone_from(&overrides.listen);
            self.listen = None;
        }
        self.config.iscsi.allow_unauthenticated |= overrides.allow_unauthenticated;
        self.socket_fits();
        self.portal_is_closed();
        self.areas_fit();
    }

    /// Both areas by themselves and with the tier.
    fn areas_fit(&mut self) {
        for (key, mistake) in self.config.area_mistakes() {
            let span = self.areas.iter().find(|(name, _)| name == key).map(|(_, span)| span.clone());
            self.mistakes.push(match span {
                Some(span) => mistake.at(self.text, &span),
                None => mistake,
            });
        }
    }

    /// The kernel takes no longer path for a socket.
    fn socket_fits(&mut self) {
        let socket = self.config.socket();
        if socket.as_os_str().len() > MAX_SOCKET_PATH {
            self.mistakes.push(Mistake::new(
                format!("the admin socket would be {}, which is too long", socket.display()),
                format!("a path of at most {MAX_SOCKET_PATH} bytes: a shorter gateway.state_dir, or admin.socket"),
            ));
        }
    }

    /// Nobody from outside gets in without having been let in.
    fn portal_is_closed(&mut self) {
        let iscsi = &self.config.iscsi;
        let trusted = iscsi.initiators.iter().find(|initiator| initiator.chap.is_none()).map(|each| each.name.clone());
        if iscsi.allow_unauthenticated {
            return self.somebody_is_allowed(trusted.is_none());
        }
        if !iscsi.initiators.is_empty() && trusted.is_none() {
            return;
        }
        let (who, instead) = match &trusted {
            None => (
                "anyone who reaches it read and overwrite every cartridge".to_owned(),
                "a loopback address, or initiators that authenticate (`capstan init --listen ADDRESS:PORT --initiator IQN` \
                 writes such a configuration), or iscsi.allow_unauthenticated = true (serve --allow-unauthenticated)",
            ),
            Some(name) => (
                format!("anyone who says that it is {name} read and overwrite what that may use"),
                "a loopback address, or chap_user and chap_secret_file in each [[iscsi.initiator]], or \
                 iscsi.allow_unauthenticated = true (serve --allow-unauthenticated)",
            ),
        };
        let open: Vec<SocketAddr> =
            iscsi.listen.iter().copied().filter(|address| !address.ip().is_loopback()).collect();
        for address in open {
            let mut mistake = Mistake::new(format!("the portal {address} would let {who}"), instead);
            mistake.refused = true;
            self.mistakes.push(match &self.listen {
                Some(span) => mistake.at(self.text, span),
                None => mistake,
            });
        }
    }

    /// Where every initiator has to authenticate, to allow others means nothing, or not what was meant.
    fn somebody_is_allowed(&mut self, nobody: bool) {
        if self.config.iscsi.initiators.is_empty() || !nobody {
            return;
        }
        let mistake = Mistake::new(
            "iscsi.allow_unauthenticated is true, but every [[iscsi.initiator]] has to authenticate",
            "false; an initiator that need not authenticate is listed without chap_user",
        );
        self.mistakes.push(match &self.allow {
            Some(span) => mistake.at(self.text, span),
            None => mistake,
        });
    }

    pub(super) fn later(&mut self, name: &str, span: &Range<usize>) {
        self.mistake(span, format!("{name} is not in this version"), "nothing: leave it out until a version has it");
    }

    pub(super) fn mistake(&mut self, span: &Range<usize>, what: String, allowed: impl Into<String>) {
        self.mistakes.push(Mistake::new(what, allowed).at(self.text, span));
    }

    /// The text of a value, cut where it is long.
    pub(super) fn given(&self, span: &Range<usize>) -> String {
        let text = self.text.get(span.clone()).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        let short: String = line.chars().take(60).collect();
        if short.len() < text.len() { format!("{short}...") } else { short }
    }
}

fn is(section: &str, name: &str, full: &str) -> bool {
    full.split_once('.') == Some((section, name))
}

#[cfg(test)]
mod tests {
    use super::super::{LogLevel, TargetLayout};
    use super::*;

    fn read(text: &str) -> Result<Config, Mistakes> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("c.toml");
        fs::write(&file, text).unwrap();
        load(Some(&file), &Overrides::default())
    }

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(read(""), Ok(Config::default()));
        assert_eq!(load(None, &Overrides::default()), Ok(Config::default()));
    }

    #[test]
    fn every_key_arrives() {
        let config = read(
            "[gateway]\nname = \"rack-7\"\nstate_dir = \"/srv/capstan\"\n\
             [iscsi]\nlisten = [\"0.0.0.0:3260\", \"[::1]:3261\"]\nlayout = \"single-target\"\n\
             allow_unauthenticated = true\nmax_sessions = 9\n\
             [library]\ndrives = 2\nslots = 20\nio_slots = 3\nchanger = \"STK-L700\"\ndrive = \"IBM-ULT3580-TD8\"\n\
             tape_size = \"1GiB\"\n[admin]\nsocket = \"/run/c.sock\"\n[log]\nformat = \"json\"\nlevel = \"debug\"\n",
        )
        .unwrap();
        assert_eq!(config.gateway.name, "rack-7");
        assert_eq!(config.iscsi.listen, ["0.0.0.0:3260".parse().unwrap(), "[::1]:3261".parse().unwrap()]);
        assert_eq!(config.iscsi.layout, TargetLayout::SingleTarget);
        assert_eq!(config.iscsi.max_sessions, 9);
        assert_eq!((config.library.drives, config.library.slots, config.library.io_slots), (2, 20, 3));
        assert_eq!(config.tape_size().0, 1 << 30);
        assert_eq!(config.first_tape_size().0, 1 << 30);
        assert_eq!(config.socket(), Path::new("/run/c.sock"));
        assert_eq!(config.log.level, LogLevel::Debug);
    }

    #[test]
    fn the_command_line_goes_before_the_file_and_is_judged_like_it() {
        let listen = vec!["192.0.2.1:3260".parse().unwrap()];
        let open = Overrides { listen, ..Overrides::default() };
        let mistakes = load(None, &open).unwrap_err();
        assert!(mistakes.all_refused());
        let allowed = Overrides { allow_unauthenticated: true, state_dir: Some("x".into()), ..open };
        let config = load(None, &allowed).unwrap();
        assert_eq!(config.iscsi.listen, allowed.listen);
        assert_eq!(config.socket(), Path::new("x/capstan.sock"));
    }

    #[test]
    fn a_refused_value_beside_a_mistake_is_not_only_refused() {
        let mistakes = read("[iscsi]\nlisten = [\"0.0.0.0:1\"]\nlayout = 1\n").unwrap_err();
        assert_eq!(mistakes.list.len(), 2);
        assert!(!mistakes.all_refused());
    }
}
