//! Nets that have no prefix, or one that is not assigned: `not-in-netbox`, `prefix-gone`, `stale`.

use super::*;

fn customer(handle: &str) -> Holder {
    Holder::Customer(CustomerHandle::new(handle).unwrap())
}

#[test]
fn a_net_without_a_prefix_is_not_in_netbox() {
    let mut world = World::new();
    world.reassign("NET-1", "23.0.1.0/29", "Acme");
    world.reassign_to_org("NET-2", "23.0.2.0/24", "CUST-1");
    world.reallocate("NET-3", "2600:100:10::/44", "CUST-1");
    // In NetBox.
    world.registered("NET-4", "23.0.4.0/29", "Acme");
    world.registered("NET-5", "2600:100:20::/47", "Acme");
    // The registry does not have it any more.
    world.reassign("NET-6", "23.0.6.0/29", "Acme").registered = false;
    assert_eq!(
        found(&world),
        ["notice not-in-netbox NET-1", "notice not-in-netbox NET-2", "notice not-in-netbox NET-3",]
    );
}

#[test]
fn a_net_that_only_the_public_listing_has_is_not_in_netbox_either() {
    let mut world = World::new();
    world.list("23.0.0.0/16", "NET-1", ("23.0.1.0/29", customer("C1")));
    world.list("2600:100::/32", "NET-2", ("2600:100:10::/44", customer("C2")));
    world.list("23.0.0.0/16", "NET-3", ("23.0.3.0/29", customer("C3")));
    world.assign("23.0.3.0/29", "Acme");
    assert_eq!(found(&world), ["notice not-in-netbox NET-1", "notice not-in-netbox NET-2"]);
}

#[test]
fn an_aggregate_of_the_range_of_a_net_is_its_place_in_netbox() {
    let mut world = World::new();
    world.allocated("NET-24", "24.0.0.0/15", US);
    world.aggregate("24.0.0.0/16");
    world.aggregate("24.1.0.0/16");
    world.reallocate("NET-A", "24.0.0.0/16", "CUST-1");
    world.reassign("NET-B", "24.1.1.0/24", "Acme");
    assert!(!found(&world).iter().any(|line| line.contains("not-in-netbox NET-A")), "{:#?}", found(&world));
    assert!(found(&world).contains(&"notice not-in-netbox NET-B".to_owned()), "{:#?}", found(&world));
}

/// A net is told apart by its handle and its date of registration, as ARIN uses handles again.
#[test]
fn a_net_is_another_one_when_it_was_registered_on_another_day() {
    let mut world = World::new();
    world.reassign("NET-1", "23.0.1.0/29", "Acme");
    let subject = |world: &World| world.judged().findings[0].subject.clone();
    assert_eq!(subject(&world), Subject::Net(net_handle("NET-1"), Some(date("2026-03-17"))));
    let before = world.judged().findings[0].key();
    world.change_net("NET-1").registered_on = Some(date("2026-03-18"));
    assert_ne!(before, world.judged().findings[0].key());
}

/// A prefix in a VRF that is not public is not in the table, but it is what the operator looks for.
#[test]
fn a_prefix_in_another_vrf_is_not_in_the_table_but_is_named() {
    let mut world = World::new();
    let (public, own) = (world.vrf("internet"), world.vrf("customers"));
    for (net, range, vrf) in
        [("NET-1", "23.0.1.0/29", own), ("NET-2", "2600:100:10::/47", own), ("NET-3", "23.0.3.0/29", public)]
    {
        world.registered(net, range, "Acme").vrf = Some(vrf);
    }
    assert_eq!(found(&world), ["notice not-in-netbox NET-1", "notice not-in-netbox NET-2"]);
    assert!(message(&world, Kind::NotInNetbox, "NET-1").contains("customers"));
}

#[test]
fn a_prefix_that_was_deleted_is_gone() {
    let mut world = World::new();
    for (net, range) in [("NET-1", "23.0.1.0/29"), ("NET-2", "2600:100:10::/47"), ("NET-3", "23.0.3.0/29")] {
        world.reassign(net, range, "Acme");
    }
    world.deleted("23.0.1.0/29", "2026-03-18T09:30:00Z", "jane");
    world.deleted("2600:100:10::/47", "2026-03-19T09:30:00Z", "joe");
    // Others were deleted there.
    world.deleted("23.0.3.0/30", "2026-03-19T09:30:00Z", "joe");
    world.deleted("23.0.3.0/28", "2026-03-19T09:30:00Z", "joe");
    // It was made again.
    world.registered("NET-4", "23.0.4.0/29", "Acme");
    world.deleted("23.0.4.0/29", "2026-03-18T09:30:00Z", "jane");
    assert_eq!(found(&world), ["notice not-in-netbox NET-3", "notice prefix-gone NET-1", "notice prefix-gone NET-2",]);
    let message = message(&world, Kind::PrefixGone, "NET-1");
    assert!(message.contains("jane") && message.contains("2026-03-18"), "{message}");
}

