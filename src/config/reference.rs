//! The reference page of the configuration file, made from the table of keys.

use super::Config;
use super::entry::Row;
use super::keys::{SECTIONS, keys};
use super::{initiators, tiers};

const HEAD: &str = "\
# Configuration

<!-- Made from src/config/; `cargo xtask docs` writes it anew. -->

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
        for key in keys().filter(|key| key.section == *section) {
            page.push_str(&format!(
                "| `{}` | `{}` | {} | {} |\n",
                key.name,
                (key.show)(&defaults),
                key.allowed.replace('|', "\\|"),
                key.doc
            ));
        }
        if *section == "iscsi" {
            page.push_str(INITIATORS);
            page.push_str(&table(initiators::rows()));
        }
        if *section == "cache" {
            page.push_str(TIERS);
            page.push_str(&table(tiers::rows()));
            page.push_str(SCHEDULE);
            page.push_str(&table(tiers::schedule_rows()));
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
";

const TIERS: &str = "
## `[[tier]]`

Where cartridges are shipped to, so that they are in two places, and so that there can be more of them than fit on the
disk. Without any there is one that is named `local`: the directory `tier` in the state directory, on the same disk as
everything else, neither compressed nor encrypted. This version ships to one tier; a file with more is refused.

Which bucket, directory and prefix it is must not change once cartridges were shipped: what is there would not be found.
What a server has to be able to do, and how the start finds out whether it is: [object storage](../s3.md).

```toml
[[tier]]
name = \"cloud\"
kind = \"s3\"
bucket = \"tapes\"
endpoint = \"https://s3.example.com\"
credentials = \"file\"
credentials_file = \"s3.credentials\"
upload_limit = \"200MiB\"

[[tier.schedule]]
days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\"]
from = \"07:00\"
to = \"18:00\"
upload_limit = \"20MiB\"
```
";

const SCHEDULE: &str = "
## `[[tier.schedule]]`

Times at which other limits hold than the tier's own. Where several overlap the first in the file holds. All times are
UTC: a local time exists twice, or not at all, on two days of a year.
";

/// The keys of a list of tables.
fn table(rows: impl Iterator<Item = Row>) -> String {
    let mut page = "\n| key | default | allowed | what it does |\n|---|---|---|---|\n".to_owned();
    for Row { name, default, allowed, doc } in rows {
        let default = if default.starts_with('[') { format!("`{default}`") } else { default.to_owned() };
        page.push_str(&format!("| `{name}` | {default} | {allowed} | {doc} |\n"));
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
