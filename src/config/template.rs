//! A configuration file to start from, made from the table of keys: it explains itself.

use super::Config;
use super::keys::{KEYS, SECTIONS};

const HEAD: &str = "\
# Capstan's configuration. What is commented out has the value that is shown.
# `capstan check-config FILE` checks it.
";

const WIDTH: usize = 100;

/// A file with every key. Those that `config` has otherwise than by default are set, the others are commented out.
pub(crate) fn template(config: &Config) -> String {
    let defaults = Config::default();
    let mut text = HEAD.to_owned();
    for (section, doc) in SECTIONS {
        text.push_str(&format!("\n[{section}]\n{}", comment(doc)));
        for key in KEYS.iter().filter(|key| key.section == *section) {
            let (value, default) = ((key.show)(config), (key.show)(&defaults));
            let mark = if value == default { "# " } else { "" };
            text.push_str(&format!("\n{}", comment(&format!("{} Allowed: {}.", key.doc, key.allowed))));
            text.push_str(&format!("{mark}{} = {value}\n", key.name));
        }
    }
    text
}

/// Text as comment lines.
fn comment(text: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len().saturating_add(word.len()) < WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("# {word}")),
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::Overrides;
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut config = Config::default();
        config.library.slots = 1500;
        config.gateway.state_dir = "/srv/\"capstan\"".into();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("c.toml");
        std::fs::write(&file, template(&config)).unwrap();
        assert_eq!(Config::load(Some(&file), &Overrides::default()), Ok(config));
    }
}
