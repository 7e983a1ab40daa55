//! Change requests over the API: who sees them, asks for them, and decides about them.

use std::time::Duration;

use reqwest::Method;
use rir_sandbox::{
    netbox::{Action, Grant},
    regrws::{Fault, KEY, Operation, Rule},
    world::Holder,
};
use rir_sidecar::{model::RowId, netbox::schema, queue::Filter};
use serde_json::{Value, json};

use super::{Answer, Service, answer};
use crate::{
    requests::{
        empty, in_reston,
        people::{self, Person},
    },
    scene::{CONFIG, Scene, Target, cidr, custom, keyring},
};

const REQUESTS: &str = "/api/v1/requests";
const RANGE: &str = "23.144.4.0/24";
const PARENT: &str = "NET-23-144-0-0-1";
/// A reassignment that the world begins with.
const REGISTERED: &str = "NET-23-144-1-0-1";
/// The API keys of those who approve and look; that of whoever asks is the sandbox's own.
const SECOND_KEY: &str = "API-SAND-BOX0-0000-0002";
const THIRD_KEY: &str = "API-SAND-BOX0-0000-0003";
/// The longest wait for what the service does by itself.
const PATIENCE: Duration = Duration::from_secs(120);

/// A service that may change things at ARIN: `ann` asks, `bob` approves, `cat` only looks, and `eve` may do nothing with
/// change requests. All but `eve` have an API key.
struct Office {
    service: Service,
    names: [String; 3],
}

impl Office {
    async fn new() -> Self {
        Self::of(Target::sandbox().await).await
    }

    async fn of(target: Target) -> Self {
        let mut scene = Scene::new(target, empty()).await;
        scene.settings.requests.enabled = true;
        scene.settings.requests.seal = "0123456789abcdef0123456789abcdef".into();
        scene.settings.findings.own_tenants = Some(["example-networks".to_owned()].into());
        scene.arin.configure(|options| options.keys.extend([SECOND_KEY, THIRD_KEY].map(str::to_owned)));
        let [ann, bob] = [people::may_approve(&scene, "ann").await, people::may_approve(&scene, "bob").await];
        let [cat, eve] = [people::with(&scene, "cat", &[Action::View]).await, people::with(&scene, "eve", &[]).await];
        let keys = [(&ann, KEY), (&bob, SECOND_KEY), (&cat, THIRD_KEY)];
        let ring = keyring(&keys.map(|(person, key): (&Person, &str)| (CONFIG, person.name.as_str(), key)));
        let names = [&ann, &bob, &cat].map(|person| person.name.clone());
        let service = Service::of(scene, ring, [ann, bob, cat, eve].map(|person| person.token)).await;
        Self { service, names }
    }

    fn requests(&self) -> String {
        self.service.config("/requests")
    }

    /// Assigns a prefix to a new customer with an address, and returns its id.
    async fn assign(&self, prefix: &str) -> u64 {
        let tenant = self.tenant("Harbour Catch Ltd").await;
        let mut address = in_reston();
        (address["tenant"], address["key"]) = (json!(tenant), json!(format!("operator:{tenant:016x}")));
        self.service.scene.add(&custom(schema::ADDRESS), json!([address])).await;
        self.prefix(prefix, tenant).await
    }

    async fn tenant(&self, name: &str) -> u64 {
        let slug = name.to_lowercase().replace(' ', "-");
        self.service.scene.add("tenancy/tenants", json!([{ "name": name, "slug": slug }])).await[0]
    }

    async fn prefix(&self, prefix: &str, tenant: u64) -> u64 {
        self.service.scene.add("ipam/prefixes", json!([{ "prefix": prefix, "tenant": tenant }])).await[0]
    }

    async fn ask(&self, token: &str, body: Value) -> Answer {
        self.service.post(token, &self.requests(), body).await
    }

    /// `ann` asks for the registration of a prefix that lacks nothing.
    async fn waiting(&self) -> Value {
        self.assign(RANGE).await;
        let asked = self.ask(&self.service.ann, json!({ "prefix": RANGE })).await.expect(201);
        let request = asked["requests"][0].clone();
        assert_eq!(request["state"], "waiting", "{asked:#}");
        request
    }

    /// Does something with a request.
    async fn act(&self, token: &str, request: &Value, action: &str, body: Value) -> Answer {
        self.service.post(token, &format!("{REQUESTS}/{}/{action}", request["id"]), body).await
    }

    async fn approve(&self, token: &str, request: &Value) -> Answer {
        self.act(token, request, "approve", json!({ "digest": request["digest"] })).await
    }

