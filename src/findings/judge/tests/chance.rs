//! What holds in any world.

use jiff::SignedDuration;
use proptest::{collection::vec, prelude::*, sample::select, strategy::ValueTree, test_runner::TestRunner};

use super::*;
use crate::findings::{Level, Since};

/// Ranges of prefixes and nets: nested, beside each other, of all sizes that matter.
const RANGES: [&str; 15] = [
    "23.0.0.0/20",
    "23.0.0.0/24",
    "23.0.0.0/25",
    "23.0.0.128/25",
    "23.0.1.0/24",
    "23.0.1.0/29",
    "23.0.1.0/30",
    "23.0.0.0/16",
    "2600:100::/40",
    "2600:100::/44",
    "2600:100::/47",
    "2600:100::/48",
    "2600:100:10::/44",
    "24.0.0.0/24",
    "24.0.0.0/29",
];

/// Ranges of nets that are no single prefix.
const ODD: [&str; 2] = ["23.0.0.128-23.0.1.127", "2600:100:8::-2600:100:17:ffff:ffff:ffff:ffff:ffff"];

const AGGREGATES: [&str; 3] = ["23.0.0.0/16", "2600:100::/32", "24.0.0.0/16"];

/// Nets around, at and inside the last aggregate, which has no allocation unless one of these is there.
const ALLOCATIONS: [&str; 4] = ["24.0.0.0/15", "24.0.0.0/16", "24.0.0.0/17", "24.0.128.0/17"];
const TENANTS: [&str; 3] = ["Acme", "Beta", "Us"];

/// Something in a world.
#[derive(Debug, Clone)]
enum Piece {
    Prefix {
        range: &'static str,
        tenant: Option<&'static str>,
        status: &'static str,
        public: bool,
        log: Log,
        tag: &'static str,
    },
    Net {
        range: &'static str,
        held: Held,
        registered: bool,
        day: &'static str,
    },
    Listed {
        range: &'static str,
    },
    Org {
        org: &'static str,
        tenant: Option<&'static str>,
        standing: Standing,
    },
    Request {
        operation: &'static str,
        state: &'static str,
        range: &'static str,
        ticket: &'static str,
    },
    Allocation {
        range: &'static str,
        held: Held,
    },
    Unanswered {
        range: &'static str,
    },
    Questions {
        aggregate: &'static str,
    },
}

/// What is known of the time since when a prefix is assigned.
#[derive(Debug, Clone, Copy)]
enum Log {
    Dated,
    NotRead,
    Empty,
    Created,
}

