//! Drafts of changed texts.

use super::*;
use crate::requests::change::Change;

const NET: &str = "NET-23-1";

/// A prefix of a tenant, registered for a customer of another name.
fn registered_as(name: &str) -> (World, Answers) {
    let mut world = World::new();
    world.assigned("23.0.1.0/24", "Alpha Inc");
    world.reassigned(NET, "23.0.1.0/24", name);
    (world, registered(NET, "23.0.1.0/24", name))
}

fn of_customer(set: &[&str]) -> Wish {
    Wish { set: fields(set), ..Wish::about(About::Customer(customer_handle(&format!("C{NET}")))) }
}

fn of_network(set: &[&str]) -> Wish {
    Wish { set: fields(set), ..Wish::about(About::Network(net_handle(NET))) }
}

fn change_of_customer(draft: &Draft) -> crate::requests::change::CustomerChange {
    match &draft.content.change {
        Some(Change::ChangeCustomer(change)) => change.clone(),
        other => panic!("no change of a customer: {other:?}"),
    }
}

#[test]
fn a_customer_gets_the_name_of_the_tenant_and_keeps_the_rest() {
    let (world, asked) = registered_as("Omega LLC");
    let draft = world.draft(&of_customer(&[]), &asked).unwrap();
    assert_eq!(draft.content.base, Some(customer_document(&format!("C{NET}"), "Omega LLC").digest()));
    assert_eq!(draft.content.before["customer"]["customerName"], "Omega LLC");
    assert_eq!(draft.links.network, Some(world.registrations.nets[1].row));
    assert_eq!(draft.links.prefix, Some(world.plan.prefixes[0].id));
    insta::assert_snapshot!(shown(Ok(draft)), @r#"
    change-customer: Change name of customer CNET-23-1
    PUT /rest/customer/CNET-23-1

    <?xml version="1.0" encoding="UTF-8"?>
    <customer xmlns="http://www.arin.net/regrws/core/v1">
      <city>Springfield</city>
      <customerName>Alpha Inc</customerName>
      <handle>CNET-23-1</handle>
      <iso3166-1>
        <code2>US</code2>
      </iso3166-1>
      <iso3166-2>VA</iso3166-2>
      <parentOrgHandle>EXAMPLE-1</parentOrgHandle>
      <postalCode>22150</postalCode>
      <privateCustomer>false</privateCustomer>
      <registrationDate>2026-03-17T09:00:00-04:00</registrationDate>
      <streetAddress>
        <line number="0">1 Main St</line>
      </streetAddress>
    </customer>
    "#);
}

#[test]
fn a_customer_that_is_as_netbox_has_it_is_not_changed() {
    for name in ["Alpha Inc", "ALPHA, Inc."] {
        let (world, asked) = registered_as(name);
        let refused = world.draft(&of_customer(&[]), &asked).unwrap_err();
        assert_eq!(refused, NotAskedFor::NothingToChange(format!("customer C{NET}")), "{name}");
    }
    let (world, asked) = registered_as("Alpha Inc");
    let refused = world.draft(&of_customer(&["city=Springfield"]), &asked).unwrap_err();
    assert_eq!(refused.to_string(), "customer CNET-23-1 is at ARIN as NetBox has it; set what shall be changed");
}

#[test]
fn an_address_that_differs_is_replaced_as_a_whole_and_one_that_is_set_in_parts() {
    let (mut world, asked) = registered_as("Alpha Inc");
    let part = change_of_customer(&world.draft(&of_customer(&["postalCode=22151"]), &asked).unwrap());
    assert_eq!(part.address, Some(Address { postal_code: Some("22151".into()), ..main_street() }));
    assert_eq!((part.name, part.private), (None, None));
    let quay = Address {
        street: vec!["1 Quay".into()],
        city: Some("Cork".into()),
        country: Some("IE".into()),
        ..Address::default()
    };
    world.plan.addresses[0].address = quay.clone();
    let whole = change_of_customer(&world.draft(&of_customer(&[]), &asked).unwrap());
    assert_eq!(whole.address, Some(quay));
}

#[test]
fn who_lives_there_becomes_private() {
    let (mut world, asked) = registered_as("Alpha Inc");
    world.plan.prefixes[0].tags.insert("home".into());
    let change = change_of_customer(&world.draft(&of_customer(&[]), &asked).unwrap());
    assert_eq!((change.private, change.name, change.address), (Some(true), None, None));
    world.plan.prefixes[0].tags.clear();
    let by_hand = change_of_customer(&world.draft(&of_customer(&["privateCustomer=true"]), &asked).unwrap());
    assert_eq!(by_hand.private, Some(true));
}

#[test]
fn what_arin_does_not_show_is_not_sent_back_to_it() {
    // The tenant lives there, and ARIN shows another name: nothing can be compared.
    let masked = "Private Customer - Example";
    let (mut world, asked) = registered_as(masked);
    world.plan.prefixes[0].tags.insert("home".into());
    assert!(matches!(world.draft(&of_customer(&[]), &asked), Err(NotAskedFor::NothingToChange(_))));
    // Whatever is changed, the true name and address go with it.
    let change = change_of_customer(&world.draft(&of_customer(&["city=Fairfax"]), &asked).unwrap());
    assert_eq!(change.name.as_deref(), Some("Alpha Inc"));
    assert_eq!(change.address, Some(Address { city: Some("Fairfax".into()), ..main_street() }));
    world.plan.prefixes[0].tags.clear();
    let shown_now = change_of_customer(&world.draft(&of_customer(&[]), &asked).unwrap());
    assert_eq!((shown_now.name.as_deref(), shown_now.address), (Some("Alpha Inc"), Some(main_street())));
    world.plan.prefixes.clear();
    insta::assert_snapshot!(told(world.draft(&of_customer(&["privateCustomer=false"]), &asked)), @"
    change-customer: Change customer CNET-23-1
    missing customerName: ARIN does not show the name, and no tenant has it: set customerName
    missing address: ARIN does not show the address, and no tenant has one: set streetAddress and the others
    ");
}

#[test]
fn the_name_of_a_private_customer_is_not_compared() {
    let (mut world, mut asked) = registered_as("Omega LLC");
    world.plan.prefixes[0].tags.insert("home".into());
    let mut document = customer_document(&format!("C{NET}"), "Omega LLC");
    document.set_text("privateCustomer", Some("true")).unwrap();
    asked.customers.insert(customer_handle(&format!("C{NET}")), Answered::Found(document));
    assert!(matches!(world.draft(&of_customer(&[]), &asked), Err(NotAskedFor::NothingToChange(_))));
}

#[test]
fn a_net_gets_the_name_of_the_template_or_of_the_person() {
    let (mut world, asked) = registered_as("Alpha Inc");
    assert!(
        matches!(world.draft(&of_network(&[]), &asked), Err(NotAskedFor::NothingToChange(_))),
        "no template is set"
    );
    insta::assert_snapshot!(world.shown_with(&of_network(&["netName=new", r"comment=Zürich\nline 2"]), &asked), @r#"
    change-network: Change name and comment of network NET-23-1
    PUT /rest/net/NET-23-1

    <?xml version="1.0" encoding="UTF-8"?>
    <net xmlns="http://www.arin.net/regrws/core/v1">
      <customerHandle>CNET-23-1</customerHandle>
      <handle>NET-23-1</handle>
      <netBlocks>
        <netBlock>
          <endAddress>23.0.1.255</endAddress>
          <startAddress>23.0.1.0</startAddress>
          <type>S</type>
        </netBlock>
      </netBlocks>
      <netName>NEW</netName>
      <parentNetHandle>NET-23</parentNetHandle>
      <registrationDate>2026-03-17T09:00:00-04:00</registrationDate>
      <version>4</version>
      <comment>
        <line number="0">Zürich</line>
        <line number="1">line 2</line>
      </comment>
    </net>
    "#);
    world.policy.net_name_template = "{tenant}".into();
    let draft = world.draft(&of_network(&[]), &asked).unwrap();
    assert_eq!(draft.summary, "Change name of network NET-23-1");
    assert!(draft.content.call.unwrap().body.unwrap().contains("<netName>ALPHA-INC</netName>"));
    assert!(draft.content.base.is_some());
}

#[test]
fn a_net_that_is_gone_or_another_one_now_is_refused() {
    let (mut world, mut asked) = registered_as("Alpha Inc");
    let wish = of_network(&["netName=NEW"]);
    world.registrations.nets[1].registered_on = Some("2026-03-16".parse().unwrap());
    let other = world.shown_with(&wish, &asked);
    asked.nets.insert(net_handle(NET), Answered::Absent);
    let gone = world.shown_with(&wish, &asked);
    asked.nets.insert(net_handle(NET), Answered::NotKnown("503".into()));
    let failed = world.shown_with(&wish, &asked);
    let odd = Document::from_json("net", &json!({"handle": NET})).unwrap();
    asked.nets.insert(net_handle(NET), Answered::Found(odd));
    let unreadable = world.shown_with(&wish, &asked);
    let wrong = world.shown_with(&of_network(&["city=X"]), &asked);
    insta::assert_snapshot!([other, gone, failed, unreadable, wrong].join("\n"), @"
    refused: ARIN has used the handle NET-23-1 again, for another registration than the recorded one; sync its range
    refused: ARIN does not have net NET-23-1 any more; sync its range
    refused: ARIN could not be asked for net NET-23-1: 503; try again
    refused: ARIN's answer about net NET-23-1 cannot be read: it has no netBlock, or one that cannot be read; try again
    refused: city cannot be set for change-network; what can is netName, comment
    ");
}

#[test]
fn a_customer_may_be_named_by_its_net_or_prefix() {
    let (world, asked) = registered_as("Omega LLC");
    let by_net = chosen(of_network(&[]), Operation::ChangeCustomer);
    let by_prefix = chosen(wish("23.0.1.0/24", &[]), Operation::ChangeCustomer);
    let by_itself = world.draft(&of_customer(&[]), &asked).unwrap();
    assert_eq!(world.draft(&by_net, &asked).unwrap(), by_itself);
    assert_eq!(world.draft(&by_prefix, &asked).unwrap(), by_itself);
}

impl World {
    fn shown_with(&self, wish: &Wish, asked: &Answers) -> String {
        shown(self.draft(wish, asked))
    }
}
