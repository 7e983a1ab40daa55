//! One custom object at a time.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Target,
    things::{NOTES, THINGS},
};

pub(crate) async fn an_object_is_answered_with_all_its_fields(target: &Target) {
    let thing = target.post(THINGS, target.draft("a", json!({}))).await.expect(201);
    let keys: Vec<&String> = thing.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "aggregate",
            "aggregates",
            "created",
            "day",
            "display",
            "doc",
            "flag",
            "id",
            "key",
            "last_updated",
            "loose",
            "moment",
            "note",
            "number",
            "owner",
            "parent",
            "run",
            "state",
            "states",
            "tags",
            "url"
        ]
    );
    assert_eq!(thing["display"], target.key("a"));
    assert_eq!(thing["url"], format!("{}{THINGS}{}/", target.url, thing["id"]));
    assert_eq!(target.get(&format!("{THINGS}{}/", thing["id"])).await.expect(200), thing);
}

pub(crate) async fn what_is_not_sent_is_null_or_its_default(target: &Target) {
    let thing = target.post(THINGS, target.draft("a", json!({}))).await.expect(201);
    assert_eq!(thing["state"], json!({ "value": "good", "label": "Good" }));
    assert_eq!((&thing["flag"], &thing["aggregates"]), (&json!(false), &json!([])));
    for field in ["states", "aggregate", "parent", "number", "day", "moment", "doc", "note", "loose", "owner"] {
        assert_eq!(thing[field], Value::Null, "{field}");
    }
}

pub(crate) async fn values_are_brought_into_one_form(target: &Target) {
    let sent = json!({
        "loose": "  Ünïcode 中文 😀  ", "note": " one\ntwo ", "number": 7, "flag": true, "day": "2020-01-02",
        "moment": "2020-01-02T03:04:05+01:00", "doc": { "b": [1, null], "a": { "x": "y" } }, "states": ["bad", "good"],
    });
    let thing = target.post(THINGS, target.draft("a", sent)).await.expect(201);
    assert_eq!((&thing["loose"], &thing["note"]), (&json!("Ünïcode 中文 😀"), &json!("one\ntwo")));
    assert_eq!((&thing["number"], &thing["flag"], &thing["day"]), (&json!(7), &json!(true), &json!("2020-01-02")));
    assert_eq!(thing["doc"], json!({ "a": { "x": "y" }, "b": [1, null] }));
    assert_eq!(thing["states"], json!([{ "value": "bad", "label": "Bad" }, { "value": "good", "label": "Good" }]));
    let path = format!("{THINGS}{}/?", thing["id"]);
    let mut forms = vec![(json!("2020-01-02T03:04:05+01:00"), thing["moment"].clone())];
    for form in ["2020-01-02T03:04:05.123456789Z", "2020-01-02T03:04:05.1Z"] {
        let thing = target.patch(&path, json!({ "moment": form })).await.expect(200);
        forms.push((json!(form), thing["moment"].clone()));
    }
    let answered: Vec<&str> = forms.iter().map(|(_, answered)| answered.as_str().unwrap()).collect();
    assert_eq!(answered, ["2020-01-02T02:04:05Z", "2020-01-02T03:04:05.123456Z", "2020-01-02T03:04:05.100000Z",]);
}

pub(crate) async fn links_are_taken_as_ids_and_answered_nested(target: &Target) {
    let rir = target.rir().await;
    let (aggregate, parent) = (target.aggregate(rir).await, target.thing("p", json!({})).await);
    let sent = json!({ "aggregate": aggregate, "aggregates": [aggregate], "parent": parent });
    let thing = target.post(THINGS, target.draft("a", sent)).await.expect(201);
    for nested in [&thing["aggregate"], &thing["aggregates"][0]] {
        let url = format!("{}/api/ipam/aggregates/{aggregate}/", target.url);
        assert_eq!((&nested["id"], &nested["url"]), (&json!(aggregate), &json!(url)));
    }
    let url = format!("{}{THINGS}{parent}/", target.url);
    assert_eq!(thing["parent"], json!({ "id": parent, "url": url, "display": target.key("p") }));
}

pub(crate) async fn links_that_lead_nowhere_are_refused(target: &Target) {
    let sent = json!({ "aggregate": 99999999, "aggregates": [99999999], "parent": "abc" });
    let errors = target.post(THINGS, target.draft("a", sent)).await.expect(400);
    let told = "Related object not found using the provided numeric ID: 99999999";
    assert_eq!((&errors["aggregate"], &errors["aggregates"]), (&json!([told]), &json!([told])));
    let told = errors["parent"][0].as_str().unwrap();
    assert!(told.ends_with("Received an unrecognized value: abc"), "{told}");
}

