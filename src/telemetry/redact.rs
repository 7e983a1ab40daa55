//! The filter that keeps secrets, mail addresses and telephone numbers out of log lines. It is needed whoever writes the
//! line: other systems quote what they refuse, libraries show the URL that they failed at, and in many a NetBox user names
//! are mail addresses.

use std::{
    borrow::Cow,
    io::{self, Write},
    sync::LazyLock,
};

use regex_lite::{Captures, Regex};

/// User name and password in a URL, behind its scheme; an API key in a query; an API key; a NetBox token with its public
/// part; a mail address; a number with its country's code; a number as North America writes it.
const WITHHELD: &str = concat!(
    r#"(?:(://)[^\s/?#"'<>]*(@))"#,
    r#"|(?i:([?&]apikey=)[^&\s"'<>]+)"#,
    r"|\bAPI(?:-[0-9A-Z]{4}){4}\b",
    r"|\bnbt_[0-9A-Za-z]+\.[0-9A-Za-z]+",
    r#"|[^\s"'<>(),;:=\\\[\]{}]+@[^\s"'<>(),;:=\\\[\]{}]+\.[A-Za-z]{2,}"#,
    r"|\+\d[\d().\- ]{5,}\d|\b\d{3}[-. ]\d{3}[-. ]\d{4}\b"
);
/// The beginning of the names of registries other than ARIN's own; the host stands behind it.
const REGISTRY: &str = "arin@";

static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(WITHHELD).ok());

/// Writes lines without what is personal in them.
#[derive(Debug)]
pub(super) struct Redact<W>(pub(super) W);

impl<W: Write> Write for Redact<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(redact(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn redact(line: &str) -> Cow<'_, str> {
    let Some(pattern) = &*PATTERN else { return Cow::Borrowed("[withheld]\n") };
    pattern.replace_all(line, |found: &Captures<'_>| {
        let part = |number| found.get(number).map_or("", |part| part.as_str());
        if part(0).starts_with(REGISTRY) {
            return part(0).to_owned();
        }
        format!("{}{}[withheld]{}", part(1), part(3), part(2))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_personal_is_withheld_and_nothing_else() {
        for (told, left) in [
            (r#"{"user":"jo.doe+x@example.net"}"#, r#"{"user":"[withheld]"}"#),
            ("Key (email)=(noc@example.net) already exists", "Key (email)=([withheld]) already exists"),
            ("call +1-703-555-0100 x12 now", "call [withheld] x12 now"),
            ("(8, +49 (30) 1234567, null)", "(8, [withheld], null)"),
            ("703.555.0100", "[withheld]"),
            ("at redis://:pass-word@redis:6379/0 now", "at redis://[withheld]@redis:6379/0 now"),
            ("https://user:pass@otel.example.net:4318/v1", "https://[withheld]@otel.example.net:4318/v1"),
            ("http://127.0.0.1/rest/org/X?a=1&apikey=API-X", "http://127.0.0.1/rest/org/X?a=1&apikey=[withheld]"),
            ("key API-ABCD-0123-EFGH-4567 is bad", "key [withheld] is bad"),
            ("Bearer nbt_jgolUrBT0itp.ODER1gf7vHn5SKli1aQ03t4nA4P5", "Bearer [withheld]"),
        ] {
            assert_eq!(redact(told), left);
        }
        for kept in [
            "NET-192-168-100-0-1",
            "192.168.100.200/24",
            "2026-11-22T22:34:57.330554+00:00",
            "2001:db8::/32",
            "#1234567890",
            "arin@reg.example.net:8090",
            "https://reg.arin.net/rest/poc/X-ARIN",
            "API-URL",
        ] {
            assert_eq!(redact(kept), kept);
        }
    }

    #[test]
    fn a_line_is_written_whole() {
        let mut written = Vec::new();
        Redact(&mut written).write_all(b"told jo@example.net\n").unwrap();
        assert_eq!(written, b"told [withheld]\n");
    }
}
