//! The wait that an answer asks for.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

/// Returns how long `Retry-After` asks to wait (RFC 9110, 10.2.3), in seconds or as a date, which is read by the
/// server's own clock where it sent the time. `None` when it is absent, unreadable, or already over.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::trim);
    let asked = text(RETRY_AFTER)?;
    let wait = match asked.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let now = text(DATE).and_then(|date| httpdate::parse_http_date(date).ok());
            httpdate::parse_http_date(asked).ok()?.duration_since(now.unwrap_or_else(SystemTime::now)).ok()?
        }
    };
    (!wait.is_zero()).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(asked: &str) -> Option<u64> {
        let date = HeaderValue::from_static("Fri, 06 Nov 2026 12:00:00 GMT");
        wait_in([(DATE, date), (RETRY_AFTER, HeaderValue::from_str(asked).unwrap())])
    }

    fn wait_in(headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> Option<u64> {
        retry_after(&HeaderMap::from_iter(headers)).map(|wait| wait.as_secs())
    }

    #[test]
    fn a_wait_comes_in_seconds_or_as_a_date() {
        assert_eq!(wait("120"), Some(120));
        assert_eq!(wait("Fri, 06 Nov 2026 12:01:30 GMT"), Some(90));
    }

    #[test]
    fn no_wait_and_no_sense_are_left_to_the_back_off() {
        for text in ["", "0", "soon", "-1", "1.5", "99999999999999999999999", "Fri, 06 Nov 2026 11:59:59 GMT"] {
            assert_eq!(wait(text), None, "{text}");
        }
        assert_eq!(wait_in([]), None);
    }

    #[test]
    fn without_a_date_from_the_server_our_clock_counts() {
        let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(60));
        let wait = wait_in([(RETRY_AFTER, HeaderValue::from_str(&soon).unwrap())]).unwrap();
        assert!((50..=60).contains(&wait), "{wait}");
    }
}
