//! Registered assignments that differ from the plan: `customer-name`, `tenant-link`, `other-org`, `unlinked-org`,
//! `wrong-kind`, `address`, `privacy`, `net-name`.

use super::*;

/// What is found where a customer of one name is registered for a tenant of another one, beside one that surely differs.
fn named(customer: &str, tenant: &str) -> Vec<String> {
    let mut world = World::new();
    world.assign("23.0.1.0/29", tenant);
    world.reassign("NET-1", "23.0.1.0/29", customer);
    world.assign("23.0.2.0/29", tenant);
    world.reassign("NET-2", "23.0.2.0/29", "Somebody Else");
    found(&world)
}

#[test]
fn a_customer_of_another_name_is_found() {
    let mut world = World::new();
    world.assign("23.0.1.0/29", "Acme");
    world.reassign("NET-1", "23.0.1.0/29", "Globex");
    world.assign("2600:100:10::/47", "Acme Labs");
    world.reassign("NET-2", "2600:100:10::/47", "Acme");
    world.registered("NET-3", "23.0.3.0/29", "Acme");
    assert_eq!(found(&world), ["notice customer-name NET-1", "notice customer-name NET-2"]);
    let message = message(&world, Kind::CustomerName, "NET-1");
    assert!(message.contains("Globex") && message.contains("Acme"), "{message}");
}

/// The name that a tenant has at the registry wins over its name in NetBox.
#[test]
fn the_legal_name_is_what_counts() {
    let mut world = World::new();
    world.registered("NET-1", "23.0.1.0/29", "acme-web");
    world.customer_of("NET-1").name = "ACME WEB HOSTING".into();
    world.registered("NET-2", "23.0.2.0/29", "Globex");
    world.change_tenant("acme-web").legal_name = Some("Acme Web Hosting".into());
    world.change_tenant("Globex").legal_name = Some("Globex Holdings".into());
    assert_eq!(found(&world), ["notice customer-name NET-2"]);
}

/// Case, accents, full stops, apostrophes, other punctuation and space make no other name.
#[test]
fn the_same_name_in_another_spelling_is_the_same() {
    for (customer, tenant) in [
        ("ACME INC", "Acme, Inc."),
        ("CAFE ZOE", "Café Zoë"),
        ("OBRIEN SONS", "O'Brien & Sons"),
        ("A.C.M.E. LTD", "ACME Ltd"),
        ("AT&T", "AT T"),
        ("  Acme   Web ", "acme-web"),
        ("MULLER", "Müller"),
    ] {
        assert_eq!(named(customer, tenant), ["notice customer-name NET-2"], "{customer} and {tenant}");
    }
}

/// Legal forms at the end are dropped one after the other while something remains.
#[test]
fn the_same_name_with_another_legal_form_is_written_differently() {
    for (customer, tenant) in [
        ("ACME LLC", "Acme Inc."),
        ("ACME CO LTD", "Acme"),
        ("ACME", "Acme GmbH"),
        ("ACME PLC", "Acme S.A."),
        ("ACME LTEE", "Acme ULC"),
        ("ACME LP", "Acme L.L.P."),
    ] {
        let expected = ["info customer-name NET-1", "notice customer-name NET-2"];
        assert_eq!(named(customer, tenant), expected, "{customer} and {tenant}");
    }
    for (customer, tenant) in [("CO", "Inc"), ("ACME INC NORTH", "Acme North"), ("ACME HOLDINGS", "Acme")] {
        let expected = ["notice customer-name NET-1", "notice customer-name NET-2"];
        assert_eq!(named(customer, tenant), expected, "{customer} and {tenant}");
    }
}

#[test]
fn a_name_that_cannot_be_compared_is_not_another_one() {
    assert_eq!(named("ACME", "株式会社"), NOTHING);
    assert_eq!(named("株式会社", "Acme"), ["notice customer-name NET-2"]);
}

/// Nothing is known of the name and the address of a private customer, whether ARIN says so or only its name does.
#[test]
fn a_private_customer_is_not_compared() {
    let mut world = World::new();
    let other = Address { city: Some("Shelbyville".into()), ..main_street() };
    for (net, range, name, private) in [
        ("NET-1", "23.0.1.0/29", "Globex", Some(true)),
        ("NET-2", "2600:100:10::/47", "Private Customer - Example", Some(false)),
        ("NET-3", "23.0.3.0/29", "PRIVATE CUSTOMER", None),
        ("NET-4", "23.0.4.0/29", "Privateer Customs", None),
    ] {
        world.assign(range, "Acme");
        world.reassign(net, range, name);
        let customer = world.customer_of(net);
        (customer.private, customer.address) = (private, Some(other.clone()));
    }
    assert_eq!(found(&world), ["notice address NET-4", "notice customer-name NET-4"]);
}

