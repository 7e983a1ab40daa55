//! The orders that follow from changes, by table.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;

const CONFIG_TYPE: &str = "netbox_custom_objects.table2model";

fn settings() -> config::Webhook {
    config::Webhook {
        secret: "".into(),
        secret_file: None,
        previous_secret: "".into(),
        previous_secret_file: None,
        allow_unsigned: false,
        debounce: Duration::from_secs(2),
        debounce_longest: Duration::from_secs(60),
    }
}

/// Returns what follows, as one line.
fn verdict(change: &Change) -> String {
    told(change, false)
}

fn told(change: &Change, judges_routing: bool) -> String {
    match orders(change, Trigger::Webhook, &Following { webhook: &settings(), judges_routing }) {
        Ok(orders) => orders.iter().map(|order| order.job.key()).collect::<Vec<_>>().join(" "),
        Err(ignored) => format!("({ignored})"),
    }
}

fn webhook(event: &str, object_type: &str, before: Value, after: Value) -> Change {
    let slug = if object_type == CONFIG_TYPE { "rir-config" } else { "rir-network" };
    let body = json!({
        "event": event, "timestamp": "2026-11-22T10:00:00Z", "object_type": object_type,
        "request": { "id": "0e5b", "user": "ann", "method": "PATCH" },
        "data": { "id": 7, "url": format!("/api/plugins/custom-objects/{slug}/7/"), "prefix": "x" },
        "snapshots": { "prechange": before, "postchange": after },
    });
    Change::of_webhook(body.to_string().as_bytes()).unwrap()
}

fn config(name: &str, active: bool, last_sync: &str) -> Value {
    json!({ "name": name, "rir": 1, "registry": "arin", "is_active": active, "sync_interval": 24,
            "last_sync": last_sync, "last_result": "changed", "last_updated": last_sync })
}

fn judged(time: &str) -> Value {
    json!({ "name": "A", "looked": time, "judged": time, "last_updated": time })
}

