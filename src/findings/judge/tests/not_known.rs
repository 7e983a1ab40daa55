//! What is not known is said to be so, and is neither registered nor unregistered: `not-known`.

use super::*;

const WHY: &str = "ARIN did not answer";

/// The findings without the one that says that nets at other ranges are not known.
fn without_listing(world: &World) -> Vec<String> {
    found(world).into_iter().filter(|line| line != "info not-known Example").collect()
}

/// One finding stands for an aggregate that could not be looked at.
#[test]
fn an_aggregate_whose_look_failed_is_not_known_as_a_whole() {
    let mut world = World::new();
    for (aggregate, range, other) in
        [("23.0.0.0/16", "23.0.1.0/29", "23.0.2.0/29"), ("2600:100::/32", "2600:100:10::/47", "2600:100:20::/47")]
    {
        world.assign(range, "Acme");
        world.assign(other, "Acme");
        world.look(aggregate).failed = Some(WHY.into());
    }
    world.allocated("NET-24", "24.0.0.0/16", US);
    world.assign("24.0.1.0/29", "Acme");
    assert_eq!(
        found(&world),
        [
            "info not-known 23.0.0.0/16",
            "info not-known 2600:100::/32",
            "notice unregistered 24.0.1.0/29 due 2026-03-23",
        ]
    );
    let message = message(&world, Kind::NotKnown, "23.0.0.0/16");
    assert!(message.contains(WHY) && message.contains('2'), "{message}");
}

/// A failed question makes only the range unknown that it asked for.
#[test]
fn a_question_that_was_not_answered_makes_only_its_range_unknown() {
    let mut world = World::new();
    for (aggregate, range, other) in
        [("23.0.0.0/16", "23.0.1.0/29", "23.0.2.0/29"), ("2600:100::/32", "2600:100:10::/47", "2600:100:20::/47")]
    {
        world.assign(range, "Acme");
        world.assign(other, "Acme");
        world.look(aggregate).unanswered.insert(cidr(range), WHY.into());
    }
    assert_eq!(
        found(&world),
        [
            "info not-known 23.0.1.0/29",
            "info not-known 2600:100:10::/47",
            "notice unregistered 23.0.2.0/29 due 2026-03-23",
            "notice unregistered 2600:100:20::/47 due 2026-03-23",
        ]
    );
    assert!(message(&world, Kind::NotKnown, "23.0.1.0/29").contains(WHY));
}

/// Nothing but that is said of an unknown prefix, whatever is recorded there.
#[test]
fn of_an_unknown_prefix_nothing_else_is_said() {
    let mut world = World::new();
    world.assign("23.0.1.0/29", "Acme");
    world.reassign("NET-1", "23.0.1.0/29", "Globex");
    world.registered("NET-2", "23.0.2.0/29", "Acme").status = "reserved".into();
    world.reassign("NET-3", "23.0.3.0/24", "Globex");
    world.assign("23.0.3.0/29", "Acme");
    world.assign("23.0.4.0/24", "Acme");
    world.reassign("NET-4", "23.0.4.0/25", "Acme");
    let public = world.vrf("internet");
    world.assign("23.0.5.0/29", "Acme");
    world.assign("23.0.5.0/29", "Beta").vrf = Some(public);
    assert_eq!(found(&world).len(), 5, "{:#?}", found(&world));
    world.look("23.0.0.0/16").failed = Some(WHY.into());
    assert_eq!(found(&world), ["info not-known 23.0.0.0/16"]);
}

#[test]
fn an_aggregate_that_was_never_looked_at_is_not_known() {
    let mut world = World::new();
    world.assign("23.0.1.0/29", "Acme");
    world.assign("2600:100:10::/47", "Acme");
    world.look("23.0.0.0/16").complete = None;
    let without = world.plan.aggregates[1].id;
    world.registrations.looks.aggregates.retain(|look| look.aggregate != without);
    assert_eq!(found(&world), ["info not-known 23.0.0.0/16", "info not-known 2600:100::/32"]);
}

/// A look is good for two intervals between syncs, and for two days at least.
#[test]
fn a_look_becomes_too_old() {
    let day = 24 * 3600;
    for (interval, looked, good) in [
        (day, "2026-03-18T12:30:00Z", true),
        (day, "2026-03-18T11:30:00Z", false),
        (3600, "2026-03-18T12:30:00Z", true),
        (3600, "2026-03-18T11:30:00Z", false),
        (3 * day, "2026-03-14T12:30:00Z", true),
        (3 * day, "2026-03-14T11:30:00Z", false),
    ] {
        let mut world = World::new();
        world.plan.configs[0].sync_interval = Duration::from_secs(interval);
        world.assign("23.0.1.0/29", "Acme");
        world.look("23.0.0.0/16").complete = Some(time(looked));
        let expected =
            if good { "notice unregistered 23.0.1.0/29 due 2026-03-23" } else { "info not-known 23.0.0.0/16" };
        assert_eq!(found(&world), [expected], "{interval} {looked}");
    }
}

