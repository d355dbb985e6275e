//! How an area is doing, and what of it is news.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::array::Array;
use super::probe::Failure;
use crate::notice::NoticeKind;

/// How an area is doing, as far as is known.
#[derive(Debug)]
pub(super) struct Condition {
    hangs_after: Duration,
    /// When the attempt under way began.
    began: Option<Instant>,
    /// What the last one that came to an end came to.
    latest: Option<Failure>,
    arrays: Vec<Array>,
    pub(super) free: Option<u64>,
    /// What was told of the area, and of its arrays.
    told: Option<String>,
    told_faults: BTreeSet<String>,
}

/// What is to be told, and what of.
pub(super) type News = (NoticeKind, String);

impl Condition {
    pub(super) fn new(hangs_after: Duration) -> Self {
        Self {
            hangs_after,
            began: None,
            latest: None,
            arrays: Vec::new(),
            free: None,
            told: None,
            told_faults: BTreeSet::new(),
        }
    }

    /// An attempt begins.
    pub(super) fn begin(&mut self, now: Instant) {
        self.began = Some(now);
    }

    /// The arrays were looked at. That none are found any more makes none of them whole.
    pub(super) fn saw(&mut self, arrays: Vec<Array>) {
        if !arrays.is_empty() {
            self.arrays = arrays;
        }
    }

    /// An attempt has come to its end.
    pub(super) fn end(&mut self, failure: Option<Failure>) {
        (self.began, self.latest) = (None, failure);
    }

    /// Why it cannot be used.
    pub(super) fn failure(&self, now: Instant) -> Option<Failure> {
        let took = self.began.map(|began| now.saturating_duration_since(began));
        if took.is_some_and(|took| took > self.hangs_after) {
            let text = format!("no answer within {} s", self.hangs_after.as_secs());
            return Some(Failure { text, is_full: false });
        }
        self.latest.clone()
    }

    /// What is wrong with it.
    pub(super) fn problems(&self, now: Instant) -> Vec<String> {
        let failure = self.failure(now).map(|failure| format!("it cannot be used: {}", failure.text));
        failure.into_iter().chain(self.arrays.iter().filter_map(Array::problem)).collect()
    }

    /// What has not been told yet. From now on it has.
    pub(super) fn news(&mut self, now: Instant) -> Vec<News> {
        let mut news = Vec::new();
        let failure = self.failure(now).map(|failure| failure.text);
        if failure != self.told {
            news.push(match &failure {
                Some(text) => (NoticeKind::AreaFailed, format!("it cannot be used: {text}")),
                None => (NoticeKind::AreaRecovered, "it can be used again".to_owned()),
            });
            self.told = failure;
        }
        let faults: BTreeSet<String> = self.arrays.iter().filter_map(Array::fault).collect();
        news.extend(faults.difference(&self.told_faults).map(|fault| (NoticeKind::AreaDegraded, fault.clone())));
        if faults.is_empty() && !self.told_faults.is_empty() {
            let names: Vec<&str> = self.arrays.iter().map(|array| array.name.as_str()).collect();
            news.push((NoticeKind::AreaRecovered, format!("{} is whole again", names.join(", "))));
        }
        self.told_faults = faults;
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);
    const TICK: Duration = Duration::from_millis(1);

    fn failed(text: &str) -> Failure {
        Failure { text: text.to_owned(), is_full: false }
    }

    fn array(missing: u64, done: Option<u64>) -> Array {
        let action = if done.is_some() { "recover" } else { "idle" }.to_owned();
        Array { name: "md0".to_owned(), state: "active".to_owned(), disks: 6, missing, action, done }
    }

    fn news(all: &[(NoticeKind, &str)]) -> Vec<News> {
        all.iter().map(|(kind, text)| (*kind, (*text).to_owned())).collect()
    }

    #[test]
    fn a_failure_is_told_once_and_so_is_its_end() {
        let (mut condition, now) = (Condition::new(LIMIT), Instant::now());
        condition.begin(now);
        condition.end(None);
        assert_eq!((condition.news(now), condition.problems(now)), (vec![], vec![]));
        for _ in 0..2 {
            condition.begin(now);
            condition.end(Some(failed("EIO")));
        }
        assert_eq!(condition.news(now), news(&[(NoticeKind::AreaFailed, "it cannot be used: EIO")]));
        assert_eq!(
            (condition.news(now), condition.problems(now).as_slice()),
            (vec![], &["it cannot be used: EIO".into()][..])
        );
        condition.end(Some(failed("EROFS")));
        assert_eq!(condition.news(now), news(&[(NoticeKind::AreaFailed, "it cannot be used: EROFS")]));
        condition.begin(now);
        assert_eq!(condition.failure(now), Some(failed("EROFS")), "until the next attempt has gone well");
        condition.end(None);
        assert_eq!(condition.news(now), news(&[(NoticeKind::AreaRecovered, "it can be used again")]));
        assert_eq!((condition.news(now), condition.problems(now)), (vec![], vec![]));
    }

    #[test]
    fn a_call_that_hangs_is_a_failure_as_well() {
        let (mut condition, now) = (Condition::new(LIMIT), Instant::now());
        condition.begin(now);
        assert_eq!(condition.news(now + LIMIT), vec![]);
        let told = news(&[(NoticeKind::AreaFailed, "it cannot be used: no answer within 30 s")]);
        assert_eq!(condition.news(now + LIMIT + TICK), told);
        assert_eq!(condition.news(now + LIMIT * 9), vec![]);
        condition.end(None);
        assert_eq!(condition.news(now + LIMIT * 9), news(&[(NoticeKind::AreaRecovered, "it can be used again")]));
    }

    #[test]
    fn each_disk_that_an_array_loses_is_told_and_when_it_is_whole_again() {
        let (mut condition, now) = (Condition::new(LIMIT), Instant::now());
        let mut sees = |missing, done| {
            condition.saw(vec![array(missing, done)]);
            (condition.news(now), condition.problems(now).concat())
        };
        assert_eq!(sees(0, None), (vec![], String::new()));
        let one = "md0: 1 of 6 disks missing";
        let two = "md0: 2 of 6 disks missing";
        assert_eq!(sees(1, None), (news(&[(NoticeKind::AreaDegraded, one)]), one.to_owned()));
        assert_eq!(sees(2, None), (news(&[(NoticeKind::AreaDegraded, two)]), two.to_owned()));
        let rebuilt = format!("{two}, a disk is being rebuilt (50 % done)");
        assert_eq!(sees(2, Some(50)), (vec![], rebuilt), "progress is no news");
        assert_eq!(sees(1, None).0, news(&[(NoticeKind::AreaDegraded, one)]));
        assert_eq!(sees(0, None), (news(&[(NoticeKind::AreaRecovered, "md0 is whole again")]), String::new()));
        assert_eq!(sees(1, None).0.len(), 1);
        condition.saw(Vec::new());
        assert_eq!(
            (condition.news(now), condition.problems(now)),
            (vec![], vec![one.to_owned()]),
            "it is out of sight"
        );
    }
}
