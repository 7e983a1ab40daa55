//! `GET /sync-logs`

use rir_sandbox::netbox::{Action, Grant};
use rir_sidecar::netbox::schema;
use serde_json::{Value, json};

use super::Service;
use crate::scene::custom;

const LOGS: &str = "/api/v1/sync-logs";

fn ids(told: &Value) -> Vec<u64> {
    told["rows"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

/// Log rows of a config, one for each number.
async fn write(service: &Service, config: u64, numbers: std::ops::Range<u32>) -> Vec<u64> {
    let row = |number: u32| {
        json!({
            "key": format!("{config}:{number}"), "config": config, "run": format!("run-{}", number % 2),
            "operation": "create", "object_type": if number == 0 { Value::Null } else { json!("network") },
            "object_handle": format!("NET-{number}"), "status": if number.is_multiple_of(3) { "error" } else { "success" },
            "message": "created",
        })
    };
    service.scene.add(&custom(schema::SYNC_LOG), json!(numbers.map(row).collect::<Vec<_>>())).await
}

#[tokio::test]
async fn rows_of_all_visible_configs_come_newest_first_in_pages() {
    let service = Service::new().await;
    let other = service.another_config("other").await;
    let mut expected = Vec::new();
    for turn in 0..3 {
        let numbers = turn * 2..turn * 2 + 2;
        expected.extend(write(&service, service.scene.config.0, numbers.clone()).await);
        expected.extend(write(&service, other.0, numbers).await);
    }
    expected.reverse();
    let (mut seen, mut path) = (Vec::new(), format!("{LOGS}?limit=5"));
    loop {
        let page = service.get(&service.bob, &path).await.expect(200);
        assert!(ids(&page).len() <= 5);
        seen.extend(ids(&page));
        let Some(cursor) = page["next_cursor"].as_u64() else { break };
        path = format!("{LOGS}?limit=5&cursor={cursor}");
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn rows_are_shown_to_those_who_may_view_their_config() {
    let service = Service::new().await;
    let other = service.another_config("other").await;
    let (ours, theirs) = (write(&service, service.scene.config.0, 0..2).await, write(&service, other.0, 0..2).await);
    let netbox = service.scene.netbox.server.as_ref().unwrap();
    let config = Grant::new(&custom(schema::CONFIG), &[Action::View]).only(&[other.0]);
    let more = [schema::SYNC_LOG, schema::NETWORK].map(|slug| Grant::new(&custom(slug), &[Action::View]));
    let dan = netbox.add_user("dan", [vec![config], more.to_vec()].concat());
    let seen = ids(&service.get(&dan, LOGS).await.expect(200));
    assert_eq!(seen, [theirs[1], theirs[0]]);
    let foreign = format!("{LOGS}?config={}", service.scene.config);
    assert!(ids(&service.get(&dan, &foreign).await.expect(200)).is_empty());
    assert_eq!(ids(&service.get(&service.bob, &foreign).await.expect(200)), [ours[1], ours[0]]);
    assert!(ids(&service.get(&service.eve, LOGS).await.expect(200)).is_empty());
}

#[tokio::test]
async fn rows_are_read_with_the_callers_own_permission() {
    let service = Service::new().await;
    let made = write(&service, service.scene.config.0, 1..4).await;
    let netbox = service.scene.netbox.server.as_ref().unwrap();
    let view = |slug: &str| Grant::new(&custom(slug), &[Action::View]);
    let dan = netbox.add_user("dan", vec![view(schema::CONFIG)]);
    let told = service.get(&dan, LOGS).await.problem(403, "not-permitted");
    assert!(told["detail"].as_str().unwrap().contains("sync logs"), "{told}");
    let some = view(schema::SYNC_LOG).only(&made[1..2]);
    let fay = netbox.add_user("fay", vec![view(schema::CONFIG), some, view(schema::NETWORK)]);
    assert_eq!(ids(&service.get(&fay, LOGS).await.expect(200)), made[1..2]);
}

#[tokio::test]
async fn rows_about_persons_are_for_those_who_may_view_the_contacts() {
    let service = Service::new().await;
    let config = service.scene.config.0;
    let row = |number: u32, object: Value, message: &str| {
        json!({
            "key": format!("p:{number}"), "config": config, "run": "run-1", "operation": "sync", "object_type": object,
            "object_handle": format!("X{number}-ARIN"), "status": "error", "message": message,
        })
    };
    let rows = json!([
        row(0, Value::Null, "the summary of the run"),
        row(1, json!("contact"), "email: jane@example.net is no mail address"),
        row(2, json!("network"), "no"),
    ]);
    let made = service.scene.add(&custom(schema::SYNC_LOG), rows).await;
    let netbox = service.scene.netbox.server.as_ref().unwrap();
    let some =
        [schema::CONFIG, schema::SYNC_LOG, schema::NETWORK].map(|slug| Grant::new(&custom(slug), &[Action::View]));
    let dan = netbox.add_user("dan", some.to_vec());
    let told = service.get(&dan, LOGS).await;
    assert!(!told.text.contains("jane"), "{}", told.text);
    assert_eq!(ids(&told.expect(200)), [made[2], made[0]]);
    // Pages go on behind what is left out.
    let page = service.get(&dan, &format!("{LOGS}?limit=2")).await.expect(200);
    assert_eq!((ids(&page), &page["next_cursor"]), (vec![made[2]], &json!(made[1])));
    assert_eq!(ids(&service.get(&service.bob, LOGS).await.expect(200)), [made[2], made[1], made[0]]);
}

#[tokio::test]
async fn an_object_is_found_among_others_by_its_handle() {
    let service = Service::new().await;
    let row = |number: u32, handle: Option<&str>, details: Option<&str>| {
        json!({
            "key": format!("k{number}"), "config": service.scene.config, "run": "r", "operation": "create",
            "object_type": "network", "object_handle": handle, "status": "success", "message": "m", "details": details,
        })
    };
    let rows = json!([
        row(0, Some("NET-1"), None),
        row(1, None, Some("- NET-10\n- NET-11")),
        row(2, None, Some("- NET-2\n- NET-1")),
        row(3, Some("NET-10"), None),
        row(4, None, Some("- NET-100\n- NET-12")),
        row(5, None, Some("- NET-1\n- NET-3")),
    ]);
    let made = service.scene.add(&custom(schema::SYNC_LOG), rows).await;
    let found = async |query: &str| ids(&service.get(&service.bob, &format!("{LOGS}?{query}")).await.expect(200));
    assert_eq!(found("handle=NET-1").await, [made[5], made[2], made[0]]);
    assert_eq!(found("handle=NET-10").await, [made[3], made[1]]);
    assert!(found("handle=NET").await.is_empty());
    let page = service.get(&service.bob, &format!("{LOGS}?handle=NET-1&limit=2")).await.expect(200);
    assert_eq!((ids(&page), &page["rows"][0]["details"]), (vec![made[5], made[2]], &json!("- NET-1\n- NET-3")));
    assert_eq!(found(&format!("handle=NET-1&cursor={}", made[2])).await, [made[0]]);
}

#[tokio::test]
async fn rows_are_filtered() {
    let service = Service::new().await;
    let made = write(&service, service.scene.config.0, 0..6).await;
    let some = async |query: &str| ids(&service.get(&service.bob, &format!("{LOGS}?{query}")).await.expect(200));
    assert_eq!(some("status=error").await, [made[3], made[0]]);
    assert_eq!(some("run=run-1").await, [made[5], made[3], made[1]]);
    assert_eq!(some("run=run-1&status=error").await, [made[3]]);
    assert_eq!(some("object_type=network&limit=200").await.len(), 5);
    assert!(some("run=run").await.is_empty(), "a part of a name is another run's");
    let row = service.get(&service.bob, &format!("{LOGS}?limit=1")).await.expect(200)["rows"][0].clone();
    assert_eq!(
        (&row["object_handle"], &row["status"], &row["run"]),
        (&json!("NET-5"), &json!("success"), &json!("run-1"))
    );
    for odd in ["status=fine", "object_type=address", "limit=201", "cursor=x", "since=1"] {
        service.get(&service.bob, &format!("{LOGS}?{odd}")).await.problem(400, "invalid-request");
    }
}
