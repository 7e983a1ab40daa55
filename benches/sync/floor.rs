//! The write floor: the rows a sync wrote, written once more by nothing but bulk requests.
//!
//! It does without what a sync has to do: nothing is asked, nothing compared, and no row waits for one it refers to. For
//! that, references among our rows all lead to one row of their type that is there beforehand; they cost NetBox the same.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use rir_sidecar::netbox::schema;
use serde_json::{Value, json};

use crate::netbox::{Netbox, Row, custom};

/// As many requests under way as the lab's NetBox has workers.
const IN_FLIGHT: usize = 2;
/// Rows in one request, the sidecar's default.
const BATCH: usize = 50;
/// The types a sync writes to, each after those it refers to.
const WRITTEN: [&str; 6] =
    [schema::ADDRESS, schema::ORGANIZATION, schema::CONTACT, schema::NETWORK, schema::CUSTOMER, schema::SYNC_LOG];
/// Fields that refer to rows of ours, and their types.
const OWN: [(&str, &str); 3] =
    [("address", schema::ADDRESS), ("organization", schema::ORGANIZATION), ("network", schema::NETWORK)];
/// The fields that NetBox adds to a row by itself.
const NOT_WRITTEN: [&str; 7] = ["id", "url", "display", "created", "last_updated", "owner", "tags"];

/// The cost of writing them.
pub(crate) struct Floor {
    pub(crate) took: Duration,
    /// CPU seconds that NetBox spent on it.
    pub(crate) netbox_cpu: f64,
}

/// Rows as they were written, by type.
pub(crate) struct Rows(Vec<(&'static str, Vec<Row>)>);

impl Rows {
    pub(crate) async fn read(netbox: &Netbox) -> Self {
        let mut all = Vec::new();
        for slug in WRITTEN {
            all.push((slug, list(netbox, &custom(slug)).await.into_iter().map(writable).collect()));
        }
        Self(all)
    }

    /// Writes them to an emptied NetBox, with references to the config `becomes` instead of `was`.
    pub(crate) async fn write(&self, netbox: &Netbox, was: u64, becomes: u64) -> Floor {
        let mut first = BTreeMap::new();
        for (slug, rows) in &self.0 {
            if OWN.iter().any(|(_, target)| target == slug) && !rows.is_empty() {
                let row = renewed(&rows[0], was, becomes, &first, "first");
                first.insert(*slug, netbox.add(&custom(slug), json!([row])).await[0]);
            }
        }
        let mut batches = Vec::new();
        for (slug, rows) in &self.0 {
            let rows: Vec<Value> = rows.iter().map(|row| renewed(row, was, becomes, &first, "floor")).collect();
            batches.extend(rows.chunks(BATCH).map(|some| (custom(slug), Value::from(some))));
        }
        let (started, cpu) = (Instant::now(), netbox.cpu_seconds());
        let sent = batches.into_iter().map(|(path, rows)| async move { netbox.add(&path, rows).await });
        stream::iter(sent).buffer_unordered(IN_FLIGHT).for_each(|_| async {}).await;
        let floor = Floor { took: started.elapsed(), netbox_cpu: netbox.cpu_seconds() - cpu };
        eprintln!("bench: floor in {:.2} s, {:.2} s of NetBox's CPU", floor.took.as_secs_f64(), floor.netbox_cpu);
        floor
    }
}

/// All rows of a list, in full.
async fn list(netbox: &Netbox, path: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    loop {
        let page = netbox.page(path, &format!("limit=1000&ordering=id&offset={}", rows.len())).await;
        let some: Vec<Row> = serde_json::from_value(page["results"].clone()).unwrap();
        if some.is_empty() {
            return rows;
        }
        rows.extend(some);
    }
}

/// A row as it was read, in the form in which it can be written.
fn writable(row: Row) -> Row {
    let kept = row.into_iter().filter(|(name, _)| !NOT_WRITTEN.contains(&name.as_str()));
    kept.map(|(name, value)| if name == "raw_data" { (name, value) } else { (name, bare(value)) }).collect()
}

/// The id of what is referred to, the code of a choice, and anything else as it is.
fn bare(value: Value) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(bare).collect(),
        Value::Object(mut object) => object.remove("id").or(object.remove("value")).unwrap_or_default(),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain,
    }
}

/// The row with a key of its own and references to rows that are there.
fn renewed(row: &Row, was: u64, becomes: u64, first: &BTreeMap<&str, u64>, mark: &str) -> Value {
    let mut row = row.clone();
    if let Some(Value::String(key)) = row.get_mut("key") {
        key.push_str(mark);
    }
    if let Some(config) = row.get_mut("config").filter(|config| **config == json!(was)) {
        *config = json!(becomes);
    }
    for (name, target) in OWN {
        if let Some(reference) = row.get_mut(name).filter(|reference| !reference.is_null()) {
            *reference = json!(first.get(target));
        }
    }
    row.insert("changelog_message".to_owned(), json!("rir-sidecar sync 00000000T000000Z-00000000"));
    Value::Object(row)
}
