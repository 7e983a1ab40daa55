//! The NetBox client and rows that have another form than it knows, as with a NetBox that renames a field.

use std::{collections::BTreeSet, io, sync::Arc, sync::Mutex};

use axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
};
use rir_sidecar::{
    config,
    error_chain::error_chain,
    model::{RowId, Scope},
    netbox::{Client, FindingFilter, LogFilter, findings::Linked},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const AGGREGATES: &str = "/api/ipam/aggregates/";
const PREFIXES: &str = "/api/ipam/prefixes/";
const CONFIGS: &str = "/api/plugins/custom-objects/rir-config/";
const NETWORKS: &str = "/api/plugins/custom-objects/rir-network/";
const FINDINGS: &str = "/api/plugins/custom-objects/rir-finding/";
const SYNC_LOG: &str = "/api/plugins/custom-objects/rir-sync-log/";

/// A NetBox with these rows in these lists, and nothing in any other.
async fn netbox(lists: &[(&'static str, Value)]) -> Client {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let lists = lists.to_vec();
    let answer = move |request: Request| {
        let rows =
            lists.iter().find(|(path, _)| *path == request.uri().path()).map_or(json!([]), |(_, rows)| rows.clone());
        let page = json!({ "count": rows.as_array().unwrap().len(), "results": rows });
        async move { page.to_string().into_response() as Response }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
    let settings = [("NETBOX__URL", &*url), ("NETBOX__TOKEN", "nbt_key.secret")];
    let settings = settings.map(|(name, value)| (format!("RIR_SIDECAR__{name}"), value.to_owned()));
    Client::new(&config::load_from(None, &settings.into()).unwrap().netbox).unwrap()
}

fn config(edit: impl FnOnce(&mut Value)) -> Value {
    let mut row = json!({ "id": 3, "name": "a", "rir": { "id": 1 }, "registry": "arin", "api_url": "",
                          "org_handle": "A", "is_active": true, "sync_interval": null, "last_sync": null,
                          "refreshed": null, "last_result": null });
    edit(&mut row);
    row
}

fn rename(row: &mut Value, from: &str, to: &str) {
    let fields = row.as_object_mut().unwrap();
    let value = fields.remove(from).unwrap();
    fields.insert(to.to_owned(), value);
}

fn prefix(id: u64, prefix: &str) -> Value {
    json!({ "id": id, "prefix": prefix, "vrf": null })
}

fn aggregate(id: u64, prefix: &str) -> Value {
    json!({ "id": id, "prefix": prefix, "rir": { "id": 1 } })
}

/// The error about a list of which some row cannot be read.
fn not_as_expected(path: &str, reason: &str) -> String {
    format!("GET {path}: NetBox's answer is not a list of rows as expected: {reason}")
}

/// The warnings of the thread that runs the test.
fn warnings() -> (Arc<Mutex<Vec<u8>>>, tracing::subscriber::DefaultGuard) {
    struct Shared(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Shared {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(text)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let text = Arc::new(Mutex::default());
    let writer = Arc::clone(&text);
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .without_time()
        .with_ansi(false)
        .with_writer(move || Shared(Arc::clone(&writer)))
        .finish();
    (text, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn a_config_that_lacks_a_field_is_an_error_and_not_an_inactive_config() {
    for field in ["is_active", "org_handle", "rir", "sync_interval", "last_result"] {
        let netbox = netbox(&[(CONFIGS, json!([config(|row| rename(row, field, "renamed"))]))]).await;
        let error = error_chain(&netbox.configs().await.unwrap_err());
        assert_eq!(error, not_as_expected(CONFIGS, &format!("row 3: missing field `{field}`")));
    }
}

#[tokio::test]
async fn a_config_with_a_field_of_another_kind_is_an_error() {
    let netbox = netbox(&[(CONFIGS, json!([config(|row| row["is_active"] = "yes".into())]))]).await;
    let error = error_chain(&netbox.configs().await.unwrap_err());
    let reason = r#"row 3: is_active: invalid type: string "yes", expected a boolean"#;
    assert_eq!(error, not_as_expected(CONFIGS, reason));
}

#[tokio::test]
async fn a_config_whose_fields_were_left_empty_is_not_active() {
    let empty = config(|row| {
        for name in ["is_active", "rir", "registry", "api_url", "org_handle"] {
            row[name] = Value::Null;
        }
    });
    let read = netbox(&[(CONFIGS, json!([empty]))]).await.configs().await.unwrap().remove(0);
    assert_eq!((read.is_active, read.rir, read.registry.as_str(), read.org_handle), (false, None, "arin", None));
}

#[tokio::test]
async fn a_bad_prefix_is_left_out_with_one_warning() {
    let netbox = netbox(&[
        (
            AGGREGATES,
            json!([aggregate(1, "10.0.0.0/8"), aggregate(2, "11.0.0.0/8"), { "id": 3, "prefix": "12.0.0.0/8" }]),
        ),
        (PREFIXES, json!([prefix(4, "10.1.0.0/16"), prefix(5, "ten"), prefix(6, "11.1.0.0/16"), { "id": 7 }])),
    ])
    .await;
    let (text, _guard) = warnings();
    let (aggregates, prefixes) = netbox.aggregates_and_prefixes(RowId(1), &Scope::Config).await.unwrap();
    assert_eq!(aggregates.iter().map(|aggregate| aggregate.id.0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(prefixes.iter().map(|prefix| prefix.id.0).collect::<Vec<_>>(), [4, 6]);
    let text = String::from_utf8(text.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].contains(AGGREGATES) && lines[0].contains("missing field `rir`"), "{text}");
    assert!(lines[1].contains(PREFIXES) && lines[1].contains("count=2") && lines[1].contains("row=5"), "{text}");
}

#[tokio::test]
async fn prefixes_of_which_none_can_be_read_are_an_error() {
    let renamed = |id, cidr| {
        let mut row = prefix(id, cidr);
        rename(&mut row, "prefix", "network");
        row
    };
    let netbox = netbox(&[
        (AGGREGATES, json!([aggregate(1, "10.0.0.0/8")])),
        (PREFIXES, json!([renamed(4, "10.1.0.0/16"), renamed(5, "10.2.0.0/16")])),
    ])
    .await;
    let read = netbox.aggregates_and_prefixes(RowId(1), &Scope::Config).await;
    let reason = "row 4 and 1 more: missing field `prefix`";
    assert_eq!(error_chain(&read.unwrap_err()), not_as_expected(PREFIXES, reason));
    netbox.rirs_of_prefixes(&BTreeSet::from([RowId(4)])).await.unwrap_err();
}

#[tokio::test]
async fn an_aggregate_or_a_prefix_that_cannot_be_read_is_not_one_that_is_not_there() {
    let netbox = netbox(&[(AGGREGATES, json!([{ "id": 1 }])), (PREFIXES, json!([{ "id": 4 }]))]).await;
    netbox.rir_of_aggregate(RowId(1)).await.unwrap_err();
    netbox.rir_of_prefix(RowId(4)).await.unwrap_err();
}

#[tokio::test]
async fn a_recorded_row_that_cannot_be_read_is_an_error() {
    let network = |edit: &dyn Fn(&mut Value)| {
        let mut row = json!({
            "id": 9, "key": "arin:NET-1", "handle": "NET-1", "digest": "d", "status": "registered",
            "config": { "id": 3 }, "net_name": "N", "net_type": "S", "version": 4, "start_address": "10.0.0.0", "end_address": "10.0.0.255",
            "cidrs": "10.0.0.0/24", "organization": null, "parent_handle": null, "aggregate": { "id": 1 }, "prefix": 4,
            "covered_aggregates": [{ "id": 2 }], "registration_date": "2001-02-03",
            "last_synced": "2026-11-22T10:00:00Z", "synced_by": "ann", "listed": null,
        });
        edit(&mut row);
        row
    };
    let read = async |edit: &dyn Fn(&mut Value)| {
        let netbox = netbox(&[(NETWORKS, json!([network(edit)]))]).await;
        netbox.recorded().await.map_err(|error| error_chain(&error).rsplit_once("expected: ").unwrap().1.to_owned())
    };
    assert_eq!(read(&|_| ()).await.unwrap().values().map(|rows| rows.len()).sum::<usize>(), 1);
    let failure = async |edit: &dyn Fn(&mut Value)| read(edit).await.unwrap_err();
    assert_eq!(failure(&|row| rename(row, "digest", "hash")).await, "row 9: missing field `digest`");
    assert_eq!(failure(&|row| rename(row, "synced_by", "by")).await, "row 9: missing field `synced_by`");
    assert_eq!(failure(&|row| row["key"] = Value::Null).await, "row 9: key: there is none");
    assert_eq!(
        failure(&|row| row["aggregate"] = "x".into()).await,
        "row 9: aggregate: expected the id of a row, or a row with an id"
    );
    assert_eq!(
        failure(&|row| row["registration_date"] = "soon".into()).await.split(": ").nth(1),
        Some("registration_date")
    );
}

#[tokio::test]
async fn a_row_of_the_sync_log_that_cannot_be_read_is_an_error() {
    let mut row = json!({ "id": 5, "config": 3, "run": "r", "operation": { "value": "sync", "label": "Sync" },
                          "object_type": null, "object_handle": "", "status": "success", "message": "m",
                          "created": "2026-11-22T10:00:00Z" });
    let read = async |row: &Value| {
        let netbox = netbox(&[(SYNC_LOG, json!([row]))]).await;
        netbox.sync_log(RowId(3), &LogFilter::default(), 10).await
    };
    let log = read(&row).await.unwrap().remove(0);
    assert_eq!((log.operation.as_str(), log.object_type, log.object_handle), ("sync", None, None));
    rename(&mut row, "status", "state");
    let error = error_chain(&read(&row).await.unwrap_err());
    assert_eq!(error, not_as_expected(SYNC_LOG, "row 5: missing field `status`"));
}

fn finding(id: u64, config: u64, state: &str) -> Value {
    json!({ "id": id, "key": format!("arin:unregistered/prefix {id}"), "subject": "23.144.3.0/24",
            "kind": { "value": "unregistered", "label": "Unregistered" }, "level": { "value": "notice" },
            "state": { "value": state }, "message": null, "due": "2026-12-04", "since": "2026-11-27T10:00:00Z",
            "since_at_least": null, "config": { "id": config }, "ignore": null, "note": null, "prefix": { "id": 7 },
            "aggregate": null, "network": null, "customer": null, "organization": null, "request": null, "ticket": null,
            "names": { "prefix": "23.144.3.0/24", "network": "NET-OF-THE-LISTING" } })
}

#[tokio::test]
async fn findings_of_others_are_left_out_where_netbox_ignores_the_filter() {
    let rows = json!([finding(1, 3, "open"), finding(2, 3, "resolved"), finding(3, 4, "open")]);
    let netbox = netbox(&[(FINDINGS, rows)]).await;
    let ids = async |config: Option<u64>, state: Option<&str>| -> Vec<u64> {
        let filter = FindingFilter { config: config.map(RowId), state: state.map(str::to_owned) };
        netbox.finding_rows(&filter).await.unwrap().into_iter().map(|row| row.id.0).collect()
    };
    assert_eq!(ids(None, None).await, [1, 2, 3]);
    assert_eq!(ids(Some(3), None).await, [1, 2]);
    assert_eq!(ids(Some(3), Some("open")).await, [1]);
}

#[tokio::test]
async fn a_finding_has_what_netbox_has_of_it_and_names_of_what_has_no_row() {
    let netbox = netbox(&[(FINDINGS, json!([finding(1, 3, "open")]))]).await;
    let row = netbox.finding_rows(&FindingFilter::default()).await.unwrap().remove(0);
    assert_eq!((&*row.kind, &*row.level, &*row.state), ("unregistered", "notice", "open"));
    assert_eq!(
        (row.links.row(Linked::Prefix), row.links.name(Linked::Prefix)),
        (Some(RowId(7)), Some("23.144.3.0/24"))
    );
    assert_eq!((row.links.row(Linked::Network), row.links.name(Linked::Network)), (None, Some("NET-OF-THE-LISTING")));
    assert_eq!((row.ignore, row.note.as_str(), row.due.unwrap().to_string().as_str()), (false, "", "2026-12-04"));
}

#[tokio::test]
async fn a_finding_without_one_of_its_fields_is_an_error_that_names_it() {
    let mut row = finding(1, 3, "open");
    rename(&mut row, "ignore", "ignored");
    let netbox = netbox(&[(FINDINGS, json!([row]))]).await;
    let error = netbox.finding_rows(&FindingFilter::default()).await.unwrap_err();
    assert_eq!(error_chain(&error), not_as_expected(FINDINGS, "row 1: missing field `ignore`"));
}
