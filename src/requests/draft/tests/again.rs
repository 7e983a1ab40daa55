//! Drafts that register again what is gone.

use super::*;

const NET: &str = "NET-23-1";

/// What a removal of a customer's net has kept.
fn former(name: &str) -> (World, Wish) {
    let mut world = World::new();
    world.reassigned(NET, "23.0.1.0/24", name);
    let asked = registered(NET, "23.0.1.0/24", name);
    let removal = Wish::of(About::Network(net_handle(NET)), Operation::RemoveNetwork);
    let before = world.draft(&removal, &asked).unwrap().content.before;
    world.registrations.nets[1].registered = false;
    (world, Wish::about(About::Former(before)))
}

#[test]
fn a_net_comes_back_as_it_was_from_what_is_around_it_now() {
    let (mut world, wish) = former("Café Alpha");
    world.assigned("23.0.1.0/24", "Somebody Else");
    let mut asked = Answers::default();
    let around = parent("NET-23-0", "23.0.0.0/20", NetType::Reallocated);
    asked.parents.insert(block("23.0.1.0/24"), Answered::Found(around));
    let draft = world.draft(&wish, &asked).unwrap();
    assert_eq!(draft.links.prefix, Some(world.plan.prefixes[0].id));
    assert_eq!(draft.parent, Some(net_handle("NET-23-0")));
    insta::assert_snapshot!(shown(Ok(draft)), @r#"
    reassign-simple: Reassign 23.0.1.0/24 to Cafe Alpha
    folded customerName: Café Alpha -> Cafe Alpha
    PUT /rest/net/NET-23-0/reassign

    <?xml version="1.0" encoding="UTF-8"?>
    <net xmlns="http://www.arin.net/regrws/core/v1">
      <version>4</version>
      <netName>EXAMPLE-CAFE</netName>
      <parentNetHandle>NET-23-0</parentNetHandle>
      <customer>
        <customerName>Cafe Alpha</customerName>
        <streetAddress>
          <line number="0">1 Main St</line>
        </streetAddress>
        <city>Springfield</city>
        <iso3166-2>VA</iso3166-2>
        <postalCode>22150</postalCode>
        <iso3166-1>
          <code2>US</code2>
        </iso3166-1>
        <privateCustomer>false</privateCustomer>
      </customer>
      <netBlocks>
        <netBlock>
          <type>S</type>
          <startAddress>23.0.1.0</startAddress>
          <endAddress>23.0.1.255</endAddress>
        </netBlock>
      </netBlocks>
    </net>
    "#);
}

#[test]
fn a_recorded_net_that_is_gone_comes_back_the_same() {
    let (world, wish) = former("Alpha");
    let by_request = world.draft(&wish, &Answers::default()).unwrap();
    let mut world = world;
    world.registrations.nets[1].name = "EXAMPLE-CAFE".into();
    let again = Wish { chosen: Some(Choice::RegisterAgain), ..Wish::about(About::Network(net_handle(NET))) };
    assert_eq!(world.draft(&again, &Answers::default()).unwrap(), by_request);
    world.registrations.nets[1].registered = true;
    let still = shown(world.draft(&again, &Answers::default()));
    let unknown = Wish { about: About::Network(net_handle("NET-9")), ..again.clone() };
    let by_prefix = Wish { about: About::Prefix(Place::Row(RowId(1))), ..again };
    let broken = Wish::about(About::Former(json!({ "former": { "name": 1 } })));
    let others = [unknown, by_prefix, broken].map(|wish| shown(world.draft(&wish, &Answers::default())));
    insta::assert_snapshot!([[still].to_vec(), others.to_vec()].concat().join("\n"), @"
    refused: NET-23-1 is still registered, as far as is recorded; if it is not, sync its range
    refused: nothing is kept of network NET-9 that it could be registered with again
    refused: register-again is asked for by the request that returned it, or network, and not by prefix 1
    refused: nothing is kept of an earlier request that it could be registered with again
    ");
}

#[test]
fn an_organization_gets_its_range_back() {
    let mut world = World::new();
    let net = world.net(NET, "23.0.1.0/24", NetType::Reallocated, Some("OTHER-7"));
    (net.registered, net.name) = (false, "OLD NAME".into());
    let again = Wish { chosen: Some(Choice::RegisterAgain), ..Wish::about(About::Network(net_handle(NET))) };
    world.org("OTHER-7", "Linked");
    let draft = world.draft(&again, &Answers::default()).unwrap();
    assert_eq!(
        (draft.operation, draft.summary.as_str()),
        (Operation::Reallocate, "Reallocate 23.0.1.0/24 to Linked LLC (OTHER-7)")
    );
    assert!(draft.content.call.unwrap().body.unwrap().contains("<netName>OLD-NAME<"));
}

#[test]
fn what_arin_did_not_show_has_to_be_set() {
    let (world, wish) = former("Private Customer - Example");
    insta::assert_snapshot!(shown(world.draft(&wish, &Answers::default())), @"
    reassign-simple: Reassign 23.0.1.0/24 to a customer
    missing customerName: ARIN did not show the name of this private customer: set customerName
    missing streetAddress: set streetAddress
    missing city: set city
    missing iso3166-1: set iso3166-1
    ");
}