#[test]
fn a_customer_that_is_linked_to_another_tenant_is_found() {
    let mut world = World::new();
    for (net, range, linked) in [
        ("NET-1", "23.0.1.0/29", Some("Beta")),
        ("NET-2", "2600:100:10::/47", Some("Beta")),
        ("NET-3", "23.0.3.0/29", Some("Acme")),
        ("NET-4", "23.0.4.0/29", None),
    ] {
        world.registered(net, range, "Acme");
        let tenant = linked.map(|name| world.tenant(name));
        world.customer_of(net).tenant = tenant;
    }
    assert_eq!(found(&world), ["notice tenant-link NET-1", "notice tenant-link NET-2"]);
}

/// An organization of another tenant differs; one that is linked to nobody, or not recorded, is to be linked.
#[test]
fn a_net_held_by_an_organization_is_compared_by_its_tenant() {
    let mut world = World::new();
    world.org("BETA-1", Some("Beta"));
    world.org("ACME-1", Some("Acme"));
    world.org("ACME-2", Some("Acme"));
    world.org("FREE-1", None);
    for (net, range, org) in [
        ("NET-1", "23.0.1.0/29", "BETA-1"),
        ("NET-2", "2600:100:10::/47", "BETA-1"),
        ("NET-3", "23.0.3.0/29", "ACME-1"),
        ("NET-4", "2600:100:20::/47", "ACME-2"),
        ("NET-5", "23.0.5.0/29", "FREE-1"),
        ("NET-6", "2600:100:30::/47", "UNKNOWN-1"),
    ] {
        world.assign(range, "Acme");
        world.reassign_to_org(net, range, org);
    }
    world.assign("23.0.7.0/24", "Acme");
    world.reallocate("NET-7", "23.0.7.0/24", "BETA-1");
    world.assign("23.0.8.0/24", "Acme");
    world.reallocate("NET-8", "23.0.8.0/24", "ACME-1");
    assert_eq!(
        found(&world),
        [
            "info unlinked-org NET-5",
            "info unlinked-org NET-6",
            "notice other-org NET-1",
            "notice other-org NET-2",
            "notice other-org NET-7",
        ]
    );
    assert!(message(&world, Kind::OtherOrg, "NET-1").contains("BETA-1"));
}

#[test]
fn an_organization_of_another_tenant_differs_even_if_the_tenant_has_none() {
    let mut world = World::new();
    world.org("BETA-1", Some("Beta"));
    world.assign("23.0.1.0/29", "Acme");
    world.reassign_to_org("NET-1", "23.0.1.0/29", "BETA-1");
    assert_eq!(found(&world), ["notice other-org NET-1"]);
}

/// A customer's net although the tenant has an organization is of the wrong kind; an organization nobody knows is not.
#[test]
fn a_tenant_with_an_organization_has_nets_of_that_organization() {
    let mut world = World::new();
    world.org("ACME-1", Some("Acme"));
    world.registered("NET-1", "23.0.1.0/29", "Acme");
    world.registered("NET-2", "2600:100:10::/47", "Acme");
    world.registered("NET-3", "23.0.3.0/29", "Beta");
    world.assign("23.0.4.0/29", "Acme");
    world.reassign_to_org("NET-4", "23.0.4.0/29", "ACME-1");
    world.assign("23.0.5.0/29", "Acme");
    world.reassign_to_org("NET-5", "23.0.5.0/29", "UNKNOWN-1");
    assert_eq!(found(&world), ["info unlinked-org NET-5", "notice wrong-kind NET-1", "notice wrong-kind NET-2",]);
}

