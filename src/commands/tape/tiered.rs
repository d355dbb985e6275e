//! What of a cartridge is in the tier, for people.

use capstan_api::Tape;

use crate::output;

/// In a table: `all`, or how many of its objects.
pub(super) fn cell(tape: &Tape) -> String {
    match (is_all(tape), tape.tier_to) {
        (true, _) => "all".to_owned(),
        (false, 0) => String::new(),
        (false, to) => format!("{to} of {}", tape.objects),
    }
}

/// On a page of its own.
pub(super) fn sentence(tape: &Tape) -> String {
    let only_here = match tape.unshipped_bytes {
        0 => String::new(),
        bytes => format!(", {} only here", output::size(bytes)),
    };
    match (is_all(tape), tape.tier_to) {
        (true, _) => "all".to_owned(),
        (false, 0) => format!("nothing{only_here}"),
        (false, to) => format!("to object {to} of {}{only_here}", tape.objects),
    }
}

/// A blank cartridge has nothing that could be there.
fn is_all(tape: &Tape) -> bool {
    tape.objects > 0 && tape.tier_to >= tape.objects && tape.unshipped_bytes == 0
}

#[cfg(test)]
mod tests {
    use capstan_api::TapeState;

    use super::*;

    fn shown(objects: u64, tier_to: u64, unshipped_bytes: u64) -> (String, String) {
        let tape = Tape {
            barcode: "CAP001L8".into(),
            id: String::new(),
            state: TapeState::Available,
            location: None,
            size: 10 << 30,
            used: 0,
            protected: false,
            durable_to: objects,
            tier_to,
            unshipped_bytes,
            local_bytes: 0,
            pinned: false,
            objects,
            filemarks: 0,
            created: 0,
            problem: None,
        };
        (cell(&tape), sentence(&tape))
    }

    #[test]
    fn what_is_in_the_tier_and_what_is_only_here() {
        let said = |cell: &str, sentence: &str| (cell.to_owned(), sentence.to_owned());
        assert_eq!(shown(0, 0, 0), said("", "nothing"));
        assert_eq!(shown(7, 0, 1536), said("", "nothing, 1.5 KiB only here"));
        assert_eq!(shown(7, 3, 1024), said("3 of 7", "to object 3 of 7, 1 KiB only here"));
        assert_eq!(shown(7, 7, 1024), said("7 of 7", "to object 7 of 7, 1 KiB only here"));
        assert_eq!(shown(7, 7, 0), said("all", "all"));
    }
}
