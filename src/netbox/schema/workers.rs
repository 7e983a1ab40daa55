//! NetBox's web workers, each of which makes classes of our types for itself and may keep one that is out of date.
//!
//! After types were changed, the worker that changed them may know a type without its new fields, and then passes over
//! what is sent for them; or one of its types refers to a class that no row is of any more, and each write of such a
//! reference is a 500. Saving a type tells all workers that their classes of it are out of date, and the next request
//! about its rows makes a new one. That has to happen type by type in the order of the references: a class that is made
//! before the one that it refers to takes the old one for current (plugin 0.7.1).
//!
//! Nobody can choose the worker that takes a request. Each request has a connection of its own, and several go out at
//! once, so that it takes more than one worker to answer them.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    document::{Document, TypeSpec},
    extras::{self, types_path},
};
use crate::{
    error_chain::error_chain,
    model::RowId,
    netbox::{
        client::{Client, objects_path},
        error::Error,
        fault::Fault,
        row::{Row, id_of},
    },
    retry::Retry,
};

/// Questions about one type, more than NetBox has workers: of eight workers one is missed by all of them in 20 of 100
/// cases if chance chooses, and rarely as they go out together.
const QUESTIONS: usize = 12;
/// Questions under way at once.
const AT_ONCE: usize = 8;
/// Times that the types are saved again before it is left to a person. In trials with 2, 4 and 8 workers one was enough.
const ROUNDS: usize = 4;
/// The key of a row that is never written.
const NO_ROW: &str = "rir-sidecar:never-written";

/// The state of NetBox's workers, as far as they were met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Workers {
    /// All know the types as they are.
    Current,
    /// One of them has an older form of this type: `rir-network: net_name is missing`.
    Stale(String),
}

/// Asks NetBox's workers whether they know the types of a document as it has them; writes nothing.
///
/// # Errors
/// When NetBox cannot be asked.
pub async fn ask_workers(client: &Client, document: &Document) -> Result<Workers, Error> {
    let mut examples = BTreeMap::new();
    for spec in &document.types {
        if let Some(lacking) = lacking(client, spec).await? {
            return Ok(Workers::Stale(format!("{}: {lacking}", spec.slug)));
        }
        let references = references(client, spec, &mut examples).await?;
        if let Some(refused) = refusing(client, spec, &references).await? {
            return Ok(Workers::Stale(format!("{}: {refused}", spec.slug)));
        }
    }
    Ok(Workers::Current)
}

/// Asks NetBox's workers like [`ask_workers`], and makes those anew that are out of date.
///
/// # Errors
/// When NetBox cannot be asked.
pub async fn renew_workers(client: &Client, document: &Document) -> Result<Workers, Error> {
    let mut workers = ask_workers(client, document).await?;
    for _ in 0..ROUNDS {
        if workers == Workers::Current || !renew(client, document).await? {
            break;
        }
        workers = ask_workers(client, document).await?;
    }
    Ok(workers)
}

/// Makes NetBox's workers look at the types anew. Returns false when the client may not change types.
async fn renew(client: &Client, document: &Document) -> Result<bool, Error> {
    let types = match client.list(&types_path(), &[("fields", "id,slug")]).await {
        Ok(types) => types,
        Err(error) if error.is_forbidden() => return Ok(false),
        Err(error) => return Err(error),
    };
    for spec in &document.types {
        let Some(id) = extras::named(&types, "slug", &spec.slug).and_then(id_of) else { return Ok(false) };
        let path = format!("{}{id}/", types_path());
        match client.transport.send(Method::PATCH, &path, &json!({})).await?.found() {
            Ok(_) => {}
            Err(error) if error.is_forbidden() || error.is_not_found() => return Ok(false),
            Err(error) => return Err(error),
        }
        let rows = objects_path(&spec.slug);
        let read = |_| client.transport.read(&rows, &[("limit", "1"), ("fields", "id")]);
        stream::iter(0..QUESTIONS).map(read).buffer_unordered(AT_ONCE).try_collect::<Vec<_>>().await?;
    }
    Ok(true)
}

