//! The callers, and what they may see.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use rir_sandbox::netbox::{Action, Fault, Grant, Rule, TOKEN_V1};
use rir_sidecar::{config::Settings, coordination::LastRun, netbox::schema};
use serde_json::{Value, json};

use super::{Answer, Service, answer};
use crate::scene::{CONFIG, custom};

const WHOAMI: &str = "/api/v1/whoami";

async fn as_whoever(service: &Service, authorization: Option<&str>, from: Option<&str>) -> Answer {
    let mut request = service.request(Method::GET, WHOAMI);
    for (name, value) in [("authorization", authorization), ("x-forwarded-for", from)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    answer(request).await
}

fn questions(service: &Service) -> usize {
    service.scene.netbox.server.as_ref().unwrap().requests().count("GET", "authentication-check")
}

#[tokio::test]
async fn a_caller_is_whom_netbox_says() {
    let service = Service::new().await;
    let id = service.scene.config.0;
    let told = service.get(&service.ann, WHOAMI).await.expect(200);
    let expected = json!({
        "user": "ann", "configs": [{ "id": id, "name": CONFIG, "may_sync": true, "key_available": true }],
    });
    assert_eq!(told, expected);
    let bob = service.get(&service.bob, WHOAMI).await.expect(200);
    assert_eq!((&bob["configs"][0]["may_sync"], &bob["configs"][0]["key_available"]), (&json!(false), &json!(true)));
    let cat = service.get(&service.cat, WHOAMI).await.expect(200);
    assert_eq!((&cat["configs"][0]["may_sync"], &cat["configs"][0]["key_available"]), (&json!(true), &json!(false)));
    let eve = service.get(&service.eve, WHOAMI).await.expect(200);
    assert_eq!(eve, json!({ "user": "eve", "configs": [] }));
    let v1 = as_whoever(&service, Some(&format!("Token {TOKEN_V1}")), None).await.expect(200);
    assert_eq!(v1["user"], "sandbox");
}

#[tokio::test]
async fn without_a_known_token_nothing_is_told() {
    let service = Service::new().await;
    for authorization in
        [None, Some("Bearer nbt_nobody.nothing"), Some("Token deadbeef"), Some("Basic YTpi"), Some("x")]
    {
        let refused = as_whoever(&service, authorization, None).await;
        assert!(refused.header("www-authenticate").starts_with("Bearer"), "{authorization:?}");
        refused.problem(401, "not-authenticated");
    }
    for path in ["/api/v1/configs", "/api/v1/findings", "/api/v1/jobs", "/api/v1/sync-logs"] {
        answer(service.request(Method::GET, path)).await.problem(401, "not-authenticated");
    }
}

#[tokio::test]
async fn a_token_is_asked_about_once_in_a_while() {
    let service = Service::with(|settings| settings.http.auth_cache = Duration::from_millis(400)).await;
    let before = questions(&service);
    for _ in 0..5 {
        service.get(&service.ann, WHOAMI).await.expect(200);
    }
    assert_eq!(questions(&service) - before, 1);
    service.scene.netbox.server.as_ref().unwrap().remove_user("ann");
    service.get(&service.ann, WHOAMI).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    service.get(&service.ann, WHOAMI).await.problem(401, "not-authenticated");
}

#[tokio::test]
async fn a_netbox_that_does_not_answer_is_no_reason_to_doubt_the_caller() {
    let service = Service::new().await;
    let netbox = service.scene.netbox.server.as_ref().unwrap();
    netbox.fail(Rule::new(Fault::Status(502)));
    service.get(&service.ann, WHOAMI).await.problem(503, "netbox-unavailable");
    netbox.heal();
    service.get(&service.ann, WHOAMI).await.expect(200);
    netbox.fail(Rule::new(Fault::Status(502)).path("rir-config"));
    service.get(&service.ann, "/api/v1/configs").await.problem(503, "netbox-unavailable");
}

/// Settings with which three refused tokens of a client address are enough.
fn three_guesses(settings: &mut Settings) {
    settings.http.unknown_tokens_per_minute = 3;
    settings.http.client_address_header = "X-Forwarded-For".into();
}

#[tokio::test]
async fn who_tries_tokens_is_told_to_wait_by_address_and_others_are_not() {
    let service = Service::with(three_guesses).await;
    let before = questions(&service);
    for number in 0..3 {
        let token = format!("Bearer nbt_try{number}.x");
        // Whatever the client puts in front does not count.
        let from = format!("203.0.113.{number}, 192.0.2.1");
        as_whoever(&service, Some(&token), Some(&from)).await.problem(401, "not-authenticated");
    }
    let held = as_whoever(&service, Some("Bearer nbt_try8.x"), Some("192.0.2.1")).await;
    let wait: u64 = held.header("retry-after").parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    held.problem(429, "too-many-unknown-tokens");
    as_whoever(&service, Some("Bearer nbt_try9.x"), Some("192.0.2.2")).await.problem(401, "not-authenticated");
    assert_eq!(questions(&service) - before, 5);
}

#[tokio::test]
async fn a_stranger_behind_the_same_address_locks_nobody_out() {
    let service = Service::with(three_guesses).await;
    for number in 0..5 {
        as_whoever(&service, Some(&format!("Bearer nbt_try{number}.x")), Some("192.0.2.1")).await;
    }
    as_whoever(&service, Some("Bearer nbt_try9.x"), Some("192.0.2.1")).await.problem(429, "too-many-unknown-tokens");
    for token in [&service.ann, &service.bob] {
        let told = as_whoever(&service, Some(&format!("Bearer {token}")), Some("192.0.2.1")).await.expect(200);
        assert!(told["user"].is_string(), "a good token that nobody has seen here before");
    }
}

#[tokio::test]
async fn good_tokens_are_no_guesses() {
    let service = Service::with(|settings| settings.http.unknown_tokens_per_minute = 1).await;
    for token in [&service.ann, &service.bob, &service.cat, &service.eve] {
        service.get(token, WHOAMI).await.expect(200);
    }
    as_whoever(&service, Some("Bearer nbt_try0.x"), None).await.problem(401, "not-authenticated");
    as_whoever(&service, Some("Bearer nbt_try1.x"), None).await.problem(429, "too-many-unknown-tokens");
}

#[tokio::test]
async fn a_refused_token_is_asked_about_once_and_counts_once() {
    let service = Service::with(three_guesses).await;
    let before = questions(&service);
    for _ in 0..10 {
        as_whoever(&service, Some("Bearer nbt_old.x"), Some("192.0.2.1")).await.problem(401, "not-authenticated");
    }
    assert_eq!(questions(&service) - before, 1);
    as_whoever(&service, Some("Bearer nbt_other.x"), Some("192.0.2.1")).await.problem(401, "not-authenticated");
}

#[tokio::test]
async fn only_so_many_questions_about_unknown_tokens_wait_at_once() {
    let service = Service::with(|settings| settings.http.auth_cache = Duration::from_millis(1)).await;
    service.get(&service.ann, WHOAMI).await.expect(200);
    let netbox = service.scene.netbox.server.as_ref().unwrap();
    netbox.configure(|options| options.latency = Duration::from_secs(2));
    let before = questions(&service);
    let strangers = join_all((0..200).map(|number| {
        let token = format!("Bearer nbt_try{number}.x");
        let service = &service;
        async move { as_whoever(service, Some(&token), None).await }
    }));
    let known = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let asked = questions(&service) - before;
        let begun = Instant::now();
        let told = service.get(&service.ann, WHOAMI).await;
        (asked, told, begun.elapsed())
    };
    let (strangers, (asked, told, took)) = tokio::join!(strangers, known);
    assert_eq!(asked, 4, "so many are asked at once");
    told.expect(200);
    assert!(took < Duration::from_secs(15), "who is known does not stand in line: {took:?}");
    let (refused, busy): (Vec<_>, Vec<_>) = strangers.into_iter().partition(|answer| answer.status == 401);
    assert!((4..=16).contains(&refused.len()), "{}", refused.len());
    for answer in busy {
        assert_eq!(answer.header("retry-after"), "1");
        answer.problem(503, "netbox-unavailable");
    }
}

