//! Choice sets and custom links.

use serde_json::json;

use super::{Target, things::NOTES};

const CHOICE_SETS: &str = "/api/extras/custom-field-choice-sets/";
const LINKS: &str = "/api/extras/custom-links/";

pub(crate) async fn a_choice_set_is_found_by_name(target: &Target) {
    let name = format!("set {}", target.run);
    let sent = json!({ "name": name, "extra_choices": [["a", "A"], ["b", "B"]] });
    let id = target.made(CHOICE_SETS, sent.clone()).await;
    let found = target.get(&format!("{CHOICE_SETS}?name=set%20{}&fields=id,name,extra_choices", target.run)).await;
    let expected = json!([{ "id": id, "name": name, "extra_choices": [["a", "A"], ["b", "B"]] }]);
    assert_eq!(found.expect(200)["results"], expected);
}

pub(crate) async fn a_choice_that_is_added_can_be_chosen(target: &Target) {
    let (set, slug) = (format!("set {}", target.run), format!("contract-{}", target.run));
    let id = target.made(CHOICE_SETS, json!({ "name": set, "extra_choices": [["a", "A"]] })).await;
    let field = json!({ "id": 1, "name": "choice", "type": "select", "choice_set": set });
    let definition = json!({ "name": slug.replace('-', "_"), "slug": slug, "fields": [field] });
    target.apply(json!({ "schema_version": "1", "types": [definition] })).await.expect(200);
    let list = format!("/api/plugins/custom-objects/{slug}/");
    target.post(&list, json!({ "choice": "b" })).await.expect(400);
    let more = json!({ "extra_choices": [["a", "A"], ["b", "Bee"]] });
    target.patch(&format!("{CHOICE_SETS}{id}/"), more).await.expect(200);
    let row = target.post(&list, json!({ "choice": "b" })).await.expect(201);
    assert_eq!(row["choice"], json!({ "value": "b", "label": "Bee" }));
}

pub(crate) async fn a_custom_link_is_found_by_name(target: &Target) {
    target.share().await;
    let object_type = target.object_type(NOTES).await;
    let name = format!("link-{}", target.run);
    let sent = json!({ "name": name, "object_types": [object_type], "link_text": "View", "link_url": "http://x/" });
    let id = target.made(LINKS, sent).await;
    let found = target.get(&format!("{LINKS}?name={name}&fields=id,object_types,new_window")).await.expect(200);
    let expected = json!([{ "id": id, "object_types": [object_type], "new_window": false }]);
    assert_eq!(found["results"], expected);
    let patched = target.patch(&format!("{LINKS}{id}/"), json!({ "link_text": "Look" })).await.expect(200);
    assert_eq!(patched["link_text"], "Look");
}

const WEBHOOKS: &str = "/api/extras/webhooks/";
const RULES: &str = "/api/extras/event-rules/";

async fn webhook(target: &Target) -> (String, u64) {
    let name = format!("webhook-{}", target.run);
    let sent = json!({ "name": name, "payload_url": "http://127.0.0.1:9/", "secret": "0123456789abcdef" });
    let id = target.made(WEBHOOKS, sent).await;
    (name, id)
}

pub(crate) async fn a_webhook_is_found_by_name_with_its_secret(target: &Target) {
    let (name, id) = webhook(target).await;
    let fields = "id,name,secret,http_method,http_content_type,ssl_verification,body_template,additional_headers,ca_file_path,timeout";
    let found = target.get(&format!("{WEBHOOKS}?name={name}&fields={fields}")).await.expect(200);
    let expected = json!([{
        "id": id, "name": name, "secret": "0123456789abcdef", "http_method": "POST",
        "http_content_type": "application/json", "ssl_verification": true, "body_template": "",
        "additional_headers": "", "ca_file_path": null, "timeout": null,
    }]);
    assert_eq!(found["results"], expected);
    let patched = target.patch(&format!("{WEBHOOKS}{id}/"), json!({ "secret": "fedcba9876543210" })).await;
    assert_eq!(patched.expect(200)["secret"], "fedcba9876543210");
}

pub(crate) async fn an_event_rule_calls_a_webhook(target: &Target) {
    target.share().await;
    let (name, id) = webhook(target).await;
    let notes = target.object_type(NOTES).await;
    let sent = json!({
        "name": name, "object_types": ["ipam.aggregate"], "event_types": ["object_created"], "action_type": "webhook",
        "action_object_type": "extras.webhook", "action_object_id": id,
    });
    let rule = target.made(RULES, sent.clone()).await;
    let fields = "id,name,enabled,object_types,event_types,action_type,action_object_type,action_object_id,conditions";
    let mut expected = sent;
    expected["id"] = json!(rule);
    expected["enabled"] = json!(true);
    expected["conditions"] = json!(null);
    expected["action_type"] = json!({ "value": "webhook", "label": "Webhook" });
    let found = target.get(&format!("{RULES}?name={name}&fields={fields}")).await.expect(200);
    assert_eq!(found["results"], json!([expected]));
    let more =
        json!({ "object_types": ["ipam.aggregate", notes], "event_types": ["object_created", "object_updated"] });
    let patched = target.patch(&format!("{RULES}{rule}/"), more.clone()).await.expect(200);
    assert_eq!((&patched["event_types"], &patched["action_object_id"]), (&more["event_types"], &json!(id)));
    let mut types: Vec<&str> =
        patched["object_types"].as_array().unwrap().iter().filter_map(|name| name.as_str()).collect();
    types.sort_unstable();
    assert_eq!(types, ["ipam.aggregate", notes.as_str()]);
    // A rule that stays would have the NetBox of the lab call nobody for each change of the other cases.
    target.delete(&format!("{RULES}{rule}/"), None).await.expect(204);
}
