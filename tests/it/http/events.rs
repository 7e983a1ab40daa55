//! A job's progress as server-sent events.

use std::time::Duration;

use reqwest::{Method, Response};
use rir_sandbox::netbox::{Fault, Rule};
use rir_sidecar::{
    model::RowId,
    queue::{Claim, Ending, JobId, Progress, Signal, Work},
};
use serde_json::{Value, json};

use super::Service;
use crate::process::until;

/// A stream of events, as a client reads it.
struct Listener {
    response: Response,
    text: String,
}

/// An event: its id and what it tells.
#[derive(Debug)]
struct Event {
    id: String,
    job: Value,
}

impl Listener {
    async fn new(service: &Service, token: &str, id: &JobId, last: Option<&str>) -> Self {
        let request = service.request(Method::GET, &format!("/api/v1/jobs/{id}/events")).bearer_auth(token);
        let request = if let Some(last) = last { request.header("last-event-id", last) } else { request };
        Self { response: request.send().await.unwrap(), text: String::new() }
    }

    /// The next event; `None` at the end. Comments, which keep the connection alive, are passed over.
    async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
                let event = field("data: ").map(|data| Event {
                    id: field("id: ").unwrap().to_owned(),
                    job: serde_json::from_str(data).unwrap(),
                });
                self.text = rest.to_owned();
                if event.is_some() {
                    return event;
                }
            }
            let chunk = tokio::time::timeout(Duration::from_secs(10), self.response.chunk()).await.unwrap().unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

async fn running(service: &Service) -> (JobId, Claim) {
    let config = Some(service.scene.config);
    let id = service.order(Work::SyncAggregate { config, aggregate: RowId(1) }).await;
    (id, service.queue.claim("w", 1, Duration::ZERO).await.unwrap().remove(0))
}

async fn beat(service: &Service, claim: &Claim, done: u64) {
    let progress = Progress { done, total: 9, phase: "counting".into(), ..Progress::default() };
    assert_eq!(service.queue.heartbeat(claim, "w", &progress).await.unwrap(), Signal::Yours);
}

async fn end(service: &Service, claim: &Claim) {
    service.queue.settle(claim, Ending::Failed { error: "no".into(), retry: None }).await.unwrap();
}

#[tokio::test]
async fn each_change_is_told_until_the_job_is_over() {
    let service = Service::new().await;
    let (id, claim) = running(&service).await;
    let mut listener = Listener::new(&service, &service.bob, &id, None).await;
    assert_eq!(listener.response.headers()["content-type"], "text/event-stream");
    assert_eq!(listener.next().await.unwrap().job["state"], "running");
    beat(&service, &claim, 4).await;
    let told = listener.next().await.unwrap();
    assert_eq!(told.job["progress"], json!({ "done": 4, "total": 9, "phase": "counting", "aggregates": [] }));
    assert_eq!(told.id, told.job["version"].to_string());
    end(&service, &claim).await;
    assert_eq!(listener.next().await.unwrap().job["state"], "dead");
    assert!(listener.next().await.is_none());
}

#[tokio::test]
async fn who_comes_back_is_told_only_what_is_new() {
    let service = Service::new().await;
    let (id, claim) = running(&service).await;
    let seen = Listener::new(&service, &service.bob, &id, None).await.next().await.unwrap().id;
    let mut listener = Listener::new(&service, &service.bob, &id, Some(&seen)).await;
    let early = tokio::time::timeout(Duration::from_millis(1500), listener.next()).await;
    assert!(early.is_err(), "nothing has changed: {early:?}");
    beat(&service, &claim, 1).await;
    let told = listener.next().await.unwrap();
    assert_eq!(told.job["progress"]["done"], 1);
    let mut late = Listener::new(&service, &service.bob, &id, Some(&seen)).await;
    assert_eq!(late.next().await.unwrap().id, told.id, "what changed meanwhile is told at once");
}

#[tokio::test]
async fn a_job_that_is_over_is_told_once() {
    let service = Service::new().await;
    let (id, claim) = running(&service).await;
    end(&service, &claim).await;
    let mut listener = Listener::new(&service, &service.bob, &id, None).await;
    let told = listener.next().await.unwrap();
    assert!(listener.next().await.is_none());
    let again = Listener::new(&service, &service.bob, &id, Some(&told.id)).await;
    assert_eq!(again.response.status(), 204, "browsers stay away after this");
}

