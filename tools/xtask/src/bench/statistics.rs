//! Medians: one slow repetition on a shared machine does not move them.

/// What is left of some repetitions.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Summary {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) count: usize,
}

/// `None` where nothing was measured.
pub(super) fn summary(values: &[f64]) -> Option<Summary> {
    let sorted = sorted(values);
    let (min, max) = (*sorted.first()?, *sorted.last()?);
    let count = sorted.len();
    let upper = *sorted.get(count / 2)?;
    let lower = *sorted.get((count - 1) / 2)?;
    Some(Summary { median: f64::midpoint(lower, upper), min, max, count })
}

/// The smallest value that at least `percent` of 100 do not exceed.
pub(super) fn percentile(values: &[f64], percent: usize) -> Option<f64> {
    let sorted = sorted(values);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// Of medians; `None` where there is nothing to divide by.
pub(super) fn ratio(of: &[f64], to: &[f64]) -> Option<f64> {
    let (of, to) = (summary(of)?.median, summary(to)?.median);
    (to > 0.0).then_some(of / to)
}

/// Three digits that matter.
pub(super) fn written(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 || value == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// Nearest, for numbers beyond 2^53.
pub(super) fn float(number: u64) -> f64 {
    let half = |bits: u64| f64::from(u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(u32::MAX));
    half(number >> 32) * 4_294_967_296.0 + half(number)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_or_between_the_two() {
        let odd = summary(&[9.0, 1.0, 5.0]).unwrap();
        assert_eq!(odd, Summary { median: 5.0, min: 1.0, max: 9.0, count: 3 });
        assert_eq!(summary(&[4.0, 1.0, 2.0, 100.0]).unwrap().median, 3.0);
        assert_eq!(summary(&[7.0]).unwrap().median, 7.0);
        assert_eq!(summary(&[]), None);
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!([50, 99, 100, 0].map(|percent| percentile(&values, percent)), [100.0, 198.0, 200.0, 1.0].map(Some));
        assert_eq!(percentile(&[3.0], 99), Some(3.0));
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn a_ratio_is_one_of_medians_and_not_of_means() {
        assert_eq!(ratio(&[2.0, 4.0, 90.0], &[1.0, 2.0, 3.0]), Some(2.0));
        assert_eq!(ratio(&[1.0], &[0.0]), None);
        assert_eq!(ratio(&[], &[1.0]), None);
    }

    #[test]
    fn three_digits_are_written() {
        let texts = [1234.5, 99.95, 12.34, 1.234, 0.1234, 0.0].map(written);
        assert_eq!(texts, ["1234", "100.0", "12.3", "1.23", "0.123", "0.00"]);
        assert_eq!(float(1 << 40), 1_099_511_627_776.0);
        assert_eq!(float(3), 3.0);
    }
}