/// Nothing can be registered under a reassignment, so whoever has assignments of others inside needs a reallocation.
#[test]
fn a_reassigned_net_with_assignments_of_others_inside_is_of_the_wrong_kind() {
    let mut world = World::new();
    world.registered("NET-1", "23.0.1.0/24", "Acme");
    world.assign("23.0.1.0/29", "Beta");
    world.assign("23.0.1.8/29", "Gamma");
    world.registered("NET-2", "2600:100:10::/44", "Acme");
    world.assign("2600:100:10::/47", "Beta");
    // Of the same tenant, too small, or of our own.
    world.registered("NET-3", "23.0.3.0/24", "Acme");
    world.assign("23.0.3.0/29", "Acme");
    world.assign("23.0.3.8/30", "Beta");
    world.assign("23.0.3.16/29", "Us");
    assert_eq!(found(&world), ["notice wrong-kind NET-1", "notice wrong-kind NET-2"]);
    world.policy.voluntary = true;
    assert_eq!(found(&world), ["notice wrong-kind NET-1", "notice wrong-kind NET-2", "notice wrong-kind NET-3",]);
}

/// What is to be made anew is not also to be changed.
#[test]
fn a_net_of_the_wrong_kind_is_not_compared_further() {
    let mut world = World::new();
    world.org("ACME-1", Some("Acme"));
    world.policy.residential_tag = "home".into();
    world.assign("23.0.1.0/29", "Acme").tags = texts(["home"]);
    world.reassign("NET-1", "23.0.1.0/29", "Globex");
    world.customer_of("NET-1").address = Some(Address { city: Some("Shelbyville".into()), ..main_street() });
    assert_eq!(found(&world), ["notice wrong-kind NET-1"]);
}

/// A reallocation is never of the wrong kind.
#[test]
fn a_reallocated_net_may_hold_assignments_of_others() {
    let mut world = World::new();
    world.org("ACME-1", Some("Acme"));
    world.assign("23.0.1.0/24", "Acme");
    world.reallocate("NET-1", "23.0.1.0/24", "ACME-1");
    world.assign("23.0.1.0/29", "Beta");
    world.registered("NET-2", "23.0.2.0/24", "Gamma");
    world.assign("23.0.2.0/29", "Beta");
    assert_eq!(found(&world), ["info not-ours 23.0.1.0/29", "notice wrong-kind NET-2"]);
}

#[test]
fn a_customer_at_another_address_is_found() {
    let mut world = World::new();
    let moved = [
        ("23.0.1.0/29", Address { city: Some("Shelbyville".into()), ..main_street() }),
        ("23.0.2.0/29", Address { street: vec!["2 Main St".into()], ..main_street() }),
        ("23.0.3.0/29", Address { state_province: Some("MD".into()), ..main_street() }),
        ("23.0.4.0/29", Address { postal_code: Some("22151".into()), ..main_street() }),
        ("2600:100:10::/47", Address { country: Some("CA".into()), ..main_street() }),
    ];
    for (at, (range, address)) in moved.into_iter().enumerate() {
        let net = format!("NET-{at}");
        world.registered(&net, range, "Acme");
        world.customer_of(&net).address = Some(address);
    }
    // The same in other words, and of a tenant whose address nobody wrote down.
    world.registered("NET-5", "23.0.5.0/29", "Acme");
    world.customer_of("NET-5").address =
        Some(Address { street: vec!["1, Main St.".into()], city: Some("SPRÍNGFIELD".into()), ..main_street() });
    world.without_address("Nowhere");
    world.registered("NET-6", "23.0.6.0/29", "Nowhere");
    let expected: Vec<String> = (0..5).map(|at| format!("notice address NET-{at}")).collect();
    assert_eq!(found(&world), expected);
}

/// A customer at home that is public is urgent; one that is private and not at home is not.
#[test]
fn a_public_customer_at_home_is_an_alert() {
    let mut world = World::new();
    world.policy.residential_tag = "home".into();
    world.change_tenant("Jane Doe").tags = texts(["home"]);
    let cases = [
        // By a tag on the prefix, or on the tenant.
        ("NET-1", "23.0.1.0/29", ("Acme", true), Some(false)),
        ("NET-2", "2600:100:10::/47", ("Jane Doe", false), Some(false)),
        ("NET-3", "23.0.3.0/29", ("Acme", true), Some(true)),
        ("NET-4", "23.0.4.0/29", ("Jane Doe", false), Some(true)),
        // Not at home.
        ("NET-5", "23.0.5.0/29", ("Acme", false), Some(true)),
        ("NET-6", "2600:100:20::/47", ("Acme", false), Some(true)),
        ("NET-7", "23.0.7.0/29", ("Acme", false), Some(false)),
    ];
    for (net, range, (tenant, tagged), private) in cases {
        let prefix = world.registered(net, range, tenant);
        prefix.tags = if tagged { texts(["home"]) } else { texts(["other"]) };
        world.customer_of(net).private = private;
    }
    assert_eq!(
        found(&world),
        ["alert privacy NET-1", "alert privacy NET-2", "notice privacy NET-5", "notice privacy NET-6",]
    );
    world.policy.residential_tag = String::new();
    assert_eq!(found(&world), NOTHING);
}

