//! Reassignments, reallocations and changes of nets.

use super::lab::*;
use crate::{
    regrws::{Clock, KEY, Lookup, Operation, Options, Style},
    world::World,
};

// Methods, "Reassign": a simple reassignment with the customer inside, in one call. Templates: so does ARIN's client.
#[tokio::test]
async fn a_simple_reassignment_is_one_call() {
    let lab = Lab::demo().await;
    let net = lab.reassigned().await;
    let customer = lab.get(&format!("customer/{}", net.text_of("customerHandle").unwrap())).await.root();
    assert_eq!(customer.text_of("customerName").as_deref(), Some("Sample Orchard"));
    assert_eq!(customer.text_of("parentOrgHandle").as_deref(), Some("EXAMPLE-NET-1"));
    assert_eq!(customer.text_of("privateCustomer").as_deref(), Some("false"));
    assert_eq!(net.text_of("parentNetHandle").as_deref(), Some(PARENT));
    let block = net.child("netBlocks").unwrap().child("netBlock").unwrap();
    let texts = ["type", "startAddress", "endAddress", "cidrLength"].map(|name| block.text_of(name).unwrap());
    assert_eq!(texts, ["S", "023.144.012.000", "023.144.012.255", "24"]);
}

// Seen: the net can be read in the next call, by handle and by range, and its parent by range.
#[tokio::test]
async fn what_was_written_is_read_at_once() {
    for lookup in [Lookup::Covering, Lookup::Exact] {
        let lab = Lab::of(Options { lookup, ..Options::default() }).await;
        let net = lab.reassigned().await;
        let handle = net.text_of("handle").unwrap();
        assert_eq!(lab.net(&handle).await, net);
        assert_eq!(lab.get(&format!("net/mostSpecificNet/{RANGE}")).await.root(), net);
        let parent = lab.get(&format!("net/parentNet/{RANGE}")).await.root();
        assert_eq!(parent.text_of("handle").as_deref(), Some(PARENT));
    }
}

// Templates and the quick start page: a name comes back in capitals.
#[tokio::test]
async fn a_name_comes_back_in_capitals() {
    let net = Lab::demo().await.reassigned().await;
    assert_eq!(net.text_of("netName").as_deref(), Some("SAMPLE-ORCHARD"));
}

// Seen: detailed reassignments and reallocations are done at once, also of IPv6 and to an organization that has IPv6.
#[tokio::test]
async fn an_organization_gets_nets_of_both_kinds() {
    let lab = Lab::demo().await;
    let net = lab.reassign(&detailed("SAMPLE-3")).await.net();
    assert_eq!(net.text_of("orgHandle").as_deref(), Some("SAMPLE-3"));
    let inside = "<version>6</version><netName>SIX</netName><orgHandle>SAMPLE-3</orgHandle><netBlocks><netBlock>\
        <type>A</type><startAddress>2600:4000:0200::</startAddress><cidrLength>40</cidrLength></netBlock></netBlocks>";
    let path = "net/NET6-2600-4000-1/reallocate";
    let net = lab.call("PUT", path, &super::lab::net(inside)).await.net();
    assert_eq!(net.text_of("handle").as_deref(), Some("NET6-2600-4000-200-1"));
    let block = net.child("netBlocks").unwrap().child("netBlock").unwrap().clone();
    let texts = ["type", "endAddress"].map(|name| block.text_of(name).unwrap());
    assert_eq!(texts, ["A", "2600:4000:02ff:ffff:ffff:ffff:ffff:ffff"]);
}

// Seen: IPv4 down to a /32; two unequal blocks beside each other are kept as they were sent. Templates: a range that is
// no CIDR is one block with a start and an end.
#[tokio::test]
async fn a_range_need_not_be_one_cidr() {
    let blocks = async |blocks: &str| {
        let inside = format!("<netName>A</netName><orgHandle>SAMPLE-3</orgHandle><netBlocks>{blocks}</netBlocks>");
        let net = Lab::demo().await.reassign(&inside).await.net();
        let lengths = net.child("netBlocks").unwrap().all("netBlock").map(|block| block.text_of("cidrLength").unwrap());
        lengths.collect::<Vec<_>>().join(" ")
    };
    let block = |first: &str, rest: &str| format!("<netBlock><startAddress>{first}</startAddress>{rest}</netBlock>");
    let length = |length: u8| format!("<cidrLength>{length}</cidrLength>");
    assert_eq!(blocks(&block("23.144.12.7", &length(32))).await, "32");
    let two = [block("23.144.14.128", &length(26)), block("23.144.14.0", &length(25))].concat();
    assert_eq!(blocks(&two).await, "25 26");
    assert_eq!(blocks(&block("23.144.14.0", "<endAddress>23.144.14.191</endAddress>")).await, "25 26");
}