/// The kind of a net, and who holds it.
#[derive(Debug, Clone, Copy)]
enum Held {
    Customer(&'static str),
    Reassigned(&'static str),
    Reallocated(&'static str),
    Allocated(&'static str),
}

fn range() -> impl Strategy<Value = &'static str> {
    select(&RANGES[..])
}

fn tenant() -> impl Strategy<Value = Option<&'static str>> {
    proptest::option::weighted(0.8, select(&TENANTS[..]))
}

fn piece() -> impl Strategy<Value = Piece> {
    let status = select(&["active", "active", "active", "reserved", "container"][..]);
    let log = select(&[Log::Dated, Log::Dated, Log::NotRead, Log::Empty, Log::Created][..]);
    let tag = select(&["", "", "announced", "leave-alone", "home"][..]);
    let prefix =
        (range(), tenant(), status, any::<bool>(), log, tag).prop_map(|(range, tenant, status, public, log, tag)| {
            Piece::Prefix { range, tenant, status, public, log, tag }
        });
    let held = select(
        &[
            Held::Customer("Acme"),
            Held::Customer("Acme LLC"),
            Held::Customer("Globex"),
            Held::Customer("Private Customer"),
            Held::Reassigned("ACME-1"),
            Held::Reassigned("CUST-1"),
            Held::Reassigned(US),
            Held::Reallocated("ACME-1"),
            Held::Reallocated(US),
            Held::Allocated("OTHER-1"),
        ][..],
    );
    let ranges: Vec<&'static str> = RANGES.into_iter().chain(ODD).collect();
    let day = select(&["2026-03-01", "2026-03-17"][..]);
    let net = (select(ranges), held, proptest::bool::weighted(0.9), day)
        .prop_map(|(range, held, registered, day)| Piece::Net { range, held, registered, day });
    let standing = select(vec![
        Standing::Absent,
        Standing::Denied,
        Standing::Found(Recipient::default()),
        Standing::Found(Recipient {
            functions: vec![PocFunction::Admin, PocFunction::Tech, PocFunction::Abuse],
            accepts: None,
        }),
    ]);
    let org = (select(&["ACME-1", "CUST-1", US][..]), tenant(), standing)
        .prop_map(|(org, tenant, standing)| Piece::Org { org, tenant, standing });
    let operation = select(&["reassign-simple", "remove-network"][..]);
    let state = select(&["waiting", "unknown", "done", "refused"][..]);
    let ticket = select(&["PENDING_CONFIRMATION", "PENDING_REVIEW", "CLOSED"][..]);
    let request = (operation, state, range(), ticket).prop_map(|(operation, state, range, ticket)| Piece::Request {
        operation,
        state,
        range,
        ticket,
    });
    let allocated = vec![Held::Allocated(US), Held::Allocated("OTHER-1"), Held::Reassigned(US), Held::Reallocated(US)];
    prop_oneof![
        8 => prefix,
        6 => net,
        1 => range().prop_map(|range| Piece::Listed { range }),
        1 => org,
        1 => (select(&ALLOCATIONS[..]), select(allocated)).prop_map(|(range, held)| Piece::Allocation { range, held }),
        1 => request,
        1 => range().prop_map(|range| Piece::Unanswered { range }),
        1 => select(&AGGREGATES[..]).prop_map(|aggregate| Piece::Questions { aggregate }),
    ]
}

fn aggregate_of(range: &str) -> &'static str {
    let inside = |aggregate: &&str| cidr(aggregate).contains(&cidr(range));
    AGGREGATES.into_iter().find(inside).unwrap()
}

fn add_net<'a>(world: &'a mut World, number: usize, (range, held): (&str, Held)) -> &'a mut RecordedNet {
    let handle = format!("NET-{number}");
    match held {
        Held::Customer(name) => world.reassign(&handle, range, name),
        Held::Reassigned(org) => world.reassign_to_org(&handle, range, org),
        Held::Reallocated(org) => world.reallocate(&handle, range, org),
        Held::Allocated(org) => world.allocate(&handle, range, org),
    }
}

fn add(world: &mut World, number: usize, piece: Piece) {
    match piece {
        Piece::Prefix { range, tenant, status, public, log, tag } => {
            let vrf = public.then_some(RowId(5));
            let tenant = tenant.map(|name| world.tenant(name));
            let prefix = world.prefix(range);
            (prefix.vrf, prefix.tenant, prefix.status) = (vrf, tenant, status.into());
            prefix.tags = texts([tag]);
            let id = prefix.id;
            match log {
                Log::Dated => prefix.assigned_on = Some(date("2026-03-10")),
                Log::NotRead => {}
                Log::Empty => drop(world.plan.histories.insert(id, Vec::new())),
                Log::Created => {
                    let state = PrefixState {
                        prefix: Some(cidr(range)),
                        vrf,
                        tenant,
                        status: status.into(),
                        tags: BTreeSet::new(),
                    };
                    let change = PrefixChange { at: time("2026-03-15"), before: None, after: Some(state) };
                    world.plan.histories.insert(id, vec![change]);
                }
            }
        }
        Piece::Net { range, held, registered, day } => {
            let net = add_net(world, number, (range, held));
            (net.registered, net.registered_on) = (registered, Some(date(day)));
        }
        Piece::Allocation { range, held } => {
            add_net(world, number, (range, held));
        }
        Piece::Listed { range } => {
            let holder = Holder::Customer(CustomerHandle::new(&format!("C{number}")).unwrap());
            world.list(aggregate_of(range), &format!("NET-{number}"), (range, holder));
        }
        Piece::Org { org, tenant, standing } => {
            if !world.registrations.orgs.iter().any(|other| other.handle == org_handle(org)) {
                world.org(org, tenant);
                world.answer(ObjectType::Organization, org, standing);
            }
        }
        Piece::Request { operation, state, range, ticket } => {
            world.request(operation, state, range);
            world.ticket(&format!("20260318-X{number}"), ticket).resolution =
                (ticket == "CLOSED").then(|| "DENIED".into());
        }
        Piece::Unanswered { range } => {
            world.look(aggregate_of(range)).unanswered.insert(cidr(range), "ARIN did not answer".into());
        }
        Piece::Questions { aggregate } => {
            let look = world.look(aggregate);
            (look.source, look.listed) = (LookSource::Questions, Vec::new());
        }
    }
}

