//! Findings for people: where they are known from, a table, and the counts.

use comfy_table::{Cell, Color, ContentArrangement, Table, presets::NOTHING};
use jiff::Timestamp;

use super::list::List;
use crate::{
    cli::output,
    findings::{
        Kind, Known, Level, Sources,
        order::{counts, is_overdue},
    },
    netbox::{FindingRow, findings::RESOLVED},
    requests::draft::is_settled_by_request,
};

/// The reasons for incomplete looks that are told of a config; one is often that of all the others.
const REASONS_TOLD: usize = 3;

/// Describes the findings.
pub(super) fn list(list: &List) -> String {
    if list.rows.is_empty() {
        return format!("{}\n\n{}", heading(list), counted(list));
    }
    let lines = [Some(counted(list)), offered(list)].into_iter().flatten().collect::<Vec<_>>().join("\n");
    format!("{}\n\n{}\n{lines}", heading(list), table(list))
}

/// Says how to ask for what settles a finding, if there is one that a change at the registry may settle.
fn offered(list: &List) -> Option<String> {
    let is_settled = |row: &&FindingRow| Kind::from_name(&row.kind).is_some_and(is_settled_by_request);
    list.rows.iter().filter(|row| counts(row)).find(is_settled)?;
    let how = "`rir-sidecar requests prepare --finding ID --config-name NAME --user NAME` drafts what settles one at ARIN; \
               docs/requests.md tells how it goes on.";
    Some(wrapped(&[how.to_owned()]))
}

/// Says where it is known from what is registered, and whether it is known who the customers are.
pub(super) fn heading(list: &List) -> String {
    let of = |(config, name): (_, &String)| match list.sources.get(config) {
        Some(sources) => known(name, sources),
        None => vec![format!("{name}: nothing is known yet of what is registered: it has to be synced first.")],
    };
    let mut sentences: Vec<String> = list.configs.iter().flat_map(of).collect();
    match &list.own {
        None => sentences.push(
            "Nothing is said of assigned prefixes: findings.own_tenants is not set, so that nobody knows which tenants are \
             customers. Set it to the slugs of your own tenants, or to [] if no tenant is your own."
                .to_owned(),
        ),
        Some(own) if own.is_empty() => sentences.push("No tenant is your own: every tenant is a customer.".to_owned()),
        Some(own) => {
            let own: Vec<&str> = own.iter().map(String::as_str).collect();
            sentences.push(format!("Your own tenants: {}.", own.join(", ")));
        }
    }
    wrapped(&sentences)
}

/// Says where it is known from what is registered for a config.
fn known(name: &str, sources: &Sources) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Known { aggregates, as_of: Some(at) } = sources.listing {
        let aggregates = number(aggregates, "aggregate");
        sentences.push(format!("{name}: {aggregates} known from ARIN's public listing as of {}.", minute(at)));
    }
    if let Known { aggregates, as_of: Some(at) } = sources.questions {
        let known = number(aggregates, "aggregate");
        sentences.push(format!(
            "{name}: {known} known by questions only, as of {}: nets without a prefix are not known there.",
            minute(at)
        ));
    }
    if sources.incomplete > 0 {
        let reasons: Vec<&str> = sources.reasons.iter().take(REASONS_TOLD).map(String::as_str).collect();
        let because = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) };
        let aggregates = number(sources.incomplete, "aggregate");
        sentences.push(format!("{name}: {aggregates} not known, as the last look was not complete{because}."));
    }
    if sources.unanswered > 0 {
        let prefixes = number(sources.unanswered, "prefix");
        sentences.push(format!("{name}: {prefixes} not known, as the question about each was not answered."));
    }
    sentences
}

fn table(list: &List) -> String {
    let header = ["id", "level", "due", "finding", "what is the matter"];
    let rows = list.rows.iter().map(|row| cells(row, list)).collect();
    output::table(&header, rows, header.len())
}

fn cells(row: &FindingRow, list: &List) -> Vec<Cell> {
    let several = list.configs.len() > 1;
    let config = row.config.and_then(|config| list.configs.get(&config)).filter(|_| several);
    let lines = |lines: [Option<&str>; 3]| lines.into_iter().flatten().collect::<Vec<_>>().join("\n");
    let note = Some(row.note.trim()).filter(|note| !note.is_empty()).map(|note| format!("Note: {note}"));
    let level = Cell::new(lines([Some(&row.level), standing(row), None]));
    let due = Cell::new(row.due.map(|due| due.to_string()).unwrap_or_default());
    vec![
        Cell::new(row.id),
        match color(row) {
            Some(color) => level.fg(color),
            None => level,
        },
        if is_overdue(row, list.today) { due.fg(Color::Red) } else { due },
        Cell::new(lines([Some(&row.kind), Some(&row.subject), config.map(String::as_str)])),
        Cell::new(lines([Some(&row.message), note.as_deref(), None])),
    ]
}

