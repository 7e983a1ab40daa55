//! Nothing is sent that was not approved by somebody who may, byte for byte as they saw it.

use rir_sandbox::netbox::Action;
use rir_sidecar::netbox::schema;
use serde_json::{Value, json};

use super::{CONFIG, Changes, KEY, SECOND_KEY, THIRD_KEY, Told, choice, count, id, people};
use crate::scene::{ORG, Target, custom};
use rir_sandbox::regrws::Operation;

const RANGE: &str = "23.144.4.0/24";
const OTHER: &str = "23.144.5.0/24";

/// Two assigned prefixes that nobody has asked for anything for.
async fn changes() -> Changes {
    changes_on(Target::sandbox().await).await
}

async fn changes_on(target: Target) -> Changes {
    let changes = Changes::new(target).await;
    let tenant = changes.customer("Harbour Catch Ltd").await;
    for range in [RANGE, OTHER] {
        changes.assign(range, tenant).await;
    }
    changes.sync().await;
    changes
}

/// Sees to it that an approval was refused with a sentence, and left the request as it was.
async fn assert_refused(changes: &Changes, request: &Value, told: Told, about: &str) {
    let told = told.expect(2);
    let sentence = told.words.lines().find(|line| line.contains(' ') && line.len() > 30);
    assert!(sentence.is_some() && told.words.to_lowercase().contains(about), "{about}: {}", told.words);
    let row = changes.row(request).await;
    assert_eq!(
        (choice(&row, "state").as_str(), row["approved_by"].as_str().unwrap_or_default()),
        ("waiting", ""),
        "{about}"
    );
    changes.take_up().await;
    assert_eq!(changes.wrote(), [""; 0], "{about}");
}

/// Sees to it that nobody gets a request sent, whoever tries.
async fn assert_never_sent(changes: &Changes, request: &Value, why: &str) {
    let told = changes.submit(&changes.bob, &[request]).await;
    assert_ne!(told.code, 0, "{why}: {} {:#?}", told.words, told.requests);
    changes.take_up().await;
    changes.run_as(&changes.bob, &["look", &id(request)]).await;
    changes.take_up().await;
    assert_eq!(changes.wrote(), [""; 0], "{why}");
    assert_ne!(changes.state(request).await, "done", "{why}");
}

#[tokio::test]
async fn of_ones_own_draft() {
    let mut changes = changes().await;
    let request = changes.waiting(&["--prefix", RANGE]).await;
    let told = changes.approve(&changes.ann, &request).await;
    assert_refused(&changes, &request, told, "somebody else").await;
    changes.set("REQUESTS__SELF_APPROVAL", "true");
    changes.approve(&changes.ann, &request).await.expect(0);
    assert_eq!(changes.submit(&changes.ann, &[&request]).await.expect(0).one()["state"], "done");
}

#[tokio::test]
async fn of_something_else_than_was_seen() {
    let changes = changes().await;
    let mut request = changes.waiting(&["--prefix", RANGE]).await;
    let digest = request["digest"].clone();
    let other = changes.waiting(&["--prefix", OTHER]).await;
    for wrong in [other["digest"].clone(), json!("0".repeat(64)), json!("0")] {
        request["digest"] = wrong;
        let told = changes.approve(&changes.bob, &request).await;
        assert_refused(&changes, &request, told, "").await;
    }
    request["digest"] = digest;
    changes.approve(&changes.bob, &request).await.expect(0);
}

#[tokio::test]
async fn of_a_row_that_was_edited_since() {
    let changes = changes().await;
    let request = changes.waiting(&["--prefix", RANGE]).await;
    let payload = changes.row(&request).await["payload"].to_string();
    let edited = payload.replace("Harbour Catch Ltd", "Mallory Catch Ltd");
    assert_ne!(payload, edited, "the payload has the customer's name: {payload}");
    changes.edit(&request, json!({ "payload": serde_json::from_str::<Value>(&edited).unwrap() })).await;
    let told = changes.approve(&changes.bob, &request).await;
    assert_refused(&changes, &request, told, "").await;
}