pub(crate) async fn a_list_of_links_is_replaced_and_emptied(target: &Target) {
    let rir = target.rir().await;
    let (one, other) = (target.aggregate(rir).await, target.aggregate(rir).await);
    let id = target.thing("a", json!({ "aggregates": [one, other] })).await;
    let path = format!("{THINGS}{id}/");
    let now = |sent: Value| {
        let path = &path;
        async move {
            let thing = target.patch(path, json!({ "aggregates": sent })).await.expect(200);
            thing["aggregates"].as_array().unwrap().iter().map(|link| link["id"].clone()).collect::<Vec<_>>()
        }
    };
    assert_eq!(now(json!([other])).await, [other]);
    assert_eq!(now(Value::Null).await, Vec::<Value>::new());
    let errors = target.patch(&path, json!({ "aggregates": { "add": [one] } })).await.expect(400);
    assert_eq!(errors, json!({ "aggregates": { "__all__": ["Expected a list of items but got type \"dict\"."] } }));
}

pub(crate) async fn fields_that_do_not_exist_are_ignored(target: &Target) {
    let thing =
        target.post(THINGS, target.draft("a", json!({ "nonsense": 1, "id": 5, "created": "x" }))).await.expect(201);
    assert_eq!(thing.get("nonsense"), None);
}

pub(crate) async fn values_that_do_not_fit_are_refused_by_field(target: &Target) {
    let sent = json!({
        "state": "odd", "states": ["good", "odd"], "number": 10, "flag": "maybe", "day": "2020-01-02T00:00:00",
        "moment": "soon", "loose": true,
    });
    let errors = target.post(THINGS, target.draft("a", sent)).await.expect(400);
    let moment =
        "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";
    let expected = json!({
        "state": ["odd is not a valid choice."],
        "states": { "1": ["odd is not a valid choice."] },
        "number": ["Ensure this value is less than or equal to 9."],
        "flag": ["Must be a valid boolean."],
        "day": ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."],
        "moment": [moment],
        "loose": ["Not a valid string."],
    });
    assert_eq!(errors, expected);
    let sent = json!({ "states": "good", "number": 1.5 });
    let errors = target.post(THINGS, target.draft("a", sent)).await.expect(400);
    let expected = json!({
        "states": ["Expected a list of items but got type \"str\"."],
        "number": ["A valid integer is required."],
    });
    assert_eq!(errors, expected);
}

pub(crate) async fn a_required_field_has_to_be_sent_and_to_hold_something(target: &Target) {
    let refused = |sent: Value| async move { target.post(NOTES, sent).await.expect(400) };
    assert_eq!(refused(json!({})).await, json!({ "key": ["This field is required."] }));
    assert_eq!(refused(json!({ "key": " " })).await, json!({ "key": ["This field may not be blank."] }));
}

pub(crate) async fn null_empties_all_but_required_fields(target: &Target) {
    let sent = json!({
        "state": "bad", "states": ["bad"], "number": 1, "flag": true, "day": "2020-01-02", "doc": 1, "loose": "x",
    });
    let path = format!("{THINGS}{}/", target.thing("a", sent).await);
    let fields = ["state", "states", "number", "flag", "day", "moment", "doc", "note", "loose", "parent"];
    let nulls: Value = fields.into_iter().map(|name| (name.to_owned(), Value::Null)).collect();
    let thing = target.patch(&path, nulls).await.expect(200);
    for field in fields {
        assert_eq!(thing[field], Value::Null, "{field}");
    }
    let thing = target.patch(&path, json!({ "loose": "", "states": [] })).await.expect(200);
    assert_eq!((&thing["loose"], &thing["states"]), (&json!(""), &json!([])), "empty is not null");
    assert_eq!(
        target.patch(&path, json!({ "key": null })).await.expect(400),
        json!({ "key": ["This field may not be null."] })
    );
}

pub(crate) async fn a_duplicate_key_is_a_500(target: &Target) {
    target.note("a", json!({})).await;
    let path = format!("{NOTES}{}/", target.note("b", json!({})).await);
    let answers = [
        target.post(NOTES, target.draft("a", json!({}))).await,
        target.patch(&path, target.draft("a", json!({}))).await,
    ];
    for answer in answers {
        let body = answer.expect(500);
        assert_eq!(body["exception"], "IntegrityError");
        let told = format!("Key (key)=({}) already exists.", target.key("a"));
        assert!(body["error"].as_str().unwrap().ends_with(&told), "{body}");
    }
}

pub(crate) async fn a_null_character_is_refused_in_text_and_breaks_json(target: &Target) {
    let errors = target.post(THINGS, target.draft("a", json!({ "note": "a\u{0}b" }))).await.expect(400);
    assert_eq!(errors, json!({ "note": ["Null characters are not allowed."] }));
    let body = target.post(THINGS, target.draft("a", json!({ "doc": { "x": "a\u{0}b" } }))).await.expect(500);
    assert_eq!(body["exception"], "DataError");
}

