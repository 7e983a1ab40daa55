//! A custom object type with a field of each kind, which most cases share.

use serde_json::{Map, Value, json};

use super::Target;

/// The list of the shared type.
pub(super) const THINGS: &str = "/api/plugins/custom-objects/contract-thing/";

const CHOICES: &str = "contract states";

impl Target {
    /// Sees to it that the shared type is there. Cases that run side by side may all try.
    pub(super) async fn things(&self) {
        for _ in 0..20 {
            let found =
                self.get("/api/plugins/custom-objects/custom-object-types/?slug=contract-thing&fields=id").await;
            if found.expect(200)["count"] == 1 {
                return;
            }
            let choices = json!([["good", "Good"], ["bad", "Bad"], ["other", "Other"]]);
            self.post("/api/extras/custom-field-choice-sets/", json!({ "name": CHOICES, "extra_choices": choices }))
                .await;
            self.post("/api/plugins/custom-objects/schema/apply/", json!({ "schema": document() })).await;
        }
        panic!("the shared type cannot be made");
    }

    /// Creates a thing with a key of this case's own, `fields` besides, and gives its id.
    pub(super) async fn thing(&self, key: &str, fields: Value) -> u64 {
        self.made(THINGS, self.draft(key, fields)).await
    }

    /// What to send for it.
    pub(super) fn draft(&self, key: &str, fields: Value) -> Value {
        let mut draft: Map<String, Value> = fields.as_object().unwrap().clone();
        draft.insert("key".to_owned(), self.key(key).into());
        Value::Object(draft)
    }

    /// A key of this case's own.
    pub(super) fn key(&self, key: &str) -> String {
        format!("{}:{key}", self.run)
    }

    /// How many things have a key of this case's own.
    pub(super) async fn count(&self) -> u64 {
        self.get(&format!("{THINGS}?key__isw={}:&fields=id", self.run)).await.expect(200)["count"].as_u64().unwrap()
    }
}

fn document() -> Value {
    let fields = json!([
        { "id": 1, "name": "key", "type": "text", "required": true, "unique": true, "primary": true,
          "filter_logic": "exact", "validation_regex": "^[a-z0-9:]+$" },
        { "id": 2, "name": "state", "type": "select", "choice_set": CHOICES, "default": "good" },
        { "id": 3, "name": "states", "type": "multiselect", "choice_set": CHOICES },
        { "id": 4, "name": "aggregate", "type": "object", "related_object_type": "ipam/aggregate" },
        { "id": 5, "name": "aggregates", "type": "multiobject", "related_object_type": "ipam/aggregate" },
        { "id": 6, "name": "parent", "type": "object", "related_object_type": "custom-objects/contract-thing" },
        { "id": 7, "name": "number", "type": "integer", "validation_minimum": 1, "validation_maximum": 9 },
        { "id": 8, "name": "flag", "type": "boolean", "default": false },
        { "id": 9, "name": "day", "type": "date" },
        { "id": 10, "name": "moment", "type": "datetime" },
        { "id": 11, "name": "doc", "type": "json" },
        { "id": 12, "name": "note", "type": "longtext" },
        { "id": 13, "name": "loose", "type": "text" },
    ]);
    json!({ "schema_version": "1", "types": [{ "name": "contract_thing", "slug": "contract-thing", "fields": fields }] })
}
