//! Names that the design reserves for later versions.
//!
//! A file written for a later version must not be half understood: these names get an answer of their own.

/// Sections, or lists of tables, that this version has not.
const SECTIONS: &[&str] = &["archive"];

/// Keys of sections that this version has.
const KEYS: &[(&str, &str)] = &[
    ("admin", "http"),
    ("admin", "tls_cert_file"),
    ("admin", "tls_key_file"),
    ("admin", "token"),
    ("tier", "archive_class"),
    ("tier", "changer"),
    ("tier", "drives"),
];

/// True for a section of a later version.
pub(super) fn section(name: &str) -> bool {
    SECTIONS.contains(&name)
}

/// True for a key of a later version in a section of this one.
pub(super) fn key(section: &str, name: &str) -> bool {
    KEYS.contains(&(section, name))
}
