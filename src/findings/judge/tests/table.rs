//! The one table of the global and all public VRFs, and ranges that are in it twice: `duplicate-range`.

use super::*;

#[test]
fn one_range_of_two_customers_is_told_and_nothing_else_is_said_of_it() {
    let mut world = World::new();
    let public = world.vrf("internet");
    world.assign("23.0.1.0/29", "Acme");
    world.assign("23.0.1.0/29", "Beta").vrf = Some(public);
    world.assign("2600:100:10::/47", "Acme");
    world.assign("2600:100:10::/47", "Beta");
    // Registered for neither of both.
    world.assign("23.0.2.0/29", "Acme");
    world.assign("23.0.2.0/29", "Beta");
    world.reassign("NET-2", "23.0.2.0/29", "Globex");
    assert_eq!(
        found(&world),
        [
            "notice duplicate-range 23.0.1.0/29",
            "notice duplicate-range 23.0.2.0/29",
            "notice duplicate-range 2600:100:10::/47",
        ]
    );
    let message = message(&world, Kind::DuplicateRange, "23.0.1.0/29");
    assert!(message.contains("Acme") && message.contains("Beta"), "{message}");
}

/// Equal ones count once, and what is not assigned is ignored beside what is.
#[test]
fn one_range_of_one_customer_is_one_subject() {
    let mut world = World::new();
    let (public, own) = (world.vrf("internet"), world.vrf("customers"));
    // The same tenant twice.
    world.assign("23.0.1.0/29", "Acme");
    world.assign("23.0.1.0/29", "Acme").vrf = Some(public);
    // Another one without a tenant, not assigned, of our own, or in a VRF that is not public.
    world.assign("23.0.2.0/29", "Acme");
    world.prefix("23.0.2.0/29").vrf = Some(public);
    world.assign("23.0.3.0/29", "Acme");
    world.assign("23.0.3.0/29", "Beta").status = "reserved".into();
    world.assign("23.0.4.0/29", "Acme");
    world.assign("23.0.4.0/29", "Us").vrf = Some(public);
    world.assign("2600:100:10::/47", "Acme");
    world.assign("2600:100:10::/47", "Beta").vrf = Some(own);
    assert_eq!(
        found(&world),
        [
            "notice unregistered 23.0.1.0/29 due 2026-03-23",
            "notice unregistered 23.0.2.0/29 due 2026-03-23",
            "notice unregistered 23.0.3.0/29 due 2026-03-23",
            "notice unregistered 23.0.4.0/29 due 2026-03-23",
            "notice unregistered 2600:100:10::/47 due 2026-03-23",
        ]
    );
    assert_eq!(world.judged().figures[&RowId(1)].subjects, 5);
}

#[test]
fn of_two_equal_prefixes_the_older_one_is_named() {
    let mut world = World::new();
    let first = world.assign("23.0.1.0/29", "Acme").id;
    world.assign("23.0.1.0/29", "Acme");
    world.plan.prefixes.reverse();
    let links = world.judged().findings[0].links.clone();
    assert_eq!(links.prefix.and_then(|prefix| prefix.row), Some(first));
}

#[test]
fn public_vrfs_are_part_of_the_table_and_others_are_not() {
    let mut world = World::new();
    let (public, own) = (world.vrf("internet"), world.vrf("customers"));
    world.assign("23.0.1.0/29", "Acme").vrf = Some(public);
    world.assign("2600:100:10::/47", "Acme").vrf = Some(public);
    world.assign("23.0.2.0/29", "Acme").vrf = Some(own);
    // One table: the one above in the global table is the assignment.
    world.assign("23.0.4.0/24", "Acme");
    world.assign("23.0.4.0/29", "Acme").vrf = Some(public);
    // Another one: it is above nothing.
    world.assign("23.0.5.0/24", "Acme").vrf = Some(own);
    world.assign("23.0.5.0/29", "Acme");
    assert_eq!(
        found(&world),
        [
            "notice unregistered 23.0.1.0/29 due 2026-03-23",
            "notice unregistered 23.0.4.0/24 due 2026-03-23",
            "notice unregistered 23.0.5.0/29 due 2026-03-23",
            "notice unregistered 2600:100:10::/47 due 2026-03-23",
        ]
    );
}

/// What people see first is what has to be done first.
#[test]
fn findings_are_in_the_order_in_which_they_have_to_be_dealt_with() {
    let mut world = World::new();
    world.policy.voluntary = true;
    world.assign("23.0.1.0/29", "Acme");
    world.assign("23.0.2.0/29", "Acme").assigned_on = Some(date("2026-03-10"));
    world.assign("23.0.3.0/29", "Acme").assigned_on = Some(date("2026-03-09"));
    world.assign("23.0.4.0/30", "Acme");
    world.reassign("NET-5", "23.0.5.0/29", "Acme");
    world.assign("23.0.6.0/29", "Acme").assigned_on = Some(date("2026-03-14"));
    let lines: Vec<String> = world.judged().findings.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "alert overdue 23.0.3.0/29 due 2026-03-16",
            "alert overdue 23.0.2.0/29 due 2026-03-17",
            "notice unregistered 23.0.6.0/29 due 2026-03-21",
            "notice unregistered 23.0.1.0/29 due 2026-03-23",
            "notice not-in-netbox NET-5",
            "info voluntary 23.0.4.0/30",
        ]
    );
}

#[test]
fn a_finding_links_what_it_is_about() {
    let mut world = World::new();
    let prefix = world.assign("23.0.1.0/29", "Acme").id;
    let net = world.reassign("NET-1", "23.0.1.0/29", "Globex").row;
    let customer = world.customer_of("NET-1").row;
    let links = world.judged().findings[0].links.clone();
    let rows = [&links.prefix, &links.network, &links.customer].map(|link| link.as_ref().and_then(|link| link.row));
    assert_eq!(rows, [Some(prefix), Some(net), Some(customer)]);
}

#[test]
fn a_finding_about_a_listed_net_names_it_without_a_row() {
    let mut world = World::new();
    let holder = Holder::Customer(CustomerHandle::new("C1").unwrap());
    world.list("23.0.0.0/16", "NET-1", ("23.0.1.0/29", holder));
    let network = world.judged().findings[0].links.network.clone().unwrap();
    assert_eq!((network.row, network.name.as_str()), (None, "NET-1"));
}
