//! Making and changing custom object types.

use serde_json::{Value, json};

use super::{Answer, Target};

const PLUGIN: &str = "/api/plugins/custom-objects/";
const PREVIEW: &str = "/api/plugins/custom-objects/schema/preview/";
const APPLY: &str = "/api/plugins/custom-objects/schema/apply/";

impl Target {
    fn slug(&self) -> String {
        format!("contract-{}", self.run)
    }

    fn list(&self) -> String {
        format!("{PLUGIN}{}/", self.slug())
    }

    /// A document with one type of this case's own.
    fn document(&self, fields: Value, more: Value) -> Value {
        let mut definition = json!({ "name": format!("contract_{}", self.run), "slug": self.slug(), "fields": fields });
        definition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "schema_version": "1", "types": [definition] })
    }

    pub(super) async fn apply(&self, document: Value) -> Answer {
        self.post(APPLY, json!({ "schema": document })).await
    }

    /// Makes this case's own type.
    async fn applied(&self, fields: Value) -> Value {
        self.apply(self.document(fields, json!({}))).await.expect(200)["diffs"][0].clone()
    }
}

fn text(id: u64, name: &str) -> Value {
    json!({ "id": id, "name": name, "type": "text" })
}

pub(crate) async fn a_preview_takes_the_bare_document_and_apply_the_wrapped_one(target: &Target) {
    let document = target.document(json!([text(1, "a")]), json!({}));
    let diff = json!({
        "slug": target.slug(), "name": format!("contract_{}", target.run), "is_new": true, "has_changes": true,
        "has_destructive_changes": false, "cot_changes": {}, "warnings": [],
        "field_changes": [{ "op": "add", "schema_id": 1, "db_name": null, "schema_def": text(1, "a") }],
    });
    let previewed = target.post(PREVIEW, document.clone()).await.expect(200);
    assert_eq!(previewed, json!({ "diffs": [diff] }));
    target.get(&target.list()).await.expect(404);
    let told = target.post(PREVIEW, json!({ "schema": document })).await.expect(400);
    assert_eq!(told["schema_errors"][0]["path"], json!([]));
    let told = target.post(APPLY, document.clone()).await.expect(400);
    assert_eq!(told, json!({ "schema": "A 'schema' object containing the COT schema document is required." }));
    let applied = target.apply(document).await.expect(200);
    assert_eq!(applied, json!({ "applied": true, "diffs": [diff] }));
    target.get(&target.list()).await.expect(200);
}

pub(crate) async fn applying_twice_changes_nothing(target: &Target) {
    let fields = json!([text(1, "a"), { "id": 2, "name": "b", "type": "boolean", "default": false, "weight": 7 }]);
    target.applied(fields.clone()).await;
    let diff = target.applied(fields).await;
    assert_eq!(
        (&diff["is_new"], &diff["has_changes"], &diff["field_changes"]),
        (&json!(false), &json!(false), &json!([]))
    );
}

pub(crate) async fn what_does_not_exist_cannot_be_referred_to(target: &Target) {
    let refused = |field: Value| async move {
        let told = target.apply(target.document(json!([field]), json!({}))).await.expect(400);
        assert_eq!(told["error"], "unresolvable_reference");
        told["detail"].as_str().unwrap().to_owned()
    };
    let select = json!({ "id": 1, "name": "a", "type": "select", "choice_set": "nonsense" });
    assert_eq!(refused(select).await, "Choice set 'nonsense' not found in DB.");
    let core = json!({ "id": 1, "name": "a", "type": "object", "related_object_type": "ipam/nonsense" });
    assert_eq!(refused(core).await, "ObjectType 'ipam/nonsense' not found in DB.");
    let custom = json!({ "id": 1, "name": "a", "type": "object", "related_object_type": "custom-objects/nonsense" });
    let told = refused(custom).await;
    assert!(told.starts_with("Custom Object Type with slug 'nonsense' not found in DB."), "{told}");
    target.get(&target.list()).await.expect(404);
}

pub(crate) async fn a_new_field_gives_old_rows_its_default(target: &Target) {
    target.applied(json!([text(1, "a")])).await;
    let id = target.made(&target.list(), json!({ "a": "x" })).await;
    let with_default = json!({ "id": 3, "name": "c", "type": "text", "default": "d" });
    let diff = target.applied(json!([text(1, "a"), text(2, "b"), with_default])).await;
    assert_eq!(diff["field_changes"].as_array().unwrap().len(), 2);
    let row = target.get(&format!("{}{id}/?fields=a,b,c", target.list())).await.expect(200);
    assert_eq!(row, json!({ "a": "x", "b": null, "c": "d" }));
}

pub(crate) async fn a_renamed_field_keeps_its_values(target: &Target) {
    target.applied(json!([text(1, "a")])).await;
    let id = target.made(&target.list(), json!({ "a": "x" })).await;
    let renamed = json!({ "id": 1, "name": "b", "type": "longtext", "label": "Bee" });
    let diff = target.applied(json!([renamed])).await;
    let changed = json!({ "name": ["a", "b"], "type": ["text", "longtext"], "label": ["", "Bee"] });
    let expected =
        json!([{ "op": "alter", "schema_id": 1, "db_name": "a", "schema_def": renamed, "changed_attrs": changed }]);
    assert_eq!(diff["field_changes"], expected);
    assert_eq!(target.get(&format!("{}{id}/?fields=a,b", target.list())).await.expect(200), json!({ "b": "x" }));
}

