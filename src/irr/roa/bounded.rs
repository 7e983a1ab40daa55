//! Keeps JSON from taking more memory than any list of VRPs needs: whoever reads a text holds all of it, and what is passed over
//! is counted level by level.

use std::io::{self, Read};

/// The longest text, in bytes. Those of lists are shorter than 100; some validators write where a ROA comes from, a URL.
const LONGEST: usize = 4096;
/// So many lists and objects may lie in each other. Those of lists of VRPs are five at the most.
const DEEPEST: usize = 32;

/// Passes JSON on, until a text is too long or too many lists lie in each other.
pub(super) struct Bounded<R> {
    from: R,
    /// The bytes of the text at hand; `None` outside of texts.
    text: Option<usize>,
    /// Whether the next byte of the text means no more than itself.
    escaped: bool,
    depth: usize,
}

/// JSON that would take too much memory.
#[derive(Debug, thiserror::Error)]
#[error("it has a text of more than {LONGEST} bytes, or more than {DEEPEST} lists in each other")]
pub(super) struct Outsized;

impl<R: Read> Bounded<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, text: None, escaped: false, depth: 0 }
    }

    fn look_at(&mut self, byte: u8) -> Result<(), Outsized> {
        match (self.text, byte) {
            (Some(_), b'"') if !self.escaped => self.text = None,
            (Some(length), _) => {
                self.escaped = byte == b'\\' && !self.escaped;
                self.text = Some(length.saturating_add(1));
            }
            (None, b'"') => self.text = Some(0),
            (None, b'[' | b'{') => self.depth = self.depth.saturating_add(1),
            (None, b']' | b'}') => self.depth = self.depth.saturating_sub(1),
            (None, _) => {}
        }
        let is_outsized = self.depth > DEEPEST || self.text.is_some_and(|length| length > LONGEST);
        if is_outsized { Err(Outsized) } else { Ok(()) }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        let bytes = into.get(..read).unwrap_or_default();
        bytes.iter().try_for_each(|byte| self.look_at(*byte)).map_err(io::Error::other)?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_passed_on(text: &str) -> bool {
        let mut all = String::new();
        let read = Bounded::new(text.as_bytes()).read_to_string(&mut all);
        read.is_ok() && all == text
    }

    #[test]
    fn texts_and_depths_have_an_end() {
        let text = |length| format!(r#"["{}", "x"]"#, "[".repeat(length));
        assert!(is_passed_on(&text(LONGEST)) && !is_passed_on(&text(LONGEST + 1)));
        let deep = |depth| "[".repeat(depth) + &"]".repeat(depth) + "{}";
        assert!(is_passed_on(&deep(DEEPEST)) && !is_passed_on(&deep(DEEPEST + 1)));
    }

    #[test]
    fn a_quotation_mark_that_is_escaped_ends_no_text() {
        let escaped = r#"\""#.repeat(LONGEST / 2);
        assert!(is_passed_on(&format!(r#"["{escaped}", "{escaped}"]"#)));
        assert!(!is_passed_on(&format!(r#"["{escaped}\"x"]"#)));
        let ended = r#""\\","#.repeat(LONGEST);
        assert!(is_passed_on(&ended), "what is escaped is the backslash");
    }
}
