//! Since when a prefix is assigned, and by when it has to be registered.

use super::*;

/// The state of a prefix with another tenant.
fn of(world: &mut World, range: &str, tenant: Option<&str>) -> PrefixState {
    let tenant = tenant.map(|name| world.tenant(name));
    PrefixState { tenant, ..world.state(range) }
}

#[test]
fn the_operators_date_wins_over_the_change_log() {
    let mut world = World::new();
    world.assign("23.0.1.0/29", "Acme");
    let state = world.state("23.0.1.0/29");
    world.history("23.0.1.0/29", [("2026-03-01T08:00:00Z", state)]);
    assert_eq!(found_since(&world), ["notice unregistered 23.0.1.0/29 due 2026-03-23 since 2026-03-16T00:00:00Z"]);
}

#[test]
fn the_change_log_tells_when_the_tenant_got_it() {
    let mut world = World::new();
    for range in ["23.0.1.0/29", "2600:100:10::/47"] {
        world.assign_by_log(range, "Acme");
        let (free, taken) = (of(&mut world, range, None), world.state(range));
        let renamed = PrefixState { tags: texts(["Something"]), ..taken.clone() };
        world.history(
            range,
            [("2026-03-01T08:00:00Z", free), ("2026-03-14T08:00:00Z", taken), ("2026-03-15T08:00:00Z", renamed)],
        );
    }
    assert_eq!(
        found_since(&world),
        [
            "notice unregistered 23.0.1.0/29 due 2026-03-21 since 2026-03-14T08:00:00Z",
            "notice unregistered 2600:100:10::/47 due 2026-03-21 since 2026-03-14T08:00:00Z",
        ]
    );
}

#[test]
fn a_prefix_that_was_created_for_the_tenant_is_assigned_since_then() {
    let mut world = World::new();
    world.assign_by_log("23.0.1.0/29", "Acme");
    let state = world.state("23.0.1.0/29");
    world.history("23.0.1.0/29", [("2026-03-10T23:59:00Z", state)]);
    assert_eq!(found_since(&world), ["alert overdue 23.0.1.0/29 due 2026-03-17 since 2026-03-10T23:59:00Z"]);
}

/// Tenant, status, range and VRF make it another assignment; one that came back is counted from its return.
#[test]
fn an_assignment_begins_when_the_last_of_its_parts_became_so() {
    let mut world = World::new();
    let other_vrf = world.vrf("customers");
    let ranges = ["23.0.1.0/29", "23.0.2.0/29", "23.0.3.0/29", "23.0.4.0/29", "23.0.5.0/29"];
    for range in ranges {
        world.assign_by_log(range, "Acme");
    }
    let now: Vec<PrefixState> = ranges.iter().map(|range| world.state(range)).collect();
    let before = [
        of(&mut world, ranges[0], Some("Beta")),
        PrefixState { status: "reserved".into(), ..now[1].clone() },
        PrefixState { prefix: Some(cidr("23.0.3.0/28")), ..now[2].clone() },
        PrefixState { vrf: Some(other_vrf), ..now[3].clone() },
        PrefixState { tenant: None, ..now[4].clone() },
    ];
    for ((range, now), before) in ranges.iter().zip(now).zip(before) {
        world.history(
            range,
            [("2026-03-01T08:00:00Z", now.clone()), ("2026-03-10T08:00:00Z", before), ("2026-03-15T08:00:00Z", now)],
        );
    }
    let expected = ranges.map(|range| format!("notice unregistered {range} due 2026-03-22 since 2026-03-15T08:00:00Z"));
    assert_eq!(found_since(&world), expected);
}

#[test]
fn one_assigned_status_after_another_is_the_same_assignment() {
    let mut world = World::new();
    world.policy.assigned_statuses = texts(["active", "deployed"]);
    world.assign_by_log("23.0.1.0/29", "Acme");
    let active = world.state("23.0.1.0/29");
    let deployed = PrefixState { status: "deployed".into(), ..active.clone() };
    world.history("23.0.1.0/29", [("2026-03-14T08:00:00Z", deployed), ("2026-03-16T08:00:00Z", active)]);
    assert_eq!(found_since(&world), ["notice unregistered 23.0.1.0/29 due 2026-03-21 since 2026-03-14T08:00:00Z"]);
}

/// Of a change log that was cut, the oldest change that is left is the latest time from which it can be so.
#[test]
fn a_cut_change_log_says_at_least() {
    let mut world = World::new();
    for range in ["23.0.1.0/29", "2600:100:10::/47"] {
        world.assign_by_log(range, "Acme");
        let state = world.state(range);
        let changes =
            [("2026-01-01", state.clone()), ("2026-03-11T08:00:00Z", state.clone()), ("2026-03-15T08:00:00Z", state)];
        world.history(range, changes);
        world.cut(range, 1);
    }
    assert_eq!(
        found_since(&world),
        [
            "alert overdue 23.0.1.0/29 due 2026-03-18 since 2026-03-11T08:00:00Z at least",
            "alert overdue 2600:100:10::/47 due 2026-03-18 since 2026-03-11T08:00:00Z at least",
        ]
    );
}