fn world() -> impl Strategy<Value = World> {
    (vec(piece(), 0..14), any::<bool>(), any::<bool>()).prop_map(|(pieces, voluntary, residential)| {
        let mut world = World::new();
        world.aggregate(AGGREGATES[2]);
        world.plan.vrfs.insert(RowId(5), "internet".into());
        world.policy.voluntary = voluntary;
        if residential {
            world.policy.residential_tag = "home".into();
        }
        for (number, piece) in pieces.into_iter().enumerate() {
            add(&mut world, number, piece);
        }
        // Ties among parents are decided here, once.
        world.registrations = with_parents(&world.registrations);
        world
    })
}

/// The ranges that a finding is about; none for what is about no range.
fn ranges_of(world: &World, finding: &Finding) -> Vec<NetBlock> {
    match &finding.subject {
        Subject::Prefix(range) | Subject::Aggregate(range) => vec![NetBlock::from(*range)],
        Subject::Net(handle, _) => {
            let recorded = world.registrations.nets.iter().filter(|net| net.handle == *handle).map(|net| &net.blocks);
            let listed = world.registrations.looks.aggregates.iter().flat_map(|look| &look.listed);
            let listed = listed.filter(|net| net.handle == *handle).map(|net| &net.blocks);
            recorded.chain(listed).flatten().copied().collect()
        }
        Subject::Customer(_) | Subject::Org(_) | Subject::Ticket(_) | Subject::Request(_) | Subject::Config(..) => {
            Vec::new()
        }
    }
}

/// Does as if all findings had been written down, and so had the time at which each was first seen.
fn record(world: &mut World) -> Vec<Finding> {
    let findings = world.judged().findings;
    for finding in &findings {
        let at = finding.since.map_or(world.now, |Since { at, .. }| at);
        world.plan.first_seen.insert(finding.key(), at);
    }
    findings
}

/// Whatever was found and recorded is found still, or is undecided.
fn disappeared(before: &[Finding], after: &Judged) -> Vec<String> {
    let kept: BTreeSet<_> = after.findings.iter().map(Finding::key).chain(after.undecided.iter().cloned()).collect();
    before.iter().filter(|finding| finding.kind != Kind::NotKnown && !kept.contains(&finding.key())).map(line).collect()
}

fn shuffle(world: &mut World, seed: u64) {
    let mut dice = fastrand::Rng::with_seed(seed);
    let (plan, registrations) = (&mut world.plan, &mut world.registrations);
    dice.shuffle(&mut plan.configs);
    dice.shuffle(&mut plan.aggregates);
    dice.shuffle(&mut plan.prefixes);
    dice.shuffle(&mut plan.addresses);
    if let Some(deletions) = &mut plan.deletions {
        dice.shuffle(deletions);
    }
    for changes in plan.histories.values_mut() {
        dice.shuffle(changes);
    }
    dice.shuffle(&mut registrations.nets);
    dice.shuffle(&mut registrations.customers);
    dice.shuffle(&mut registrations.orgs);
    dice.shuffle(&mut registrations.requests);
    dice.shuffle(&mut registrations.tickets);
    dice.shuffle(&mut registrations.looks.aggregates);
    dice.shuffle(&mut registrations.looks.answers);
    for look in &mut registrations.looks.aggregates {
        dice.shuffle(&mut look.listed);
    }
}

