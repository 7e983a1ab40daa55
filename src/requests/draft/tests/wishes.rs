//! The wishes that settle findings.

use jiff::civil::Date;

use super::*;
use crate::{
    findings::Kind,
    model::Key,
    netbox::{
        FindingRow,
        findings::{Linked, LinkedObjects, OPEN, RESOLVED},
    },
};

fn finding(id: u64, kind: Kind) -> FindingRow {
    FindingRow {
        id: RowId(id),
        key: Key::recorded(format!("arin:{kind}/{id}")),
        subject: String::new(),
        kind: kind.name().into(),
        level: "notice".into(),
        state: OPEN.into(),
        message: String::new(),
        due: None,
        since: None,
        since_at_least: false,
        config: Some(RowId(1)),
        ignore: false,
        note: String::new(),
        links: leading_to(None, None),
    }
}

fn leading_to(prefix: Option<RowId>, aggregate: Option<RowId>) -> LinkedObjects {
    LinkedObjects::of([
        (Linked::Prefix, prefix, None),
        (Linked::Aggregate, aggregate, None),
        (Linked::Network, None, Some("NET-23-1")),
        (Linked::Customer, None, Some("C1")),
    ])
}

fn words(wishes: Result<Vec<Wish>, NotAskedFor>) -> String {
    let word = |wish: &Wish| {
        let chosen = wish.chosen.map_or_else(|| "register".to_owned(), |chosen| chosen.to_string());
        format!("{chosen} {}{}", wish.about, if wish.is_followed { ", then register" } else { "" })
    };
    match wishes {
        Ok(wishes) => wishes.iter().map(word).collect::<Vec<_>>().join("; "),
        Err(why) => format!("refused: {why}"),
    }
}

