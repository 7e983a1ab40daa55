//! RIRs, aggregates, prefixes and VRFs.

use serde_json::{Value, json};

use super::{Target, network};

const AGGREGATES: &str = "/api/ipam/aggregates/";
const PREFIXES: &str = "/api/ipam/prefixes/";
const RIRS: &str = "/api/ipam/rirs/";
const VRFS: &str = "/api/ipam/vrfs/";

pub(crate) async fn an_aggregate_nests_its_rir(target: &Target) {
    let rir = target.rir().await;
    let id = target.aggregate(rir).await;
    let aggregate = target.get(&format!("{AGGREGATES}{id}/")).await.expect(200);
    let keys: Vec<&String> = aggregate.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "comments",
            "created",
            "custom_fields",
            "date_added",
            "description",
            "display",
            "display_url",
            "family",
            "id",
            "last_updated",
            "owner",
            "prefix",
            "rir",
            "tags",
            "tenant",
            "url"
        ]
    );
    let nested: Vec<&String> = aggregate["rir"].as_object().unwrap().keys().collect();
    assert_eq!(nested, ["description", "display", "id", "name", "slug", "url"]);
    assert_eq!(aggregate["rir"]["id"], rir);
    assert_eq!(aggregate["family"], json!({ "value": 6, "label": "IPv6" }));
    assert_eq!(aggregate["url"], format!("{}{AGGREGATES}{id}/", target.url));
}

pub(crate) async fn a_prefix_nests_its_vrf(target: &Target) {
    let name = format!("vrf-{}", target.run);
    let vrf = target.made(VRFS, json!({ "name": name, "rd": target.run })).await;
    let id = target.made(PREFIXES, json!({ "prefix": format!("{}/64", network()), "vrf": vrf })).await;
    let prefix = target.get(&format!("{PREFIXES}{id}/?fields=vrf,status,family")).await.expect(200);
    let url = format!("{}{VRFS}{vrf}/", target.url);
    let nested = json!({
        "id": vrf, "url": url, "display": format!("{name} ({})", target.run), "name": name, "rd": target.run,
        "description": "",
    });
    assert_eq!(prefix["vrf"], nested);
    assert_eq!(prefix["status"], json!({ "value": "active", "label": "Active" }));
}

pub(crate) async fn within_include_finds_the_range_and_what_is_inside(target: &Target) {
    let net = network();
    let mut ids = Vec::new();
    for length in [64, 80, 96] {
        ids.push(target.made(PREFIXES, json!({ "prefix": format!("{net}/{length}") })).await);
    }
    let found = |query: String| async move { target.get(&format!("{PREFIXES}?{query}&fields=id")).await.column("id") };
    assert_eq!(found(format!("within_include={net}/64")).await, ids);
    assert_eq!(found(format!("within_include={net}/80")).await, ids[1..]);
    assert_eq!(found(format!("within={net}/80")).await, ids[2..]);
    assert_eq!(found(format!("within_include={net}/64&within_include={net}/96")).await, ids[2..], "the last counts");
    assert_eq!(found("within_include=nonsense".to_owned()).await, Vec::<Value>::new());
}

pub(crate) async fn rir_id_takes_several_and_refuses_unknown_ones(target: &Target) {
    let (one, other) = (target.rir().await, target.rir().await);
    let mut ids = [target.aggregate(one).await, target.aggregate(other).await].map(Value::from).to_vec();
    let found = target.get(&format!("{AGGREGATES}?rir_id={one}&fields=id,prefix,rir")).await.column("id");
    assert_eq!(found, ids[..1]);
    let mut found = target.get(&format!("{AGGREGATES}?rir_id={one}&rir_id={other}&fields=id")).await.column("id");
    found.sort_by_key(Value::as_u64);
    ids.sort_by_key(Value::as_u64);
    assert_eq!(found, ids);
    let answer = target.get(&format!("{AGGREGATES}?rir_id=99999999")).await.expect(400);
    assert_eq!(answer, json!({ "rir_id": ["Select a valid choice. 99999999 is not one of the available choices."] }));
}

