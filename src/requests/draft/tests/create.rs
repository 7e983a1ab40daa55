//! Drafts of registrations.

use super::*;

#[test]
fn a_tenant_without_an_organization_becomes_a_customer() {
    let mut world = World::new();
    world.assigned("23.0.1.0/24", "Café Łódź, Inc.");
    insta::assert_snapshot!(world.shown("23.0.1.0/24", &["comment=Réseau"]), @r#"
    reassign-simple: Reassign 23.0.1.0/24 to Cafe Lodz, Inc.
    folded customerName: Café Łódź, Inc. -> Cafe Lodz, Inc.
    PUT /rest/net/NET-23/reassign

    <?xml version="1.0" encoding="UTF-8"?>
    <net xmlns="http://www.arin.net/regrws/core/v1">
      <version>4</version>
      <netName>CAFE-LODZ-INC-23-0-1-0-24</netName>
      <parentNetHandle>NET-23</parentNetHandle>
      <customer>
        <customerName>Cafe Lodz, Inc.</customerName>
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
      <comment>
        <line number="0">Réseau</line>
      </comment>
    </net>
    "#);
}

#[test]
fn a_tenant_with_an_organization_gets_the_range_as_that() {
    let mut world = World::new();
    world.prefix("23.0.1.0/24", Some("Linked"));
    world.org("LINK-1", "Linked");
    insta::assert_snapshot!(world.shown("23.0.1.0/24", &[]), @r#"
    reassign-detailed: Reassign 23.0.1.0/24 to Linked LLC (LINK-1)
    PUT /rest/net/NET-23/reassign

    <?xml version="1.0" encoding="UTF-8"?>
    <net xmlns="http://www.arin.net/regrws/core/v1">
      <version>4</version>
      <netName>LINKED-23-0-1-0-24</netName>
      <parentNetHandle>NET-23</parentNetHandle>
      <orgHandle>LINK-1</orgHandle>
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
fn an_organization_whose_customers_have_parts_gets_a_reallocation() {
    let mut world = World::new();
    world.prefix("23.0.0.0/20", Some("Linked"));
    world.org("LINK-1", "Linked");
    // Too small to be registered for itself, and of the same tenant.
    world.assigned("23.0.1.0/30", "Small");
    world.prefix("23.0.2.0/24", Some("Linked"));
    assert_eq!(
        world.draft(&wish("23.0.0.0/20", &[]), &Answers::default()).unwrap().operation,
        Operation::ReassignDetailed
    );
    world.assigned("23.0.3.0/24", "Third");
    insta::assert_snapshot!(world.shown("23.0.0.0/20", &[]), @r#"
    reallocate: Reallocate 23.0.0.0/20 to Linked LLC (LINK-1)
    PUT /rest/net/NET-23/reallocate

    <?xml version="1.0" encoding="UTF-8"?>
    <net xmlns="http://www.arin.net/regrws/core/v1">
      <version>4</version>
      <netName>LINKED-23-0-0-0-20</netName>
      <parentNetHandle>NET-23</parentNetHandle>
      <orgHandle>LINK-1</orgHandle>
      <netBlocks>
        <netBlock>
          <type>A</type>
          <startAddress>23.0.0.0</startAddress>
          <endAddress>23.0.15.255</endAddress>
        </netBlock>
      </netBlocks>
    </net>
    "#);
}

#[test]
fn a_customer_cannot_pass_parts_on() {
    let mut world = World::new();
    world.assigned("23.0.0.0/20", "Alpha");
    world.assigned("23.0.3.0/24", "Third");
    insta::assert_snapshot!(world.shown("23.0.0.0/20", &[]), @"
    reallocate: Reallocate 23.0.0.0/20 to Alpha
    missing orgHandle: parts of it are assigned to others, 23.0.3.0/24 (Third), and a customer cannot pass them on: link an RIR organization to tenant Alpha, or name it with --org
    ");
    let by_hand = chosen(wish("23.0.0.0/20", &[]), Operation::ReassignSimple);
    assert_eq!(world.draft(&by_hand, &Answers::default()).unwrap().content.missing, []);
}

#[test]
fn an_organization_may_be_named_by_hand() {
    let mut world = World::new();
    world.assigned("23.0.1.0/24", "Alpha");
    let named = |set: &[&str]| Wish { org: OrgHandle::new("other-7"), ..wish("23.0.1.0/24", set) };
    insta::assert_snapshot!(told(world.draft(&named(&[]), &Answers::default())), @"
    reassign-detailed: Reassign 23.0.1.0/24 to organization OTHER-7
    missing orgHandle: ARIN has no organization OTHER-7: correct --org
    ");
    let mut asked = Answers::default();
    asked.orgs.insert(OrgHandle::new("OTHER-7").unwrap(), Answered::NotKnown("E_AUTHENTICATION".into()));
    for wish in [named(&[]), wish("23.0.1.0/24", &["orgHandle=other-7"])] {
        let draft = world.draft(&wish, &asked).unwrap();
        assert_eq!((draft.operation, draft.content.call.is_some()), (Operation::ReassignDetailed, true));
    }
    insta::assert_snapshot!(told(world.draft(&named(&["customerName=X"]), &asked)), @"refused: customerName cannot be set for reassign-detailed; what can is netName, orgHandle, comment");
    let other = Wish::about(About::Prefix(Place::Row(RowId(1))));
    let twice = other.with(None, OrgHandle::new("A-1"), fields(&["orgHandle=B-1"])).unwrap_err();
    insta::assert_snapshot!(twice, @"two organizations are named, A-1 and B-1");
}

#[test]
fn several_organizations_or_unfit_ones_are_for_a_person_to_choose_from() {
    let mut world = World::new();
    world.prefix("23.0.1.0/24", Some("Linked"));
    world.org("LINK-1", "Linked");
    world.org("LINK-2-Z", "Linked");
    let fit = world.draft(&wish("23.0.1.0/24", &[]), &Answers::default()).unwrap();
    assert!(fit.summary.contains("(LINK-1)"), "the only one that is fit: {}", fit.summary);
    world.org("LINK-3", "Linked");
    insta::assert_snapshot!(world.shown("23.0.1.0/24", &[]), @"
    reassign-detailed: Reassign 23.0.1.0/24 to Linked
    missing orgHandle: several organizations are linked to the tenant, LINK-1, LINK-3: choose one with --org
    ");
    world.registrations.orgs.retain(|org| org.handle.as_str() == "LINK-2-Z");
    insta::assert_snapshot!(world.shown("23.0.1.0/24", &[]), @"
    reassign-detailed: Reassign 23.0.1.0/24 to Linked
    missing orgHandle: LINK-2-Z is the handle of an organization that cannot be given space (-Z): have that corrected at ARIN, or name another one with --org
    ");
    world.registrations.orgs.clear();
    let detailed = chosen(wish("23.0.1.0/24", &[]), Operation::ReassignDetailed);
    insta::assert_snapshot!(told(world.draft(&detailed, &Answers::default())), @"
    reassign-detailed: Reassign 23.0.1.0/24 to Linked
    missing orgHandle: link an RIR organization to tenant Linked, or name it with --org
    ");
}

#[test]
fn somebody_at_home_is_named_to_arin_alone() {
    let mut world = World::new();
    world.assigned("23.0.1.0/24", "Jo Doe").tags.insert("home".into());
    let draft = world.draft(&wish("23.0.1.0/24", &[]), &Answers::default()).unwrap();
    let body = draft.content.call.as_ref().unwrap().body.as_deref().unwrap();
    assert!(body.contains("<privateCustomer>true</privateCustomer>") && body.contains("Jo Doe"));
    assert!(body.contains("<netName>PRIVATE-23-0-1-0-24</netName>"), "the name of a net is public: {body}");
    assert_eq!(draft.summary, "Reassign 23.0.1.0/24 to a private customer");
    // A person may say otherwise, either way.
    assert!(world.shown("23.0.1.0/24", &["privateCustomer=false"]).contains("<privateCustomer>false<"));
    world.assigned("23.0.2.0/24", "Jo Doe");
    let text = world.shown("23.0.2.0/24", &["privateCustomer=true"]);
    assert!(text.contains("<privateCustomer>true<") && text.contains("PRIVATE-23-0-2-0-24"), "{text}");
}

#[test]
fn names_are_those_of_the_template_the_field_or_the_person() {
    let mut world = World::new();
    world.policy.net_name_template = "cust-{id}".into();
    let tenant = world.tenant("alpha");
    world.plan.tenants.get_mut(&tenant).unwrap().legal_name = Some("Alpha Legal Ltd".into());
    let id = world.assigned("23.0.1.0/24", "alpha").id;
    let text = world.shown("23.0.1.0/24", &[]);
    assert!(
        text.contains("<customerName>Alpha Legal Ltd<") && text.contains(&format!("<netName>CUST-{id}<")),
        "{text}"
    );
    let text = world.shown("23.0.1.0/24", &["customerName=Beta", "netName=their-net"]);
    assert!(text.contains("<customerName>Beta<") && text.contains("<netName>THEIR-NET<"), "{text}");
}

#[test]
fn every_part_that_is_missing_is_told_with_its_place() {
    let mut world = World::new();
    world.prefix("23.0.1.0/24", Some("Alpha"));
    insta::assert_snapshot!(world.shown("23.0.1.0/24", &[]), @"
    reassign-simple: Reassign 23.0.1.0/24 to Alpha
    missing address: link an RIR address to tenant Alpha or to its site, or set streetAddress, city, iso3166-1, iso3166-2 and postalCode
    ");
    world.address(Address { country: Some("CA".into()), ..Address::default() }, "Alpha");
    insta::assert_snapshot!(world.shown("23.0.1.0/24", &[]), @"
    reassign-simple: Reassign 23.0.1.0/24 to Alpha
    missing streetAddress: fill in the street of RIR address 107, or set streetAddress
    missing city: fill in the city of RIR address 107, or set city
    missing iso3166-2: fill in the state or province of RIR address 107, or set iso3166-2
    missing postalCode: fill in the postal code of RIR address 107, or set postalCode
    ");
    let set = ["streetAddress=1 Rue X", "city=Montreal", "iso3166-2=QC", "postalCode=H2X 1Y4"];
    assert!(world.draft(&wish("23.0.1.0/24", &set), &Answers::default()).unwrap().content.call.is_some());
    insta::assert_snapshot!(world.shown("23.0.1.0/24", &["streetAddress=1 Rue X", "city=Dublin", "iso3166-1=IE"]).lines().next().unwrap(), @"reassign-simple: Reassign 23.0.1.0/24 to Alpha");
}

#[test]
fn several_addresses_are_for_a_person_to_choose_from() {
    let mut world = World::new();
    world.assigned("23.0.1.0/24", "Alpha");
    world.address(Address { city: Some("Shelbyville".into()), ..main_street() }, "Alpha");
    insta::assert_snapshot!(world.shown("23.0.1.0/24", &["city=Springfield"]), @"
    reassign-simple: Reassign 23.0.1.0/24 to Alpha
    missing address: choose one of RIR addresses 106, 108, which are linked to the same tenant and site: leave the link at one, or set streetAddress, city, iso3166-1, iso3166-2 and postalCode
    ");
    let all = ["streetAddress=5 Elm St", "city=Ogdenville", "iso3166-1=US", "iso3166-2=VA", "postalCode=22151"];
    assert!(world.shown("23.0.1.0/24", &all).contains("5 Elm St"));
}

#[test]
fn what_cannot_be_written_in_ascii_is_missing() {
    let mut world = World::new();
    let address = Address { city: Some("東京".into()), country: Some("Japan".into()), ..main_street() };
    world.address(address, "日本電信電話");
    world.prefix("23.0.1.0/24", Some("日本電信電話"));
    insta::assert_snapshot!(world.shown("23.0.1.0/24", &[]), @"
    reassign-simple: Reassign 23.0.1.0/24 to 日本電信電話
    missing customerName: `日本電信電話` cannot be written in ASCII letters, as ARIN wants it: change the name of tenant 日本電信電話, or its `findings.legal_name_field`, or set customerName
    missing city: `東京` cannot be written in ASCII letters, as ARIN wants it: change RIR address 106, or set city
    missing iso3166-1: `JAPAN` is no code of two or three letters: change RIR address 106, or set iso3166-1
    missing netName: no name in letters, digits and hyphens can be made by `findings.net_name_template`: set netName
    ");
}

#[test]
fn without_a_tenant_all_has_to_be_set() {
    let mut world = World::new();
    world.prefix("23.0.1.0/24", None);
    insta::assert_snapshot!(world.shown("23.0.1.0/24", &[]), @"
    reassign-simple: Reassign 23.0.1.0/24 to a customer
    missing customerName: set the tenant of prefix 23.0.1.0/24, or set customerName
    missing address: set the tenant of prefix 23.0.1.0/24, or set streetAddress, city, iso3166-1, iso3166-2 and postalCode
    missing netName: no name in letters, digits and hyphens can be made by `findings.net_name_template`: set netName
    ");
    let set = ["customerName=Alpha", "streetAddress=1 Quay", "city=Dublin", "iso3166-1=ie"];
    let text = world.shown("23.0.1.0/24", &set);
    assert!(text.contains("<netName>ALPHA-23-0-1-0-24<") && text.contains("<code2>IE<"), "{text}");
}

#[test]
fn the_parent_is_what_arin_says() {
    let mut world = World::new();
    world.assigned("23.0.1.0/24", "Alpha");
    let with = |answer| {
        let mut asked = Answers::default();
        asked.parents.insert(block("23.0.1.0/24"), answer);
        told(world.draft(&wish("23.0.1.0/24", &[]), &asked))
    };
    let reallocated = with(Answered::Found(parent("NET-23-1", "23.0.0.0/20", NetType::Reallocated)));
    assert_eq!(reallocated, "reassign-simple: Reassign 23.0.1.0/24 to Alpha");
    let others = [
        with(Answered::Found(parent("NET-23-S", "23.0.0.0/20", NetType::Reassigned))),
        with(Answered::Absent),
        with(Answered::NotKnown("503 (E_OUTAGE)".into())),
    ];
    insta::assert_snapshot!(others.join("\n"), @"
    reassign-simple: Reassign 23.0.1.0/24 to Alpha
    missing parentNetHandle: 23.0.1.0/24 lies in NET-23-S, which is reassigned itself, so that nothing can be cut from it: return that one first
    reassign-simple: Reassign 23.0.1.0/24 to Alpha
    missing parentNetHandle: ARIN has no network around 23.0.1.0/24: see whether the aggregate is registered
    reassign-simple: Reassign 23.0.1.0/24 to Alpha
    missing parentNetHandle: ARIN could not be asked for the network around 23.0.1.0/24 (503 (E_OUTAGE)): prepare it again
    ");
}

#[test]
fn nothing_is_drafted_before_arin_was_asked() {
    let mut world = World::new();
    world.assigned("23.0.1.0/24", "Alpha");
    let (drafting, wish) = (world.drafting(), wish("23.0.1.0/24", &[]));
    assert_eq!(drafting.questions(&wish, &Answers::default()), [Question::Parent(block("23.0.1.0/24"))]);
    insta::assert_snapshot!(drafting.draft(&wish, &Answers::default()).unwrap_err(), @"ARIN was not asked yet for the net around 23.0.1.0/24");
}

#[test]
fn what_is_no_assignment_is_refused_with_what_to_do() {
    let mut world = World::new();
    let vrf = RowId(77);
    world.prefix("23.0.1.0/24", Some("us"));
    world.assigned("23.0.2.0/24", "Alpha").vrf = Some(vrf);
    world.assigned("23.0.3.0/24", "Alpha");
    world.assigned("23.0.3.0/24", "Alpha");
    world.assigned("23.0.4.0/24", "Alpha").tags.insert("leave-alone".into());
    world.assigned("24.0.1.0/24", "Alpha");
    world.assigned("2600:100::/80", "Alpha");
    world.assigned("99.0.1.0/24", "Alpha");
    let id = world.assigned("23.0.5.0/24", "Alpha").id;
    world.assigned("23.0.5.0/24", "Beta");
    let all = ["23.0.1.0/24", "23.0.2.0/24", "23.0.3.0/24", "23.0.4.0/24", "24.0.1.0/24", "2600:100::/80"];
    let mut told: Vec<String> = all.into_iter().map(|range| world.shown(range, &[])).collect();
    told.push(world.shown("99.0.1.0/24", &[]));
    told.push(world.shown("23.0.9.0/24", &[]));
    told.push(shown(world.draft(&Wish::about(About::Prefix(Place::Row(id))), &Answers::default())));
    let by_network = Wish::of(About::Network(net_handle("NET-23")), Operation::Reallocate);
    told.push(shown(world.draft(&by_network, &Answers::default())));
    insta::assert_snapshot!(told.join("\n"), @"
    refused: 23.0.1.0/24 is assigned to us, which is us, so that nothing has to be registered; choose an operation if it shall be
    refused: prefix 23.0.2.0/24 is in a VRF that is no public space; `findings.public_vrfs` names those that are
    refused: NetBox has 23.0.3.0/24 more than once; ask by id for one of 110, 111
    refused: 23.0.4.0/24 is to be left alone, as `findings.opt_out_tag` says; take the tag off first
    refused: 24.0.1.0/24 belongs to config Other; ask for it with that one
    refused: 2600:100::/80: IPv6 prefixes longer than /64 are not registered on their own
    refused: NetBox has no prefix 99.0.1.0/24 in the aggregates of this config's RIR
    refused: NetBox has no prefix 23.0.9.0/24 in the aggregates of this config's RIR
    refused: NetBox has 23.0.5.0/24 for different tenants; decide first whose it is
    refused: reallocate is asked for by prefix, and not by network NET-23
    ");
    // By hand even to one of our own.
    let by_hand = Wish { org: OrgHandle::new("LINK-1"), ..wish("23.0.1.0/24", &[]) };
    world.org("LINK-1", "Linked");
    assert!(world.draft(&by_hand, &Answers::default()).unwrap().content.call.is_some());
    // By id one of two equal ones is told from the other.
    let first = world.plan.prefixes.iter().find(|prefix| prefix.prefix == cidr("23.0.3.0/24")).unwrap().id;
    assert!(world.draft(&Wish::about(About::Prefix(Place::Row(first))), &Answers::default()).is_ok());
}
