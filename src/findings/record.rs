//! Compares a judgement with the findings on record: pure.
//!
//! A finding is told from others by its key. One that is judged for the first time becomes a row. One that is not
//! judged any more is marked as resolved, and one that holds again as open: rows are never removed, so that what the
//! operator said with `ignore` and `note` stays. These two fields are never written. What nothing can be said of now
//! stays as it is, and so does what the judgement did not look at ([`Reach`]).

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    finding::{Finding, Link, Links},
    judge::Judgement,
    registrations::Registrations,
};
use crate::{
    model::{Key, NetBlock, RowId},
    netbox::{
        self, Draft, FindingRow, Patch,
        findings::{LinkedRows, Names, OPEN, RESOLVED},
    },
};

/// The part of the findings that a judgement speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// All of them.
    Whole,
    /// Those about objects at or inside some ranges. Of what lies around them the judgement did not see the rest, and
    /// of an organization or a ticket it saw nothing.
    Inside {
        /// The ranges.
        ranges: Vec<IpNet>,
        /// The handles of the nets at or inside them.
        nets: BTreeSet<String>,
    },
}

impl Reach {
    /// Makes the reach of a judgement that saw what is at and inside these ranges.
    #[must_use]
    pub fn inside(ranges: Vec<IpNet>, registrations: &Registrations) -> Self {
        let inside = |net: IpNet| ranges.iter().any(|range| range.contains(&net));
        let recorded = registrations.nets.iter().map(|net| (&net.handle, &net.blocks));
        let listed = registrations.looks.aggregates.iter().flat_map(|look| &look.listed);
        let all = recorded.chain(listed.map(|net| (&net.handle, &net.blocks)));
        let nets = all.filter(|(_, blocks)| blocks.iter().flat_map(NetBlock::prefixes).all(inside));
        Self::Inside { nets: nets.map(|(handle, _)| handle.to_string()).collect(), ranges }
    }

    /// Returns whether it includes a finding about this subject, a range or a handle.
    fn includes(&self, subject: &str) -> bool {
        match self {
            Self::Whole => true,
            Self::Inside { ranges, nets } => match subject.parse::<IpNet>() {
                Ok(net) => ranges.iter().any(|range| range.contains(&net)),
                Err(_) => nets.contains(subject),
            },
        }
    }
}

/// The findings of one config that a judgement is compared with.
#[derive(Debug, Clone, Copy)]
pub struct OnRecord<'a> {
    /// The config whose findings are compared.
    pub config: RowId,
    /// The rows of all configs.
    pub rows: &'a [FindingRow],
    /// The part that the judgement speaks of.
    pub reach: &'a Reach,
    /// The time of the judgement.
    pub now: Timestamp,
}

/// What has to be written so that the record says what was judged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Findings that are new.
    pub drafts: Vec<Draft>,
    /// Findings that changed, or do not hold any more.
    pub patches: Vec<Patch>,
    /// How many of the patches mark a finding as resolved.
    pub resolved: usize,
}

/// Returns what has to be written. `each` sees the rows of the config as they will be, one after the other: there may be a great
/// many. New ones have no id yet, and 0 for it.
#[must_use]
pub fn record(judgement: &Judgement, on_record: &OnRecord<'_>, mut each: impl FnMut(&FindingRow)) -> Changes {
    let OnRecord { config, rows, reach, now } = *on_record;
    let mut judged: BTreeMap<Key, &Finding> = BTreeMap::new();
    for finding in &judgement.findings {
        // They are in order: of two with one key the more urgent one stands.
        judged.entry(finding.key()).or_insert(finding);
    }
    let mut changes = Changes::default();
    let mut known = BTreeSet::new();
    for row in rows {
        known.insert(&row.key);
        let wanted = match judged.get(&row.key) {
            Some(finding) if finding.config == config && reach.includes(&finding.subject.to_string()) => {
                Some(wanted(finding, Some(row), now))
            }
            None if is_over(row, judgement, on_record) => {
                Some(FindingRow { state: RESOLVED.to_owned(), ..row.clone() })
            }
            // Somebody else's, beyond what this judgement may say, or still as it was.
            Some(_) | None => None,
        };
        if let Some(wanted) = &wanted {
            changes.change(row, wanted);
        }
        let row = wanted.as_ref().unwrap_or(row);
        if row.config == Some(config) {
            each(row);
        }
    }
    for (key, finding) in judged {
        if finding.config == config && !known.contains(&key) && reach.includes(&finding.subject.to_string()) {
            let row = wanted(finding, None, now);
            each(&row);
            changes.drafts.push(Draft { key: key.to_string(), body: body(&row) });
        }
    }
    changes
}

