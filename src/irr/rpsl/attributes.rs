//! The attributes of an object.

use std::borrow::Cow;

use memchr::memchr;

/// An attribute of an object, as it is written there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its name as it is written; it means the same in upper and lower case.
    pub name: &'a str,
    /// All of its lines: those that go on with the value, too.
    pub lines: &'a str,
}

/// The attributes of an object, one after the other.
#[derive(Debug, Clone)]
pub struct Attributes<'a> {
    rest: &'a str,
}

/// A line, and those that go on with it, in which no attribute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedLine<'a>(pub &'a str);

/// Returns the attributes of an object. A line that begins with a blank, a tabulator or `+` belongs to the one before it.
pub fn attributes(text: &str) -> Attributes<'_> {
    Attributes { rest: text }
}

/// Returns the parts of a value that is a list; a comma may stand behind the last one.
pub fn listed(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|part| !part.is_empty())
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, MalformedLine<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let (lines, rest) = self.rest.split_at_checked(length(self.rest.as_bytes()))?;
        self.rest = rest;
        let name = lines.split_once(':').map(|(name, _)| name);
        Some(match name.filter(|name| is_attribute_name(name)) {
            Some(name) => Ok(Attribute { name, lines }),
            None => Err(MalformedLine(lines)),
        })
    }
}

impl<'a> Attribute<'a> {
    /// Returns whether it has this name, which is in lower case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Returns the value as it is written, over several lines.
    pub fn raw(&self) -> &'a str {
        self.lines.get(self.name.len().saturating_add(1)..).unwrap_or_default()
    }

    /// Returns the value without comments and without blanks around it; where it has several lines, a comma stands between them.
    pub fn value(&self) -> Cow<'a, str> {
        let raw = self.raw().strip_suffix('\n').unwrap_or(self.raw());
        let Some((first, others)) = raw.split_once('\n') else { return Cow::Borrowed(uncommented(raw).trim()) };
        // The first letter of the other lines says that they go on.
        let others = others.split('\n').map(|line| line.get(1..).unwrap_or_default());
        let lines = std::iter::once(first).chain(others);
        let said =
            lines.map(|line| uncommented(line).trim_matches(|letter: char| letter == ',' || letter.is_whitespace()));
        Cow::Owned(said.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(","))
    }
}

/// Returns the length of the first line and of those that go on with it.
fn length(text: &[u8]) -> usize {
    let mut length = 0;
    while let Some(rest) = text.get(length..) {
        let Some(end) = memchr(b'\n', rest) else { return text.len() };
        length += end + 1;
        if !matches!(text.get(length), Some(b' ' | b'\t' | b'+')) {
            break;
        }
    }
    length
}

fn is_attribute_name(name: &str) -> bool {
    let fits = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_';
    !name.is_empty() && name.bytes().all(fits)
}

fn uncommented(line: &str) -> &str {
    line.split_once('#').map_or(line, |(said, _)| said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_on_in_the_next_lines_and_end_at_comments() {
        let text = "Route:  192.0.2.0/24 # ours\nmnt-by:A-MNT,\n  B-MNT # two\n+\tC-MNT\n+\n \t\nremarks:\norigin: AS1:2\nlast:x";
        let told: Vec<String> = attributes(text)
            .map(|attribute| {
                attribute.map_or_else(|line| format!("? {line:?}"), |a| format!("{} = {}", a.name, a.value()))
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"), @"
        Route = 192.0.2.0/24
        mnt-by = A-MNT,B-MNT,C-MNT
        remarks = 
        origin = AS1:2
        last = x
        ");
        assert_eq!(attributes(text).flatten().map(|attribute| attribute.lines).collect::<String>(), text);
    }

    #[test]
    fn a_line_without_an_attribute_is_told_and_the_next_one_is_read() {
        let text = "no colon\n over: two\nroute : a\n: b\n%c: d\n\u{e4}: e\n+f: g\nx: h\n";
        let told: Vec<Result<&str, &str>> =
            attributes(text).map(|found| found.map(|found| found.lines).map_err(|line| line.0)).collect();
        assert_eq!(
            told,
            [
                Err("no colon\n over: two\n"),
                Err("route : a\n"),
                Err(": b\n"),
                Err("%c: d\n"),
                Err("\u{e4}: e\n+f: g\n"),
                Ok("x: h\n")
            ]
        );
    }

    #[test]
    fn a_list_may_end_with_a_comma() {
        assert_eq!(listed("A, B,,C ,").collect::<Vec<_>>(), ["A", "B", "C"]);
        assert_eq!(listed("").count(), 0);
    }
}