pub(crate) async fn there_is_no_limit_to_text(target: &Target) {
    let text = "x".repeat(5000);
    let thing = target.post(THINGS, target.draft("a", json!({ "loose": text, "note": text }))).await.expect(201);
    assert_eq!((&thing["loose"], &thing["note"]), (&json!(text), &json!(text)));
}

pub(crate) async fn what_is_not_there_is_404(target: &Target) {
    let told = target.get("/api/plugins/custom-objects/nonsense/").await.expect(404);
    assert_eq!(told, json!({ "detail": "Not found." }));
    let path = format!("{THINGS}99999999/");
    for method in [Method::GET, Method::PATCH, Method::DELETE] {
        let body = (method != Method::GET).then(|| json!({}));
        target.send(method, &path, body, &[]).await.expect(404);
    }
}

pub(crate) async fn a_patch_that_changes_nothing_is_not_logged(target: &Target) {
    let id = target.note("a", json!({ "loose": "x" })).await;
    let path = format!("{NOTES}{id}/");
    let before = target.get(&path).await.expect(200);
    let after = target.patch(&path, json!({ "loose": "x" })).await.expect(200);
    assert_ne!(after["last_updated"], before["last_updated"], "it counts as updated all the same");
    assert_eq!(target.changes(NOTES, id).await.len(), 1);
}

pub(crate) async fn the_message_of_a_change_is_kept(target: &Target) {
    let id = target.note("a", json!({ "changelog_message": "one" })).await;
    let path = format!("{NOTES}{id}/");
    target.patch(&path, json!({ "loose": "x", "changelog_message": "two" })).await.expect(200);
    target.delete(&path, Some(json!({ "changelog_message": "three" }))).await.expect(204);
    let expected = [("create", "one"), ("update", "two"), ("delete", "three")];
    assert_eq!(
        target.changes(NOTES, id).await,
        expected.map(|(action, message)| (action.to_owned(), message.to_owned()))
    );
}

pub(crate) async fn options_name_the_fields_of_a_new_one(target: &Target) {
    target.share().await;
    let answer = target.send(Method::OPTIONS, THINGS, None, &[]).await.expect(200);
    let fields = answer["actions"]["POST"].as_object().unwrap();
    for field in
        ["key", "run", "note", "number", "flag", "day", "moment", "doc", "state", "states", "aggregates", "parent"]
    {
        assert!(fields.contains_key(field), "{field}");
    }
    assert!(!fields.contains_key("no_such_field"));
    let reader = format!("Bearer {}", target.tokens.reader);
    let answer = target.send(Method::OPTIONS, THINGS, None, &[("authorization", &reader)]).await;
    assert_eq!(answer.body.pointer("/actions/POST"), None);
}

pub(crate) async fn an_object_has_an_etag_that_its_last_change_tells(target: &Target) {
    let made = target.post(NOTES, target.draft("a", json!({}))).await;
    let etag_of = |note: &Value| format!("W/\"{}\"", note["last_updated"].as_str().unwrap().replace('Z', "+00:00"));
    assert_eq!(made.header("etag"), etag_of(&made.body));
    let path = format!("{NOTES}{}/", made.body["id"]);
    let read = target.get(&path).await;
    assert_eq!(read.header("etag"), made.header("etag"));
    let listed = target.get(&format!("{NOTES}?id={}&fields=id,last_updated", made.body["id"])).await.expect(200);
    assert_eq!(etag_of(&listed["results"][0]), made.header("etag"));
    let changed = target.patch(&path, json!({ "run": format!("{}x", target.run) })).await;
    assert_eq!(changed.header("etag"), etag_of(&changed.body));
    assert_ne!(changed.header("etag"), made.header("etag"));
}

pub(crate) async fn a_change_on_the_condition_of_an_etag_is_made_once(target: &Target) {
    let made = target.post(NOTES, target.draft("a", json!({}))).await;
    let (path, etag) = (format!("{NOTES}{}/", made.body["id"]), made.header("etag").to_owned());
    let patch = async |text: &str, etag: &str| {
        let body = json!({ "run": format!("{}{text}", target.run) });
        target.send(Method::PATCH, &path, Some(body), &[("if-match", etag)]).await
    };
    let second = patch("x", &etag).await;
    assert_eq!(second.status, 200);
    let stale = patch("y", &etag).await;
    assert_eq!((stale.status.as_u16(), stale.header("etag")), (412, second.header("etag")));
    assert_eq!(target.get(&path).await.expect(200)["run"], json!(format!("{}x", target.run)));
    assert_eq!(target.send(Method::DELETE, &path, Some(json!({})), &[("if-match", &etag)]).await.status, 412);
}
