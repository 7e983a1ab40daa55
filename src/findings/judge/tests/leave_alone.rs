//! What the operator does not want to be told of.

use super::*;

/// Neither the prefix, nor prefixes of the same tenant inside, nor a net of its range.
#[test]
fn nothing_is_said_of_a_prefix_that_is_left_alone() {
    let mut world = World::new();
    let alone = texts(["leave-alone"]);
    world.assign("23.0.1.0/24", "Acme").tags = alone.clone();
    world.assign("23.0.1.0/29", "Acme");
    world.assign("2600:100:10::/44", "Acme").tags = alone.clone();
    world.registered("NET-1", "23.0.2.0/29", "Acme").tags = alone.clone();
    world.customer_of("NET-1").name = "Globex".into();
    world.reassign("NET-2", "23.0.3.0/29", "Acme");
    world.prefix("23.0.3.0/29").tags = alone;
    assert_eq!(found(&world), NOTHING);
    world.policy.opt_out_tag = "another".into();
    assert_eq!(
        found(&world),
        [
            "notice customer-name NET-1",
            "notice stale NET-2",
            "notice unregistered 23.0.1.0/24 due 2026-03-23",
            "notice unregistered 2600:100:10::/44 due 2026-03-23",
        ]
    );
}

#[test]
fn others_inside_a_prefix_that_is_left_alone_are_not() {
    let mut world = World::new();
    world.assign("23.0.1.0/24", "Acme").tags = texts(["leave-alone"]);
    world.assign("23.0.1.0/29", "Beta");
    world.assign("23.0.2.0/29", "Acme");
    assert_eq!(
        found(&world),
        ["notice unregistered 23.0.1.0/29 due 2026-03-23", "notice unregistered 23.0.2.0/29 due 2026-03-23",]
    );
}

#[test]
fn nothing_is_said_of_a_tenant_that_is_left_alone() {
    let mut world = World::new();
    world.change_tenant("Acme").tags = texts(["leave-alone"]);
    world.assign("23.0.1.0/29", "Acme");
    world.assign("2600:100:10::/47", "Acme");
    world.reassign("NET-1", "23.0.2.0/29", "Globex");
    world.assign("23.0.2.0/29", "Acme");
    world.assign("23.0.3.0/29", "Beta");
    assert_eq!(found(&world), ["notice unregistered 23.0.3.0/29 due 2026-03-23"]);
}

#[test]
fn without_a_tag_for_it_nothing_is_left_alone() {
    let mut world = World::new();
    world.policy.opt_out_tag = String::new();
    world.assign("23.0.1.0/29", "Acme").tags = texts(["leave-alone"]);
    world.assign("23.0.2.0/29", "Acme").tags = texts([""]);
    assert_eq!(
        found(&world),
        ["notice unregistered 23.0.1.0/29 due 2026-03-23", "notice unregistered 23.0.2.0/29 due 2026-03-23",]
    );
}
