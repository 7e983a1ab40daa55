//! The contract with pyregrws, the public Python client of Reg-RWS: it must understand what the simulated Reg-RWS says,
//! or our own client might be right about a protocol nobody speaks; and it must understand what the client sends.
//!
//! `RIR_LAB_PYREGRWS_PYTHON` names a Python interpreter that has pyregrws; the tests fail without it.

use std::{collections::BTreeMap, process::Stdio};

use ipnet::IpNet;
use rir_sandbox::{
    regrws::{KEY, Options, Server, Style},
    world::{Address, ContactType, Customer, Holder, Net, Org, Poc, Registry, World},
};
use rir_sidecar::{
    arin::{Call, Document, NewCustomer, NewHolder, NewNet},
    model::{self, NetBlock, NetHandle, NetType, OrgHandle},
};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, process::Command};

const PYTHON: &str = "RIR_LAB_PYREGRWS_PYTHON";
const READ_ALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pyregrws/read_all.py");
const READ_SENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pyregrws/read_sent.py");
const WRITE_ALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pyregrws/write_all.py");

#[tokio::test]
async fn pyregrws_reads_every_plain_payload_as_it_was_meant() {
    let registry = without_dns(World::demo().registry);
    let told = read_all(&registry, KEY, Style::Plain).await;
    assert_same(&told, &meant(&registry));
}

#[tokio::test]
async fn pyregrws_reads_every_odd_payload_as_it_was_meant() {
    let registry = without_dns(World::demo().registry);
    let told = read_all(&registry, KEY, Style::Odd).await;
    assert_same(&told, &meant(&registry));
}

#[tokio::test]
async fn all_that_pyregrws_refuses_is_the_dns_function() {
    let told = read_all(&World::demo().registry, KEY, Style::Odd).await;
    assert_eq!(told["refused"], json!({"EXAMPLE-NET-1": ["description", "function"]}));
}

#[tokio::test]
async fn pyregrws_knows_the_errors_it_is_told() {
    let mut registry = Registry::default();
    registry.orgs = World::demo().registry.orgs;
    let told = read_all(&registry, "API-WRONG", Style::Plain).await;
    let codes: BTreeMap<&String, Value> =
        registry.orgs.keys().map(|handle| (handle, json!(["E_AUTHENTICATION"]))).collect();
    assert_eq!(told["refused"], json!(codes));
}

/// What it would not read is a ticket without messages, and a fresh one, which has hardly any dates yet.
#[tokio::test]
async fn pyregrws_writes_and_reads_the_answers() {
    let server = Server::start(World::demo().registry, Options::default()).await.unwrap();
    let asked = json!({
        "url": server.url(), "key": KEY, "parent": "NET-23-144-0-0-1", "org": "SAMPLE-3", "crowded": "NET-23-144-8-0-1",
        "block": ["23.144.12.0", "23.144.12.255", 24],
    });
    let told = run(WRITE_ALL, &asked).await;
    let net = |name: &str, kind: &str, customer: Option<&str>, org: Option<&str>| {
        let net = "NET-23-144-12-0-1";
        json!({ "net": net, "name": name, "types": [kind], "customer": customer, "org": org })
    };
    let customer = |street: &str| json!({ "customer": "C00000011", "name": "Sample Orchard", "street": [street] });
    let meant = json!({
        "create customer": customer("5 Sample Lane"),
        "reassign": net("SAMPLE-NET", "S", Some("C00000011"), None),
        "reassign again": { "error": "E_ENTITY_VALIDATION", "components": ["netBlocks"] },
        "modify net": net("OTHER", "S", Some("C00000011"), None),
        "modify customer": customer("6 Sample Lane"),
        "delete customer too early": { "error": "E_NOT_REMOVEABLE", "components": [] },
        "remove": net("OTHER", "S", Some("C00000011"), None),
        "delete customer": customer("6 Sample Lane"),
        "reallocate": net("SAMPLE-NET", "A", None, Some("SAMPLE-3")),
        "delete net": net("SAMPLE-NET", "A", None, Some("SAMPLE-3")),
        "delete a net with others below it": {
            "refused": ["closed_date", "messages", "resolved_date", "web_ticket_resolution"],
        },
        "tickets": [
            { "refused": ["messages"] },
            {
                "ticket": "REASSIGNMENT_REPORT", "resolution": "PROCESSED",
                "messages": [["Your report", ["report.csv"]]],
            },
        ],
    });
    assert_eq!(told, meant);
}

