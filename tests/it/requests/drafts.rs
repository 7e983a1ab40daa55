//! What is drafted: all that ARIN needs, or what is missing and where to put it. Nothing is guessed.

use rir_sandbox::world::Holder;
use serde_json::{Value, json};

use super::{
    CONFIG, Changes, PARENT, PREFIXES, RECIPIENT, SIMPLE, body, element, elements, in_reston, missing, reasons,
};
use crate::scene::{ORG, Target, cidr, custom};

const RANGE: &str = "23.144.4.0/24";

async fn changes() -> Changes {
    Changes::new(Target::sandbox().await).await
}

/// A prefix of a tenant with this address.
async fn with_address(name: &str, address: Value) -> Changes {
    let changes = changes().await;
    let tenant = changes.tenant(name).await;
    changes.address(tenant, address).await;
    changes.assign(RANGE, tenant).await;
    changes.sync().await;
    changes
}

/// A draft that lacks something.
async fn incomplete(changes: &Changes, arguments: &[&str]) -> Value {
    let draft = changes.prepare(arguments).await.expect(3).one();
    assert_eq!((&draft["state"], &draft["payload"]), (&json!("draft"), &Value::Null), "{draft:#}");
    draft
}

/// Sees to it that exactly this is missing, each with a sentence on where to put it.
#[track_caller]
fn assert_missing(draft: &Value, what: &[&str]) {
    let missing = missing(draft);
    assert_eq!(missing.keys().map(String::as_str).collect::<Vec<_>>(), what, "{draft:#}");
    assert!(missing.values().all(|place| place.split(' ').count() > 3), "{missing:#?}");
}

fn without(name: &str) -> Value {
    let mut address = in_reston();
    address[name] = json!("");
    address
}

#[tokio::test]
async fn each_part_of_an_address_that_is_missing_is_named() {
    for (field, element) in [
        ("street_address", "streetAddress"),
        ("city", "city"),
        ("state_province", "iso3166-2"),
        ("postal_code", "postalCode"),
        ("country", "iso3166-1"),
    ] {
        let changes = with_address("Harbour Catch Ltd", without(field)).await;
        let draft = incomplete(&changes, &["--prefix", RANGE]).await;
        assert!(missing(&draft).contains_key(element), "{field}: {draft:#}");
        if field != "country" {
            assert_missing(&draft, &[element]);
        }
    }
}

#[tokio::test]
async fn elsewhere_a_state_and_a_postal_code_may_be_missing() {
    let address = json!({ "street_address": "1 Linden", "city": "Berlin", "state_province": "", "postal_code": "", "country": "DE" });
    let changes = with_address("Beispiel GmbH", address).await;
    let request = changes.waiting(&["--prefix", RANGE]).await;
    assert_eq!(
        (element(&body(&request), "iso3166-2"), element(&body(&request), "city").as_deref()),
        (None, Some("Berlin"))
    );
}

#[tokio::test]
async fn an_address_is_not_guessed_from_anything() {
    let changes = changes().await;
    let place =
        json!([{ "name": "Secret Site", "slug": "secret", "physical_address": "5 Secret Road, Reston VA 20190" }]);
    let site = changes.scene.add("dcim/sites", place).await[0];
    let tenant = changes.tenant("Harbour Catch Ltd").await;
    changes.scene.edit("tenancy/tenants", tenant, json!({ "description": "7 Secret Road, Reston" })).await;
    let other = changes.tenant("Somebody Else").await;
    changes
        .address(
            other,
            json!({ "street_address": "9 Secret Road", "city": "Reston", "state_province": "VA",
                                   "postal_code": "20190", "country": "US" }),
        )
        .await;
    let prefix = json!([{ "prefix": RANGE, "tenant": tenant, "scope_type": "dcim.site", "scope_id": site }]);
    changes.scene.add(PREFIXES, prefix).await;
    changes.sync().await;
    let draft = incomplete(&changes, &["--prefix", RANGE]).await;
    assert!(!missing(&draft).is_empty() && !draft.to_string().contains("Secret Road"), "{draft:#}");
    assert!(!missing(&draft).contains_key("customerName"), "{draft:#}");
}

