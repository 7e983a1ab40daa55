//! Customers by themselves.

use super::lab::*;
use crate::regrws::{Operation, Options, Shown};

// Methods, "Create Recipient Customer": a customer first, and then a reassignment to its handle.
#[tokio::test]
async fn a_customer_can_come_first() {
    let lab = Lab::demo().await;
    let made = lab.call("POST", &format!("net/{PARENT}/customer"), &customer(CUSTOMER)).await.root();
    let handle = made.text_of("handle").unwrap();
    assert_eq!(lab.get(&format!("customer/{handle}")).await.root(), made);
    let inside = format!("<netName>A</netName>{BLOCK}<customerHandle>{handle}</customerHandle>");
    assert_eq!(lab.reassign(&inside).await.net().text_of("customerHandle"), Some(handle));
    // Methods: a customer has one net.
    let other = edited(&inside, "012.000", "014.000").replace("012.255", "014.255");
    assert_eq!(lab.reassign(&other).await.refusal(), "400 E_ENTITY_VALIDATION customerHandle");
}

// Payloads, "Customer Payload".
#[tokio::test]
async fn each_rule_of_a_customer_is_named_by_its_element() {
    let lab = Lab::demo().await;
    let path = format!("net/{PARENT}/customer");
    let refusal = async |from: &str, to: &str| {
        let refusal = lab.call("POST", &path, &customer(&edited(CUSTOMER, from, to))).await.refusal();
        refusal.strip_prefix("400 E_ENTITY_VALIDATION ").map(str::to_owned).unwrap_or(refusal)
    };
    assert_eq!(refusal("<customerName>Sample Orchard</customerName>", "").await, "customerName");
    assert_eq!(refusal("<line number=\"0\">5 Sample Lane</line>", "").await, "streetAddress");
    assert_eq!(refusal("<iso3166-2>VA</iso3166-2><postalCode>20190</postalCode>", "").await, "iso3166-2 postalCode");
    assert_eq!(refusal("<code2>US</code2>", "<code2>XX</code2>").await, "iso3166-1");
    assert_eq!(refusal("<code2>US</code2>", "<code2>US</code2><code3>CAN</code3>").await, "iso3166-1");
    assert_eq!(refusal("<city>", "<handle>C1</handle><city>").await, "handle");
    assert_eq!(refusal("<city>", "<parentOrgHandle>SAMPLE-3</parentOrgHandle><city>").await, "parentOrgHandle");
    assert_eq!(refusal("<city>", "<privateCustomer>maybe</privateCustomer><city>").await, "400 E_SCHEMA_VALIDATION");
    // Payloads: letters beyond ASCII are for comments alone.
    assert_eq!(refusal("Sample Orchard", "S\u{e3}mple").await, "customerName");
    assert_eq!(refusal("Reston", "Montr\u{e9}al").await, "city");
    assert_eq!(refusal("Sample Lane", "Sampl\u{e9} Lane").await, "streetAddress");
}

// Payloads: state and postal code are required in the United States and in Canada.
#[tokio::test]
async fn other_countries_need_no_state() {
    let lab = Lab::demo().await;
    let abroad = edited(CUSTOMER, "<code2>US</code2>", "<code3>CHE</code3>");
    let abroad = edited(
        &abroad,
        "<iso3166-2>VA</iso3166-2><postalCode>20190</postalCode>",
        "<comment><line number=\"1\">Gr\u{fc}ezi</line></comment>",
    );
    let made = lab.call("POST", &format!("net/{PARENT}/customer"), &customer(&abroad)).await.root();
    let country = made.child("iso3166-1").unwrap();
    assert_eq!((country.text_of("code2").as_deref(), country.text_of("code3").as_deref()), (Some("CH"), Some("CHE")));
    assert_eq!(made.lines_of("comment"), ["Gr\u{fc}ezi"]);
    let canada = edited(&abroad, "CHE", "CAN");
    let refusal = lab.call("POST", &format!("net/{PARENT}/customer"), &customer(&canada)).await.refusal();
    assert_eq!(refusal, "400 E_ENTITY_VALIDATION iso3166-2 postalCode");
}

// Payloads: handle and date have to come back as they were. Seen: a changed customer keeps its date.
#[tokio::test]
async fn a_customer_can_be_changed() {
    let lab = Lab::demo().await;
    let before = lab.get("customer/C00000002").await.body;
    let put = async |from: &str, to: &str| lab.call("PUT", "customer/C00000002", &edited(&before, from, to)).await;
    let after = put("7 Sample Quay", "8 Sample Quay").await;
    assert_eq!(after.root().lines_of("streetAddress"), ["8 Sample Quay"]);
    assert_eq!(lab.get("customer/C00000002").await.body, after.body);
    assert_eq!(after.body, edited(&before, "7 Sample Quay", "8 Sample Quay"));
    let date = "<registrationDate>2001-03-07T09:26:44-05:00</registrationDate>";
    assert_eq!(put(date, "").await.refusal(), "400 E_ENTITY_VALIDATION registrationDate");
    assert_eq!(put(date, "<registrationDate/>").await.refusal(), "400 E_ENTITY_VALIDATION registrationDate");
    assert_eq!(put("2001-03-07", "2001-03-08").await.refusal(), "400 E_ENTITY_VALIDATION registrationDate");
    assert_eq!(put("<handle>C00000002</handle>", "").await.refusal(), "400 E_ENTITY_VALIDATION handle");
    assert_eq!(put("<handle>C00000002", "<handle>C00000003").await.refusal(), "400 E_ENTITY_VALIDATION handle");
    assert_eq!(lab.call("PUT", "customer/C99999999", &before).await.refusal(), "404 E_OBJECT_NOT_FOUND");
}

// Methods: a good key without authority over one object is refused for that object alone.
#[tokio::test]
async fn a_key_has_authority_over_its_organizations_alone() {
    let lab = Lab::demo().await;
    let before = lab.get("customer/C00000002").await.body;
    lab.server.configure(|options| {
        options.authority.insert(super::KEY.to_owned(), ["SAMPLE-3".to_owned()].into());
    });
    for (method, path) in
        [("PUT", "customer/C00000002"), ("DELETE", "customer/C00000002"), ("DELETE", "net/NET-23-144-1-0-1")]
    {
        assert_eq!(lab.call(method, path, &before).await.refusal(), "401 E_AUTHENTICATION", "{method} {path}");
    }
    // The holder's authority is enough, and so is that over the net that it was cut from.
    assert_eq!(lab.delete("net/NET-23-144-2-0-1").await.status, 200);
}

// Open: what a key is told of private customers, and of organizations that are not its own.
#[tokio::test]
async fn little_may_be_told_of_others() {
    let lab =
        Lab::of(Options { private_customers: Shown::Little, foreign_orgs: Shown::Little, ..Options::default() }).await;
    lab.server.configure(|options| {
        options.authority.insert(super::KEY.to_owned(), ["EXAMPLE-NET-1".to_owned()].into());
    });
    let private = lab.get("customer/C00000003").await.root();
    assert_eq!(private.text_of("customerName").as_deref(), Some("Private Customer - Example Networks Inc"));
    assert_eq!(private.lines_of("streetAddress"), ["Private Residence"]);
    assert_eq!(lab.get("org/SAMPLE-3").await.refusal(), "401 E_AUTHENTICATION");
    assert_eq!(lab.get("org/EXAMPLE-NET-1").await.status, 200);
    assert_eq!(lab.server.requests().count(Operation::Org), 2);
}
