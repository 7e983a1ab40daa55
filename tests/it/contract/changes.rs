//! The change log, which others write to while it is read.

use serde_json::{Value, json};

use super::{
    Target,
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
