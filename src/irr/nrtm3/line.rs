//! The lines of an answer that are no part of an object.

use super::{no_answer::NamedRange, question::SerialRange};
use crate::irr::source::Serial;

/// The greatest serial that is read. What counts in signed numbers of 64 bits can keep it.
const GREATEST: u64 = i64::MAX as u64;

/// What a line that begins with `%` says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Remark<'a> {
    /// The answer begins here.
    Start(Start<'a>),
    /// It should begin here, but the line has not the form for that.
    MalformedStart,
    /// The answer of the source that is named ends here.
    End(&'a str),
    /// The upstream refuses.
    Error {
        /// What it says.
        message: &'a str,
        /// The serials that it names.
        named: Option<NamedRange>,
    },
    /// There is nothing behind the first serial.
    NothingNewer,
    /// The upstream has no change of this source.
    NothingKept,
    /// It is for people.
    Other,
}

/// The line with which an answer begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Start<'a> {
    pub(super) version: &'a str,
    pub(super) source: &'a str,
    pub(super) first: Serial,
    pub(super) last: Serial,
}

/// What a line asks to be done with the object behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// To add it.
    Add,
    /// To delete it.
    Delete,
}

/// Reads a line that begins with `%`.
pub(super) fn remark(line: &str) -> Remark<'_> {
    let said = line.trim_start_matches('%').trim();
    if let Some(rest) = word(said, "START") {
        return start(rest).map_or(Remark::MalformedStart, Remark::Start);
    }
    if let Some(source) = word(said, "END") {
        return Remark::End(source);
    }
    if let Some(rest) = beginning(said, "ERROR") {
        let message = rest.trim_start_matches(':').trim();
        return Remark::Error { message, named: named(message) };
    }
    match beginning(said, "WARNING") {
        Some(rest) if rest.contains("no newer updates available") => Remark::NothingNewer,
        Some(rest) if rest.contains("no updates available") => Remark::NothingKept,
        Some(_) | None => Remark::Other,
    }
}

/// Reads `ADD`, `DEL`, `ADD 1012` or `DEL 1012`: the line, if it is one of these, else `Err`. `None` if no such word begins it.
pub(super) fn operation(paragraph: &str) -> Option<Result<(Verb, Option<Serial>), ()>> {
    let mut words = paragraph.split_ascii_whitespace();
    let verb = match words.next()? {
        "ADD" => Verb::Add,
        "DEL" => Verb::Delete,
        _ => return None,
    };
    let number = words.next();
    let is_line = words.next().is_none() && paragraph.trim_end().lines().count() == 1;
    let number = number.map(|number| serial(number).ok_or(())).transpose();
    Some(number.and_then(|number| if is_line { Ok((verb, number)) } else { Err(()) }))
}

/// Reads what is behind `START`: `Version: 3 RADB 1012-1014`, perhaps with ` FILTERED`, which says that objects are left out.
fn start(rest: &str) -> Option<Start<'_>> {
    let mut words = rest.strip_prefix("Version:")?.split_ascii_whitespace();
    let (version, source) = (words.next()?, words.next()?);
    let (first, last) = words.next()?.split_once('-')?;
    let is_end = matches!(words.next(), None | Some("FILTERED")) && words.next().is_none();
    is_end.then_some(Start { version, source, first: serial(first)?, last: serial(last)? })
}

/// Reads the serials that a refusal names: `Not within 12-34` of a RIPE whois, `Serials 12 - 34 do not exist` of an IRRd.
fn named(message: &str) -> Option<NamedRange> {
    let range = |text: &str| {
        let (first, last) = text.split_once('-')?;
        Some(SerialRange { first: serial(first.trim())?, last: serial(last.trim())? })
    };
    if let Some((_, kept)) = message.split_once("Not within ") {
        return range(kept).map(NamedRange::Kept);
    }
    let (_, gone) = message.split_once("Serials ")?;
    range(gone.strip_suffix("do not exist")?).map(NamedRange::Gone)
}