#[tokio::test]
async fn of_a_draft_that_lacks_something() {
    let changes = changes().await;
    let tenant = changes.tenant("Without Address").await;
    changes.assign("23.144.6.0/24", tenant).await;
    let draft = changes.prepare(&["--prefix", "23.144.6.0/24"]).await.expect(3).one();
    assert_eq!(draft["state"], "draft");
    let told = changes.run_as(&changes.bob, &["approve", &id(&draft)]).await.expect(2);
    assert!(told.words.lines().count() > 1, "{}", told.words);
    assert_eq!(changes.state(&draft).await, "draft");
    // By hand it cannot be made one that waits.
    changes.edit(&draft, json!({ "state": "waiting" })).await;
    changes.run_as(&changes.bob, &["approve", &id(&draft)]).await.expect(2);
    assert_never_sent(&changes, &draft, "a draft").await;
}

#[tokio::test]
async fn by_one_without_permission_to_change_it() {
    let changes = changes().await;
    let request = changes.waiting(&["--prefix", RANGE]).await;
    for (name, actions) in [("eve", &[Action::View, Action::Add][..]), ("fay", &[][..])] {
        let person = people::with(&changes.scene, name, actions).await;
        changes.keys(&[(CONFIG, &changes.ann, KEY), (CONFIG, &changes.bob, SECOND_KEY), (CONFIG, &person, THIRD_KEY)]);
        let told = changes.approve(&person, &request).await;
        assert_refused(&changes, &request, told, "").await;
        assert_eq!(
            changes.run_as(&person, &["reject", &id(&request)]).await.code,
            2,
            "{name} may not reject it either"
        );
        assert_eq!(changes.state(&request).await, "waiting");
    }
}

#[tokio::test]
async fn by_one_who_may_change_other_rows_only() {
    let changes = changes().await;
    let request = changes.waiting(&["--prefix", RANGE]).await;
    let other = changes.waiting(&["--prefix", OTHER]).await;
    let only = other["id"].as_u64().unwrap();
    let person = people::with(&changes.scene, "gil", &[Action::View]).await;
    let grant = rir_sandbox::netbox::Grant::new(&custom(schema::CHANGE_REQUEST), &[Action::View, Action::Change]);
    let limited = people::granted(&changes.scene, "hal", &[grant.only(&[only])]).await;
    changes.keys(&[(CONFIG, &person, KEY), (CONFIG, &limited, THIRD_KEY)]);
    let told = changes.approve(&limited, &request).await;
    assert_refused(&changes, &request, told, "").await;
    changes.approve(&limited, &other).await.expect(0);
}

#[tokio::test]
async fn by_one_without_an_api_key() {
    let changes = changes().await;
    let request = changes.waiting(&["--prefix", RANGE]).await;
    changes.keys(&[(CONFIG, &changes.ann, KEY)]);
    let told = changes.approve(&changes.bob, &request).await;
    assert_refused(&changes, &request, told, "key").await;
}

#[tokio::test]
async fn by_one_whose_key_is_for_another_config() {
    let changes = changes().await;
    let rir = changes.scene.ids("ipam/rirs").await[0];
    changes.scene.add_config("other", ORG, rir).await;
    let request = changes.waiting(&["--prefix", RANGE]).await;
    changes.keys(&[(CONFIG, &changes.ann, KEY), ("other", &changes.bob, SECOND_KEY)]);
    let told = changes.approve(&changes.bob, &request).await;
    assert_refused(&changes, &request, told, "key").await;
}

#[tokio::test]
async fn with_the_token_of_somebody_else() {
    let changes = changes().await;
    let request = changes.waiting(&["--prefix", RANGE]).await;
    let ann_as_bob = people::Person { name: changes.bob.name.clone(), token: changes.ann.token.clone() };
    let told = changes.approve(&ann_as_bob, &request).await;
    assert_refused(&changes, &request, told, "token").await;
    let told = changes.approve(&changes.service(), &request).await;
    assert_refused(&changes, &request, told, "token").await;
    changes.approve(&changes.bob, &request).await.expect(0);
    for person in [&ann_as_bob, &changes.service()] {
        assert_eq!(changes.submit(person, &[&request]).await.code, 2);
        assert_eq!(changes.wrote(), [""; 0]);
    }
}

#[tokio::test]
async fn while_requests_are_not_enabled() {
    let mut changes = changes().await;
    let approved = changes.approved(&["--prefix", OTHER]).await;
    changes.set("REQUESTS__ENABLED", "false");
    let request = changes.waiting(&["--prefix", RANGE]).await;
    let told = changes.approve(&changes.bob, &request).await;
    assert_refused(&changes, &request, told, "requests.enabled").await;
    assert_never_sent(&changes, &approved, "it was approved before").await;
}

