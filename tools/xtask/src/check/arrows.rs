//! Which crate may use which. A new arrow is a change of the design and is written here first.

use crate::workspace::{Kind, Package};

/// A crate by its directory's name, what it may use, and what its tests may use beyond that.
struct Rule {
    name: &'static str,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
}

const fn rule(name: &'static str, uses: &'static [&'static str], tests_use: &'static [&'static str]) -> Rule {
    Rule { name, uses, tests_use }
}

const ALL: &[&str] = &[
    "scsi",
    "iscsi",
    "media",
    "format",
    "image",
    "device",
    "disk",
    "store",
    "cartridge",
    "catalog",
    "tier",
    "s3",
    "mover",
    "library",
    "portal",
    "initiator",
    "api",
    "admin",
    "inspect",
];

const RULES: &[Rule] = &[
    rule("scsi", &[], &[]),
    rule("iscsi", &[], &[]),
    rule("media", &[], &[]),
    rule("format", &["media"], &[]),
    rule("image", &[], &[]),
    rule("device", &["scsi", "media"], &[]),
    rule("disk", &["media"], &[]),
    rule("store", &["media", "disk"], &[]),
    // The model test drives a cartridge through SCSI commands.
    rule("cartridge", &["media", "format", "store", "disk"], &["device", "scsi"]),
    rule("catalog", &["media", "disk"], &[]),
    rule("tier", &["media", "format", "disk"], &[]),
    rule("s3", &["tier", "media", "format"], &[]),
    rule("mover", &["media", "format", "store", "cartridge", "tier", "disk"], &[]),
    // The library is tested over loopback, as its clients see it.
    rule(
        "library",
        &["device", "scsi", "media", "store", "cartridge", "catalog", "disk", "mover", "image"],
        &["portal", "initiator", "iscsi", "tier"],
    ),
    rule("portal", &["iscsi", "scsi"], &["initiator"]),
    rule("initiator", &["iscsi", "scsi"], &["portal"]),
    rule("api", &["media"], &[]),
    rule("admin", &["api", "media", "catalog", "library", "store", "portal", "mover"], &["initiator"]),
    rule("capstan", ALL, &[]),
    rule("scsi-tests", &["scsi", "iscsi", "initiator"], &[]),
    // A fuzz target reaches what it tests directly.
    rule("fuzz", &["scsi", "iscsi", "media", "format", "device", "disk", "catalog", "tier", "image"], &[]),
    // Whoever reads tapes offline shares nothing with who wrote them; only its tests write some.
    rule("inspect", &[], &["media", "disk", "store", "cartridge", "tier", "mover", "format"]),
    rule("xtask", &[], &[]),
];

/// Every arrow that no rule has, and every package without a rule.
pub(super) fn findings(packages: &[Package]) -> Vec<String> {
    let names: Vec<&str> = packages.iter().map(|package| short(&package.name)).collect();
    let mut findings = Vec::new();
    for package in packages {
        let from = short(&package.name);
        let Some(rule) = RULES.iter().find(|rule| rule.name == from) else {
            findings.push(format!(
                "package {}: no arrows are listed for it in tools/xtask/src/check/arrows.rs",
                package.name
            ));
            continue;
        };
        for dependency in &package.dependencies {
            let to = short(&dependency.name);
            if names.contains(&to) && !rule.allows(to, dependency.kind) {
                let kind = if dependency.kind == Kind::Dev { " (in tests)" } else { "" };
                findings.push(format!("arrow {from} -> {to}{kind} is not in the design"));
            }
        }
    }
    findings
}

impl Rule {
    fn allows(&self, to: &str, kind: Kind) -> bool {
        // A crate's tests may switch on its own features by naming it.
        self.uses.contains(&to) || (kind == Kind::Dev && (self.name == to || self.tests_use.contains(&to)))
    }
}

/// Directory `crates/iscsi` is package `capstan-iscsi`.
pub(super) fn short(package: &str) -> &str {
    package.strip_prefix("capstan-").unwrap_or(package)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn package(name: &str, dependencies: &[(&str, Kind)]) -> Package {
        let dependencies = dependencies.iter().map(|&(name, kind)| Dependency { name: name.into(), kind }).collect();
        Package { name: name.into(), dependencies }
    }

    #[test]
    fn an_arrow_of_the_design_and_any_outside_crate_are_allowed() {
        let packages = [
            package("capstan-scsi", &[("bytes", Kind::Normal)]),
            package("capstan-media", &[]),
            package("capstan-device", &[("capstan-scsi", Kind::Normal), ("capstan-media", Kind::Dev)]),
        ];
        assert_eq!(findings(&packages), Vec::<String>::new());
    }

    #[test]
    fn another_arrow_is_refused() {
        let packages = [package("capstan-scsi", &[("capstan-iscsi", Kind::Normal)]), package("capstan-iscsi", &[])];
        assert_eq!(findings(&packages), ["arrow scsi -> iscsi is not in the design"]);
    }

    #[test]
    fn an_arrow_of_tests_is_refused_outside_tests() {
        let with = |kind| [package("capstan-library", &[("capstan-portal", kind)]), package("capstan-portal", &[])];
        assert_eq!(findings(&with(Kind::Dev)), Vec::<String>::new());
        assert_eq!(findings(&with(Kind::Normal)), ["arrow library -> portal is not in the design"]);
    }

    #[test]
    fn an_unlisted_arrow_of_tests_is_refused() {
        let packages = [package("capstan-scsi", &[("capstan-iscsi", Kind::Dev)]), package("capstan-iscsi", &[])];
        assert_eq!(findings(&packages), ["arrow scsi -> iscsi (in tests) is not in the design"]);
    }

    #[test]
    fn a_crate_may_name_itself_in_tests_only() {
        let with = |kind| [package("capstan-disk", &[("capstan-disk", kind)])];
        assert_eq!(findings(&with(Kind::Dev)), Vec::<String>::new());
        assert_eq!(findings(&with(Kind::Normal)).len(), 1);
    }

    #[test]
    fn a_new_package_needs_a_rule() {
        assert_eq!(findings(&[package("capstan-unheard-of", &[])]).len(), 1);
    }
}