// Templates: the elements may stand in any order. Payloads: their namespace is ARIN's, by whatever prefix.
#[tokio::test]
async fn order_and_prefix_do_not_matter() {
    let body = r#"<n:net xmlns:n="http://www.arin.net/regrws/core/v1"><n:orgHandle>sample-3</n:orgHandle>
        <n:netBlocks><n:netBlock>
            <n:cidrLength>24</n:cidrLength><n:startAddress>23.144.12.0</n:startAddress>
        </n:netBlock></n:netBlocks><x:note xmlns:x="urn:x">passes</x:note><n:netName>A B-1</n:netName></n:net>"#;
    let answer = Lab::demo().await.call("PUT", &format!("net/{PARENT}/reassign"), body).await;
    assert_eq!(answer.net().text_of("netName").as_deref(), Some("A B-1"));
}

// Templates: an element that ARIN's schema lacks is an error, and so is what is not XML at all.
#[tokio::test]
async fn what_is_against_the_schema_is_refused() {
    let lab = Lab::demo().await;
    let refusal = async |inside: &str| lab.reassign(inside).await.refusal();
    assert_eq!(refusal(&format!("{}<colour>red</colour>", simple())).await, "400 E_SCHEMA_VALIDATION");
    assert_eq!(refusal("<netName>").await, "400 E_SCHEMA_VALIDATION");
    assert_eq!(refusal(&format!("{}<netName>AGAIN</netName>", simple())).await, "400 E_SCHEMA_VALIDATION");
    let other = lab.call("PUT", &format!("net/{PARENT}/reassign"), &customer(CUSTOMER)).await;
    assert_eq!(other.refusal(), "400 E_SCHEMA_VALIDATION");
}

// Methods, "Reassign", its rules; Payloads, "NET Payload".
#[tokio::test]
async fn each_rule_of_a_new_net_is_named_by_its_element() {
    let lab = Lab::demo().await;
    let refusal = async |inside: String| {
        let refusal = lab.reassign(&inside).await.refusal();
        refusal.strip_prefix("400 E_ENTITY_VALIDATION ").map(str::to_owned).unwrap_or(refusal)
    };
    let simple = simple();
    assert_eq!(refusal(edited(&simple, "Sample-Orchard", "Sample_Orchard")).await, "netName");
    assert_eq!(refusal(edited(&simple, "<netName>Sample-Orchard</netName>", "")).await, "netName");
    assert_eq!(refusal(edited(&simple, "Sample-Orchard", &"A".repeat(51))).await, "netName");
    assert_eq!(refusal(edited(&simple, BLOCK, "")).await, "netBlocks");
    assert_eq!(refusal(format!("{simple}<orgHandle>SAMPLE-3</orgHandle>")).await, "orgHandle");
    assert_eq!(refusal(format!("<netName>A</netName>{BLOCK}")).await, "orgHandle");
    assert_eq!(
        refusal(format!("{simple}<parentNetHandle>NET-23-145-0-0-1</parentNetHandle>")).await,
        "parentNetHandle"
    );
    assert_eq!(refusal(format!("{simple}<handle>NET-23-144-12-0-1</handle>")).await, "handle");
    assert_eq!(refusal(format!("{simple}<registrationDate>today</registrationDate>")).await, "registrationDate");
    assert_eq!(refusal(format!("{simple}<version>6</version>")).await, "version");
    let typed = edited(&simple, "<netBlock>", "<netBlock><type>A</type>");
    assert_eq!(refusal(typed).await, "type");
    let link = r#"<pocLinks><pocLinkRef handle="NOC8-ARIN" function="T"/></pocLinks>"#;
    assert_eq!(refusal(format!("{simple}{link}")).await, "pocLinks");
    assert_eq!(lab.server.registry().nets.len(), World::demo().registry.nets.len());
    assert_eq!(lab.server.registry().customers.len(), World::demo().registry.customers.len());
}

