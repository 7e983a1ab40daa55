//! Drafts of whatever NetBox may have.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::{
    arin::{NewHolder, NewNet},
    findings::names::ascii,
    requests::change::Change,
};

/// Names and parts of addresses as people write them.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec!["Alpha Inc", "Café", "東京", "", " ", "O’Brien—Łódź", "a\nb", "\u{7}", "US", "VA", "1 Main St"])
            .prop_map(str::to_owned),
        ".{0,12}",
    ]
}

fn some_address() -> impl Strategy<Value = Address> {
    (vec(text(), 0..3), option::of(text()), option::of(text()), option::of(text()), option::of(text())).prop_map(
        |(street, city, state_province, postal_code, country)| Address {
            street,
            city,
            state_province,
            postal_code,
            country,
        },
    )
}

/// A world of three tenants with their addresses, sites, organizations and prefixes, some inside one another.
fn some_world() -> impl Strategy<Value = World> {
    let tenant = || 0_usize..3;
    let address = (some_address(), option::of(tenant()), option::of(1_u64..3));
    let prefix = (18_u8..31, 0_u8..4, option::of(tenant()), option::of(1_u64..3), any::<bool>());
    (vec(text(), 3), vec(address, 0..6), vec(prefix, 1..8), vec(tenant(), 0..3), vec((20_u8..28, 0_u8..4), 0..3))
        .prop_map(|(names, addresses, prefixes, orgs, nets)| {
            let mut world = World::new();
            let ids: Vec<RowId> = (0..3).map(|at| world.tenant(&format!("tenant {at}"))).collect();
            for (id, name) in ids.iter().zip(names) {
                world.plan.tenants.get_mut(id).unwrap().legal_name = Some(name);
            }
            world.plan.site_tenants = BTreeMap::from([(RowId(1), ids[0]), (RowId(2), ids[1])]);
            for (address, tenant, site) in addresses {
                let row = world.row();
                let (tenant, site) = (tenant.map(|at| ids[at]), site.map(RowId));
                world.plan.addresses.push(PlannedAddress { row, address, tenant, site });
            }
            for (length, third, tenant, site, home) in prefixes {
                let range = IpNet::new(std::net::Ipv4Addr::new(23, 0, third, 0).into(), length).unwrap().trunc();
                let prefix = world.prefix(&range.to_string(), None);
                (prefix.tenant, prefix.site) = (tenant.map(|at| ids[at]), site.map(RowId));
                prefix.tags.extend(home.then(|| "home".to_owned()));
            }
            for (number, tenant) in orgs.into_iter().enumerate() {
                world.org(&format!("LINK-{number}"), &format!("tenant {tenant}"));
            }
            for (number, (length, third)) in nets.into_iter().enumerate() {
                let range = IpNet::new(std::net::Ipv4Addr::new(23, 0, third, 0).into(), length).unwrap().trunc();
                world.reassigned(&format!("NET-{number}"), &range.to_string(), "Somebody");
            }
            world
        })
}

fn some_set() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let names = vec!["netName", "customerName", "streetAddress", "city", "iso3166-1", "iso3166-2", "postalCode"];
    let names = select([names, vec!["privateCustomer", "comment", "orgHandle", "reason"]].concat());
    vec((names, text()), 0..4)
}

/// The lines and parts of an address.
fn parts(address: &Address) -> Vec<String> {
    let Address { street, city, state_province, postal_code, country } = address;
    let lines = street.iter().flat_map(|line| line.lines()).map(str::to_owned);
    lines.chain([city, state_province, postal_code, country].into_iter().flatten().cloned()).collect()
}

/// Every part of the address is one of an address that the operator linked to this tenant or site, or was set.
fn assert_not_guessed(world: &World, prefix: &PlannedPrefix, set: &Fields, net: &NewNet) {
    let NewHolder::Customer(customer) = &net.holder else { return };
    let linked = |address: &&PlannedAddress| {
        let of_tenant = address.tenant.is_some() && address.tenant == prefix.tenant;
        of_tenant || (address.tenant.is_none() && address.site.is_some() && address.site == prefix.site)
    };
    let of_rows: Vec<String> = world.plan.addresses.iter().filter(linked).flat_map(|row| parts(&row.address)).collect();
    let set: Vec<String> = set.names().flat_map(|field| set.lines(field).unwrap().to_vec()).collect();
    let known: Vec<String> = of_rows.iter().chain(&set).filter_map(|text| ascii(text)).collect();
    for part in parts(&customer.address) {
        assert!(known.iter().any(|known| known.eq_ignore_ascii_case(&part)), "{part:?} is a guess; known is {known:?}");
    }
}

proptest! {
    #[test]
    fn a_draft_is_ascii_and_no_guess(world in some_world(), set in some_set(), operation in option::of(select(&Operation::ALL[..]))) {
        let mut fields = Fields::default();
        for (name, value) in set {
            // What cannot be set is refused before there is a wish.
            let _ = fields.set(name, &value);
        }
        for prefix in &world.plan.prefixes {
            let wish = Wish::about(About::Prefix(Place::Row(prefix.id)));
            let Ok(wish) = wish.with(operation.map(Choice::Operation), None, fields.clone()) else { continue };
            let Ok(draft) = world.draft(&wish, &Answers::default()) else { continue };
            prop_assert_eq!(draft.content.change.is_some(), draft.content.missing.is_empty());
            prop_assert_eq!(draft.content.change.is_some(), draft.content.call.is_some());
            let Some(Change::Create(net)) = &draft.content.change else { continue };
            assert_not_guessed(&world, prefix, &fields, net);
            let body = draft.content.call.as_ref().unwrap().body.clone().unwrap();
            let (before, comment) = body.split_once("<comment>").unwrap_or((&body, ""));
            prop_assert!(before.is_ascii(), "{before}");
            prop_assert!(comment.split_once("</comment>").is_none_or(|(_, after)| after.is_ascii()), "{comment}");
        }
    }
}
