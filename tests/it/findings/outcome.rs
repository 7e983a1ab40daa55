//! What is on record, beside what was to be found.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use rir_sidecar::netbox::schema;
use serde_json::Value;

use super::plot::Expected;
use crate::scene::{Row, Scene, custom};

/// The findings on record by kind and subject.
pub(crate) type Found = BTreeMap<(String, String), Row>;

/// The findings in a state.
pub(crate) async fn in_state(scene: &Scene, state: &str) -> Found {
    let rows = all(scene).await.into_iter().filter(|row| choice(row, "state") == state);
    let mut found = Found::new();
    for row in rows {
        let subject = row["subject"].as_str().unwrap().to_owned();
        let twice = found.insert((choice(&row, "kind").to_owned(), subject), row);
        assert_eq!(twice, None, "two findings of one kind and subject");
    }
    found
}

/// All rows, in the order they were made.
pub(crate) async fn all(scene: &Scene) -> Vec<Row> {
    scene.list(&custom(schema::FINDING), "limit=1000&ordering=id").await
}

/// The code of a choice.
pub(crate) fn choice<'a>(row: &'a Row, field: &str) -> &'a str {
    row[field]["value"].as_str().unwrap()
}

/// Tells each difference between what was found and what was to be found, a line each.
pub(crate) fn differences(found: &Found, expected: &BTreeMap<(String, String), Expected>, now: Timestamp) -> String {
    let mut lines = Vec::new();
    for ((kind, subject), expected) in expected {
        match found.get(&(kind.clone(), subject.clone())) {
            None => lines.push(format!("missing: {kind} {subject} ({})", expected.why)),
            Some(row) => lines.extend(wrong(row, expected, now).map(|what| format!("{kind} {subject}: {what}"))),
        }
    }
    let more = found.iter().filter(|(key, _)| !expected.contains_key(key));
    lines.extend(more.map(|((kind, subject), row)| format!("too many: {kind} {subject}: {}", row["message"])));
    lines.join("\n")
}

/// Tells what of a finding is not as it was to be.
fn wrong(row: &Row, expected: &Expected, now: Timestamp) -> Option<String> {
    let (level, due) = (choice(row, "level"), row["due"].as_str());
    let wanted = expected.due.as_deref().map(|text| due_date(text, row, now));
    let at_least = row["since_at_least"] == Value::Bool(true);
    if expected.level.as_ref().is_some_and(|wanted| wanted != level) {
        return Some(format!("it is {level}: {}", row["message"]));
    }
    if wanted.as_ref().is_some_and(|wanted| wanted.map(|date| date.to_string()).as_deref() != due) {
        return Some(format!("it is due on {due:?} and not on {wanted:?}: {}", row["message"]));
    }
    (expected.at_least && !at_least).then(|| "it is not so at least since then".to_owned())
}

/// The day that a word stands for: so many days from now, or seven after it was first seen.
fn due_date(text: &str, row: &Row, now: Timestamp) -> Option<Date> {
    let day = |at: Timestamp, days: i64| (at + SignedDuration::from_hours(24 * days)).to_zoned(TimeZone::UTC).date();
    match text {
        "none" => None,
        "first-seen" => Some(day(row["since"].as_str().unwrap().parse().unwrap(), 7)),
        days => Some(day(now, days.parse().unwrap())),
    }
}
