//! Which finding stands where several rules could speak.

use super::*;

const WHY: &str = "ARIN did not answer";

/// Of a whole allocation that is assigned nothing is said of what it contains, but nets that are not in NetBox stay so.
#[test]
fn a_whole_allocation_stands_instead_of_a_split() {
    let mut world = World::new();
    world.assign("23.0.0.0/16", "Acme");
    world.reassign("NET-1", "23.0.1.0/29", "Acme");
    world.assign("2600:100::/40", "Acme");
    world.reassign("NET-2", "2600:100:10::/47", "Acme");
    assert_eq!(
        found(&world),
        [
            "notice not-in-netbox NET-1",
            "notice split 2600:100::/40 due 2026-03-23",
            "notice whole-allocation 23.0.0.0/16"
        ]
    );
}

/// Where somebody else has to register, it does not matter what is registered inside.
#[test]
fn what_is_not_ours_is_neither_split_nor_covered() {
    let mut world = World::new();
    world.org("CUST-1", Some("Acme"));
    world.assign("23.0.0.0/20", "Acme");
    world.reallocate("NET-A", "23.0.0.0/20", "CUST-1");
    world.assign("23.0.1.0/24", "Beta");
    world.reassign("NET-1", "23.0.1.0/25", "Beta");
    world.reassign("NET-2", "23.0.2.0/24", "Beta");
    world.assign("23.0.2.0/29", "Gamma");
    let split: Vec<String> = found(&world)
        .into_iter()
        .filter(|line| ["split", "wider", "not-in"].iter().any(|kind| line.contains(kind)))
        .collect();
    assert_eq!(split, NOTHING);
    assert!(found(&world).contains(&"info not-ours 23.0.1.0/24".to_owned()));
}

/// A net that could not be asked for is neither missing in NetBox nor there.
#[test]
fn a_net_without_a_prefix_that_was_not_answered_is_undecided() {
    let mut world = World::new();
    world.reassign("NET-1", "23.0.1.0/29", "Acme");
    world.reassign("NET-2", "23.0.2.0/29", "Acme");
    let before = world.judged().findings;
    world.plan.first_seen = before.iter().map(|finding| (finding.key(), time("2026-03-19"))).collect();
    world.look("23.0.0.0/16").unanswered.insert(cidr("23.0.1.0/29"), WHY.into());
    assert_eq!(found(&world), ["notice not-in-netbox NET-2"]);
    assert_eq!(world.judged().undecided, BTreeSet::from([before[0].key()]));
}

/// Whoever turns the listing off does not make the nets disappear that only it had.
#[test]
fn a_listed_net_is_not_forgotten_when_the_listing_is_off() {
    let mut world = World::new();
    let holder = Holder::Customer(CustomerHandle::new("C1").unwrap());
    world.list("23.0.0.0/16", "NET-1", ("23.0.1.0/29", holder));
    let key = world.judged().findings[0].key();
    world.plan.first_seen.insert(key.clone(), time("2026-03-19"));
    world.look("23.0.0.0/16").listed.clear();
    assert_eq!(world.judged().undecided, BTreeSet::new());
    world.look("23.0.0.0/16").source = LookSource::Questions;
    assert_eq!(world.judged().undecided, BTreeSet::from([key]));
}

/// A prefix of which nothing is known is told of whether it is assigned or not, unless it is left alone.
#[test]
fn prefixes_without_a_tenant_are_not_known_either() {
    let mut world = World::new();
    world.prefix("23.0.1.0/29");
    world.prefix("2600:100:10::/47");
    world.prefix("23.0.3.0/29").tags = texts(["leave-alone"]);
    world.prefix("23.0.4.0/29").vrf = Some(RowId(77));
    for (aggregate, range) in [
        ("23.0.0.0/16", "23.0.1.0/29"),
        ("2600:100::/32", "2600:100:10::/47"),
        ("23.0.0.0/16", "23.0.3.0/29"),
        ("23.0.0.0/16", "23.0.4.0/29"),
    ] {
        world.look(aggregate).unanswered.insert(cidr(range), WHY.into());
    }
    assert_eq!(found(&world), ["info not-known 23.0.1.0/29", "info not-known 2600:100:10::/47"]);
}

/// A net that several prefixes of one tenant make up is stale as a whole.
#[test]
fn a_net_of_several_prefixes_is_stale_once() {
    let mut world = World::new();
    world.reassign("NET-1", "23.0.1.128-23.0.2.127", "Acme");
    for range in ["23.0.1.128/25", "23.0.2.0/25"] {
        world.assign(range, "Acme").status = "reserved".into();
    }
    assert_eq!(found(&world), ["notice stale NET-1"]);
}

