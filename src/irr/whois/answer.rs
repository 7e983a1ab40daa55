//! Takes answers out of the bytes of a connection: pure.

use memchr::memchr;

use crate::outbound::excerpt::excerpt;

/// The longest line that an answer begins with, in bytes; that of a refusal says why.
const LONGEST_LINE: usize = 4 << 10;
/// The most characters of foreign text that are shown.
const SHOWN: usize = 120;
/// The line behind the text of an answer.
const END: &[u8] = b"C\n";

/// What a question was answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WhoisAnswer {
    /// This.
    Text(Vec<u8>),
    /// Nothing: it is done, or there is none.
    Nothing,
    /// Why it is not answered.
    Refused(String),
}

/// Bytes that are no answer of an IRRd. Foreign text in it is shortened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFault {
    /// A line stands there with which no answer begins.
    #[error("an IRRd does not answer {begins:?}")]
    Foreign {
        /// The line.
        begins: String,
    },
    /// The end of an answer is not where it should be.
    #[error("no end is behind the {announced} bytes that the answer should have")]
    Length {
        /// The length that the answer said it has.
        announced: usize,
    },
}

/// Takes answers out of pieces that end anywhere.
#[derive(Debug, Default)]
pub(super) struct WhoisReader {
    /// What was not taken yet.
    buffer: Vec<u8>,
    /// The text that comes next.
    text: Option<Text>,
}

/// A text of which the first byte is that of the buffer.
#[derive(Debug)]
struct Text {
    announced: usize,
    /// The bytes that were looked at.
    seen: usize,
    /// Those of them that go on with a character.
    continuing: usize,
}

impl WhoisReader {
    /// Takes a piece.
    pub(super) fn feed(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// Returns the next answer; `None` if it is not whole yet.
    pub(super) fn next(&mut self) -> Result<Option<WhoisAnswer>, AnswerFault> {
        if let Some(text) = &mut self.text {
            let Some(end) = text.end(&self.buffer)? else { return Ok(None) };
            self.text = None;
            return Ok(Some(WhoisAnswer::Text(self.cut(end, END.len()))));
        }
        let Some(end) = memchr(b'\n', &self.buffer) else {
            return if self.buffer.len() > LONGEST_LINE { Err(foreign(&self.buffer)) } else { Ok(None) };
        };
        let line = self.cut(end, 1);
        match line.as_slice() {
            b"C" | b"D" => Ok(Some(WhoisAnswer::Nothing)),
            [b'F', b' ', said @ ..] => Ok(Some(WhoisAnswer::Refused(shown(said)))),
            [b'A', digits @ ..] => {
                let announced = length(digits).ok_or_else(|| foreign(&line))?;
                self.text = Some(Text { announced, seen: 0, continuing: 0 });
                self.next()
            }
            _ => Err(foreign(&line)),
        }
    }

    /// Returns what is wrong with the answer of which no more comes, if it is not only cut off.
    pub(super) fn fault(&self) -> Option<AnswerFault> {
        let begins_none = !matches!(self.buffer.first(), None | Some(b'A' | b'C' | b'D' | b'F'));
        (self.text.is_none() && begins_none).then(|| foreign(&self.buffer))
    }

    /// Takes bytes up to an end, and drops what marks it.
    fn cut(&mut self, end: usize, mark: usize) -> Vec<u8> {
        let rest = self.buffer.split_off((end + mark).min(self.buffer.len()));
        let mut taken = std::mem::replace(&mut self.buffer, rest);
        taken.truncate(end);
        taken
    }
}

impl Text {
    /// Returns where the text ends; `None` if that has not come yet.
    fn end(&mut self, buffer: &[u8]) -> Result<Option<usize>, AnswerFault> {
        match is_end(buffer, self.announced) {
            None => return Ok(None),
            Some(true) => return Ok(Some(self.announced)),
            Some(false) => {}
        }
        // An IRRd before 4.5 counts characters instead, and so did RADB's at the end of 2025.
        while self.seen < self.announced + self.continuing {
            let more = buffer.get(self.seen..buffer.len().min(self.announced + self.continuing)).unwrap_or_default();
            if more.is_empty() {
                return Ok(None);
            }
            self.seen += more.len();
            self.continuing += more.iter().filter(|byte| (0x80..0xc0).contains(*byte)).count();
        }
        match is_end(buffer, self.seen) {
            None => Ok(None),
            Some(true) => Ok(Some(self.seen)),
            Some(false) => Err(AnswerFault::Length { announced: self.announced }),
        }
    }
}

/// Returns whether the end of an answer is at a place; `None` if that has not come yet.
fn is_end(buffer: &[u8], at: usize) -> Option<bool> {
    buffer.get(at..at.checked_add(END.len())?).map(|behind| behind == END)
}

/// Reads a length: digits, and nothing but digits.
fn length(digits: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|letter| letter.is_ascii_digit()))?;
    // No more than half of what there are numbers for, so that nothing that is added to it can overflow.
    text.parse().ok().filter(|length| *length < usize::MAX / 2)
}

fn foreign(bytes: &[u8]) -> AnswerFault {
    AnswerFault::Foreign { begins: shown(bytes) }
}

fn shown(bytes: &[u8]) -> String {
    excerpt(&String::from_utf8_lossy(bytes.get(..LONGEST_LINE).unwrap_or(bytes)), SHOWN)
}
