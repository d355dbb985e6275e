//! A configuration file to start from, made from the table of keys: it explains itself.

use super::entry::Row;
use super::keys::{SECTIONS, keys};
use super::{Config, initiators, tiers};

const HEAD: &str = "\
# Capstan's configuration. What is commented out has the value that is shown.
# `capstan check-config FILE` checks it.
";

const WIDTH: usize = 100;

/// A file with every key. Those that `config` has otherwise than by default are set, the others are commented out. Tiers are
/// only explained: nobody makes a template who knows one.
pub(crate) fn template(config: &Config) -> String {
    let defaults = Config::default();
    let mut text = HEAD.to_owned();
    for (section, doc) in SECTIONS {
        text.push_str(&format!("\n[{section}]\n{}", comment(doc)));
        for key in keys().filter(|key| key.section == *section) {
            let (value, default) = ((key.show)(config), (key.show)(&defaults));
            let mark = if value == default { "# " } else { "" };
            text.push_str(&format!("\n{}", comment(&format!("{} Allowed: {}.", key.doc, key.allowed))));
            text.push_str(&format!("{mark}{} = {value}\n", key.name));
        }
        if *section == "iscsi" {
            text.push_str(&list_of_initiators(config));
        }
        if *section == "cache" {
            text.push_str(&list_of_tiers());
        }
    }
    text
}

/// A table for each initiator; without any, one that is commented out.
fn list_of_initiators(config: &Config) -> String {
    let mut text = format!("\n{}", comment("Who may log in, a table for each; everyone where there is none."));
    text.push_str(&explained(initiators::rows()));
    if config.iscsi.initiators.is_empty() {
        text.push_str(&format!("# [[{}]]\n# name = \"iqn.1993-08.org.debian:01:abcdef\"\n", initiators::LIST));
    }
    for initiator in &config.iscsi.initiators {
        text.push_str(&format!("\n[[{}]]\n", initiators::LIST));
        for key in initiators::KEYS {
            if let Some(value) = (key.show)(initiator) {
                text.push_str(&format!("{} = {value}\n", key.name));
            }
        }
    }
    text
}

/// What a tier has, and one that is commented out.
fn list_of_tiers() -> String {
    let mut text = format!(
        "\n{}",
        comment("Where cartridges are shipped to; the directory tier in the state directory where there is no table.")
    );
    text.push_str(&explained(tiers::rows()));
    text.push_str("# [[tier]]\n# name = \"cloud\"\n# kind = \"s3\"\n# bucket = \"tapes\"\n");
    text.push_str(&format!("\n{}", comment("Times at which other limits of the tier above hold.")));
    text.push_str(&explained(tiers::schedule_rows()));
    text.push_str("# [[tier.schedule]]\n# from = \"07:00\"\n# to = \"18:00\"\n# upload_limit = \"20MiB\"\n");
    text
}

fn explained(rows: impl Iterator<Item = Row>) -> String {
    let row = |Row { name, allowed, default, doc }: Row| {
        comment(&format!("{name}: {doc} Allowed: {allowed}. Default: {default}."))
    };
    rows.map(row).collect()
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