impl Client {
    /// Makes NetBox's workers look at our types anew after one of them turned out not to know one as it is, unless
    /// somebody did since `renewals` of these renewals. That it may not, or failed, is no error: another worker may
    /// take the write.
    pub(in crate::netbox) async fn renew_types(&self, renewals: u64) {
        let mut renewed = self.renewals.lock().await;
        if *renewed != renewals {
            return;
        }
        *renewed += 1;
        match renew(self, Document::current()).await {
            Ok(true) => tracing::info!("had NetBox's workers make the classes of our types anew"),
            Ok(false) => tracing::debug!("may not change types, and so cannot have NetBox's workers renew them"),
            Err(error) => {
                tracing::warn!(error = %error_chain(&error), "could not have NetBox's workers renew types");
            }
        }
    }
}

/// Returns what a worker lacks of a type, `None` when all that were met have all fields.
async fn lacking(client: &Client, spec: &TypeSpec) -> Result<Option<String>, Error> {
    let wanted: BTreeSet<&str> = spec.field_names().collect();
    let mut answers = stream::iter(0..QUESTIONS).map(|_| fields(client, &spec.slug)).buffer_unordered(AT_ONCE);
    while let Some(known) = answers.try_next().await? {
        let Some(known) = known else { return Ok(None) };
        let missing: Vec<&str> = wanted.iter().copied().filter(|name| !known.contains_key(*name)).collect();
        if !missing.is_empty() {
            return Ok(Some(format!("{} missing", missing.join(", "))));
        }
    }
    Ok(None)
}

/// Asks a worker which fields it takes for a new row; `None` when it does not say, as to somebody who may not add rows.
async fn fields(client: &Client, slug: &str) -> Result<Option<Row>, Error> {
    let answer = match client.transport.ask(Method::OPTIONS, &objects_path(slug), &[]).await {
        Ok(answer) => answer,
        // Something in front of NetBox does not let the question through.
        Err(error) if error.retry() == Retry::Never => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(answer.json().pointer("/actions/POST").and_then(Value::as_object).cloned())
}

/// Returns for each field of a type that refers to another one of the document a row that it could refer to.
async fn references(
    client: &Client,
    spec: &TypeSpec,
    examples: &mut BTreeMap<String, Option<RowId>>,
) -> Result<Row, Error> {
    let mut references = Row::new();
    for (name, slug) in spec.references() {
        let example = match examples.get(slug) {
            Some(example) => *example,
            None => client.newest(&objects_path(slug), &[("fields", "id")], 1).await?.first().and_then(id_of),
        };
        examples.insert(slug.to_owned(), example);
        references.extend(example.map(|id| (name.to_owned(), id.0.into())));
    }
    Ok(references)
}

/// Returns the reason for which a worker takes no row with these references, `None` when all that were met take one.
///
/// Nothing is written: a row without a key is sent along, for which NetBox refuses both. It looks at them in order, and
/// does not get as far as that one if the first one meets a class that is out of date.
async fn refusing(client: &Client, spec: &TypeSpec, references: &Row) -> Result<Option<String>, Error> {
    if references.is_empty() {
        return Ok(None);
    }
    let mut row = references.clone();
    row.insert("key".to_owned(), NO_ROW.into());
    let (path, rows) = (objects_path(&spec.slug), json!([row, {}]));
    let mut answers =
        stream::iter(0..QUESTIONS).map(|_| client.transport.send(Method::POST, &path, &rows)).buffer_unordered(AT_ONCE);
    while let Some(answer) = answers.try_next().await? {
        let body = answer.json();
        if answer.status == StatusCode::INTERNAL_SERVER_ERROR && Fault::of(&body) == Some(Fault::StaleClass) {
            return Ok(Some(body.get("error").and_then(Value::as_str).unwrap_or_default().to_owned()));
        }
    }
    Ok(None)
}
