//! The change log, which others write to while it is read.

use serde_json::{Value, json};

use super::{
    Target, network,
    plan::PREFIXES,
    things::{NOTES, THINGS},
};

const CHANGES: &str = "/api/core/object-changes/";

/// The newest row of the change log.
async fn newest(target: &Target) -> u64 {
    let page = target.get(&format!("{CHANGES}?ordering=-id&limit=1&fields=id")).await.expect(200);
    page["results"][0]["id"].as_u64().unwrap_or_default()
}

/// Reads rows of notes and things behind one, and returns those about these objects.
async fn after(target: &Target, row: u64, ids: &[(&str, u64)], more: &str) -> Vec<Value> {
    let (notes, things) = (target.object_type(NOTES).await, target.object_type(THINGS).await);
    let types = format!("changed_object_type={notes}&changed_object_type={things}");
    let page = target.get(&format!("{CHANGES}?{types}&id__gt={row}&ordering=id&limit=500&{more}")).await.expect(200);
    let rows = page["results"].as_array().unwrap().iter().filter(|row| {
        let type_of = |list: &str| if list == NOTES { &notes } else { &things };
        ids.iter().any(|(list, id)| row["changed_object_type"] == **type_of(list) && row["changed_object_id"] == *id)
    });
    rows.cloned().collect()
}

pub(crate) async fn the_change_log_is_read_by_type_from_one_id_to_the_next(target: &Target) {
    target.note("warm", json!({})).await;
    let before = newest(target).await;
    let ids = [(NOTES, target.note("1", json!({})).await), (THINGS, target.thing("2", json!({})).await)];
    let rows = after(target, before, &ids, "fields=id,changed_object_type,changed_object_id").await;
    let found: Vec<u64> = rows.iter().map(|row| row["changed_object_id"].as_u64().unwrap()).collect();
    assert_eq!(found, [ids[0].1, ids[1].1]);
    assert!(rows.iter().all(|row| row.as_object().unwrap().len() == 3), "{rows:?}");
    let first = rows[0]["id"].as_u64().unwrap();
    assert!(first > before);
    assert_eq!(after(target, first, &ids, "").await.len(), 1);
}