/// No change of an old prefix is left: it has been so since the oldest change of anything at the latest.
#[test]
fn an_old_prefix_without_changes_is_as_old_as_the_change_log() {
    let mut world = World::new();
    world.plan.oldest_change = Some(time("2026-03-14T10:00:00Z"));
    let id = world.assign_by_log("23.0.1.0/29", "Acme").id;
    world.plan.histories.insert(id, Vec::new());
    assert_eq!(
        found_since(&world),
        ["notice unregistered 23.0.1.0/29 due 2026-03-21 since 2026-03-14T10:00:00Z at least"]
    );
}

/// A prefix that was imported without a change counts from the first time that it was found, never from its creation.
#[test]
fn a_new_prefix_without_changes_counts_from_when_it_was_first_found() {
    let mut world = World::new();
    let prefix = world.assign_by_log("23.0.1.0/29", "Acme");
    prefix.created = Some(time("2026-02-01"));
    let id = prefix.id;
    world.plan.histories.insert(id, Vec::new());
    assert_eq!(found(&world), ["notice unregistered 23.0.1.0/29 due 2026-03-27"]);
    let key = world.judged().findings[0].key();
    world.plan.first_seen.insert(key, time("2026-03-10T08:00:00Z"));
    assert_eq!(found(&world), ["alert overdue 23.0.1.0/29 due 2026-03-17"]);
}

#[test]
fn histories_are_wanted_of_what_has_to_be_registered_and_has_no_date() {
    let mut world = World::new();
    let wanted = world.assign_by_log("23.0.1.0/29", "Acme").id;
    world.assign("23.0.2.0/29", "Acme");
    world.reassign("NET-3", "23.0.3.0/29", "Acme");
    world.assign_by_log("23.0.3.0/29", "Acme");
    world.assign_by_log("23.0.4.0/30", "Acme");
    world.assign_by_log("23.0.5.0/29", "Us");
    let known = world.assign_by_log("23.0.6.0/29", "Acme").id;
    world.plan.histories.insert(known, Vec::new());
    assert_eq!(world.judged().wanted_histories, BTreeSet::from([wanted]));
}

/// An old assignment counts from the baseline, and is shown with the time from which it is so.
#[test]
fn the_baseline_moves_the_last_day_and_not_the_beginning() {
    let mut world = World::new();
    world.policy.baseline = Some(date("2026-03-18"));
    world.assign("23.0.1.0/29", "Acme").assigned_on = Some(date("2026-01-01"));
    world.assign("2600:100:10::/47", "Acme").assigned_on = Some(date("2026-03-19"));
    assert_eq!(
        found_since(&world),
        [
            "notice unregistered 23.0.1.0/29 due 2026-03-25 since 2026-01-01T00:00:00Z",
            "notice unregistered 2600:100:10::/47 due 2026-03-26 since 2026-03-19T00:00:00Z",
        ]
    );
}

/// What has to be registered only because it is announced does not have to be before it is.
#[test]
fn an_announced_prefix_is_not_due_before_it_is_announced() {
    let mut world = World::new();
    world.plan.tags.insert("Announced by itself".into(), "announced".into());
    for range in ["2600:100:10::/48", "2600:100:20::/47"] {
        let prefix = world.assign(range, "Acme");
        (prefix.tags, prefix.assigned_on) = (texts(["announced"]), Some(date("2026-03-01")));
        let tagged = world.state(range);
        assert_eq!(tagged.tags, texts(["Announced by itself"]));
        let plain = PrefixState { tags: BTreeSet::new(), ..tagged.clone() };
        world.history(range, [("2026-02-01T08:00:00Z", plain), ("2026-03-15T08:00:00Z", tagged)]);
    }
    assert_eq!(
        found_since(&world),
        [
            "alert overdue 2600:100:20::/47 due 2026-03-08 since 2026-03-01T00:00:00Z",
            "notice unregistered 2600:100:10::/48 due 2026-03-22 since 2026-03-15T08:00:00Z",
        ]
    );
}

#[test]
fn where_nobody_knows_since_when_it_is_announced_it_counts_from_when_it_was_found() {
    let mut world = World::new();
    let prefix = world.assign("2600:100:10::/48", "Acme");
    (prefix.tags, prefix.assigned_on) = (texts(["announced"]), Some(date("2026-03-01")));
    let id = prefix.id;
    assert_eq!(world.judged().wanted_histories, BTreeSet::from([id]));
    world.plan.histories.insert(id, Vec::new());
    assert_eq!(found(&world), ["notice unregistered 2600:100:10::/48 due 2026-03-27"]);
}
