//! Which part of a list is answered, and which fields of each object.

use serde_json::{Map, Value, json};

use super::{call::Call, reply::wrong};

/// How many objects a page has when nobody asks.
const PAGE_SIZE: usize = 50;

/// Which fields of an object are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selection {
    All,
    /// The identifying ones.
    Brief,
    Only(Vec<String>),
    Omit(Vec<String>),
}

/// One page of a list of ids.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) ids: Vec<u64>,
    head: Map<String, Value>,
}

impl Selection {
    /// `fields` wins over `omit`, that over `brief`; `brief` is heeded only when reading.
    pub(super) fn of(call: &Call) -> Self {
        let list = |name| {
            let value = call.query.last(name).filter(|value| !value.is_empty());
            value.map(|value| value.split(',').map(str::to_owned).collect::<Vec<_>>())
        };
        let brief =
            call.method == axum::http::Method::GET && call.query.last("brief").is_some_and(|value| !value.is_empty());
        match (list("fields"), list("omit")) {
            (Some(names), _) => Self::Only(names),
            (None, Some(names)) => Self::Omit(names),
            (None, None) if brief => Self::Brief,
            (None, None) => Self::All,
        }
    }

    /// Whether a field is in, where `brief` says whether it is an identifying one.
    pub(super) fn has(&self, name: &str, brief: bool) -> bool {
        match self {
            Self::All => true,
            Self::Brief => brief,
            Self::Only(names) => names.iter().any(|wanted| wanted == name),
            Self::Omit(names) => names.iter().all(|unwanted| unwanted != name),
        }
    }
}

impl Page {
    /// Cuts the page out of all ids that match, which are in the order of the list.
    pub(super) fn of(call: &Call, mut ids: Vec<u64>, max_page_size: usize) -> Result<Self, Map<String, Value>> {
        let limit = limit(call, max_page_size);
        let count = ids.len();
        if let Some(start) = call.query.last("start") {
            return Self::from_start(call, ids, start, limit);
        }
        let offset = number(call, "offset").unwrap_or(0);
        ids = ids.into_iter().skip(offset).take(limit).collect();
        let next = (offset + limit < count).then_some([("limit", Some(limit)), ("offset", Some(offset + limit))]);
        let before = offset.checked_sub(limit).filter(|before| *before > 0);
        let previous = (offset > 0).then_some([("limit", Some(limit)), ("offset", before)]);
        let link = |changes: Option<[(&str, Option<usize>); 2]>| changes.map(|changes| url(call, &changes));
        let head = json!({ "count": count, "next": link(next), "previous": link(previous) });
        Ok(Self { ids, head: super::model::object(head) })
    }

    /// The page that begins at an id, in the order of ids; nothing is counted.
    fn from_start(call: &Call, mut ids: Vec<u64>, start: &str, limit: usize) -> Result<Self, Map<String, Value>> {
        let invalid = || {
            Map::from_iter([("detail".to_owned(), wrong("Invalid 'start' parameter: must be a non-negative integer."))])
        };
        let start: u64 = start.parse().map_err(|_| invalid())?;
        ids.retain(|id| *id >= start);
        ids.sort_unstable();
        ids.truncate(limit);
        let after = ids.last().filter(|_| ids.len() == limit).and_then(|last| usize::try_from(last + 1).ok());
        let next = after.map(|after| url(call, &[("start", Some(after)), ("limit", Some(limit))]));
        let head = json!({ "count": null, "next": next, "previous": null });
        Ok(Self { ids, head: super::model::object(head) })
    }

    /// The answer, with the objects of [`Page::ids`].
    pub(super) fn answer(self, results: Vec<Value>) -> Map<String, Value> {
        let mut answer = self.head;
        answer.insert("results".to_owned(), Value::Array(results));
        answer
    }
}

fn limit(call: &Call, max_page_size: usize) -> usize {
    match number(call, "limit") {
        Some(0) => max_page_size,
        Some(limit) => limit.min(max_page_size),
        None => PAGE_SIZE.min(max_page_size),
    }
}

/// A number of the query; what is none is ignored.
fn number(call: &Call, name: &str) -> Option<usize> {
    call.query.last(name)?.parse().ok()
}

fn url(call: &Call, changes: &[(&str, Option<usize>)]) -> String {
    format!("{}{}?{}", call.base, call.path, call.query.with(changes))
}