#[tokio::test]
async fn a_state_that_was_written_by_hand_is_no_approval() {
    let changes = changes().await;
    let request = changes.waiting(&["--prefix", RANGE]).await;
    let forged = json!({
        "state": "approved", "approved_by": changes.bob.name, "approved_at": "2026-11-27T10:00:00Z",
        "expires": "2126-11-27T10:00:00Z",
    });
    changes.edit(&request, forged).await;
    assert_never_sent(&changes, &request, "no seal").await;
    changes.edit(&request, json!({ "state": "approved", "seal": "0".repeat(64) })).await;
    assert_never_sent(&changes, &request, "no such seal").await;
}

#[tokio::test]
async fn states_of_what_was_sent_that_were_written_by_hand_lead_to_no_call() {
    for state in ["submitting", "unknown"] {
        let changes = changes().await;
        let request = changes.waiting(&["--prefix", RANGE]).await;
        changes.edit(&request, json!({ "state": state, "approved_by": changes.bob.name })).await;
        assert_never_sent(&changes, &request, state).await;
        tokio::time::sleep(super::LOOK_AGAIN).await;
        assert_never_sent(&changes, &request, state).await;
    }
}

#[tokio::test]
async fn the_seal_of_another_row_is_no_approval() {
    let changes = changes().await;
    let approved = changes.approved(&["--prefix", OTHER]).await;
    let request = changes.waiting(&["--prefix", RANGE]).await;
    let row = changes.row(&approved).await;
    let mut copied = json!({ "state": "approved" });
    for name in ["approved_by", "approved_at", "expires", "seal", "digest"] {
        copied[name] = row[name].clone();
    }
    changes.edit(&approved, json!({ "state": "rejected" })).await;
    changes.edit(&request, copied.clone()).await;
    assert_never_sent(&changes, &request, "the seal of another row").await;
    // With all that the other row has it is still another one.
    for name in ["payload", "range", "parent_handle", "operation"] {
        copied[name] = row[name].get("value").unwrap_or(&row[name]).clone();
    }
    changes.edit(&request, copied).await;
    assert_never_sent(&changes, &request, "a copy of another row").await;
}

/// What somebody makes of a row, of which this is the payload.
type Edit = fn(&Changes, &Value) -> Value;

#[tokio::test]
async fn an_approved_row_that_was_edited_is_not_sent() {
    let edits: [(&str, Edit); 7] = [
        ("the customer", |_, payload| replaced(payload, "Harbour Catch Ltd", "Mallory Catch Ltd")),
        ("the range in the call", |_, payload| replaced(payload, "23.144.4", "23.144.6")),
        ("the method", |_, payload| replaced(payload, "PUT", "DELETE")),
        ("the approver", |changes, _| json!({ "approved_by": changes.ann.name })),
        ("a later end", |_, _| json!({ "expires": "2126-11-27T10:00:00Z" })),
        ("an end that has passed", |_, _| json!({ "expires": "2020-11-27T10:00:00Z" })),
        ("the time of the approval", |_, _| json!({ "approved_at": "2020-11-27T10:00:00Z" })),
    ];
    for (what, edit) in edits {
        let changes = changes().await;
        let request = changes.approved(&["--prefix", RANGE]).await;
        let payload = changes.row(&request).await["payload"].clone();
        changes.edit(&request, edit(&changes, &payload)).await;
        assert_never_sent(&changes, &request, what).await;
    }
}

/// The sidecar must not seal what somebody wrote into a row as if it had been asked for like that.
#[tokio::test]
async fn an_approved_row_that_was_edited_is_not_approved_once_more_as_it_was_edited() {
    let changes = changes().await;
    let request = changes.approved(&["--prefix", RANGE]).await;
    let payload = changes.row(&request).await["payload"].clone();
    changes.edit(&request, replaced(&payload, "Harbour Catch Ltd", "Mallory Catch Ltd")).await;
    changes.take_up().await;
    assert_eq!(changes.state(&request).await, "draft");
    changes.edit(&request, json!({ "state": "waiting" })).await;
    let told = changes.run_as(&changes.bob, &["approve", &id(&request)]).await;
    assert_eq!((told.code, changes.state(&request).await.as_str()), (2, "waiting"), "{}", told.words);
    assert_never_sent(&changes, &request, "as it was edited").await;
}