/// A customer is private by its name too.
#[test]
fn a_customer_that_is_called_private_is_private() {
    let mut world = World::new();
    world.policy.residential_tag = "home".into();
    for (net, range) in [("NET-1", "23.0.1.0/29"), ("NET-2", "23.0.2.0/29")] {
        world.assign(range, "Acme").tags = texts(["home"]);
        world.reassign(net, range, "Private Customer - Example");
    }
    world.customer_of("NET-2").name = "Acme".into();
    assert_eq!(found(&world), ["alert privacy NET-2"]);
}

/// Names of nets are compared only where a template is set, and only of nets that a request of ours made.
#[test]
fn a_net_of_ours_is_called_as_the_template_says() {
    let mut world = World::new();
    world.policy.net_name_template = "{tenant}-{prefix}".into();
    for (net, range, name, state) in [
        ("NET-1", "23.0.1.0/29", "SOMETHING", Some("done")),
        ("NET-2", "23.0.2.0/29", "ACME-23-0-2-0-29", Some("done")),
        ("NET-3", "23.0.3.0/29", "acme-23-0-3-0-29", Some("done")),
        ("NET-4", "23.0.4.0/29", "SOMETHING", None),
        ("NET-5", "23.0.5.0/29", "SOMETHING", Some("refused")),
    ] {
        world.registered(net, range, "Acme");
        world.change_net(net).name = name.into();
        let row = world.change_net(net).row;
        if let Some(state) = state {
            world.request("reassign-simple", state, range).network = Some(row);
        }
    }
    assert_eq!(found(&world), ["info net-name NET-1"]);
    assert!(message(&world, Kind::NetName, "NET-1").contains("ACME-23-0-1-0-29"));
    world.policy.net_name_template = String::new();
    assert_eq!(found(&world), NOTHING);
}

/// The name of a net is public: that of a person at home must not come to be in it.
#[test]
fn no_net_is_to_be_called_like_a_person_at_home() {
    let mut world = World::new();
    (world.policy.net_name_template, world.policy.residential_tag) = ("{tenant}-{prefix}".into(), "home".into());
    for (net, range, name) in [
        ("NET-1", "23.0.1.0/29", "PRIVATE-23-0-1-0-29"),
        ("NET-2", "23.0.2.0/29", "JO-DOE-23-0-2-0-29"),
        ("NET-3", "23.0.3.0/29", "PRIVATE-23-0-3-0-29"),
    ] {
        world.registered(net, range, "Jo Doe").tags.extend((net != "NET-3").then(|| "home".to_owned()));
        world.customer_of(net).private = Some(net != "NET-3");
        world.change_net(net).name = name.into();
        let row = world.change_net(net).row;
        world.request("reassign-simple", "done", range).network = Some(row);
    }
    assert_eq!(found(&world), ["info net-name NET-2", "info net-name NET-3"]);
    assert!(message(&world, Kind::NetName, "NET-2").contains("should be called PRIVATE-23-0-2-0-29"));
    assert!(message(&world, Kind::NetName, "NET-3").contains("should be called JO-DOE-23-0-3-0-29"));
}

#[test]
fn the_name_of_a_net_has_fifty_letters_at_most_and_may_be_a_number() {
    let mut world = World::new();
    let long = "A".repeat(60);
    let id = world.registered("NET-1", "2600:100:10::/47", "Acme").id;
    world.change_net("NET-1").name = id.to_string();
    world.registered("NET-2", "2600:100:20::/47", &long);
    world.change_net("NET-2").name = long[..50].into();
    for net in ["NET-1", "NET-2"] {
        let row = world.change_net(net).row;
        world.request("reassign-simple", "done", "2600:100::/32").network = Some(row);
    }
    world.policy.net_name_template = "{tenant}".into();
    assert_eq!(found(&world), ["info net-name NET-1"]);
    world.policy.net_name_template = "{id}".into();
    assert_eq!(found(&world), ["info net-name NET-2"]);
}

