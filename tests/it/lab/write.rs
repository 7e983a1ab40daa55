//! The bulk writer against a real NetBox, some of it through a proxy that plays tricks.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use rir_sidecar::{
    model::RowId,
    netbox::{Client, Created, Draft, Patch, Refusal, Row, id_of, objects_path, schema::NETWORK},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::netbox::{bootstrapped, row, settings, unique, url, variable};
use crate::proxy::{Proxy, Trick};

/// Networks whose handles begin with a word of this test's own.
struct Case {
    client: Client,
    word: String,
}

impl Case {
    async fn new() -> Self {
        Self { client: bootstrapped().await, word: unique() }
    }

    /// The same rows seen through a proxy.
    async fn through(proxy: &Proxy) -> Self {
        bootstrapped().await;
        let mut settings = settings(&proxy.url());
        settings.timeout = Duration::from_secs(5);
        Self { client: Client::new(&settings).unwrap(), word: unique() }
    }

    fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.word)
    }

    fn draft(&self, name: &str, more: Value) -> Draft {
        let mut body = row(json!({"key": self.key(name), "handle": format!("{}-{name}", self.word)}));
        body.extend(row(more));
        Draft { key: self.key(name), body }
    }

    fn drafts(&self, names: &[&str]) -> Vec<Draft> {
        names.iter().map(|name| self.draft(name, json!({"net_name": "NEW"}))).collect()
    }

    async fn create(&self, drafts: Vec<Draft>) -> Vec<Result<Created, Refusal>> {
        self.client.writer(NETWORK, "lab").create(drafts).await
    }

    async fn created(&self, names: &[&str]) -> Vec<RowId> {
        self.create(self.drafts(names)).await.into_iter().map(|outcome| outcome.unwrap().id).collect()
    }

    fn patch(&self, id: RowId, name: &str, body: Value) -> Patch {
        Patch { id, key: self.key(name), body: row(body) }
    }

    async fn rows(&self) -> Vec<Row> {
        let query = [("handle__isw", self.word.as_str())];
        let rows = self.client.list(&objects_path(NETWORK), &query).await.unwrap();
        rows.into_iter().filter(|row| self.name(row).is_some()).collect()
    }

    fn name<'a>(&self, row: &'a Row) -> Option<&'a str> {
        row.get("key")?.as_str()?.strip_prefix(&self.word)?.strip_prefix(':')
    }

    /// The rows as NetBox has them: `a NEW, b OLD`.
    async fn told(&self) -> String {
        let rows = self.rows().await;
        let mut told: Vec<String> = rows
            .iter()
            .map(|row| {
                format!("{} {}", self.name(row).unwrap(), row.get("net_name").and_then(Value::as_str).unwrap_or("-"))
            })
            .collect();
        told.sort();
        told.join(", ")
    }
}

fn outcomes<T>(outcomes: &[Result<T, Refusal>], ok: impl Fn(&T) -> &'static str) -> String {
    let one = |outcome: &Result<T, Refusal>| match outcome {
        Ok(value) => ok(value).to_owned(),
        Err(refusal) => format!("{refusal}"),
    };
    outcomes.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn creation(created: &Created) -> &'static str {
    if created.adopted { "adopted" } else { "created" }
}

