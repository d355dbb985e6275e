//! How fast a tier may be used, and when.
//!
//! Pure: the time is an argument. Days and times are those of UTC, which no daylight saving moves.

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// Bytes a second; `None` is as fast as it goes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Rates {
    /// Of what is sent.
    pub upload: Option<u64>,
    /// Of what is fetched.
    pub download: Option<u64>,
}

/// Some days of the week.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Days(u8);

/// A time of each of some days, with rates of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Days on which it begins.
    pub days: Days,
    /// Minute of the day from which it lasts.
    pub from: u16,
    /// Minute of the day before which it ends: of the next day, unless it is greater than `from`.
    pub to: u16,
    /// What holds meanwhile.
    pub rates: Rates,
}

/// How fast a tier may be used, and when.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Limits {
    /// What holds outside of all windows.
    pub usual: Rates,
    /// Of those that overlap the first holds.
    pub windows: Vec<Window>,
}

impl Days {
    /// All seven.
    pub const ALL: Self = Self(0x7f);

    /// Their names, as configurations have them.
    pub const NAMES: [&'static str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    /// These days and one more; `None` where no day has that name.
    #[must_use]
    pub fn with(self, name: &str) -> Option<Self> {
        let day = Self::NAMES.iter().position(|known| *known == name)?;
        Some(Self(self.0 | 1_u8.checked_shl(u32::try_from(day).ok()?)?))
    }

    /// Whether `day` is one of them; Monday is 0.
    fn has(self, day: u64) -> bool {
        u32::try_from(day).ok().and_then(|day| self.0.checked_shr(day)).is_some_and(|days| days & 1 == 1)
    }
}

impl Window {
    fn is_open(&self, day: u64, minute: u16) -> bool {
        if self.from < self.to {
            return self.days.has(day) && (self.from..self.to).contains(&minute);
        }
        let yesterday = (day + 6) % 7;
        (self.days.has(day) && minute >= self.from) || (self.days.has(yesterday) && minute < self.to)
    }
}

impl Limits {
    /// What holds so many seconds after the beginning of 1970, UTC.
    #[must_use]
    pub fn at(&self, unix_seconds: u64) -> Rates {
        let minutes = unix_seconds / 60;
        // The first day of 1970 was a Thursday.
        let day = (minutes / u64::from(DAY) + 3) % 7;
        let minute = u16::try_from(minutes % u64::from(DAY)).unwrap_or(0);
        self.windows.iter().find(|window| window.is_open(day, minute)).map_or(self.usual, |window| window.rates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-16 00:00:00 UTC, a Monday.
    const MONDAY: u64 = 1_794_787_200;

    fn at(limits: &Limits, day: u64, hour: u64, minute: u64, second: u64) -> Option<u64> {
        limits.at(MONDAY + day * 86_400 + hour * 3600 + minute * 60 + second).upload
    }

    fn window(days: &[&str], from: u16, to: u16, upload: u64) -> Window {
        let days = days.iter().try_fold(Days::default(), |days, name| days.with(name)).unwrap();
        Window { days, from, to, rates: Rates { upload: Some(upload), download: None } }
    }

    #[test]
    fn a_window_holds_from_its_first_second_to_its_last() {
        let working = window(&["mon", "fri"], 8 * 60, 18 * 60 + 30, 5);
        let limits = Limits { usual: Rates { upload: Some(99), download: Some(1) }, windows: vec![working] };
        for day in [0, 4] {
            assert_eq!(at(&limits, day, 7, 59, 59), Some(99));
            assert_eq!(at(&limits, day, 8, 0, 0), Some(5));
            assert_eq!(at(&limits, day, 18, 29, 59), Some(5));
            assert_eq!(at(&limits, day, 18, 30, 0), Some(99));
        }
        for day in [1, 2, 3, 5, 6] {
            assert_eq!(at(&limits, day, 12, 0, 0), Some(99));
        }
        assert_eq!(limits.at(MONDAY + 12 * 3600).download, None, "a window is all that holds");
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
        let limits = Limits { windows: vec![window(&["sun"], 22 * 60, 6 * 60, 5)], ..Limits::default() };
        assert_eq!(at(&limits, 6, 21, 59, 59), None);
        assert_eq!(at(&limits, 6, 22, 0, 0), Some(5));
        assert_eq!(at(&limits, 7, 5, 59, 59), Some(5), "Monday");
        assert_eq!(at(&limits, 7, 6, 0, 0), None);
        assert_eq!(at(&limits, 0, 22, 0, 0), None, "begins on Sundays only");
        assert_eq!(at(&limits, 6, 5, 0, 0), None, "did not begin on Saturday");
    }

    #[test]
    fn the_first_that_holds_holds_and_a_day_can_be_whole() {
        let (first, second) = (window(&["tue"], 600, 660, 1), window(&["tue"], 0, 24 * 60, 2));
        let limits = Limits { windows: vec![first, second], ..Limits::default() };
        assert_eq!(at(&limits, 1, 10, 30, 0), Some(1));
        assert_eq!(at(&limits, 1, 11, 0, 0), Some(2));
        assert_eq!(at(&limits, 1, 23, 59, 59), Some(2));
        assert_eq!(at(&limits, 2, 0, 0, 0), None);
        assert_eq!(Limits::default().at(0), Rates::default());
        assert_eq!(Days::default().with("Mon"), None);
        assert_eq!(Days::NAMES.iter().try_fold(Days::default(), |days, name| days.with(name)), Some(Days::ALL));
    }

    #[test]
    fn the_first_day_of_the_epoch_was_a_thursday() {
        let limits = Limits { windows: vec![window(&["thu"], 0, 1, 7)], ..Limits::default() };
        assert_eq!(limits.at(0).upload, Some(7));
        assert_eq!(limits.at(59).upload, Some(7));
        assert_eq!(limits.at(60).upload, None);
    }
}