#[tokio::test]
async fn a_user_may_ask_only_so_often() {
    let service = Service::with(|settings| settings.http.requests_per_minute = 5).await;
    let key = |number: u32| {
        let request = service.request(Method::POST, "/api/v1/configs/sync").bearer_auth(&service.ann);
        answer(request.header("idempotency-key", format!("k{number}")))
    };
    for number in 0..5 {
        key(number).await.expect(202);
    }
    let refused = service.get(&service.ann, "/api/v1/configs").await;
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=12).contains(&wait), "{wait}");
    let told = refused.problem(429, "too-many-requests");
    assert!(told["detail"].as_str().unwrap().contains("ann"), "{told}");
    key(9).await.problem(429, "too-many-requests");
    service.get(&service.bob, "/api/v1/configs").await.expect(200);
}

#[tokio::test]
async fn without_a_proxy_the_address_is_that_of_the_connection() {
    let service = Service::with(|settings| settings.http.unknown_tokens_per_minute = 2).await;
    for number in 0..2 {
        let (token, from) = (format!("Bearer nbt_try{number}.x"), format!("192.0.2.{number}"));
        as_whoever(&service, Some(&token), Some(&from)).await.problem(401, "not-authenticated");
    }
    let held = as_whoever(&service, Some("Bearer nbt_try9.x"), Some("192.0.2.9")).await;
    held.problem(429, "too-many-unknown-tokens");
}

