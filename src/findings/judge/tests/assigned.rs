//! Assigned prefixes that are not registered: `unregistered`, `overdue`, `voluntary`, `needs-data`.

use super::*;

#[test]
fn what_is_assigned_large_enough_and_not_registered_has_seven_days() {
    let mut world = World::new();
    world.assign("23.0.1.0/29", "Acme");
    world.assign("23.0.2.0/24", "Beta");
    world.assign("2600:100::/47", "Acme");
    // Too small to have to be registered.
    world.assign("23.0.3.0/30", "Acme");
    world.assign("2600:100:10::/48", "Acme");
    assert_eq!(
        found(&world),
        [
            "notice unregistered 23.0.1.0/29 due 2026-03-23",
            "notice unregistered 23.0.2.0/24 due 2026-03-23",
            "notice unregistered 2600:100::/47 due 2026-03-23",
        ]
    );
}

#[test]
fn what_is_registered_for_its_tenant_is_in_order() {
    let mut world = World::new();
    world.registered("NET-1", "23.0.1.0/29", "Acme");
    world.registered("NET-2", "2600:100::/47", "Acme");
    world.assign("23.0.1.8/29", "Acme");
    assert_eq!(found(&world), ["notice unregistered 23.0.1.8/29 due 2026-03-23"]);
}

#[test]
fn what_is_not_assigned_to_a_customer_does_not_have_to_be_registered() {
    let mut world = World::new();
    world.assign("23.0.1.0/24", "Us");
    world.prefix("23.0.2.0/24");
    world.assign("23.0.3.0/24", "Acme").status = "reserved".into();
    world.assign("2600:100:10::/44", "Us");
    world.assign("2600:100:20::/44", "Acme").status = "deprecated".into();
    world.assign("23.0.4.0/24", "Acme");
    assert_eq!(found(&world), ["notice unregistered 23.0.4.0/24 due 2026-03-23"]);
}

#[test]
fn a_prefix_inside_an_assignment_to_the_same_tenant_is_no_assignment_of_its_own() {
    let mut world = World::new();
    world.assign("23.0.1.0/24", "Acme");
    world.assign("23.0.1.0/25", "Acme");
    world.assign("23.0.1.0/28", "Acme");
    world.assign("2600:100::/40", "Acme");
    world.assign("2600:100:10::/44", "Acme");
    // The one above of the same tenant is not assigned.
    world.assign("23.0.2.0/24", "Acme").status = "reserved".into();
    world.assign("23.0.2.0/25", "Acme");
    assert_eq!(
        found(&world),
        [
            "notice unregistered 23.0.1.0/24 due 2026-03-23",
            "notice unregistered 23.0.2.0/25 due 2026-03-23",
            "notice unregistered 2600:100::/40 due 2026-03-23",
        ]
    );
}

#[test]
fn a_prefix_of_another_tenant_inside_an_assignment_is_one() {
    let mut world = World::new();
    world.assign("23.0.1.0/24", "Acme");
    world.assign("23.0.1.0/25", "Beta");
    assert_eq!(
        found(&world),
        ["notice unregistered 23.0.1.0/24 due 2026-03-23", "notice unregistered 23.0.1.0/25 due 2026-03-23",]
    );
}

#[test]
fn an_assignment_between_two_of_the_same_tenant_does_not_part_them() {
    let mut world = World::new();
    world.assign("23.0.0.0/20", "Acme");
    world.assign("23.0.1.0/24", "Beta");
    world.assign("23.0.1.0/25", "Acme");
    assert_eq!(
        found(&world),
        ["notice unregistered 23.0.0.0/20 due 2026-03-23", "notice unregistered 23.0.1.0/24 due 2026-03-23",]
    );
}

#[test]
fn only_registrable_space_inside_an_aggregate_of_the_rir_is_judged() {
    let mut world = World::new();
    world.allocated("NET-10", "10.0.0.0/8", US);
    world.assign("10.1.0.0/16", "Acme");
    world.assign("24.0.0.0/24", "Acme");
    world.policy.voluntary = true;
    world.assign("2600:100::/65", "Acme");
    world.assign("2600:100:1::/64", "Acme");
    assert_eq!(found(&world), ["info voluntary 2600:100:1::/64"]);
}

