//! `[[tier.schedule]]`: times at which a tier may be used faster or slower.

use capstan_tier::{Days, Rates, Window};
use toml::de::DeValue;

use super::keys::{RATE_ALLOWED, rate};
use crate::config::entry::{Entry, Row};
use crate::config::read::Reader;

/// The list of tables, as messages name it.
const LIST: &str = "tier.schedule";

/// The key of a tier in which the list is.
pub(super) const KEY: &str = "schedule";

/// One key of such a table.
struct ScheduleKey {
    /// Its name.
    name: &'static str,
    /// What may be given.
    allowed: &'static str,
    /// What holds where it is left out, as the reference says it.
    default: &'static str,
    /// What it is for.
    doc: &'static str,
    /// Takes a value over; `None` where it is not allowed.
    apply: fn(&mut Draft, &DeValue<'_>) -> Option<()>,
}

/// A window as its keys say it.
struct Draft {
    days: Days,
    from: Option<u16>,
    to: Option<u16>,
    rates: Rates,
}

const KEYS: &[ScheduleKey] = &[
    ScheduleKey {
        name: "days",
        allowed: "a list with at least one of \"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\" and \"sun\"",
        default: "every day",
        doc: "Days on which it begins, in UTC.",
        apply: |draft, value| {
            let list = value.as_array().filter(|list| !list.is_empty())?;
            let named = |days: Days, day: &toml::Spanned<DeValue<'_>>| days.with(day.get_ref().as_str()?);
            draft.days = list.iter().try_fold(Days::default(), named)?;
            Some(())
        },
    },
    ScheduleKey {
        name: "from",
        allowed: "a time from \"00:00\" to \"23:59\"",
        default: "must be given",
        doc: "When it begins, in UTC.",
        apply: |draft, value| {
            draft.from = Some(time(value.as_str()?).filter(|minute| *minute < 24 * 60)?);
            Some(())
        },
    },
    ScheduleKey {
        name: "to",
        allowed: "a time from \"00:00\" to \"24:00\", not the same as from",
        default: "must be given",
        doc: "When it ends, in UTC: on the next day if it is earlier than `from`.",
        apply: |draft, value| {
            draft.to = Some(time(value.as_str()?)?);
            Some(())
        },
    },
    ScheduleKey {
        name: "upload_limit",
        allowed: RATE_ALLOWED,
        default: "the tier's",
        doc: "How fast is shipped meanwhile.",
        apply: |draft, value| {
            draft.rates.upload = rate(value)?;
            Some(())
        },
    },
    ScheduleKey {
        name: "download_limit",
        allowed: RATE_ALLOWED,
        default: "the tier's",
        doc: "How fast is fetched meanwhile.",
        apply: |draft, value| {
            draft.rates.download = rate(value)?;
            Some(())
        },
    },
];

/// The keys as the reference says them.
pub(in crate::config) fn rows() -> impl Iterator<Item = Row> {
    KEYS.iter().map(|key| Row { name: key.name, allowed: key.allowed, default: key.default, doc: key.doc.to_owned() })
}

/// Minutes since midnight of a time like `08:00`.
fn time(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        let two_digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| two_digits)
    };
    let (hour, minute) = (number(hour)?, number(minute).filter(|minute| *minute < 60)?);
    Some(hour * 60 + minute).filter(|minutes| hour <= 24 && *minutes <= 24 * 60)
}

impl Reader<'_> {
    /// The windows of a tier, which has `usual` outside of them.
    pub(super) fn windows(&mut self, tier: &Entry<'_, '_>, usual: Rates) -> Vec<Window> {
        let Some(list) = tier.get(KEY) else { return Vec::new() };
        let entries = self.entries(LIST, "time", list);
        entries.iter().filter_map(|entry| self.window(entry, usual)).collect()
    }

    fn window(&mut self, entry: &Entry<'_, '_>, usual: Rates) -> Option<Window> {
        let mut draft = Draft { days: Days::ALL, from: None, to: None, rates: usual };
        let before = self.mistakes.len();
        for (name, value) in entry.table {
            let at = value.span();
            match KEYS.iter().find(|key| key.name == name.get_ref().as_ref()) {
                None => {
                    let names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
                    self.mistake(&name.span(), format!("{LIST}.{} is no key", name.get_ref()), names.join(", "));
                }
                Some(key) if (key.apply)(&mut draft, value.get_ref()).is_none() => {
                    self.mistake(&at, format!("{LIST}.{} is {}", key.name, self.given(&at)), key.allowed);
                }
                Some(_) => {}
            }
        }
        for name in ["from", "to"].into_iter().filter(|name| entry.get(name).is_none()) {
            self.mistake(&entry.at, format!("{LIST} has no {name}"), format!("{name} = a time, as \"08:00\""));
        }
        if self.mistakes.len() > before {
            return None;
        }
        let Draft { days, from: Some(from), to: Some(to), rates } = draft else { return None };
        if from == to {
            let allowed = "different times; from = \"00:00\" and to = \"24:00\" for all day";
            self.mistake(&entry.span("to"), format!("{LIST}.to is the same as {LIST}.from"), allowed);
            return None;
        }
        Some(Window { days, from, to, rates })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_minutes_since_midnight() {
        for (text, minutes) in [("00:00", 0), ("08:30", 510), ("23:59", 1439), ("24:00", 1440)] {
            assert_eq!(time(text), Some(minutes), "{text}");
        }
        for bad in ["", "8:00", "08:0", "08:60", "24:01", "25:00", "0800", "08:00:00", "+8:00", "08:+1"] {
            assert_eq!(time(bad), None, "{bad}");
        }
    }
}
