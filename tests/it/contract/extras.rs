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
    let told = target.post(CHOICE_SETS, sent).await.expect(400);
    assert_eq!(told, json!({ "name": ["custom field choice set with this name already exists."] }));
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
    assert_eq!(target.patch(&format!("{CHOICE_SETS}{id}/"), more).await.expect(200)["choices_count"], 2);
    let row = target.post(&list, json!({ "choice": "b" })).await.expect(201);
    assert_eq!(row["choice"], json!({ "value": "b", "label": "Bee" }));
}

pub(crate) async fn a_choice_stands_once(target: &Target) {
    let sent = json!({ "name": format!("set {}", target.run), "extra_choices": [["a", "A"], ["a", "Again"]] });
    let told = target.post(CHOICE_SETS, sent).await.expect(400);
    assert_eq!(told, json!({ "__all__": ["Duplicate value 'a' found in extra choices."] }));
}

pub(crate) async fn a_custom_link_is_found_by_name(target: &Target) {
    target.share().await;
    let object_type = target.object_type(NOTES).await;
    let name = format!("link-{}", target.run);
    let sent = json!({ "name": name, "object_types": [object_type], "link_text": "View", "link_url": "http://x/" });
    let id = target.made(LINKS, sent).await;
    let found = target.get(&format!("{LINKS}?name={name}&fields=id,object_types,new_window,weight")).await.expect(200);
    let expected = json!([{ "id": id, "object_types": [object_type], "new_window": false, "weight": 100 }]);
    assert_eq!(found["results"], expected);
    let patched = target.patch(&format!("{LINKS}{id}/"), json!({ "link_text": "Look" })).await.expect(200);
    assert_eq!(patched["link_text"], "Look");
}

pub(crate) async fn a_custom_link_needs_a_known_type(target: &Target) {
    let sent = json!({
        "name": format!("link-{}", target.run), "object_types": ["netbox_custom_objects.nonsense"], "link_text": "x",
        "link_url": "http://x/",
    });
    let told = target.post(LINKS, sent).await.expect(400);
    assert_eq!(told, json!({ "object_types": ["Invalid content type: netbox_custom_objects.nonsense"] }));
}