// Methods: empty elements say nothing. Seen: `originASes` are dropped without a word, on creation and on change.
#[tokio::test]
async fn origins_are_dropped_without_a_word() {
    let lab = Lab::demo().await;
    let origins = "<originASes><originAS>AS64496</originAS></originASes><pocLinks/><handle/><registrationDate/>";
    let net = lab.reassign(&format!("{}{origins}", simple())).await.net();
    assert_eq!(net.child("originASes"), None);
    let handle = net.text_of("handle").unwrap();
    let again = edited(
        &raw(&lab, &handle).await,
        "</net>",
        &format!("{}</net>", &origins[..origins.find("<pocLinks").unwrap()]),
    );
    let net = lab.call("PUT", &format!("net/{handle}"), &again).await.root();
    assert_eq!(net.child("originASes"), None);
}

// Methods: a block of IPv6 is a /64 at the smallest.
#[tokio::test]
async fn ipv6_longer_than_64_is_refused() {
    let lab = Lab::demo().await;
    let inside = |length: u8| {
        format!(
            "<netName>A</netName><orgHandle>SAMPLE-3</orgHandle><netBlocks><netBlock>\
             <startAddress>2600:4000:200::</startAddress><cidrLength>{length}</cidrLength></netBlock></netBlocks>"
        )
    };
    let path = "net/NET6-2600-4000-1/reassign";
    let refusal = lab.call("PUT", path, &net(&inside(65))).await.refusal();
    assert_eq!(refusal, "400 E_ENTITY_VALIDATION netBlocks");
    assert_eq!(lab.call("PUT", path, &net(&inside(64))).await.status, 200);
}

// Methods: the range is inside of the network in the URL, or it is a conflict.
#[tokio::test]
async fn a_range_outside_of_the_parent_is_a_conflict() {
    let lab = Lab::demo().await;
    let outside = |range: &str| edited(&detailed("SAMPLE-3"), BLOCK, range);
    let block = |start: &str, length: u8| {
        format!(
            "<netBlocks><netBlock><startAddress>{start}</startAddress><cidrLength>{length}</cidrLength></netBlock>\
             </netBlocks>"
        )
    };
    assert_eq!(lab.reassign(&outside(&block("23.145.1.0", 24))).await.refusal(), "409 E_BAD_REQUEST");
    assert_eq!(lab.reassign(&outside(&block("2600:4000:300::", 48))).await.refusal(), "409 E_BAD_REQUEST");
}

// Methods, rules 6 and 7: no overlap with a sibling. So a second of two equal requests makes no second net.
#[tokio::test]
async fn an_overlap_with_a_sibling_is_refused() {
    let lab = Lab::demo().await;
    lab.reassigned().await;
    let again = lab.reassign(&simple()).await.refusal();
    assert_eq!(again, "400 E_ENTITY_VALIDATION netBlocks");
    let inside = edited(&simple(), "<endAddress>023.144.012.255</endAddress><cidrLength>24", "<cidrLength>25");
    assert_eq!(lab.reassign(&inside).await.refusal(), "400 E_ENTITY_VALIDATION netBlocks");
    assert_eq!(lab.server.registry().customers.len(), World::demo().registry.customers.len() + 1);
}

// Methods: the parent is a direct allocation or a reallocation of one's own, or it is forbidden; 404 if there is none.
#[tokio::test]
async fn only_own_allocations_can_be_cut() {
    let lab = Lab::demo().await;
    lab.server.configure(|options| {
        options.authority.insert(KEY.to_owned(), ["EXAMPLE-NET-1".to_owned()].into());
    });
    let refusal =
        async |parent: &str| lab.call("PUT", &format!("net/{parent}/reassign"), &net(&simple())).await.refusal();
    assert_eq!(refusal("NET-23-144-2-0-1").await, "403 E_BAD_REQUEST");
    assert_eq!(refusal("NET-23-144-8-0-1").await, "403 E_BAD_REQUEST");
    assert_eq!(refusal("NET-23-144-99-0-1").await, "404 E_OBJECT_NOT_FOUND");
}

