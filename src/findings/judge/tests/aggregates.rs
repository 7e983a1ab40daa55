//! Aggregates beside their allocations, and what can be registered inside them: `aggregate-unregistered`,
//! `aggregate-held-by-other`, `aggregate-range`, `unsplittable`, `not-ours`, `whole-allocation`.

use super::*;

#[test]
fn an_aggregate_that_no_net_covers_is_unregistered() {
    let mut world = World::new();
    world.aggregate("24.0.0.0/16");
    world.aggregate("2600:200::/32");
    world.assign("24.0.1.0/29", "Acme");
    world.assign("2600:200::/44", "Acme");
    world.assign("23.0.1.0/29", "Acme");
    assert_eq!(
        found(&world),
        [
            "notice aggregate-unregistered 24.0.0.0/16",
            "notice aggregate-unregistered 2600:200::/32",
            "notice unregistered 23.0.1.0/29 due 2026-03-23",
        ]
    );
}

#[test]
fn an_aggregate_that_two_of_our_nets_make_up_is_registered() {
    let mut world = World::new();
    world.aggregate("24.0.0.0/15");
    world.allocate("NET-A", "24.0.0.0/16", US);
    world.allocate("NET-B", "24.1.0.0/16", US);
    world.assign("24.1.1.0/29", "Acme");
    assert_eq!(found(&world), ["notice unregistered 24.1.1.0/29 due 2026-03-23"]);
}

#[test]
fn an_aggregate_of_somebody_elses_net_is_held_by_another() {
    let mut world = World::new();
    world.allocated("NET-24", "24.0.0.0/16", "OTHER-1");
    world.aggregate("2600:200::/32");
    world.allocate("NET6-200", "2600:200::/28", "OTHER-1");
    world.assign("24.0.1.0/29", "Acme");
    world.reassign("NET-1", "24.0.2.0/29", "Acme");
    world.assign("2600:200::/44", "Acme");
    // Reallocated to us by somebody else.
    world.allocate("NET-25", "25.0.0.0/8", "OTHER-1");
    world.aggregate("25.1.0.0/16");
    world.reallocate("NET-25-1", "25.1.0.0/16", US);
    world.assign("25.1.1.0/29", "Acme");
    assert_eq!(
        found(&world),
        [
            "notice aggregate-held-by-other 24.0.0.0/16",
            "notice aggregate-held-by-other 2600:200::/32",
            "notice unregistered 25.1.1.0/29 due 2026-03-23",
        ]
    );
    assert!(message(&world, Kind::AggregateHeldByOther, "24.0.0.0/16").contains("OTHER-1"));
}

#[test]
fn an_aggregate_that_we_reallocated_as_a_whole_is_held_under_us() {
    let mut world = World::new();
    world.allocated("NET-24", "24.0.0.0/15", US);
    world.aggregate("24.0.0.0/16");
    world.reallocate("NET-A", "24.0.0.0/16", "CUST-1");
    world.aggregate("25.0.0.0/16");
    world.allocate("NET-25", "25.0.0.0/16", "OTHER-1");
    let held: Vec<String> = found(&world).into_iter().filter(|line| line.contains("held-by-other")).collect();
    assert_eq!(held, ["notice aggregate-held-by-other 25.0.0.0/16"]);
}

#[test]
fn an_aggregate_of_another_range_than_its_net_is_told() {
    let mut world = World::new();
    world.aggregate("24.0.0.0/17");
    world.allocate("NET-24", "24.0.0.0/16", US);
    world.aggregate("2600:200::/31");
    world.allocate("NET6-200", "2600:200::/32", US);
    // Two aggregates that make up their net.
    world.aggregate("25.0.0.0/17");
    world.aggregate("25.0.128.0/17");
    world.allocate("NET-25", "25.0.0.0/16", US);
    assert_eq!(found(&world), ["info aggregate-range 24.0.0.0/17", "info aggregate-range 2600:200::/31"]);
}

#[test]
fn what_is_inside_an_aggregate_of_another_range_is_judged() {
    let mut world = World::new();
    world.aggregate("24.0.0.0/17");
    world.allocate("NET-24", "24.0.0.0/16", US);
    world.assign("24.0.1.0/29", "Acme");
    assert_eq!(found(&world), ["info aggregate-range 24.0.0.0/17", "notice unregistered 24.0.1.0/29 due 2026-03-23",]);
}