/// Reads a serial: digits, and nothing but digits.
fn serial(text: &str) -> Option<Serial> {
    let number = text.bytes().all(|letter| letter.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    number.filter(|number| *number <= GREATEST).map(Serial)
}

/// Returns what is behind a word.
fn word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(word)?;
    let ends = rest.is_empty() || rest.starts_with(|letter: char| letter.is_ascii_whitespace());
    // An IRRd takes `STARTVersion:`, too.
    (ends || rest.starts_with("Version:")).then(|| rest.trim_start())
}

/// Returns what is behind a word that may be written in lower case.
fn beginning<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (begin, rest) = text.split_at_checked(word.len())?;
    begin.eq_ignore_ascii_case(word).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_have_many_forms() {
        let lines = [
            "%START Version: 3 RADB 1012-1014",
            "% START Version:1 radb 1-1 FILTERED",
            "%START Version: 3 RADB 1012-LAST",
            "%START Version: 3 RADB 1-9223372036854775808",
            "%START Version: 3 RADB 1-2 3",
            "%START",
            "% STARTING soon",
            "%END RADB",
            "% END",
            "% ENDED",
            "%% ERROR: Access denied",
            "%ERROR:401: invalid range: Not within 12-34",
            "%% ERROR: Serials 1023 - 1030 do not exist",
            "% ERROR: Not within reach",
            "% Warning: there are no newer updates available",
            "% Warning: there are no updates available",
            "% Warning: be careful",
            "%",
        ];
        insta::assert_snapshot!(lines.map(|line| format!("{line} = {:?}", remark(line))).join("\n"), @r#"
        %START Version: 3 RADB 1012-1014 = Start(Start { version: "3", source: "RADB", first: Serial(1012), last: Serial(1014) })
        % START Version:1 radb 1-1 FILTERED = Start(Start { version: "1", source: "radb", first: Serial(1), last: Serial(1) })
        %START Version: 3 RADB 1012-LAST = MalformedStart
        %START Version: 3 RADB 1-9223372036854775808 = MalformedStart
        %START Version: 3 RADB 1-2 3 = MalformedStart
        %START = MalformedStart
        % STARTING soon = Other
        %END RADB = End("RADB")
        % END = End("")
        % ENDED = Other
        %% ERROR: Access denied = Error { message: "Access denied", named: None }
        %ERROR:401: invalid range: Not within 12-34 = Error { message: "401: invalid range: Not within 12-34", named: Some(Kept(SerialRange { first: Serial(12), last: Serial(34) })) }
        %% ERROR: Serials 1023 - 1030 do not exist = Error { message: "Serials 1023 - 1030 do not exist", named: Some(Gone(SerialRange { first: Serial(1023), last: Serial(1030) })) }
        % ERROR: Not within reach = Error { message: "Not within reach", named: None }
        % Warning: there are no newer updates available = NothingNewer
        % Warning: there are no updates available = NothingKept
        % Warning: be careful = Other
        % = Other
        "#);
    }

    #[test]
    fn operations_are_lines_of_their_own() {
        for (text, read) in [
            ("ADD 12\n", Some(Ok((Verb::Add, Some(Serial(12)))))),
            ("DEL\n", Some(Ok((Verb::Delete, None)))),
            ("ADD  12 \n", Some(Ok((Verb::Add, Some(Serial(12)))))),
            ("ADD twelve\n", Some(Err(()))),
            ("ADD -1\n", Some(Err(()))),
            ("ADD 12 13\n", Some(Err(()))),
            ("ADD 12\nroute: x\n", Some(Err(()))),
            ("ADD\n12\n", Some(Err(()))),
            ("add 12\n", None),
            ("ADDRESS: x\n", None),
        ] {
            assert_eq!(operation(text), read, "{text:?}");
        }
    }
}
