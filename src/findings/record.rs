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
    finding::{Finding, Urgency},
    registrations::Registrations,
};
use crate::{
    model::{Key, NetBlock, RowId},
    netbox::{
        self, Draft, FindingRow, Patch,
        findings::{Linked, OPEN, RESOLVED},
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

/// What was judged so far beside what is on record. Only those findings are kept that have to be written: there may be as
/// many as prefixes, and most of them are on record as they are.
#[derive(Debug)]
pub struct Comparison<'a> {
    on_record: OnRecord<'a>,
    entries: BTreeMap<Key, Entry<'a>>,
}

/// What is known under one key.
#[derive(Debug, Default)]
struct Entry<'a> {
    /// The row on record.
    row: Option<&'a FindingRow>,
    judged: Option<Judged>,
}

/// What was judged under one key.
#[derive(Debug)]
struct Judged {
    urgency: Urgency,
    /// The finding, if it has to be written.
    differs: Option<Box<Finding>>,
}

/// What has to be written so that the record says what was judged.
#[derive(Debug)]
pub struct Changes<'a> {
    /// Findings that are new.
    new: Vec<(Key, Box<Finding>)>,
    /// Findings that changed, or do not hold any more.
    changed: Vec<Change<'a>>,
    now: Timestamp,
}

/// What has to be written to a row.
#[derive(Debug)]
enum Change<'a> {
    /// It says something else than was judged.
    Differs(&'a FindingRow, Box<Finding>),
    /// It does not hold any more.
    Over(&'a FindingRow),
}

impl<'a> Comparison<'a> {
    /// Makes one in which nothing was judged yet.
    #[must_use]
    pub fn with(on_record: OnRecord<'a>) -> Self {
        let entry = |row: &'a FindingRow| (row.key.clone(), Entry { row: Some(row), judged: None });
        Self { entries: on_record.rows.iter().map(entry).collect(), on_record }
    }

    /// Takes up a finding. Of two with one key the more urgent one stands.
    pub fn take(&mut self, finding: Finding) {
        let OnRecord { config, reach, now, .. } = self.on_record;
        let (entry, urgency) = (self.entries.entry(finding.key()).or_default(), finding.urgency());
        if entry.judged.as_ref().is_some_and(|judged| judged.urgency <= urgency) {
            return;
        }
        // Otherwise it is somebody else's, or beyond what this judgement may say.
        let is_ours = finding.config == config && reach.includes(&finding.subject.to_string());
        let differs = is_ours && entry.row.is_none_or(|row| !says(row, wanted(&finding, Some(row), now)));
        entry.judged = Some(Judged { urgency, differs: differs.then(|| Box::new(finding)) });
    }

    /// Returns what has to be written, once all was judged; `undecided` are the keys of which nothing can be said now. `each`
    /// sees the rows of the config as they will be, one after the other. New ones have no id yet, and 0 for it.
    #[must_use]
    pub fn changes(mut self, undecided: &BTreeSet<Key>, mut each: impl FnMut(&FindingRow)) -> Changes<'a> {
        let OnRecord { config, rows, now, .. } = self.on_record;
        let mut changes = Changes { new: Vec::new(), changed: Vec::new(), now };
        for row in rows {
            let judged = self.entries.get_mut(&row.key).and_then(|entry| entry.judged.as_mut());
            let change = match judged {
                Some(judged) => judged.differs.take().map(|finding| Change::Differs(row, finding)),
                None => self.is_over(row, undecided).then_some(Change::Over(row)),
            };
            let becomes = change.as_ref().map(|change| change.row(now));
            let becomes = becomes.as_ref().unwrap_or(row);
            if becomes.config == Some(config) {
                each(becomes);
            }
            changes.changed.extend(change);
        }
        for (key, entry) in self.entries {
            if let Some(finding) = entry.judged.and_then(|judged| judged.differs) {
                each(&wanted(&finding, None, now));
                changes.new.push((key, finding));
            }
        }
        changes
    }

    /// Returns whether an open finding that was not judged any more does not hold.
    fn is_over(&self, row: &FindingRow, undecided: &BTreeSet<Key>) -> bool {
        row.state == OPEN
            && row.config == Some(self.on_record.config)
            && !undecided.contains(&row.key)
            && self.on_record.reach.includes(&row.subject)
    }
}

