//! Reads a dump as a stream of paragraphs.

use std::io::{self, BufRead, ErrorKind};

use super::splitter::{Paragraph, Splitter};

/// The paragraphs of a dump, each of which should be an object. Holds one at a time.
///
/// Comments, which are the lines that begin with `#` or `%`, are left out, also those inside of objects, as an IRRd leaves them out.
#[derive(Debug)]
pub struct Paragraphs<R> {
    from: R,
    splitter: Splitter,
}

impl<R: BufRead> Paragraphs<R> {
    /// Reads what the reader has.
    pub fn new(from: R) -> Self {
        Self { from, splitter: Splitter::dump() }
    }

    /// Returns the next paragraph, `None` at the end.
    ///
    /// # Errors
    ///
    /// The reader's. What comes after that is not known.
    pub fn next_paragraph(&mut self) -> io::Result<Option<Paragraph<'_>>> {
        loop {
            let piece = match self.from.fill_buf() {
                Ok(piece) => piece,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let (used, is_whole) =
                if piece.is_empty() { (0, self.splitter.finish()) } else { self.splitter.take(piece) };
            let is_end = piece.is_empty();
            self.from.consume(used);
            if is_whole {
                return Ok(Some(self.splitter.paragraph()));
            }
            if is_end {
                return Ok(None);
            }
        }
    }

    /// Returns the reader.
    #[must_use]
    pub fn into_inner(self) -> R {
        self.from
    }

    /// Returns whether what was read so far ends with `# EOF`, by which whole dumps end.
    pub fn saw_eof(&self) -> bool {
        self.splitter.saw_eof()
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;
    use crate::irr::rpsl::LONGEST_OBJECT;

    /// Returns the paragraphs, read in pieces of so many bytes, and whether they end as a dump ends.
    fn split(bytes: &[u8], piece: usize) -> (Vec<String>, bool) {
        let mut paragraphs = Paragraphs::new(BufReader::with_capacity(piece, bytes));
        let mut all = Vec::new();
        while let Some(paragraph) = paragraphs.next_paragraph().unwrap() {
            all.push(match paragraph {
                Paragraph::Text(text) => text.to_owned(),
                Paragraph::TooLong { begins, bytes } => format!("{bytes} bytes, {begins:?}"),
            });
        }
        (all, paragraphs.saw_eof())
    }

    #[test]
    fn empty_lines_part_paragraphs_and_nothing_else_does() {
        let dump = "\n\n% banner\nroute: a\n+b\n \t\n\tc\u{2028}d\n\n\nroute: e\r\nx: f\r\r\n\r\n\r# comment\nroute: g\n#inside\n%too\ny: h";
        for piece in [1, 2, 3, 7, 1000] {
            let (all, eof) = split(dump.as_bytes(), piece);
            assert_eq!(all, ["route: a\n+b\n \t\n\tc\u{2028}d\n", "route: e\nx: f\n", "route: g\ny: h\n"], "{piece}");
            assert!(!eof);
        }
    }

    #[test]
    fn blanks_before_a_paragraph_say_nothing() {
        assert_eq!(split(b" \n\t \n  route: a\n x\n", 4).0, ["route: a\n x\n"]);
    }

    #[test]
    fn a_byte_that_is_not_utf_8_is_written_out() {
        assert_eq!(split(b"descr: Caf\xe9 \xc3\xa9 \xe2\x82\n", 3).0, ["descr: Caf\\xe9 \u{e9} \\xe2\\x82\n"]);
    }

    #[test]
    fn the_mark_at_the_end_counts_at_the_end_only() {
        for (dump, eof) in [
            ("route: a\n\n# EOF\n", true),
            ("route: a\n\n# EOF", true),
            ("# EOF\r\n\n\n", true),
            ("# EOF\n\nroute: a\n", false),
            ("# EOF\n# more\n", false),
            ("", false),
            ("route: a\n\n#EOF of another kind\n", false),
        ] {
            assert_eq!(split(dump.as_bytes(), 5).1, eof, "{dump:?}");
        }
    }

    #[test]
    fn an_object_that_is_too_long_is_skipped_and_those_beside_it_are_not() {
        let fits = format!("route: a\nremarks: {}\n", "x".repeat(LONGEST_OBJECT - 20));
        let long = format!("route: b\nremarks: {}\n\r\n", "x".repeat(LONGEST_OBJECT));
        let lines = "remarks: y\n".repeat(LONGEST_OBJECT / 10);
        let dump = format!("{fits}\n{long}route: c\n\n{lines}");
        for piece in [4096, 1 << 24] {
            let (all, _) = split(dump.as_bytes(), piece);
            let begins = ["route: a\n", "41943", "route: c\n", "46"];
            assert_eq!(all.len(), begins.len());
            for (text, begins) in all.iter().zip(begins) {
                assert!(text.starts_with(begins), "{piece}: {}", &text[..40]);
            }
            assert_eq!(all[0].len(), fits.len());
            assert!(all[1].contains("route: b\\nremarks: xx") && all[1].len() < 300, "{}", &all[1][..300]);
            assert!(all[3].len() < 300, "{}", &all[3][..300]);
        }
    }
}
