//! Nets around, inside and across assigned prefixes: `wider`, `split`, `overlap`, and nets of several prefixes.

use super::*;

#[test]
fn a_wider_net_covers_an_assignment() {
    let mut world = World::new();
    world.reassign("NET-1", "23.0.1.0/24", "Gamma");
    world.assign("23.0.1.0/29", "Acme");
    world.reassign_to_org("NET-2", "2600:100:10::/44", "CUST-1");
    world.assign("2600:100:10::/47", "Acme");
    // Beside the net.
    world.assign("23.0.2.0/29", "Acme");
    // Too small to have to be registered.
    world.assign("23.0.1.8/30", "Acme");
    assert_eq!(
        found(&world),
        ["notice unregistered 23.0.2.0/29 due 2026-03-23", "notice wider 23.0.1.0/29", "notice wider 2600:100:10::/47",]
    );
    assert!(message(&world, Kind::Wider, "23.0.1.0/29").to_uppercase().contains("GAMMA"));
    assert!(message(&world, Kind::Wider, "2600:100:10::/47").contains("CUST-1"));
}

#[test]
fn a_wider_net_of_the_same_tenant_is_in_order_where_its_own_prefix_is_assigned() {
    let mut world = World::new();
    world.registered("NET-1", "23.0.1.0/24", "Acme");
    world.assign("23.0.1.0/29", "Acme");
    world.registered("NET-2", "2600:100:10::/44", "Acme");
    world.assign("2600:100:10::/47", "Acme");
    // The net of the same tenant has no prefix.
    world.reassign("NET-3", "23.0.3.0/24", "Acme");
    world.assign("23.0.3.0/29", "Acme");
    assert_eq!(found(&world), ["notice wider 23.0.3.0/29"]);
}

/// Whoever shows small ones is shown those in wider nets too.
#[test]
fn a_wider_net_matters_where_the_prefix_has_to_be_registered_or_all_are_shown() {
    let mut world = World::new();
    world.reassign("NET-1", "23.0.1.0/24", "Gamma");
    world.assign("23.0.1.0/30", "Acme");
    let without =
        |world: &World| found(world).into_iter().filter(|line| !line.contains("not-in-netbox")).collect::<Vec<_>>();
    assert_eq!(without(&world), NOTHING);
    world.policy.voluntary = true;
    assert_eq!(without(&world), ["notice wider 23.0.1.0/30"]);
}

#[test]
fn nets_inside_an_unregistered_assignment_split_it() {
    let mut world = World::new();
    world.assign("23.0.1.0/24", "Acme");
    world.reassign("NET-1", "23.0.1.0/25", "Acme");
    world.assign("2600:100:10::/44", "Acme").assigned_on = Some(date("2026-03-10"));
    world.reassign("NET-2", "2600:100:10::/45", "Acme");
    // Nothing inside, and a registered one with a net beside.
    world.assign("23.0.2.0/24", "Acme");
    world.registered("NET-3", "23.0.3.0/24", "Acme");
    assert_eq!(
        found(&world),
        [
            "alert split 2600:100:10::/44 due 2026-03-17",
            "notice split 23.0.1.0/24 due 2026-03-23",
            "notice unregistered 23.0.2.0/24 due 2026-03-23",
        ]
    );
    assert!(message(&world, Kind::Split, "23.0.1.0/24").contains("128"));
}

/// Where the nets inside cover it wholly there is no hurry; where each is an assignment of its own, nothing is wrong.
#[test]
fn nets_that_cover_an_assignment_wholly_are_in_order_only_as_assignments() {
    let mut world = World::new();
    world.assign("23.0.1.0/24", "Acme");
    world.reassign("NET-1", "23.0.1.0/25", "Acme");
    world.reassign("NET-2", "23.0.1.128/25", "Acme");
    world.assign("2600:100:10::/44", "Acme");
    world.registered("NET-3", "2600:100:10::/45", "Beta");
    world.registered("NET-4", "2600:100:18::/45", "Gamma");
    assert_eq!(found(&world), ["notice split 23.0.1.0/24"]);
}

#[test]
fn a_net_inside_without_a_tenant_at_its_prefix_still_splits() {
    let mut world = World::new();
    world.assign("23.0.1.0/24", "Acme");
    world.registered("NET-1", "23.0.1.0/25", "Beta");
    world.registered("NET-2", "23.0.1.128/25", "Beta").tenant = None;
    let found = found(&world);
    assert!(found.contains(&"notice split 23.0.1.0/24".to_owned()), "{found:#?}");
    assert!(!found.iter().any(|line| line.contains("unregistered")), "{found:#?}");
}

/// A split assignment needs nothing else said: neither that it is unregistered or lacks data, nor of the nets inside.
#[test]
fn a_split_assignment_replaces_what_would_be_said_of_its_parts() {
    let mut world = World::new();
    world.without_address("Nowhere");
    world.assign("23.0.1.0/24", "Nowhere");
    world.reassign("NET-1", "23.0.1.0/25", "Nowhere");
    world.deleted("23.0.1.0/25", "2026-03-18", "jane");
    world.reassign("NET-2", "23.0.2.0/25", "Nowhere");
    assert_eq!(found(&world), ["notice not-in-netbox NET-2", "notice split 23.0.1.0/24 due 2026-03-23"]);
}

#[test]
fn a_small_assignment_is_not_told_to_be_split() {
    let mut world = World::new();
    world.assign("2600:100:10::/48", "Acme");
    world.registered("NET-1", "2600:100:10::/52", "Acme");
    world.assign("2600:100:20::/47", "Acme");
    world.registered("NET-2", "2600:100:20::/52", "Acme");
    assert_eq!(found(&world), ["notice split 2600:100:20::/47 due 2026-03-23"]);
}