#[test]
fn what_changed_decides_what_follows() {
    let aggregate = |prefix: &str, rir: u64, tenant: u64| json!({ "prefix": prefix, "rir": rir, "tenant": tenant });
    let (a, b, none) = ("10.0.0.0/8", "11.0.0.0/8", Value::Null);
    let rows = [
        ("aggregate created", webhook("created", "ipam.aggregate", none.clone(), aggregate(a, 1, 1))),
        ("aggregate prefix", webhook("updated", "ipam.aggregate", aggregate(a, 1, 1), aggregate(b, 1, 1))),
        ("aggregate rir", webhook("updated", "ipam.aggregate", aggregate(a, 1, 1), aggregate(a, 2, 1))),
        ("aggregate tenant", webhook("updated", "ipam.aggregate", aggregate(a, 1, 1), aggregate(a, 1, 2))),
        ("aggregate untold", webhook("updated", "ipam.aggregate", none.clone(), aggregate(a, 1, 1))),
        ("aggregate deleted", webhook("deleted", "ipam.aggregate", aggregate(a, 1, 1), none.clone())),
        ("prefix created", webhook("created", "ipam.prefix", none.clone(), aggregate(a, 1, 1))),
        ("prefix prefix", webhook("updated", "ipam.prefix", aggregate(a, 1, 1), aggregate(b, 1, 1))),
        ("prefix vrf", webhook("updated", "ipam.prefix", json!({ "vrf": 1 }), json!({ "vrf": 2 }))),
        ("prefix tenant", webhook("updated", "ipam.prefix", aggregate(a, 1, 1), aggregate(a, 1, 2))),
        (
            "prefix status",
            webhook("updated", "ipam.prefix", json!({ "status": "reserved" }), json!({ "status": "active" })),
        ),
        (
            "prefix description",
            webhook("updated", "ipam.prefix", json!({ "description": "" }), json!({ "description": "a" })),
        ),
        ("prefix saved", webhook("updated", "ipam.prefix", aggregate(a, 1, 1), aggregate(a, 1, 1))),
        ("prefix deleted", webhook("deleted", "ipam.prefix", aggregate(a, 1, 1), none.clone())),
        ("config created", webhook("created", CONFIG_TYPE, none.clone(), config("A", true, "1"))),
        ("config created, off", webhook("created", CONFIG_TYPE, none.clone(), config("A", false, "1"))),
        ("config renamed", webhook("updated", CONFIG_TYPE, config("A", true, "1"), config("B", true, "1"))),
        ("config renamed, off", webhook("updated", CONFIG_TYPE, config("A", false, "1"), config("B", false, "1"))),
        ("config on", webhook("updated", CONFIG_TYPE, config("A", false, "1"), config("A", true, "1"))),
        ("config off", webhook("updated", CONFIG_TYPE, config("A", true, "1"), config("A", false, "1"))),
        ("config echo", webhook("updated", CONFIG_TYPE, config("A", true, "1"), config("A", true, "2"))),
        ("config judged", webhook("updated", CONFIG_TYPE, judged("1"), judged("2"))),
        ("config deleted", webhook("deleted", CONFIG_TYPE, config("A", true, "1"), none.clone())),
        ("other custom object", webhook("updated", "netbox_custom_objects.table3model", none.clone(), json!({}))),
        ("other type", webhook("created", "dcim.site", none.clone(), json!({}))),
        ("other event", webhook("job_started", "ipam.prefix", none.clone(), none)),
    ];
    let table: Vec<String> = rows.iter().map(|(what, change)| format!("{what}: {}", verdict(change))).collect();
    insta::assert_snapshot!(table.join("\n"), @r#"
    aggregate created: sync-aggregate:*:7:ann
    aggregate prefix: sync-aggregate:*:7:ann
    aggregate rir: sync-aggregate:*:7:ann
    aggregate tenant: (nothing changed that a sync looks at)
    aggregate untold: sync-aggregate:*:7:ann
    aggregate deleted: (there is nothing to ask about an object that is gone)
    prefix created: sync-prefix:*:ann
    prefix prefix: sync-prefix:*:ann
    prefix vrf: sync-prefix:*:ann
    prefix tenant: sync-prefix:*:ann
    prefix status: sync-prefix:*:ann
    prefix description: (nothing changed that a sync looks at)
    prefix saved: (nothing changed that a sync looks at)
    prefix deleted: (there is nothing to ask about an object that is gone)
    config created: sync-config:7:organizations+contacts+networks:ann
    config created, off: (the RIR config is not active)
    config renamed: sync-config:7:organizations+contacts+networks:ann
    config renamed, off: (the RIR config is not active)
    config on: sync-config:7:organizations+contacts+networks:ann
    config off: (the RIR config is not active)
    config echo: (only what rir-sidecar itself writes has changed)
    config judged: (only what rir-sidecar itself writes has changed)
    config deleted: (there is nothing to ask about an object that is gone)
    other custom object: (objects of type netbox_custom_objects.table3model do not matter here)
    other type: (objects of type dcim.site do not matter here)
    other event: (events "job_started" do not matter here)
    "#);
}

#[test]
fn what_is_changed_in_a_branch_counts_when_the_branch_is_merged() {
    let merged = webhook("created", "ipam.prefix", Value::Null, json!({}));
    let mut in_branch = merged.clone();
    in_branch.in_branch = true;
    assert_eq!(verdict(&in_branch), "(it was changed in a branch of NetBox's, and counts when that is merged)");
    assert_eq!(verdict(&merged), "sync-prefix:*:ann");
    assert_eq!(in_branch.key(), merged.key(), "nothing but its time tells the merge apart");
}

#[test]
fn an_interval_is_no_setting_that_asks_for_a_sync() {
    let mut after = config("A", true, "2");
    after["sync_interval"] = json!(12);
    assert_eq!(
        verdict(&webhook("updated", CONFIG_TYPE, config("A", true, "1"), after)),
        "(nothing changed that a sync looks at)"
    );
}

#[test]
fn an_order_waits_for_more_and_names_who_asked() {
    let change = webhook("created", "ipam.prefix", Value::Null, json!({}));
    let orders = orders(&change, Trigger::Sweep, &Following { webhook: &settings(), judges_routing: true }).unwrap();
    let debounce = Delay::Debounce { quiet: Duration::from_secs(2), longest: Duration::from_secs(60) };
    assert_eq!(orders[0].delay, debounce);
    assert_eq!((orders[0].job.user.as_deref(), orders[0].job.trigger), (Some("ann"), Trigger::Sweep));
}

#[test]
fn what_may_change_who_announces_what_has_prefixes_judged_anew() {
    let origins = |id: u64| json!({ "custom_fields": { "origin_asns": [id] }, "status": "active", "description": "x" });
    let told = |event: &str, of: &str, before: Value, after: Value| told(&webhook(event, of, before, after), true);
    assert_eq!(told("updated", "ipam.prefix", origins(1), origins(2)), "routing:");
    assert_eq!(told("updated", "ipam.aggregate", origins(1), origins(2)), "routing:");
    assert_eq!(told("created", "ipam.prefix", Value::Null, origins(1)), "sync-prefix:*:ann routing:");
    assert_eq!(told("deleted", "ipam.prefix", origins(1), Value::Null), "routing:");
    let mut renamed = origins(1);
    renamed["description"] = json!("y");
    let nothing = "(nothing changed that a sync looks at)";
    assert_eq!(told("updated", "ipam.prefix", origins(1), renamed), nothing);
    let mut after = config("A", true, "1");
    after["default_origins"] = json!([7]);
    assert_eq!(told("updated", CONFIG_TYPE, config("A", true, "1"), after), "routing:");
    assert_eq!(told("updated", "ipam.vlan", origins(1), origins(2)), "(objects of type ipam.vlan do not matter here)");
}