/// A payload with another text in it.
fn replaced(payload: &Value, from: &str, to: &str) -> Value {
    let text = payload.to_string();
    let edited = text.replace(from, to);
    assert_ne!(text, edited, "{from} is not in the payload");
    json!({ "payload": serde_json::from_str::<Value>(&edited).unwrap() })
}

#[tokio::test]
async fn an_approved_row_of_another_config_is_not_sent() {
    let changes = changes().await;
    let rir = changes.scene.ids("ipam/rirs").await[0];
    let other = changes.scene.add_config("other", ORG, rir).await;
    changes.keys(&[
        (CONFIG, &changes.ann, KEY),
        (CONFIG, &changes.bob, SECOND_KEY),
        ("other", &changes.bob, THIRD_KEY),
    ]);
    let request = changes.approved(&["--prefix", RANGE]).await;
    changes.edit(&request, json!({ "config": other.0 })).await;
    let told = changes.run_as(&changes.bob, &["run", "--config-name", "other"]).await;
    assert_eq!(changes.wrote(), [""; 0], "{}", told.words);
    assert_never_sent(&changes, &request, "of another config").await;
}

#[tokio::test]
async fn another_secret_seals_nothing_that_was_sealed_before() {
    let changes = changes().await;
    let request = changes.approved(&["--prefix", RANGE]).await;
    super::secret_file(&changes.folder.path().join("seal"), "fedcba9876543210fedcba9876543210fedcba9876543210");
    assert_never_sent(&changes, &request, "another secret").await;
}

#[tokio::test]
async fn what_was_approved_is_sent_by_nobody_else() {
    let changes = changes().await;
    let request = changes.approved(&["--prefix", RANGE]).await;
    let dora = people::may_approve(&changes.scene, "dora").await;
    changes.keys(&[(CONFIG, &changes.ann, KEY), (CONFIG, &changes.bob, SECOND_KEY), (CONFIG, &dora, THIRD_KEY)]);
    for person in [&dora, &changes.ann] {
        assert_ne!(changes.submit(person, &[&request]).await.code, 0);
        assert_eq!((changes.wrote(), changes.state(&request).await.as_str()), (Vec::new(), "approved"));
    }
    // Nor with the key of anybody else, once the approver has none.
    changes.keys(&[(CONFIG, &changes.ann, KEY), (CONFIG, &dora, THIRD_KEY)]);
    assert_ne!(changes.submit(&changes.bob, &[&request]).await.code, 0);
    changes.take_up().await;
    assert_eq!((changes.wrote(), changes.state(&request).await.as_str()), (Vec::new(), "approved"));
}

/// It is only ever the approver's key that ARIN sees with a call, also when the call is repeated.
#[tokio::test]
async fn a_call_that_is_repeated_is_sent_with_the_same_key() {
    let changes = changes().await;
    let request = changes.approved(&["--prefix", RANGE]).await;
    // Whoever else sends it has no authority.
    changes.scene.arin.configure(|options| {
        options.authority.extend([(KEY.to_owned(), [].into()), (THIRD_KEY.to_owned(), [].into())]);
    });
    let lost = rir_sandbox::regrws::Fault::LostBefore;
    changes.scene.arin.fail(rir_sandbox::regrws::Rule::new(lost).on(Operation::Reassign).times(1));
    changes.submit(&changes.bob, &[&request]).await;
    assert_eq!(changes.state(&request).await, "unknown");
    let dora = people::may_approve(&changes.scene, "dora").await;
    changes.keys(&[(CONFIG, &changes.ann, KEY), (CONFIG, &dora, THIRD_KEY)]);
    for _ in 0..3 {
        tokio::time::sleep(super::LOOK_AGAIN + std::time::Duration::from_millis(100)).await;
        changes.take_up().await;
        changes.run_as(&dora, &["submit", &id(&request)]).await;
    }
    assert_eq!(count(&changes.writes(), Operation::Reassign), 1, "nobody else's key will do");
    changes.keys(&[(CONFIG, &changes.ann, KEY), (CONFIG, &changes.bob, SECOND_KEY), (CONFIG, &dora, THIRD_KEY)]);
    changes.settle().await;
    assert_eq!((changes.state(&request).await.as_str(), changes.nets(RANGE).len()), ("done", 1));
}

