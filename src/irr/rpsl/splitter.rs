//! Splits bytes that come in pieces into paragraphs.

use memchr::memchr;

/// The longest object that is read, in bytes. The longest ones that registries hold are sets and policies with some ten
/// thousand lines, far below a mebibyte; an object that never ends must not fill the memory.
pub const LONGEST_OBJECT: usize = 4 << 20;

/// What is kept of an object that is too long, in bytes: enough to find it.
const KEPT: usize = 200;

/// Lines that stand together; an empty line parts them from others.
#[derive(Debug, PartialEq, Eq)]
pub enum Paragraph<'a> {
    /// Its lines, each of which ends with a line feed.
    Text(&'a str),
    /// It is longer than [`LONGEST_OBJECT`], and was skipped.
    TooLong {
        /// How it begins.
        begins: &'a str,
        /// About how long it is.
        bytes: u64,
    },
}

/// Gathers one paragraph after the other out of pieces that end anywhere.
///
/// Only a line feed ends a line, and carriage returns beside it are no part of it. A line of blanks is not empty, but goes on
/// with a value; at the begin of a paragraph there is none, and blanks say nothing. A byte that is not UTF-8 becomes the four
/// letters `\xe9`, as in an IRRd.
#[derive(Debug)]
pub(in crate::irr) struct Splitter {
    /// Whether `%` begins a comment everywhere, as in a dump. In a stream such a line is a paragraph of its own if it begins one.
    dump: bool,
    text: Vec<u8>,
    /// Where the line begins in the text of which the end has not come yet.
    line: usize,
    /// The length of the paragraph at hand, if it is too long.
    skipped: Option<u64>,
    /// Whether the line at hand says nothing so far, in a paragraph that is skipped.
    blank: bool,
    /// Whether the paragraph at hand is whole, so that the next byte begins another one.
    whole: bool,
    /// Whether `# EOF` was the last line that said anything.
    eof: bool,
    /// The text, if it was not UTF-8.
    escaped: String,
}

impl Splitter {
    /// Splits a dump.
    pub(in crate::irr) fn dump() -> Self {
        Self {
            dump: true,
            text: Vec::new(),
            line: 0,
            skipped: None,
            blank: true,
            whole: false,
            eof: false,
            escaped: String::new(),
        }
    }

    /// Splits a stream of changes.
    pub(in crate::irr) fn stream() -> Self {
        Self { dump: false, ..Self::dump() }
    }