#[tokio::test]
async fn of_several_addresses_somebody_has_to_choose() {
    let changes = with_address("Harbour Catch Ltd", in_reston()).await;
    let tenant = changes.scene.ids("tenancy/tenants").await[0];
    let mut second = in_reston();
    second["street_address"] = json!("99 Other Street");
    changes.address(tenant, second).await;
    let draft = incomplete(&changes, &["--prefix", RANGE]).await;
    let missing = missing(&draft);
    assert!(
        !missing.is_empty()
            && missing
                .values()
                .any(|place| place.contains("choose") || place.contains("several") || place.contains("more than one")),
        "{missing:#?}"
    );
}

#[tokio::test]
async fn a_prefix_without_a_tenant_has_no_customer() {
    let changes = changes().await;
    changes.scene.add(PREFIXES, json!([{ "prefix": RANGE }])).await;
    changes.sync().await;
    let told = changes.prepare(&["--prefix", RANGE]).await;
    assert!([2, 3].contains(&told.code), "{} {:#?}", told.words, told.requests);
    for draft in &told.requests {
        assert!(missing(draft).contains_key("customerName"), "{draft:#}");
    }
    assert!(told.words.contains("tenant") || told.requests.iter().any(|draft| draft.to_string().contains("tenant")));
}

#[tokio::test]
async fn what_is_folded_is_shown_beside_what_netbox_has() {
    let address = json!({
        "street_address": "12 rue de l\u{2019}\u{c9}glise", "city": "Montr\u{e9}al", "state_province": "QC",
        "postal_code": "H2X 1Y4", "country": "CA",
    });
    let changes = with_address("Caf\u{e9} Ex\u{e4}mple S\u{f8}rensen \u{2013} Stra\u{df}e", address).await;
    let request = changes.waiting(&["--prefix", RANGE]).await;
    let sent = body(&request);
    assert!(sent.is_ascii(), "{sent}");
    assert_eq!(element(&sent, "customerName").as_deref(), Some("Cafe Example Sorensen - Strasse"));
    assert_eq!(element(&sent, "city").as_deref(), Some("Montreal"));
    let folded = request["folded"].as_array().unwrap();
    let city = json!({ "field": "city", "from": "Montr\u{e9}al", "to": "Montreal" });
    assert!(folded.contains(&city), "{folded:#?}");
    assert!(
        folded
            .iter()
            .any(|folded| folded["field"] == "customerName" && folded["from"].as_str().unwrap().contains('\u{e9}'))
    );
    changes.approve(&changes.bob, &request).await.expect(0);
    changes.submit(&changes.bob, &[&request]).await.expect(0);
    changes.sync().await;
    assert_eq!(changes.open_findings(RANGE).await.into_keys().collect::<Vec<_>>(), [""; 0], "folded is no difference");
}

#[tokio::test]
async fn what_cannot_be_folded_is_missing() {
    let changes = with_address("\u{5317}\u{4eac}\u{9762}\u{5305}", in_reston()).await;
    let draft = incomplete(&changes, &["--prefix", RANGE]).await;
    assert!(missing(&draft).contains_key("customerName"), "{draft:#}");
    let request = changes.prepare(&["--prefix", RANGE, "--set", "customerName=Beijing Bread", "--plan-only"]).await;
    assert_eq!(element(&body(&request.expect(0).one()), "customerName").as_deref(), Some("Beijing Bread"));
}

