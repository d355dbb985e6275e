//! No file may name a directory of one machine: the tree has to work from any clone.

use std::path::Path;

use super::Source;

/// Where people and build machines keep their clones. This file is the only one that may name them.
const PLACES: &[&str] = &["/home/", "/root/", "/Users/", "/work/", "/builds/", "../shared/"];

/// The above, and where this clone really is.
pub(super) fn of_this_machine(root: &Path) -> Vec<String> {
    let mut places: Vec<String> = PLACES.iter().map(|place| (*place).to_owned()).collect();
    places.push(root.display().to_string());
    places
}

pub(super) fn findings(sources: &[Source], places: &[String]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.path != Path::new(file!())) {
        for (number, line) in source.text.lines().enumerate() {
            if let Some(place) = places.iter().find(|place| names(line, place)) {
                findings.push(format!("{}:{}: names {place}", source.path.display(), number + 1));
            }
        }
    }
    findings
}

/// Whether `place` begins a path in `line`: `a/home/b` does not name `/home/`.
fn names(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line.get(..at).and_then(|start| start.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}' | '/' | '$' | '~' | '>'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        let sources = [Source { path: "a.sh".into(), text: text.into() }];
        findings(&sources, &of_this_machine(Path::new("/srv/clone")))
    }

    #[test]
    fn a_path_of_one_machine_is_refused_with_its_line() {
        assert_eq!(lines("ok\ncd /home/me/x\n"), ["a.sh:2: names /home/"]);
        assert_eq!(lines("x = \"/root/x\""), ["a.sh:1: names /root/"]);
        assert_eq!(lines("/srv/clone/target"), ["a.sh:1: names /srv/clone"]);
    }

    #[test]
    fn a_directory_of_that_name_elsewhere_is_fine() {
        assert_eq!(lines("mount /overlay/root/x\n$ROOT/home/x\n"), Vec::<String>::new());
    }
}