#[tokio::test]
async fn a_bad_row_leaves_the_good_ones_of_its_batch_written() {
    let case = Case::new().await;
    let drafts = vec![
        case.draft("a", json!({"net_name": "NEW", "version": 4})),
        case.draft("b", json!({"net_name": "NEW", "version": 9})),
        case.draft("c", json!({"net_name": "NEW", "status": "lost"})),
        case.draft("d", json!({"net_name": "NEW", "version": 6})),
    ];
    let result = case.create(drafts).await;
    insta::assert_snapshot!(outcomes(&result, creation), @r"
    created
    version: Ensure this value is less than or equal to 6.
    status: lost is not a valid choice.
    created
    ");
    assert_eq!(case.told().await, "a NEW, d NEW");
}

#[tokio::test]
async fn created_rows_have_the_ids_of_their_drafts() {
    let case = Case::new().await;
    let names = ["c", "a", "b"];
    let ids = case.created(&names).await;
    let rows = case.rows().await;
    let name_of = |id: &RowId| case.name(rows.iter().find(|row| id_of(row) == Some(*id)).unwrap()).unwrap().to_owned();
    assert_eq!(ids.iter().map(name_of).collect::<Vec<_>>(), names);
}

#[tokio::test]
async fn a_row_that_exists_already_is_updated_but_for_what_is_kept() {
    let case = Case::new().await;
    let theirs = json!({"net_name": "OLD", "parent_handle": "KEPT"});
    case.create(vec![case.draft("b", theirs)]).await;
    let ours = |name| case.draft(name, json!({"net_name": "NEW", "parent_handle": "OURS"}));
    let writer = case.client.writer(NETWORK, "lab").linking(&["parent_handle"]);
    let result = writer.create(vec![ours("a"), ours("b"), ours("c")]).await;
    assert_eq!(outcomes(&result, creation), "created\nadopted\ncreated");
    assert_eq!(case.told().await, "a NEW, b NEW, c NEW");
    let rows = case.rows().await;
    let b = rows.iter().find(|row| case.name(row) == Some("b")).unwrap();
    assert_eq!(b.get("parent_handle"), Some(&json!("KEPT")));
}

#[tokio::test]
async fn two_drafts_with_one_key_become_one_row() {
    let case = Case::new().await;
    let result = case.create(case.drafts(&["a", "b", "a"])).await;
    assert_eq!(result.iter().filter(|outcome| outcome.is_ok()).count(), 3);
    assert_eq!(case.told().await, "a NEW, b NEW");
}

#[tokio::test]
async fn two_writers_racing_make_no_twins() {
    let case = Case::new().await;
    let names: Vec<String> = (0..30).map(|number| format!("n{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (one, two) = tokio::join!(case.create(case.drafts(&names)), case.create(case.drafts(&names)));
    let ids = |outcomes: Vec<Result<Created, Refusal>>| -> Vec<RowId> {
        outcomes.into_iter().map(|outcome| outcome.unwrap().id).collect()
    };
    assert_eq!(ids(one), ids(two));
    assert_eq!(case.rows().await.len(), 30);
}

#[tokio::test]
async fn a_lost_answer_to_a_bulk_write_makes_no_twins() {
    let proxy = Proxy::start(&url(), [Trick::LoseAnswer]).await;
    let case = Case::through(&proxy).await;
    let result = case.create(case.drafts(&["a", "b", "c"])).await;
    assert_eq!(outcomes(&result, creation), "created\ncreated\ncreated");
    assert_eq!(case.told().await, "a NEW, b NEW, c NEW");
    assert_eq!(proxy.writes(), "POST 3, PATCH 3");
}

#[tokio::test]
async fn rows_that_never_arrived_are_sent_again() {
    let proxy = Proxy::start(&url(), [Trick::LoseRequest]).await;
    let case = Case::through(&proxy).await;
    let result = case.create(case.drafts(&["a", "b", "c"])).await;
    assert_eq!(outcomes(&result, creation), "created\ncreated\ncreated");
    assert_eq!(case.told().await, "a NEW, b NEW, c NEW");
    assert_eq!(proxy.writes(), "POST 3, POST 2, POST");
}

#[tokio::test]
async fn a_write_that_hangs_or_meets_a_gateway_is_looked_for() {
    let proxy = Proxy::start(&url(), [Trick::Hang, Trick::Gateway]).await;
    let case = Case::through(&proxy).await;
    let result = case.create(case.drafts(&["a", "b"])).await;
    assert_eq!(outcomes(&result, creation), "created\ncreated");
    assert_eq!(case.told().await, "a NEW, b NEW");
}

#[tokio::test]
async fn updates_and_deletes_with_lost_answers_are_sent_again() {
    let proxy =
        Proxy::start(&url(), [Trick::Pass, Trick::LoseAnswer, Trick::Pass, Trick::Pass, Trick::LoseAnswer]).await;
    let case = Case::through(&proxy).await;
    let ids = case.created(&["a", "b"]).await;
    let patches = ids.iter().zip(["a", "b"]).map(|(id, name)| case.patch(*id, name, json!({"net_name": "NEWER"})));
    let updated = case.client.writer(NETWORK, "lab").update(patches.collect::<Vec<_>>()).await;
    assert_eq!(outcomes(&updated, |()| "updated"), "updated\nupdated");
    assert_eq!(case.told().await, "a NEWER, b NEWER");
    let deleted = case.client.writer(NETWORK, "lab").delete(&ids).await;
    assert_eq!(outcomes(&deleted, |()| "deleted"), "deleted\ndeleted");
    assert_eq!(case.told().await, "");
}

#[tokio::test]
async fn an_outcome_that_stays_unknown_is_told_and_ends_the_writing() {
    let proxy = Proxy::start(&url(), [Trick::LoseRequest; 100]).await;
    let mut settings = settings(&proxy.url());
    (settings.batch_size, settings.writes_in_flight) = (1, 1);
    let case = Case { client: Client::new(&settings).unwrap(), ..Case::new().await };
    let result = case.create(case.drafts(&["a", "b"])).await;
    assert_eq!(outcomes(&result, creation), "it is not known whether it was written\nit was not written");
    assert_eq!(proxy.writes(), "POST, POST, POST, POST");
}

#[tokio::test]
async fn a_plugin_without_arrays_gets_single_rows() {
    let proxy = Proxy::without_arrays(&url()).await;
    let case = Case::through(&proxy).await;
    let ids = case.created(&["a", "b"]).await;
    let patches = ids.iter().zip(["a", "b"]).map(|(id, name)| case.patch(*id, name, json!({"net_name": "NEWER"})));
    case.client.writer(NETWORK, "lab").update(patches.collect::<Vec<_>>()).await;
    assert_eq!(case.told().await, "a NEWER, b NEWER");
    case.client.writer(NETWORK, "lab").delete(&ids).await;
    assert_eq!(proxy.writes(), "POST 2, POST, POST, PATCH, PATCH, DELETE, DELETE");
}

#[tokio::test]
async fn a_row_deleted_meanwhile_is_refused_alone() {
    let case = Case::new().await;
    let ids = case.created(&["a", "b", "c"]).await;
    let writer = case.client.writer(NETWORK, "lab");
    writer.delete(&ids[1..2]).await;
    let patches = ids.iter().zip(["a", "b", "c"]).map(|(id, name)| case.patch(*id, name, json!({"net_name": "NEWER"})));
    let result = writer.update(patches.collect::<Vec<_>>()).await;
    let told = outcomes(&result, |()| "updated").replace(&ids[1].to_string(), "N");
    assert_eq!(told, "updated\nid: Object with ID N does not exist\nupdated");
    assert_eq!(case.told().await, "a NEWER, c NEWER");
}

#[tokio::test]
async fn a_row_that_is_gone_counts_as_deleted() {
    let case = Case::new().await;
    let ids = case.created(&["a", "b", "c"]).await;
    let writer = case.client.writer(NETWORK, "lab");
    writer.delete(&ids[1..2]).await;
    let result = writer.delete(&ids).await;
    assert_eq!(outcomes(&result, |()| "deleted"), "deleted\ndeleted\ndeleted");
    assert_eq!(case.told().await, "");
}

#[tokio::test]
async fn the_change_log_has_the_message() {
    let case = Case::new().await;
    let ids = case.created(&["a", "b"]).await;
    let query = [("changed_object_id", ids[1].to_string())];
    let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let changes = case.client.list("/api/core/object-changes/", &query).await.unwrap();
    let ours = changes
        .iter()
        .find(|change| change.get("object_repr").and_then(Value::as_str) == Some(&format!("{}-b", case.word)));
    assert_eq!(ours.unwrap().get("message"), Some(&json!("lab")));
}

#[tokio::test]
async fn after_a_stop_nothing_more_is_sent() {
    let case = Case::new().await;
    let stop = CancellationToken::new();
    stop.cancel();
    let before = case.client.requests();
    let result = case.client.writer(NETWORK, "lab").until(&stop).create(case.drafts(&["a"])).await;
    assert!(matches!(result[0], Err(Refusal::NotSent)));
    assert_eq!(case.client.requests(), before);
}

#[tokio::test]
async fn every_row_is_counted_once_whatever_its_outcome() {
    let case = Case::new().await;
    let count = AtomicUsize::new(0);
    let mut drafts = case.drafts(&["a", "b", "c"]);
    drafts.push(case.draft("d", json!({"version": 9})));
    let progress = |rows| {
        count.fetch_add(rows, Ordering::Relaxed);
    };
    case.client.writer(NETWORK, "lab").counting(&progress).create(drafts).await;
    assert_eq!(count.into_inner(), 4);
}

#[tokio::test]
async fn without_permission_one_row_settles_all() {
    let case = Case::new().await;
    let mut settings = settings(&url());
    settings.token = variable("RIR_LAB_READER_TOKEN").as_str().into();
    (settings.batch_size, settings.writes_in_flight) = (1, 1);
    let reader = Client::new(&settings).unwrap();
    let result = reader.writer(NETWORK, "lab").create(case.drafts(&["a", "b", "c"])).await;
    let told = result.iter().map(|outcome| match outcome {
        Err(Refusal::GivenUp(error)) => error.to_string(),
        other => format!("{other:?}"),
    });
    insta::assert_snapshot!(told.collect::<Vec<_>>()[2], @r#"POST /api/plugins/custom-objects/rir-network/: NetBox refused it with 403 Forbidden (You do not have permission to perform this action.); the token has to be valid and write-enabled, and its user needs the "add" permission on these objects"#);
    assert_eq!(reader.requests(), 2, "the row, and whether the user may write any");
}
