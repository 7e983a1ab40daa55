//! `GET /findings`

use rir_sandbox::netbox::{Action, Grant};
use rir_sidecar::netbox::schema;
use serde_json::{Value, json};

use super::Service;
use crate::scene::custom;

const FINDINGS: &str = "/api/v1/findings";

fn ids(told: &Value) -> Vec<u64> {
    told["findings"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

/// A finding of a config: `level kind subject due`.
fn finding(config: u64, words: &str) -> Value {
    let [level, kind, subject, due] = words.split(' ').collect::<Vec<_>>()[..] else { panic!("{words}") };
    json!({
        "key": format!("{config}:{words}"), "config": config, "level": level, "kind": kind, "subject": subject,
        "due": if due == "-" { Value::Null } else { json!(due) }, "state": "open", "message": "It differs.",
    })
}

/// Records findings, and returns their ids.
async fn record(service: &Service, findings: Vec<Value>) -> Vec<u64> {
    service.scene.add(&custom(schema::FINDING), Value::Array(findings)).await
}

/// Findings of a config, and their ids in the order in which people read them.
async fn some(service: &Service, config: u64) -> Vec<u64> {
    let words = [
        "notice stale 23.144.10.0/24 -",
        "notice stale 23.144.9.0/24 -",
        "info not-known ours -",
        "alert overdue 23.144.2.0/24 2026-11-20",
        "notice unregistered 2600:4000::/44 2026-12-01",
        "alert overdue 23.144.1.0/24 2026-11-20",
        "alert overdue 23.144.3.0/24 2026-11-02",
    ];
    let made = record(service, words.map(|words| finding(config, words)).to_vec()).await;
    [6, 5, 3, 4, 1, 0, 2].map(|place| made[place]).to_vec()
}

#[tokio::test]
async fn findings_come_in_pages_as_people_read_them() {
    let service = Service::new().await;
    let expected = some(&service, service.scene.config.0).await;
    let (mut seen, mut path) = (Vec::new(), format!("{FINDINGS}?limit=3"));
    loop {
        let page = service.get(&service.bob, &path).await.expect(200);
        assert!(ids(&page).len() <= 3);
        seen.extend(ids(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("{FINDINGS}?limit=3&cursor={cursor}");
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_finding_that_is_resolved_between_two_pages_moves_no_other() {
    let service = Service::new().await;
    let expected = some(&service, service.scene.config.0).await;
    let page = service.get(&service.bob, &format!("{FINDINGS}?limit=3")).await.expect(200);
    for id in &expected[1..3] {
        service.scene.edit(&custom(schema::FINDING), *id, json!({ "state": "resolved" })).await;
    }
    let cursor = page["next_cursor"].as_str().unwrap();
    let page = service.get(&service.bob, &format!("{FINDINGS}?limit=9&cursor={cursor}")).await.expect(200);
    assert_eq!(ids(&page), expected[3..]);
}

#[tokio::test]
async fn findings_are_filtered() {
    let service = Service::new().await;
    let config = service.scene.config.0;
    let made = some(&service, config).await;
    let (resolved, ignored) = (made[1], made[2]);
    service.scene.edit(&custom(schema::FINDING), resolved, json!({ "state": "resolved" })).await;
    service.scene.edit(&custom(schema::FINDING), ignored, json!({ "ignore": true })).await;
    let some = async |query: &str| ids(&service.get(&service.bob, &format!("{FINDINGS}?{query}")).await.expect(200));
    let without = |left_out: &[u64]| made.iter().filter(|id| !left_out.contains(id)).copied().collect::<Vec<_>>();
    assert_eq!(some("").await, without(&[resolved]), "the open ones");
    assert_eq!(some("state=any").await, made);
    assert_eq!(some("state=resolved").await, [resolved]);
    assert_eq!(some("ignored=false").await, without(&[resolved, ignored]));
    assert_eq!(some("ignored=true&state=any").await, [ignored]);
    assert_eq!(some("kind=stale").await, made[4..6]);
    assert_eq!(some("level=alert").await, [made[0], ignored]);
    assert_eq!(some("level=alert&kind=stale").await, [0; 0]);
    assert_eq!(some(&format!("config={config}&limit=1")).await, made[..1]);
    assert_eq!(some("config=4711").await, [0; 0]);
    for odd in ["state=fine", "kind=A1", "level=high", "limit=201", "limit=0", "ignored=1", "since=1", "config=x"] {
        service.get(&service.bob, &format!("{FINDINGS}?{odd}")).await.problem(400, "invalid-request");
    }
}

#[tokio::test]
async fn a_finding_tells_what_it_is_about() {
    let service = Service::new().await;
    let mut row = finding(service.scene.config.0, "notice customer-name 23.144.1.0/24 -");
    let more = json!({
        "since": "2026-11-01T09:30:00Z", "since_at_least": true, "note": "by phone",
        "names": { "prefix": "23.144.1.0/24", "network": "NET-23-144-1-0-1", "customer": "C00000001" },
    });
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = record(&service, vec![row]).await;
    let told = service.get(&service.bob, FINDINGS).await.expect(200);
    let expected = json!({
        "id": made[0], "kind": "customer-name", "level": "notice", "subject": "23.144.1.0/24", "state": "open",
        "ignored": false, "message": "It differs.", "due": null, "since": "2026-11-01T09:30:00Z", "since_at_least": true,
        "config": service.scene.config, "config_name": crate::scene::CONFIG, "prefix": "23.144.1.0/24", "aggregate": null,
        "network": "NET-23-144-1-0-1", "customer": "C00000001", "organization": null, "request": null, "ticket": null,
        "note": "by phone",
    });
    assert_eq!(told["findings"][0], expected);
}

#[tokio::test]
async fn findings_are_for_those_who_may_view_them_and_their_config() {
    let service = Service::new().await;
    let other = service.another_config("other").await;
    let (ours, theirs) = (some(&service, service.scene.config.0).await, some(&service, other.0).await);
    let netbox = service.scene.netbox.server.as_ref().unwrap();
    let view = |slug: &str| Grant::new(&custom(slug), &[Action::View]);
    let dan = netbox.add_user("dan", vec![view(schema::CONFIG).only(&[other.0]), view(schema::FINDING)]);
    let told = service.get(&dan, FINDINGS).await.expect(200);
    assert_eq!(ids(&told), theirs);
    let named =
        |told: &Value| told["sources"].as_array().unwrap().iter().map(|one| one["config"].clone()).collect::<Vec<_>>();
    assert_eq!(named(&told), [json!(other)], "nothing of the other config");
    assert_eq!(
        ids(&service.get(&dan, &format!("{FINDINGS}?config={}", service.scene.config)).await.expect(200)),
        [0; 0]
    );
    let fay = netbox.add_user("fay", vec![view(schema::CONFIG), view(schema::FINDING).only(&ours[2..3])]);
    assert_eq!(ids(&service.get(&fay, FINDINGS).await.expect(200)), ours[2..3]);
    let gil = netbox.add_user("gil", vec![view(schema::CONFIG)]);
    let told = service.get(&gil, FINDINGS).await.problem(403, "not-permitted");
    assert!(told["detail"].as_str().unwrap().contains("view RIR findings"), "{told}");
}

#[tokio::test]
async fn the_sources_are_told_with_the_findings() {
    let service = Service::new().await;
    let config = service.scene.config.0;
    let rir = service.scene.list("ipam/aggregates", "limit=1").await[0]["rir"]["id"].clone();
    let more = ["23.146.0.0/24", "23.146.1.0/24"].map(|prefix| json!({ "prefix": prefix, "rir": rir }));
    service.scene.add("ipam/aggregates", json!(more)).await;
    let aggregates = service.scene.ids("ipam/aggregates").await;
    let look = |at: usize, more: Value| {
        let (aggregate, key) = (aggregates[at], format!("{config}:{}", aggregates[at]));
        let mut row = json!({
            "key": key, "subject": "23.144.0.0/20", "config": config, "aggregate": aggregate, "complete": true,
            "looked_at": "2026-11-26T05:00:00Z", "source": "listing",
        });
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    let looks = json!([
        look(0, json!({})),
        look(1, json!({ "source": "questions", "unanswered": { "23.144.1.0/24": "timed out" } })),
        look(2, json!({ "complete": false, "message": "ARIN cannot be reached" })),
        look(0, json!({ "key": "deleted", "aggregate": null })),
    ]);
    service.scene.add(&custom(schema::LOOK), looks).await;
    let told = service.get(&service.bob, FINDINGS).await.expect(200);
    let as_of = "2026-11-26T05:00:00Z";
    let expected = json!([{
        "config": config, "config_name": crate::scene::CONFIG, "listing": { "aggregates": 1, "as_of": as_of },
        "questions": { "aggregates": 1, "as_of": as_of }, "incomplete": 1, "reasons": ["ARIN cannot be reached"],
        "unanswered": 1,
    }]);
    assert_eq!(told["sources"], expected);
}