#[tokio::test]
async fn what_is_set_by_hand_is_sent() {
    let changes = with_address("Harbour Catch Ltd", in_reston()).await;
    let set = [
        "netName=BOATS-1",
        "customerName=Harbour & Sons",
        "city=Herndon",
        "privateCustomer=true",
        "comment=Caf\u{e9}.",
    ];
    let set = set.iter().flat_map(|set| ["--set", set]);
    let request = changes.waiting(&["--prefix", RANGE].into_iter().chain(set).collect::<Vec<_>>()).await;
    let sent = body(&request);
    for (name, text) in [
        ("netName", "BOATS-1"),
        ("customerName", "Harbour &amp; Sons"),
        ("city", "Herndon"),
        ("privateCustomer", "true"),
        ("postalCode", "20190"),
    ] {
        assert_eq!(element(&sent, name).as_deref(), Some(text), "{name}: {sent}");
    }
    assert!(elements(&sent).contains(&("line".to_owned(), "Caf\u{e9}.".to_owned())), "{sent}");
    changes.approve(&changes.bob, &request).await.expect(0);
    changes.submit(&changes.bob, &[&request]).await.expect(0);
    let net = changes.net(RANGE);
    let customer = changes.holder(&net);
    assert_eq!(
        (net.name.as_str(), customer.name.as_str(), customer.private),
        ("BOATS-1", "Harbour & Sons", Some(true))
    );
}

#[tokio::test]
async fn elements_that_nobody_may_set_are_refused_with_those_that_one_may() {
    let changes = with_address("Harbour Catch Ltd", in_reston()).await;
    for set in ["parentNetHandle=NET-1", "colour=red", "netBlocks=x", "noequals"] {
        let told = changes.prepare(&["--prefix", RANGE, "--set", set]).await.expect(2);
        let name = set.split('=').next().unwrap();
        assert!(told.words.contains(name) && told.requests.is_empty(), "{}", told.words);
    }
    let told = changes.prepare(&["--prefix", RANGE, "--set", "colour=red"]).await;
    assert!(told.words.contains("netName") && told.words.contains("postalCode"), "{}", told.words);
    for name in ["net name", "NAME.WITH.DOTS", "-BEGIN", &"A".repeat(51)] {
        let told = changes.prepare(&["--prefix", RANGE, "--set", &format!("netName={name}")]).await;
        assert_ne!(told.code, 0, "{name}: {:#?}", told.requests);
    }
}