#[tokio::test]
async fn a_stream_ends_when_the_service_goes_away() {
    let mut service = Service::new().await;
    let (id, _claim) = running(&service).await;
    let mut listener = Listener::new(&service, &service.bob, &id, None).await;
    listener.next().await.unwrap();
    service.stop.cancel();
    assert!(listener.next().await.is_none());
    tokio::time::timeout(Duration::from_secs(5), &mut service.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn only_who_may_view_the_job_hears_of_it() {
    let service = Service::new().await;
    let (id, _claim) = running(&service).await;
    assert_eq!(Listener::new(&service, &service.eve, &id, None).await.response.status(), 404);
    assert_eq!(Listener::new(&service, "nbt_no.body", &id, None).await.response.status(), 401);
}

/// With a short memory of what NetBox said of a caller.
async fn forgetful() -> Service {
    Service::with(|settings| settings.http.auth_cache = Duration::from_millis(200)).await
}

#[tokio::test]
async fn a_stream_ends_with_the_token_that_it_was_opened_with() {
    let service = forgetful().await;
    let (id, claim) = running(&service).await;
    let mut listener = Listener::new(&service, &service.bob, &id, None).await;
    listener.next().await.unwrap();
    service.scene.netbox.server.as_ref().unwrap().remove_user("bob");
    assert!(listener.next().await.is_none());
    let mut still = Listener::new(&service, &service.ann, &id, None).await;
    still.next().await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    beat(&service, &claim, 4).await;
    assert_eq!(still.next().await.unwrap().job["progress"]["done"], 4, "others go on");
}

#[tokio::test]
async fn a_stream_ends_with_the_permission_to_view_the_job() {
    let service = forgetful().await;
    let (id, _claim) = running(&service).await;
    let mut listener = Listener::new(&service, &service.bob, &id, None).await;
    listener.next().await.unwrap();
    service.scene.netbox.server.as_ref().unwrap().configure(|options| {
        options.users.iter_mut().filter(|user| user.name == "bob").for_each(|bob| bob.grants.clear());
    });
    assert!(listener.next().await.is_none());
}

#[tokio::test]
async fn nothing_is_told_while_netbox_does_not_say_whether_it_may_be() {
    let service = forgetful().await;
    let (id, claim) = running(&service).await;
    let mut listener = Listener::new(&service, &service.bob, &id, None).await;
    listener.next().await.unwrap();
    let netbox = service.scene.netbox.server.as_ref().unwrap();
    netbox.fail(Rule::new(Fault::Status(502)));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    beat(&service, &claim, 4).await;
    let told = tokio::time::timeout(Duration::from_millis(1500), listener.next()).await;
    assert!(told.is_err(), "{told:?}");
    netbox.heal();
    assert_eq!(listener.next().await.unwrap().job["progress"]["done"], 4);
}

#[tokio::test]
async fn a_user_has_ten_streams_and_all_users_a_fifth_of_the_connections() {
    let service = Service::with(|settings| settings.http.max_connections = 60).await;
    let (id, _claim) = running(&service).await;
    let open = async |token: &str| Listener::new(&service, token, &id, None).await;
    let mut listeners = Vec::new();
    for _ in 0..10 {
        listeners.push(open(&service.bob).await);
    }
    let path = format!("/api/v1/jobs/{id}/events");
    service.get(&service.bob, &path).await.problem(429, "too-many-event-streams");
    for _ in 0..2 {
        listeners.push(open(&service.ann).await);
    }
    service.get(&service.ann, &path).await.problem(503, "busy");
    assert!(listeners.iter().all(|listener| listener.response.status() == 200));
    drop(listeners);
    until("there is a place again", async || open(&service.bob).await.response.status() == 200).await;
}

#[tokio::test]
async fn a_request_under_way_is_answered_while_the_service_goes_away() {
    let mut service = Service::new().await;
    let netbox = service.scene.netbox.server.as_ref().unwrap();
    service.get(&service.ann, "/api/v1/whoami").await.expect(200);
    netbox.configure(|options| options.latency = Duration::from_millis(400));
    let request = service.request(Method::GET, "/api/v1/configs").bearer_auth(&service.ann).send();
    let (answer, ()) = tokio::join!(request, async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        service.stop.cancel();
    });
    assert_eq!(answer.unwrap().status(), 200);
    tokio::time::timeout(Duration::from_secs(5), &mut service.task).await.unwrap().unwrap();
    assert!(service.request(Method::GET, "/health/live").send().await.is_err(), "nobody listens any more");
}