#[tokio::test]
async fn pyregrws_reads_what_is_sent_as_it_was_meant() {
    let simple = new_net(NetType::Reassigned, NewHolder::Customer(new_customer()));
    let org = || NewHolder::Org(OrgHandle::new("EXAMPLE-2").unwrap());
    let created = [simple, new_net(NetType::Reassigned, org()), new_net(NetType::Reallocated, org())];
    let mut sent: Vec<String> = created.iter().map(|net| Call::create(net).unwrap().body.unwrap()).collect();
    let kept = |body: &str, name: &str| {
        let raw = json!({"version": "4", "netName": body, "customerName": body, "handle": "H-1", "city": "Toronto",
            "customerHandle": "C1", "registrationDate": "2020-01-01T00:00:00-05:00",
            "iso3166-1": {"code2": "CA"}, "streetAddress": {"line": {"#text": "1 Street", "@number": "0"}},
            "netBlocks": {"netBlock": {"type": "S", "startAddress": "192.000.002.000", "cidrLength": "24"}}});
        Document::from_json(name, &raw).unwrap()
    };
    let (mut net, mut customer) = (kept("OLD", "net"), kept("Old", "customer"));
    net.set_text("netName", Some("NEW")).unwrap();
    net.set_comment(&["One".to_owned(), "Zwölf".to_owned()]).unwrap();
    customer.set_address(&new_customer().address).unwrap();
    sent.extend([net.xml(), customer.xml()]);
    let told = run(READ_SENT, &json!(sent)).await;

    let block = |kind: &str| json!([{"type": kind, "start_address": "192.0.2.8", "end_address": "192.0.2.19"}]);
    let address = json!({"iso3166_1": {"code2": "US"}, "street_address": [{"number": 0, "line": "1 Way"}, {"number": 1, "line": "Suite <5>"}],
        "city": "Reston", "iso3166_2": "VA", "postal_code": "20190"});
    let with = |object: &Value, more: Value| {
        let mut object = object.as_object().unwrap().clone();
        object.extend(more.as_object().unwrap().clone());
        Value::from(object)
    };
    let parent = json!({"version": 4, "net_name": "EXAMPLE", "parent_net_handle": "NET-192-0-0-0-1"});
    let new_customer = with(
        &address,
        json!({"customer_name": "Example & Sons", "private_customer": true,
        "comment": [{"number": 0, "line": "Ticket 1"}]}),
    );
    let handle = json!({"handle": "H-1", "registration_date": "2020-01-01T00:00:00-05:00"});
    let meant = json!([
        with(&parent, json!({"customer_handle": "C0", "net_blocks": block("S"), "customer": new_customer})),
        with(&parent, json!({"org_handle": "EXAMPLE-2", "net_blocks": block("S")})),
        with(&parent, json!({"org_handle": "EXAMPLE-2", "net_blocks": block("A")})),
        with(
            &handle,
            json!({"version": 4, "net_name": "NEW", "customer_handle": "C1",
            "comment": [{"number": 0, "line": "One"}, {"number": 1, "line": "Zwölf"}],
            "net_blocks": [{"type": "S", "start_address": "192.0.2.0", "cidr_length": 24}]})
        ),
        with(&with(&handle, address.clone()), json!({"customer_name": "Old"})),
    ]);
    assert_eq!(without_nulls(told), meant);
}

fn new_net(kind: NetType, holder: NewHolder) -> NewNet {
    let range = NetBlock::new("192.0.2.8".parse().unwrap(), "192.0.2.19".parse().unwrap()).unwrap();
    let parent = NetHandle::new("NET-192-0-0-0-1").unwrap();
    NewNet { name: "EXAMPLE".to_owned(), parent, range, kind, holder, comment: Vec::new() }
}