// Methods: a recipient has points of contact for Admin, Tech and Abuse. Organizations payload: and may refuse.
#[tokio::test]
async fn a_recipient_has_to_be_fit_and_willing() {
    let mut registry = World::demo().registry;
    registry.org_mut("SAMPLE-3").unwrap().pocs.retain(|link| link.function != "AB");
    registry.org_mut("CARRIER-7").unwrap().accepts_reassignments = Some(false);
    registry.org_mut("RESELLER-5").unwrap().accepts_reassignments = Some(true);
    let lab = Lab::with(registry, Options::default()).await;
    let refusal = async |org: &str| lab.reassign(&detailed(org)).await.refusal();
    assert_eq!(refusal("SAMPLE-3").await, "400 E_ENTITY_VALIDATION orgHandle");
    assert_eq!(refusal("CARRIER-7").await, "403 E_BAD_REQUEST");
    assert_eq!(refusal("NOBODY-1").await, "404 E_OBJECT_NOT_FOUND");
    assert_eq!(lab.reassign(&detailed("RESELLER-5")).await.status, 200);
}

// Methods, "Reallocate": to organizations only. Such a net can be cut further, a reassigned one cannot.
#[tokio::test]
async fn a_reallocation_can_be_cut_further() {
    let lab = Lab::demo().await;
    let path = format!("net/{PARENT}/reallocate");
    let refusal = lab.call("PUT", &path, &net(&simple())).await.refusal();
    assert_eq!(refusal, "400 E_ENTITY_VALIDATION customerHandle");
    let handle = lab.call("PUT", &path, &net(&detailed("SAMPLE-3"))).await.net().text_of("handle").unwrap();
    let half = edited(&simple(), "<endAddress>023.144.012.255</endAddress><cidrLength>24", "<cidrLength>25");
    let inner = lab.call("PUT", &format!("net/{handle}/reassign"), &net(&half)).await.net();
    assert_eq!(inner.text_of("parentNetHandle"), Some(handle));
}

// Seen: the same range gets the same handle again, at another date, and another customer handle.
#[tokio::test]
async fn a_net_handle_is_used_again_and_a_customer_handle_is_not() {
    for clock in [Clock::Wall, Clock::Registry] {
        let lab = Lab::of(Options { clock, ..Options::default() }).await;
        let first = lab.reassigned().await;
        let (handle, customer) = (first.text_of("handle").unwrap(), first.text_of("customerHandle").unwrap());
        assert_eq!(lab.delete(&format!("net/{handle}")).await.status, 200);
        assert_eq!(lab.delete(&format!("customer/{customer}")).await.status, 200);
        let second = lab.reassigned().await;
        assert_eq!(second.text_of("handle"), Some(handle));
        assert_ne!(second.text_of("registrationDate"), first.text_of("registrationDate"));
        assert_ne!(second.text_of("customerHandle"), Some(customer));
    }
}

// Open: a whole parent, an embedded customer, the length of a name.
#[tokio::test]
async fn readings_that_are_open_can_be_had() {
    let lab =
        Lab::of(Options { whole_parent: false, embedded_customer: false, net_name_limit: 4, ..Options::default() })
            .await;
    let whole = edited(
        &detailed("SAMPLE-3"),
        BLOCK,
        "<netBlocks><netBlock><startAddress>23.144.0.0</startAddress>\
        <cidrLength>20</cidrLength></netBlock></netBlocks>",
    );
    assert_eq!(lab.reassign(&edited(&whole, "SAMPLE<", "FOUR<")).await.refusal(), "400 E_ENTITY_VALIDATION netBlocks");
    assert_eq!(lab.reassign(&simple()).await.refusal(), "400 E_ENTITY_VALIDATION netName customer");
    lab.server.registry().nets.retain(|handle, net| handle == PARENT || net.parent.as_deref() != Some(PARENT));
    lab.server.configure(|options| options.whole_parent = true);
    assert_eq!(lab.reassign(&edited(&whole, "SAMPLE<", "FOUR<")).await.status, 200);
}