impl Changes<'_> {
    /// Returns how many findings are new.
    #[must_use]
    pub fn created(&self) -> usize {
        self.new.len()
    }

    /// Returns how many findings changed in some other way than by being resolved.
    #[must_use]
    pub fn changed(&self) -> usize {
        self.changed.len().saturating_sub(self.resolved())
    }

    /// Returns how many findings do not hold any more.
    #[must_use]
    pub fn resolved(&self) -> usize {
        self.changed.iter().filter(|change| matches!(change, Change::Over(_))).count()
    }

    /// Makes the rows of new findings, one by one.
    pub fn drafts(&self) -> impl ExactSizeIterator<Item = Draft> {
        let draft = |(key, finding): &(Key, Box<Finding>)| Draft {
            key: key.to_string(),
            body: body(&wanted(finding, None, self.now)),
        };
        self.new.iter().map(draft)
    }

    /// Makes what is written to rows that are there, one by one.
    pub fn patches(&self) -> impl ExactSizeIterator<Item = Patch> {
        self.changed.iter().map(|change| change.patch(self.now))
    }

    /// Returns the keys of the drafts and then of the patches.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.new.iter().map(|(key, _)| key).chain(self.changed.iter().map(|change| &change.before().key))
    }
}

impl Change<'_> {
    fn before(&self) -> &FindingRow {
        match self {
            Self::Differs(row, _) | Self::Over(row) => row,
        }
    }

    /// Returns the row as it will be.
    fn row(&self, now: Timestamp) -> FindingRow {
        match self {
            Self::Differs(row, finding) => wanted(finding, Some(row), now),
            Self::Over(row) => FindingRow { state: RESOLVED.into(), ..(*row).clone() },
        }
    }

    fn patch(&self, now: Timestamp) -> Patch {
        let (row, before) = (self.before(), body(self.before()));
        let changed =
            body(&self.row(now)).into_iter().filter(|(name, value)| before.get(name) != Some(value)).collect();
        Patch { id: row.id, key: row.key.to_string(), body: changed }
    }
}

/// Returns whether a row says what it should: nothing that is ours to write differs.
fn says(row: &FindingRow, wanted: FindingRow) -> bool {
    row.since.map(second) == wanted.since.map(second) && FindingRow { since: row.since, ..wanted } == *row
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
        kind: finding.kind.name().into(),
        level: finding.level.name().into(),
        state: OPEN.into(),
        // NetBox cuts off the space around.
        message: finding.message.trim().to_owned(),
        due: finding.due,
        since: Some(since),
        since_at_least,
        config: Some(finding.config),
        ignore: row.is_some_and(|row| row.ignore),
        note: row.map(|row| row.note.clone()).unwrap_or_default(),
        links: finding.links.objects(),
    }
}

/// Returns the fields of a row that are ours to write. A time is written, and compared, in whole seconds.
fn body(row: &FindingRow) -> netbox::Row {
    let names: BTreeMap<&str, &str> = row.links.names().map(|(what, name)| (what.name(), name)).collect();
    let fields = json!({
        "key": row.key,
        "subject": row.subject,
        "kind": row.kind,
        "level": row.level,
        "state": row.state,
        "message": row.message,
        "due": row.due.map(|due| due.to_string()),
        "since": row.since.map(|since| second(since).to_string()),
        "since_at_least": row.since_at_least,
        "config": row.config,
        "names": names,
    });
    let Value::Object(mut body) = fields else { return netbox::Row::new() };
    body.extend(Linked::ALL.map(|what| (what.name().to_owned(), json!(row.links.row(what)))));
    body
}