impl Changes {
    fn change(&mut self, row: &FindingRow, wanted: &FindingRow) {
        let before = body(row);
        let changed: netbox::Row =
            body(wanted).into_iter().filter(|(name, value)| before.get(name) != Some(value)).collect();
        if !changed.is_empty() {
            self.resolved += usize::from(wanted.state == RESOLVED);
            self.patches.push(Patch { id: row.id, key: row.key.to_string(), body: changed });
        }
    }
}

/// Returns whether an open finding that was not judged any more does not hold.
fn is_over(row: &FindingRow, judgement: &Judgement, on_record: &OnRecord<'_>) -> bool {
    row.state == OPEN
        && row.config == Some(on_record.config)
        && !judgement.undecided.contains(&row.key)
        && on_record.reach.includes(&row.subject)
}

/// Returns the row that a finding should have.
fn wanted(finding: &Finding, row: Option<&FindingRow>, now: Timestamp) -> FindingRow {
    let seen = row.filter(|row| row.state == OPEN).and_then(|row| Some((row.since?, row.since_at_least)));
    let (since, since_at_least) = match finding.since {
        Some(since) => (since.at, since.at_least),
        None => seen.unwrap_or((now, true)),
    };
    FindingRow {
        id: row.map_or(RowId(0), |row| row.id),
        key: finding.key(),
        subject: finding.subject.to_string(),
        kind: finding.kind.name().to_owned(),
        level: finding.level.name().to_owned(),
        state: OPEN.to_owned(),
        // NetBox cuts off the space around.
        message: finding.message.trim().to_owned(),
        due: finding.due,
        since: Some(since),
        since_at_least,
        config: Some(finding.config),
        ignore: row.is_some_and(|row| row.ignore),
        note: row.map(|row| row.note.clone()).unwrap_or_default(),
        names: names(&finding.links),
        links: linked_rows(&finding.links),
    }
}

fn names(links: &Links) -> Names {
    let name = |link: &Option<Link>| link.as_ref().map(|link| link.name.clone());
    Names {
        prefix: name(&links.prefix),
        aggregate: name(&links.aggregate),
        network: name(&links.network),
        customer: name(&links.customer),
        organization: name(&links.organization),
        request: name(&links.request),
        ticket: name(&links.ticket),
    }
}

fn linked_rows(links: &Links) -> LinkedRows {
    let row = |link: &Option<Link>| link.as_ref().and_then(|link| link.row);
    LinkedRows {
        prefix: row(&links.prefix),
        aggregate: row(&links.aggregate),
        network: row(&links.network),
        customer: row(&links.customer),
        organization: row(&links.organization),
        request: row(&links.request),
        ticket: row(&links.ticket),
    }
}

