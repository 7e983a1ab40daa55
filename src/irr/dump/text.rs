//! The text of a dump: unpacked, and the text of several files as one.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;

use super::{
    error::{FetchError, FetchFailure, failure_of},
    incoming::Incoming,
    validators::Validators,
};
use crate::outbound::excerpt::excerpt;

/// What a gzip file begins with (RFC 1952), whatever its name is.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The bytes that are read at once; by the first of them a web page is told.
const CHUNK: usize = 64 * 1024;
/// The characters that are shown of a page.
const MOST_SHOWN: usize = 200;
/// What keeps the last object of a file from the first one of the next.
const BETWEEN_FILES: &[u8] = b"\n\n";

/// Reads the text of a dump. Gzip is told by its first bytes; several members are one file. It may block, as
/// [`Incoming`] does.
///
/// Each error holds a [`FetchError`], see [`failure_of`]. After one there is nothing but errors.
pub struct DumpText {
    stage: Stage,
    buffer: Vec<u8>,
    at: usize,
    files: Vec<ReceivedFile>,
    /// The text of the file at hand so far.
    text: u64,
    /// The text of all files so far.
    all_text: u64,
    most_text: u64,
}

/// What is read.
enum Stage {
    Between(Incoming),
    Plain(Incoming),
    Packed(Box<MultiGzDecoder<Incoming>>),
    Over,
    Failed,
}

/// What came, once all of it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The files in their order.
    pub files: Vec<ReceivedFile>,
}

/// A file that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedFile {
    /// By what its server tells this version from others.
    pub validators: Validators,
    /// The SHA-256 of the file as it came: the same as last time means the same file.
    pub sha256: [u8; 32],
    /// The bytes that came.
    pub received: u64,
    /// The bytes of its text; none when it was empty, or an empty gzip file.
    pub text: u64,
}

impl Receipt {
    /// Returns whether there was no text at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.iter().all(|file| file.text == 0)
    }
}

impl DumpText {
    pub(super) fn new(incoming: Incoming, most_text: u64) -> Self {
        let stage = Stage::Between(incoming);
        Self { stage, buffer: Vec::new(), at: 0, files: Vec::new(), text: 0, all_text: 0, most_text }
    }

    /// Reads what is left, and returns what came.
    ///
    /// # Errors
    /// When not all of it came, or something failed before.
    pub fn finish(mut self) -> Result<Receipt, FetchError> {
        loop {
            let length = self.fill_buf().map_err(failure_of)?.len();
            if length == 0 {
                return Ok(Receipt { files: self.files });
            }
            self.consume(length);
        }
    }

    /// Puts the next text into the buffer, which stays empty at the end alone.
    fn refill(&mut self) -> io::Result<()> {
        self.buffer.clear();
        self.at = 0;
        while self.buffer.is_empty() {
            // Whatever fails on the way leaves this behind.
            match std::mem::replace(&mut self.stage, Stage::Failed) {
                Stage::Between(incoming) => self.begin(incoming)?,
                Stage::Plain(mut incoming) => {
                    let read = self.read_some(&mut incoming)?;
                    self.no_bomb().map_err(|failure| incoming.error(failure))?;
                    self.stage = if read == 0 { self.end(incoming)? } else { Stage::Plain(incoming) };
                }
                Stage::Packed(mut packed) => {
                    let unpacked = self.read_some(&mut packed);
                    let unpacked = unpacked.map_err(|error| not_unpacked(packed.get_ref(), error))?;
                    self.no_bomb().map_err(|failure| packed.get_ref().error(failure))?;
                    self.stage = if unpacked == 0 { self.end(packed.into_inner())? } else { Stage::Packed(packed) };
                }
                Stage::Over => {
                    self.stage = Stage::Over;
                    return Ok(());
                }
                Stage::Failed => return Err(io::Error::other(FetchError::from(FetchFailure::FailedBefore))),
            }
        }
        Ok(())
    }

    /// Begins with a file, if there is one more.
    fn begin(&mut self, mut incoming: Incoming) -> io::Result<()> {
        if !incoming.begins()? {
            self.stage = Stage::Over;
            return Ok(());
        }
        self.text = 0;
        if self.files.iter().any(|file| file.text > 0) {
            self.buffer.extend_from_slice(BETWEEN_FILES);
        }
        let prefix = self.buffer.len();
        if incoming.goes_on_with(&GZIP)? {
            let mut packed = Box::new(MultiGzDecoder::new(incoming));
            let unpacked = self.read_some(&mut packed);
            unpacked.map_err(|error| not_unpacked(packed.get_ref(), error))?;
            self.no_page(prefix).and_then(|()| self.no_bomb()).map_err(|failure| packed.get_ref().error(failure))?;
            self.stage = Stage::Packed(packed);
        } else {
            self.read_some(&mut incoming)?;
            self.no_page(prefix).and_then(|()| self.no_bomb()).map_err(|failure| incoming.error(failure))?;
            self.stage = Stage::Plain(incoming);
        }
        Ok(())
    }

    /// Reads until the buffer is full or the file over, and returns how much.
    fn read_some(&mut self, from: &mut impl Read) -> io::Result<u64> {
        let most = u64::try_from(CHUNK)
            .unwrap_or(u64::MAX)
            .min(self.most_text.saturating_sub(self.all_text).saturating_add(1));
        let read = from.take(most).read_to_end(&mut self.buffer)?;
        let read = u64::try_from(read).unwrap_or(u64::MAX);
        self.all_text = self.all_text.saturating_add(read);
        self.text = self.text.saturating_add(read);
        Ok(read)
    }

    /// Refuses more text than there may be.
    fn no_bomb(&self) -> Result<(), FetchFailure> {
        if self.all_text > self.most_text { Err(FetchFailure::TextTooLarge(self.most_text)) } else { Ok(()) }
    }

    /// Refuses a file that begins as a web page does.
    fn no_page(&self, prefix: usize) -> Result<(), FetchFailure> {
        let text = self.buffer.get(prefix..).unwrap_or_default();
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start();
        if text.first() != Some(&b'<') {
            return Ok(());
        }
        let begin = text.get(..text.len().min(MOST_SHOWN * 4)).unwrap_or_default();
        Err(FetchFailure::WebPage(excerpt(&String::from_utf8_lossy(begin), MOST_SHOWN)))
    }

    /// Ends a file.
    fn end(&mut self, mut incoming: Incoming) -> io::Result<Stage> {
        let Some(arrived) = incoming.next_file() else { return Err(incoming.error(FetchFailure::BrokenOff)) };
        let (validators, sha256, received) = (arrived.validators, arrived.sha256, arrived.received);
        self.files.push(ReceivedFile { validators, sha256, received, text: self.text });
        Ok(Stage::Between(incoming))
    }
}

/// Tells an error of gzip from one of what it reads from.
fn not_unpacked(incoming: &Incoming, error: io::Error) -> io::Error {
    match error.downcast::<FetchError>() {
        Ok(known) => io::Error::other(known),
        Err(error) => incoming.error(FetchFailure::NotUnpacked(error)),
    }
}

impl BufRead for DumpText {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.buffer.len() {
            // What came before the failure is not for anyone.
            self.refill().inspect_err(|_| self.buffer.clear())?;
        }
        Ok(self.buffer.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.at = self.at.saturating_add(amount).min(self.buffer.len());
    }
}

impl Read for DumpText {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}