pub(crate) async fn a_field_is_dropped_only_when_allowed(target: &Target) {
    target.applied(json!([text(1, "a"), text(2, "b")])).await;
    let id = target.made(&target.list(), json!({ "a": "x", "b": "y" })).await;
    let document = target.document(json!([text(1, "a")]), json!({ "removed_fields": [text(2, "b")] }));
    let told = target.apply(document.clone()).await.expect(409);
    assert_eq!((&told["error"], &told["destructive_slugs"]), (&json!("destructive_changes"), &json!([target.slug()])));
    let body = json!({ "schema": document, "allow_destructive": true });
    let applied = target.post(APPLY, body).await.expect(200);
    assert_eq!(applied["diffs"][0]["has_destructive_changes"], true);
    let change = json!({ "op": "remove", "schema_id": 2, "db_name": "b", "schema_def": text(2, "b") });
    assert_eq!(applied["diffs"][0]["field_changes"], json!([change]));
    assert_eq!(target.get(&format!("{}{id}/?fields=a,b", target.list())).await.expect(200), json!({ "a": "x" }));
}

pub(crate) async fn a_field_left_out_is_warned_about_and_kept(target: &Target) {
    target.applied(json!([text(1, "a"), text(2, "b")])).await;
    let diff = target.applied(json!([text(1, "a")])).await;
    assert_eq!(diff["has_changes"], false);
    let warning = diff["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("Field 'b' (schema_id=2) exists in the DB but is absent"), "{warning}");
    let row = target.post(&target.list(), json!({ "b": "y" })).await.expect(201);
    assert_eq!(row["b"], "y");
}

pub(crate) async fn a_field_cannot_become_unique_over_duplicates(target: &Target) {
    target.applied(json!([text(1, "a")])).await;
    target.post(&target.list(), json!([{ "a": "x" }, { "a": "x" }])).await.expect(201);
    let unique = json!({ "id": 1, "name": "a", "type": "text", "unique": true });
    let document = target.document(json!([unique, text(2, "b")]), json!({}));
    assert_eq!(target.apply(document.clone()).await.expect(500)["exception"], "IntegrityError");
    let diff = target.post(PREVIEW, document).await.expect(200)["diffs"][0].clone();
    assert_eq!(diff["field_changes"].as_array().unwrap().len(), 2, "nothing of it was applied");
}

pub(crate) async fn a_new_required_field_blocks_updates_of_old_rows(target: &Target) {
    target.applied(json!([text(1, "a")])).await;
    let path = format!("{}{}/", target.list(), target.made(&target.list(), json!({ "a": "x" })).await);
    let required = json!({ "id": 2, "name": "b", "type": "text", "required": true });
    target.applied(json!([text(1, "a"), required])).await;
    let errors = target.patch(&path, json!({ "a": "y" })).await.expect(400);
    assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), ["b"]);
    target.patch(&path, json!({ "a": "y", "b": "z" })).await.expect(200);
}

pub(crate) async fn values_are_cast_to_a_new_type_or_it_is_refused(target: &Target) {
    target.applied(json!([text(1, "a")])).await;
    let rows = target.post(&target.list(), json!([{ "a": "5" }, { "a": "x" }])).await.expect(201);
    let document = target.document(json!([{ "id": 1, "name": "a", "type": "integer" }]), json!({}));
    assert_eq!(target.apply(document.clone()).await.expect(500)["exception"], "DataError");
    let path = format!("{}{}/", target.list(), rows[1]["id"]);
    target.patch(&path, json!({ "a": "7" })).await.expect(200);
    target.apply(document).await.expect(200);
    assert_eq!(target.get(&target.list()).await.column("a"), [5, 7]);
}

pub(crate) async fn types_tell_what_event_rules_call_them(target: &Target) {
    let document = target.document(json!([text(1, "a")]), json!({ "verbose_name": "Case", "version": "1.0.0" }));
    target.apply(document).await.expect(200);
    let path = format!("{PLUGIN}custom-object-types/?slug={}", target.slug());
    let found = target.get(&path).await.expect(200)["results"][0].clone();
    assert_eq!((&found["verbose_name"], &found["version"]), (&json!("Case"), &json!("1.0.0")));
    assert_eq!(found["object_type_name"], format!("netbox_custom_objects.table{}model", found["id"]));
}

pub(crate) async fn a_type_can_be_saved_as_it_is(target: &Target) {
    target.share().await;
    let types = "/api/plugins/custom-objects/custom-object-types/";
    let id = target.get(&format!("{types}?slug=contract-note&fields=id,slug")).await.column("id").remove(0);
    assert_eq!(target.patch(&format!("{types}{id}/"), json!({})).await.expect(200)["slug"], "contract-note");
}