    /// Takes bytes up to the end of a paragraph. Returns how many it took, and whether a paragraph is whole.
    pub(in crate::irr) fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        self.begin();
        let mut rest = bytes;
        while let Some(end) = memchr(b'\n', rest) {
            let (line, behind) = rest.split_at(end);
            rest = behind.get(1..).unwrap_or_default();
            if self.end_line(line) {
                self.whole = true;
                return (bytes.len() - rest.len(), true);
            }
        }
        self.part_of_line(rest);
        (bytes.len(), false)
    }

    /// Takes the end of all bytes. Returns whether a paragraph became whole by that.
    pub(in crate::irr) fn finish(&mut self) -> bool {
        self.begin();
        let is_open = self.skipped.is_none() && self.text.len() > self.line;
        let ended = is_open && self.end_line(b"");
        self.whole = ended || self.skipped.is_some() || !self.text.is_empty();
        self.whole
    }

    /// Returns the paragraph that has become whole.
    pub(in crate::irr) fn paragraph(&mut self) -> Paragraph<'_> {
        let text = match std::str::from_utf8(&self.text) {
            Ok(text) => text,
            Err(_) => {
                self.escaped = escaped(&self.text);
                &self.escaped
            }
        };
        match self.skipped {
            None => Paragraph::Text(text),
            Some(bytes) => Paragraph::TooLong { begins: text, bytes },
        }
    }

    /// Returns whether `# EOF` was the last line that said anything.
    pub(in crate::irr) fn saw_eof(&self) -> bool {
        self.eof
    }

    /// Forgets the last paragraph if it was whole.
    fn begin(&mut self) {
        if self.whole {
            (self.whole, self.skipped, self.blank, self.line) = (false, None, true, 0);
            self.text.clear();
        }
    }

    /// Takes the rest of a line. Returns whether a paragraph is whole with it.
    fn end_line(&mut self, rest: &[u8]) -> bool {
        if let Some(skipped) = &mut self.skipped {
            *skipped = skipped.saturating_add(rest.len() as u64).saturating_add(1);
            let is_empty = self.blank && says_nothing(rest);
            self.blank = true;
            return is_empty;
        }
        if self.text.len() == self.line {
            return self.line(rest);
        }
        let mut line = self.text.split_off(self.line);
        line.extend_from_slice(rest);
        self.line(&line)
    }

    /// Takes what has come of a line.
    fn part_of_line(&mut self, part: &[u8]) {
        if let Some(skipped) = &mut self.skipped {
            *skipped = skipped.saturating_add(part.len() as u64);
            self.blank &= says_nothing(part);
        } else if self.text.len() + part.len() > LONGEST_OBJECT {
            self.skip(part);
            self.blank = false;
        } else {
            self.text.extend_from_slice(part);
        }
    }

    /// Takes a line. Returns whether a paragraph is whole with it.
    fn line(&mut self, line: &[u8]) -> bool {
        let line = without_return(line);
        match line.first() {
            None => !self.text.is_empty(),
            Some(b'#') => {
                self.eof = line.trim_ascii_end() == b"# EOF";
                false
            }
            Some(b'%') if self.dump => false,
            Some(b' ' | b'\t') if self.text.is_empty() => {
                let begins = line.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(line.len());
                self.line(line.get(begins..).unwrap_or_default())
            }
            Some(first) => {
                let is_alone = *first == b'%' && self.text.is_empty();
                self.keep(line);
                is_alone
            }
        }
    }

    fn keep(&mut self, line: &[u8]) {
        self.eof = false;
        if self.text.len() + line.len() >= LONGEST_OBJECT {
            self.skip(line);
            return;
        }
        self.text.extend_from_slice(line);
        self.text.push(b'\n');
        self.line = self.text.len();
    }

    /// Gives up a paragraph that is too long.
    fn skip(&mut self, line: &[u8]) {
        self.eof = false;
        self.skipped = Some((self.text.len() as u64).saturating_add(line.len() as u64));
        self.text.truncate(KEPT);
        let more = KEPT.saturating_sub(self.text.len()).min(line.len());
        self.text.extend_from_slice(line.get(..more).unwrap_or_default());
        self.line = self.text.len();
    }
}

fn says_nothing(line: &[u8]) -> bool {
    line.iter().all(|byte| *byte == b'\r')
}

/// Returns a line without the carriage returns around it.
fn without_return(mut line: &[u8]) -> &[u8] {
    while let Some((b'\r', before)) = line.split_last() {
        line = before;
    }
    while let Some((b'\r', behind)) = line.split_first() {
        line = behind;
    }
    line
}

/// Returns text in which each byte that is not UTF-8 stands as `\xe9`.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_never_ends_does_not_fill_the_memory() {
        let mut splitter = Splitter::dump();
        assert_eq!(splitter.take(b"# EOF\n"), (6, false));
        let piece = [b'x'; 1 << 16];
        for _ in 0..2 * LONGEST_OBJECT / piece.len() {
            assert_eq!(splitter.take(&piece), (piece.len(), false));
            assert!(splitter.text.len() <= LONGEST_OBJECT);
        }
        assert!(splitter.text.len() < 1000 && !splitter.saw_eof());
        assert!(splitter.finish());
        let begins = "x".repeat(KEPT);
        let bytes = 2 * LONGEST_OBJECT as u64;
        assert_eq!(splitter.paragraph(), Paragraph::TooLong { begins: &begins, bytes });
        assert!(!splitter.finish());
    }
}
