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
    let dan = netbox.add_user("dan", vec![Grant::new(&custom(schema::CONFIG), &[Action::View]).only(&[other.0])]);
    let seen = ids(&service.get(&dan, LOGS).await.expect(200));
    assert_eq!(seen, [theirs[1], theirs[0]]);
    let foreign = format!("{LOGS}?config={}", service.scene.config);
    assert!(ids(&service.get(&dan, &foreign).await.expect(200)).is_empty());
    assert_eq!(ids(&service.get(&service.bob, &foreign).await.expect(200)), [ours[1], ours[0]]);
    assert!(ids(&service.get(&service.eve, LOGS).await.expect(200)).is_empty());
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