#[tokio::test]
async fn a_caller_sees_the_configs_that_netbox_shows_them() {
    let service = Service::new().await;
    let other = service.another_config("other").await;
    let netbox = service.scene.netbox.server.as_ref().unwrap();
    let view = Grant::new(&custom(schema::CONFIG), &[Action::View]).only(&[other.0]);
    let dan = netbox.add_user("dan", vec![view]);
    let names = |body: Value| -> Vec<String> {
        body["configs"].as_array().unwrap().iter().map(|config| config["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(service.get(&service.ann, "/api/v1/configs").await.expect(200)), [CONFIG, "other"]);
    assert_eq!(names(service.get(&dan, "/api/v1/configs").await.expect(200)), ["other"]);
    assert!(names(service.get(&service.eve, "/api/v1/configs").await.expect(200)).is_empty());
    service.get(&dan, &service.config("")).await.problem(404, "not-found");
    service.get(&dan, &format!("/api/v1/configs/{other}")).await.expect(200);
}

#[tokio::test]
async fn a_config_tells_how_many_requests_a_second_may_go_to_its_registry() {
    for (setting, told) in [(0, Value::Null), (25, json!(25.0))] {
        let service = Service::with(|settings| settings.arin.requests_per_second = setting).await;
        let config = service.get(&service.bob, &service.config("")).await.expect(200);
        assert_eq!(config["requests_per_second"], told);
    }
}

#[tokio::test]
async fn a_config_tells_how_its_syncs_stand() {
    let service = Service::new().await;
    let told = service.get(&service.ann, &service.config("")).await.expect(200);
    assert_eq!((&told["name"], &told["key_available"]), (&json!(CONFIG), &json!(true)));
    assert_eq!((&told["last_sync"], &told["running_job"]), (&Value::Null, &Value::Null));
    assert!(told["due"].is_string(), "never synced, so due now: {told}");
    let row = json!({ "last_sync": "2026-11-20T10:00:00Z", "last_result": "partial", "sync_interval": 6 });
    service.scene.edit(&custom(schema::CONFIG), service.scene.config.0, row).await;
    let job = service.queued(service.scene.config).await;
    service.queue.claim("w", 1, Duration::ZERO).await.unwrap();
    let told = service.get(&service.bob, &service.config("")).await.expect(200);
    assert_eq!((&told["last_result"], &told["interval_seconds"]), (&json!("partial"), &json!(21600)));
    // Six hours later, and the part of the spread that the config of this id always gets.
    assert_eq!(told["due"], "2026-11-20T16:28:50Z");
    assert_eq!(told["running_job"], json!(job));
    // NetBox may not have taken the result of a run, which then only the processes remember.
    let [started, ended] = ["2026-11-20T11:59:00Z", "2026-11-20T12:00:00Z"].map(|time| time.parse().unwrap());
    let run = LastRun { started, ended, result: "partial".into() };
    service.services.coordination.sync_ended(service.scene.config, &run).await.unwrap();
    assert_eq!(service.get(&service.bob, &service.config("")).await.expect(200)["due"], "2026-11-20T18:28:50Z");
    service.scene.edit(&custom(schema::CONFIG), service.scene.config.0, json!({ "is_active": false })).await;
    assert_eq!(service.get(&service.bob, &service.config("")).await.expect(200)["due"], Value::Null);
}