#[test]
fn a_net_that_is_no_prefix_overlaps_an_assignment() {
    let mut world = World::new();
    world.reassign("NET-1", "23.0.1.128-23.0.2.127", "Gamma");
    world.assign("23.0.1.0/24", "Acme");
    world.reassign("NET-2", "2600:100:18::-2600:100:27:ffff:ffff:ffff:ffff:ffff", "Gamma");
    world.assign("2600:100:20::/44", "Acme");
    // Beside it; and not assigned.
    world.assign("23.0.3.0/24", "Acme");
    world.prefix("23.0.2.0/24");
    assert_eq!(
        found(&world),
        [
            "notice overlap 23.0.1.0/24",
            "notice overlap 2600:100:20::/44",
            "notice unregistered 23.0.3.0/24 due 2026-03-23",
        ]
    );
}

/// A net named because of an assignment is not told of again for having no prefix.
#[test]
fn a_net_that_is_named_by_an_assignment_is_not_also_missing_in_netbox() {
    let mut world = World::new();
    world.reassign("NET-1", "23.0.1.0/24", "Gamma");
    world.reassign("NET-2", "23.0.2.128-23.0.3.127", "Gamma");
    world.reassign("NET-3", "23.0.4.0/25", "Gamma");
    let nets = ["notice not-in-netbox NET-1", "notice not-in-netbox NET-2", "notice not-in-netbox NET-3"];
    assert_eq!(found(&world), nets);
    world.assign("23.0.1.0/29", "Acme");
    world.assign("23.0.2.0/24", "Acme");
    world.assign("23.0.4.0/24", "Acme");
    assert_eq!(
        found(&world),
        ["notice overlap 23.0.2.0/24", "notice split 23.0.4.0/24 due 2026-03-23", "notice wider 23.0.1.0/29",]
    );
}

/// Prefixes of one tenant that make up a net exactly are its place in NetBox.
#[test]
fn prefixes_that_make_up_a_net_are_registered_by_it() {
    let mut world = World::new();
    world.reassign("NET-1", "23.0.1.128-23.0.2.127", "Acme");
    world.assign("23.0.1.128/25", "Acme");
    world.assign("23.0.2.0/25", "Acme");
    world.reassign("NET-2", "2600:100:10::/46", "Acme");
    world.assign("2600:100:10::/47", "Acme");
    world.assign("2600:100:12::/47", "Acme");
    assert_eq!(found(&world), NOTHING);
    // One is missing.
    world.plan.prefixes.pop();
    assert_eq!(found(&world), ["notice wider 2600:100:10::/47"]);
}

#[test]
fn prefixes_of_two_tenants_do_not_make_up_a_net() {
    let mut world = World::new();
    world.reassign("NET-1", "23.0.1.0/24", "Acme");
    world.assign("23.0.1.0/25", "Acme");
    world.assign("23.0.1.128/25", "Beta");
    assert_eq!(found(&world), ["notice wider 23.0.1.0/25", "notice wider 23.0.1.128/25"]);
}

#[test]
fn what_differs_at_a_net_of_several_prefixes_is_told_once() {
    let mut world = World::new();
    world.reassign("NET-1", "23.0.1.128-23.0.2.127", "Somebody");
    world.assign("23.0.1.128/25", "Acme");
    world.assign("23.0.2.0/25", "Acme");
    assert_eq!(found(&world), ["notice customer-name NET-1"]);
}

/// A net of several blocks is judged by its range, whatever it is linked to.
#[test]
fn a_net_of_several_blocks_is_made_up_by_a_prefix_for_each() {
    let mut world = World::new();
    let net = world.reassign("NET-1", "23.0.1.0/24", "Acme");
    net.blocks.push(block("23.0.2.0/23"));
    world.assign("23.0.1.0/24", "Acme");
    world.assign("23.0.2.0/23", "Acme");
    assert_eq!(found(&world), NOTHING);
    // The prefix of one block is missing.
    world.plan.prefixes.pop();
    assert_eq!(found(&world), ["notice wider 23.0.1.0/24"]);
}

/// A container of a customer with a net of its own is an assignment, and what it contains for the same tenant is none.
#[test]
fn a_registered_container_of_a_customer_is_assigned() {
    let mut world = World::new();
    world.registered("NET-1", "23.0.1.0/24", "Acme").status = "container".into();
    world.assign("23.0.1.0/26", "Acme");
    world.registered("NET-2", "2600:100:1000::/40", "Acme").status = "container".into();
    world.assign("2600:100:1010::/44", "Acme");
    // Without a net of its own a container is not assigned, and what it contains is.
    world.assign("23.0.2.0/24", "Acme").status = "container".into();
    world.assign("23.0.2.0/26", "Acme");
    assert_eq!(found(&world), ["notice unregistered 23.0.2.0/26 due 2026-03-23"]);
}

#[test]
fn a_registered_container_is_compared_like_any_assignment() {
    let mut world = World::new();
    world.reassign("NET-1", "23.0.1.0/24", "Somebody");
    world.assign("23.0.1.0/24", "Acme").status = "container".into();
    // A container of our own is none of a customer.
    world.reassign("NET-2", "23.0.2.0/24", "Somebody");
    world.assign("23.0.2.0/24", "Us").status = "container".into();
    assert_eq!(found(&world), ["notice customer-name NET-1", "notice stale NET-2"]);
}