/// Where the tenant changed after the net was registered, somebody else has the space: that has a deadline.
#[test]
fn a_new_holder_is_due_and_a_new_name_is_not() {
    let mut world = World::new();
    let days = [
        ("NET-1", "23.0.1.0/29", "2026-03-16"),
        ("NET-2", "2600:100:10::/47", "2026-03-10"),
        ("NET-3", "23.0.3.0/29", "2026-03-01"),
    ];
    for (net, range, since) in days {
        world.assign(range, "Acme").assigned_on = Some(date(since));
        world.reassign(net, range, "Globex").registered_on = Some(date("2026-03-05"));
    }
    assert_eq!(
        found(&world),
        [
            "alert customer-name NET-2 due 2026-03-17",
            "notice customer-name NET-1 due 2026-03-23",
            "notice customer-name NET-3",
        ]
    );
}

#[test]
fn of_a_new_holder_one_thing_is_said() {
    let mut world = World::new();
    let beta = world.tenant("Beta");
    world.org("BETA-1", Some("Beta"));
    for (net, range) in [("NET-1", "23.0.1.0/29"), ("NET-2", "23.0.2.0/29")] {
        world.assign(range, "Acme");
        world.reassign(net, range, "Globex").registered_on = Some(date("2026-03-05"));
    }
    world.customer_of("NET-1").tenant = Some(beta);
    // A rename, and a wrong link beside it.
    world.change_net("NET-2").registered_on = Some(date("2026-03-17"));
    world.customer_of("NET-2").tenant = Some(beta);
    world.assign("23.0.3.0/29", "Acme");
    world.reassign_to_org("NET-3", "23.0.3.0/29", "BETA-1").registered_on = Some(date("2026-03-05"));
    assert_eq!(
        found(&world),
        [
            "notice customer-name NET-2",
            "notice other-org NET-3 due 2026-03-23",
            "notice tenant-link NET-1 due 2026-03-23",
            "notice tenant-link NET-2",
        ]
    );
}

/// A name that is only written differently is nobody else's, and an assignment whose age is not certain is no new one.
#[test]
fn a_spelling_or_a_guess_makes_no_new_holder() {
    let mut world = World::new();
    world.assign("23.0.1.0/29", "Acme Inc");
    world.reassign("NET-1", "23.0.1.0/29", "Acme LLC").registered_on = Some(date("2026-03-05"));
    world.assign_by_log("23.0.2.0/29", "Acme");
    let state = world.state("23.0.2.0/29");
    world.history("23.0.2.0/29", [("2026-03-01", state.clone()), ("2026-03-16T08:00:00Z", state)]);
    world.cut("23.0.2.0/29", 1);
    world.reassign("NET-2", "23.0.2.0/29", "Globex").registered_on = Some(date("2026-03-05"));
    assert_eq!(found(&world), ["info customer-name NET-1", "notice customer-name NET-2"]);
}

/// Renaming a tenant is no change of the prefix.
#[test]
fn a_renamed_tenant_is_no_new_holder() {
    let mut world = World::new();
    world.assign_by_log("23.0.1.0/29", "Acme Renamed");
    let state = world.state("23.0.1.0/29");
    world.history("23.0.1.0/29", [("2026-02-01T08:00:00Z", state)]);
    world.reassign("NET-1", "23.0.1.0/29", "Acme").registered_on = Some(date("2026-02-03"));
    assert_eq!(found(&world), ["notice customer-name NET-1"]);
}

/// Only assigned prefixes are compared with their nets.
#[test]
fn what_is_not_assigned_is_not_compared() {
    let mut world = World::new();
    world.reassign("NET-1", "23.0.1.0/29", "Globex");
    world.assign("23.0.1.0/29", "Acme").status = "reserved".into();
    world.registered("NET-2", "2600:100:10::/44", "Acme");
    world.reassign("NET-3", "2600:100:10::/47", "Globex").registered = false;
    world.assign("2600:100:10::/47", "Acme");
    world.reassign("NET-4", "23.0.4.0/29", "Globex");
    world.assign("23.0.4.0/29", "Acme");
    assert_eq!(found(&world), ["notice customer-name NET-4", "notice stale NET-1"]);
}
