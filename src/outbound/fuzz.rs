//! Fuzz target: whatever an answer says about when to come back, requests go on, and not before it is time.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

use super::retry_after::retry_after;
use crate::{
    fuzzing::Corpus,
    rate::{LONGEST_PAUSE, Limits, Rate, Report, Step, Ticket, Turn},
};

/// The longest wait after a 429, with the request ahead of the others.
const LONGEST_WAIT: Duration = Duration::from_secs(LONGEST_PAUSE.as_secs() + 10);

/// An input is two lines, `Retry-After` and `Date`.
#[test]
fn a_wait_that_an_answer_asks_for_has_an_end() {
    let seeds = [
        "120\nFri, 06 Nov 2026 12:00:00 GMT",
        "0\n",
        "Fri, 06 Nov 2026 12:01:30 GMT\nFri, 06 Nov 2026 12:00:00 GMT",
        "Friday, 06-Nov-26 12:01:30 GMT\nFri Nov  6 12:00:00 2026",
        "Fri, 31 Dec 9999 23:59:59 GMT\nThu, 01 Jan 1970 00:00:00 GMT",
        "18446744073709551615\nSun Nov  6 08:49:37 1994",
    ];
    Corpus::new(seeds).words(&["Sat, ", "29 Feb ", " GMT", " 9999 ", "00:00:60", "-", "+1", "1.5"]).run(|input| {
        let mut lines = input.splitn(2, |byte| *byte == b'\n');
        let mut headers = HeaderMap::new();
        for name in [RETRY_AFTER, DATE] {
            if let Ok(value) = HeaderValue::from_bytes(lines.next().unwrap_or_default()) {
                headers.insert(name, value);
            }
        }
        let wait = retry_after(&headers);
        assert_ne!(wait, Some(Duration::ZERO));
        agrees(&headers, wait);
        goes_on_after(wait);
    });
}

/// Compares a wait with what the headers say in the plainest of words.
fn agrees(headers: &HeaderMap, wait: Option<Duration>) {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().trim();
    let asked = text(RETRY_AFTER);
    if !asked.is_empty() && asked.bytes().all(|byte| byte.is_ascii_digit()) {
        assert_eq!(wait, asked.parse().ok().filter(|seconds| *seconds > 0).map(Duration::from_secs));
    } else if let (Ok(until), Ok(now)) = (httpdate::parse_http_date(asked), httpdate::parse_http_date(text(DATE))) {
        assert_eq!(wait, until.duration_since(now).ok().filter(|wait| !wait.is_zero()));
        assert!(until.duration_since(SystemTime::UNIX_EPOCH).is_ok());
    }
}

/// Checks that requests are held back no longer than the longest pause, and go then.
fn goes_on_after(wait: Option<Duration>) {
    let limits = Limits { per_second: Some(10.0), burst: 10 };
    let report = |step| Report { step, limits, taken: 0 };
    let (mut rate, mut now) = (Rate::default(), Duration::from_secs(1));
    for _ in 0..3 {
        let answer = rate.step(now, report(Step::Refused(Ticket::default(), wait)));
        let Turn::Wait(pause) = answer.turn else { panic!("goes on at once: {answer:?}") };
        assert!(pause <= LONGEST_WAIT, "{pause:?}");
        now += pause;
        let turn = rate.step(now, report(Step::Ask { waited: true })).turn;
        let Turn::Wait(more) = turn else { continue };
        assert!(more <= LONGEST_WAIT, "{more:?}");
        now += more;
    }
}