fn new_customer() -> NewCustomer {
    let address = model::Address {
        street: vec!["1 Way".to_owned(), "Suite <5>".to_owned()],
        city: Some("Reston".to_owned()),
        state_province: Some("VA".to_owned()),
        postal_code: Some("20190".to_owned()),
        country: Some("US".to_owned()),
    };
    NewCustomer { name: "Example & Sons".to_owned(), address, private: true, comment: vec!["Ticket 1".to_owned()] }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(without_nulls).collect(),
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            members.map(|(name, value)| (name, without_nulls(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// pyregrws 1.0.1 does not know of the function `D`.
fn without_dns(mut registry: Registry) -> Registry {
    for org in registry.orgs.values_mut() {
        org.pocs.retain(|link| link.function != "D");
    }
    registry
}

/// Returns the output of the script for a server that has this registry.
async fn read_all(registry: &Registry, key: &str, style: Style) -> Value {
    let server = Server::start(registry.clone(), Options { style, ..Options::default() }).await.unwrap();
    let asked = json!({
        "url": server.url(), "key": key,
        "orgs": registry.orgs.keys().collect::<Vec<_>>(), "pocs": registry.pocs.keys().collect::<Vec<_>>(),
        "customers": registry.customers.keys().collect::<Vec<_>>(), "nets": registry.nets.keys().collect::<Vec<_>>(),
    });
    run(READ_ALL, &asked).await
}

/// Returns the output of a script.
async fn run(script: &str, asked: &Value) -> Value {
    let Ok(python) = std::env::var(PYTHON) else {
        panic!("{PYTHON} is not set: it names a Python interpreter that has pyregrws (tests/lab/lab.sh pyregrws)");
    };
    let mut command = Command::new(python);
    command.arg(script).env("NO_PROXY", "127.0.0.1").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut script = command.spawn().unwrap();
    script.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).await.unwrap();
    let output = script.wait_with_output().await.unwrap();
    assert!(output.status.success(), "the script failed: {}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Object by object, so that a difference is readable.
fn assert_same(told: &Value, meant: &Value) {
    assert_eq!(told["refused"], json!({}));
    for kind in ["orgs", "pocs", "customers", "nets", "found_by_range", "parents_by_range"] {
        for (handle, object) in meant[kind].as_object().unwrap() {
            assert_eq!(told[kind].get(handle), Some(object), "{kind} {handle}");
        }
    }
}

/// Returns the output that the script should have.
fn meant(registry: &Registry) -> Value {
    json!({
        "orgs": orgs(registry),
        "pocs": pocs(registry),
        "customers": customers(registry),
        "nets": nets(registry),
        "found_by_range": registry.nets.keys().map(|handle| (handle, handle)).collect::<BTreeMap<_, _>>(),
        "parents_by_range": parents(registry),
    })
}

fn parents(registry: &Registry) -> BTreeMap<&String, String> {
    let known = |parent: &&str| registry.nets.contains_key(*parent);
    let parent = |net: &'_ Net| net.parent.as_deref().filter(known).unwrap_or("E_OBJECT_NOT_FOUND").to_owned();
    registry.nets.iter().map(|(handle, net)| (handle, parent(net))).collect()
}

fn orgs(registry: &Registry) -> BTreeMap<&String, Value> {
    let summary = |org: &Org| {
        let mut pocs: Vec<String> = org.pocs.iter().map(|link| format!("{} {}", link.function, link.handle)).collect();
        pocs.sort();
        json!({
            "name": org.name, "dba_name": org.dba_name, "url": org.url, "address": address(org.address.as_ref()),
            "registered": org.registered.is_some(), "comment": org.comment, "pocs": pocs,
        })
    };
    registry.orgs.iter().map(|(handle, org)| (handle, summary(org))).collect()
}

fn pocs(registry: &Registry) -> BTreeMap<&String, Value> {
    let summary = |poc: &Poc| {
        let contact_type = match poc.contact_type {
            ContactType::Person => "PERSON",
            ContactType::Role => "ROLE",
        };
        let phones: Vec<Value> =
            poc.phones.iter().map(|phone| json!([phone.kind, phone.number, phone.extension])).collect();
        json!({
            "contact_type": contact_type,
            "names": [poc.company_name, poc.first_name, poc.middle_name, poc.last_name],
            "emails": poc.emails, "phones": phones, "address": address(poc.address.as_ref()),
            "registered": poc.registered.is_some(), "comment": poc.comment,
        })
    };
    registry.pocs.iter().map(|(handle, poc)| (handle, summary(poc))).collect()
}

fn customers(registry: &Registry) -> BTreeMap<&String, Value> {
    let summary = |customer: &Customer| {
        json!({
            "name": customer.name, "parent_org": customer.parent_org, "private": customer.private,
            "address": address(customer.address.as_ref()), "registered": customer.registered.is_some(),
            "comment": customer.comment,
        })
    };
    registry.customers.iter().map(|(handle, customer)| (handle, summary(customer))).collect()
}

fn nets(registry: &Registry) -> BTreeMap<&String, Value> {
    let block = |block: &IpNet| format!("{}-{}/{}", block.network(), block.broadcast(), block.prefix_len());
    let summary = |net: &Net| {
        let (org, customer) = match &net.holder {
            Holder::Org(handle) => (Some(handle), None),
            Holder::Customer(handle) => (None, Some(handle)),
        };
        json!({
            "name": net.name, "version": if net.handle.starts_with("NET6") { 6 } else { 4 },
            "types": [net.net_type], "blocks": net.blocks.iter().map(block).collect::<Vec<_>>(),
            "org": org, "customer": customer, "parent": net.parent,
            "registered": net.registered.is_some(), "comment": net.comment,
        })
    };
    registry.nets.iter().map(|(handle, net)| (handle, summary(net))).collect()
}

fn address(address: Option<&Address>) -> Value {
    let Some(address) = address else { return Value::Null };
    json!({
        "street": address.street, "city": address.city, "state_province": address.state_province,
        "postal_code": address.postal_code, "country": address.country.code2,
    })
}
