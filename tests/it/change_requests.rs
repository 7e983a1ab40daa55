//! Change requests in NetBox: how their rows are made and changed by several at once, and who decides about them.

use jiff::{SignedDuration, Timestamp};
use rir_sandbox::{
    netbox::{Action, Fault, Grant, Rule, Server},
    regrws::KEY,
};
use rir_sidecar::{
    arin::{Call, NewCustomer, NewHolder, NewNet, Verb},
    config,
    model::{Address, CustomerHandle, Instance, NetBlock, NetHandle, NetType, RowId},
    netbox::{Client, Refusal, RequestFilter, RequestLinks, Saved, TicketDraft, schema},
    requests::{
        Change, ChangeRequest, Check, Content, Decisions, Destination, NewRequest, NotApproved, NotDecided, NotOpened,
        NotSealed, Operation, Person, Sealer, State, Subject, Verdict, open, seal,
    },
    services::Services,
};
use serde_json::{Value, json};

use crate::scene::{CONFIG, Row, Scene, Target, custom, small};

const PREFIX: &str = "23.144.3.0/26";

/// A service that may change things at ARIN, and the people who use it. `ann` and `ben` may change requests and have keys,
/// `cid` may only look at them, and `dan` has a key for another config.
struct Office {
    scene: Scene,
    services: Services,
    tokens: [(&'static str, String); 4],
}

async fn office() -> Office {
    let mut scene = Scene::new(Target::sandbox().await, small()).await;
    scene.settings.requests.enabled = true;
    scene.settings.requests.seal = "0123456789abcdef0123456789abcdef".into();
    scene.keys(&[(CONFIG, "ann", KEY), (CONFIG, "ben", "API-B"), (CONFIG, "cid", "API-C"), ("other", "dan", "API-D")]);
    let token = |name: &'static str, actions: &[Action]| {
        let grants = vec![Grant::new(&custom(schema::CHANGE_REQUEST), actions)];
        (name, server(&scene).add_user(name, grants))
    };
    let changes = [Action::View, Action::Change];
    let tokens =
        [token("ann", &changes), token("ben", &changes), token("cid", &[Action::View]), token("dan", &changes)];
    let services = scene.services();
    Office { scene, services, tokens }
}

fn server(scene: &Scene) -> &Server {
    scene.netbox.server.as_ref().unwrap()
}

fn block(text: &str) -> NetBlock {
    text.parse::<ipnet::IpNet>().unwrap().into()
}

fn content(prefix: &str) -> Content {
    let address = Address {
        street: vec!["1 Main St".to_owned()],
        city: Some("Springfield".to_owned()),
        state_province: Some("IL".to_owned()),
        postal_code: Some("62701".to_owned()),
        country: Some("US".to_owned()),
    };
    let customer = NewCustomer { name: "Sample Bakery".to_owned(), address, private: false, comment: Vec::new() };
    let net = NewNet {
        name: "SAMPLE-BAKERY".to_owned(),
        parent: NetHandle::new("NET-23-144-0-0-1").unwrap(),
        range: block(prefix),
        kind: NetType::Reassigned,
        holder: NewHolder::Customer(customer),
        comment: Vec::new(),
    };
    let path = ["net", "NET-23-144-0-0-1", "reassign"].map(str::to_owned).to_vec();
    Content {
        change: Some(Change::Create(net)),
        call: Some(Call {
            method: Verb::Put,
            path,
            query: Vec::new(),
            body: Some(format!("<net><!-- {prefix} --></net>")),
        }),
        checks: vec![Check { name: "parent".to_owned(), verdict: Verdict::Passed, reason: "It is ours.".to_owned() }],
        ..Content::default()
    }
}

fn with_another_body(mut content: Content) -> Content {
    content.call.as_mut().unwrap().body = Some("<net>another</net>".to_owned());
    content
}

impl Office {
    fn client(&self, name: &str) -> Client {
        let (_, token) = self.tokens.iter().find(|(other, _)| *other == name).unwrap();
        self.services.netbox.acting_for(&token.as_str().into()).unwrap()
    }