#[tokio::test]
async fn a_prefix_that_is_there_twice_is_chosen_by_its_id() {
    let mut changes = changes().await;
    changes.set("FINDINGS__PUBLIC_VRFS", "blue");
    let tenant = changes.customer("Harbour Catch Ltd").await;
    let vrf = changes.scene.add("ipam/vrfs", json!([{ "name": "blue" }])).await[0];
    let global = changes.assign(RANGE, tenant).await;
    let other = changes.scene.add(PREFIXES, json!([{ "prefix": RANGE, "tenant": tenant, "vrf": vrf }])).await[0];
    changes.sync().await;
    let told = changes.prepare(&["--prefix", RANGE]).await.expect(2);
    assert!(told.words.contains(&global.to_string()) && told.words.contains(&other.to_string()), "{}", told.words);
    changes.waiting(&["--prefix", &global.to_string()]).await;
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_so() {
    let changes = changes().await;
    for arguments in [
        ["--prefix", "23.144.9.0/24"],
        ["--prefix", "999999"],
        ["--finding", "999999"],
        ["--network", "NET-1-1-1-0-1"],
        ["--customer", "C99999999"],
        ["--aggregate", "23.150.0.0/22"],
        ["--prefix", "nonsense"],
    ] {
        let told = changes.prepare(&arguments).await;
        assert!([2, 3].contains(&told.code) && told.requests.is_empty(), "{} {:#?}", told.words, told.requests);
        assert!(told.words.contains(arguments[1]), "{}", told.words);
    }
    assert_eq!(changes.states().await.len(), 0);
}

#[tokio::test]
async fn a_plan_writes_nothing() {
    let mut changes = with_address("Harbour Catch Ltd", in_reston()).await;
    changes.set("REQUESTS__ENABLED", "false");
    let netbox = changes.scene.netbox.server.as_ref().unwrap();
    netbox.forget_requests();
    let plan = changes.prepare(&["--prefix", RANGE, "--plan-only"]).await.expect(0).one();
    assert_eq!((&plan["id"], plan["digest"].is_string()), (&Value::Null, true), "{plan:#}");
    let wrote = netbox.requests().0.into_iter().filter(|request| !["GET", "OPTIONS"].contains(&request.method()));
    let wrote: Vec<_> = wrote.collect();
    assert!(wrote.is_empty(), "{wrote:#?}");
    assert_eq!((changes.wrote(), changes.states().await.len()), (Vec::new(), 0));
    let request = changes.waiting(&["--prefix", RANGE]).await;
    assert_eq!((&request["payload"], &request["digest"]), (&plan["payload"], &plan["digest"]), "the same bytes");
}

#[tokio::test]
async fn the_kind_goes_by_who_gets_it() {
    let changes = changes().await;
    changes.scene.add(PREFIXES, json!([{ "prefix": "23.144.2.0/24" }])).await;
    changes.sync().await;
    let customer = changes.customer("Harbour Catch Ltd").await;
    let hosting = changes.tenant("Sample Hosting LLC").await;
    changes.assign(RANGE, customer).await;
    changes.assign("23.144.5.0/24", hosting).await;
    let organizations = changes.scene.rows("rir-organization").await;
    let row = organizations[RECIPIENT]["id"].as_u64().unwrap();
    changes.scene.edit(&custom("rir-organization"), row, json!({ "tenant": hosting })).await;
    changes.sync().await;
    let simple = changes.waiting(&["--prefix", RANGE]).await;
    assert_eq!(simple["operation"], "reassign-simple");
    let detailed = changes.waiting(&["--prefix", "23.144.5.0/24"]).await;
    assert_eq!(detailed["operation"], "reassign-detailed");
    assert_eq!(element(&body(&detailed), "orgHandle").as_deref(), Some(RECIPIENT));
    assert!(!body(&detailed).contains("<customer"), "{detailed:#}");
}

#[tokio::test]
async fn what_is_sent_names_all_that_arin_asks_for_and_nothing_that_it_refuses() {
    let changes = with_address("Harbour Catch Ltd", in_reston()).await;
    let request = changes.waiting(&["--prefix", RANGE]).await;
    let sent = body(&request);
    let text = |name: &str| element(&sent, name).unwrap_or_else(|| panic!("no {name}: {sent}"));
    let name = text("netName");
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
    assert!(!name.is_empty() && name.len() <= 50 && name.chars().all(plain) && !name.starts_with('-'), "{name}");
    assert_eq!(
        [text("parentNetHandle"), text("customerName"), text("iso3166-2"), text("postalCode")],
        [PARENT, "Harbour Catch Ltd", "VA", "20190"]
    );
    assert!(sent.contains("xmlns=\"http://www.arin.net/regrws/core/v1\""), "{sent}");
    for never in ["originAS", "pocLinkRef", "orgHandle", "customerHandle", "<handle>"] {
        assert!(!sent.contains(never), "{never}: {sent}");
    }
}

#[tokio::test]
async fn a_residential_customer_is_private() {
    let mut changes = changes().await;
    changes.set("FINDINGS__RESIDENTIAL_TAG", "home");
    let tag = changes.scene.add("extras/tags", json!([{ "name": "At home", "slug": "home" }])).await[0];
    let tenant = changes.customer("A Person").await;
    changes.scene.add(PREFIXES, json!([{ "prefix": RANGE, "tenant": tenant, "tags": [tag] }])).await;
    changes.assign("23.144.5.0/24", tenant).await;
    changes.sync().await;
    let private = |request: &Value| element(&body(request), "privateCustomer");
    assert_eq!(private(&changes.waiting(&["--prefix", RANGE]).await).as_deref(), Some("true"));
    assert_ne!(private(&changes.waiting(&["--prefix", "23.144.5.0/24"]).await).as_deref(), Some("true"));
}

#[tokio::test]
async fn the_parent_is_the_one_that_arin_names() {
    let changes = changes().await;
    let around = {
        let mut registry = changes.scene.arin.registry();
        registry.reallocate(PARENT, &[cidr("23.144.4.0/22")], Holder::Org(ORG.into())).unwrap()
    };
    let tenant = changes.customer("Harbour Catch Ltd").await;
    changes.assign(RANGE, tenant).await;
    changes.sync().await;
    let request = changes.waiting(&["--prefix", RANGE]).await;
    assert_eq!(request["payload"]["path"], format!("net/{around}/reassign"));
    assert_eq!(element(&body(&request), "parentNetHandle"), Some(around.clone()));
    changes.approve(&changes.bob, &request).await.expect(0);
    changes.submit(&changes.bob, &[&request]).await.expect(0);
    assert_eq!(changes.net(RANGE).parent, Some(around));
}

#[tokio::test]
async fn what_cannot_be_registered_is_blocked() {
    let changes = changes().await;
    let tenant = changes.customer("Harbour Catch Ltd").await;
    // Registered already; inside of what is assigned as a whole; somebody else's; private space.
    let holder = changes.holder(&changes.net("23.144.1.0/24")).handle;
    let cases = ["23.144.1.0/24", "23.144.1.0/28", "23.160.0.0/25", "10.1.0.0/24"];
    for range in cases {
        changes.assign(range, tenant).await;
    }
    changes.sync().await;
    for range in cases {
        let told = changes.prepare(&["--prefix", range]).await;
        assert!([2, 3].contains(&told.code), "{range}: {} {:#?}", told.words, told.requests);
        for request in &told.requests {
            assert_eq!(request["state"], "draft", "{range}");
            assert!(!reasons(request, "blocked").is_empty() || !missing(request).is_empty(), "{range}: {request:#}");
        }
    }
    assert_eq!((changes.wrote(), changes.holder(&changes.net("23.144.1.0/24")).handle), (Vec::new(), holder));
    assert!(changes.scene.arin.registry().nets.contains_key(SIMPLE));
}

#[tokio::test]
async fn an_organization_that_takes_nothing_is_blocked() {
    let faults: [fn(&mut rir_sandbox::world::Org); 3] = [
        |org| org.accepts_reassignments = Some(false),
        |org| org.pocs.retain(|poc| poc.function != "AB"),
        |org| org.pocs.retain(|poc| poc.function != "T"),
    ];
    for fault in faults {
        let changes = changes().await;
        fault(changes.scene.arin.registry().org_mut(RECIPIENT).unwrap());
        let tenant = changes.tenant("Sample Hosting LLC").await;
        changes.assign(RANGE, tenant).await;
        changes.sync().await;
        let asked = ["--prefix", RANGE, "--operation", "reassign-detailed", "--org", RECIPIENT];
        let draft = changes.prepare(&asked).await.expect(3).one();
        assert_eq!(draft["state"], "draft");
        assert!(reasons(&draft, "blocked").contains(RECIPIENT), "{draft:#}");
    }
}

#[tokio::test]
async fn a_config_that_is_not_there_is_said_to_be_so() {
    let changes = changes().await;
    let by = ["requests", "prepare", "--prefix", RANGE, "--config-name", "nobody", "--user", "ann", "--output", "json"];
    let told = changes.run(&changes.scene.netbox.token, &by).await.expect(2);
    assert!(told.words.contains("nobody") && told.words.contains(CONFIG), "{}", told.words);
    for wrong in [
        &["--user", "ann"][..],
        &["--prefix", RANGE, "--network", SIMPLE],
        &["--prefix", RANGE, "--operation", "steal"],
    ] {
        assert_eq!(changes.prepare(wrong).await.code, 2, "{wrong:?}");
    }
}