pub(crate) async fn a_change_tells_who_when_and_what(target: &Target) {
    let id = target.note("1", json!({ "number": 1 })).await;
    let before = newest(target).await;
    target.patch(&format!("{NOTES}{id}/"), json!({ "number": 2 })).await.expect(200);
    let fields = "fields=id,time,user_name,request_id,action,changed_object_type,changed_object_id,prechange_data,postchange_data";
    let row = after(target, before, &[(NOTES, id)], fields).await.remove(0);
    assert_eq!(row["action"]["value"], "update");
    assert_eq!((&row["prechange_data"]["number"], &row["postchange_data"]["number"]), (&json!(1), &json!(2)));
    assert!(row["user_name"].is_string() && row["request_id"].as_str().unwrap().len() == 36, "{row}");
    assert!(row["time"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{row}");
    assert_eq!(row.as_object().unwrap().len(), 9);
}

pub(crate) async fn the_change_log_is_found_by_time(target: &Target) {
    let before = newest(target).await;
    let id = target.note("1", json!({})).await;
    let time = after(target, before, &[(NOTES, id)], "").await[0]["time"].as_str().unwrap().to_owned();
    assert_eq!(after(target, before, &[(NOTES, id)], &format!("time_after={time}")).await.len(), 1);
    assert_eq!(after(target, before, &[(NOTES, id)], "time_after=2999-01-01T00:00:00Z").await.len(), 0);
}

/// Reads the change log of prefixes.
async fn of_prefixes(target: &Target, query: &str) -> Vec<Value> {
    let path = format!("{CHANGES}?changed_object_type=ipam.prefix&limit=500&{query}");
    target.get(&path).await.expect(200)["results"].as_array().unwrap().clone()
}

pub(crate) async fn the_changes_of_several_objects_are_asked_for_at_once(target: &Target) {
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(target.made(PREFIXES, json!({ "prefix": format!("{}/64", network()) })).await);
    }
    target.patch(&format!("{PREFIXES}{}/", ids[0]), json!({ "status": "reserved" })).await.expect(200);
    let named = format!("changed_object_id={}&changed_object_id={}&ordering=id", ids[0], ids[1]);
    let rows = of_prefixes(target, &named).await;
    let found: Vec<u64> = rows.iter().map(|row| row["changed_object_id"].as_u64().unwrap()).collect();
    assert_eq!(found, [ids[0], ids[1], ids[0]]);
}

pub(crate) async fn a_deletion_is_found_by_its_action(target: &Target) {
    let net = format!("{}/64", network());
    let id = target.made(PREFIXES, json!({ "prefix": net })).await;
    target.delete(&format!("{PREFIXES}{id}/"), None).await.expect(204);
    let fields = "fields=id,action,user_name,changed_object_id,prechange_data,postchange_data";
    let rows = of_prefixes(target, &format!("action=delete&ordering=-id&{fields}")).await;
    assert!(rows.iter().all(|row| row["action"]["value"] == "delete"), "{rows:?}");
    let row = rows.iter().find(|row| row["changed_object_id"] == id).unwrap();
    assert_eq!((&row["prechange_data"]["prefix"], &row["postchange_data"]), (&json!(net), &json!({})));
    let before = of_prefixes(target, &format!("action=delete&ordering=-id&id__lt={}&fields=id", row["id"])).await;
    assert!(before.iter().all(|earlier| earlier["id"].as_u64() < row["id"].as_u64()), "{before:?}");
}

pub(crate) async fn the_oldest_change_comes_first_by_time(target: &Target) {
    target.rir().await;
    let first = target.get(&format!("{CHANGES}?ordering=time&limit=1&fields=id,time")).await.expect(200);
    let all = target.get(&format!("{CHANGES}?ordering=-time&limit=1000&fields=id,time")).await.expect(200);
    let time = |row: &Value| row["time"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let oldest = time(&first["results"][0]);
    assert!(all["results"].as_array().unwrap().iter().all(|row| oldest <= time(row)));
}

pub(crate) async fn a_snapshot_has_ids_codes_and_names_of_tags(target: &Target) {
    let (tenant, site) = (target.tenant("a").await, target.site("a", None).await);
    let (first, second) = (target.tag("Z tag").await, target.tag("A tag").await);
    let net = format!("{}/64", network());
    let row = json!({
        "prefix": net, "tenant": tenant, "status": "reserved", "scope_type": "dcim.site", "scope_id": site,
        "tags": [first, second],
    });
    let id = target.made(PREFIXES, row).await;
    let rows = of_prefixes(target, &format!("changed_object_id={id}")).await;
    let (before, after) = (&rows[0]["prechange_data"], &rows[0]["postchange_data"]);
    assert_eq!(before, &json!({}));
    for (name, value) in [("prefix", json!(net)), ("vrf", json!(null)), ("tenant", json!(tenant))] {
        assert_eq!(after[name], value, "{name}");
    }
    assert_eq!((&after["status"], &after["scope_id"]), (&json!("reserved"), &json!(site)));
    assert!(after["scope_type"].is_u64(), "{after}");
    assert_eq!(after["tags"], json!([format!("A tag {}", target.run), format!("Z tag {}", target.run)]));
    assert!(after["custom_fields"].is_object(), "{after}");
    target.patch(&format!("{PREFIXES}{id}/"), json!({ "tags": [first] })).await.expect(200);
    let rows = of_prefixes(target, &format!("changed_object_id={id}&ordering=-id")).await;
    assert_eq!(rows[0]["postchange_data"]["tags"], json!([format!("Z tag {}", target.run)]));
    assert_eq!(rows[0]["prechange_data"]["tags"], after["tags"]);
}