#[test]
fn a_split_that_is_due_counts_from_the_baseline_too() {
    let mut world = World::new();
    world.policy.baseline = Some(date("2026-03-15"));
    world.assign("23.0.1.0/24", "Acme").assigned_on = Some(date("2025-01-01"));
    world.reassign("NET-1", "23.0.1.0/25", "Acme");
    assert_eq!(found(&world), ["notice split 23.0.1.0/24 due 2026-03-22"]);
}

#[test]
fn a_new_holder_counts_from_the_baseline_too() {
    let mut world = World::new();
    world.policy.baseline = Some(date("2026-03-15"));
    world.assign("23.0.1.0/29", "Acme").assigned_on = Some(date("2026-01-01"));
    world.reassign("NET-1", "23.0.1.0/29", "Globex").registered_on = Some(date("2025-01-01"));
    assert_eq!(found(&world), ["notice customer-name NET-1 due 2026-03-22"]);
}

/// A pending one replaces what is due, but not what differs or what somebody else would have to do.
#[test]
fn a_request_makes_only_what_is_not_registered_pending() {
    let mut world = World::new();
    world.assign("23.0.1.0/29", "Acme");
    world.reassign("NET-1", "23.0.1.0/29", "Globex");
    world.request("reassign-simple", "waiting", "23.0.1.0/29");
    world.assign("23.0.2.0/29", "Acme").tenant = None;
    world.request("reassign-simple", "waiting", "23.0.2.0/29");
    world.assign("23.0.3.0/29", "Acme");
    world.request("reassign-simple", "waiting", "23.0.3.0/29");
    assert_eq!(found(&world), ["info pending 23.0.3.0/29 due 2026-03-23", "notice customer-name NET-1"]);
}

/// Two configs of one registry each ask for their own tenants, and each has its own organization.
#[test]
fn each_config_is_told_of_what_it_lacks() {
    let mut world = World::new();
    world.config("Second", "EXAMPLE-2");
    world.answer(ObjectType::Organization, US, Standing::Found(Recipient::default()));
    world.answer(ObjectType::Organization, "EXAMPLE-2", Standing::Found(Recipient::default())).config = RowId(2);
    assert_eq!(found(&world), ["alert org-incomplete EXAMPLE-1", "alert org-incomplete EXAMPLE-2"]);
    let configs: Vec<u64> = world.judged().findings.iter().map(|finding| finding.config.0).collect();
    assert_eq!(configs, [1, 2]);
    world.policy.own_tenants = None;
    let asked: Vec<String> = found(&world).into_iter().filter(|line| line.contains("not-known")).collect();
    assert_eq!(asked, ["info not-known Example", "info not-known Second"]);
}

/// Two aggregates of a net that do not make it up are both told of, with what there is.
#[test]
fn aggregates_that_do_not_make_up_their_net_are_all_told_of() {
    let mut world = World::new();
    world.aggregate("24.0.0.0/17");
    world.aggregate("24.0.128.0/18");
    world.allocate("NET-24", "24.0.0.0/16", US);
    world.aggregate("25.0.0.0/15");
    world.allocate("NET-25", "25.0.0.0/17", US);
    world.allocate("NET-26", "25.0.128.0/17", US);
    assert_eq!(
        found(&world),
        ["info aggregate-range 24.0.0.0/17", "info aggregate-range 24.0.128.0/18", "info aggregate-range 25.0.0.0/15",]
    );
    assert!(message(&world, Kind::AggregateRange, "25.0.0.0/15").contains('2'));
}

/// What is announced since it was created is announced since then.
#[test]
fn a_prefix_that_was_created_announced_is_announced_since_then() {
    let mut world = World::new();
    let prefix = world.assign_by_log("2600:100:10::/48", "Acme");
    prefix.tags = texts(["announced"]);
    let state = world.state("2600:100:10::/48");
    world.history("2600:100:10::/48", [("2026-03-15T08:00:00Z", state)]);
    world.plan.tags.insert("announced".into(), "announced".into());
    assert_eq!(found_since(&world), ["notice unregistered 2600:100:10::/48 due 2026-03-22 since 2026-03-15T08:00:00Z"]);
}

/// A prefix that may have been stale for longer says so.
#[test]
fn a_stale_net_of_a_cut_change_log_says_at_least() {
    let mut world = World::new();
    world.registered("NET-1", "23.0.1.0/29", "Acme").status = "reserved".into();
    let reserved = world.state("23.0.1.0/29");
    let tagged = PrefixState { tags: texts(["Something"]), ..reserved.clone() };
    world.history("23.0.1.0/29", [("2026-03-01T08:00:00Z", reserved), ("2026-03-11T08:00:00Z", tagged)]);
    world.cut("23.0.1.0/29", 1);
    assert_eq!(found_since(&world), ["notice stale NET-1 since 2026-03-11T08:00:00Z at least"]);
}

