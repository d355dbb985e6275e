//! A configuration as it can be shown to others and carried to another machine: what is in effect, without comments and
//! without what a secret is.

use capstan_api::{Configuration, WrappingKeyId};
use toml::{Table, Value};

use super::{Config, TierConfig};

/// The text of the file that a configuration was read from. All configurations are alike in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source(pub(super) String);

impl PartialEq for Source {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Source {}

impl Config {
    /// What of it can be carried elsewhere.
    pub(crate) fn portable(&self) -> Configuration {
        let mut table: Table = toml::from_str(&self.source.0).unwrap_or_default();
        if let Some(Value::Table(gateway)) = table.get_mut("gateway") {
            gateway.remove("state_dir");
        }
        self.override_portal(&mut table);
        let mut found = Configuration::default();
        for (name, value) in &mut table {
            look_at(name, value, &mut found);
        }
        section("", &table, &mut found.text);
        found.wrapping_keys = self.wrapping_keys(&table);
        found
    }

    /// Which key wraps those of the cartridges in each tier; its file as the text names it.
    fn wrapping_keys(&self, table: &Table) -> Vec<WrappingKeyId> {
        let named = table.get("tier").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let key = |(tier, named): (&TierConfig, &Value)| {
            let id = tier.encrypt.as_ref()?.key.id().to_string();
            let file = named.get("encrypt_key_file")?.as_str()?.to_owned();
            Some(WrappingKeyId { tier: tier.name.clone(), file, id })
        };
        self.tiers.iter().zip(named).filter_map(key).collect()
    }

    /// What the command line has said goes before the file.
    fn override_portal(&self, table: &mut Table) {
        let defaults = Self::default().iscsi;
        let listen = self.iscsi.listen.iter().map(|address| Value::String(address.to_string())).collect();
        let iscsi = table.entry("iscsi").or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(iscsi) = iscsi else { return };
        if self.iscsi.listen != defaults.listen {
            iscsi.insert("listen".to_owned(), Value::Array(listen));
        }
        if self.iscsi.allow_unauthenticated != defaults.allow_unauthenticated {
            iscsi.insert("allow_unauthenticated".to_owned(), Value::Boolean(self.iscsi.allow_unauthenticated));
        }
    }
}

/// Notes files with secrets, and takes out what an address has of them.
fn look_at(name: &str, value: &mut Value, found: &mut Configuration) {
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                look_at(&format!("{name}.{key}"), value, found);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| look_at(name, value, found)),
        Value::String(text) => {
            if name.ends_with("_file") && !name.ends_with(".ca_file") && !text.is_empty() {
                found.secret_files.push(text.clone());
            }
            if let Some(bare) = without_account(text) {
                *text = bare;
                found.left_out.push(name.to_owned());
            }
        }
        _ => {}
    }
}

/// An address without the user and password in it; `None` if it has none.
fn without_account(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (_, host) = authority.rsplit_once('@')?;
    Some(format!("{scheme}://{host}{path}"))
}

/// A section with what is in it; those in it follow.
fn section(path: &str, table: &Table, out: &mut String) {
    let is_table = |value: &Value| match value {
        Value::Table(_) => true,
        Value::Array(values) => values.iter().any(Value::is_table),
        _ => false,
    };
    for (name, value) in table.iter().filter(|(_, value)| !is_table(value)) {
        out.push_str(&format!("{name} = {}\n", plain(value)));
    }
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for (name, value) in table {
        let path = below(name);
        match value {
            Value::Table(inner) if !inner.is_empty() => {
                out.push_str(&format!("\n[{path}]\n"));
                section(&path, inner, out);
            }
            Value::Array(values) => {
                for inner in values.iter().filter_map(Value::as_table) {
                    out.push_str(&format!("\n[[{path}]]\n"));
                    section(&path, inner, out);
                }
            }
            _ => {}
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        // Strings of JSON are strings of TOML, but for one character.
        Value::String(text) => serde_json::to_string(text).unwrap_or_default().replace('\u{7f}', "\\u007F"),
        Value::Array(values) => format!("[{}]", values.iter().map(plain).collect::<Vec<_>>().join(", ")),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(value) => value.to_string(),
        Value::Datetime(time) => time.to_string(),
        Value::Table(_) => "{}".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::Overrides;
    use super::*;

    #[test]
    fn what_is_in_effect_is_carried_without_comments_and_secrets() {
        let directory = tempfile::tempdir().unwrap();
        let key = directory.path().join("tier.key");
        fs::write(&key, [7; 32]).unwrap();
        fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let text = "# a secret in a comment\n[gateway]\nname = \"rack-7\"\nstate_dir = \"/srv/capstan\"\n\
                    [library]\nslots = 20 # and here\n[[tier]]\nname = \"nas\"\nkind = \"dir\"\npath = \"/mnt/nas\"\n\
                    encrypt_key_file = \"tier.key\"\n[[tier.schedule]]\ndays = [\"mon\", \"tue\"]\nfrom = \"08:00\"\n\
                    to = \"18:00\"\nupload_limit = \"1MiB\"\n";
        let file = directory.path().join("capstan.toml");
        fs::write(&file, text).unwrap();
        let overrides = Overrides { listen: vec!["127.0.0.1:3299".parse().unwrap()], ..Overrides::default() };
        let config = Config::load(Some(&file), &overrides).unwrap_or_else(|error| panic!("{error:?}"));
        let carried = config.portable();
        let expected = "\n[gateway]\nname = \"rack-7\"\n\n[iscsi]\nlisten = [\"127.0.0.1:3299\"]\n\n[library]\nslots = 20\n\n\
                        [[tier]]\nencrypt_key_file = \"tier.key\"\nkind = \"dir\"\nname = \"nas\"\npath = \"/mnt/nas\"\n\n\
                        [[tier.schedule]]\ndays = [\"mon\", \"tue\"]\nfrom = \"08:00\"\nto = \"18:00\"\n\
                        upload_limit = \"1MiB\"\n";
        assert_eq!(carried.text, expected);
        assert_eq!((carried.secret_files, carried.left_out), (vec!["tier.key".to_owned()], Vec::new()));
        assert_eq!(carried.wrapping_keys[0].tier, "nas");
        // What it says is the same again.
        fs::write(&file, expected).unwrap();
        let again = Config::load(Some(&file), &Overrides::default()).unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(again.portable().text, expected);
        assert_eq!(Config { gateway: config.gateway.clone(), ..again }, config);
    }

    #[test]
    fn an_account_in_an_address_is_left_out() {
        assert_eq!(
            without_account("https://key:secret@s3.example.org/x@y").as_deref(),
            Some("https://s3.example.org/x@y")
        );
        assert_eq!(without_account("https://s3.example.org/a@b"), None);
        assert_eq!(without_account("user@host"), None);
    }
}