/// Returns the fields of a row that are ours to write. A time is written, and compared, in whole seconds.
fn body(row: &FindingRow) -> netbox::Row {
    let second = |time: Timestamp| Timestamp::from_second(time.as_second()).unwrap_or(time).to_string();
    let body = json!({
        "key": row.key,
        "subject": row.subject,
        "kind": row.kind,
        "level": row.level,
        "state": row.state,
        "message": row.message,
        "due": row.due.map(|due| due.to_string()),
        "since": row.since.map(second),
        "since_at_least": row.since_at_least,
        "config": row.config,
        "prefix": row.links.prefix,
        "aggregate": row.links.aggregate,
        "network": row.links.network,
        "customer": row.links.customer,
        "organization": row.links.organization,
        "request": row.links.request,
        "ticket": row.links.ticket,
        "names": row.names,
    });
    match body {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => netbox::Row::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Deref;

    use proptest::prelude::*;
    use url::Url;

    use super::*;
    use crate::{
        findings::{
            finding::{Since, Subject},
            kind::{Kind, Level},
            registrations::RecordedNet,
        },
        model::{Instance, NetHandle},
    };

    const CONFIG: RowId = RowId(1);

    fn now() -> Timestamp {
        "2026-11-27T10:20:30.123456789Z".parse().unwrap()
    }

    fn later() -> Timestamp {
        "2026-11-28T00:05:00Z".parse().unwrap()
    }

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn about(kind: Kind, subject: Subject) -> Finding {
        let instance = Instance::of(&Url::parse(Instance::PRODUCTION).unwrap());
        let message = "It is so.".to_owned();
        let (level, config, links) = (Level::Notice, CONFIG, Links::default());
        Finding { kind, level, instance, config, subject, links, message, since: None, due: None }
    }

    fn unregistered(range: &str) -> Finding {
        let due = Some("2026-12-04".parse().unwrap());
        let prefix = Some(Link::to(RowId(7), range));
        let links = Links { prefix, ..Links::default() };
        Finding { due, links, ..about(Kind::Unregistered, Subject::Prefix(net(range))) }
    }

    fn judged(findings: &[Finding]) -> Judgement {
        Judgement { findings: findings.to_vec(), ..Judgement::default() }
    }

    /// What has to be written, and the rows as they will be.
    struct Compared {
        changes: Changes,
        rows: Vec<FindingRow>,
    }

    impl Deref for Compared {
        type Target = Changes;

        fn deref(&self) -> &Changes {
            &self.changes
        }
    }

    fn compared(judgement: &Judgement, on_record: &OnRecord<'_>) -> Compared {
        let mut rows = Vec::new();
        let changes = record(judgement, on_record, |row| rows.push(row.clone()));
        Compared { changes, rows }
    }

    fn compare(judgement: &Judgement, rows: &[FindingRow], now: Timestamp) -> Compared {
        compared(judgement, &OnRecord { config: CONFIG, rows, reach: &Reach::Whole, now })
    }

    /// The rows as NetBox has them once these changes are written.
    fn written(changes: Compared) -> Vec<FindingRow> {
        let number = |(place, row): (u64, FindingRow)| FindingRow { id: RowId(100 + place), ..row };
        (0..).zip(changes.rows).map(number).collect()
    }

    fn recorded(findings: &[Finding]) -> Vec<FindingRow> {
        written(compare(&judged(findings), &[], now()))
    }

    fn shown(changes: &Changes) -> String {
        let drafts = changes.drafts.iter().map(|draft| format!("+ {} {}", draft.key, Value::from(draft.body.clone())));
        let patches =
            changes.patches.iter().map(|patch| format!("~ {} {}", patch.key, Value::from(patch.body.clone())));
        drafts.chain(patches).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_finding_becomes_a_row_with_all_that_is_known_of_it_and_nothing_of_the_operators() {
        let changes = compare(&judged(&[unregistered("23.144.3.0/24")]), &[], now());
        insta::assert_snapshot!(shown(&changes), @r#"+ arin:unregistered/prefix 23.144.3.0/24 {"aggregate":null,"config":1,"customer":null,"due":"2026-12-04","key":"arin:unregistered/prefix 23.144.3.0/24","kind":"unregistered","level":"notice","message":"It is so.","names":{"prefix":"23.144.3.0/24"},"network":null,"organization":null,"prefix":7,"request":null,"since":"2026-11-27T10:20:30Z","since_at_least":true,"state":"open","subject":"23.144.3.0/24","ticket":null}"#);
    }

    #[test]
    fn the_same_findings_twice_write_nothing_and_keep_the_time_at_which_they_were_first_seen() {
        let findings = [unregistered("23.144.3.0/24"), unregistered("2001:db8:30::/44")];
        let changes = compare(&judged(&findings), &recorded(&findings), later());
        assert_eq!(shown(&changes), "");
        assert_eq!(changes.rows.len(), 2);
    }

    #[test]
    fn only_what_changed_is_written_and_a_kind_of_the_same_family_stays_in_its_row() {
        let rows = recorded(&[unregistered("23.144.3.0/24")]);
        let overdue = Finding { kind: Kind::Overdue, level: Level::Alert, ..unregistered("23.144.3.0/24") };
        insta::assert_snapshot!(
            shown(&compare(&judged(&[overdue]), &rows, later())),
            @r#"~ arin:unregistered/prefix 23.144.3.0/24 {"kind":"overdue","level":"alert"}"#
        );
    }

    #[test]
    fn message_due_date_since_and_links_change_in_place() {
        let rows = recorded(&[unregistered("23.144.3.0/24")]);
        let since = Since { at: "2026-11-20T08:00:00Z".parse().unwrap(), at_least: false };
        let network = Some(Link { row: None, name: "NET-1".to_owned() });
        let finding = Finding {
            message: "It is otherwise. ".to_owned(),
            due: None,
            since: Some(since),
            links: Links { network, ..Links::default() },
            ..unregistered("23.144.3.0/24")
        };
        insta::assert_snapshot!(
            shown(&compare(&judged(&[finding]), &rows, later())),
            @r#"~ arin:unregistered/prefix 23.144.3.0/24 {"due":null,"message":"It is otherwise.","names":{"network":"NET-1"},"prefix":null,"since":"2026-11-20T08:00:00Z","since_at_least":false}"#
        );
    }

    #[test]
    fn what_is_not_judged_any_more_is_resolved_once() {
        let rows = recorded(&[unregistered("23.144.3.0/24")]);
        let changes = compare(&judged(&[]), &rows, later());
        insta::assert_snapshot!(
            shown(&changes),
            @r#"~ arin:unregistered/prefix 23.144.3.0/24 {"state":"resolved"}"#
        );
        assert_eq!(changes.resolved, 1);
        assert_eq!(shown(&compare(&judged(&[]), &written(changes), later())), "");
    }

    #[test]
    fn what_holds_again_is_open_since_then_and_still_ignored() {
        let findings = [unregistered("23.144.3.0/24")];
        let resolved = written(compare(&judged(&[]), &recorded(&findings), now()));
        let ignored = |row: &FindingRow| FindingRow { ignore: true, note: "known".to_owned(), ..row.clone() };
        let rows: Vec<FindingRow> = resolved.iter().map(ignored).collect();
        let changes = compare(&judged(&findings), &rows, later());
        insta::assert_snapshot!(
            shown(&changes),
            @r#"~ arin:unregistered/prefix 23.144.3.0/24 {"since":"2026-11-28T00:05:00Z","state":"open"}"#
        );
        assert_eq!((changes.rows[0].ignore, changes.rows[0].note.as_str()), (true, "known"));
    }

    #[test]
    fn what_is_undecided_stays_as_it_is() {
        let rows = recorded(&[unregistered("23.144.3.0/24"), unregistered("23.144.4.0/24")]);
        let undecided = BTreeSet::from([rows[0].key.clone()]);
        let changes = compare(&Judgement { undecided, ..judged(&[]) }, &rows, later());
        insta::assert_snapshot!(
            shown(&changes),
            @r#"~ arin:unregistered/prefix 23.144.4.0/24 {"state":"resolved"}"#
        );
    }

    #[test]
    fn rows_of_another_config_are_left_alone_and_one_that_came_from_there_is_taken_over() {
        let other = |finding| Finding { config: RowId(2), ..finding };
        let theirs = [other(unregistered("23.144.3.0/24")), other(unregistered("23.144.4.0/24"))];
        let all =
            compared(&judged(&theirs), &OnRecord { config: RowId(2), rows: &[], reach: &Reach::Whole, now: now() });
        let rows = written(all);
        let changes = compare(&judged(&[unregistered("23.144.3.0/24")]), &rows, later());
        insta::assert_snapshot!(shown(&changes), @r#"~ arin:unregistered/prefix 23.144.3.0/24 {"config":1}"#);
        assert_eq!(shown(&compare(&judged(&theirs), &[], later())), "", "what is theirs is not recorded here");
        // They leave it to whoever judges it now.
        let now_ours = compared(
            &judged(&[unregistered("23.144.3.0/24"), theirs[1].clone()]),
            &OnRecord { config: RowId(2), rows: &rows, reach: &Reach::Whole, now: later() },
        );
        assert_eq!(shown(&now_ours), "");
    }

    #[test]
    fn a_judgement_of_some_ranges_speaks_only_of_what_is_inside_them() {
        let (inside, outside) = (NetHandle::new("NET-IN").unwrap(), NetHandle::new("NET-OUT").unwrap());
        let findings = [
            unregistered("23.144.3.0/24"),
            unregistered("23.144.3.0/26"),
            unregistered("23.144.0.0/20"),
            unregistered("23.144.4.0/24"),
            about(Kind::NotInNetbox, Subject::Net(inside.clone(), None)),
            about(Kind::NotInNetbox, Subject::Net(outside.clone(), None)),
            about(Kind::NotKnown, Subject::Config("ours".to_owned(), "own-tenants")),
        ];
        let at = |handle, block: &str| {
            let block = net(block);
            RecordedNet {
                row: RowId(1),
                config: CONFIG,
                instance: findings[0].instance.clone(),
                handle,
                name: String::new(),
                registered: true,
                kind: None,
                blocks: vec![NetBlock::new(block.network(), block.broadcast()).unwrap()],
                parent: None,
                holder: None,
                registered_on: None,
            }
        };
        let nets = vec![at(inside, "23.144.3.128/25"), at(outside, "23.144.2.0/23")];
        let registrations = Registrations { nets, ..Registrations::default() };
        let reach = Reach::inside(vec![net("23.144.3.0/24")], &registrations);
        let rows = recorded(&findings);
        let compare = |findings: &[Finding], rows: &[FindingRow]| {
            compared(&judged(findings), &OnRecord { config: CONFIG, rows, reach: &reach, now: now() })
        };
        insta::assert_snapshot!(shown(&compare(&[], &rows)), @r#"
        ~ arin:not-in-netbox/net NET-IN {"state":"resolved"}
        ~ arin:unregistered/prefix 23.144.3.0/24 {"state":"resolved"}
        ~ arin:unregistered/prefix 23.144.3.0/26 {"state":"resolved"}
        "#);
        assert_eq!(compare(&findings, &[]).drafts.len(), 3);
    }

    proptest! {
        #[test]
        fn a_second_comparison_writes_nothing(
            first in prop::collection::btree_set(0_u8..8, 0..8),
            second in prop::collection::btree_set(0_u8..8, 0..8),
            undecided in prop::collection::btree_set(0_u8..8, 0..4),
        ) {
            let findings = |of: &BTreeSet<u8>| -> Vec<Finding> {
                of.iter().map(|number| unregistered(&format!("23.144.{number}.0/24"))).collect()
            };
            let before = recorded(&findings(&first));
            let keys = findings(&undecided).iter().map(Finding::key).collect();
            let judgement = Judgement { undecided: keys, ..judged(&findings(&second)) };
            let changes = compare(&judgement, &before, later());
            let open: BTreeSet<String> =
                changes.rows.iter().filter(|row| row.state == OPEN).map(|row| row.subject.clone()).collect();
            let kept = first.intersection(&undecided).copied().collect::<BTreeSet<u8>>();
            let expected = second.union(&kept).map(|number| format!("23.144.{number}.0/24")).collect();
            prop_assert_eq!(open, expected);
            prop_assert_eq!(shown(&compare(&judgement, &written(changes), later())), "");
        }
    }
}