    fn sealer(&self) -> Sealer {
        Sealer::new(&self.services.settings.requests).unwrap()
    }

    fn instance(&self) -> Instance {
        self.services.arin.instance(&self.scene.arin.url()).unwrap()
    }

    fn destination(&self) -> Destination {
        Destination { config: self.scene.config, name: CONFIG.to_owned(), instance: self.instance() }
    }

    fn asked(&self, prefix: &str) -> NewRequest {
        NewRequest {
            destination: self.destination(),
            subject: Subject::Range(block(prefix)),
            operation: Operation::ReassignSimple,
            summary: format!("Reassign {prefix}"),
            message: None,
            parent: NetHandle::new("NET-23-144-0-0-1"),
            links: RequestLinks::default(),
            content: content(prefix),
            requested_by: "ann".to_owned(),
            requested_at: Timestamp::now(),
        }
    }

    async fn open(&self, requests: &[NewRequest]) -> Vec<Result<RowId, NotOpened>> {
        open(&self.services.netbox, &self.sealer(), requests).await.unwrap()
    }

    async fn opened(&self, prefix: &str) -> RowId {
        self.open(&[self.asked(prefix)]).await.remove(0).unwrap()
    }

    async fn request(&self, id: RowId) -> ChangeRequest {
        self.services.netbox.request_row(id).await.unwrap().unwrap().try_into().unwrap()
    }

    async fn row(&self, id: RowId) -> Row {
        self.scene.row_by_id(schema::CHANGE_REQUEST, id).await
    }

    async fn edit(&self, id: RowId, fields: Value) {
        self.scene.edit(&custom(schema::CHANGE_REQUEST), id.0, fields).await;
    }

    async fn digest(&self, id: RowId) -> String {
        self.request(id).await.digest.unwrap()
    }