fn second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;
    use crate::{
        findings::{
            finding::{Link, Links, Since, Subject},
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

    /// What was judged: findings, and the keys of which nothing can be said.
    #[derive(Default)]
    struct Judged {
        findings: Vec<Finding>,
        undecided: BTreeSet<Key>,
    }

    fn judged(findings: &[Finding]) -> Judged {
        Judged { findings: findings.to_vec(), ..Judged::default() }
    }

    /// What has to be written, and the rows as they will be.
    struct Compared {
        drafts: Vec<Draft>,
        patches: Vec<Patch>,
        resolved: usize,
        rows: Vec<FindingRow>,
    }

    fn compared(judged: &Judged, on_record: &OnRecord<'_>) -> Compared {
        let (mut rows, mut comparison) = (Vec::new(), Comparison::with(*on_record));
        judged.findings.iter().for_each(|finding| comparison.take(finding.clone()));
        let changes = comparison.changes(&judged.undecided, |row| rows.push(row.clone()));
        let (drafts, patches): (Vec<Draft>, Vec<Patch>) = (changes.drafts().collect(), changes.patches().collect());
        let keys: Vec<String> = changes.keys().map(Key::to_string).collect();
        let written = drafts.iter().map(|draft| &draft.key).chain(patches.iter().map(|patch| &patch.key));
        assert!(written.eq(&keys));
        assert!(patches.iter().all(|patch| !patch.body.is_empty()), "nothing is written without need");
        assert_eq!(changes.created(), drafts.len());
        assert_eq!(changes.changed() + changes.resolved(), patches.len());
        Compared { resolved: changes.resolved(), drafts, patches, rows }
    }

    fn compare(judged: &Judged, rows: &[FindingRow], now: Timestamp) -> Compared {
        compared(judged, &OnRecord { config: CONFIG, rows, reach: &Reach::Whole, now })
    }

    /// The rows as NetBox has them once these changes are written.
    fn written(changes: Compared) -> Vec<FindingRow> {
        let number = |(place, row): (u64, FindingRow)| FindingRow { id: RowId(100 + place), ..row };
        (0..).zip(changes.rows).map(number).collect()
    }

    fn recorded(findings: &[Finding]) -> Vec<FindingRow> {
        written(compare(&judged(findings), &[], now()))
    }

    fn shown(changes: &Compared) -> String {
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
    fn a_finding_that_is_on_record_as_it_is_is_not_kept() {
        let findings = ["23.144.3.0/24", "23.144.4.0/24", "23.144.5.0/24"].map(unregistered);
        let rows = recorded(&findings[..2]);
        let on_record = OnRecord { config: CONFIG, rows: &rows, reach: &Reach::Whole, now: later() };
        let mut comparison = Comparison::with(on_record);
        let [same, other, new] = findings;
        let other = Finding { message: "It is otherwise.".to_owned(), ..other };
        [same, other.clone(), new.clone()].into_iter().for_each(|finding| comparison.take(finding));
        let kept = comparison.entries.into_values().filter_map(|entry| entry.judged?.differs).map(|finding| *finding);
        assert_eq!(kept.collect::<Vec<_>>(), [other, new]);
    }

    #[test]
    fn of_two_findings_with_one_key_the_more_urgent_one_stands_in_whatever_order_they_come() {
        let notice = unregistered("23.144.3.0/24");
        let alert = Finding { kind: Kind::Overdue, level: Level::Alert, ..notice.clone() };
        for rows in [vec![], recorded(std::slice::from_ref(&notice))] {
            let both = [[notice.clone(), alert.clone()], [alert.clone(), notice.clone()]];
            let [one, other] = both.map(|findings| shown(&compare(&judged(&findings), &rows, later())));
            assert_eq!(one, other);
            assert_eq!(one, shown(&compare(&judged(std::slice::from_ref(&alert)), &rows, later())));
        }
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
        let network = Some(Link::perhaps_to(None, "NET-1"));
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
        let changes = compare(&Judged { undecided, ..judged(&[]) }, &rows, later());
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
            let judgement = Judged { undecided: keys, ..judged(&findings(&second)) };
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
