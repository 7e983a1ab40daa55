//! Fuzz target: whatever NetBox, or something in front of it, answers with is told in a sentence, and its clock is read or
//! not.

use reqwest::header::{HeaderName, RETRY_AFTER};

use super::*;
use crate::{error_chain::error_chain, fuzzing::Corpus};

/// The longest sentence about an answer, in characters: NetBox's own words, and ours.
const LONGEST_SENTENCE: usize = 1_400;
const STATUSES: [u16; 12] = [200, 204, 301, 400, 401, 403, 404, 409, 429, 500, 502, 503];

/// An input is a byte that says the status, a line for each of three headers, and the body.
#[test]
fn an_answer_that_is_no_success_is_told_in_a_sentence() {
    let long = "x".repeat(5_000);
    let bodies = [
        r#"{"detail": "You do not have permission to perform this action."}"#.to_owned(),
        r#"[{"key": ["An object with this value already exists."]}, {}, {"__all__": ["a\nb", {"c": [true, 1.5]}]}]"#
            .to_owned(),
        r#"{"error": "duplicate key", "exception": "IntegrityError", "netbox_version": "4.7.3"}"#.to_owned(),
        r#"{"exception": "ValueError", "error": "Cannot assign \"<Table4Model: X>\""}"#.to_owned(),
        "<html><body><h1>502 Bad Gateway</h1></body></html>".to_owned(),
        format!(r#"{{"{long}": ["{long}"], "name": "\u0000\u0007"}}"#),
        long,
    ];
    let headers = "120\nFri, 06 Nov 2026 12:00:00 GMT\nhttps://user:secret@netbox.example.net/?next=/";
    let seeds =
        bodies.into_iter().zip(0u8..).map(|(body, status)| format!("{}{headers}\n{body}", char::from(status + 2)));
    Corpus::new(seeds)
        .words(&["null", "\"\\u0000\"", "\"detail\":", "{}", "[]", "[[[[", "Thu, 01 Jan 1970", "9999"])
        .run(check);
}

fn check(input: &[u8]) {
    let Some((status, rest)) = input.split_first() else { return };
    let mut parts = rest.splitn(4, |byte| *byte == b'\n');
    let mut headers = HeaderMap::new();
    for name in [RETRY_AFTER, DATE, LOCATION] {
        headers.extend(header(name, parts.next().unwrap_or_default()));
    }
    let status = StatusCode::from_u16(STATUSES[usize::from(*status) % STATUSES.len()]).unwrap();
    let request = Request::new(Method::GET, "/api/status/");
    let reply = Reply { request, status, headers, body: parts.next().unwrap_or_default().to_vec() };
    assert!(reply.date().is_none_or(|clock| httpdate::parse_http_date(&httpdate::fmt_http_date(clock.into())).is_ok()));
    let Err(error) = reply.found() else { return };
    let told = error_chain(&error);
    assert!(told.chars().count() <= LONGEST_SENTENCE, "{} characters", told.chars().count());
    assert!(!told.contains(char::is_control), "{told:?}");
    if let ErrorKind::Throttled(wait) = error.kind {
        assert!(wait.is_none_or(|wait| wait <= MAX_WAIT), "{wait:?}");
    }
}

fn header(name: HeaderName, value: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    HeaderValue::from_bytes(value).ok().map(|value| (name, value))
}