#[test]
fn nothing_can_be_registered_inside_a_reassignment_to_us() {
    let mut world = World::new();
    for (upstream, own, aggregate) in
        [("24.0.0.0/12", "NET-24", "24.0.0.0/16"), ("2600:200::/28", "NET-6", "2600:200::/32")]
    {
        world.allocate(&format!("{own}-UP"), upstream, "UPSTREAM-1");
        world.aggregate(aggregate);
        world.reassign_to_org(own, aggregate, US);
    }
    world.assign("24.0.1.0/29", "Acme");
    world.assign("2600:200::/44", "Acme");
    // Reallocated, not reassigned.
    world.allocate("NET-25-UP", "25.0.0.0/8", "UPSTREAM-1");
    world.aggregate("25.1.0.0/16");
    world.reallocate("NET-25", "25.1.0.0/16", US);
    assert_eq!(found(&world), ["notice unsplittable 24.0.0.0/16", "notice unsplittable 2600:200::/32"]);
}

#[test]
fn what_lies_in_somebody_elses_reallocation_is_not_ours_to_register() {
    let mut world = World::new();
    world.org("CUST-1", Some("Acme"));
    for (net, range) in [("NET-1", "23.0.1.0/24"), ("NET-2", "2600:100:1000::/40")] {
        world.assign(range, "Acme");
        world.reallocate(net, range, "CUST-1");
    }
    world.assign("23.0.1.0/29", "Beta");
    world.assign("2600:100:1010::/44", "Beta");
    // In a reallocation to us, and outside of any.
    world.reallocate("NET-3", "23.0.3.0/24", US);
    world.assign("23.0.3.0/29", "Beta");
    world.assign("23.0.2.0/29", "Beta");
    assert_eq!(
        found(&world),
        [
            "info not-ours 23.0.1.0/29",
            "info not-ours 2600:100:1010::/44",
            "notice unregistered 23.0.2.0/29 due 2026-03-23",
            "notice unregistered 23.0.3.0/29 due 2026-03-23",
        ]
    );
}

#[test]
fn what_somebody_else_was_allocated_is_not_ours_to_register() {
    let mut world = World::new();
    world.allocate("NET-1", "23.0.1.0/24", "OTHER-1");
    world.assign("23.0.1.0/24", "Acme");
    world.assign("23.0.2.0/24", "Acme");
    assert_eq!(found(&world), ["info not-ours 23.0.1.0/24", "notice unregistered 23.0.2.0/24 due 2026-03-23",]);
}

/// What lies under somebody else's reallocation is theirs: their nets are compared with nothing.
#[test]
fn nets_in_somebody_elses_reallocation_are_not_compared() {
    let mut world = World::new();
    world.org("CUST-1", Some("Acme"));
    world.assign("23.0.1.0/24", "Acme");
    world.reallocate("NET-1", "23.0.1.0/24", "CUST-1");
    world.reassign("NET-2", "23.0.1.0/29", "Globex");
    world.reassign("NET-3", "23.0.1.8/29", "Globex");
    world.prefix("23.0.1.8/29");
    world.reassign("NET-4", "23.0.1.16/29", "Globex");
    world.assign("23.0.1.16/29", "Beta");
    world.reassign("NET-5", "23.0.2.0/29", "Globex");
    assert_eq!(found(&world), ["notice not-in-netbox NET-5"]);
}

#[test]
fn an_allocation_that_is_assigned_as_a_whole_is_told() {
    let mut world = World::new();
    world.assign("23.0.0.0/16", "Acme").assigned_on = Some(date("2026-03-01"));
    world.assign("2600:100::/32", "Acme");
    assert_eq!(found(&world), ["notice whole-allocation 23.0.0.0/16", "notice whole-allocation 2600:100::/32"]);
}

#[test]
fn an_allocation_with_a_reassignment_of_its_range_or_of_our_own_is_in_order() {
    let mut world = World::new();
    world.assign("23.0.0.0/16", "Us");
    world.registered("NET-1", "2600:100::/32", "Acme");
    world.reallocate("NET-2", "23.0.4.0/22", US);
    world.assign("23.0.4.0/22", "Beta");
    assert_eq!(found(&world), ["notice whole-allocation 23.0.4.0/22"]);
}