/// A public listing that does not have a net makes it unregistered.
#[test]
fn the_silence_of_the_listing_is_an_answer() {
    let mut world = World::new();
    world.assign("23.0.1.0/29", "Acme").created = Some(time("2026-03-20T09:00:00Z"));
    assert_eq!(found(&world), ["notice unregistered 23.0.1.0/29 due 2026-03-23"]);
}

/// Where no listing was read, a prefix that was made since the look was not asked for, unless it was by itself.
#[test]
fn a_prefix_that_was_not_asked_for_is_not_known() {
    let mut world = World::new();
    world.look("23.0.0.0/16").source = LookSource::Questions;
    world.assign("23.0.1.0/29", "Acme").created = Some(time("2026-03-20T11:30:00Z"));
    world.assign("23.0.2.0/29", "Acme").created = Some(time("2026-03-20T11:30:00Z"));
    world.look("23.0.0.0/16").asked.insert(cidr("23.0.2.0/29"), time("2026-03-20T11:40:00Z"));
    world.assign("23.0.3.0/29", "Acme").created = Some(time("2026-03-20T09:30:00Z"));
    assert_eq!(
        without_listing(&world),
        [
            "info not-known 23.0.1.0/29",
            "notice unregistered 23.0.2.0/29 due 2026-03-23",
            "notice unregistered 23.0.3.0/29 due 2026-03-23",
        ]
    );
}

/// With the listing off nobody knows of nets at ranges that NetBox does not have.
#[test]
fn without_the_listing_nets_at_other_ranges_are_not_known() {
    let mut world = World::new();
    assert_eq!(found(&world), NOTHING);
    world.look("23.0.0.0/16").source = LookSource::Questions;
    world.look("2600:100::/32").source = LookSource::Questions;
    assert_eq!(found(&world), ["info not-known Example"]);
    assert_eq!(world.judged().findings[0].subject, Subject::Config("Example".into(), "listing"));
    assert!(message(&world, Kind::NotKnown, "Example").contains("listing"));
}

/// What was found before stays as it is, until somebody knows better; elsewhere nothing is undecided.
#[test]
fn open_findings_about_what_is_unknown_are_undecided() {
    let mut world = World::new();
    world.assign("23.0.1.0/29", "Acme");
    world.reassign("NET-2", "23.0.2.0/29", "Acme");
    world.assign("23.0.3.0/29", "Acme");
    world.reassign("NET-3", "23.0.3.0/29", "Globex");
    world.assign("2600:100:10::/47", "Acme");
    let before = world.judged().findings;
    assert_eq!(before.len(), 4);
    world.plan.first_seen = before.iter().map(|finding| (finding.key(), time("2026-03-19"))).collect();
    assert_eq!(world.judged().undecided, BTreeSet::new());
    world.look("23.0.0.0/16").failed = Some(WHY.into());
    let judgement = world.judged();
    let inside: BTreeSet<_> =
        before.iter().filter(|finding| place(finding) != "2600:100:10::/47").map(Finding::key).collect();
    assert_eq!(judgement.undecided, inside);
}

#[test]
fn an_open_finding_about_a_range_that_was_not_answered_is_undecided() {
    let mut world = World::new();
    world.assign("23.0.1.0/29", "Acme");
    world.assign("23.0.2.0/29", "Acme");
    let before = world.judged().findings;
    world.plan.first_seen = before.iter().map(|finding| (finding.key(), time("2026-03-19"))).collect();
    world.look("23.0.0.0/16").unanswered.insert(cidr("23.0.1.0/29"), WHY.into());
    assert_eq!(world.judged().undecided, BTreeSet::from([before[0].key()]));
}

/// Prefixes that ARIN is never asked for cannot be unknown.
#[test]
fn what_is_not_judged_is_not_counted_as_unknown() {
    let mut world = World::new();
    world.assign("23.0.1.0/29", "Acme");
    world.assign("23.0.2.0/29", "Acme").vrf = Some(RowId(77));
    world.look("23.0.0.0/16").failed = Some(WHY.into());
    assert_eq!(world.judged().figures[&RowId(1)].unknown, 1);
}

#[test]
fn figures_count_what_was_judged() {
    let mut world = World::new();
    world.registered("NET-1", "23.0.1.0/29", "Acme");
    world.assign("23.0.2.0/29", "Acme");
    world.assign("23.0.3.0/30", "Acme");
    world.prefix("23.0.4.0/24");
    world.assign("2600:100:10::/47", "Acme");
    world.look("2600:100::/32").unanswered.insert(cidr("2600:100:10::/47"), WHY.into());
    world.look("2600:100::/32").complete = Some(time("2026-03-20T10:00:00Z"));
    let figures = world.judged().figures[&RowId(1)].clone();
    assert_eq!((figures.subjects, figures.assigned, figures.must), (5, 4, 3));
    assert_eq!((figures.registered, figures.unknown), (1, 1));
    assert_eq!(figures.last_complete_look, Some(time("2026-03-20T10:00:00Z")));
}
