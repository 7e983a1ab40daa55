//! Custom object types that most cases share: one with a field of each kind, and a small one, as each field makes every
//! request dearer.

use serde_json::{Map, Value, json};

use super::{Answer, Target};

/// The list of the type with a field of each kind.
pub(super) const THINGS: &str = "/api/plugins/custom-objects/contract-thing/";
/// The list of the small type: its fields are as those of a thing.
pub(super) const NOTES: &str = "/api/plugins/custom-objects/contract-note/";

const TYPES: &str = "/api/plugins/custom-objects/custom-object-types/";
const CHOICES: &str = "contract states";

/// Returns whether an answer says that a shared type is not there yet.
pub(super) fn missed(path: &str, answer: &Answer) -> bool {
    (path.starts_with(THINGS) || path.starts_with(NOTES)) && answer.body == json!({ "detail": "Not found." })
}

impl Target {
    /// Makes the shared types. Cases that run side by side may all try.
    pub(super) async fn share(&self) {
        for _ in 0..20 {
            let shared = self.get(&format!("{TYPES}?slug=contract-note&slug=contract-thing&fields=id")).await;
            if shared.expect(200)["count"] == 2 {
                return;
            }
            let choices = json!([["good", "Good"], ["bad", "Bad"], ["other", "Other"]]);
            self.post("/api/extras/custom-field-choice-sets/", json!({ "name": CHOICES, "extra_choices": choices }))
                .await;
            self.apply(document()).await;
        }
        panic!("the shared types cannot be made");
    }

    /// Creates a thing with a key of this case's own, `fields` besides, and returns its id.
    pub(super) async fn thing(&self, key: &str, fields: Value) -> u64 {
        self.made(THINGS, self.draft(key, fields)).await
    }

    /// Creates a note in the same way.
    pub(super) async fn note(&self, key: &str, fields: Value) -> u64 {
        self.made(NOTES, self.draft(key, fields)).await
    }

    /// The body to send for one.
    pub(super) fn draft(&self, key: &str, fields: Value) -> Value {
        let mut draft: Map<String, Value> = fields.as_object().unwrap().clone();
        draft.insert("key".to_owned(), self.key(key).into());
        draft.insert("run".to_owned(), self.run.as_str().into());
        Value::Object(draft)
    }

    /// A key of this case's own.
    pub(super) fn key(&self, key: &str) -> String {
        format!("{}:{key}", self.run)
    }

    /// Returns how many objects of a list are of this case.
    pub(super) async fn count(&self, list: &str) -> u64 {
        self.get(&format!("{list}?run={}&fields=id", self.run)).await.expect(200)["count"].as_u64().unwrap()
    }

    /// The name of the objects of a list in the change log and in custom links.
    pub(super) async fn object_type(&self, list: &str) -> String {
        let slug = list.trim_end_matches('/').rsplit('/').next().unwrap();
        let found = self.get(&format!("{TYPES}?slug={slug}&fields=object_type_name")).await.column("object_type_name");
        found[0].as_str().unwrap().to_owned()
    }

    /// The change log of an object, oldest first: action and message.
    pub(super) async fn changes(&self, list: &str, id: u64) -> Vec<(String, String)> {
        let name = self.object_type(list).await;
        let path = format!("/api/core/object-changes/?changed_object_type={name}&changed_object_id={id}");
        let log = self.get(&path).await.expect(200);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let entries = log["results"].as_array().unwrap().iter().rev();
        entries.map(|entry| (text(&entry["action"]["value"]), text(&entry["message"]))).collect()
    }

    /// The messages of the change log.
    pub(super) async fn messages(&self, list: &str, id: u64) -> Vec<String> {
        self.changes(list, id).await.into_iter().map(|(_, message)| message).collect()
    }
}

fn document() -> Value {
    let key = json!({
        "id": 1, "name": "key", "type": "text", "required": true, "unique": true, "primary": true,
        "filter_logic": "exact",
    });
    let number =
        json!({ "id": 7, "name": "number", "type": "integer", "validation_minimum": 1, "validation_maximum": 9 });
    let loose = json!({ "id": 13, "name": "loose", "type": "text" });
    let run = json!({ "id": 14, "name": "run", "type": "text", "filter_logic": "exact" });
    let note = json!([key, number, loose, run]);
    let thing = json!([
        key,
        { "id": 2, "name": "state", "type": "select", "choice_set": CHOICES, "default": "good" },
        { "id": 3, "name": "states", "type": "multiselect", "choice_set": CHOICES },
        { "id": 4, "name": "aggregate", "type": "object", "related_object_type": "ipam/aggregate" },
        { "id": 5, "name": "aggregates", "type": "multiobject", "related_object_type": "ipam/aggregate" },
        { "id": 6, "name": "parent", "type": "object", "related_object_type": "custom-objects/contract-thing" },
        number,
        { "id": 8, "name": "flag", "type": "boolean", "default": false },
        { "id": 9, "name": "day", "type": "date" },
        { "id": 10, "name": "moment", "type": "datetime" },
        { "id": 11, "name": "doc", "type": "json" },
        { "id": 12, "name": "note", "type": "longtext" },
        loose,
        run,
    ]);
    let types = json!([
        { "name": "contract_note", "slug": "contract-note", "fields": note },
        { "name": "contract_thing", "slug": "contract-thing", "fields": thing },
    ]);
    json!({ "schema_version": "1", "types": types })
}
