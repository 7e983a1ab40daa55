//! The part of a list that is answered.

use serde_json::{Value, json};

use super::{call::Call, reply::Reply};

/// The number of objects that a page has when nobody asks for more or less.
const PAGE_SIZE: usize = 50;
/// The most objects in one page, whatever `limit` asks for.
const LARGEST_PAGE: usize = 1000;

/// Answers with the page that `limit` and `offset` cut out of all objects that match.
pub(super) fn page<T>(call: &Call, all: Vec<T>, shown: impl Fn(T) -> Option<Value>) -> Reply {
    let number = |name| call.query.last(name).and_then(|value| value.parse::<usize>().ok());
    let limit = number("limit").unwrap_or(PAGE_SIZE).min(LARGEST_PAGE);
    let count = all.len();
    let page = all.into_iter().skip(number("offset").unwrap_or(0)).take(limit);
    Reply::ok(json!({ "count": count, "results": page.filter_map(shown).collect::<Vec<_>>() }))
}