/// Of several deletions the last one counts.
#[test]
fn the_last_deletion_of_a_prefix_is_named() {
    let mut world = World::new();
    world.reassign("NET-1", "23.0.1.0/29", "Acme");
    world.deleted("23.0.1.0/29", "2026-03-18T09:30:00Z", "jane");
    world.deleted("23.0.1.0/29", "2026-03-10T09:30:00Z", "joe");
    let message = message(&world, Kind::PrefixGone, "NET-1");
    assert!(message.contains("jane") && message.contains("2026-03-18") && !message.contains("joe"), "{message}");
}

/// Groups that contain each other end nothing.
#[test]
fn groups_in_a_circle_are_no_trouble() {
    let mut world = World::new();
    let one = world.group("one", None);
    let two = world.group("two", Some(one));
    world.plan.tenant_groups.get_mut(&one).unwrap().parent = Some(two);
    world.change_tenant("Acme").group = Some(two);
    world.assign("23.0.1.0/29", "Acme");
    world.policy.own_tenant_groups = Some(texts(["other"]));
    assert_eq!(found(&world), ["notice unregistered 23.0.1.0/29 due 2026-03-23"]);
    world.policy.own_tenant_groups = Some(texts(["one"]));
    assert_eq!(found(&world), NOTHING);
}

/// Neither the name nor the address of a private customer is compared, but the tenant that it is linked to is.
#[test]
fn a_private_customer_can_be_linked_to_the_wrong_tenant() {
    let mut world = World::new();
    let beta = world.tenant("Beta");
    world.assign("23.0.1.0/29", "Acme");
    world.reassign("NET-1", "23.0.1.0/29", "Private Customer - Example");
    world.customer_of("NET-1").tenant = Some(beta);
    assert_eq!(found(&world), ["notice tenant-link NET-1"]);
}

/// A net whose own prefix is not assigned is stale, and covers what is assigned inside.
#[test]
fn a_stale_net_is_also_wider_than_what_is_assigned_inside() {
    let mut world = World::new();
    world.reassign("NET-1", "23.0.1.0/24", "Acme");
    world.assign("23.0.1.0/24", "Acme").status = "reserved".into();
    world.assign("23.0.1.0/29", "Acme");
    assert_eq!(found(&world), ["notice stale NET-1", "notice wider 23.0.1.0/29"]);
}

/// A net above an assignment that several prefixes of its tenant make up is in order for what lies inside these.
#[test]
fn what_lies_inside_one_of_several_prefixes_of_a_net_is_in_order() {
    let mut world = World::new();
    world.reassign("NET-1", "23.0.1.128-23.0.2.127", "Acme");
    world.assign("23.0.1.128/25", "Acme");
    world.assign("23.0.2.0/25", "Acme");
    world.assign("23.0.2.0/29", "Acme");
    world.assign("23.0.3.0/29", "Acme");
    assert_eq!(found(&world), ["notice unregistered 23.0.3.0/29 due 2026-03-23"]);
}

/// Whoever is at home and of whom ARIN does not say whether they are private is public.
#[test]
fn a_customer_of_whom_arin_does_not_say_it_is_public() {
    let mut world = World::new();
    world.policy.residential_tag = "home".into();
    world.registered("NET-1", "23.0.1.0/29", "Acme").tags = texts(["home"]);
    world.customer_of("NET-1").private = None;
    world.registered("NET-2", "23.0.2.0/29", "Acme");
    world.customer_of("NET-2").private = None;
    assert_eq!(found(&world), ["alert privacy NET-1"]);
}

/// A net that only the listing had is lost with its look, but what was found of it stays open.
#[test]
fn a_listed_net_that_differs_is_not_forgotten_when_its_look_is_lost() {
    let mut world = World::new();
    world.org("ACME-1", Some("Acme"));
    world.assign("23.0.1.0/29", "Acme");
    let holder = Holder::Customer(CustomerHandle::new("C1").unwrap());
    world.list("23.0.0.0/16", "NET-1", ("23.0.1.0/29", holder));
    let key = world.judged().findings[0].key();
    assert_eq!(found(&world), ["notice wrong-kind NET-1"]);
    world.plan.first_seen.insert(key.clone(), time("2026-03-19"));
    let aggregate = world.plan.aggregates[0].id;
    world.registrations.looks.aggregates.retain(|look| look.aggregate != aggregate);
    assert_eq!(found(&world), ["info not-known 23.0.0.0/16"]);
    assert_eq!(world.judged().undecided, BTreeSet::from([key]));
}
