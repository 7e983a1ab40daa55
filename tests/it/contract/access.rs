//! The users who may ask, and the objects that they reach.

use reqwest::Method;
use rir_sandbox::netbox::{Action, Grant, TokenLimit};
use serde_json::{Value, json};

use super::{Answer, Target, people::Person, things::NOTES};

const CHECK: &str = "/api/authentication-check/";

pub(crate) async fn a_v2_token_is_taken_as_bearer(target: &Target) {
    let user = target.get(CHECK).await.expect(200);
    assert!(!user["username"].as_str().unwrap().is_empty());
    assert_eq!(user["permissions"], json!([]), "those of a superuser are not listed");
}

pub(crate) async fn a_v1_token_is_taken_as_token(target: &Target) {
    let token = format!("Token {}", target.tokens.v1);
    target.send(Method::GET, CHECK, None, &[("authorization", &token)]).await.expect(200);
}

pub(crate) async fn a_wrong_token_is_forbidden(target: &Target) {
    for path in [CHECK, "/api/status/", "/api/ipam/rirs/"] {
        let answer = target.send(Method::GET, path, None, &[("authorization", "Bearer nbt_nobody.nothing")]).await;
        assert_eq!(answer.expect(403), json!({ "detail": "Invalid v2 token" }));
    }
    let answer = target.send(Method::GET, CHECK, None, &[("authorization", "Token deadbeef")]).await;
    assert_eq!(answer.expect(403), json!({ "detail": "Invalid v1 token" }));
}

pub(crate) async fn no_token_is_forbidden(target: &Target) {
    let answer = target.send(Method::GET, "/api/ipam/rirs/", None, &[("authorization", "")]).await;
    assert_eq!(answer.expect(403), json!({ "detail": "Authentication credentials were not provided." }));
}

async fn as_reader(target: &Target, method: Method, path: &str, body: Option<Value>) -> Answer {
    let token = format!("Bearer {}", target.tokens.reader);
    target.send(method, path, body, &[("authorization", &token)]).await
}

pub(crate) async fn a_user_without_permissions_may_do_nothing(target: &Target) {
    target.share().await;
    as_reader(target, Method::GET, CHECK, None).await.expect(200);
    as_reader(target, Method::GET, "/api/status/", None).await.expect(200);
    let denied = json!({ "detail": "You do not have permission to perform this action." });
    for path in [NOTES, "/api/ipam/rirs/", "/api/plugins/custom-objects/custom-object-types/"] {
        assert_eq!(as_reader(target, Method::GET, path, None).await.expect(403), denied, "{path}");
    }
    assert_eq!(as_reader(target, Method::POST, NOTES, Some(json!([]))).await.expect(403), denied);
    let apply = "/api/plugins/custom-objects/schema/apply/";
    let told = as_reader(target, Method::POST, apply, Some(json!({}))).await.expect(403);
    let told = told["detail"].as_str().unwrap();
    assert!(told.starts_with("You do not have permission to apply a schema document."), "{told}");
}

/// A user who may do `actions` with some notes.
async fn noter(target: &Target, actions: &[Action], ids: &[u64]) -> Person {
    let list = NOTES.trim_start_matches("/api/").trim_end_matches('/');
    target.person(&[(NOTES, Grant::new(list, actions).only(ids))]).await
}

async fn as_person(target: &Target, person: &Person, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let token = format!("Bearer {}", person.token);
    let body = (method != Method::GET).then(|| json!({}));
    target.send(method, path, body, &[&[("authorization", token.as_str())], headers].concat()).await
}

pub(crate) async fn a_user_sees_and_changes_what_was_granted(target: &Target) {
    let (one, other) = (target.note("a", json!({})).await, target.note("b", json!({})).await);
    let person = noter(target, &[Action::View], &[one]).await;
    let ask = async |method, path: &str| as_person(target, &person, method, path, &[]).await;
    assert_eq!(ask(Method::GET, CHECK).await.expect(200)["username"], json!(person.name));
    let listed = ask(Method::GET, &format!("{NOTES}?run={}", target.run)).await.column("id");
    assert_eq!(listed, [json!(one)]);
    ask(Method::GET, &format!("{NOTES}{one}/")).await.expect(200);
    ask(Method::GET, &format!("{NOTES}{other}/")).await.expect(404);
    for (method, path) in [(Method::PATCH, format!("{NOTES}{one}/")), (Method::POST, NOTES.to_owned())] {
        let told = ask(method, &path).await.expect(403);
        assert_eq!(told, json!({ "detail": "You do not have permission to perform this action." }));
    }
    ask(Method::GET, "/api/ipam/rirs/").await.expect(403);
}