    /// Decides with these rules.
    async fn decide<T>(
        &self,
        rules: &config::Requests,
        decide: impl AsyncFnOnce(&Decisions<'_>) -> Result<T, NotDecided>,
    ) -> Result<T, NotDecided> {
        let keys = self.services.keys.borrow().clone();
        let Services { netbox, arin, .. } = &self.services;
        decide(&Decisions { netbox, arin, keys: &keys, settings: rules, now: Timestamp::now() }).await
    }

    async fn approve_by(
        &self,
        rules: &config::Requests,
        name: &str,
        id: RowId,
        saw: &str,
    ) -> Result<ChangeRequest, NotDecided> {
        let client = self.client(name);
        let person = Person { name, netbox: Some(&client) };
        let configs = self.services.netbox.configs().await.unwrap();
        self.decide(rules, async |decisions| decisions.approve(&person, &configs, (id, Some(saw))).await).await
    }

    async fn approve(&self, name: &str, id: RowId, saw: &str) -> Result<ChangeRequest, NotDecided> {
        self.approve_by(&self.services.settings.requests.clone(), name, id, saw).await
    }

    async fn approved(&self, prefix: &str) -> RowId {
        let id = self.opened(prefix).await;
        self.approve("ben", id, &self.digest(id).await).await.unwrap();
        id
    }

    /// Says whether a request would be sent.
    async fn verified(&self, id: RowId) -> Result<(), NotSealed> {
        let request = self.request(id).await;
        self.sealer().valid_approval(&request, &self.destination(), Timestamp::now()).map(drop)
    }
}

#[tokio::test]
async fn what_somebody_asked_for_is_approved_by_somebody_else_and_stays_as_it_was_sealed() {
    let office = office().await;
    let id = office.opened(PREFIX).await;
    let row = office.row(id).await;
    assert_eq!((&row["state"]["value"], &row["requested_by"]), (&json!("waiting"), &json!("ann")));
    assert_eq!(row["range"], "23.144.3.0 - 23.144.3.63");
    assert_eq!(office.verified(id).await, Err(NotSealed::NotApproved(id, State::Waiting)));
    let approved = office.approve("ben", id, &office.digest(id).await).await.unwrap();
    let approval = approved.approval.as_ref().unwrap();
    assert_eq!((approved.state, approval.by.as_str()), (State::Approved, "ben"));
    assert_eq!(approval.expires.duration_since(approval.at), SignedDuration::from_hours(7 * 24));
    assert_eq!(office.verified(id).await, Ok(()));
    assert_eq!(office.request(id).await, approved, "it is returned as it is recorded");
    let changes = office.scene.list("core/object-changes", "limit=1000&ordering=id").await;
    let last = changes.iter().rfind(|change| change["changed_object_id"] == json!(id)).unwrap();
    assert_eq!((&last["user_name"], &last["action"]["value"]), (&json!("ben"), &json!("update")), "{last:?}");
}

#[tokio::test]
async fn every_wrong_approval_is_refused_and_changes_nothing() {
    let office = office().await;
    let id = office.opened(PREFIX).await;
    let (before, digest) = (office.row(id).await, office.digest(id).await);
    let told = async |name: &str, saw: &str| {
        let approved = office.approve(name, id, saw).await;
        let Err(NotDecided::NotApproved(why)) = approved else { panic!("{name}: {approved:?}") };
        why
    };
    let ann = "ann".to_owned();
    assert_eq!(told("ann", &digest).await, NotApproved::OwnRequest { id, person: ann });
    assert_eq!(told("cid", &digest).await, NotApproved::NotPermitted { id, person: "cid".to_owned() });
    assert_eq!(told("dan", &digest).await, NotApproved::NoKey { config: CONFIG.to_owned(), person: "dan".to_owned() });
    assert_eq!(told("ben", "").await, NotApproved::OtherDigest { id, digest: digest.clone() });
    let off = config::Requests { enabled: false, ..office.services.settings.requests.clone() };
    let told = office.approve_by(&off, "ben", id, &digest).await.unwrap_err();
    assert!(matches!(told, NotDecided::NotApproved(NotApproved::Disabled)), "{told}");
    let (rules, person) = (office.services.settings.requests.clone(), Person { name: "ben", netbox: None });
    let configs = office.services.netbox.configs().await.unwrap();
    let told = office
        .decide(&rules, async |decisions| decisions.approve(&person, &configs, (id, Some(&digest))).await)
        .await
        .unwrap_err();
    assert!(matches!(told, NotDecided::NotApproved(NotApproved::NoOwnToken { .. })), "{told}");
    let nowhere = office.approve("ben", RowId(9999), &digest).await.unwrap_err();
    assert!(matches!(nowhere, NotDecided::NoSuchRequest(RowId(9999))), "{nowhere}");
    assert_eq!(office.row(id).await, before);
    let own = config::Requests { self_approval: true, ..rules };
    assert_eq!(office.approve_by(&own, "ann", id, &digest).await.unwrap().approval.unwrap().by, "ann");
}

#[tokio::test]
async fn a_draft_that_was_edited_after_somebody_looked_at_it_is_not_approved() {
    let office = office().await;
    let id = office.opened(PREFIX).await;
    let saw = office.digest(id).await;
    let other = with_another_body(content(PREFIX));
    office.edit(id, json!({ "payload": other })).await;
    let now = seal::digest(&office.instance(), other.call.as_ref().unwrap());
    let told = office.approve("ben", id, &saw).await.unwrap_err();
    assert!(
        matches!(&told, NotDecided::NotApproved(NotApproved::OtherDigest { digest, .. }) if *digest == now),
        "{told}"
    );
    // Whoever edits the row can edit its digest, too, and show it.
    office.edit(id, json!({ "digest": now })).await;
    let told = office.approve("ben", id, &now).await.unwrap_err();
    assert!(matches!(told, NotDecided::NotSealed(NotSealed::Broken(_))), "{told}");
    assert_eq!(office.row(id).await["state"]["value"], "waiting");
}

#[tokio::test]
async fn nobody_comes_to_approve_their_own_by_naming_somebody_else_in_the_row() {
    let office = office().await;
    let id = office.opened(PREFIX).await;
    let digest = office.digest(id).await;
    office.edit(id, json!({ "requested_by": "ben" })).await;
    let told = office.approve("ann", id, &digest).await.unwrap_err();
    assert!(matches!(told, NotDecided::NotSealed(NotSealed::Broken(_))), "{told}");
}

#[tokio::test]
async fn a_forged_row_is_never_sent() {
    let office = office().await;
    let real = office.approved("23.144.3.64/26").await;
    let genuine = office.row(real).await;
    let forged = office.opened(PREFIX).await;
    let (at, expires) = ("2026-11-27T12:00:00Z", "2999-01-01T00:00:00Z");
    let by_hand = json!({ "state": "approved", "approved_by": "ben", "approved_at": at, "expires": expires });
    office.edit(forged, by_hand).await;
    assert_eq!(office.verified(forged).await, Err(NotSealed::Broken(forged)), "state written by hand");
    office.edit(forged, json!({ "seal": genuine["seal"] })).await;
    assert_eq!(office.verified(forged).await, Err(NotSealed::Broken(forged)), "the seal of another row");
    let copied =
        ["payload", "range", "digest", "approved_by", "approved_at", "expires", "requested_by", "requested_at"];
    let copied: Value = copied.into_iter().map(|name| (name.to_owned(), genuine[name].clone())).collect();
    office.edit(forged, copied).await;
    assert_eq!(office.verified(forged).await, Err(NotSealed::Broken(forged)), "all of another row but its id");
    assert_eq!(office.verified(real).await, Ok(()));
}

#[tokio::test]
async fn an_approved_row_that_was_edited_is_never_sent() {
    let office = office().await;
    let other = office.scene.add_config("other", "OTHER-1", office.scene.ids("ipam/rirs").await[0]).await;
    for (name, value) in [
        ("approved_by", json!("dan")),
        ("approved_at", json!("2026-11-27T12:00:00Z")),
        ("expires", json!("2999-01-01T00:00:00Z")),
        ("requested_by", json!("dan")),
        ("config", json!(other)),
        ("payload", json!(with_another_body(content(PREFIX)))),
        ("seal", Value::Null),
    ] {
        let id = office.approved(PREFIX).await;
        assert_eq!(office.verified(id).await, Ok(()));
        office.edit(id, json!({ name: value })).await;
        assert_eq!(office.verified(id).await, Err(NotSealed::Broken(id)), "{name}");
        office.edit(id, json!({ "key": format!("request:{id}"), "state": "rejected" })).await;
    }
    let id = office.approved(PREFIX).await;
    office.edit(id, json!({ "range": "23.144.3.0 - 23.144.3.127" })).await;
    let row = office.services.netbox.request_row(id).await.unwrap().unwrap();
    assert_eq!(ChangeRequest::try_from(row).unwrap_err().id, id);
}

#[tokio::test]
async fn an_approval_ends_and_gives_its_place_free() {
    let office = office().await;
    let id = office.approved(PREFIX).await;
    let rules = office.services.settings.requests.clone();
    let request = office.request(id).await;
    let none = office.decide(&rules, async |decisions| decisions.expire(&request).await).await.unwrap();
    assert_eq!(none, None);
    let expires = request.approval.as_ref().unwrap().expires;
    let valid = office.sealer().valid_approval(&request, &office.destination(), expires).map(drop);
    assert_eq!(valid, Err(NotSealed::Expired(id, expires)));
    let later = async |decisions: &Decisions<'_>| Decisions { now: expires, ..*decisions }.expire(&request).await;
    assert_eq!(office.decide(&rules, later).await.unwrap().unwrap().state, State::Expired);
    office.opened(PREFIX).await;
}

#[tokio::test]
async fn those_who_may_change_it_reject_it_and_whoever_asked_withdraws_it() {
    let office = office().await;
    let rules = office.services.settings.requests.clone();
    let reject = async |name: &str, id: RowId| {
        let client = office.client(name);
        let person = Person { name, netbox: Some(&client) };
        office.decide(&rules, async |decisions| decisions.reject(&person, id, "They left.").await).await
    };
    let withdraw = async |name: &str, id: RowId| {
        let person = Person { name, netbox: None };
        office.decide(&rules, async |decisions| decisions.withdraw(&person, id).await).await
    };
    let id = office.opened(PREFIX).await;
    assert!(matches!(reject("cid", id).await.unwrap_err(), NotDecided::MayNotReject { .. }));
    assert!(matches!(withdraw("ben", id).await.unwrap_err(), NotDecided::NotTheirs { .. }));
    let rejected = reject("ben", id).await.unwrap();
    assert_eq!((rejected.state, rejected.message.as_deref()), (State::Rejected, Some("rejected by ben: They left.")));
    assert!(matches!(withdraw("ann", id).await.unwrap_err(), NotDecided::TooLate { state: State::Rejected, .. }));
    let again = office.approved(PREFIX).await;
    assert_eq!(withdraw("ann", again).await.unwrap().state, State::Withdrawn);
    let sent = office.approved(PREFIX).await;
    office.edit(sent, json!({ "state": "submitting" })).await;
    assert!(matches!(reject("ben", sent).await.unwrap_err(), NotDecided::TooLate { state: State::Submitting, .. }));
}

#[tokio::test]
async fn one_request_is_open_for_a_range_whoever_asks_at_the_same_time() {
    let office = office().await;
    let one = [office.asked(PREFIX)];
    let asked = futures_util::future::join_all((0..5).map(|_| office.open(&one))).await;
    let (opened, others): (Vec<_>, Vec<_>) = asked.into_iter().flatten().partition(Result::is_ok);
    let id = *opened[0].as_ref().unwrap();
    assert_eq!(opened.len(), 1);
    assert!(others.iter().all(|other| matches!(other, Err(NotOpened::Taken(by)) if *by == id)), "{others:?}");
    let wider = office.open(&[office.asked("23.144.3.0/24")]).await.remove(0);
    assert!(matches!(wider, Err(NotOpened::Taken(by)) if by == id), "{wider:?}");
    let beside = office.open(&[office.asked("23.144.3.64/26"), office.asked("23.144.3.64/27")]).await;
    assert!(beside[0].is_ok() && matches!(beside[1], Err(NotOpened::Twice)), "{beside:?}");
}

#[tokio::test]
async fn ranges_that_overlap_are_not_open_together_whoever_asks_at_the_same_time() {
    let office = office().await;
    for round in 0..4 {
        let ranges = [24, 25, 26].map(|length| office.asked(&format!("23.144.{}.0/{length}", 8 + round)));
        futures_util::future::join_all(ranges.iter().map(|range| office.open(std::slice::from_ref(range)))).await;
        let filter = RequestFilter { states: vec!["waiting".to_owned()], ..RequestFilter::default() };
        let open = office.services.netbox.request_rows(&filter).await.unwrap();
        let here = open.iter().filter(|row| row.summary.contains(&format!("23.144.{}.", 8 + round)));
        assert!(here.count() <= 1, "{open:?}");
    }
}

#[tokio::test]
async fn a_place_that_a_row_holds_which_was_ended_by_hand_is_freed() {
    let office = office().await;
    let id = office.opened(PREFIX).await;
    office.edit(id, json!({ "state": "rejected" })).await;
    let next = office.opened(PREFIX).await;
    assert_ne!(next, id);
    assert_eq!(office.row(id).await["key"], format!("request:{id}"));
}

#[tokio::test]
async fn a_customer_is_deleted_while_the_range_is_given_to_the_next_one() {
    let office = office().await;
    office.opened(PREFIX).await;
    let left = || NewRequest {
        subject: Subject::Customer(CustomerHandle::new("C00000001").unwrap()),
        operation: Operation::DeleteCustomer,
        content: Content::default(),
        ..office.asked(PREFIX)
    };
    let id = office.open(&[left()]).await.remove(0).unwrap();
    assert_eq!(office.row(id).await["state"]["value"], "draft", "nothing is known to be sent");
    let again = office.open(&[left()]).await.remove(0);
    assert!(matches!(again, Err(NotOpened::Taken(by)) if by == id), "{again:?}");
}

#[tokio::test]
async fn a_new_request_whose_answer_was_lost_is_made_once_and_is_not_taken_for_anothers() {
    let office = office().await;
    server(&office.scene).fail(Rule::new(Fault::LoseAnswer).path(schema::CHANGE_REQUEST).method("POST").times(1));
    let requests = [office.asked("23.144.3.0/26"), office.asked("23.144.3.64/26")];
    let opened = office.open(&requests).await;
    assert!(opened.iter().all(Result::is_ok), "{opened:?}");
    assert_eq!(office.scene.rows_of(schema::CHANGE_REQUEST).await.len(), 2);
}

/// Moves a request to `submitting`, as somebody who claims it.
async fn claim(netbox: &Client, request: &ChangeRequest, by: &str) -> Result<Saved, Refusal> {
    let mut fields = request.moved(State::Submitting);
    fields.insert("intent".to_owned(), json!({ "by": by }));
    netbox.save_request((request.id, &request.etag), &fields, "rir-sidecar: claimed").await
}

#[tokio::test]
async fn of_many_who_claim_a_request_at_once_one_gets_it() {
    let office = office().await;
    let request = office.request(office.approved(PREFIX).await).await;
    let names = ["a", "b", "c", "d", "e"];
    let claims = names.map(|name| claim(&office.services.netbox, &request, name));
    let claims: Vec<Saved> = futures_util::future::try_join_all(claims).await.unwrap();
    let saved: Vec<usize> = (0..names.len()).filter(|place| matches!(claims[*place], Saved::Saved(_))).collect();
    assert_eq!(saved.len(), 1, "{claims:?}");
    assert_eq!(office.request(request.id).await.intent, Some(json!({ "by": names[saved[0]] })));
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_known_by_what_it_wrote() {
    let office = office().await;
    let lose = |fault: Fault| {
        let rule = Rule::new(fault).path(schema::CHANGE_REQUEST).method("PATCH").times(1);
        server(&office.scene).fail(rule);
    };
    for (range, fault) in
        [(PREFIX, Fault::LoseAnswer), ("23.144.3.64/26", Fault::Status(502)), ("23.144.3.128/26", Fault::Status(429))]
    {
        let request = office.request(office.approved(range).await).await;
        lose(fault);
        assert!(matches!(claim(&office.services.netbox, &request, "a").await, Ok(Saved::Saved(_))));
        assert!(matches!(claim(&office.services.netbox, &request, "b").await, Ok(Saved::Changed)));
    }
    let request = office.request(office.approved("23.144.3.192/26").await).await;
    office.edit(request.id, json!({ "message": "somebody was here" })).await;
    lose(Fault::Status(502));
    assert!(matches!(claim(&office.services.netbox, &request, "a").await, Ok(Saved::Changed)));
    let viewer = claim(&office.client("cid"), &request, "c").await;
    assert!(matches!(viewer, Err(Refusal::Forbidden(_))), "{viewer:?}");
}

#[tokio::test]
async fn a_network_with_auto_reassign_approves_new_ones_inside_it_for_whoever_made_them() {
    let office = office().await;
    office.scene.sync().await;
    let mut rules = office.services.settings.requests.clone();
    rules.auto_per_day = 2;
    let configs = office.services.netbox.configs().await.unwrap();
    let stand = async |id: RowId, changed_by: Option<&str>| {
        let request = office.request(id).await;
        office.decide(&rules, async |decisions| decisions.approve_standing(&request, &configs, changed_by).await).await
    };
    let first = office.opened(PREFIX).await;
    assert!(
        matches!(stand(first, Some("ann")).await.unwrap_err(), NotDecided::NotStanding { .. }),
        "no network says so"
    );
    let parent =
        office.scene.rows_of(schema::NETWORK).await.into_iter().find(|row| row["cidrs"] == "23.144.0.0/20").unwrap();
    office.scene.edit(&custom(schema::NETWORK), parent["id"].as_u64().unwrap(), json!({ "auto_reassign": true })).await;
    assert!(stand(first, None).await.is_err() && stand(first, Some("ben")).await.is_err(), "somebody else's change");
    assert_eq!(stand(first, Some("ann")).await.unwrap().approval.unwrap().by, "ann");
    assert_eq!(office.verified(first).await, Ok(()));
    let second = office.opened("23.144.3.64/26").await;
    office.edit(second, json!({ "requested_by": "ben" })).await;
    let forged = stand(second, Some("ben")).await.unwrap_err();
    assert!(matches!(forged, NotDecided::NotSealed(_)), "{forged}");
    let (third, fourth) = (office.opened("23.144.3.128/26").await, office.opened("23.144.3.192/26").await);
    assert!(stand(third, Some("ann")).await.is_ok());
    let told = words(&stand(fourth, Some("ann")).await.unwrap_err());
    assert!(told.contains("2 were approved beforehand today"), "{told}");
}

fn words(error: &NotDecided) -> String {
    rir_sidecar::error_chain::error_chain(error)
}

#[tokio::test]
async fn requests_are_listed_by_config_state_and_id_without_their_documents() {
    let office = office().await;
    let (one, other) = (office.opened(PREFIX).await, office.approved("23.144.3.64/26").await);
    let list = async |filter: RequestFilter| {
        let rows = office.services.netbox.request_rows(&filter).await.unwrap();
        assert!(rows.iter().all(|row| row.payload.is_null()));
        rows.iter().map(|row| row.id).collect::<Vec<_>>()
    };
    let filter = RequestFilter::default();
    assert_eq!(list(filter.clone()).await, [one, other]);
    assert_eq!(list(RequestFilter { states: vec!["approved".to_owned()], ..filter.clone() }).await, [other]);
    let both = vec!["approved".to_owned(), "waiting".to_owned()];
    assert_eq!(list(RequestFilter { states: both, ids: vec![one], ..filter.clone() }).await, [one]);
    assert_eq!(list(RequestFilter { config: Some(RowId(999)), ..filter }).await, []);
    let listed = office.services.netbox.request_rows(&RequestFilter::default()).await.unwrap();
    assert_eq!(listed[1].etag, office.request(other).await.etag, "a row of a list can be changed as well");
}

#[tokio::test]
async fn a_ticket_is_recorded_once_and_written_when_it_changes() {
    let office = office().await;
    let request = office.opened(PREFIX).await;
    let ticket = TicketDraft {
        key: office.instance().key("20261127-X1"),
        number: "20261127-X1".to_owned(),
        ticket_type: Some("IPV4_SIMPLE_REASSIGN".to_owned()),
        status: Some("PENDING_REVIEW".to_owned()),
        resolution: None,
        config: office.scene.config,
        change_request: Some(request),
        created_at: Some("2026-11-27T12:00:00Z".parse().unwrap()),
        updated_at: None,
        waiting_for_us: false,
    };
    let record = async |ticket: &TicketDraft| {
        let tickets = std::slice::from_ref(ticket);
        office.services.netbox.record_tickets(tickets, "rir-sidecar: told by ARIN").await.unwrap().remove(0).unwrap()
    };
    let id = record(&ticket).await;
    server(&office.scene).forget_requests();
    assert_eq!(record(&ticket).await, id);
    let requests = server(&office.scene).requests();
    assert_eq!(requests.count("POST", schema::TICKET) + requests.count("PATCH", schema::TICKET), 0);
    let closed = TicketDraft { status: Some("CLOSED".to_owned()), resolution: Some("PROCESSED".to_owned()), ..ticket };
    assert_eq!(record(&closed).await, id);
    let row = office.scene.row_by_id(schema::TICKET, id).await;
    assert_eq!((&row["status"], &row["resolution"]), (&json!("CLOSED"), &json!("PROCESSED")));
    assert_eq!(office.services.netbox.tickets().await.unwrap()[0].change_request, Some(request));
}