pub(crate) async fn vrf_id_null_finds_the_global_table(target: &Target) {
    let net = network();
    let vrf = target.made(VRFS, json!({ "name": format!("vrf-{}", target.run) })).await;
    let global = target.made(PREFIXES, json!({ "prefix": format!("{net}/64") })).await;
    let inside = target.made(PREFIXES, json!({ "prefix": format!("{net}/64"), "vrf": vrf })).await;
    let found = |query: String| async move { target.get(&format!("{PREFIXES}?{query}&fields=id")).await.column("id") };
    assert_eq!(found(format!("prefix={net}/64")).await, [global, inside], "the global table comes first");
    assert_eq!(found(format!("prefix={net}/64&vrf_id=null")).await, [global]);
    assert_eq!(found(format!("prefix={net}/64&vrf_id={vrf}")).await, [inside]);
}

pub(crate) async fn a_prefix_stands_once_in_the_global_table(target: &Target) {
    let prefix = format!("{}/64", network());
    target.made(PREFIXES, json!({ "prefix": prefix })).await;
    let answer = target.post(PREFIXES, json!({ "prefix": prefix })).await.expect(400);
    assert_eq!(answer, json!({ "prefix": [format!("Duplicate prefix found in global table: {prefix}")] }));
}

pub(crate) async fn host_bits_are_refused(target: &Target) {
    let answer = target.post(PREFIXES, json!({ "prefix": "192.0.2.1/25" })).await.expect(400);
    let told = "192.0.2.1/25 is not a valid prefix. Did you mean 192.0.2.0/25?";
    assert_eq!(answer, json!({ "prefix": [told] }));
}

pub(crate) async fn aggregates_may_not_overlap(target: &Target) {
    let (rir, net) = (target.rir().await, network());
    target.made(AGGREGATES, json!({ "prefix": format!("{net}/64"), "rir": rir })).await;
    let answer = target.post(AGGREGATES, json!({ "prefix": format!("{net}/80"), "rir": rir })).await.expect(400);
    let told = answer["prefix"][0].as_str().unwrap();
    assert!(told.starts_with("Aggregates cannot overlap."), "{told}");
}

pub(crate) async fn a_taken_name_is_refused_with_400(target: &Target) {
    let name = format!("taken-{}", target.run);
    let rir = json!({ "name": name, "slug": name });
    target.made(RIRS, rir.clone()).await;
    let errors =
        json!({ "name": ["RIR with this name already exists."], "slug": ["RIR with this slug already exists."] });
    assert_eq!(target.post(RIRS, rir.clone()).await.expect(400), errors);
    let bulk =
        json!({ "detail": "1 of 1 objects could not be created.", "errors": [{ "index": 0, "errors": errors }] });
    assert_eq!(target.post(RIRS, json!([rir])).await.expect(400), bulk);
}

pub(crate) async fn a_rir_with_aggregates_cannot_be_deleted(target: &Target) {
    let rir = target.rir().await;
    target.aggregate(rir).await;
    let answer = target.delete(&format!("{RIRS}{rir}/"), None).await.expect(409);
    let told = answer["detail"].as_str().unwrap();
    assert!(told.starts_with("Unable to delete object. 1 dependent objects were found: "), "{told}");
}

pub(crate) async fn several_ids_are_alternatives(target: &Target) {
    let rir = target.rir().await;
    let (one, other) = (target.aggregate(rir).await, target.aggregate(rir).await);
    let found = target.get(&format!("{AGGREGATES}?id={one}&id={other}&fields=id")).await.column("id");
    assert_eq!(found.len(), 2);
    let answer = target.get(&format!("{AGGREGATES}?id=abc")).await.expect(400);
    assert_eq!(answer, json!({ "id": ["Enter a whole number."] }));
}