#[tokio::test]
async fn two_who_send_it_at_the_same_time_send_it_once() {
    let changes = changes().await;
    let request = changes.approved(&["--prefix", RANGE]).await;
    changes.scene.arin.configure(|options| options.latency = std::time::Duration::from_millis(30));
    let ids = [&request];
    let submit = || changes.submit(&changes.bob, &ids);
    tokio::join!(submit(), submit(), submit(), changes.take_up());
    changes.settle().await;
    assert_eq!(
        (changes.wrote().len(), changes.nets(RANGE).len(), changes.state(&request).await.as_str()),
        (1, 1, "done")
    );
}

#[tokio::test]
async fn what_changed_at_arin_since_it_was_approved_is_seen_before_it_is_sent() {
    let changes = changes().await;
    let request = changes.approved(&["--prefix", RANGE]).await;
    changes.register("23.144.4.0/25", "Somebody Else");
    changes.scene.add(super::PREFIXES, json!([{ "prefix": "23.144.4.0/25" }])).await;
    changes.sync().await;
    let told = changes.submit(&changes.bob, &[&request]).await.expect(3);
    assert_eq!(changes.wrote(), [""; 0], "{:#?}", told.requests);
    assert_ne!(changes.state(&request).await, "done");
}

/// The wrong approvals of all kinds, one after the other on one request, so that they may be tried on a NetBox that looks at
/// permissions and changes by its own rules.
pub(crate) async fn wrong_ones_of_all_kinds_are_refused(target: Target) {
    let changes = changes_on(target).await;
    let request = changes.waiting(&["--prefix", RANGE]).await;
    let told = changes.approve(&changes.ann, &request).await;
    assert_refused(&changes, &request, told, "somebody else").await;
    let viewer = people::with(&changes.scene, "eve", &[Action::View, Action::Add]).await;
    let unseeing = people::with(&changes.scene, "fay", &[]).await;
    let people = [(CONFIG, &changes.ann, KEY), (CONFIG, &viewer, SECOND_KEY), (CONFIG, &unseeing, THIRD_KEY)];
    changes.keys(&people);
    for person in [&viewer, &unseeing] {
        let told = changes.approve(person, &request).await;
        assert_refused(&changes, &request, told, "").await;
    }
    changes.keys(&[(CONFIG, &changes.ann, KEY), ("other", &changes.bob, SECOND_KEY)]);
    let told = changes.approve(&changes.bob, &request).await;
    assert_refused(&changes, &request, told, "key").await;
    let dora = people::may_approve(&changes.scene, "dora").await;
    changes.keys(&[(CONFIG, &changes.ann, KEY), (CONFIG, &changes.bob, SECOND_KEY), (CONFIG, &dora, THIRD_KEY)]);
    let ann_as_bob = people::Person { name: changes.bob.name.clone(), token: changes.ann.token.clone() };
    let told = changes.approve(&ann_as_bob, &request).await;
    assert_refused(&changes, &request, told, "token").await;
    let payload = changes.row(&request).await["payload"].clone();
    changes.edit(&request, replaced(&payload, "Harbour Catch Ltd", "Mallory Catch Ltd")).await;
    let told = changes.approve(&changes.bob, &request).await;
    assert_refused(&changes, &request, told, "").await;
    changes.edit(&request, json!({ "payload": payload })).await;
    let forged = json!({
        "state": "approved", "approved_by": changes.bob.name, "approved_at": "2026-11-27T10:00:00Z",
        "expires": "2126-11-27T10:00:00Z",
    });
    changes.edit(&request, forged).await;
    assert_never_sent(&changes, &request, "no seal").await;
    let other = changes.approved(&["--prefix", OTHER]).await;
    assert_ne!(changes.submit(&dora, &[&other]).await.code, 0, "it is not hers");
    changes.edit(&other, json!({ "approved_by": dora.name })).await;
    assert_ne!(changes.submit(&dora, &[&other]).await.code, 0, "it was forged");
    assert_never_sent(&changes, &other, "the approver was edited").await;
}

#[tokio::test]
async fn wrong_ones_are_refused() {
    wrong_ones_of_all_kinds_are_refused(Target::sandbox().await).await;
}