// Payloads, "NET Payload": name, comments and points of contact can be changed; the date of registration stays.
#[tokio::test]
async fn a_net_can_be_changed_in_part() {
    let lab = Lab::demo().await;
    let handle = lab.reassigned().await.text_of("handle").unwrap();
    let before = raw(&lab, &handle).await;
    let more = "<comment><line number=\"1\">B\u{e9}ta</line><line number=\"0\">Alpha</line></comment>\
        <pocLinks><pocLinkRef handle=\"NOC8-ARIN\" function=\"T\"/></pocLinks></net>";
    let body = edited(&edited(&before, "SAMPLE-ORCHARD", "other name"), "</net>", more);
    let net = lab.call("PUT", &format!("net/{handle}"), &body).await.root();
    assert_eq!(net, lab.net(&handle).await);
    assert_eq!(net.text_of("netName").as_deref(), Some("OTHER NAME"));
    assert_eq!(net.lines_of("comment"), ["Alpha", "B\u{e9}ta"]);
    assert_eq!(net.child("pocLinks").unwrap().all("pocLinkRef").count(), 1);
    let cleared = lab.call("PUT", &format!("net/{handle}"), &before).await.root();
    assert_eq!((cleared.child("comment"), cleared.child("pocLinks")), (None, None));
}

// Payloads: what cannot be changed has to come back as it was. Seen: a round trip changes nothing.
#[tokio::test]
async fn what_is_fixed_has_to_come_back_as_it_was() {
    let lab = Lab::of(Options { clock: Clock::Registry, ..Options::default() }).await;
    let handle = lab.reassigned().await.text_of("handle").unwrap();
    let path = format!("net/{handle}");
    let before = raw(&lab, &handle).await;
    assert_eq!(lab.call("PUT", &path, &before).await.body, before);
    let refusal = async |from: &str, to: &str| lab.call("PUT", &path, &edited(&before, from, to)).await.refusal();
    let cases = [
        ("<version>4</version>", "", "version"),
        ("<version>4", "<version>6", "version"),
        ("<handle>NET-23-144-12-0-1</handle>", "", "handle"),
        (PARENT, "NET-23-145-0-0-1", "parentNetHandle"),
        ("<registrationDate>2026", "<registrationDate>2025", "registrationDate"),
        ("<cidrLength>24", "<cidrLength>25", "netBlocks"),
        ("<type>S", "<type>A", "netBlocks"),
        ("<customerHandle>C00000011", "<customerHandle>C00000001", "customerHandle"),
    ];
    for (from, to, component) in cases {
        assert_eq!(refusal(from, to).await, format!("400 E_ENTITY_VALIDATION {component}"), "{from}");
    }
}

// Seen: a round trip of what was read changes nothing, in whatever form it was read.
#[tokio::test]
async fn what_is_read_can_be_sent_back() {
    let lab = Lab::of(Options { style: Style::Odd, ..Options::default() }).await;
    let mut registry = World::demo().registry;
    registry
        .nets
        .values_mut()
        .for_each(|net| net.comment = vec!["One.".to_owned(), String::new(), "Three.".to_owned()]);
    registry.customers.values_mut().for_each(|customer| {
        customer.comment = vec!["Caf\u{e9}.".to_owned()];
        customer.name = customer.name.chars().filter(char::is_ascii).collect();
        let address = customer.address.as_mut().unwrap();
        address.street = vec!["1 Sample Street".to_owned()];
        address.city = Some("Sample".to_owned());
        customer.private = Some(customer.private.unwrap_or(false));
    });
    *lab.server.registry() = registry.clone();
    let nets = registry.nets.keys().map(|handle| format!("net/{handle}"));
    for path in nets.chain(registry.customers.keys().map(|handle| format!("customer/{handle}"))) {
        let read = lab.get(&path).await.body;
        let sent = lab.call("PUT", &path, &read).await;
        assert_eq!((sent.status, sent.body), (200, read), "{path}");
    }
    let mut after = lab.server.registry().clone();
    after.nets.values_mut().for_each(|net| net.updated = registry.nets[&net.handle].updated);
    assert_eq!((after.nets, after.customers), (registry.nets, registry.customers));
}

// Open: whether another status than 200 is a success.
#[tokio::test]
async fn a_success_may_have_another_status() {
    let lab = Lab::of(Options { success: 202, ..Options::default() }).await;
    let answer = lab.reassign(&simple()).await;
    assert_eq!((answer.status, answer.body.contains("<net>")), (202, true));
    assert_eq!(lab.get("net/NET-23-144-12-0-1").await.status, 200);
}