/// A net that has lost its prefix stays the same finding.
#[test]
fn a_prefix_that_is_gone_replaces_one_that_is_not_there() {
    let mut world = World::new();
    world.reassign("NET-1", "23.0.1.0/29", "Acme");
    let before = world.judged().findings[0].key();
    world.deleted("23.0.1.0/29", "2026-03-18T09:30:00Z", "jane");
    let after = world.judged().findings;
    assert_eq!((after.len(), after[0].kind, after[0].key()), (1, Kind::PrefixGone, before));
}

#[test]
fn deletions_are_wanted_where_a_net_is_not_in_netbox() {
    let mut world = World::new();
    world.plan.deletions = None;
    world.registered("NET-1", "23.0.1.0/29", "Acme");
    assert!(!world.judged().wants_deletions);
    world.reassign("NET-2", "23.0.2.0/29", "Acme");
    assert!(world.judged().wants_deletions);
    world.plan.deletions = Some(Vec::new());
    assert!(!world.judged().wants_deletions);
}

#[test]
fn a_net_whose_prefix_is_not_assigned_any_more_is_stale() {
    let mut world = World::new();
    world.registered("NET-STATUS", "23.0.1.0/29", "Acme").status = "reserved".into();
    world.registered("NET-STATUS6", "2600:100:10::/47", "Acme").status = "deprecated".into();
    world.registered("NET-NOBODY", "23.0.2.0/29", "Acme").tenant = None;
    world.registered("NET-OWN", "23.0.3.0/29", "Acme");
    let us = world.tenant("Us");
    world.plan.prefixes.last_mut().unwrap().tenant = Some(us);
    // Assigned, or a container.
    world.registered("NET-FINE", "23.0.4.0/29", "Acme");
    world.registered("NET-CONTAINER", "23.0.5.0/24", "Acme").status = "container".into();
    // Not registered.
    world.assign("23.0.6.0/29", "Acme").status = "reserved".into();
    world.reassign("NET-GONE", "23.0.6.0/29", "Acme").registered = false;
    assert_eq!(
        found(&world),
        ["notice stale NET-NOBODY", "notice stale NET-OWN", "notice stale NET-STATUS", "notice stale NET-STATUS6",]
    );
}

/// It has been stale since its condition became true, not since anything else changed.
#[test]
fn a_net_is_stale_since_the_prefix_was_given_up() {
    let mut world = World::new();
    world.registered("NET-1", "23.0.1.0/29", "Acme").status = "reserved".into();
    let reserved = world.state("23.0.1.0/29");
    let active = PrefixState { status: "active".into(), ..reserved.clone() };
    let tagged = PrefixState { tags: texts(["Something"]), ..reserved.clone() };
    world.history(
        "23.0.1.0/29",
        [("2026-03-01T08:00:00Z", active), ("2026-03-18T08:00:00Z", tagged), ("2026-03-19T08:00:00Z", reserved)],
    );
    world.registered("NET-2", "2600:100:10::/47", "Acme").tenant = None;
    let free = world.state("2600:100:10::/47");
    let acme = world.tenant("Acme");
    let taken = PrefixState { tenant: Some(acme), ..free.clone() };
    world.history("2600:100:10::/47", [("2026-03-02T08:00:00Z", taken), ("2026-03-17T08:00:00Z", free)]);
    assert_eq!(
        found_since(&world),
        ["notice stale NET-1 since 2026-03-18T08:00:00Z", "notice stale NET-2 since 2026-03-17T08:00:00Z",]
    );
}

#[test]
fn the_history_of_a_stale_net_is_wanted() {
    let mut world = World::new();
    let id = world.registered("NET-1", "23.0.1.0/29", "Acme").id;
    assert_eq!(world.judged().wanted_histories, BTreeSet::new());
    world.plan.prefixes.last_mut().unwrap().status = "reserved".into();
    assert_eq!(world.judged().wanted_histories, BTreeSet::from([id]));
}

/// Only allocations, reallocations and reassignments are registrations.
#[test]
fn a_net_of_another_type_registers_nothing() {
    let mut world = World::new();
    world.net("NET-1", "23.0.1.0/29", NetType::Registry("AR".into()));
    world.net("NET-2", "2600:100:10::/47", NetType::Other("XX".into()));
    world.net("NET-3", "23.0.3.0/29", NetType::Reassigned).kind = None;
    for net in ["NET-1", "NET-2", "NET-3"] {
        world.change_net(net).holder = Some(Holder::Org(org_handle("CUST-1")));
    }
    assert_eq!(found(&world), NOTHING);
    world.assign("23.0.1.0/29", "Acme");
    world.assign("2600:100:10::/47", "Acme");
    assert_eq!(
        found(&world),
        ["notice unregistered 23.0.1.0/29 due 2026-03-23", "notice unregistered 2600:100:10::/47 due 2026-03-23",]
    );
}

/// An allocation inside an aggregate is no customer's, so that it needs no prefix.
#[test]
fn an_allocation_needs_no_prefix() {
    let mut world = World::new();
    world.allocate("NET-1", "23.0.0.0/20", US);
    world.allocate("NET-2", "2600:100::/36", US);
    world.reassign("NET-3", "23.0.1.0/29", "Acme");
    assert_eq!(found(&world), ["notice not-in-netbox NET-3"]);
}
