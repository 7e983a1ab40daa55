//! Our types on a real NetBox: made, migrated, and left alone.

use reqwest::Method;
use rir_sidecar::netbox::{
    Client, Draft, ErrorKind, objects_path,
    schema::{self, Document},
};
use serde_json::{Value, json};

use super::netbox::{alone, bootstrapped, client, rest, row, unique};

const TYPES: &str = "/api/plugins/custom-objects/custom-object-types/";
const FIELDS: &str = "/api/plugins/custom-objects/custom-object-type-fields/";
const CHOICES: &str = "/api/extras/custom-field-choice-sets/";

/// A type of a test's own, at several versions.
struct Thing {
    word: String,
}

impl Thing {
    fn new() -> Self {
        Self { word: unique() }
    }

    fn document(&self, version: &str, choices: &str, fields: &str, removed: &str) -> Document {
        let word = &self.word;
        let text = format!(
            r#"
            version = "{version}"
            group = "Lab"
            [[choice_set]]
            name = "{word}"
            description = "Lab"
            choices = [{choices}]
            [[type]]
            slug = "{word}"
            name = "{word}"
            singular = "Thing"
            plural = "Things"
            about = "Lab"
            fields = [
                {{ id = 999, name = "key", type = "text", hidden = true, required = true, unique = true, exact = true }},
                {{ id = 2, name = "state", type = "select", of = "{word}" }},
                {fields}
            ]
            removed = [{removed}]
            [[link]]
            name = "{word}"
            type = "{word}"
            text = "View"
            url = "https://example.com/{{{{ object.key }}}}"
            "#
        );
        Document::parse(&text).unwrap()
    }

    fn first(&self) -> Document {
        let choices = r#"{ value = "on", label = "On", color = "green" }"#;
        self.document("1.0.0", choices, r#"{ id = 3, name = "note", type = "text" }"#, "")
    }

    fn second(&self) -> Document {
        let choices = r#"{ value = "on", label = "On" }, { value = "off", label = "Off", color = "red" }"#;
        let fields = r#"{ id = 4, name = "size", type = "integer", minimum = 1 },
            { id = 3, name = "note", type = "text", label = "Remark", group = "More" }"#;
        self.document("1.1.0", choices, fields, "")
    }

    fn third(&self) -> Document {
        let choices = r#"{ value = "on", label = "On" }"#;
        self.document(
            "2.0.0",
            choices,
            "",
            r#"{ id = 3, name = "note", type = "text" }, { id = 4, name = "size", type = "integer" }"#,
        )
    }

    async fn apply(&self, client: &Client, document: &Document) -> String {
        let plan = schema::plan(client, document).await.unwrap();
        let shown = plan.to_string().replace(&self.word, "THING");
        schema::apply(client, &plan, false).await.unwrap();
        shown
    }

    async fn with_a_row(&self, client: &Client) {
        self.apply(client, &self.first()).await;
        let body = row(json!({"key": "a", "state": "on", "note": "precious"}));
        let result = client.writer(&self.word, "lab").create(vec![Draft { key: "a".to_owned(), body }]).await;
        result[0].as_ref().unwrap();
    }

    async fn row(&self, client: &Client) -> rir_sidecar::netbox::Row {
        client.list(&objects_path(&self.word), &[]).await.unwrap().remove(0)
    }

    async fn remove(&self, client: &Client) {
        for (path, query) in [(TYPES, "slug"), ("/api/extras/custom-links/", "name"), (CHOICES, "name")] {
            for row in client.list(path, &[(query, &self.word)]).await.unwrap() {
                assert_eq!(row.get(query), Some(&json!(self.word)));
                rest(Method::DELETE, &format!("{path}{}/", row["id"]), None).await;
            }
        }
    }
}

#[tokio::test]
async fn all_is_there_after_bootstrap_and_a_second_one_has_nothing_to_do() {
    let client = bootstrapped().await;
    let _alone = alone();
    let plan = schema::plan(&client, Document::current()).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(plan.to_string(), "nothing to do");
}

#[tokio::test]
async fn this_netbox_has_what_is_required() {
    assert_eq!(schema::requirements(&client()).await.unwrap(), []);
}

#[tokio::test]
async fn a_newer_document_migrates_an_older_one_without_losing_a_row() {
    let (client, thing, _alone) = (client(), Thing::new(), alone());
    thing.with_a_row(&client).await;
    insta::assert_snapshot!(thing.apply(&client, &thing.second()).await, @r#"
    ~ choice set "THING": + off
    ~ type THING
        ~ version: "1.0.0" -> "1.1.0"
        + size (integer)
        ~ note: group_name (none) -> "More", label (none) -> "Remark", weight 120 -> 130
    "#);
    let row = thing.row(&client).await;
    assert_eq!((row.get("note"), row.get("size")), (Some(&json!("precious")), Some(&Value::Null)));
    assert!(schema::plan(&client, &thing.second()).await.unwrap().is_empty());
    thing.remove(&client).await;
}

#[tokio::test]
async fn what_an_operator_added_survives() {
    let (client, thing, _alone) = (client(), Thing::new(), alone());
    thing.with_a_row(&client).await;
    let id = client.list(TYPES, &[("slug", &thing.word)]).await.unwrap()[0]["id"].clone();
    rest(Method::POST, FIELDS, Some(json!({"custom_object_type": id, "name": "theirs", "type": "text"}))).await;
    let set = &client.list(CHOICES, &[("name", &thing.word)]).await.unwrap()[0];
    let choices = json!({"extra_choices": [["mine", "Mine"], ["on", "Switched on"]]});
    rest(Method::PATCH, &format!("{CHOICES}{}/", set["id"]), Some(choices)).await;
    let row = thing.row(&client).await;
    let path = format!("{}{}/", objects_path(&thing.word), row["id"]);
    rest(Method::PATCH, &path, Some(json!({"theirs": "kept", "state": "mine"}))).await;

    let plan = schema::plan(&client, &thing.second()).await.unwrap();
    assert!(plan.destructive().is_empty());
    schema::apply(&client, &plan, false).await.unwrap();

    let row = thing.row(&client).await;
    assert_eq!((&row["theirs"], &row["state"]["value"]), (&json!("kept"), &json!("mine")));
    let set = &client.list(CHOICES, &[("name", &thing.word)]).await.unwrap()[0];
    assert_eq!(set["extra_choices"], json!([["mine", "Mine"], ["on", "Switched on"], ["off", "Off"]]));
    thing.remove(&client).await;
}

#[tokio::test]
async fn fields_are_removed_only_when_that_is_allowed() {
    let (client, thing, _alone) = (client(), Thing::new(), alone());
    thing.with_a_row(&client).await;
    let plan = schema::plan(&client, &thing.third()).await.unwrap();
    let error = schema::apply(&client, &plan, false).await.unwrap_err();
    let ErrorKind::Destructive(changes) = error.kind else { panic!("{error}") };
    assert_eq!(changes.to_string().replace(&thing.word, "THING"), "THING: - note (text), with what it holds");
    assert_eq!(thing.row(&client).await["note"], json!("precious"));

    schema::apply(&client, &plan, true).await.unwrap();
    assert_eq!(thing.row(&client).await.get("note"), None);
    assert!(schema::plan(&client, &thing.third()).await.unwrap().is_empty());
    thing.remove(&client).await;
}
