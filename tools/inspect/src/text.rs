//! Times, tables and lists for people.

/// A time in UTC from milliseconds since 1970.
pub(crate) fn utc(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Milliseconds since 1970 from a date, or a date and a time, in UTC.
pub(crate) fn parse_utc(text: &str) -> Result<u64, String> {
    let wrong = || "a time is written 2026-11-20 or 2026-11-20T14:00:00Z".to_owned();
    let number = |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<u64>().ok());
    let parts = (number(0, 4), number(5, 7), number(8, 10));
    let (Some(year), Some(month), Some(day)) = parts else { return Err(wrong()) };
    let clock = match text.len() {
        10 => Some((0, 0, 0)),
        19 | 20 => number(11, 13).zip(number(14, 16)).zip(number(17, 19)).map(|((h, m), s)| (h, m, s)),
        _ => None,
    };
    let (hour, minute, second) = clock.ok_or_else(wrong)?;
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
        return Err(wrong());
    }
    // Days before the first of that month, counted by the calendar that is there already.
    let guess = (year - 1970) * 365 + (month - 1) * 28;
    let first = (guess..guess + 3000).find(|&days| date(days) == (year, month, 1)).ok_or_else(wrong)?;
    let days = first + day.checked_sub(1).ok_or_else(wrong)?;
    let time = ((days * 24 + hour) * 60 + minute) * 60 + second;
    let seconds = utc(time * 1000);
    let is_right = seconds.starts_with(text.trim_end_matches('Z')) && (text.len() != 20 || text.ends_with('Z'));
    if is_right { Ok(time * 1000) } else { Err(wrong()) }
}

/// Year, month and day of a day since 1970, in the Gregorian calendar.
pub(crate) fn date(days: u64) -> (u64, u64, u64) {
    // Eras of 400 years are all alike; each is counted from a first of March, so that a leap day is a year's last.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// One thing or several.
pub(crate) fn count(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// Rows below their heads; columns named in `right` are numbers.
pub(crate) fn table<const N: usize>(heads: [&str; N], right: &[&str], rows: &[[String; N]]) -> String {
    let width = |column: usize, head: &str| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([head.chars().count()]).max().unwrap_or(0)
    };
    let columns: Vec<(usize, bool)> =
        heads.iter().enumerate().map(|(column, head)| (width(column, head), right.contains(head))).collect();
    let mut text = String::new();
    let mut line = |cells: &[String; N]| {
        let mut row = String::new();
        for (cell, &(width, is_right)) in cells.iter().zip(&columns) {
            let gap = if row.is_empty() { "" } else { "  " };
            row += &if is_right { format!("{gap}{cell:>width$}") } else { format!("{gap}{cell:<width$}") };
        }
        text.push_str(row.trim_end());
        text.push('\n');
    };
    line(&heads.map(str::to_owned));
    rows.iter().for_each(line);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_calendar() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_827_696_000), "2000-02-29T12:34:56Z");
        assert_eq!(utc(1_795_132_800_999), "2026-11-20T00:00:00Z");
        assert_eq!(utc(4_107_542_399_000), "2100-02-28T23:59:59Z");
        assert_eq!(utc(4_107_542_400_000), "2100-03-01T00:00:00Z");
        for time in ["1970-01-01T00:00:00Z", "2000-02-29T12:34:56Z", "2026-11-20T23:59:59Z", "9999-12-31T00:00:00Z"] {
            assert_eq!(utc(parse_utc(time).unwrap()), time);
        }
        assert_eq!(parse_utc("2026-11-20"), Ok(1_795_132_800_000));
        for wrong in
            ["", "2026", "2026-02-30", "2026-00-10", "2026-11-20T25:00:00Z", "2026-11-20T10:00:00+", "1969-01-01"]
        {
            assert!(parse_utc(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_stand_on_the_right() {
        let rows = [["a".to_owned(), "1".to_owned()], ["bcd".to_owned(), "20000".to_owned()]];
        assert_eq!(table(["NAME", "SIZE"], &["SIZE"], &rows), "NAME   SIZE\na         1\nbcd   20000\n");
    }
}