/// Says what a finding is besides open, if it is.
fn standing(row: &FindingRow) -> Option<&'static str> {
    match (row.state == RESOLVED, row.ignore) {
        (true, _) => Some("resolved"),
        (false, true) => Some("ignored"),
        (false, false) => None,
    }
}

/// Returns the colour of a level, for a finding that counts.
fn color(row: &FindingRow) -> Option<Color> {
    match Level::from_name(&row.level).filter(|_| counts(row))? {
        Level::Alert => Some(Color::Red),
        Level::Notice => Some(Color::Yellow),
        Level::Info => Some(Color::Blue),
    }
}

/// Says how many there are of each level, how many are overdue, and how many are not shown.
fn counted(list: &List) -> String {
    let counting: Vec<&FindingRow> = list.rows.iter().filter(|row| counts(row)).collect();
    let of = |level: Level| counting.iter().filter(|row| row.level == level.name()).count();
    let levels = Level::ALL.into_iter().map(|level| (of(level), level)).filter(|(count, _)| *count > 0);
    let mut parts: Vec<String> = levels.map(|(count, level)| number(count, level.name())).collect();
    let overdue = counting.iter().filter(|row| is_overdue(row, list.today)).count();
    let others = list.rows.len() - counting.len();
    if others > 0 {
        parts.push(format!("{others} resolved or ignored"));
    }
    let mut text = if parts.is_empty() { "Nothing was found.".to_owned() } else { format!("{}.", parts.join(", ")) };
    match overdue {
        0 => {}
        1 => text.push_str(" 1 is overdue."),
        _ => text.push_str(&format!(" {overdue} are overdue.")),
    }
    if list.ignored > 0 {
        text.push_str(&format!(" Ignored and not shown: {} (--all shows them).", list.ignored));
    }
    wrapped(&[text])
}

fn number(count: usize, what: &str) -> String {
    let ending = match (count, what.ends_with('x')) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{count} {what}{ending}")
}