#[test]
fn each_kind_of_finding_is_settled_by_its_operation() {
    let mut world = World::new();
    let prefix = world.assigned("23.0.1.0/24", "Alpha").id;
    world.reassigned("NET-23-1A", "23.0.1.0/25", "Alpha");
    world.reassigned("NET-23-1B", "23.0.1.128/26", "Alpha");
    let drafting = world.drafting();
    let told = Kind::ALL.map(|kind| {
        let links = leading_to(Some(prefix), None);
        format!("{kind}: {}", words(drafting.of_finding(&FindingRow { links, ..finding(5, kind) })))
    });
    insta::assert_snapshot!(told.join("\n"), @"
    unregistered: register prefix 107
    overdue: register prefix 107
    voluntary: register prefix 107
    needs-data: register prefix 107
    pending: refused: finding 5 is about nothing that ARIN could be asked for: its registration has been asked for already
    not-in-netbox: remove-network network NET-23-1
    stale: remove-network network NET-23-1
    prefix-gone: remove-network network NET-23-1
    wider: remove-network network NET-23-1, then register
    split: remove-network network NET-23-1B, then register; remove-network network NET-23-1A, then register
    overlap: refused: finding 5 is about nothing that ARIN could be asked for: change the prefix, or return the networks that overlap it, one by one
    customer-name: change-customer customer C1
    tenant-link: refused: finding 5 is about nothing that ARIN could be asked for: correct the tenant of the RIR customer, or of the prefix
    other-org: remove-network network NET-23-1, then register
    unlinked-org: refused: finding 5 is about nothing that ARIN could be asked for: link the RIR organization to a tenant
    wrong-kind: remove-network network NET-23-1, then register
    address: change-customer customer C1
    privacy: change-customer customer C1
    net-name: change-network network NET-23-1
    customer-left: delete-customer customer C1
    customer-missing: refused: finding 5 is about nothing that ARIN could be asked for: ask ARIN, or see whether the API key may see the customer
    aggregate-unregistered: refused: finding 5 is about nothing that ARIN could be asked for: see what the guide says of this kind
    aggregate-held-by-other: refused: finding 5 is about nothing that ARIN could be asked for: see what the guide says of this kind
    aggregate-range: refused: finding 5 is about nothing that ARIN could be asked for: see what the guide says of this kind
    unsplittable: refused: finding 5 is about nothing that ARIN could be asked for: see what the guide says of this kind
    not-ours: refused: finding 5 is about nothing that ARIN could be asked for: see what the guide says of this kind
    whole-allocation: refused: finding 5 is about nothing that ARIN could be asked for: see what the guide says of this kind
    org-incomplete: refused: finding 5 is about nothing that ARIN could be asked for: the contacts of an organization are changed in ARIN Online
    recipient-unfit: refused: finding 5 is about nothing that ARIN could be asked for: the contacts of an organization are changed in ARIN Online
    ticket-waits: refused: finding 5 is about nothing that ARIN could be asked for: answer the ticket in ARIN Online
    ticket-old: refused: finding 5 is about nothing that ARIN could be asked for: answer the ticket in ARIN Online
    ticket-failed: refused: finding 5 is about nothing that ARIN could be asked for: answer the ticket in ARIN Online
    uncertain: refused: finding 5 is about nothing that ARIN could be asked for: look again what became of the request
    not-known: refused: finding 5 is about nothing that ARIN could be asked for: sync it first
    duplicate-range: refused: finding 5 is about nothing that ARIN could be asked for: decide in NetBox whose it is
    ");
    let due: Option<Date> = Some("2026-04-01".parse().unwrap());
    let new_holder = [Kind::CustomerName, Kind::TenantLink]
        .map(|kind| words(drafting.of_finding(&FindingRow { due, ..finding(5, kind) })));
    assert_eq!(new_holder, ["remove-network network NET-23-1, then register"; 2]);
}

#[test]
fn a_request_is_offered_for_each_kind_that_one_can_settle() {
    let world = World::new();
    let drafting = world.drafting();
    let due: Option<Date> = Some("2026-04-01".parse().unwrap());
    for kind in Kind::ALL {
        let rows = [finding(5, kind), FindingRow { due, ..finding(5, kind) }];
        let nothing = |row| matches!(drafting.of_finding(row), Err(NotAskedFor::NothingToAsk { .. }));
        assert_eq!(is_settled_by_request(kind), !rows.iter().all(nothing), "{}", kind.name());
    }
}

#[test]
fn findings_that_are_over_of_others_or_without_a_name_are_refused() {
    let world = World::new();
    let drafting = world.drafting();
    let stale = finding(5, Kind::Stale);
    let all = [
        FindingRow { state: RESOLVED.into(), ..stale.clone() },
        FindingRow { config: Some(RowId(2)), ..stale.clone() },
        FindingRow { links: LinkedObjects::default(), ..stale.clone() },
        FindingRow { kind: "of-tomorrow".into(), ..stale },
    ];
    insta::assert_snapshot!(all.map(|row| words(drafting.of_finding(&row))).join("\n"), @"
    refused: finding 5 does not hold any more; see the open ones with `rir-sidecar findings`
    refused: finding 5 belongs to config 2; ask for it with that one
    refused: finding 5 does not name what it is about; wait for the next sync
    refused: finding 5 is of a kind that this version does not know, `of-tomorrow`
    ");
}

#[test]
fn of_an_aggregate_the_most_urgent_ones_are_asked_for() {
    let world = World::new();
    let aggregate = world.plan.aggregates[0].id;
    let row = |id: u64, kind, due: Option<&str>| {
        let links = leading_to(Some(RowId(id)), Some(aggregate));
        FindingRow { links, due: due.map(|due| due.parse().unwrap()), ..finding(id, kind) }
    };
    let findings = [
        row(1, Kind::Voluntary, None),
        row(2, Kind::Unregistered, Some("2026-04-02")),
        row(3, Kind::Overdue, Some("2026-03-01")),
        // All others are not to be asked for, or not here.
        row(4, Kind::Pending, Some("2026-03-01")),
        row(5, Kind::NeedsData, None),
        FindingRow { ignore: true, ..row(6, Kind::Overdue, None) },
        FindingRow { state: RESOLVED.into(), ..row(7, Kind::Overdue, None) },
        FindingRow { config: Some(RowId(2)), ..row(8, Kind::Overdue, None) },
        FindingRow { links: leading_to(None, None), ..row(9, Kind::Overdue, None) },
    ];
    let drafting = world.drafting();
    let place = Place::Range(cidr("23.0.0.0/16"));
    let all = drafting.of_aggregate(place, &findings, 9).unwrap();
    assert_eq!(words(Ok(all.wishes)), "register prefix 3; register prefix 2; register prefix 1");
    let capped = drafting.of_aggregate(Place::Row(aggregate), &findings, 2).unwrap();
    assert_eq!((words(Ok(capped.wishes)).as_str(), capped.left_out), ("register prefix 3; register prefix 2", 1));
    let none = [
        drafting.of_aggregate(place, &findings[3..], 9).unwrap_err(),
        drafting.of_aggregate(Place::Row(RowId(1)), &findings, 9).unwrap_err(),
    ];
    insta::assert_snapshot!(none.map(|why| why.to_string()).join("\n"), @"
    nothing that can be registered is found missing in 23.0.0.0/16
    NetBox has no aggregate 1 that belongs to this config
    ");
}

#[test]
fn what_a_person_chooses_wins_over_what_settles_the_finding() {
    let usual = Wish { is_followed: true, ..Wish::of(About::Network(net_handle("NET-1")), Operation::RemoveNetwork) };
    let change = Some("change-network".parse().unwrap());
    let wish = usual.clone().with(change, None, fields(&["netName=X"])).unwrap();
    assert_eq!(words(Ok(vec![wish])), "change-network network NET-1");
    let wish = usual.with(None, None, Fields::default()).unwrap();
    assert_eq!(words(Ok(vec![wish])), "remove-network network NET-1, then register");
    assert_eq!("register-again".parse(), Ok(Choice::RegisterAgain));
    assert!("reassign".parse::<Choice>().is_err());
}

#[test]
fn a_prefix_is_named_by_its_id_or_its_range() {
    assert_eq!("17".parse(), Ok(Place::Row(RowId(17))));
    assert_eq!("23.0.1.0/24".parse(), Ok(Place::Range(cidr("23.0.1.0/24"))));
    for wrong in ["23.0.1.7/24", "23.0.1.0", "x"] {
        assert!(wrong.parse::<Place>().is_err(), "{wrong}");
    }
}
