//! An array of the kernel's md driver, as it describes itself.

/// An array.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Array {
    /// Its name: `md0`.
    pub(super) name: String,
    /// `array_state`: `clean`, `active`, `broken` and so on.
    pub(super) state: String,
    /// Disks that it has when it is whole.
    pub(super) disks: u64,
    /// How many of them are missing, or are not rebuilt yet.
    pub(super) missing: u64,
    /// What it does besides: `idle`, `recover`, `check` and so on.
    pub(super) action: String,
    /// How far that is, in percent.
    pub(super) done: Option<u64>,
}

impl Array {
    /// What is wrong with it, in words that stay the same until something happens.
    pub(super) fn fault(&self) -> Option<String> {
        let Self { name, state, disks, missing, .. } = self;
        match state.as_str() {
            "broken" | "inactive" | "clear" => Some(format!("{name}: the array is {state}")),
            "readonly" => Some(format!("{name}: the array is read-only")),
            _ if *missing > 0 => Some(format!("{name}: {missing} of {disks} disks missing")),
            _ => None,
        }
    }

    /// The same, and how far it is on its way to be better.
    pub(super) fn problem(&self) -> Option<String> {
        let fault = self.fault()?;
        let done = self.done.map(|percent| format!(" ({percent} % done)")).unwrap_or_default();
        Some(match self.action.as_str() {
            "recover" => format!("{fault}, a disk is being rebuilt{done}"),
            "reshape" => format!("{fault}, the array is being reshaped{done}"),
            _ => fault,
        })
    }
}

/// `sync_completed`: sectors done of all, or `none`.
pub(super) fn percent(text: &str) -> Option<u64> {
    let (done, all) = text.split_once('/')?;
    let (done, all): (u64, u64) = (done.trim().parse().ok()?, all.trim().parse().ok()?);
    done.saturating_mul(100).checked_div(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_says_what_is_wrong_with_it() {
        let array = |state: &str, missing, action: &str, done| Array {
            name: "md0".to_owned(),
            state: state.to_owned(),
            disks: 6,
            missing,
            action: action.to_owned(),
            done,
        };
        for (array, problem) in [
            (array("clean", 0, "idle", None), None),
            (array("active", 0, "resync", Some(5)), None),
            (array("active", 0, "check", Some(5)), None),
            (array("clean", 2, "idle", None), Some("md0: 2 of 6 disks missing")),
            (array("active", 2, "frozen", None), Some("md0: 2 of 6 disks missing")),
            (
                array("active", 1, "recover", Some(12)),
                Some("md0: 1 of 6 disks missing, a disk is being rebuilt (12 % done)"),
            ),
            (array("active", 1, "recover", None), Some("md0: 1 of 6 disks missing, a disk is being rebuilt")),
            (array("broken", 3, "idle", None), Some("md0: the array is broken")),
            (array("readonly", 0, "idle", None), Some("md0: the array is read-only")),
        ] {
            assert_eq!(array.problem().as_deref(), problem, "{array:?}");
            let fault = problem.map(|problem| problem.split(", ").next().unwrap());
            assert_eq!(array.fault().as_deref(), fault, "{array:?}");
        }
    }

    #[test]
    fn progress_is_sectors_of_all() {
        let all = ["123 / 1000\n", "1000 / 1000", "0 / 0", "none\n", "delayed", ""].map(percent);
        assert_eq!(all, [Some(12), Some(100), None, None, None, None]);
    }
}