/// Returns a time to the minute: nobody needs it more precisely.
fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Wraps each sentence between words.
fn wrapped(sentences: &[String]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.add_rows(sentences.iter().map(|sentence| [sentence]));
    table.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::{cli::findings::list::row, model::RowId};

    fn of(rows: Vec<FindingRow>) -> List {
        let at = |at: &str| Some(at.parse().unwrap());
        let sources = Sources {
            listing: Known { aggregates: 5, as_of: at("2026-11-27T05:00:09Z") },
            questions: Known { aggregates: 1, as_of: at("2026-11-26T05:00:09Z") },
            ..Sources::default()
        };
        List {
            configs: BTreeMap::from([(RowId(1), "ours".to_owned())]),
            sources: BTreeMap::from([(RowId(1), sources)]),
            rows,
            ignored: 0,
            own: Some(BTreeSet::from(["example-networks".to_owned()])),
            today: "2026-11-27".parse().unwrap(),
        }
    }

    #[test]
    fn people_see_the_sources_a_table_and_the_counts() {
        let late = row(1);
        let soon = FindingRow {
            kind: "unregistered".into(),
            level: "notice".into(),
            subject: "2600:4000:100::/44".to_owned(),
            due: Some("2026-11-27".parse().unwrap()),
            note: "Asked for by phone.\n".to_owned(),
            ..row(2)
        };
        let ignored = FindingRow { due: None, ignore: true, ..soon.clone() };
        let resolved = FindingRow { state: RESOLVED.into(), ..row(4) };
        let all = List { ignored: 2, ..of(vec![late, soon, ignored, resolved]) };
        insta::assert_snapshot!(list(&all), @r"
        ours: 5 aggregates known from ARIN's public listing as of 2026-11-27 05:00 UTC.
        ours: 1 aggregate known by questions only, as of 2026-11-26 05:00 UTC: nets without a prefix are not known there.
        Your own tenants: example-networks.

        ┌────┬──────────┬────────────┬────────────────────┬───────────────────────────────────────────────────────┐
        │ id ┆ level    ┆ due        ┆ finding            ┆ what is the matter                                    │
        ╞════╪══════════╪════════════╪════════════════════╪═══════════════════════════════════════════════════════╡
        │ 1  ┆ alert    ┆ 2026-11-08 ┆ overdue            ┆ It is assigned to Sample Bakery since 2026-11-01, and │
        │    ┆          ┆            ┆ 23.144.14.0/28     ┆ not registered.                                       │
        │ 2  ┆ notice   ┆ 2026-11-27 ┆ unregistered       ┆ It is assigned to Sample Bakery since 2026-11-01, and │
        │    ┆          ┆            ┆ 2600:4000:100::/44 ┆ not registered.                                       │
        │    ┆          ┆            ┆                    ┆ Note: Asked for by phone.                             │
        │ 2  ┆ notice   ┆            ┆ unregistered       ┆ It is assigned to Sample Bakery since 2026-11-01, and │
        │    ┆ ignored  ┆            ┆ 2600:4000:100::/44 ┆ not registered.                                       │
        │    ┆          ┆            ┆                    ┆ Note: Asked for by phone.                             │
        │ 4  ┆ alert    ┆ 2026-11-08 ┆ overdue            ┆ It is assigned to Sample Bakery since 2026-11-01, and │
        │    ┆ resolved ┆            ┆ 23.144.14.0/28     ┆ not registered.                                       │
        └────┴──────────┴────────────┴────────────────────┴───────────────────────────────────────────────────────┘
        1 alert, 1 notice, 2 resolved or ignored. 1 is overdue. Ignored and not shown: 2 (--all shows them).
        `rir-sidecar requests prepare --finding ID --config-name NAME --user NAME` drafts what settles one at ARIN; docs/requests.md tells how it goes on.
        ");
    }

    #[test]
    fn nothing_found_says_what_was_looked_at() {
        insta::assert_snapshot!(list(&of(Vec::new())), @r"
        ours: 5 aggregates known from ARIN's public listing as of 2026-11-27 05:00 UTC.
        ours: 1 aggregate known by questions only, as of 2026-11-26 05:00 UTC: nets without a prefix are not known there.
        Your own tenants: example-networks.

        Nothing was found.
        ");
    }

    #[test]
    fn what_is_not_known_is_said() {
        let sources = Sources {
            incomplete: 2,
            reasons: BTreeSet::from(["ARIN cannot be reached".to_owned()]),
            unanswered: 3,
            ..Sources::default()
        };
        let configs = [(RowId(1), "ours".to_owned()), (RowId(2), "new".to_owned())];
        let sources = BTreeMap::from([(RowId(1), sources)]);
        let list = List { configs: configs.into(), sources, own: None, ..of(Vec::new()) };
        insta::assert_snapshot!(heading(&list), @r"
        ours: 2 aggregates not known, as the last look was not complete (ARIN cannot be reached).
        ours: 3 prefixes not known, as the question about each was not answered.
        new: nothing is known yet of what is registered: it has to be synced first.
        Nothing is said of assigned prefixes: findings.own_tenants is not set, so that nobody knows which tenants are customers. Set it to the slugs of your own tenants, or to [] if no tenant is your own.
        ");
    }

    #[test]
    fn the_config_is_named_where_there_are_several() {
        let configs = [(RowId(1), "ours".to_owned()), (RowId(2), "test".to_owned())];
        let several = List { configs: configs.into(), ..of(vec![row(1)]) };
        assert!(table(&several).contains("┆ ours "), "{}", table(&several));
        assert!(!table(&of(vec![row(1)])).contains("ours"));
    }

    #[test]
    fn a_request_is_offered_only_where_one_can_settle_something() {
        let kinds =
            |kinds: [&'static str; 2]| of(kinds.map(|kind| FindingRow { kind: kind.into(), ..row(1) }).to_vec());
        assert!(offered(&kinds(["not-known", "stale"])).is_some());
        assert_eq!(offered(&kinds(["not-known", "of-tomorrow"])), None);
        assert_eq!(offered(&of(vec![FindingRow { ignore: true, ..row(1) }])), None);
    }

    #[test]
    fn only_what_counts_is_coloured() {
        assert_eq!(color(&row(1)), Some(Color::Red));
        assert_eq!(color(&FindingRow { ignore: true, ..row(1) }), None);
        assert_eq!(color(&FindingRow { level: "later".into(), ..row(1) }), None);
    }
}
