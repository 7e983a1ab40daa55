//! The filter that keeps mail addresses and telephone numbers out of log lines. It is needed whoever writes the line:
//! other systems quote what they refuse, and in many a NetBox user names are mail addresses.

use std::{
    borrow::Cow,
    io::{self, Write},
    sync::LazyLock,
};

use regex_lite::{Captures, Regex};

/// A mail address; a number with its country's code; a number as North America writes it.
const PERSONAL: &str = concat!(
    r#"[^\s"'<>(),;:=\\\[\]{}]+@[^\s"'<>(),;:=\\\[\]{}]+\.[A-Za-z]{2,}"#,
    r"|\+\d[\d().\- ]{5,}\d|\b\d{3}[-. ]\d{3}[-. ]\d{4}\b"
);
/// The beginning of the names of registries other than ARIN's own; the host stands behind it.
const REGISTRY: &str = "arin@";

static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(PERSONAL).ok());

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
        let found = found.get(0).map_or("", |found| found.as_str());
        if found.starts_with(REGISTRY) { found.to_owned() } else { "[withheld]".to_owned() }
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
