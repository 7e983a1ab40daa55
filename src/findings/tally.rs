//! Counts findings: what people are told after a sync, and what metrics say.

use std::{collections::BTreeMap, fmt};

use jiff::{Timestamp, civil::Date};

use super::{
    finding::day,
    kind::{Kind, Level},
    order::counts,
};
use crate::{model::RowId, netbox::FindingRow};

/// The open findings that are not ignored, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// By kind and level.
    pub counts: BTreeMap<(Kind, Level), u64>,
    /// Those whose due date has passed.
    pub overdue: u64,
    /// The days that have passed since the earliest due date, 0 when none has passed.
    pub overdue_days: u64,
}

impl Tally {
    /// Counts rows.
    #[must_use]
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a FindingRow>, now: Timestamp) -> Self {
        let (mut tally, today) = (Self::default(), day(now));
        rows.into_iter().for_each(|row| tally.count(row, today));
        tally
    }

    /// Counts one more row. One of a kind or level that a later version wrote is left out.
    pub fn count(&mut self, row: &FindingRow, today: Date) {
        let kind = Kind::from_name(&row.kind).zip(Level::from_name(&row.level));
        let Some(kind) = kind.filter(|_| counts(row)) else { return };
        *self.counts.entry(kind).or_default() += 1;
        let days = row.due.map_or(0, |due| days_over(due, today));
        self.overdue += u64::from(days > 0);
        self.overdue_days = self.overdue_days.max(days);
    }

    /// Returns how many are of a level.
    #[must_use]
    pub fn level(&self, level: Level) -> u64 {
        self.counts.iter().filter(|((_, of), _)| *of == level).map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |count: u64, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        let of = |level: Level| counted(self.level(level), level.name());
        let (alerts, notices, infos) = (of(Level::Alert), of(Level::Notice), of(Level::Info));
        write!(f, "{alerts}, {notices}, {infos}; {} overdue", self.overdue)
    }
}

/// Returns the name under which processes tell each other how much of a config was judged ([`super::Figures`]).
#[must_use]
pub fn figures_of(config: RowId) -> String {
    format!("findings:{config}")
}

/// Returns how many days have passed since a due date.
fn days_over(due: Date, today: Date) -> u64 {
    u64::try_from(today.duration_since(due).as_hours() / 24).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::Key,
        netbox::findings::{LinkedObjects, OPEN, RESOLVED},
    };

    fn row(kind: Kind, level: Level, due: Option<&str>) -> FindingRow {
        FindingRow {
            id: RowId(1),
            key: Key::recorded("k"),
            subject: String::new(),
            kind: kind.name().into(),
            level: level.name().into(),
            state: OPEN.into(),
            message: String::new(),
            due: due.map(|due| due.parse().unwrap()),
            since: None,
            since_at_least: false,
            config: None,
            ignore: false,
            note: String::new(),
            links: LinkedObjects::default(),
        }
    }

    fn tally(rows: &[FindingRow], now: &str) -> Tally {
        Tally::of(rows, now.parse().unwrap())
    }

    #[test]
    fn open_ones_that_are_not_ignored_are_counted_by_kind_and_level() {
        let overdue = row(Kind::Overdue, Level::Alert, Some("2026-11-20"));
        let rows = [
            overdue.clone(),
            FindingRow { ignore: true, ..overdue.clone() },
            FindingRow { state: RESOLVED.into(), ..overdue.clone() },
            FindingRow { kind: "of-a-later-version".into(), ..overdue },
            row(Kind::Stale, Level::Notice, None),
            row(Kind::Stale, Level::Notice, None),
        ];
        let tally = tally(&rows, "2026-11-27T12:00:00Z");
        assert_eq!(tally.to_string(), "1 alert, 2 notices, 0 infos; 1 overdue");
        assert_eq!(tally.counts[&(Kind::Stale, Level::Notice)], 2);
    }

    #[test]
    fn what_is_due_today_is_overdue_from_midnight_utc_on() {
        let rows = [row(Kind::Unregistered, Level::Notice, Some("2026-11-27")), row(Kind::Stale, Level::Notice, None)];
        let over = |now: &str| {
            let tally = tally(&rows, now);
            (tally.overdue, tally.overdue_days)
        };
        assert_eq!(over("2026-11-27T23:59:59Z"), (0, 0));
        assert_eq!(over("2026-11-28T00:00:00Z"), (1, 1));
        assert_eq!(over("2026-12-07T00:00:00Z"), (1, 10));
    }
}