#[test]
fn it_is_overdue_from_the_day_after_the_seventh() {
    let mut world = World::new();
    world.assign("23.0.1.0/29", "Acme").assigned_on = Some(date("2026-03-12"));
    world.assign("2600:100::/47", "Acme").assigned_on = Some(date("2026-03-10"));
    // The last day is not over.
    world.assign("23.0.2.0/29", "Acme").assigned_on = Some(date("2026-03-13"));
    // Registered ones are not late, and small ones never.
    world.registered("NET-1", "23.0.3.0/29", "Acme").assigned_on = Some(date("2026-03-10"));
    world.assign("23.0.4.0/30", "Acme").assigned_on = Some(date("2026-03-10"));
    assert_eq!(
        found(&world),
        [
            "alert overdue 23.0.1.0/29 due 2026-03-19",
            "alert overdue 2600:100::/47 due 2026-03-17",
            "notice unregistered 23.0.2.0/29 due 2026-03-20",
        ]
    );
}

#[test]
fn the_last_day_ends_at_midnight_utc() {
    let mut world = World::new();
    world.assign("23.0.1.0/29", "Acme").assigned_on = Some(date("2026-03-13"));
    world.now = time("2026-03-20T23:59:59Z");
    assert_eq!(found(&world), ["notice unregistered 23.0.1.0/29 due 2026-03-20"]);
    world.now = time("2026-03-21T00:00:00Z");
    assert_eq!(found(&world), ["alert overdue 23.0.1.0/29 due 2026-03-20"]);
}

#[test]
fn the_deadline_is_the_operators() {
    let mut world = World::new();
    world.policy.deadline = Duration::from_secs(14 * 24 * 3600);
    world.assign("23.0.1.0/29", "Acme").assigned_on = Some(date("2026-03-10"));
    assert_eq!(found(&world), ["notice unregistered 23.0.1.0/29 due 2026-03-24"]);
}

#[test]
fn other_statuses_can_count_as_assigned() {
    let mut world = World::new();
    world.policy.assigned_statuses = texts(["active", "deployed"]);
    world.assign("23.0.1.0/29", "Acme").status = "deployed".into();
    world.assign("2600:100::/47", "Acme").status = "deployed".into();
    world.assign("23.0.2.0/29", "Acme").status = "reserved".into();
    assert_eq!(
        found(&world),
        ["notice unregistered 23.0.1.0/29 due 2026-03-23", "notice unregistered 2600:100::/47 due 2026-03-23",]
    );
}

#[test]
fn small_ones_are_shown_on_demand_and_are_never_due() {
    let mut world = World::new();
    world.policy.voluntary = true;
    world.assign("23.0.1.0/30", "Acme").assigned_on = Some(date("2026-03-01"));
    world.assign("2600:100:10::/48", "Acme");
    world.registered("NET-1", "23.0.2.0/30", "Acme");
    world.registered("NET-2", "2600:100:20::/48", "Acme");
    world.assign("23.0.3.0/29", "Acme");
    assert_eq!(
        found(&world),
        [
            "info voluntary 23.0.1.0/30",
            "info voluntary 2600:100:10::/48",
            "notice unregistered 23.0.3.0/29 due 2026-03-23",
        ]
    );
    world.policy.voluntary = false;
    assert_eq!(found(&world), ["notice unregistered 23.0.3.0/29 due 2026-03-23"]);
}

/// Individually announced space has to be registered whatever its size, which is a rule for IPv6 only.
#[test]
fn announced_ipv6_has_to_be_registered_at_any_size_and_ipv4_does_not() {
    let mut world = World::new();
    world.plan.tags.insert("Announced by itself".into(), "announced".into());
    for range in ["23.0.1.0/30", "2600:100:10::/48", "2600:100:20::/56"] {
        world.assign(range, "Acme").tags = texts(["announced"]);
        let (before, after) = (PrefixState { tags: BTreeSet::new(), ..world.state(range) }, world.state(range));
        world.history(range, [("2026-03-14T09:00:00Z", before), ("2026-03-15T09:00:00Z", after)]);
    }
    world.assign("2600:100:30::/48", "Acme").tags = texts(["other"]);
    assert_eq!(
        found(&world),
        ["notice unregistered 2600:100:10::/48 due 2026-03-23", "notice unregistered 2600:100:20::/56 due 2026-03-23",]
    );
}