// Seen: a net takes points of contact of the functions T, AB and N, and refuses R and D. Payloads: and AD.
#[tokio::test]
async fn only_three_functions_are_for_nets() {
    let lab = Lab::demo().await;
    let handle = lab.reassigned().await.text_of("handle").unwrap();
    let before = raw(&lab, &handle).await;
    let status = async |function: &str, poc: &str| {
        let link = format!(r#"<pocLinks><pocLinkRef handle="{poc}" function="{function}"/></pocLinks></net>"#);
        lab.call("PUT", &format!("net/{handle}"), &edited(&before, "</net>", &link)).await.status
    };
    for function in ["T", "AB", "N"] {
        assert_eq!(status(function, "NOC8-ARIN").await, 200, "{function}");
    }
    for function in ["AD", "R", "D"] {
        assert_eq!(status(function, "NOC8-ARIN").await, 400, "{function}");
    }
    assert_eq!(status("T", "NOBODY-ARIN").await, 400);
}

// Templates: a change of a simple reassignment may bring the whole customer along.
#[tokio::test]
async fn a_change_of_a_net_may_bring_its_customer_along() {
    let lab = Lab::demo().await;
    let net = lab.reassigned().await;
    let (handle, customer) = (net.text_of("handle").unwrap(), net.text_of("customerHandle").unwrap());
    let known = lab.get(&format!("customer/{customer}")).await.body;
    let inside = known.split_once('>').unwrap().1.split_once('>').unwrap().1.strip_suffix("</customer>").unwrap();
    let inside = edited(inside, "Sample Orchard", "Sample Cider");
    let body = edited(&raw(&lab, &handle).await, "</net>", &format!("<customer>{inside}</customer></net>"));
    assert_eq!(lab.call("PUT", &format!("net/{handle}"), &body).await.status, 200);
    let name = lab.get(&format!("customer/{customer}")).await.root().text_of("customerName");
    assert_eq!(name.as_deref(), Some("Sample Cider"));
}

// Open: whether a change without comments clears them.
#[tokio::test]
async fn comments_may_stay_when_none_are_sent() {
    let lab = Lab::of(Options { absent_comment_stays: true, ..Options::default() }).await;
    let comment = "<comment><line number=\"0\">Alpha</line></comment>";
    let net = lab.reassign(&format!("{}{comment}", simple())).await.net();
    let handle = net.text_of("handle").unwrap();
    let shown = "<comment><line number=\"1\">Alpha</line></comment>";
    let body = edited(&raw(&lab, &handle).await, shown, "");
    let after = lab.call("PUT", &format!("net/{handle}"), &body).await.root();
    assert_eq!(after.lines_of("comment"), ["Alpha"]);
    let emptied = edited(&body, "</net>", "<comment/></net>");
    assert_eq!(
        lab.call("PUT", &format!("net/{handle}"), &emptied).await.root().lines_of("comment"),
        Vec::<String>::new()
    );
}

// Reads see a net before its registration, for a while, if there is a lag; the next write does not.
#[tokio::test]
async fn a_lag_hides_what_was_written_from_reads_alone() {
    let lab =
        Lab::of(Options { lag: std::time::Duration::from_secs(3600), lookup: Lookup::Exact, ..Options::default() })
            .await;
    let handle = lab.reassigned().await.text_of("handle").unwrap();
    assert_eq!(lab.get(&format!("net/{handle}")).await.status, 404);
    assert_eq!(lab.get(&format!("net/mostSpecificNet/{RANGE}")).await.status, 404);
    assert_eq!(lab.reassign(&simple()).await.refusal(), "400 E_ENTITY_VALIDATION netBlocks");
    assert_eq!(lab.delete(&format!("net/{handle}")).await.status, 200);
}

#[tokio::test]
async fn a_write_is_counted_by_its_range_and_kept_as_it_was_sent() {
    let lab = Lab::demo().await;
    lab.reassigned().await;
    lab.reassign(&simple()).await;
    let requests = lab.server.requests();
    assert_eq!(requests.count_about(Operation::Reassign, RANGE), 2);
    let first = &requests.0[0];
    assert_eq!((first.method.as_str(), first.body.as_str()), ("PUT", net(&simple()).as_str()));
    assert_eq!(first.path, format!("/rest/net/{PARENT}/reassign"));
}
