//! The order in which people read recorded findings, and which of these are overdue.

use ipnet::IpNet;
use jiff::civil::Date;

use super::kind::{Kind, Level};
use crate::netbox::{FindingRow, findings::OPEN};

/// The place of what has no due date, behind all that have one.
const NEVER: &str = "9999-99-99";

/// The place of a finding among others, as text that sorts as people read: by level, the earliest due date, kind and
/// subject. No two findings have the same one. It goes into a URL as it is.
#[must_use]
pub fn place(row: &FindingRow) -> String {
    let level = Level::ALL.iter().position(|level| level.name() == row.level).unwrap_or(Level::ALL.len());
    let kind = Kind::ALL.iter().position(|kind| kind.name() == row.kind).unwrap_or(Kind::ALL.len());
    let due = row.due.map_or_else(|| NEVER.to_owned(), |due| due.to_string());
    format!("{level}.{due}.{kind:02}.{}.{}", subject_order(&row.subject), row.id)
}

/// Puts findings into the order in which people read them.
pub fn sort(rows: &mut [FindingRow]) {
    rows.sort_by_cached_key(place);
}

/// Returns whether it counts: it holds, and the operator has not said to ignore it.
#[must_use]
pub fn counts(row: &FindingRow) -> bool {
    row.state == OPEN && !row.ignore
}

/// Returns whether it counts, and the last day to put it right in time has passed.
#[must_use]
pub fn is_overdue(row: &FindingRow, today: Date) -> bool {
    counts(row) && row.due.is_some_and(|due| due < today)
}

/// Returns text by which ranges sort as addresses do, and everything else as text behind them.
#[must_use]
pub fn subject_order(text: &str) -> String {
    match text.parse() {
        Ok(IpNet::V4(net)) => format!("4{:08x}{:02}", net.addr().to_bits(), net.prefix_len()),
        Ok(IpNet::V6(net)) => format!("6{:032x}{:03}", net.addr().to_bits(), net.prefix_len()),
        Err(_) => format!("x{}", crate::hex::encode(text.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Key, RowId};

    fn row(id: u64, words: &str) -> FindingRow {
        let mut words = words.split(' ');
        let mut next = || words.next().unwrap().to_owned();
        FindingRow {
            id: RowId(id),
            key: Key::recorded(id.to_string()),
            level: next().into(),
            kind: next().into(),
            subject: next(),
            due: next().parse().ok(),
            state: OPEN.into(),
            message: String::new(),
            since: None,
            since_at_least: false,
            config: None,
            ignore: false,
            note: String::new(),
            links: Default::default(),
        }
    }

    fn ids(mut rows: Vec<FindingRow>) -> Vec<u64> {
        sort(&mut rows);
        rows.iter().map(|row| row.id.0).collect()
    }

    #[test]
    fn they_are_read_by_level_then_due_date_then_kind_then_subject() {
        let rows = vec![
            row(9, "odd unregistered 10.0.0.0/24 -"),
            row(8, "info not-known 9.0.0.0/8 -"),
            row(7, "notice stale ORG-1 -"),
            row(6, "notice stale 2600::/48 -"),
            row(5, "notice stale 100.0.0.0/24 -"),
            row(4, "notice stale 23.0.0.0/24 -"),
            row(3, "notice unregistered 23.0.0.0/24 -"),
            row(2, "notice wider 23.0.0.0/24 2026-12-01"),
            row(1, "alert overdue 23.0.1.0/24 2026-11-20"),
            row(0, "alert overdue 23.0.2.0/24 2026-11-02"),
        ];
        assert_eq!(ids(rows), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn a_larger_range_comes_before_those_inside_and_equal_ones_have_places_of_their_own() {
        let rows = ["info stale 23.0.0.0/28 -", "info stale 23.0.0.0/8 -", "info stale 23.0.0.0/8 -"];
        assert_eq!(ids((0..).zip(rows).map(|(id, words)| row(id, words)).collect()), [1, 2, 0]);
    }

    #[test]
    fn it_is_overdue_from_the_day_after_unless_it_is_resolved_or_ignored() {
        let overdue = |row: &FindingRow| is_overdue(row, "2026-11-27".parse().unwrap());
        let late = row(1, "alert overdue 23.0.0.0/24 2026-11-26");
        assert!(overdue(&late));
        assert!(!overdue(&row(1, "notice unregistered 23.0.0.0/24 2026-11-27")), "its last day");
        assert!(!overdue(&row(1, "notice stale 23.0.0.0/24 -")), "nobody waits for it");
        assert!(!overdue(&FindingRow { ignore: true, ..late.clone() }));
        assert!(!overdue(&FindingRow { state: "resolved".into(), ..late }));
    }
}
