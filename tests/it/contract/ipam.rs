//! RIRs, aggregates, prefixes and VRFs.

use serde_json::{Value, json};

use super::{Target, network};

const RIRS: &str = "/api/ipam/rirs/";
const AGGREGATES: &str = "/api/ipam/aggregates/";
const PREFIXES: &str = "/api/ipam/prefixes/";
const VRFS: &str = "/api/ipam/vrfs/";

pub(crate) async fn an_aggregate_nests_its_rir(target: &Target) {
    let rir = target.rir().await;
    let id = target.aggregate(rir).await;
    let aggregate = target.get(&format!("{AGGREGATES}{id}/")).await.expect(200);
    assert_eq!(aggregate["rir"]["id"], rir);
    assert_eq!(aggregate["url"], format!("{}{AGGREGATES}{id}/", target.url));
}

pub(crate) async fn aggregates_that_overlap_are_refused(target: &Target) {
    let (rir, net) = (target.rir().await, network());
    let row = |length: u8| json!({ "prefix": format!("{net}/{length}"), "rir": rir });
    target.made(AGGREGATES, row(80)).await;
    for (length, told) in [
        (96, format!("Aggregates cannot overlap. {net}/96 is already covered by an existing aggregate ({net}/80).")),
        (64, format!("Prefixes cannot overlap aggregates. {net}/64 covers an existing aggregate ({net}/80).")),
    ] {
        assert_eq!(target.post(AGGREGATES, row(length)).await.expect(400), json!({ "prefix": [told] }));
    }
}

pub(crate) async fn a_prefix_nests_its_vrf(target: &Target) {
    let name = format!("vrf-{}", target.run);
    let vrf = target.made(VRFS, json!({ "name": name })).await;
    let id = target.made(PREFIXES, json!({ "prefix": format!("{}/64", network()), "vrf": vrf })).await;
    let prefix = target.get(&format!("{PREFIXES}?id={id}&fields=id,prefix,vrf")).await.column("vrf").remove(0);
    assert_eq!((&prefix["id"], &prefix["display"]), (&json!(vrf), &json!(name)));
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
}

pub(crate) async fn contains_finds_the_range_and_what_is_around_it(target: &Target) {
    let net = network();
    let mut ids = Vec::new();
    for length in [64, 80, 96] {
        ids.push(target.made(PREFIXES, json!({ "prefix": format!("{net}/{length}") })).await);
    }
    let found = async |query: &str| target.get(&format!("{PREFIXES}?contains={query}&fields=id")).await.column("id");
    let mut both = found(&format!("{net}/80")).await;
    both.retain(|id| id.as_u64().is_some_and(|id| ids.contains(&id)));
    assert_eq!(both, ids[..2]);
}

pub(crate) async fn rir_id_finds_the_aggregates_of_a_rir(target: &Target) {
    let (one, other) = (target.rir().await, target.rir().await);
    let ids = [target.aggregate(one).await, target.aggregate(other).await].map(Value::from);
    let found = target.get(&format!("{AGGREGATES}?rir_id={one}&fields=id,prefix,rir")).await.column("id");
    assert_eq!(found, ids[..1]);
}

pub(crate) async fn a_rir_says_whether_it_is_private(target: &Target) {
    let public = target.rir().await;
    let name = format!("private-{}", target.run);
    let private = target.made(RIRS, json!({ "name": name, "slug": name, "is_private": true })).await;
    let found = target.get(&format!("{RIRS}?id={public}&id={private}&fields=id,is_private&ordering=id")).await;
    let expected = json!([{ "id": public, "is_private": false }, { "id": private, "is_private": true }]);
    assert_eq!(found.expect(200)["results"], expected);
}

pub(crate) async fn several_ids_are_alternatives(target: &Target) {
    let rir = target.rir().await;
    let (one, other) = (target.aggregate(rir).await, target.aggregate(rir).await);
    let found = target.get(&format!("{AGGREGATES}?id={one}&id={other}&fields=id")).await.column("id");
    assert_eq!(found.len(), 2);
}