/// Whether a text tells an age, which would be another one tomorrow.
fn tells_an_age(message: &str) -> bool {
    let words: Vec<&str> = message.split_whitespace().collect();
    let unit =
        |word: &str| ["day", "days", "hour", "hours", "week", "weeks"].contains(&word.trim_matches([',', '.', ';']));
    words.windows(2).any(|pair| {
        pair[0].parse::<u64>().is_ok() && unit(pair[1])
            || unit(pair[0])
                && ["ago", "late", "left", "overdue", "old"].contains(&pair[1].trim_matches([',', '.', ';']))
    })
}

/// The worlds are such that what holds in all of them is worth saying.
#[test]
fn worlds_by_chance_have_findings_of_most_kinds() {
    let mut runner = TestRunner::deterministic();
    let mut kinds = BTreeSet::new();
    for _ in 0..1000 {
        let world = world().new_tree(&mut runner).unwrap().current();
        kinds.extend(world.judged().findings.iter().map(|finding| finding.kind));
    }
    let never = BTreeSet::from([
        Kind::NetName,
        Kind::CustomerLeft,
        Kind::CustomerMissing,
        Kind::PrefixGone,
        Kind::TenantLink,
        Kind::Address,
        Kind::TicketOld,
    ]);
    let missing: Vec<Kind> =
        Kind::ALL.into_iter().filter(|kind| !kinds.contains(kind) && !never.contains(kind)).collect();
    assert_eq!(missing, Vec::<Kind>::new());
}

#[test]
fn ages_are_told_from_dates() {
    for message in ["It is 3 days late.", "registered 2 weeks ago", "overdue since 12 days"] {
        assert!(tells_an_age(message), "{message}");
    }
    for message in ["It was due on 2026-03-17.", "4 addresses are not registered", "days when nobody was there"] {
        assert!(!tells_an_age(message), "{message}");
    }
}

