//! The records of a snapshot or delta: a JSON text sequence (RFC 7464), of which the first record is a header.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    index::{FileKind, FileRef, NRTM_VERSION, SessionId},
    served::{Served, Sha256Hash},
};
use crate::{irr::source::SourceName, outbound::excerpt::excerpt};

/// What each record begins with.
const SEPARATOR: u8 = 0x1e;
/// The characters that are shown of a wrong word.
const MOST_SHOWN: usize = 80;

/// The file that is read, as the index names it.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Wanted<'a> {
    pub source: &'a SourceName,
    pub session: &'a SessionId,
    pub file: &'a FileRef,
}

/// How much a file may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLimits {
    /// The bytes that it may unpack to.
    pub text: u64,
    /// The bytes of one record, which is kept in memory.
    pub record: usize,
    /// The changes of a delta, which are kept in memory.
    pub changes: usize,
}

/// The reasons to refuse a file. Nothing of it is to be used then.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// It did not come as a whole, or is no proper gzip file.
    #[error("the file cannot be read to its end")]
    Read(#[source] io::Error),
    /// It unpacks to more than may be.
    #[error("the file unpacks to more than {0} bytes")]
    TextTooLarge(u64),
    /// A record is larger than may be.
    #[error("record {number} has more than {most} bytes")]
    #[expect(missing_docs, reason = "the names say it")]
    RecordTooLarge { number: u64, most: usize },
    /// There are more changes than may be.
    #[error("the delta has more than {0} changes")]
    TooManyChanges(usize),
    /// It begins with something else than a record: a web page perhaps.
    #[error("the file is no sequence of JSON texts, as it begins with {0:?}")]
    NoSequence(String),
    /// The last record ends in the middle.
    #[error("the file ends in the middle of record {0}")]
    Cut(u64),
    /// A record is none, or is followed by something else.
    #[error("record {number} is not what belongs there")]
    #[expect(missing_docs, reason = "the names say it")]
    Record { number: u64, source: serde_json::Error },
    /// The header is that of another file.
    #[error("the header says `{field}` is {found}, where the index has {wanted}")]
    #[expect(missing_docs, reason = "the names say it")]
    Header { field: &'static str, found: String, wanted: String },
    /// A delta holds no change, which no server publishes.
    #[error("the delta holds no change")]
    EmptyDelta,
    /// It is another file than the index names.
    #[error("the file has the hash {0}, and the index names another one")]
    Hash(Sha256Hash),
    /// It was read on after an error.
    #[error("the file failed before")]
    FailedBefore,
}

#[derive(Deserialize)]
struct FileHeader {
    nrtm_version: u64,
    r#type: String,
    source: String,
    session_id: String,
    version: u64,
}

impl Default for FileLimits {
    /// RIPE's whole database unpacks to some GB. The largest objects are sets with thousands of members, in some 100 KB; a
    /// delta is what changed in a minute, or in a day of the largest source.
    fn default() -> Self {
        Self { text: 16 << 30, record: 16 << 20, changes: 1_000_000 }
    }
}

/// Reads the records of one file.
pub(super) struct Records<R: BufRead> {
    text: RecordsText<R>,
    hash: Sha256Hash,
    limits: FileLimits,
    record: Vec<u8>,
    /// The records so far, with the header.
    number: u64,
    /// The bytes of text so far.
    read: u64,
    state: Progress,
}

enum RecordsText<R: BufRead> {
    Plain(Served<R>),
    Packed(Box<BufReader<MultiGzDecoder<Served<R>>>>),
}

#[derive(PartialEq, Eq)]
enum Progress {
    /// A record follows, whose separator is read.
    Record,
    /// All are read.
    Over,
    Failed,
}

impl<R: BufRead> Records<R> {
    /// Begins with a file, and checks that its header is that of the file that is wanted.
    pub(super) fn begin(from: R, kind: FileKind, wanted: Wanted<'_>, limits: FileLimits) -> Result<Self, RecordsError> {
        let served = Served::new(from);
        let text = if wanted.file.url.is_gzip() {
            RecordsText::Packed(Box::new(BufReader::new(MultiGzDecoder::new(served))))
        } else {
            RecordsText::Plain(served)
        };
        let hash = wanted.file.hash;
        let mut records = Self { text, hash, limits, record: Vec::new(), number: 0, read: 0, state: Progress::Record };
        records.separator()?;
        let header: Option<FileHeader> = records.next()?;
        check(&header.ok_or(RecordsError::Cut(1))?, kind, wanted)?;
        Ok(records)
    }

    /// Returns the next record; `None` once all of them are read and the hash of the file is that of the index.
    pub(super) fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, RecordsError> {
        match std::mem::replace(&mut self.state, Progress::Failed) {
            Progress::Failed => Err(RecordsError::FailedBefore),
            Progress::Over => {
                let found = self.text.hash();
                if found != self.hash {
                    return Err(RecordsError::Hash(found));
                }
                self.state = Progress::Over;
                Ok(None)
            }
            Progress::Record => {
                let after = self.fill()?;
                let number = self.number;
                let record = serde_json::from_slice(&self.record);
                let record = record.map_err(|source| RecordsError::Record { number, source })?;
                self.state = after;
                Ok(Some(record))
            }
        }
    }

    /// Reads what the file has to begin with.
    fn separator(&mut self) -> Result<(), RecordsError> {
        let begin = self.text.reader().fill_buf().map_err(RecordsError::Read)?;
        if begin.first() == Some(&SEPARATOR) {
            self.text.reader().consume(1);
            return Ok(());
        }
        let begin = begin.get(..begin.len().min(MOST_SHOWN * 4)).unwrap_or_default();
        Err(RecordsError::NoSequence(excerpt(&String::from_utf8_lossy(begin), MOST_SHOWN)))
    }

    /// Reads one record up to the next separator, and returns what follows it.
    fn fill(&mut self) -> Result<Progress, RecordsError> {
        self.number = self.number.saturating_add(1);
        self.record.clear();
        let most = u64::try_from(self.limits.record).unwrap_or(u64::MAX).saturating_add(1);
        let mut part = self.text.reader().take(most);
        let read = part.read_until(SEPARATOR, &mut self.record).map_err(RecordsError::Read)?;
        self.read = self.read.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        if self.read > self.limits.text {
            return Err(RecordsError::TextTooLarge(self.limits.text));
        }
        let after =
            if self.record.pop_if(|last| *last == SEPARATOR).is_some() { Progress::Record } else { Progress::Over };
        if self.record.len() > self.limits.record {
            return Err(RecordsError::RecordTooLarge { number: self.number, most: self.limits.record });
        }
        if self.record.last() == Some(&b'\n') { Ok(after) } else { Err(RecordsError::Cut(self.number)) }
    }
}

impl<R: BufRead> RecordsText<R> {
    fn reader(&mut self) -> &mut dyn BufRead {
        match self {
            Self::Plain(served) => served,
            Self::Packed(packed) => packed,
        }
    }

    fn hash(&self) -> Sha256Hash {
        match self {
            Self::Plain(served) => served.hash(),
            Self::Packed(packed) => packed.get_ref().get_ref().hash(),
        }
    }
}

fn check(header: &FileHeader, kind: FileKind, wanted: Wanted<'_>) -> Result<(), RecordsError> {
    let differs = |field, found: &str, wanted: &str| {
        Err(RecordsError::Header { field, found: excerpt(found, MOST_SHOWN), wanted: wanted.to_owned() })
    };
    if header.nrtm_version != NRTM_VERSION {
        return differs("nrtm_version", &header.nrtm_version.to_string(), &NRTM_VERSION.to_string());
    }
    if header.r#type != kind.word() {
        return differs("type", &header.r#type, kind.word());
    }
    if !wanted.source.is(&header.source) {
        return differs("source", &header.source, wanted.source.as_str());
    }
    if !header.session_id.eq_ignore_ascii_case(wanted.session.as_str()) {
        return differs("session_id", &header.session_id, wanted.session.as_str());
    }
    if header.version != wanted.file.version {
        return differs("version", &header.version.to_string(), &wanted.file.version.to_string());
    }
    Ok(())
}
