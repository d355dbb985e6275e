//! The reference page of the configuration file, made from the table of keys.

use super::Config;
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