proptest! {
    #[test]
    fn the_order_of_what_is_read_does_not_matter(mut world in world(), seed in any::<u64>()) {
        let before = world.judged();
        shuffle(&mut world, seed);
        prop_assert_eq!(world.judged(), before);
    }

    #[test]
    fn no_finding_stands_twice_under_one_key(world in world()) {
        let findings = world.judged().findings;
        let keys: BTreeSet<_> = findings.iter().map(Finding::key).collect();
        prop_assert_eq!(keys.len(), findings.len(), "{:#?}", found(&world));
    }

    /// A prefix is registered or not, covered, split, overlapped, not ours, a whole allocation, twice there or not known.
    #[test]
    fn one_thing_is_said_of_the_registration_of_a_prefix(world in world()) {
        let says = |finding: &&Finding| {
            matches!(
                finding.kind,
                Kind::Unregistered
                    | Kind::Overdue
                    | Kind::Voluntary
                    | Kind::Pending
                    | Kind::Wider
                    | Kind::Split
                    | Kind::NotOurs
                    | Kind::WholeAllocation
                    | Kind::DuplicateRange
                    | Kind::NotKnown
            ) && matches!(finding.subject, Subject::Prefix(_))
        };
        let judgement = world.judged();
        let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for finding in judgement.findings.iter().filter(says) {
            told.entry(place(finding)).or_default().push(line(finding));
        }
        told.retain(|_, lines| lines.len() > 1);
        prop_assert_eq!(told, BTreeMap::new());
    }

    /// What is late is an alert, or under way; nothing else has passed its last day unnoticed.
    #[test]
    fn whatever_is_past_its_last_day_is_urgent(world in world()) {
        let today = date("2026-03-20");
        for finding in world.judged().findings {
            let late = finding.due.is_some_and(|due| due < today);
            let urgent = finding.level == Level::Alert || finding.kind == Kind::Pending;
            prop_assert!(!late || urgent, "{}", line(&finding));
            prop_assert!(finding.kind != Kind::Overdue || late, "{}", line(&finding));
            prop_assert!(finding.kind != Kind::Unregistered || !late, "{}", line(&finding));
        }
    }

    /// Where nothing differs in another aggregate, nothing is said otherwise in this one.
    #[test]
    fn what_is_in_one_aggregate_changes_nothing_in_another(mut world in world(), aggregate in select(&AGGREGATES[..])) {
        let around = NetBlock::from(cidr(aggregate));
        let of = |world: &World| -> Vec<Finding> {
            let inside = |finding: &Finding| ranges_of(world, finding).iter().any(|range| around.covers(range));
            world.judged().findings.into_iter().filter(inside).collect()
        };
        let before = of(&world);
        world.plan.prefixes.retain(|prefix| around.covers(&NetBlock::from(prefix.prefix)));
        let touches = |block: &NetBlock| block.first() <= around.last() && around.first() <= block.last();
        world.registrations.nets.retain(|net| net.blocks.iter().any(touches));
        prop_assert_eq!(of(&world), before);
    }

    #[test]
    fn of_an_aggregate_without_a_look_nothing_is_said_and_nothing_forgotten(
        mut world in world(),
        aggregate in select(&AGGREGATES[..]),
        way in 0..4_u8,
    ) {
        let before = record(&mut world);
        let look = world.look(aggregate);
        match way {
            0 => look.failed = Some("ARIN did not answer".into()),
            1 => look.complete = None,
            2 => look.complete = Some(time("2026-03-01")),
            _ => {
                // What only the listing had is lost with it.
                prop_assume!(look.listed.is_empty());
                let id = look.aggregate;
                world.registrations.looks.aggregates.retain(|look| look.aggregate != id);
            }
        }
        let after = world.judged();
        let around = NetBlock::from(cidr(aggregate));
        for finding in &after.findings {
            let inside = ranges_of(&world, finding).iter().any(|range| around.covers(range));
            prop_assert!(!inside || finding.kind == Kind::NotKnown, "{}", line(finding));
        }
        prop_assert_eq!(disappeared(&before, &after), Vec::<String>::new());
        for finding in before.iter().filter(|finding| finding.kind != Kind::NotKnown) {
            let ranges = ranges_of(&world, finding);
            if !ranges.is_empty() && !ranges.iter().any(|range| around.covers(range)) {
                let same = after.findings.iter().find(|other| other.key() == finding.key());
                prop_assert_eq!(same, Some(finding));
            }
        }
    }

    #[test]
    fn of_a_range_without_an_answer_nothing_is_said_and_nothing_forgotten(mut world in world(), range in range()) {
        let before = record(&mut world);
        world.look(aggregate_of(range)).unanswered.insert(cidr(range), "ARIN did not answer".into());
        let after = world.judged();
        for finding in &after.findings {
            let about = matches!(finding.subject, Subject::Prefix(of) if of == cidr(range));
            prop_assert!(!about || finding.kind == Kind::NotKnown, "{}", line(finding));
        }
        prop_assert_eq!(disappeared(&before, &after), Vec::<String>::new());
        let apart = |block: &NetBlock| block.last() < cidr(range).network() || cidr(range).broadcast() < block.first();
        for finding in before.iter().filter(|finding| finding.kind != Kind::NotKnown) {
            let ranges = ranges_of(&world, finding);
            if !ranges.is_empty() && ranges.iter().all(apart) {
                let same = after.findings.iter().find(|other| other.key() == finding.key());
                prop_assert_eq!(same, Some(finding));
            }
        }
    }

    #[test]
    fn what_was_written_down_is_found_again_as_it_was(mut world in world()) {
        let before = record(&mut world);
        let after = world.judged().findings;
        let told = |findings: &[Finding]| -> Vec<(String, String)> {
            findings.iter().map(|finding| (line(finding), finding.message.clone())).collect()
        };
        prop_assert_eq!(told(&after), told(&before));
    }

    #[test]
    fn messages_say_the_same_tomorrow(mut world in world()) {
        record(&mut world);
        let today = world.judged().findings;
        let day = SignedDuration::from_hours(24);
        world.now += day;
        for look in &mut world.registrations.looks.aggregates {
            look.complete = look.complete.map(|at| at + day);
        }
        let tomorrow = world.judged().findings;
        for finding in &today {
            prop_assert!(!tells_an_age(&finding.message), "{}", finding.message);
            let same = |other: &&Finding| line(other) == line(finding);
            if finding.kind != Kind::NotKnown && let Some(other) = tomorrow.iter().find(same) {
                prop_assert_eq!(&other.message, &finding.message);
            }
        }
    }
}