#[test]
fn what_arin_asks_for_and_nobody_has_written_down_is_told_beside() {
    let mut world = World::new();
    world.without_address("Nowhere");
    world.assign("23.0.1.0/29", "Nowhere");
    world.assign("2600:100::/47", "Nowhere").assigned_on = Some(date("2026-03-01"));
    world.assign("23.0.2.0/29", "Acme");
    // Nothing is missing where nothing is to be registered.
    world.assign("23.0.3.0/30", "Nowhere");
    world.registered("NET-1", "23.0.4.0/29", "Nowhere");
    assert_eq!(
        found(&world),
        [
            "alert overdue 2600:100::/47 due 2026-03-08",
            "info needs-data 23.0.1.0/29",
            "info needs-data 2600:100::/47",
            "notice unregistered 23.0.1.0/29 due 2026-03-23",
            "notice unregistered 23.0.2.0/29 due 2026-03-23",
        ]
    );
    assert!(message(&world, Kind::NeedsData, "23.0.1.0/29").contains("address"));
}

#[test]
fn voluntary_ones_need_data_as_well() {
    let mut world = World::new();
    world.policy.voluntary = true;
    world.without_address("Nowhere");
    world.assign("23.0.1.0/30", "Nowhere");
    world.assign("23.0.2.0/30", "Acme");
    assert_eq!(
        found(&world),
        ["info needs-data 23.0.1.0/30", "info voluntary 23.0.1.0/30", "info voluntary 23.0.2.0/30",]
    );
}

#[test]
fn an_address_has_all_that_its_country_asks_for() {
    let us = main_street();
    let canada = Address { country: Some("CA".into()), ..us.clone() };
    let elsewhere = Address { state_province: None, postal_code: None, country: Some("DE".into()), ..us.clone() };
    let cases = [
        (us.clone(), false),
        (canada.clone(), false),
        (elsewhere, false),
        (Address { state_province: None, ..us.clone() }, true),
        (Address { postal_code: None, ..us.clone() }, true),
        (Address { state_province: None, ..canada.clone() }, true),
        (Address { postal_code: None, ..canada }, true),
        (Address { street: Vec::new(), ..us.clone() }, true),
        (Address { city: None, ..us.clone() }, true),
        (Address { country: None, ..us }, true),
    ];
    for (address, lacks) in cases {
        let mut world = World::new();
        world.moved("Acme", address.clone());
        world.assign("23.0.1.0/29", "Acme");
        let mut expected = vec!["notice unregistered 23.0.1.0/29 due 2026-03-23"];
        if lacks {
            expected.insert(0, "info needs-data 23.0.1.0/29");
        }
        assert_eq!(found(&world), expected, "{address:?}");
    }
}

/// A name that has no letters in ASCII cannot be registered; one with accents can.
#[test]
fn a_name_that_cannot_be_written_in_ascii_needs_data() {
    let mut world = World::new();
    world.assign("23.0.1.0/29", "株式会社");
    world.assign("23.0.2.0/29", "Café Zoë");
    world.assign("23.0.3.0/29", "東京");
    world.change_tenant("東京").legal_name = Some("Tokyo".into());
    assert_eq!(
        found(&world),
        [
            "info needs-data 23.0.1.0/29",
            "notice unregistered 23.0.1.0/29 due 2026-03-23",
            "notice unregistered 23.0.2.0/29 due 2026-03-23",
            "notice unregistered 23.0.3.0/29 due 2026-03-23",
        ]
    );
}