    /// `ann` asks, and `bob` approves. Nobody works.
    async fn approved(&self) -> Value {
        let request = self.waiting().await;
        self.approve(&self.service.bob, &request).await.expect(200)
    }

    async fn find(&self, request: &Value) -> Value {
        self.service.get(&self.service.bob, &format!("{REQUESTS}/{}", request["id"])).await.expect(200)
    }

    /// The number of rows of change requests.
    async fn kept(&self) -> usize {
        self.service.scene.rows_of(schema::CHANGE_REQUEST).await.len()
    }

    /// The number of calls that were to change something at ARIN.
    fn writes(&self) -> usize {
        self.service.scene.arin.requests().0.iter().filter(|request| request.operation.is_write()).count()
    }

    /// Waits until all jobs are over.
    async fn idle(&self) {
        let filter = Filter { limit: 100, ..Filter::default() };
        let over = async {
            loop {
                if self.service.queue.list(&filter).await.unwrap().iter().all(|job| job.state.is_over()) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, over).await.unwrap();
    }

    /// The open findings about a range, by kind, each with its id, as the API tells them.
    async fn findings(&self, range: &str) -> Vec<(String, u64)> {
        let told = self.service.get(&self.service.ann, "/api/v1/findings").await.expect(200);
        let findings = told["findings"].as_array().unwrap().iter().filter(|finding| finding["subject"] == range);
        findings.map(|row| (row["kind"].as_str().unwrap().to_owned(), row["id"].as_u64().unwrap())).collect()
    }
}

/// A new prefix with a tenant becomes a finding, a draft, a request, approved by a second user, a net at ARIN and a linked
/// row; all that people do goes through the API, and a worker does the rest.
pub(crate) async fn a_new_prefix_becomes_a_net_with_a_linked_row(target: Target) {
    let office = Office::of(target).await;
    let (service, [ann, bob, _]) = (&office.service, &office.names);
    let _working = service.work();
    let prefix = office.assign(RANGE).await;
    service.post(&service.ann, &service.config("/sync"), json!({})).await.expect(202);
    office.idle().await;
    let findings = office.findings(RANGE).await;
    let [(kind, finding)] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!(kind, "unregistered");

    let draft = office.ask(&service.ann, json!({ "finding": finding, "plan_only": true })).await.expect(201);
    let draft = &draft["requests"][0];
    assert_eq!((&draft["id"], &draft["state"]), (&Value::Null, &json!("waiting")), "{draft:#}");
    assert_eq!(office.kept().await, 0);

    let asked = office.ask(&service.ann, json!({ "finding": finding })).await.expect(201);
    let request = &asked["requests"][0];
    assert_eq!(request["payload"], draft["payload"], "what was shown is what is kept");
    assert_eq!(request["payload"]["path"], format!("net/{PARENT}/reassign"));
    assert_eq!((&request["requested_by"], &request["prefix"]), (&json!(ann), &json!(prefix)));
    assert_eq!(office.writes(), 0, "nothing is sent before somebody has approved it");

    let approved = office.approve(&service.bob, request).await.expect(200);
    assert_eq!((&approved["state"], &approved["approved_by"]), (&json!("approved"), &json!(bob)));
    office.idle().await;
    let done = office.find(request).await;
    assert_eq!(done["state"], "done", "{done:#}");
    assert_eq!(office.writes(), 1);
    let handle = done["network"].as_str().unwrap();
    let net = service.scene.arin.registry().nets[handle].clone();
    assert_eq!(net.range(), Some((cidr(RANGE).network(), cidr(RANGE).broadcast())));
    let Holder::Customer(customer) = &net.holder else { panic!("{net:?}") };
    assert_eq!(done["customer"], *customer);

    let row = service.scene.row(schema::NETWORK, handle).await;
    assert_eq!(row["prefix"]["id"], prefix, "{row:#?}");
    assert!(service.scene.rows(schema::CUSTOMER).await.contains_key(customer));
    assert_eq!(office.findings(RANGE).await, [], "what it settles is gone");
}

#[tokio::test]
async fn a_new_prefix_of_the_sandbox_becomes_a_net_with_a_linked_row() {
    a_new_prefix_becomes_a_net_with_a_linked_row(Target::sandbox().await).await;
}

#[tokio::test]
async fn requests_are_listed_and_found() {
    let office = Office::new().await;
    let (service, first) = (&office.service, office.waiting().await);
    let more = json!({ "network": REGISTERED, "operation": "change-network", "set": { "netName": "ANOTHER" } });
    service.post(&service.ann, &service.config("/sync"), json!({})).await.expect(202);
    let working = service.work();
    office.idle().await;
    drop(working);
    let second = office.ask(&service.ann, more).await.expect(201)["requests"][0].clone();
    let list = async |query: &str| {
        let told = service.get(&service.cat, &format!("{REQUESTS}{query}")).await.expect(200);
        let ids: Vec<Value> = told["requests"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
        (ids, told["next_cursor"].clone())
    };
    assert_eq!(list("").await, (vec![second["id"].clone(), first["id"].clone()], Value::Null), "the newest first");
    let (page, cursor) = list("?limit=1").await;
    assert_eq!((page, &cursor), (vec![second["id"].clone()], &second["id"]));
    assert_eq!(list(&format!("?limit=1&cursor={cursor}")).await, (vec![first["id"].clone()], Value::Null));
    office.act(&service.ann, &first, "withdraw", json!({})).await.expect(200);
    assert_eq!(list("").await.0, [second["id"].clone()], "what is over is left out");
    assert_eq!(list("?state=withdrawn").await.0, [first["id"].clone()]);
    assert_eq!(list(&format!("?config={}", service.scene.config)).await.0, [second["id"].clone()]);
    assert_eq!(list("?config=4711").await.0, [] as [Value; 0]);
    let told = service.get(&service.cat, REQUESTS).await.expect(200);
    assert_eq!(told["requests"][0], office.find(&second).await);
    for odd in ["state=fine", "limit=0", "limit=201", "config=x", "user=ann"] {
        service.get(&service.cat, &format!("{REQUESTS}?{odd}")).await.problem(400, "invalid-request");
    }
    service.get(&service.cat, &format!("{REQUESTS}/4711")).await.problem(404, "not-found");
}

#[tokio::test]
async fn who_may_not_view_requests_sees_none_of_them() {
    let office = Office::new().await;
    let (service, request) = (&office.service, office.waiting().await);
    let told = service.get(&service.eve, REQUESTS).await.problem(403, "not-permitted");
    assert!(told["detail"].as_str().unwrap().contains("view RIR change requests"), "{told}");
    let view = |slug: &str| Grant::new(&custom(slug), &[Action::View]);
    let netbox = service.scene.netbox.server.as_ref().unwrap();
    // Somebody who may view all requests, and not the config that this one is of.
    let other = service.another_config("other").await;
    let dan = netbox.add_user("dan", vec![view(schema::CONFIG).only(&[other.0]), view(schema::CHANGE_REQUEST)]);
    assert_eq!(service.get(&dan, REQUESTS).await.expect(200)["requests"], json!([]));
    for token in [&service.eve, &dan] {
        let one = format!("{REQUESTS}/{}", request["id"]);
        service.get(token, &one).await.problem(404, "not-found");
        for action in ["approve", "reject", "withdraw", "submit", "look"] {
            let body = if action == "approve" { json!({ "digest": request["digest"] }) } else { json!({}) };
            office.act(token, &request, action, body).await.problem(404, "not-found");
        }
    }
    assert_eq!(office.find(&request).await, request, "and changes none");
}

#[tokio::test]
async fn what_is_missing_is_told_with_where_to_put_it() {
    let office = Office::new().await;
    let tenant = office.tenant("Harbour Catch Ltd").await;
    office.prefix(RANGE, tenant).await;
    let asked = office.ask(&office.service.ann, json!({ "prefix": RANGE })).await.expect(201);
    let request = &asked["requests"][0];
    assert_eq!((&request["state"], &request["payload"]), (&json!("draft"), &Value::Null), "{request:#}");
    let missing = request["missing"].as_array().unwrap();
    assert!(!missing.is_empty() && missing.iter().all(|one| one["where_to"] != ""), "{request:#}");
    let told = office.act(&office.service.bob, request, "approve", json!({ "digest": "" })).await;
    let told = told.problem(409, "request-state");
    assert!(told["detail"].as_str().unwrap().contains("draft"), "{told}");
}

#[tokio::test]
async fn only_what_makes_sense_is_asked_for() {
    let office = Office::new().await;
    let prefix = office.assign(RANGE).await;
    let odd = [
        (json!({}), "exactly one"),
        (json!({ "prefix": RANGE, "network": REGISTERED }), "exactly one"),
        (json!({ "prefix": "23.144.4.0/33" }), "`prefix`"),
        (json!({ "network": "" }), "`network`"),
        (json!({ "prefix": RANGE, "operation": "erase" }), "`operation`"),
        (json!({ "prefix": RANGE, "set": { "colour": "red" } }), "`set`"),
    ];
    for (body, word) in odd {
        let told = office.ask(&office.service.ann, body.clone()).await.problem(409, "nothing-to-ask");
        assert!(told["detail"].as_str().unwrap().contains(word), "{body}: {told}");
    }
    let unknown = json!({ "prefix": RANGE, "force": true });
    office.ask(&office.service.ann, unknown).await.problem(400, "invalid-request");
    for body in
        [json!({ "prefix": "23.144.99.0/24" }), json!({ "finding": 4711 }), json!({ "aggregate": 4711.to_string() })]
    {
        office.ask(&office.service.ann, body).await.problem(409, "nothing-to-ask");
    }
    let many = office.ask(&office.service.ann, json!({ "prefix": prefix.to_string(), "plan_only": true })).await;
    assert_eq!(many.expect(201)["requests"][0]["state"], "waiting");
    assert_eq!((office.kept().await, office.writes()), (0, 0));
}

#[tokio::test]
async fn asking_takes_the_permission_to_add_and_a_key() {
    let office = Office::new().await;
    office.assign(RANGE).await;
    let told = office.ask(&office.service.cat, json!({ "prefix": RANGE })).await.problem(403, "not-permitted");
    assert!(told["detail"].as_str().unwrap().contains("add RIR change requests"), "{told}");
    office.ask(&office.service.cat, json!({ "prefix": RANGE, "plan_only": true })).await.expect(201);
    office.service.keys.send_replace(keyring(&[(CONFIG, "bob", SECOND_KEY)]));
    office.ask(&office.service.ann, json!({ "prefix": RANGE })).await.problem(409, "no-api-key");
    assert_eq!(office.kept().await, 0);
}

#[tokio::test]
async fn who_asked_may_not_approve_it() {
    let office = Office::new().await;
    let request = office.waiting().await;
    let told = office.approve(&office.service.ann, &request).await.problem(403, "not-permitted");
    assert!(told["detail"].as_str().unwrap().contains("somebody else"), "{told}");
    assert_eq!(office.find(&request).await["state"], "waiting");
}

#[tokio::test]
async fn who_may_not_change_it_neither_approves_nor_rejects_it() {
    let office = Office::new().await;
    let request = office.waiting().await;
    let told = office.approve(&office.service.cat, &request).await.problem(403, "not-permitted");
    assert!(told["detail"].as_str().unwrap().contains("permission to change"), "{told}");
    office.act(&office.service.cat, &request, "reject", json!({})).await.problem(403, "not-permitted");
    assert_eq!(office.find(&request).await["state"], "waiting");
}

#[tokio::test]
async fn only_what_was_seen_is_approved() {
    let office = Office::new().await;
    let request = office.waiting().await;
    let bob = &office.service.bob;
    let told = office.act(bob, &request, "approve", json!({ "digest": "0000" })).await.problem(409, "request-state");
    assert!(told["detail"].as_str().unwrap().contains("not what was looked at"), "{told}");
    office.act(bob, &request, "approve", json!({})).await.problem(400, "invalid-request");
    // What somebody writes into the row is not what was asked for, even if it is what the approver has seen.
    let id = request["id"].as_u64().unwrap();
    let row = office.service.scene.row_by_id(schema::CHANGE_REQUEST, RowId(id)).await;
    let mut payload: Value = row["payload"].clone();
    payload["call"]["body"] = json!("<net/>");
    office.service.scene.edit(&custom(schema::CHANGE_REQUEST), id, json!({ "payload": payload })).await;
    let shown = office.find(&request).await;
    office.approve(bob, &shown).await.problem(409, "request-state");
    assert_eq!(office.writes(), 0);
}

#[tokio::test]
async fn nothing_is_approved_while_changes_are_switched_off() {
    let mut scene = Scene::new(Target::sandbox().await, empty()).await;
    scene.settings.requests.enabled = false;
    let ann = people::may_approve(&scene, "ann").await;
    let ring = keyring(&[(CONFIG, "ann", KEY)]);
    let service = Service::of(scene, ring, [(); 4].map(|()| ann.token.clone())).await;
    let body = json!({ "network": REGISTERED, "operation": "remove-network" });
    service.post(&service.ann, &service.config("/requests"), body).await.problem(409, "requests-disabled");
}

#[tokio::test]
async fn a_request_is_rejected_with_a_reason_or_withdrawn() {
    let office = Office::new().await;
    let (service, request) = (&office.service, office.waiting().await);
    let told = office.act(&service.bob, &request, "withdraw", json!({})).await.problem(403, "not-permitted");
    assert!(told["detail"].as_str().unwrap().contains("only they can withdraw"), "{told}");
    let rejected = office.act(&service.bob, &request, "reject", json!({ "reason": "wrong tenant" })).await.expect(200);
    assert_eq!(rejected["state"], "rejected");
    assert!(rejected["message"].as_str().unwrap().contains("wrong tenant"), "{rejected:#}");
    for action in ["withdraw", "reject"] {
        office.act(&service.ann, &request, action, json!({})).await.problem(409, "request-state");
    }
    let again = office.ask(&service.ann, json!({ "prefix": RANGE })).await.expect(201)["requests"][0].clone();
    let withdrawn = office.act(&service.ann, &again, "withdraw", json!({})).await.expect(200);
    assert_eq!(withdrawn["state"], "withdrawn");
}

#[tokio::test]
async fn who_approved_it_has_it_sent_and_looked_at() {
    let office = Office::new().await;
    let (service, waiting) = (&office.service, office.waiting().await);
    office.act(&service.bob, &waiting, "submit", json!({})).await.problem(409, "request-state");
    let request = office.approve(&service.bob, &waiting).await.expect(200);
    for action in ["submit", "look"] {
        office.act(&service.ann, &request, action, json!({})).await.problem(403, "not-permitted");
    }
    let told = office.act(&service.bob, &request, "look", json!({})).await.problem(409, "request-state");
    assert!(told["detail"].as_str().unwrap().contains("nothing to look for"), "{told}");
    let accepted = office.act(&service.bob, &request, "submit", json!({})).await;
    assert!(accepted.header("location").starts_with("/api/v1/jobs/"), "{accepted:?}");
    accepted.expect(202);
    assert_eq!(office.writes(), 0, "no worker is there");
    let _working = service.work();
    office.idle().await;
    assert_eq!(office.find(&request).await["state"], "done");
    assert_eq!(office.writes(), 1);
}

#[tokio::test]
async fn a_look_tells_what_became_of_a_lost_answer() {
    let office = Office::new().await;
    let (service, request) = (&office.service, office.approved().await);
    service.scene.arin.fail(Rule::new(Fault::LostAfter).on(Operation::Reassign).times(1));
    // The worker's own look is too early, and the next one is a while away.
    service.scene.arin.configure(|options| options.lag = Duration::from_millis(300));
    let working = service.work();
    let looked_for = async {
        while !office.find(&request).await["message"].to_string().contains("nothing of it yet") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looked_for).await.unwrap();
    drop(working);
    let found = async {
        while office.act(&service.bob, &request, "look", json!({})).await.expect(200)["state"] != "done" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap();
    assert_eq!(office.writes(), 1);
}

#[tokio::test]
async fn the_same_request_asks_once() {
    let office = Office::new().await;
    office.assign(RANGE).await;
    let service = &office.service;
    let send = async |path: &str, body: Value| {
        let request = service.request(Method::POST, path).bearer_auth(&service.ann).header("idempotency-key", "k1");
        answer(request.header("content-type", "application/json").body(body.to_string())).await
    };
    let path = office.requests();
    let first = send(&path, json!({ "prefix": RANGE })).await;
    let second = send(&path, json!({ "prefix": RANGE })).await;
    assert_eq!((second.header("idempotency-replayed"), &second.text), ("true", &first.text));
    first.expect(201);
    assert_eq!(office.kept().await, 1);
    send(&path, json!({ "prefix": "23.144.5.0/24" })).await.problem(422, "idempotency-key-reused");
    // Without a key it is the request of the same range that keeps a second one away.
    let told = office.ask(&service.ann, json!({ "prefix": RANGE })).await.problem(409, "nothing-to-ask");
    assert!(told["detail"].as_str().unwrap().contains("change request"), "{told}");
    assert_eq!(office.kept().await, 1);
}

#[tokio::test]
async fn many_are_asked_for_at_once() {
    let office = Office::new().await;
    let service = &office.service;
    office.assign(RANGE).await;
    for prefix in ["23.144.5.0/24", "23.144.6.0/24"] {
        let owner = service.scene.list("tenancy/tenants", "slug=harbour-catch-ltd").await[0]["id"].as_u64().unwrap();
        office.prefix(prefix, owner).await;
    }
    service.post(&service.ann, &service.config("/sync"), json!({})).await.expect(202);
    let _working = service.work();
    office.idle().await;
    let asked = office.ask(&service.ann, json!({ "aggregate": "23.144.0.0/20" })).await.expect(201);
    assert_eq!((asked["requests"].as_array().unwrap().len(), &asked["left_out"]), (3, &json!(0)), "{asked:#}");
}
