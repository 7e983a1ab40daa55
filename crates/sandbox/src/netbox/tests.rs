//! Faults, counters and seeding, which no real NetBox has. The contract suite under `tests/` covers the rest.

use std::{
    ops::Deref,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{Fault, Options, Rule, Server, TOKEN};

const LIST: &str = "/api/plugins/custom-objects/thing/";
/// Long enough for an answer on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A server, and a client to ask it with.
struct Asked {
    server: Server,
    client: reqwest::Client,
}

impl Deref for Asked {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

async fn server(options: Options) -> Asked {
    let server = Asked { server: Server::start(options).await.unwrap(), client: crate::http_client() };
    let key = json!({ "id": 1, "name": "key", "type": "text", "unique": true, "required": true });
    let link = json!({ "id": 2, "name": "net", "type": "object", "related_object_type": "ipam/aggregate" });
    let types = json!([{ "name": "thing", "slug": "thing", "fields": [key, link] }]);
    let body = json!({ "schema": { "schema_version": "1", "types": types } });
    assert_eq!(send(&server, "POST", "/api/plugins/custom-objects/schema/apply/", body).await.unwrap().0, 200);
    server.forget_requests();
    server
}

/// Status and body; `None` when no answer comes within a moment.
async fn send(server: &Asked, method: &str, path: &str, body: Value) -> Option<(u16, Value)> {
    let request = server
        .client
        .request(method.parse().unwrap(), format!("{}{path}", server.url()))
        .header("authorization", format!("Bearer {TOKEN}"))
        .timeout(TIMEOUT)
        .body(if body.is_null() { String::new() } else { body.to_string() });
    let response = request.send().await.ok()?;
    let status = response.status().as_u16();
    Some((status, serde_json::from_slice(&response.bytes().await.ok()?).unwrap_or(Value::Null)))
}

async fn post(server: &Asked, body: Value) -> Option<(u16, Value)> {
    send(server, "POST", LIST, body).await
}

async fn keys(server: &Asked) -> Vec<Value> {
    let (_, page) = send(server, "GET", LIST, Value::Null).await.unwrap();
    page["results"].as_array().unwrap().iter().map(|row| row["key"].clone()).collect()
}

#[tokio::test]
async fn an_answer_that_is_lost_was_carried_out() {
    let server = server(Options::default()).await;
    server.fail(Rule::new(Fault::LoseAnswer).method("POST").path("/thing/").times(1));
    assert_eq!(post(&server, json!([{ "key": "a" }, { "key": "b" }])).await, None);
    assert_eq!(keys(&server).await, ["a", "b"]);
    assert_eq!(post(&server, json!({ "key": "c" })).await.unwrap().0, 201);
}

#[tokio::test]
async fn a_request_that_hangs_is_not_carried_out() {
    let server = server(Options::default()).await;
    server.fail(Rule::new(Fault::Hang).times(1));
    assert_eq!(post(&server, json!({ "key": "a" })).await, None);
    assert_eq!(keys(&server).await, [""; 0]);
    server.server.stop().await;
}

#[tokio::test]
async fn a_status_strikes_so_often() {
    let server = server(Options::default()).await;
    server.fail(Rule::new(Fault::Status(503)).path(LIST).times(2));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(send(&server, "GET", LIST, Value::Null).await.unwrap().0);
    }
    assert_eq!(statuses, [503, 503, 200, 200]);
}

#[tokio::test]
async fn a_row_can_be_refused_alone_and_takes_its_batch_with_it() {
    let server = server(Options::default()).await;
    server.fail(Rule::new(Fault::RefuseRow { field: "key".to_owned(), value: "bad".to_owned() }));
    let (status, body) = post(&server, json!([{ "key": "good" }, { "key": "bad" }])).await.unwrap();
    let errors = json!([{ "index": 1, "errors": { "key": ["This value is refused."] } }]);
    assert_eq!((status, &body["errors"]), (400, &errors));
    assert_eq!(post(&server, json!({ "key": "good" })).await.unwrap().0, 201);
    server.heal();
    assert_eq!(post(&server, json!({ "key": "bad" })).await.unwrap().0, 201);
}

#[tokio::test]
async fn an_old_plugin_takes_single_objects_only() {
    let server = server(Options { bulk: false, ..Options::default() }).await;
    for method in ["POST", "PATCH", "DELETE"] {
        assert_eq!(send(&server, method, LIST, json!([{ "id": 1, "key": "a" }])).await.unwrap().0, 405);
    }
    assert_eq!(post(&server, json!({ "key": "a" })).await.unwrap().0, 201);
}

#[tokio::test]
async fn answers_are_held_back() {
    let server = server(Options::default()).await;
    server.configure(|options| options.latency = Duration::from_millis(50));
    let started = Instant::now();
    send(&server, "GET", LIST, Value::Null).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn requests_are_counted_with_their_rows() {
    let server = server(Options::default()).await;
    post(&server, json!([{ "key": "a" }, { "key": "b" }])).await.unwrap();
    send(&server, "GET", &format!("{LIST}?key=a"), Value::Null).await.unwrap();
    let requests = server.requests();
    assert_eq!((requests.total(), requests.writes(), requests.rows("POST", "/thing/")), (2, 1, 2));
}

#[tokio::test]
async fn ten_thousand_rows_are_written_in_batches_and_listed_in_pages_of_a_thousand() {
    let server = server(Options::default()).await;
    for batch in 0..100 {
        let rows: Vec<Value> = (0..100).map(|row| json!({ "key": format!("{batch}:{row}") })).collect();
        assert_eq!(post(&server, rows.into()).await.unwrap().0, 201);
    }
    let mut found = 0;
    for page in 0..10 {
        let path = format!("{LIST}?fields=id,key&limit=5000&offset={}", page * 1000);
        found += send(&server, "GET", &path, Value::Null).await.unwrap().1["results"].as_array().unwrap().len();
    }
    assert_eq!(found, 10_000);
}

#[tokio::test]
async fn a_rule_by_chance_strikes_its_share_and_leaves_the_rest_to_others() {
    let server = server(Options::default()).await;
    server.fail(Rule::new(Fault::Status(503)).by_chance(0.2, 1));
    server.fail(Rule::new(Fault::Status(502)).by_chance(0.5, 2));
    let mut met = std::collections::BTreeMap::<u16, u32>::new();
    for _ in 0..200 {
        *met.entry(send(&server, "GET", LIST, Value::Null).await.unwrap().0).or_default() += 1;
    }
    assert!((25..=55).contains(&met[&503]) && (60..=100).contains(&met[&502]), "{met:?}");
    assert_eq!((server.take_count(), server.take_count()), (200, 0));
}

#[tokio::test]
async fn changes_and_objects_are_dated_and_old_changes_forgotten() {
    let server = server(Options::default()).await;
    for key in ["a", "b"] {
        assert_eq!(post(&server, json!({ "key": key })).await.unwrap().0, 201);
    }
    let (patch, deleted) = (format!("{LIST}1/"), format!("{LIST}2/"));
    assert_eq!(send(&server, "PATCH", &patch, json!({ "key": "c" })).await.unwrap().0, 200);
    assert_eq!(send(&server, "DELETE", &deleted, Value::Null).await.unwrap().0, 204);
    let times = ["2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-02-01T00:00:00Z"];
    let [first, last, between] = times.map(|time| time.parse().unwrap());
    let (_, types) =
        send(&server, "GET", "/api/plugins/custom-objects/custom-object-types/", Value::Null).await.unwrap();
    let object_type = types["results"][0]["object_type_name"].as_str().unwrap().to_owned();
    server.date_changes(&object_type, 1, &[first, last]);
    server.date_changes(&object_type, 2, &[between]);
    server.date_object("plugins/custom-objects/thing", 1, first, last);
    let logged = async |what: &str| {
        let path = format!("/api/core/object-changes/?ordering=id&changed_object_type={object_type}");
        let (_, page) = send(&server, "GET", &path, Value::Null).await.unwrap();
        page["results"].as_array().unwrap().iter().map(|row| row[what].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(logged("time").await[..3], [times[0], times[2], times[1]]);
    let (_, row) = send(&server, "GET", &patch, Value::Null).await.unwrap();
    assert_eq!((&row["created"], &row["last_updated"], &row["key"]), (&json!(times[0]), &json!(times[1]), &json!("c")));
    server.forget_changes(between);
    assert_eq!(logged("time").await[..2], [times[2], times[1]]);
}
