//! The devices of a library by name, and patterns of them.

use capstan_library::{CHANGER_SUFFIX, drive_suffix};

/// Names of the devices, in the order of their logical unit numbers in a single target.
pub(crate) fn names(drives: u16) -> Vec<String> {
    std::iter::once(CHANGER_SUFFIX.to_owned()).chain((0..drives).map(drive_suffix)).collect()
}

/// Whether a pattern stands for a name: `*` is any number of any characters.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(head) else { return false };
    (0..=rest.len()).any(|taken| rest.get(taken..).is_some_and(|rest| matches(tail, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_anything() {
        for (pattern, name) in [
            ("changer", "changer"),
            ("*", "changer"),
            ("drive-*", "drive-07"),
            ("drive-0*", "drive-07"),
            ("*-*7", "drive-07"),
            ("drive-07*", "drive-07"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("changer", "changers"),
            ("drive-*", "changer"),
            ("drive-1*", "drive-01"),
            ("", "changer"),
            ("*8", "drive-07"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        assert_eq!(names(2), ["changer", "drive-00", "drive-01"]);
    }
}