/// A net for a tenant with an organization of its own needs no address of the tenant, and an organization that is fit.
#[test]
fn an_organization_that_cannot_be_given_space_needs_data() {
    let mut world = World::new();
    for (tenant, org) in [("Fit", "FIT-1"), ("Unfit", "UNFIT-1")] {
        world.org(org, Some(tenant));
        world.without_address(tenant);
    }
    let fit = vec![PocFunction::Admin, PocFunction::Tech, PocFunction::Abuse];
    let of = |functions| Standing::Found(Recipient { functions, accepts: None });
    world.answer(ObjectType::Organization, "FIT-1", of(fit));
    world.answer(ObjectType::Organization, "UNFIT-1", of(vec![PocFunction::Admin]));
    world.assign("23.0.1.0/29", "Fit");
    world.assign("23.0.2.0/29", "Unfit");
    assert_eq!(
        found(&world),
        [
            "info needs-data 23.0.2.0/29",
            "notice recipient-unfit UNFIT-1",
            "notice unregistered 23.0.1.0/29 due 2026-03-23",
            "notice unregistered 23.0.2.0/29 due 2026-03-23",
        ]
    );
}

/// The wanted address is that of the tenant at this site, else that of the tenant, else that of the tenant's own site.
#[test]
fn of_several_addresses_the_nearest_is_wanted() {
    let other = Address { city: Some("Shelbyville".into()), ..main_street() };
    let mut world = World::new();
    let (site, elsewhere) = (world.row(), world.row());
    for (range, tenant) in
        [("23.0.1.0/29", "Both"), ("23.0.2.0/29", "Alone"), ("23.0.3.0/29", "Site"), ("23.0.4.0/29", "Stranger")]
    {
        world.registered(&format!("NET-{tenant}"), range, tenant).site = Some(site);
    }
    let tenants = ["Both", "Alone", "Site", "Stranger"].map(|name| world.tenant(name));
    world.plan.addresses.clear();
    // Of the tenant and the site, before that of the tenant alone and that of the site alone.
    world.address(main_street(), Some(tenants[0]), Some(site));
    world.address(other.clone(), Some(tenants[0]), None);
    // Of the tenant alone, before that of the tenant at another site.
    world.address(main_street(), Some(tenants[1]), None);
    world.address(other.clone(), Some(tenants[1]), Some(elsewhere));
    // Of the site alone, if the site is that tenant's.
    world.address(other, None, Some(site));
    world.plan.site_tenants.insert(site, tenants[2]);
    assert_eq!(found(&world), ["notice address NET-SITE"]);
}

/// Two different wanted addresses are ambiguous: nothing is compared with either, and nothing can be registered.
#[test]
fn two_different_addresses_are_ambiguous_and_two_equal_ones_are_not() {
    let mut world = World::new();
    let (twice, double) = (world.tenant("Twice"), world.tenant("Double"));
    world.address(Address { city: Some("Shelbyville".into()), ..main_street() }, Some(twice), None);
    world.address(main_street(), Some(double), None);
    for (tenant, number) in [("Twice", 1), ("Double", 2)] {
        world.assign(&format!("23.0.{number}.0/29"), tenant);
        world.registered(&format!("NET-{tenant}"), &format!("23.0.{number}.8/29"), tenant);
    }
    assert_eq!(
        found(&world),
        [
            "info needs-data 23.0.1.0/29",
            "notice unregistered 23.0.1.0/29 due 2026-03-23",
            "notice unregistered 23.0.2.0/29 due 2026-03-23",
        ]
    );
    assert!(message(&world, Kind::NeedsData, "23.0.1.0/29").to_lowercase().contains("address"));
}

#[test]
fn the_message_names_the_tenant_and_the_last_day() {
    let mut world = World::new();
    world.assign("23.0.1.0/29", "Acme");
    world.assign("23.0.2.0/29", "Acme").assigned_on = Some(date("2026-03-01"));
    for (kind, about, due) in
        [(Kind::Unregistered, "23.0.1.0/29", "2026-03-23"), (Kind::Overdue, "23.0.2.0/29", "2026-03-08")]
    {
        let message = message(&world, kind, about);
        assert!(message.contains("Acme") && message.contains(due), "{message}");
    }
}
