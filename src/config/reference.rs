//! The reference page of the configuration file, made from the table of keys.

use super::Config;
use super::initiators;
use super::keys::{KEYS, SECTIONS};

const HEAD: &str = "\
# Configuration

<!-- Made from src/config/keys.rs; `cargo xtask docs` writes it anew. -->

`capstan serve` works without a configuration file. With `--config F` it reads one in TOML; every key can be left out.
`capstan check-config F` checks a file without starting anything. A name that is not listed here, a value that is not
allowed and a combination that cannot work are refused with file, line, column and what is allowed, all at once.
`--state`, `--listen` and `--allow-unauthenticated` on the command line go before the file.
";

/// The page.
fn reference() -> String {
    let defaults = Config::default();
    let mut page = HEAD.to_owned();
    for (section, doc) in SECTIONS {
        page.push_str(&format!(
            "\n## `[{section}]`\n\n{doc}\n\n| key | default | allowed | what it does |\n|---|---|---|---|\n"
        ));
        for key in KEYS.iter().filter(|key| key.section == *section) {
            page.push_str(&format!(
                "| `{}` | `{}` | {} | {} |\n",
                key.name,
                (key.show)(&defaults),
                key.allowed.replace('|', "\\|"),
                key.doc
            ));
        }
        if *section == "iscsi" {
            page.push_str(&list_of_initiators());
        }
    }
    page
}

const INITIATORS: &str = "
## `[[iscsi.initiator]]`

Who may log in: a table for each initiator. Without any, everyone who reaches the portal may use everything. With one
or more, nobody else gets in, on loopback neither.

An address beyond loopback is refused unless

- every `[[iscsi.initiator]]` has `chap_user`, and there is one, or
- `allow_unauthenticated` is true, and either none is listed (everyone gets in) or some are listed without `chap_user`
  (these get in by their name alone, the others by CHAP). Where all of them have `chap_user` it is a contradiction, and
  refused as a mistake.

`capstan init --listen ADDRESS:PORT --initiator IQN` writes a configuration with one initiator and its secrets. What
CHAP protects and what not: [security](../security.md).

| key | default | allowed | what it does |
|---|---|---|---|
";

fn list_of_initiators() -> String {
    let mut page = INITIATORS.to_owned();
    for key in initiators::KEYS {
        let default = if key.default.starts_with('[') { format!("`{}`", key.default) } else { key.default.to_owned() };
        page.push_str(&format!("| `{}` | {default} | {} | {} |\n", key.name, key.allowed, key.doc));
    }
    page
}

mod tests {
    use super::*;

    #[test]
    fn the_reference_page_is_what_the_keys_say() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/configuration.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(file, reference()).unwrap();
        }
        let page = std::fs::read_to_string(file).unwrap();
        assert_eq!(page, reference(), "run cargo xtask docs");
    }
}
