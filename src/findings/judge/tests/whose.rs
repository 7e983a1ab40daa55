//! Which tenants are the operator's own, which organizations are, and which config judges what.

use super::*;

/// Nobody has said which tenants are their own: then nothing is said of assigned prefixes, and what is open stays open.
#[test]
fn while_nobody_has_said_who_they_are_it_is_asked() {
    let mut world = World::new();
    world.assign("23.0.1.0/29", "Acme");
    world.assign("23.0.2.0/29", "Acme");
    world.assign("2600:100:10::/47", "Beta");
    world.reassign("NET-1", "23.0.4.0/29", "Globex");
    world.assign("23.0.4.0/29", "Acme").status = "reserved".into();
    world.reassign("NET-2", "23.0.5.0/29", "Globex");
    let open: BTreeSet<_> =
        world.judged().findings.iter().filter(|finding| finding.kind != Kind::NotInNetbox).map(Finding::key).collect();
    assert_eq!(open.len(), 4);
    world.plan.first_seen = open.iter().map(|key| (key.clone(), time("2026-03-19"))).collect();
    world.policy.own_tenants = None;
    assert_eq!(found(&world), ["info not-known Example", "notice not-in-netbox NET-2"]);
    let judgement = world.judged();
    let asked = judgement.findings.iter().find(|finding| finding.kind == Kind::NotKnown).unwrap();
    assert_eq!(asked.subject, Subject::Config("Example".into(), "own-tenants"));
    for part in ["own_tenants", "Acme", "Beta"] {
        assert!(asked.message.contains(part), "{}", asked.message);
    }
    assert_eq!(judgement.undecided, open);
}

/// Whoever says that nobody is their own has said it.
#[test]
fn an_empty_list_says_that_nobody_is() {
    let mut world = World::new();
    world.assign("23.0.1.0/29", "Us");
    world.assign("2600:100:10::/47", "Us");
    for (tenants, groups) in [(Some(BTreeSet::new()), None), (None, Some(BTreeSet::new()))] {
        (world.policy.own_tenants, world.policy.own_tenant_groups) = (tenants, groups);
        assert_eq!(
            found(&world),
            ["notice unregistered 23.0.1.0/29 due 2026-03-23", "notice unregistered 2600:100:10::/47 due 2026-03-23",]
        );
    }
}

/// A group counts with all groups inside.
#[test]
fn a_group_of_own_tenants_counts_with_all_inside() {
    let mut world = World::new();
    let internal = world.group("internal", None);
    let teams = world.group("teams", Some(internal));
    let small = world.group("small", Some(teams));
    let customers = world.group("customers", None);
    let groups = [("Direct", internal), ("Team", teams), ("Deep", small), ("Customer", customers)];
    for (at, (tenant, group)) in groups.into_iter().enumerate() {
        world.change_tenant(tenant).group = Some(group);
        world.assign(&format!("23.0.{at}.0/29"), tenant);
    }
    world.policy.own_tenants = None;
    world.policy.own_tenant_groups = Some(texts(["internal"]));
    assert_eq!(found(&world), ["notice unregistered 23.0.3.0/29 due 2026-03-23"]);
    // The group inside is another one than the one around it.
    world.policy.own_tenant_groups = Some(texts(["teams"]));
    assert_eq!(
        found(&world),
        ["notice unregistered 23.0.0.0/29 due 2026-03-23", "notice unregistered 23.0.3.0/29 due 2026-03-23",]
    );
}

/// The tenant of an aggregate is our own inside it, and a customer elsewhere.
#[test]
fn the_tenant_of_an_aggregate_is_own_only_inside_it() {
    let mut world = World::new();
    let tenant = world.tenant("Division");
    world.plan.aggregates[0].tenant = Some(tenant);
    world.assign("23.0.1.0/29", "Division");
    world.assign("23.0.2.0/29", "Acme");
    world.assign("2600:100:10::/47", "Division");
    assert_eq!(
        found(&world),
        ["notice unregistered 23.0.2.0/29 due 2026-03-23", "notice unregistered 2600:100:10::/47 due 2026-03-23",]
    );
}

/// We are the organizations of all active configs at the registry, and those linked to our own tenants.
#[test]
fn nets_held_by_us_are_not_compared() {
    let mut world = World::new();
    world.config("Second", "EXAMPLE-2");
    world.org("EXAMPLE-3", Some("Us"));
    for (net, range, org) in [
        ("NET-1", "23.0.1.0/29", US),
        ("NET-2", "2600:100:10::/47", "EXAMPLE-2"),
        ("NET-3", "23.0.3.0/29", "EXAMPLE-3"),
        ("NET-4", "23.0.4.0/29", "OTHER-1"),
    ] {
        world.reassign_to_org(net, range, org);
    }
    assert_eq!(found(&world), ["notice not-in-netbox NET-4"]);
}

#[test]
fn what_another_registry_calls_the_same_is_somebody_else() {
    let mut world = World::new();
    let other = world.config("Test", "OTHER-1");
    (other.rir, other.instance) = (Some(RowId(10)), Instance::of(&url::Url::parse(Instance::OTE).unwrap()));
    world.reassign_to_org("NET-1", "23.0.1.0/29", "OTHER-1");
    world.reassign_to_org("NET-2", "23.0.2.0/29", US);
    assert_eq!(found(&world), ["notice not-in-netbox NET-1"]);
}

/// A net is ours to judge under a reallocation to us, and under one to somebody else it is not.
#[test]
fn a_net_is_ours_by_the_nearest_allocation_above() {
    let mut world = World::new();
    world.config("Second", "EXAMPLE-2");
    world.reallocate("NET-A", "23.0.0.0/20", "EXAMPLE-2");
    world.reassign("NET-1", "23.0.1.0/29", "Acme");
    world.reallocate("NET-B", "23.0.16.0/20", "CUST-1");
    world.prefix("23.0.16.0/20");
    world.reassign("NET-2", "23.0.17.0/29", "Acme");
    let nets: Vec<String> = found(&world).into_iter().filter(|line| line.contains("not-in-netbox")).collect();
    assert_eq!(nets, ["notice not-in-netbox NET-1"]);
}

/// Of several configs of one RIR the one that holds the net judges, else the first.
#[test]
fn each_aggregate_is_judged_by_one_config() {
    let mut world = World::new();
    let second = world.config("Second", "EXAMPLE-2").id;
    world.allocated("NET-24", "24.0.0.0/16", "EXAMPLE-2");
    world.aggregate("25.0.0.0/16");
    for at in 0..world.plan.aggregates.len() {
        let id = world.plan.aggregates[at].id;
        world.looked(second, id);
    }
    world.assign("23.0.1.0/29", "Acme");
    world.assign("24.0.1.0/29", "Acme");
    let judgement = world.judged();
    let by: Vec<(String, u64)> = judgement.findings.iter().map(|finding| (line(finding), finding.config.0)).collect();
    let expected = [
        ("notice unregistered 23.0.1.0/29 due 2026-03-23", 1),
        ("notice unregistered 24.0.1.0/29 due 2026-03-23", 2),
        ("notice aggregate-unregistered 25.0.0.0/16", 1),
    ];
    assert_eq!(by, expected.map(|(line, config)| (line.to_owned(), config)));
}
