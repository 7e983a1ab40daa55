//! Fuzz target: whatever a page of the change log holds is read row by row, and tells the same as webhooks would.

use serde_json::{Value, json};

use super::{Change, ChangeLogRow};
use crate::{
    error_chain::error_chain,
    fuzzing::Corpus,
    netbox::{
        list::RawPage,
        row::{Row, document, id_of, typed},
    },
};

const CONFIG_TYPE: &str = "netbox_custom_objects.table2model";
/// The longest that is said of why a row cannot be read, in characters.
const LONGEST_REASON: usize = 301;

#[test]
fn a_row_of_the_change_log_is_read_or_a_short_reason_is_told() {
    Corpus::new(seeds()).words(&["null", "{}", "[]", "\"\\u0000\"", "true", "\"value\"", CONFIG_TYPE, "[[[["]).run(
        |body| {
            let page = match document::<RawPage>(body) {
                Ok(page) => page,
                Err(error) => return check_reason(&error),
            };
            for row in &page.results {
                match typed::<ChangeLogRow>(row) {
                    Ok(read) => same_as_a_webhook(row, Change::of_log(read, Some(CONFIG_TYPE))),
                    Err(error) => check_reason(&error),
                }
            }
        },
    );
}

fn check_reason(error: &serde_json::Error) {
    let told = error_chain(error);
    assert!(told.chars().count() <= LONGEST_REASON && !told.contains(char::is_control), "{told:?}");
}

/// Compares what a row tells with what the webhook about the same change tells.
fn same_as_a_webhook(row: &Row, told: Change) {
    assert!(id_of(row).is_some());
    let field = |name: &str| row.get(name).cloned().unwrap_or_default();
    let action = field("action");
    let event = action.get("value").unwrap_or(&action);
    let url =
        if field("changed_object_type") == CONFIG_TYPE { "/api/plugins/custom-objects/rir-config/7/" } else { "" };
    let body = json!({
        "event": event.as_str().unwrap_or_default(), "timestamp": field("time"),
        "object_type": field("changed_object_type"), "data": { "id": field("changed_object_id"), "url": url },
        "snapshots": { "prechange": field("prechange_data"), "postchange": field("postchange_data") },
        "request": { "id": told.request, "user": told.user },
    });
    assert_eq!(Change::of_webhook(body.to_string().as_bytes()).unwrap(), told);
}

fn seeds() -> Vec<String> {
    let row = |id: u64, object_type: &str, action: Value| {
        json!({
            "id": id, "time": "2026-11-22T10:00:00.123456Z", "user_name": "ann", "request_id": "0e5b3f0a-9d2c-4b9e",
            "action": action, "changed_object_type": object_type, "changed_object_id": 7,
            "prechange_data": { "prefix": "192.0.2.0/24", "is_active": true, "tags": [] },
            "postchange_data": { "prefix": "192.0.2.0/25", "is_active": null, "tags": ["a"] },
        })
    };
    let rows = [
        row(1, "ipam.aggregate", json!({ "value": "create", "label": "Created" })),
        row(2, "ipam.prefix", json!("update")),
        row(3, CONFIG_TYPE, json!({ "value": "delete", "label": "Deleted" })),
    ];
    let page =
        |rows: &[Value]| json!({ "count": rows.len(), "next": null, "previous": null, "results": rows }).to_string();
    let long = "x".repeat(2_000);
    let unfit = json!({ "id": 4, "time": long, "changed_object_id": long, "action": long });
    let no_page = json!({ "count": long, "results": [] }).to_string();
    vec![page(&rows), page(&rows[..1]), page(&rows[1..2]), page(&rows[2..]), page(&[unfit]), no_page]
}