pub(crate) async fn whether_one_may_change_is_told_before_the_condition(target: &Target) {
    let (one, other) = (target.note("a", json!({})).await, target.note("b", json!({})).await);
    let never = [("if-match", "W/\"never\"")];
    let (viewer, changer) =
        (noter(target, &[Action::View], &[one]).await, noter(target, &[Action::Change], &[one]).await);
    let patch = async |person: &Person, id: u64| {
        as_person(target, person, Method::PATCH, &format!("{NOTES}{id}/"), &never).await.status.as_u16()
    };
    assert_eq!(patch(&viewer, one).await, 403);
    assert_eq!((patch(&changer, one).await, patch(&changer, other).await), (412, 404));
    let missing = format!("{NOTES}99999999/");
    target.send(Method::PATCH, &missing, Some(json!({})), &never).await.expect(404);
}

pub(crate) async fn a_token_that_was_taken_away_is_forbidden(target: &Target) {
    target.share().await;
    let person = noter(target, &[Action::View], &[]).await;
    as_person(target, &person, Method::GET, CHECK, &[]).await.expect(200);
    target.dismiss(&person).await;
    as_person(target, &person, Method::GET, CHECK, &[]).await.expect(403);
}

pub(crate) async fn a_token_that_is_restricted_says_how(target: &Target) {
    let person = target.person(&[]).await;
    for (limit, reason) in [
        (TokenLimit::Disabled, "Token disabled"),
        (TokenLimit::Expired, "Token expired"),
        (TokenLimit::OtherAddresses, "Source IP 127.0.0.1 is not permitted to authenticate using this token."),
    ] {
        target.limit(&person, Some(limit)).await;
        for path in [CHECK, "/api/status/", "/api/ipam/rirs/"] {
            let told = as_person(target, &person, Method::GET, path, &[]).await.expect(403);
            assert_eq!(told, json!({ "detail": reason }));
        }
    }
    target.limit(&person, None).await;
    as_person(target, &person, Method::GET, CHECK, &[]).await.expect(200);
}

pub(crate) async fn a_token_that_may_only_read_is_shown_to_its_user(target: &Target) {
    let one = target.note("a", json!({})).await;
    let person = noter(target, &[Action::View, Action::Add, Action::Change], &[one]).await;
    let listed = format!("/api/users/tokens/?user={}", person.name);
    for limit in [None, Some(TokenLimit::ReadOnly)] {
        target.limit(&person, limit).await;
        let told = as_person(target, &person, Method::GET, &listed, &[]).await.expect(200);
        let token = &told["results"][0];
        let key = person.token.strip_prefix("nbt_").unwrap().split('.').next().unwrap();
        assert_eq!((&token["key"], &token["write_enabled"]), (&json!(key), &json!(limit.is_none())));
        assert_eq!((&token["user"]["username"], &told["count"]), (&json!(person.name), &json!(1)));
    }
    let note = format!("{NOTES}{one}/");
    as_person(target, &person, Method::GET, &note, &[]).await.expect(200);
    let told = as_person(target, &person, Method::PATCH, &note, &[]).await.expect(403);
    assert_eq!(told, json!({ "detail": "You do not have permission to perform this action." }));
}

pub(crate) async fn the_status_tells_versions(target: &Target) {
    let status = target.get("/api/status/").await.expect(200);
    assert_eq!(status["netbox-version"], "4.7.3");
    assert_eq!(status["plugins"]["netbox_custom_objects"], "0.7.1");
}

pub(crate) async fn an_unknown_path_is_an_html_page(target: &Target) {
    let answer = target.get("/api/nothing/").await;
    assert_eq!(answer.status, 404);
    assert!(answer.header("content-type").starts_with("text/html"));
}
