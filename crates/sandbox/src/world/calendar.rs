//! Moments of registration and change for invented records.

use jiff::{
    ToSpan,
    civil::{DateTime, Time, date},
};

/// A moment that depends on nothing but `number`, between 2001 and 2020.
pub(super) fn day(number: usize) -> DateTime {
    let minutes = i64::try_from(number % 6_500).unwrap_or_default() * (24 * 60 + 7);
    let first = date(2001, 3, 5).at(9, 12, 44, 0);
    first.checked_add(minutes.minutes()).unwrap_or(first)
}

/// A moment of change for the record that was registered on [`day`] `number`, in the five years after that. Of every
/// third record only the day is known, as of old ones.
pub(super) fn last_change(number: usize) -> DateTime {
    let minutes = i64::try_from(number * 7_919 % 1_800).unwrap_or_default() * (24 * 60) + 24 * 60 + 31;
    let moment = day(number).checked_add(minutes.minutes()).unwrap_or(day(number));
    if number.is_multiple_of(3) { moment.date().to_datetime(Time::midnight()) } else { moment }
}

/// The offset of ARIN's local time from UTC, near enough for invented records.
pub(crate) fn offset(at: DateTime) -> &'static str {
    if (4..=10).contains(&at.month()) { "-04:00" } else { "-05:00" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_of_the_changes_is_known_to_the_day_and_none_is_before_the_registration() {
        let changes: Vec<(DateTime, DateTime)> = (0..3_000).map(|number| (day(number), last_change(number))).collect();
        assert!(changes.iter().all(|(registered, changed)| registered < changed && changed.year() < 2026));
        assert_eq!(changes.iter().filter(|(_, changed)| changed.time() == Time::midnight()).count(), 1_000);
    }
}
